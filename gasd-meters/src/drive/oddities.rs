// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was taken although it is not as it should be: counted, so that it can be said.

/// How often something in a dialogue was not as it should be and was taken all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oddities {
    /// An answer from another address than the one asked.
    pub address: u16,
    /// An answer from a wildcard, which is nobody's address.
    pub wildcard: u16,
    /// An answer of another type of meter (CJ/T 188).
    pub kind: u16,
    /// An answer with another sequence number.
    pub sequence: u16,
    /// An answer with the bytes of its identifier in another order than they were asked in.
    pub order: u16,
    /// A request that had to be repeated.
    pub repeated: u16,
    /// A reset of the link that stayed without an acknowledgement (M-Bus).
    pub mute: u16,
    /// Registers that were read once more because a total may have been caught while it changed (Modbus).
    pub torn: u16,
    /// The meter did not say where its valve is when it was asked for that alone.
    pub valve: u16,
    /// An answer that says that more follows, which there is no request for (CJ/T 188).
    pub more: u16,
}

impl Oddities {
    /// Each with its stable name, those that did not happen, too.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u16)> {
        [
            ("address", self.address),
            ("wildcard", self.wildcard),
            ("kind", self.kind),
            ("sequence", self.sequence),
            ("order", self.order),
            ("repeated", self.repeated),
            ("mute", self.mute),
            ("torn", self.torn),
            ("valve", self.valve),
            ("more", self.more),
        ]
        .into_iter()
    }

    /// Whether all was as it should be.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

/// One more.
pub(super) const fn count(place: &mut u16, odd: bool) {
    *place = place.saturating_add(odd as u16);
}
