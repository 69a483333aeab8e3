// SPDX-License-Identifier: MIT OR Apache-2.0
//! Readings of a disturbed line, which are not believed alone.
//!
//! Most protocols of meters check a frame with eight bits. On a line that damages one frame in ten, one reading in some
//! thousands would come through with wrong digits and a right check. So while a line shows damage, a meter is read until
//! two readings in a row tell the same; a line that is well costs nothing for it.

use gasd_meters::detect::Protocol;
use gasd_meters::poll::{Failure, Heard, Job, Outcome};
use gasd_meters::{Error, Fault, Kind, Number, Reading, Value};

use super::event::Event;
use super::{Bus, What};

/// A damaged answer makes so many exchanges after it doubtful.
const DAMAGED_FOR: u32 = 64;
/// So often a meter is read for two that tell the same.
const TRIES: u8 = 5;

/// How disturbed a line has been of late.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Disturbed(u32);

impl Disturbed {
    /// An exchange was damaged, or not.
    pub(super) fn note(&mut self, damaged: bool) {
        self.0 = if damaged { DAMAGED_FOR } else { self.0.saturating_sub(1) };
    }

    /// Whether an answer in this protocol is not to be believed alone.
    pub(super) const fn doubts(self, protocol: Protocol) -> bool {
        // Modbus has a CRC of 16 bits.
        self.0 > 0 && !matches!(protocol, Protocol::Modbus)
    }
}

/// A reading that waits for another one.
#[derive(Clone, Debug)]
pub(super) struct First {
    pub(super) t_ns: u64,
    pub(super) reading: Reading,
    pub(super) tries: u8,
}

impl Bus {
    /// A reading that may be published. One of a disturbed line is read once more first, and again until two in a row tell
    /// the same; `None` while that is so, or where it came to nothing.
    pub(super) fn believe(&mut self, job: &Job<What>, mut reading: Reading, now_ns: u64) -> Option<Reading> {
        let disturbed = self.disturbed;
        let member = self.member(job.meter)?;
        let first = member.first.take();
        if !disturbed.doubts(member.guesses.device().protocol()) {
            return Some(reading);
        }
        let tries = first.as_ref().map_or(1, |first| first.tries.saturating_add(1));
        let most = member.spec.most_ul_per_h;
        if let Some(first) = first.as_ref()
            && agree(&first.reading, &reading, now_ns.saturating_sub(first.t_ns), most)
        {
            confirm(&first.reading, &mut reading);
            return Some(reading);
        }
        if tries < TRIES {
            member.first = Some(First { t_ns: now_ns, reading, tries });
            let priority = job.priority;
            // What finds no room is read at its next turn.
            let _ = self.agenda.push(Job { priority, meter: job.meter, what: job.what });
            return None;
        }
        let error = Error::Malformed { what: "readings of a disturbed line do not agree" };
        self.events.push_back(Event::Failed { key: job.meter, t_ns: now_ns, error, raw: Vec::new() });
        self.order_step(job, Err(error), now_ns);
        None
    }
}

/// Whether two readings, one after the other, tell the same: the same fields, numbers that are equal, or a volume that has
/// risen by what can have passed (`most_ul_per_h`) and a step of its last digit.
#[must_use]
fn agree(first: &Reading, second: &Reading, passed_ns: u64, most_ul_per_h: u64) -> bool {
    let passed_ul = u128::from(most_ul_per_h) * u128::from(passed_ns) / 3_600_000_000_000;
    first.meter == second.meter
        && first.valve == second.valve
        && first.fields.len() == second.fields.len()
        && first.fields.iter().zip(&second.fields).all(|(a, b)| {
            (a.kind, a.register, &a.label, a.doubt) == (b.kind, b.register, &b.label, b.doubt)
                && same(a.kind, &a.value, &b.value, passed_ul)
        })
}

/// What of the second of two readings that tell the same may be published: what is measured, said by bits or by a clock moves
/// by itself, and is only known where both say it.
fn confirm(first: &Reading, second: &mut Reading) {
    for (a, b) in first.fields.iter().zip(&mut second.fields) {
        if !counts(b.kind) && a.value != b.value {
            b.value = Value::Absent(Fault::Unconfirmed, Vec::new());
        }
    }
}

fn same(kind: Kind, first: &Value, second: &Value, passed_ul: u128) -> bool {
    match (first, second) {
        (Value::Number(a), Value::Number(b)) if counts(kind) => a.unit == b.unit && rises(*a, *b, passed_ul),
        // What is measured moves by itself, and no total hangs on it.
        (Value::Number(a), Value::Number(b)) => a.unit == b.unit,
        // Clocks and counters of telegrams go on.
        (Value::Moment(_), Value::Moment(_)) => true,
        (Value::Raw(a), Value::Raw(b)) => a.len() == b.len(),
        (Value::Bits(_), Value::Bits(_)) => true,
        (a, b) => a == b,
    }
}

/// Kinds that only rise.
const fn counts(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Volume
            | Kind::VolumeMeter
            | Kind::VolumeBase
            | Kind::VolumeDisturbed
            | Kind::Energy
            | Kind::ActiveEnergy
            | Kind::Mass
            | Kind::Count
    )
}

fn rises(first: Number, second: Number, passed_ul: u128) -> bool {
    if first.decimal.exponent != second.decimal.exponent {
        return false;
    }
    let Some(steps) = second.decimal.mantissa.checked_sub(first.decimal.mantissa) else { return false };
    let Ok(steps) = u128::try_from(steps) else { return false };
    // What has no volume may go on by a step or two, as the register of a heat meter.
    let step_ul = second.resolution_ul().and_then(|ul| u128::try_from(ul).ok());
    steps <= step_ul.map_or(2, |ul| 1 + passed_ul / ul.max(1))
}

/// Whether something disturbed an exchange: an answer that is none, or another one's sending over the request.
pub(super) fn is_damaged(outcome: &Outcome) -> bool {
    let check = outcome.result.as_ref().err().and_then(Failure::of) == Some(Failure::Check);
    check || outcome.heard == Heard::Damaged
}

#[cfg(test)]
mod tests {
    use gasd_meters::{Field, Register, Unit};

    use super::*;

    const M3_PER_H: u64 = 1_000_000_000;
    const SECOND: u64 = 1_000_000_000;

    fn reading(mantissa: i64, exponent: i8, unit: Unit) -> Reading {
        let volume = Value::Number(Number::new(mantissa, exponent, unit));
        let fields = vec![Field::new(Kind::Volume, Register::PLAIN, volume)];
        Reading { fields, ..Reading::default() }
    }

    #[test]
    fn a_register_may_rise_by_what_can_have_passed_and_never_falls() {
        let litres = |n| reading(n, -3, Unit::CubicMetre);
        // 36 m³/h are 10 L a second.
        let within = |a, b, s| agree(&litres(a), &litres(b), s * SECOND, 36 * M3_PER_H);
        assert!(within(1_000, 1_000, 1) && within(1_000, 1_011, 1) && within(1_000, 1_031, 3));
        assert!(!within(1_000, 1_012, 1) && !within(1_000, 999, 1) && !within(1_000, 91_000, 1));
        let coarse = |n| reading(n, -2, Unit::CubicMetre);
        assert!(agree(&coarse(7), &coarse(8), SECOND / 2, M3_PER_H), "a step may just have come");
        assert!(!agree(&coarse(7), &coarse(9), SECOND / 2, M3_PER_H));
        assert!(!agree(&coarse(7), &litres(70), SECOND, M3_PER_H), "other digits");
    }

    #[test]
    fn another_valve_meter_or_field_is_no_agreement() {
        let one = reading(5, 0, Unit::CubicMetre);
        let valve = Reading { valve: Some(gasd_meters::Valve::Closed), ..one.clone() };
        assert!(!agree(&one, &valve, SECOND, M3_PER_H));
        let mut more = one.clone();
        more.fields.push(Field::new(Kind::Status, Register::PLAIN, Value::Bits(1)));
        assert!(!agree(&one, &more, SECOND, M3_PER_H) && agree(&one, &one, SECOND, M3_PER_H));
    }

    #[test]
    fn damage_makes_a_while_doubtful_and_crc_16_is_believed() {
        let mut line = Disturbed::default();
        assert!(!line.doubts(Protocol::Cjt188));
        line.note(true);
        assert!(
            line.doubts(Protocol::Cjt188) && line.doubts(Protocol::Hart) && !line.doubts(Protocol::Modbus)
        );
        (0..DAMAGED_FOR).for_each(|_| line.note(false));
        assert!(!line.doubts(Protocol::Cjt188));
    }
}
