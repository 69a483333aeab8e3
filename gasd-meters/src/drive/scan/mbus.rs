// SPDX-License-Identifier: MIT OR Apache-2.0
//! M-Bus: each primary address, then every secondary one, digit by digit where several answer.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use super::super::device::Device;
use super::once::Once;
use super::{Bounds, FoundMeter, Heard, Hunt, several};
use crate::detect::Protocol;
use crate::mbus::{self, Address, Frame, Request, Step, Target};
use crate::reading::Identity;

/// Numbers that several answer to: on a line that is never quiet all of them would be.
const MOST_TOLD: usize = 16;

#[derive(Debug)]
pub(super) struct Bus {
    primary: RangeInclusive<u8>,
    quick: bool,
    step: Primary,
    secondary: Option<mbus::Search>,
    selects: u32,
}

/// What a primary address is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Primary {
    Reset,
    /// After a reset that was acknowledged, or not.
    Data {
        acknowledged: bool,
    },
    /// It acknowledged and has no reading. An acknowledgement does not say whose it is: one of the address before that is late
    /// does not come again.
    Again,
}

impl Bus {
    pub(super) fn new(bounds: &Bounds) -> Self {
        let (first, last) = (*bounds.mbus_primary.start(), *bounds.mbus_primary.end());
        Self {
            primary: first..=last.min(250),
            quick: bounds.quick,
            step: Primary::Reset,
            secondary: bounds.mbus_secondary.map(|within| mbus::Search::new(within, 1)),
            selects: bounds.mbus_selects,
        }
    }

    fn heard_primary(&mut self, address: u8, heard: Heard<'_>) -> Option<FoundMeter> {
        let step = core::mem::replace(&mut self.step, Primary::Reset);
        if step == Primary::Reset {
            let silent = heard == Heard::Nothing;
            if silent && self.quick {
                self.primary.next();
            } else {
                self.step = Primary::Data { acknowledged: !silent };
            }
            return None;
        }
        if matches!((step, heard), (Primary::Data { acknowledged: true }, Heard::Nothing | Heard::Noise)) {
            self.step = Primary::Again;
            return None;
        }
        self.primary.next();
        let device = Some(Device::Mbus { target: Target::Primary(address), valve: None });
        match heard {
            // It is there, and has nothing to say.
            Heard::Answer(_) if step == Primary::Again => Some(FoundMeter {
                protocol: Protocol::Mbus,
                address: Some(address.to_string()),
                identity: Identity::default(),
                device,
                words: "something acknowledges, and sends no reading".into(),
            }),
            _ if step == Primary::Again => None,
            Heard::Answer(answer) => Some(FoundMeter { device, ..found(answer.frame, address.to_string()) }),
            Heard::Damaged => Some(several(Protocol::Mbus, &alloc::format!("at primary address {address}"))),
            Heard::Nothing | Heard::Noise => None,
        }
    }

    fn heard_secondary(&mut self, heard: Heard<'_>) -> Option<FoundMeter> {
        let search = self.secondary.as_mut()?;
        let reads = search.step() == Some(Step::Read);
        let said = match heard {
            Heard::Answer(answer) if reads => match who(answer.frame) {
                Some(address) => mbus::Heard::Meter(address),
                None => mbus::Heard::Collision,
            },
            Heard::Answer(_) => mbus::Heard::Ack,
            Heard::Nothing => mbus::Heard::Nothing,
            Heard::Damaged | Heard::Noise => mbus::Heard::Collision,
        };
        let unresolved = search.unresolved().len();
        let meter = search.heard(said);
        if let (Some(address), Heard::Answer(answer)) = (meter, heard) {
            let device = Some(Device::Mbus { target: Target::Selected(address), valve: None });
            return Some(FoundMeter { device, ..found(answer.frame, address.to_string()) });
        }
        if search.selects() >= self.selects && search.step().is_some() {
            self.secondary = None;
            let words = "the search by secondary address was given up: something answers all the time";
            return Some(FoundMeter { words: words.into(), ..several(Protocol::Mbus, "") });
        }
        if let Some(number) = search.unresolved().get(unresolved).filter(|_| unresolved < MOST_TOLD) {
            return Some(several(Protocol::Mbus, &alloc::format!("to the number {number}")));
        }
        None
    }
}

impl Hunt for Bus {
    fn question(&self) -> Option<(String, Once)> {
        if let Some(address) = self.primary.clone().next() {
            let target = Target::Primary(address);
            let once = match self.step {
                Primary::Reset | Primary::Again => Once::acknowledged(Request::Reset.encode(target)),
                Primary::Data { .. } => {
                    Once::new(Protocol::Mbus, Request::Data { fcb: true }.encode(target), true)
                }
            };
            return Some((alloc::format!("M-Bus: primary address {address}"), once));
        }
        match self.secondary.as_ref()?.step()? {
            Step::Select(selection) => {
                let request = Request::Select.encode(Target::Selected(selection));
                Some((alloc::format!("M-Bus: select {selection}"), Once::acknowledged(request)))
            }
            Step::Read => {
                let request = Request::Data { fcb: true }.encode(Target::Selected(Address::ANY));
                let once = Once::new(Protocol::Mbus, request, false);
                Some(("M-Bus: read what is selected".into(), once))
            }
        }
    }

    fn heard(&mut self, heard: Heard<'_>) -> Vec<FoundMeter> {
        let found = match self.primary.clone().next() {
            Some(address) => self.heard_primary(address, heard),
            None => self.heard_secondary(heard),
        };
        found.into_iter().collect()
    }
}

/// Who sends this telegram, where its header says so: encrypted ones, too.
fn who(bytes: &[u8]) -> Option<Address> {
    let frame = Frame::parse(bytes).ok()?;
    match (frame.ci()?, frame.data()) {
        (0x72, [a, b, c, d, m0, m1, version, medium, ..]) => Some(Address {
            id: [*a, *b, *c, *d],
            manufacturer: u16::from_le_bytes([*m0, *m1]),
            version: *version,
            medium: *medium,
        }),
        // Fixed data have a number alone.
        (0x73, [a, b, c, d, ..]) => Some(Address { id: [*a, *b, *c, *d], ..Address::ANY }),
        _ => None,
    }
}

fn found(bytes: &[u8], address: String) -> FoundMeter {
    let who = who(bytes);
    let decoded = Frame::parse(bytes).and_then(|frame| mbus::decode(&frame, &mut ())?.into_reading());
    let (identity, mut words) = match who {
        Some(who) if who.manufacturer != 0xFFFF => {
            (who.identity(), alloc::format!("secondary address {who}"))
        }
        Some(who) => (Identity { id: who.identity().id, ..Identity::default() }, "fixed data".into()),
        None => (Identity::default(), String::from("it does not say who it is")),
    };
    if let Err(why) = decoded {
        words.push_str("; ");
        words.push_str(&why.to_string());
    }
    FoundMeter { protocol: Protocol::Mbus, address: Some(address), identity, device: None, words }
}
