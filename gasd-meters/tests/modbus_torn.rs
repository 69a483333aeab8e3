// SPDX-License-Identifier: MIT OR Apache-2.0
//! A unit that fills its answer register by register from a counter that goes on: what is published was so.
#![allow(clippy::unwrap_used, reason = "test code")]

use gasd_meters::modbus::{Frame, Memory, Order, Point, Readout, RegisterMap, Step, Type};
use gasd_meters::{Fault, Kind, Unit, Value, crc};
use proptest::prelude::*;

/// A counter that goes on by these steps, one before each register that is copied.
struct Counter<'a> {
    now: u64,
    steps: std::iter::Cycle<std::slice::Iter<'a, u64>>,
}

impl Counter<'_> {
    fn step(&mut self) {
        self.now += self.steps.next().unwrap();
    }

    /// The registers of an answer, the highest first; copied in that order, or from the lowest on.
    fn copied(&mut self, registers: usize, low_first: bool) -> Vec<u16> {
        let mut words = vec![0; registers];
        for n in 0..registers {
            self.step();
            let at = if low_first { registers - 1 - n } else { n };
            words[at] = (self.now >> (16 * (registers - 1 - at))) as u16;
        }
        words
    }
}

fn map(registers: usize, order: Order) -> RegisterMap {
    let format = if registers == 2 { Type::U32 } else { Type::U64 };
    RegisterMap::new(vec![Point { order, ..Point::new(Kind::Volume, 0, format, Unit::Litre) }])
}

fn answer(words: &[u16]) -> Vec<u8> {
    let mut bytes = vec![7, 3, 2 * words.len() as u8];
    bytes.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    bytes.extend(crc::modbus(&bytes).to_le_bytes());
    bytes
}

/// What is published of a total, `None` where it is in doubt; and what it was before and behind the last answer.
fn read(last: u64, counter: &mut Counter<'_>, registers: usize, low_first: bool) -> (Option<u64>, u64, u64) {
    // In which order registers come does not say in which they are filled.
    let order = if low_first { Order::CDAB } else { Order::ABCD };
    let map = map(registers, order);
    let bytes = last.to_be_bytes()[8 - 2 * registers..].to_vec();
    let mut readout = Readout::new(&map, 7, Memory::from_parts(vec![Some(bytes)])).unwrap();
    loop {
        let before = counter.now;
        let mut words = counter.copied(registers, low_first);
        if low_first {
            words.reverse();
        }
        let answer = answer(&words);
        if readout.answer(&Frame::parse(&answer).unwrap(), &mut ()).unwrap() == Step::Done {
            let reading = readout.finish().0;
            let field = &reading.fields[0];
            assert!(matches!(field.doubt, None | Some(Fault::Torn)), "{field:?}");
            let Value::Number(number) = &field.value else { panic!("{field:?}") };
            let value = u64::try_from(number.decimal.mantissa).unwrap();
            return (field.doubt.is_none().then_some(value), before, counter.now);
        }
    }
}

#[test]
fn a_total_that_falls_is_read_again() {
    // The high word, then 15 L are used, then the low one: 5:0001, which never was.
    let steps = [0, 0x11, 0, 0];
    let mut counter = Counter { now: 0x5_FFF0, steps: steps.iter().cycle() };
    let (published, before, behind) = read(0x5_FFF0, &mut counter, 2, false);
    let published = published.expect("it held still");
    assert!((before..=behind).contains(&published) && published > 0x6_0000, "{published:X}");
}

#[test]
fn a_total_that_runs_backwards_slowly_is_no_doubt() {
    let map = map(2, Order::ABCD);
    let mut readout = Readout::new(&map, 7, Memory::from_parts(vec![Some(vec![0, 5, 0x40, 0])])).unwrap();
    for (low, step) in [(0x3FFF, Step::Again), (0x3FFE, Step::Done)] {
        let answer = answer(&[5, low]);
        assert_eq!(readout.answer(&Frame::parse(&answer).unwrap(), &mut ()), Ok(step));
    }
    assert_eq!(readout.finish().0.fields[0].doubt, None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    /// Near a carry of one register or of several; whatever has passed since the last reading.
    #[test]
    fn what_is_published_was_so_while_it_was_read(
        registers in prop_oneof![Just(2_usize), Just(4)],
        low_first in any::<bool>(),
        carry in prop_oneof![1_u64..5, 0xFFFE_u64..0x1_0003],
        before in 0_u64..600,
        since in prop_oneof![0_u64..0x300, 0_u64..0x3_0000],
        steps in prop::collection::vec(prop_oneof![Just(0_u64), 1_u64..60], 1..9),
    ) {
        let carry = if registers == 2 { carry.min(0xFFF0) } else { carry };
        let start = (carry << 16) - before;
        let last = start.saturating_sub(since);
        let mut counter = Counter { now: start, steps: steps.iter().cycle() };
        let (published, before, behind) = read(last, &mut counter, registers, low_first);
        if let Some(published) = published {
            // One that stood still for the meter is late, and not invented.
            prop_assert!(
                (before..=behind).contains(&published) || published == last,
                "{published:X}, and it was {before:X} to {behind:X}"
            );
        }
    }
}
