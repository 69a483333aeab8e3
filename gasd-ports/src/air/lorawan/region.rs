// SPDX-License-Identifier: MIT OR Apache-2.0
//! What radio law makes different from region to region (LoRaWAN Regional Parameters 1.0.3): where a device that has
//! spoken listens, and how its channels and data rates are numbered.

/// A region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Region {
    /// Europe, 863–870 MHz.
    #[default]
    Eu868,
    /// Russia, 864–870 MHz.
    Ru864,
    /// India, 865–867 MHz.
    In865,
    /// Korea, 920–923 MHz.
    Kr920,
    /// China, 470–510 MHz.
    Cn470,
    /// North America, 902–928 MHz.
    Us915,
    /// Australia and parts of South America, 915–928 MHz.
    Au915,
}

/// Where and how a gateway sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Frequency, Hz.
    pub frequency_hz: u32,
    /// Spreading and bandwidth.
    pub data_rate: &'static str,
}

/// Data rates of 125 kHz, the slowest first, and the same of 500 kHz.
const NARROW: [&str; 6] = ["SF12BW125", "SF11BW125", "SF10BW125", "SF9BW125", "SF8BW125", "SF7BW125"];
const WIDE: [&str; 6] = ["SF12BW500", "SF11BW500", "SF10BW500", "SF9BW500", "SF8BW500", "SF7BW500"];

impl Region {
    /// As configurations have it.
    pub const WORDS: [(&'static str, Self); 7] = [
        ("eu868", Self::Eu868),
        ("ru864", Self::Ru864),
        ("in865", Self::In865),
        ("kr920", Self::Kr920),
        ("cn470", Self::Cn470),
        ("us915", Self::Us915),
        ("au915", Self::Au915),
    ];

    /// The channels that every device of the region has, Hz, where these are few.
    const fn channels(self) -> &'static [u32] {
        match self {
            Self::Eu868 => &[868_100_000, 868_300_000, 868_500_000],
            Self::Ru864 => &[868_900_000, 869_100_000],
            Self::In865 => &[865_062_500, 865_402_500, 865_985_000],
            Self::Kr920 => &[922_100_000, 922_300_000, 922_500_000],
            Self::Cn470 | Self::Us915 | Self::Au915 => &[],
        }
    }

    /// Whether a join accept may name further channels by their frequency.
    pub(super) const fn adds_channels(self) -> bool {
        !self.channels().is_empty()
    }

    /// The number of the channel of this frequency; `extra_hz` are those that the network adds.
    pub(super) fn channel(self, hz: u32, extra_hz: &[u32]) -> Option<u8> {
        let few = || {
            let known = self.channels().iter().chain(extra_hz);
            known.copied().position(|channel| channel == hz).and_then(|n| u8::try_from(n).ok())
        };
        match self {
            Self::Cn470 => grid(hz, 470_300_000, 200_000, 96),
            Self::Us915 => {
                grid(hz, 902_300_000, 200_000, 64).or(grid(hz, 903_000_000, 1_600_000, 8).map(|n| n + 64))
            }
            Self::Au915 => {
                grid(hz, 915_200_000, 200_000, 64).or(grid(hz, 915_900_000, 1_600_000, 8).map(|n| n + 64))
            }
            _ => few(),
        }
    }

    /// The number of a data rate up.
    pub(super) fn data_rate(self, name: &str) -> Option<u8> {
        let narrow = || NARROW.iter().position(|rate| *rate == name).and_then(|n| u8::try_from(n).ok());
        match (self, name) {
            (Self::Us915, "SF8BW500") => Some(4),
            // From SF10 on.
            (Self::Us915, _) => narrow()?.checked_sub(2),
            (Self::Au915, "SF8BW500") => Some(6),
            (Self::Eu868 | Self::Ru864, "SF7BW250") => Some(6),
            _ => narrow(),
        }
    }

    /// The first window after a frame of this frequency and data rate; `None` of a frame that no device of the region
    /// sends.
    pub(super) fn first(self, hz: u32, data_rate: &str) -> Option<Window> {
        let rate = self.data_rate(data_rate)?;
        let wide = |rate: u8| WIDE.get(usize::from(rate)).or(WIDE.last()).copied();
        let (frequency_hz, data_rate) = match self {
            Self::Us915 => (down(923_300_000, 600_000, self.channel(hz, &[])?, 8), wide(rate + 2)?),
            Self::Au915 => (down(923_300_000, 600_000, self.channel(hz, &[])?, 8), wide(rate)?),
            Self::Cn470 => {
                let channel = self.channel(hz, &[])?;
                (down(500_300_000, 200_000, channel, 48), *NARROW.get(usize::from(rate))?)
            }
            _ if rate == 6 => (hz, "SF7BW250"),
            _ => (hz, *NARROW.get(usize::from(rate))?),
        };
        Some(Window { frequency_hz, data_rate })
    }

    /// The second window, a second later.
    pub(super) const fn second(self) -> Window {
        let (frequency_hz, data_rate) = match self {
            Self::Eu868 => (869_525_000, "SF12BW125"),
            Self::Ru864 => (869_100_000, "SF12BW125"),
            Self::In865 => (866_550_000, "SF10BW125"),
            Self::Kr920 => (921_900_000, "SF12BW125"),
            Self::Cn470 => (505_300_000, "SF12BW125"),
            Self::Us915 | Self::Au915 => (923_300_000, "SF12BW500"),
        };
        Window { frequency_hz, data_rate }
    }

    /// The number of the second window's data rate, as a join accept says it.
    pub(super) const fn second_rate(self) -> u8 {
        match self {
            Self::In865 => 2,
            Self::Us915 | Self::Au915 => 8,
            _ => 0,
        }
    }

    /// What a gateway may send with, dBm.
    pub(super) const fn power_dbm(self) -> i8 {
        match self {
            Self::Cn470 => 17,
            Self::Us915 | Self::Au915 => 20,
            _ => 14,
        }
    }
}

/// The place of a frequency in a row of equal steps.
fn grid(hz: u32, first: u32, step: u32, count: u32) -> Option<u8> {
    let above = hz.checked_sub(first)?;
    let n = above / step;
    if above.is_multiple_of(step) && n < count { u8::try_from(n).ok() } else { None }
}

/// The frequency down that belongs to a channel up.
fn down(first: u32, step: u32, channel: u8, count: u8) -> u32 {
    first + step * u32::from(channel % count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(region: Region, hz: u32, rate: &str) -> Option<(u32, &'static str)> {
        region.first(hz, rate).map(|window| (window.frequency_hz, window.data_rate))
    }

    #[test]
    fn where_a_device_listens() {
        assert_eq!(first(Region::Eu868, 868_300_000, "SF7BW125"), Some((868_300_000, "SF7BW125")));
        assert_eq!(first(Region::Eu868, 868_300_000, "SF7BW250"), Some((868_300_000, "SF7BW250")));
        assert_eq!(first(Region::Eu868, 868_800_000, "50000"), None, "FSK");
        assert_eq!(first(Region::Cn470, 489_300_000, "SF10BW125"), Some((509_700_000, "SF10BW125")));
        assert_eq!(
            first(Region::Cn470, 470_300_000 + 48 * 200_000, "SF12BW125"),
            Some((500_300_000, "SF12BW125"))
        );
        assert_eq!(first(Region::Us915, 904_100_000, "SF10BW125"), Some((923_900_000, "SF10BW500")));
        assert_eq!(first(Region::Us915, 903_000_000, "SF8BW500"), Some((923_300_000, "SF7BW500")));
        assert_eq!(first(Region::Us915, 902_300_000, "SF7BW125"), Some((923_300_000, "SF7BW500")));
        assert_eq!(first(Region::Us915, 902_300_000, "SF12BW125"), None);
        assert_eq!(first(Region::Us915, 868_100_000, "SF7BW125"), None);
        assert_eq!(first(Region::Au915, 916_800_000, "SF12BW125"), Some((923_300_000, "SF12BW500")));
        assert_eq!(first(Region::Au915, 915_900_000, "SF8BW500"), Some((923_300_000, "SF7BW500")));
    }

    #[test]
    fn how_channels_and_data_rates_are_numbered() {
        assert_eq!(Region::Eu868.channel(867_100_000, &[867_100_000]), Some(3));
        assert_eq!(Region::Eu868.channel(867_100_000, &[]), None);
        assert_eq!(Region::Us915.channel(914_200_000, &[]), Some(71));
        assert_eq!(Region::Cn470.channel(489_300_001, &[]), None);
        assert_eq!(
            (Region::Eu868.data_rate("SF12BW125"), Region::Eu868.data_rate("SF7BW125")),
            (Some(0), Some(5))
        );
        assert_eq!(
            (Region::Us915.data_rate("SF10BW125"), Region::Us915.data_rate("SF8BW500")),
            (Some(0), Some(4))
        );
        for (word, region) in Region::WORDS {
            assert_eq!(word, format!("{region:?}").to_lowercase());
            assert!(region.second().frequency_hz > 470_000_000 && region.power_dbm() > 0);
        }
    }
}
