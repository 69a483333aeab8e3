// SPDX-License-Identifier: MIT OR Apache-2.0
//! Modbus: which units answer, be it with an exception, and what they say of themselves.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use super::once::Once;
use super::{Bounds, FoundMeter, Heard, Hunt, several};
use crate::detect::Protocol;
use crate::modbus::{Answer, Frame, Request, decode_answer, encode};
use crate::reading::Identity;

/// In their order: what every unit has, what new ones have, what old ones have.
const ASKS: [(Request, &str); 3] = [
    (Request::ReadHolding(0, 1), "a register"),
    (Request::Identify(1, 0), "its identification"),
    (Request::ReadId, "its own words"),
];

#[derive(Debug)]
pub(super) struct Units {
    left: RangeInclusive<u8>,
    quick: bool,
    /// The question.
    step: usize,
    there: bool,
    /// So many answers were.
    damaged: u8,
    /// Maker first.
    texts: Vec<String>,
}

impl Units {
    pub(super) fn new(bounds: &Bounds) -> Self {
        let (first, last) = (*bounds.modbus.start(), *bounds.modbus.end());
        Self {
            left: first.max(1)..=last.min(247),
            quick: bounds.quick,
            step: 0,
            there: false,
            damaged: 0,
            texts: Vec::new(),
        }
    }

    fn unit(&self) -> Option<u8> {
        self.left.clone().next()
    }

    fn take(&mut self, bytes: &[u8]) {
        self.there = true;
        let text = |bytes: &[u8]| -> String {
            let visible = bytes.iter().filter(|byte| matches!(byte, 0x20..=0x7E));
            visible.map(|&byte| char::from(byte)).collect::<String>().trim().into()
        };
        self.texts = match Frame::parse(bytes).and_then(|frame| decode_answer(&frame, &mut ())) {
            Ok(Answer::Identification { objects, .. }) => {
                objects.iter().map(|(_, bytes)| text(bytes)).collect()
            }
            Ok(Answer::Bytes(bytes)) => [String::new(), text(&bytes)].into(),
            _ => return,
        };
    }
}

impl Hunt for Units {
    fn question(&self) -> Option<(String, Once)> {
        let unit = self.unit()?;
        let (request, what) = ASKS.get(self.step)?;
        let what = alloc::format!("Modbus: unit {unit}, {what}");
        Some((what, Once::new(Protocol::Modbus, encode(unit, request), false)))
    }

    fn heard(&mut self, heard: Heard<'_>) -> Vec<FoundMeter> {
        self.one(heard).into_iter().collect()
    }
}

impl Units {
    fn one(&mut self, heard: Heard<'_>) -> Option<FoundMeter> {
        match heard {
            Heard::Answer(answer) => self.take(answer.frame),
            Heard::Damaged => self.damaged += 1,
            Heard::Nothing | Heard::Noise => {}
        }
        self.step += 1;
        let said = !self.texts.is_empty();
        if self.step < ASKS.len() && !said && (self.there || !self.quick) {
            return None;
        }
        let unit = self.left.next()?;
        let (there, damaged) = (self.there, self.damaged);
        let texts = core::mem::take(&mut self.texts);
        (self.step, self.there, self.damaged) = (0, false, 0);
        if !there {
            // Several destroy each other each time; once may be the answer of a unit before that is late.
            let told = damaged > 1 || damaged > 0 && self.quick;
            return told.then(|| several(Protocol::Modbus, &alloc::format!("as unit {unit}")));
        }
        let said: Vec<&str> = texts.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
        Some(FoundMeter {
            protocol: Protocol::Modbus,
            address: Some(unit.to_string()),
            identity: Identity {
                id: unit.to_string(),
                manufacturer: texts.first().filter(|maker| !maker.is_empty()).cloned(),
                ..Identity::default()
            },
            // What its registers mean nobody can ask.
            device: None,
            words: if said.is_empty() { "it does not say what it is".into() } else { said.join(", ") },
        })
    }
}
