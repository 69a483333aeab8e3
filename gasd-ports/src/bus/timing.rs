// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long who may take on a line, by protocol and speed.

use gasd_meters::detect::Protocol;
use gasd_meters::poll::{Echo, Line};

const MS: u64 = 1_000_000;
/// Bits of a byte on most lines of meters: one to start, eight, one of parity, one to stop.
pub const BITS: u32 = 11;

/// What is known of a port beside its meters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How long a byte takes on the line, ns.
    pub byte_ns: u64,
    /// How much later all comes over a network, ns; 0 for a port of this machine.
    pub latency_ns: u64,
    /// How long a meter may think, ns; `None`: as its protocol says.
    pub answer_ns: Option<u64>,
    /// Whether the adapter hears what it sends.
    pub echo: Echo,
}

impl Pace {
    /// Of a serial line with so many bits to a byte (11: one to start, eight, one of parity, one to stop).
    #[must_use]
    pub fn new(baud: u32, bits: u32) -> Self {
        let byte_ns = u64::from(bits) * 1_000_000_000 / u64::from(baud.max(1));
        Self { byte_ns, latency_ns: 0, answer_ns: None, echo: Echo::Unknown }
    }

    /// What an exchange with a meter of this protocol goes by.
    ///
    /// | protocol | a meter may think | where that is from |
    /// |---|---|---|
    /// | DL/T 645 | 600 ms | the standard's 500 ms, and 100 ms for adapters |
    /// | CJ/T 188 | 1 s | no figure in the standard; heads that sleep take most of a second |
    /// | M-Bus | 330 bits and 50 ms, and 200 ms for level converters | EN 13757-2 |
    /// | HART | 400 ms | a master's 305 ms, and 95 ms for modems |
    /// | Modbus | 1 s | the standard leaves it open and proposes one to several seconds |
    #[must_use]
    pub fn line(&self, protocol: Protocol) -> Line {
        let byte_ns = self.byte_ns;
        let (answer_ns, gap_ns, quiet_ns) = match protocol {
            Protocol::Dlt645 => (600 * MS, 500 * MS, 4 * byte_ns),
            Protocol::Cjt188 => (1_000 * MS, 200 * MS, 4 * byte_ns),
            Protocol::Mbus => (byte_ns * 30 + 250 * MS, 100 * MS, 3 * byte_ns),
            Protocol::Hart => (400 * MS, 60 * MS, 75 * MS),
            // 3.5 characters end a frame, and adapters make pauses of their own.
            Protocol::Modbus => (1_000 * MS, 50 * MS, (4 * byte_ns).max(2 * MS)),
        };
        let gap_ns = gap_ns.max(4 * byte_ns) + self.latency_ns;
        Line {
            byte_ns,
            answer_ns: self.answer_ns.unwrap_or(answer_ns) + self.latency_ns,
            gap_ns,
            quiet_ns,
            // The longest frame of another master, and a pause.
            babble_ns: 300 * byte_ns + 1_000 * MS,
            echo: self.echo,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_eleven_bits_and_a_slow_line_leaves_more_time() {
        assert_eq!(Pace::new(2_400, 11).byte_ns, 4_583_333);
        let (slow, fast) = (Pace::new(300, 11), Pace::new(38_400, 11));
        let answer = |pace: Pace| pace.line(Protocol::Mbus).answer_ns;
        assert!(answer(slow) > 1_300 * MS && answer(fast) < 300 * MS);
        let server = Pace { latency_ns: 500 * MS, ..fast };
        assert_eq!(answer(server), answer(fast) + 500 * MS);
        let told = Pace { answer_ns: Some(3_000 * MS), ..fast };
        assert_eq!(answer(told), 3_000 * MS);
    }
}
