// SPDX-License-Identifier: MIT OR Apache-2.0

use gasd_ports::port::Told;

use super::super::desk::tests::{desk, place};
use super::super::valve::ValveDesk;
use super::*;
use crate::pipeline::queue::Queue;
use crate::state::Shared;
use crate::store::{Store, Writer};

impl Desk {
    /// The command that was written down.
    fn commanded(&self, id: &str, driven: &str) -> Option<Valve> {
        let memories = self.0.memories.lock().unwrap();
        moving_row(&memories, id, driven).and_then(|(_, row)| moving_to(row))
    }
}

/// What the port of all meters here tells.
fn told(desk: &Desk, event: Event) {
    desk.told("cellar", Told::Event(event));
}

#[test]
fn a_command_that_was_written_down_is_of_the_meter_that_was_given_it() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, writer) = desk(dir.path());
    let [it, another] = ["the M-Bus meter 12345678", "the M-Bus meter 87654321"];
    let row = |desk: &Desk| desk.row(MOVING, "flat").map(|row| row.to_vec());
    assert_eq!(desk.commanded("flat", it), None);
    let command = |to| told(&desk, Event::Commanded { key: 7, to });
    command(Valve::Closed);
    assert_eq!((desk.commanded("flat", it), desk.commanded("flat", another)), (Some(Valve::Closed), None));
    // Another one is to go out, and does not: what is at work is the first.
    command(Valve::Open);
    assert_eq!(desk.commanded("flat", it), Some(Valve::Open));
    told(&desk, Event::NotCommanded { key: 7, earlier: Some(Valve::Closed) });
    assert_eq!(desk.commanded("flat", it), Some(Valve::Closed));
    told(&desk, Event::NotCommanded { key: 7, earlier: None });
    assert_eq!((desk.commanded("flat", it), row(&desk)), (None, Some(vec![0])));
    // As it was written before it said of what.
    desk.keep("moving:flat".into(), vec![2].into());
    assert_eq!(desk.commanded("flat", it), Some(Valve::Closed));
    told(&desk, Event::Moved { key: 7, to: Valve::Closed, result: Ok(Valve::Closed), at_work: None });
    assert_eq!((desk.commanded("flat", it), row(&desk)), (None, Some(vec![0])));
    drop(desk);
    writer.stop().unwrap();
}

/// Each meter's id, and the command that is at work at its valve.
fn at_work(desk: &Desk, places: &[Place]) -> Vec<Option<Valve>> {
    places.iter().map(|place| desk.commanded(&place.id, &place.driven)).collect()
}

#[test]
fn a_closing_at_work_is_found_under_the_id_that_its_meter_has_now() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, writer) = desk(dir.path());
    let it = "the M-Bus meter 12345678";
    let row = |desk: &Desk, id| desk.row(MOVING, id).map(|row| row.to_vec());
    told(&desk, Event::Commanded { key: 7, to: Valve::Closed });
    assert_eq!(desk.commanded("cellar", it), Some(Valve::Closed), "it would be sent once more");
    desk.place(&[place("cellar", 8, it)]);
    assert_eq!(desk.commanded("cellar", it), Some(Valve::Closed));
    // Once it is over it is so under each id that it ever had.
    told(&desk, Event::Moved { key: 8, to: Valve::Closed, result: Ok(Valve::Closed), at_work: None });
    assert_eq!((desk.commanded("cellar", it), desk.commanded("flat", it)), (None, None));
    assert_eq!((row(&desk, "flat"), row(&desk, "cellar")), (Some(vec![0]), Some(vec![0])));
    // Of a meter that is gone nothing is at work when it comes back, however late.
    told(&desk, Event::Commanded { key: 8, to: Valve::Closed });
    desk.place(&[place("flat", 7, "the M-Bus meter 87654321")]);
    assert_eq!(row(&desk, "cellar"), Some(vec![0]));
    drop(desk);
    writer.stop().unwrap();
}

#[test]
fn commands_at_work_follow_meters_that_have_exchanged_their_ids() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, writer) = desk(dir.path());
    let [a, b, c] = ["the M-Bus meter 1", "the M-Bus meter 2", "the M-Bus meter 3"];
    desk.place(&[place("x", 1, a), place("y", 2, b), place("z", 3, c)]);
    told(&desk, Event::Commanded { key: 1, to: Valve::Closed });
    told(&desk, Event::Commanded { key: 2, to: Valve::Open });
    let exchanged = [place("y", 2, a), place("z", 3, b), place("x", 1, c)];
    let expected = [Some(Valve::Closed), Some(Valve::Open), None];
    assert_eq!(at_work(&desk, &exchanged), expected);
    desk.place(&exchanged);
    assert_eq!(at_work(&desk, &exchanged), expected);
    // A command to the valve that has the id now does not write over that of the other.
    told(&desk, Event::Commanded { key: 1, to: Valve::Closed });
    told(&desk, Event::Moved { key: 3, to: Valve::Open, result: Ok(Valve::Open), at_work: None });
    assert_eq!(at_work(&desk, &exchanged), [Some(Valve::Closed), None, Some(Valve::Closed)]);
    drop(desk);
    writer.stop().unwrap();
    // And so it is on the disk.
    let mut rows = Store::open(&dir.path().join("state.redb")).unwrap().load().unwrap().remembered;
    rows.retain(|(key, _)| key.starts_with(MOVING));
    let row = |code, words: &str| [&[code][..], words.as_bytes()].concat();
    let rows: Vec<_> = rows.iter().map(|(key, row)| (key.as_str(), row.to_vec())).collect();
    assert_eq!(rows, [("moving:x", row(2, c)), ("moving:y", row(2, a)), ("moving:z", vec![0])]);
}

/// A desk that starts with what is on the disk.
fn started(dir: &std::path::Path) -> (Desk, Writer) {
    let store = Store::open(&dir.join("state.redb")).unwrap();
    let rows = store.load().unwrap().remembered;
    let writer = Writer::start(store).unwrap();
    let (queue, engine) = Queue::new();
    std::thread::spawn(move || while engine.recv().is_ok() {});
    let (changes, _) = tokio::sync::mpsc::channel(8);
    let desk = Desk::new(queue, Shared::default(), changes, writer.handle(), ValveDesk::default(), &rows);
    desk.place(&[place("flat", 7, IT)]);
    (desk, writer)
}

const IT: &str = "the M-Bus meter 12345678";

#[test]
fn a_command_is_at_work_for_its_time_from_the_first_start_after_it_however_many_follow() {
    let dir = tempfile::tempdir().unwrap();
    let settle_ns = ProcedureSettings::default().settle_ns;
    let (first, writer) = started(dir.path());
    told(&first, Event::Commanded { key: 7, to: Valve::Closed });
    drop(first);
    writer.stop().unwrap();
    let mut seen = None;
    for start in 0..3 {
        let began_ns = clock::boottime_ns();
        let (desk, writer) = started(dir.path());
        let earlier = desk.at_work("flat", IT).unwrap();
        assert_eq!(earlier.to, Valve::Closed);
        let until_ns = *seen.get_or_insert(earlier.until_ns);
        assert_eq!(earlier.until_ns, until_ns, "start {start}");
        assert!(start > 0 || until_ns >= began_ns + settle_ns);
        assert_eq!(desk.at_work("flat", IT), Some(earlier), "and so it is after a reload");
        drop(desk);
        writer.stop().unwrap();
    }
    // The next command has a time of its own, under whatever id.
    let (desk, writer) = started(dir.path());
    desk.place(&[place("cellar", 8, IT)]);
    assert_eq!(desk.at_work("cellar", IT).map(|earlier| earlier.until_ns), seen);
    told(&desk, Event::Commanded { key: 8, to: Valve::Closed });
    assert!(desk.at_work("cellar", IT).map(|earlier| earlier.until_ns) > seen);
    drop(desk);
    writer.stop().unwrap();
}

#[test]
fn what_was_written_of_another_boot_or_command_or_has_passed_is_known_as_such() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, writer) = started(dir.path());
    let (row, boot) = (Kept::from([&[1][..], IT.as_bytes()].concat()), clock::boot());
    let at_work = |until: Kept| {
        desk.keep("moving:flat".into(), row.clone());
        desk.keep("moving:flat/until".into(), until);
        desk.at_work("flat", IT).map(|earlier| (earlier.to, earlier.until_ns))
    };
    assert_eq!(at_work(until_row(&row, boot, 5)), None, "it has passed");
    let soon_ns = clock::boottime_ns() + 10_000_000_000;
    assert_eq!(at_work(until_row(&row, boot, soon_ns)), Some((Valve::Open, soon_ns)));
    // A word of this boot that is too far ahead is none.
    let far = at_work(until_row(&row, boot, u64::MAX)).unwrap();
    assert!(far.1 <= clock::boottime_ns() + ProcedureSettings::default().settle_ns);
    for other in [
        until_row(&row, boot ^ 1, 5),
        until_row(&vec![2].into(), boot, 5),
        over(),
        vec![1].into(),
        Vec::new().into(),
    ] {
        let (to, until_ns) = at_work(other).unwrap();
        assert!(to == Valve::Open && until_ns > soon_ns, "it has its time from now on");
    }
    drop(desk);
    writer.stop().unwrap();
}

/// An older version ends what it takes for a command to a valve that is gone, and writes its own without a time.
#[test]
fn a_row_of_until_when_is_one_that_an_older_version_ends() {
    let until = until_row(&[&[2][..], IT.as_bytes()].concat().into(), clock::boot(), 7);
    assert!(moving_to(&until).is_some() && until.len() > 1 && until[1] == 0);
}

#[test]
fn an_order_that_ends_with_its_line_leaves_the_command_that_is_out() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, writer) = started(dir.path());
    told(&desk, Event::Commanded { key: 7, to: Valve::Open });
    let moved = |at_work, why| Event::Moved { key: 7, to: Valve::Open, result: Err(why), at_work };
    told(&desk, moved(Some(Valve::Open), NotMoved::LineLost));
    assert_eq!(desk.commanded("flat", IT), Some(Valve::Open));
    told(&desk, moved(None, NotMoved::NoMeter));
    assert_eq!(desk.commanded("flat", IT), Some(Valve::Open), "such a port does not know");
    // A closing was to go out, and did not.
    told(&desk, Event::Commanded { key: 7, to: Valve::Closed });
    told(&desk, moved(Some(Valve::Open), NotMoved::NoLine));
    assert_eq!(desk.commanded("flat", IT), Some(Valve::Open));
    told(&desk, moved(None, NotMoved::NoLine));
    assert_eq!(desk.commanded("flat", IT), None);
    drop(desk);
    writer.stop().unwrap();
}

#[test]
fn a_port_that_its_meter_has_left_ends_no_order_of_the_port_where_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, writer) = started(dir.path());
    told(&desk, Event::Commanded { key: 7, to: Valve::Open });
    let left = |event| desk.told("attic", Told::Event(event));
    left(Event::Moved { key: 7, to: Valve::Open, result: Ok(Valve::Open), at_work: None });
    left(Event::NotCommanded { key: 7, earlier: None });
    left(Event::Commanded { key: 7, to: Valve::Closed });
    assert_eq!(desk.commanded("flat", IT), Some(Valve::Open));
    // But an opening that goes out there may be at work.
    told(&desk, Event::NotCommanded { key: 7, earlier: None });
    told(&desk, Event::Commanded { key: 7, to: Valve::Closed });
    left(Event::Commanded { key: 7, to: Valve::Open });
    assert_eq!(desk.commanded("flat", IT), Some(Valve::Open));
    drop(desk);
    writer.stop().unwrap();
}

#[test]
fn an_opening_stays_written_down_while_a_closing_follows_it_that_may_not_be_out() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, writer) = started(dir.path());
    told(&desk, Event::Commanded { key: 7, to: Valve::Open });
    told(&desk, Event::Commanded { key: 7, to: Valve::Closed });
    // Killed here it would not be known whether the closing went out.
    assert_eq!(desk.at_work("flat", IT).map(|earlier| earlier.to), Some(Valve::Open));
    // The port knows that it did.
    let lost = Err(NotMoved::LineLost);
    let at_work = Some(Valve::Closed);
    told(&desk, Event::Moved { key: 7, to: Valve::Closed, result: lost, at_work });
    assert_eq!(desk.at_work("flat", IT).map(|earlier| earlier.to), at_work);
    told(&desk, Event::Moved { key: 7, to: Valve::Closed, result: Ok(Valve::Closed), at_work: None });
    // An opening of long ago is none that is at work.
    told(&desk, Event::Commanded { key: 7, to: Valve::Open });
    let row = desk.row(MOVING, "flat").unwrap();
    desk.keep("moving:flat/until".into(), until_row(&row, clock::boot(), 5));
    told(&desk, Event::Commanded { key: 7, to: Valve::Closed });
    assert_eq!(desk.commanded("flat", IT), Some(Valve::Closed));
    drop(desk);
    writer.stop().unwrap();
}
