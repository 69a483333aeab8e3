// SPDX-License-Identifier: MIT OR Apache-2.0
//! Simulated meters of wireless M-Bus in every form of a receiver, protected in every way, through bad air: what is read
//! is what a meter said, and what fails says why.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{S, errors, volumes};
use gasd_lab::wmbus::{Air as Bad, Fate, Form, Log, Protection, Receiver, Transmitter, look_at};
use gasd_lab::{Bus, Line, Register, Truth, truth::look, wmbus};
use gasd_meters::wmbus::{Format, Key};
use gasd_ports::air::wmbus::{Device, Framing, Settings, Wmbus};
use gasd_ports::air::{Air as _, Output};

const SECRET: [u8; 16] = [0x11; 16];
const NUMBER: [u8; 4] = [0x78, 0x56, 0x34, 0x12];

const FORMS: [(Form, Framing); 9] = [
    (Form::Binary(Format::A), Framing::Found),
    // One of format B that is damaged cannot be told from one without CRCs: the receiver is named.
    (Form::Binary(Format::B), Framing::Binary(Some(Format::B))),
    (Form::Binary(Format::Plain), Framing::Found),
    (Form::Lines, Framing::Found),
    (Form::Lines, Framing::Lines),
    (Form::Stick(Format::A), Framing::Found),
    (Form::Stick(Format::B), Framing::Lines),
    (Form::Commands { rssi: false }, Framing::Found),
    (Form::Commands { rssi: true }, Framing::Commands { rssi: true }),
];
const PROTECTIONS: [Protection; 4] =
    [Protection::Open, Protection::LinkLayer, Protection::Mode5, Protection::Mode7];

struct Course {
    out: Vec<Output>,
    log: Log,
    said: BTreeSet<i64>,
    ports: Wmbus,
}

/// What comes out of a receiver in so many seconds.
fn course(
    form: (Form, Framing),
    settings: wmbus::Settings,
    secret: Option<[u8; 16]>,
    seconds: u64,
) -> Course {
    listen(form, settings, secret, 0, seconds)
}

/// The same of an open meter, of a host that listens only from `from` s on.
fn late(form: (Form, Framing), settings: wmbus::Settings, from: u64, seconds: u64) -> Course {
    listen(form, settings, None, from, seconds)
}

fn listen(
    form: (Form, Framing),
    mut settings: wmbus::Settings,
    secret: Option<[u8; 16]>,
    from: u64,
    seconds: u64,
) -> Course {
    // Whatever is sent arrives before the end.
    settings.air.dead.push((seconds - 10) * S..u64::MAX);
    let key = if settings.protection == Protection::Open { None } else { secret };
    let device = Device { key: 7, address: settings.address, secret: key.map(Key::new) };
    let truth = Truth::new(Register { flow_ul_per_h: 2_000_000_000, ..Register::default() }).shared();
    let meter = Transmitter::new(settings, truth.clone(), S, 3);
    let log = meter.log().clone();
    let mut bus = Bus::new(Line::new(115_200), vec![Box::new(Receiver::new(form.0, vec![meter]))]);
    let mut ports = Wmbus::new(Settings { framing: form.1, ..Settings::default() }, vec![device]);
    let (mut now, mut out) = (0, Vec::new());
    while now < seconds * S {
        now = [bus.due_ns(), ports.due_ns()].into_iter().flatten().min().unwrap().max(now + 1);
        let bytes = bus.take(now);
        if now < from * S {
            continue;
        }
        out.extend(if bytes.is_empty() { ports.tick(now) } else { ports.heard(now, &bytes) });
    }
    let said = look(&truth).answered().iter().map(|(_, ul)| *ul as i64).collect();
    Course { out, log, said, ports }
}

fn settings(protection: Protection, air: Bad) -> wmbus::Settings {
    wmbus::Settings { air, ..wmbus::Settings::new(NUMBER, protection, Key::new(SECRET)) }
}

fn count(log: &Log, fate: Fate) -> usize {
    look_at(log).iter().filter(|sent| sent.fate == fate).count()
}

#[test]
fn every_form_brings_what_the_meter_said() {
    for form in FORMS {
        for protection in PROTECTIONS {
            let Course { out, log, said, .. } =
                course(form, settings(protection, Bad::default()), Some(SECRET), 300);
            let (read, sent) = (volumes(&out), count(&log, Fate::Heard));
            assert!(read.len() + 1 >= sent && sent > 28, "{form:?} {protection:?}: {} of {sent}", read.len());
            assert!(read.is_sorted() && read.iter().all(|ul| said.contains(ul)), "{form:?} {protection:?}");
            assert_eq!(errors(&out), [], "{form:?} {protection:?}");
        }
    }
}

#[test]
fn in_bad_air_nothing_is_read_that_was_not_said_and_everything_else_is_named() {
    let air = Bad {
        lost_ppm: 100_000,
        damaged_ppm: 100_000,
        repeated_ppm: 300_000,
        replayed_ppm: 200_000,
        altered_ppm: 200_000,
        dead: std::iter::once(600 * S..700 * S).collect(),
    };
    for form in FORMS {
        for protection in PROTECTIONS {
            let Course { out, log, said, ports } =
                course(form, settings(protection, air.clone()), Some(SECRET), 2_000);
            let what = format!("{form:?} {protection:?}");
            let read = volumes(&out);
            assert!(read.iter().all(|ul| said.contains(ul)), "{what}");
            // Whatever reached the receiver whole is read, and once: from the meter or from its repeater.
            let whole: BTreeSet<u32> = look_at(&log)
                .iter()
                .filter(|sent| matches!(sent.fate, Fate::Heard | Fate::Repeated))
                .map(|sent| sent.counter)
                .collect();
            let mut kinds = BTreeMap::new();
            for (_, error) in errors(&out) {
                *kinds.entry(error.kind()).or_insert(0) += 1;
            }
            assert!(ports.counts().repeated > 10, "{what}");
            if protection == Protection::Mode7 {
                assert_eq!(read.len(), whole.len(), "{what}");
                assert!(read.is_sorted(), "{what}: nothing old is new");
                let told = [("mac", count(&log, Fate::Altered)), ("replay", count(&log, Fate::Replayed))];
                assert_eq!(kinds, told.into(), "{what}");
            } else {
                // No code vouches for the counter: what was recorded is read once more.
                assert_eq!(read.len(), whole.len() + count(&log, Fate::Replayed), "{what}");
                assert!(kinds.is_empty(), "{what}: {kinds:?}");
            }
        }
    }
}

#[test]
fn a_wrong_key_and_none_are_told_and_bring_nothing() {
    for protection in [Protection::LinkLayer, Protection::Mode5, Protection::Mode7] {
        for (secret, kind) in [(None, "key_missing"), (Some([9; 16]), "wrong_key")] {
            let Course { out, .. } = course(FORMS[0], settings(protection, Bad::default()), secret, 100);
            let errors = errors(&out);
            assert!(errors.len() >= 9 && errors.iter().all(|(_, error)| error.kind() == kind), "{errors:?}");
            assert!(volumes(&out).is_empty());
        }
    }
}

#[test]
fn compact_telegrams_are_read_after_the_first_full_one() {
    for protection in [Protection::Open, Protection::LinkLayer] {
        let settings = wmbus::Settings { compact: 7, ..settings(protection, Bad::default()) };
        let Course { out, log, said, .. } = course(FORMS[0], settings, Some(SECRET), 400);
        let (read, compact) = (volumes(&out), look_at(&log).iter().filter(|sent| sent.compact).count());
        assert!(compact > 30 && read.len() + 1 >= look_at(&log).len(), "{compact}, {}", read.len());
        assert!(read.iter().all(|ul| said.contains(ul)));
        assert_eq!(errors(&out), []);
    }
    // A host that has missed the full one says what it waits for, and reads on with the next.
    let settings = wmbus::Settings { compact: 7, ..settings(Protection::Open, Bad::default()) };
    let Course { out, .. } = late(FORMS[0], settings, 15, 200);
    let errors = errors(&out);
    assert!(errors.len() == 6 && errors.iter().all(|(_, e)| e.kind() == "format_unknown"), "{errors:?}");
    assert!(volumes(&out).len() > 10);
}

#[test]
fn a_radio_may_speak_for_the_meter() {
    let radio = "11223344.IDM.03.37".parse().unwrap();
    for protection in [Protection::Open, Protection::Mode5, Protection::Mode7] {
        let settings = wmbus::Settings { radio: Some(radio), ..settings(protection, Bad::default()) };
        let Course { out, said, .. } = course(FORMS[0], settings, Some(SECRET), 100);
        assert!(
            volumes(&out).len() > 8 && volumes(&out).iter().all(|ul| said.contains(ul)),
            "{protection:?}"
        );
    }
}
