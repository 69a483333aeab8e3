// SPDX-License-Identifier: MIT OR Apache-2.0

use proptest::prelude::*;

use super::*;
use crate::kind::{Function, Period, Phase};
use crate::number::Decimal;

fn number(mantissa: i64, exponent: i8, unit: Unit) -> Value {
    Value::Number(Number { decimal: Decimal::new(mantissa, exponent), unit })
}

fn field(kind: Kind, register: Register, litres: i64) -> Field {
    Field::new(kind, register, number(litres, 0, Unit::Litre))
}

fn reading(fields: Vec<Field>) -> Reading {
    Reading { fields, ..Reading::default() }
}

const PLAIN: Register = Register::PLAIN;
const FORWARD: Register = Register { direction: Direction::Forward, ..PLAIN };
const REVERSE: Register = Register { direction: Direction::Reverse, ..PLAIN };
const LITRE_UL: u64 = 1_000_000;

#[test]
fn the_one_volume_is_taken_from_the_current_register() {
    let others = [
        Register { period: Period::Settlement, ..PLAIN },
        Register { function: Function::Maximum, ..PLAIN },
        Register { phase: Phase::A, ..PLAIN },
        Register { tariff: 1, ..PLAIN },
        REVERSE,
    ];
    let mut fields: Vec<Field> =
        others.iter().zip(1..).map(|(&other, n)| field(Kind::Volume, other, n)).collect();
    assert_eq!(
        volume_ul(&reading(fields.clone()), None, None).unwrap_err().to_string(),
        "the meter says no current volume"
    );
    fields.push(field(Kind::Volume, FORWARD, 50));
    assert_eq!(volume_ul(&reading(fields.clone()), None, None), Ok(50 * LITRE_UL));
    fields.push(field(Kind::Volume, PLAIN, 60));
    assert_eq!(volume_ul(&reading(fields), None, None), Ok(60 * LITRE_UL));
}

#[test]
fn a_register_that_is_said_twice_counts_if_both_say_the_same() {
    let (litres, other) = (field(Kind::Volume, PLAIN, 60_000), field(Kind::Volume, PLAIN, 60_010));
    let cubic_metres = Field::new(Kind::Volume, PLAIN, number(60, 0, Unit::CubicMetre));
    let same = reading(vec![litres.clone(), cubic_metres, litres.clone()]);
    assert_eq!(volume_ul(&same, None, None), Ok(60_000 * LITRE_UL));
    for kind in [None, Some(Kind::Volume)] {
        assert_eq!(
            volume_ul(&reading(vec![litres.clone(), other.clone()]), kind, None).unwrap_err().to_string(),
            "the meter says volume more than once, and not the same (60000 L; 60010 L): nothing says which of them counts"
        );
    }
    // What says nothing contradicts nobody.
    let absent = Field::new(Kind::Volume, PLAIN, Value::Absent(Fault::NotFilled, [0xFF; 4].into()));
    let doubtful = Field { doubt: Some(Fault::UnknownExtension(0x45)), ..other.clone() };
    let beside = reading(vec![absent.clone(), doubtful, litres.clone()]);
    assert_eq!(volume_ul(&beside, None, None), Ok(60_000 * LITRE_UL));
    assert_eq!(
        volume_ul(&reading(vec![absent]), None, None),
        Err(NoVolume::Fault((Kind::Volume, PLAIN), Fault::NotFilled))
    );
    // The plain register goes before the forward one, which may say what it likes.
    let forward = Field { register: FORWARD, ..other };
    assert_eq!(volume_ul(&reading(vec![forward, litres]), None, None), Ok(60_000 * LITRE_UL));
}

#[test]
fn several_are_named_and_one_can_be_chosen() {
    let both = reading(vec![
        field(Kind::VolumeMeter, PLAIN, 1),
        field(Kind::VolumeBase, PLAIN, 2),
        field(Kind::Temperature, PLAIN, 3),
    ]);
    assert_eq!(
        volume_ul(&both, None, None).unwrap_err().to_string(),
        "the meter says several volumes (volume_m; volume_b): write quantity = \"...\" to say which of them counts"
    );
    assert_eq!(volume_ul(&both, Some(Kind::VolumeBase), None), Ok(2 * LITRE_UL));
    assert_eq!(
        volume_ul(&both, Some(Kind::Volume), None).unwrap_err().to_string(),
        "the meter says no current volume, but: volume_m; volume_b; temperature"
    );
    // As DL/T 645 has it, where nobody has said what the counter counts.
    let counter = reading(vec![field(Kind::ActiveEnergy, PLAIN, 1)]);
    let words = volume_ul(&counter, None, None).unwrap_err().to_string();
    assert!(words.ends_with("write unit = \"m3\" or \"L\" to say in what it counts"), "{words}");
}

#[test]
fn a_subunit_counts_where_the_device_itself_has_none() {
    let at = |subunit| Register { subunit, ..PLAIN };
    let (one, two) = (field(Kind::Volume, at(1), 1), field(Kind::Volume, at(2), 2));
    assert_eq!(volume_ul(&reading(vec![one.clone()]), None, None), Ok(LITRE_UL));
    let both = reading(vec![one.clone(), two.clone()]);
    assert!(
        matches!(volume_ul(&both, Some(Kind::Volume), None), Err(NoVolume::Several(names)) if names.len() == 2)
    );
    let all = reading(vec![one, two, field(Kind::Volume, PLAIN, 9)]);
    assert_eq!(volume_ul(&all, None, None), Ok(9 * LITRE_UL));
}

#[test]
fn a_known_unit_settles_a_doubt_about_it_and_no_other() {
    let doubtful = |doubt| reading(vec![Field { doubt: Some(doubt), ..field(Kind::Volume, PLAIN, 5) }]);
    let metre = Some(Unit::CubicMetre);
    for doubt in [Fault::DoubtfulUnit(0x29), Fault::UnknownUnit(0), Fault::OtherUnit(0x2D)] {
        let reading = doubtful(doubt);
        assert!(volume_ul(&reading, None, None).unwrap_err().to_string().contains("set the"));
        assert_eq!(volume_ul(&reading, None, metre), Ok(5_000 * LITRE_UL));
        assert_eq!(quantity_resolution_ul(&reading, None, metre), Some(1_000 * LITRE_UL));
        assert_eq!(quantity_resolution_ul(&reading, None, None), None);
    }
    for doubt in [Fault::Torn, Fault::SaidInvalid, Fault::UnknownExtension(0x7F)] {
        assert_eq!(
            volume_ul(&doubtful(doubt), None, metre),
            Err(NoVolume::Fault((Kind::Volume, PLAIN), doubt))
        );
    }
}

#[test]
fn what_is_no_volume_says_why() {
    let of = |value| volume_ul(&reading(vec![Field::new(Kind::Volume, PLAIN, value)]), None, None);
    let fault = |fault| Err(NoVolume::Fault((Kind::Volume, PLAIN), fault));
    assert_eq!(of(Value::Absent(Fault::NotFilled, vec![])), fault(Fault::NotFilled));
    assert_eq!(of(Value::Raw(vec![1])), fault(Fault::OtherDimension));
    assert_eq!(of(number(1, 0, Unit::KilowattHour)), fault(Fault::OtherDimension));
    assert_eq!(of(number(15, -10, Unit::CubicMetre)), fault(Fault::TooFine));
    assert_eq!(of(number(i64::MAX, 0, Unit::CubicMetre)), fault(Fault::TooLarge));
    assert_eq!(of(number(-1, 0, Unit::Litre)), Err(NoVolume::Negative((Kind::Volume, PLAIN))));
    assert_eq!(of(number(-1, 0, Unit::Litre)).unwrap_err().to_string(), "volume is below nought");
    assert_eq!(of(number(0, 0, Unit::Litre)), Ok(0));
}

#[test]
fn a_counter_is_a_volume_only_where_its_unit_is_said() {
    let counter = reading(vec![
        Field::new(Kind::ActiveEnergy, FORWARD, number(1234, -2, Unit::KilowattHour)),
        Field::new(Kind::Voltage, PLAIN, number(230, 0, Unit::Volt)),
    ]);
    assert!(volume_ul(&counter, None, None).is_err());
    assert_eq!(volume_ul(&counter, None, Some(Unit::CubicMetre)), Ok(12_340 * LITRE_UL));
    assert_eq!(quantity_resolution_ul(&counter, None, Some(Unit::CubicMetre)), Some(10 * LITRE_UL));
    // A volume goes before it.
    let mut fields = counter.fields;
    fields.push(field(Kind::Volume, PLAIN, 7));
    assert_eq!(volume_ul(&reading(fields), None, Some(Unit::Litre)), Ok(7 * LITRE_UL));
}

proptest! {
    #[test]
    fn what_is_taken_is_exact(mantissa in 0..=i64::MAX, exponent in -20..=20i8) {
        let one = reading(vec![Field::new(Kind::Volume, PLAIN, number(mantissa, exponent, Unit::CubicMetre))]);
        if let Ok(volume_ul) = volume_ul(&one, None, None) {
            let (power, ul) = (10u128.pow(u32::from((exponent + 9).unsigned_abs())), u128::from(volume_ul));
            let mantissa = mantissa as u128;
            let exact = if exponent >= -9 { mantissa * power == ul } else { mantissa == ul * power };
            prop_assert!(exact, "{} e{} is not {} µL", mantissa, exponent, ul);
        }
    }
}
