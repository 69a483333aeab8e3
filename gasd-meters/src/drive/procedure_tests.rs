// SPDX-License-Identifier: MIT OR Apache-2.0

use proptest::prelude::*;

use super::*;

const SETTINGS: ProcedureSettings =
    ProcedureSettings { settle_ns: 30 * SECOND_NS, pause_ns: SECOND_NS, reads: 2 };
const REFUSAL: Error = Error::DeviceError { code: 4, what: "" };

/// Plays a procedure against what is read and answered, in order; the last of each goes on. What happened, and how it ended.
fn play(
    to: Valve,
    reads: &[Result<Option<Valve>, Error>],
    answer: Result<Option<Valve>, Error>,
) -> (usize, usize, u64, Result<Valve, Trouble>) {
    play_after(None, to, reads, answer)
}

/// The same, where a command may be at work.
fn play_after(
    earlier: Option<Valve>,
    to: Valve,
    reads: &[Result<Option<Valve>, Error>],
    answer: Result<Option<Valve>, Error>,
) -> (usize, usize, u64, Result<Valve, Trouble>) {
    let earlier = earlier.map(|to| Earlier { to, until_ns: 30 * SECOND_NS });
    let mut procedure = Procedure::new(to, SETTINGS, 0).after(earlier);
    assert_eq!(procedure.to(), to);
    let (mut now_ns, mut read, mut commanded) = (0, 0, 0);
    loop {
        match procedure.next(now_ns) {
            Act::Read => {
                let said = reads[read.min(reads.len() - 1)];
                read += 1;
                procedure.was_read(said, now_ns);
            }
            Act::Command => {
                commanded += 1;
                procedure.was_commanded(answer, now_ns);
            }
            Act::Wait { until_ns } => {
                assert!(until_ns > now_ns);
                now_ns = until_ns;
            }
            Act::Done(result) => return (read, commanded, now_ns / SECOND_NS, result),
        }
    }
}

const OPEN: Result<Option<Valve>, Error> = Ok(Some(Valve::Open));
const CLOSED: Result<Option<Valve>, Error> = Ok(Some(Valve::Closed));
const NOTHING: Result<Option<Valve>, Error> = Ok(None);
const LOST: Result<Option<Valve>, Error> = Err(Error::Timeout);
const REFUSED: Result<Option<Valve>, Error> = Err(REFUSAL);

#[test]
fn what_is_there_already_is_not_commanded() {
    assert_eq!(play(Valve::Closed, &[CLOSED], LOST), (1, 0, 0, Ok(Valve::Closed)));
    assert_eq!(play(Valve::Open, &[LOST, OPEN], LOST), (2, 0, 1, Ok(Valve::Open)));
}

#[test]
fn a_command_that_may_be_at_work_is_waited_for_before_it_goes_out_again() {
    let closing = Some(Valve::Closed);
    assert_eq!(
        play_after(closing, Valve::Closed, &[OPEN, LOST, OPEN, CLOSED], CLOSED),
        (4, 0, 3, Ok(Valve::Closed))
    );
    // It never was at work, or nobody can say: when it has had its time, there is one more.
    assert_eq!(
        play_after(closing, Valve::Closed, &[&[OPEN; 31][..], &[CLOSED]].concat(), LOST),
        (32, 1, 30, Ok(Valve::Closed))
    );
    let (_, commanded, seconds, _) = play_after(closing, Valve::Closed, &[LOST], LOST);
    assert_eq!((commanded, seconds), (1, 61));
}

#[test]
fn while_the_opposite_command_may_be_at_work_a_valve_that_is_there_may_leave() {
    let opening = Some(Valve::Open);
    assert_eq!(
        play_after(opening, Valve::Closed, &[CLOSED], CLOSED),
        (2, 1, 0, Ok(Valve::Closed)),
        "commanded at once"
    );
    assert_eq!(play_after(opening, Valve::Closed, &[LOST, CLOSED], CLOSED).1, 1);
    let (_, commanded, seconds, result) = play_after(opening, Valve::Closed, &[CLOSED], LOST);
    assert_eq!((commanded, seconds, result), (1, 30, Ok(Valve::Closed)), "believed when the other is over");
    let there = Trouble::NotThere { read: Valve::Open, command: Err(Error::Timeout) };
    assert_eq!(play_after(opening, Valve::Closed, &[CLOSED, CLOSED, OPEN], LOST).3, Err(there));
    assert_eq!(play_after(Some(Valve::Closed), Valve::Open, &[OPEN], OPEN).1, 1);
    assert_eq!(play_after(Some(Valve::Closed), Valve::Open, &[LOST], OPEN).1, 0, "never opened unread");
}

#[test]
fn an_answer_is_not_believed_before_it_is_read_back() {
    for answer in [CLOSED, OPEN, NOTHING, LOST, REFUSED] {
        assert_eq!(play(Valve::Closed, &[OPEN, CLOSED], answer), (2, 1, 0, Ok(Valve::Closed)));
    }
    // It takes four seconds to move; stuck between, it is waited for, too.
    let abnormal = Ok(Some(Valve::Abnormal));
    assert_eq!(
        play(Valve::Closed, &[OPEN, OPEN, LOST, abnormal, OPEN, CLOSED], LOST),
        (6, 1, 4, Ok(Valve::Closed))
    );
}

#[test]
fn a_valve_that_does_not_move_is_told_after_its_time() {
    let there = Trouble::NotThere { read: Valve::Open, command: Ok(()) };
    assert_eq!(play(Valve::Closed, &[OPEN], CLOSED), (32, 1, 30, Err(there)));
    // What it does not say once it may say the next time.
    assert_eq!(play(Valve::Closed, &[OPEN, NOTHING, LOST, CLOSED], LOST), (4, 1, 2, Ok(Valve::Closed)));
    let there = Trouble::NotThere { read: Valve::Open, command: Err(Error::Timeout) };
    assert_eq!(play(Valve::Closed, &[OPEN], LOST), (32, 1, 30, Err(there)));
}

#[test]
fn a_refusal_is_told_at_once() {
    let refused = |read| Trouble::Refused { error: REFUSAL, read };
    assert_eq!(play(Valve::Closed, &[OPEN], REFUSED), (2, 1, 0, Err(refused(Some(Valve::Open)))));
    assert_eq!(play(Valve::Closed, &[OPEN, LOST], REFUSED), (2, 1, 0, Err(refused(None))));
}

#[test]
fn what_cannot_be_read_is_closed_and_not_opened() {
    assert_eq!(play(Valve::Open, &[LOST], OPEN), (2, 0, 1, Err(Trouble::NotRead(Error::Timeout))));
    assert_eq!(play(Valve::Closed, &[LOST, LOST, CLOSED], LOST), (3, 1, 1, Ok(Valve::Closed)));
    assert_eq!(play(Valve::Closed, &[LOST], LOST).3, Err(Trouble::Unanswered(Error::Timeout)));
    assert_eq!(play(Valve::Closed, &[LOST], NOTHING).3, Err(Trouble::NotConfirmed(Error::Timeout)));
    // The answer showed it, and nothing since says otherwise.
    assert_eq!(play(Valve::Closed, &[LOST], CLOSED), (33, 1, 31, Ok(Valve::Closed)));
}

#[test]
fn a_meter_that_does_not_say_is_commanded_once_and_told_by_its_answer() {
    assert_eq!(play(Valve::Open, &[NOTHING], OPEN), (1, 1, 0, Ok(Valve::Open)));
    let there = Trouble::NotThere { read: Valve::Closed, command: Ok(()) };
    assert_eq!(play(Valve::Open, &[NOTHING], CLOSED), (1, 1, 0, Err(there)));
    assert_eq!(play(Valve::Open, &[NOTHING], NOTHING), (1, 1, 0, Err(Trouble::NotSaid)));
    assert_eq!(play(Valve::Open, &[NOTHING], LOST), (1, 1, 0, Err(Trouble::Unanswered(Error::Timeout))));
    let refused = Trouble::Refused { error: REFUSAL, read: None };
    assert_eq!(play(Valve::Open, &[NOTHING], REFUSED), (1, 1, 0, Err(refused)));
    // It could not be read before, and afterwards does not say.
    assert_eq!(play(Valve::Closed, &[LOST, LOST, NOTHING], NOTHING), (3, 1, 1, Err(Trouble::NotSaid)));
    assert_eq!(play(Valve::Closed, &[LOST, LOST, NOTHING], CLOSED), (3, 1, 1, Ok(Valve::Closed)));
}

#[test]
fn who_does_not_say_what_became_of_the_command_does_not_get_it_again() {
    let mut procedure = Procedure::new(Valve::Closed, SETTINGS, 0);
    assert_eq!(procedure.next(0), Act::Read);
    assert_eq!(procedure.next(0), Act::Read);
    procedure.was_commanded(CLOSED, 0);
    procedure.was_read(OPEN, 0);
    procedure.was_read(CLOSED, 0);
    assert_eq!(procedure.next(0), Act::Command);
    assert_eq!(procedure.next(0), Act::Read);
    procedure.was_commanded(CLOSED, 0);
    procedure.was_read(CLOSED, 0);
    assert_eq!(procedure.next(0), Act::Done(Ok(Valve::Closed)));
}

#[test]
fn nothing_is_sent_to_where_no_valve_can_be() {
    let mut procedure = Procedure::new(Valve::Abnormal, SETTINGS, 0);
    assert!(matches!(procedure.next(0), Act::Done(Err(Trouble::Refused { .. }))));
}

#[test]
fn messages_say_what_to_do() {
    for trouble in [
        Trouble::NotRead(Error::Timeout),
        Trouble::Refused { error: REFUSAL, read: Some(Valve::Open) },
        Trouble::NotThere { read: Valve::Open, command: Ok(()) },
        Trouble::NotThere { read: Valve::Open, command: Err(Error::Timeout) },
        Trouble::Unanswered(Error::Timeout),
        Trouble::NotSaid,
        Trouble::NotConfirmed(Error::Timeout),
    ] {
        assert!(trouble.to_string().contains("valve"), "{trouble}");
    }
}

/// A meter with a motor, on a line that loses things.
#[derive(Debug)]
struct Meter {
    valve: Valve,
    /// Where it moves to, and when it is there, ns.
    moving: Option<(Valve, u64)>,
    motor_ns: u64,
    stuck: bool,
    says: bool,
    refuses: bool,
    commands: usize,
}

impl Meter {
    fn at(&mut self, now_ns: u64) -> Option<Valve> {
        if let Some((valve, until_ns)) = self.moving
            && now_ns >= until_ns
        {
            (self.valve, self.moving) = (valve, None);
        }
        self.says.then_some(self.valve)
    }
}

/// What the line does to one exchange.
#[derive(Clone, Copy, Debug)]
struct Luck {
    request_lost: bool,
    answer_lost: bool,
    takes_ns: u64,
}

prop_compose! {
    fn lucks()(request_lost in prop::bool::weighted(0.3), answer_lost in prop::bool::weighted(0.3), takes_ns in 0..3 * SECOND_NS) -> Luck {
        Luck { request_lost, answer_lost, takes_ns }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn commanded_once_and_done_only_where_it_is_shown(
        to in prop_oneof![Just(Valve::Open), Just(Valve::Closed)],
        valve in prop_oneof![Just(Valve::Open), Just(Valve::Closed), Just(Valve::Abnormal)],
        motor_ns in 0..60 * SECOND_NS,
        (stuck, says, refuses) in (prop::bool::weighted(0.1), prop::bool::weighted(0.8), prop::bool::weighted(0.1)),
        luck in proptest::collection::vec(lucks(), 1..30),
        reads in 0..4u32,
    ) {
        let mut meter = Meter { valve, moving: None, motor_ns, stuck, says, refuses, commands: 0 };
        let settings = ProcedureSettings { reads, ..SETTINGS };
        let mut procedure = Procedure::new(to, settings, 0);
        let mut lucks = luck.into_iter().cycle();
        let (mut now_ns, mut sent, mut shown, mut read_there, mut read) = (0u64, 0, false, false, false);
        for step in 0.. {
            prop_assert!(step < 200);
            let luck = lucks.next().unwrap();
            match procedure.next(now_ns) {
                Act::Wait { until_ns } => {
                    prop_assert!(until_ns > now_ns);
                    now_ns = until_ns;
                }
                Act::Read => {
                    let said = meter.at(now_ns);
                    now_ns += luck.takes_ns;
                    let lost = luck.request_lost || luck.answer_lost;
                    let result = if lost { LOST } else { Ok(said) };
                    read |= result.is_ok();
                    read_there |= result == Ok(Some(to));
                    shown |= result == Ok(Some(to));
                    procedure.was_read(result, now_ns);
                }
                Act::Command => {
                    sent += 1;
                    // Never where it is known to be there, never to open what cannot be read.
                    prop_assert!(!read_there);
                    prop_assert!(read || to == Valve::Closed);
                    let mut result = LOST;
                    if !luck.request_lost {
                        meter.commands += 1;
                        result = REFUSED;
                        if !meter.refuses {
                            if !meter.stuck {
                                meter.moving = Some((to, now_ns + meter.motor_ns));
                            }
                            result = Ok(meter.at(now_ns));
                        }
                    }
                    if luck.answer_lost {
                        result = LOST;
                    }
                    now_ns += luck.takes_ns;
                    shown |= result == Ok(Some(to));
                    procedure.was_commanded(result, now_ns);
                }
                Act::Done(result) => {
                    prop_assert!(sent <= 1 && meter.commands <= sent);
                    match result {
                        Ok(valve) => prop_assert!(valve == to && shown),
                        Err(Trouble::NotRead(_)) => prop_assert!(sent == 0 && to == Valve::Open && !read),
                        Err(Trouble::Refused { .. }) => prop_assert!(meter.refuses && !read_there),
                        Err(_) => prop_assert!(sent == 1 && !read_there),
                    }
                    // It is over, and stays so.
                    procedure.was_read(CLOSED, now_ns);
                    procedure.was_commanded(OPEN, now_ns);
                    prop_assert_eq!(procedure.next(now_ns), Act::Done(result));
                    return Ok(());
                }
            }
        }
    }
}
