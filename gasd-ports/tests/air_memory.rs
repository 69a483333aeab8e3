// SPDX-License-Identifier: MIT OR Apache-2.0
//! Radio meters that go and come back, and keys that are wrong for a while: no old telegram is new for that.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use common::{S, errors, memories, volumes};
use gasd_meters::mbus::Address;
use gasd_meters::wmbus::{Format, Key, Lock, Seal};
use gasd_meters::{Error, hex};
use gasd_ports::WireSpec;
use gasd_ports::air::wmbus::{Device, Framing, Settings, Wmbus};
use gasd_ports::air::{Air, Event, LinePort, NotRestored, Told};
use gasd_ports::wire::TcpSpec;

const KEY: u64 = 7;
/// Another meter: what it says tells that all before it was heard.
const WITNESS: u64 = 8;
const WAIT: Duration = Duration::from_secs(20);
const RECORDS: &[u8] = &[0x0C, 0x13, 0x27, 0x04, 0x85, 0x02];

fn meter() -> Address {
    "12345678.ELS.33.03".parse().unwrap()
}

fn witness() -> Address {
    "00000001.KAM.01.03".parse().unwrap()
}

fn core(secrets: &[Option<u8>]) -> Wmbus {
    let secret = |byte: &Option<u8>| byte.map(|byte| Key::new([byte; 16]));
    let device = |byte| Device { key: KEY, address: meter(), secret: secret(byte) };
    let settings = Settings { framing: Framing::Lines, ..Settings::default() };
    let mut devices: Vec<Device> = secrets.iter().map(device).collect();
    devices.push(Device { key: WITNESS, address: witness(), secret: None });
    Wmbus::new(settings, devices)
}

fn line(lock: Lock<'_>, access: u8) -> Vec<u8> {
    let seal = Seal { meter: meter(), sender: None, access, status: 0, lock, records: RECORDS, clear: 0 };
    let telegram = seal.telegram().unwrap().encode(Format::A).unwrap();
    format!("b{}\r\n", hex::Hex(&telegram)).into_bytes()
}

/// A telegram with the key of this byte, a code and a counter.
fn sealed(byte: u8, counter: u32) -> Vec<u8> {
    line(Lock::Mode7(&Key::new([byte; 16]), counter), counter as u8)
}

fn is_replay(wmbus: &mut Wmbus, at_s: u64, telegram: &[u8], got: u32) -> bool {
    let out = wmbus.heard(at_s * S, telegram);
    volumes(&out).is_empty() && matches!(errors(&out)[..], [(KEY, Error::Replay { got: g, .. })] if g == got)
}

/// Who has recorded telegrams alters those of mode 5 and of the link layer as he likes.
#[test]
fn a_meter_of_mode_7_is_not_read_with_less() {
    let key = Key::new([1; 16]);
    let weaker = [Lock::Mode5(&key), Lock::LinkLayer(&key, 99)];
    let mut first = core(&[Some(1)]);
    for (n, lock) in (1..).zip(weaker) {
        assert_eq!(
            volumes(&first.heard(u64::from(n) * S, &line(lock, n))).len(),
            1,
            "nothing better is known"
        );
    }
    assert_eq!(volumes(&first.heard(1_000 * S, &sealed(1, 9))).len(), 1);
    let mut after = core(&[Some(1)]);
    assert_eq!(after.restore(KEY, &first.memory(KEY), 0), Ok(()));
    for wmbus in [&mut first, &mut after] {
        for (n, lock) in (3..).zip(weaker) {
            let out = wmbus.heard((2_000 + 100 * u64::from(n)) * S, &line(lock, n));
            let [(KEY, why)] = &errors(&out)[..] else { panic!("{out:?}") };
            assert!(why.to_string().contains("give it a new key"), "{why}");
            assert!(volumes(&out).is_empty() && memories(&out).is_empty());
        }
        assert_eq!(volumes(&wmbus.heard(9_000 * S, &sealed(1, 10))).len(), 1);
    }
    // What is configured anew with another key begins anew.
    let mut other = core(&[Some(2)]);
    assert_eq!(other.restore(KEY, &first.memory(KEY), 0), Err(NotRestored::OtherKey));
    assert_eq!(volumes(&other.heard(S, &line(Lock::Mode5(&Key::new([2; 16])), 1))).len(), 1);
}

#[test]
fn what_is_known_with_one_key_stays_while_another_one_is_configured() {
    let mut first = core(&[Some(1)]);
    assert_eq!(volumes(&first.heard(S, &sealed(1, 9))).len(), 1);
    let mut kept = first.memory(KEY);
    // A wrong key, which hears nothing; none, which believes what is not encrypted; one that the meter really has.
    for (n, secret) in [Some(2), None, Some(3)].into_iter().enumerate() {
        let mut other = core(&[secret]);
        assert_eq!(other.restore(KEY, &kept, 0), Err(NotRestored::OtherKey));
        let at = 1_000 * (n as u64 + 1);
        assert_eq!(errors(&other.heard(at * S, &sealed(1, 9))).len(), 1, "the first key is not this one");
        let heard = match secret {
            None => memories(&other.heard((at + 10) * S, &line(Lock::Open, 1))),
            Some(3) => memories(&other.heard((at + 10) * S, &sealed(3, 5))),
            Some(_) => Vec::new(),
        };
        // As the store has it; and as a core hands it to the next one.
        kept = heard.into_iter().next().map_or_else(|| other.memory(KEY), |(_, bytes)| bytes);
        let mut back = core(&[Some(1)]);
        assert_eq!(back.restore(KEY, &kept, 0), Ok(()));
        assert!(is_replay(&mut back, at + 200, &sealed(1, 9), 9), "after {secret:?}");
        assert_eq!(volumes(&back.heard((at + 300) * S, &sealed(1, 10))).len(), 1);
    }
    let mut third = core(&[Some(3)]);
    assert_eq!(third.restore(KEY, &kept, 0), Ok(()));
    assert!(is_replay(&mut third, 9_000, &sealed(3, 5), 5));
    // Of many keys the last ones; that of now always.
    for byte in 10..30 {
        let mut next = core(&[Some(byte)]);
        assert_eq!(next.restore(KEY, &kept, 0), Err(NotRestored::OtherKey));
        assert_eq!(volumes(&next.heard(S, &sealed(byte, 1))).len(), 1);
        kept = next.memory(KEY);
        assert!(kept.len() < 600, "{} bytes", kept.len());
    }
    assert_eq!(core(&[Some(26)]).restore(KEY, &kept, 0), Ok(()));
    assert_eq!(core(&[Some(1)]).restore(KEY, &kept, 0), Err(NotRestored::OtherKey));
}

#[test]
fn what_is_taken_back_sets_nothing_back() {
    let (mut wmbus, mut old) = (core(&[Some(1)]), core(&[Some(1)]));
    assert_eq!(volumes(&old.heard(S, &sealed(1, 5))).len(), 1);
    assert_eq!(volumes(&wmbus.heard(2 * S, &sealed(1, 9))).len(), 1);
    for kept in [&old.memory(KEY)[..], &[]] {
        wmbus.restore(KEY, kept, 3 * S).unwrap();
        assert!(wmbus.heard(4 * S, &sealed(1, 9)).is_empty(), "a repeater's");
        assert!(is_replay(&mut wmbus, 1_000, &sealed(1, 9), 9));
        assert!(is_replay(&mut wmbus, 2_000, &sealed(1, 6), 6));
    }
}

/// A receiver behind a serial server, and what the port tells of it.
struct Bench {
    port: LinePort,
    told: Receiver<Told>,
    stream: TcpStream,
    said: u8,
}

impl Bench {
    fn start(core: Wmbus) -> Self {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let spec = TcpSpec { address: server.local_addr().unwrap().to_string(), baud: 38_400 };
        let (sender, told) = channel();
        let teller = Box::new(move |told| sender.send(told).is_ok());
        let port = LinePort::start("keys", WireSpec::Tcp(spec), Box::new(core), teller).unwrap();
        let (stream, _) = server.accept().unwrap();
        Self { port, told, stream, said: 0 }
    }

    /// Says something, and what comes of it: `read`, or the kinds of errors.
    fn say(&mut self, bytes: &[u8]) -> Vec<String> {
        self.said += 1;
        let seal = Seal {
            meter: witness(),
            sender: None,
            access: self.said,
            status: 0,
            lock: Lock::Open,
            records: RECORDS,
            clear: 0,
        };
        let end = seal.telegram().unwrap().encode(Format::A).unwrap();
        self.stream.write_all(bytes).unwrap();
        self.stream.write_all(format!("b{}\r\n", hex::Hex(&end)).as_bytes()).unwrap();
        let (mut events, until) = (Vec::new(), Instant::now() + WAIT);
        while let Ok(told) = self.told.recv_timeout(until.saturating_duration_since(Instant::now())) {
            match told {
                Told::Event(Event::Read { key: WITNESS, .. }) => return events,
                Told::Event(Event::Read { .. }) => events.push("read".to_owned()),
                Told::Event(Event::Failed { error, .. }) => events.push(error.kind().to_owned()),
                _ => {}
            }
        }
        panic!("nothing was told in time");
    }

    /// Another core, at work when this returns.
    fn exchange(&mut self, core: Wmbus) {
        self.port.set_core(Box::new(core));
        // What is said before it has taken over is another's: the exchange is looked for before anything is read.
        std::thread::sleep(Duration::from_millis(300));
        assert!(self.say(&[]).is_empty());
    }
}

#[test]
fn a_meter_that_was_gone_comes_back_as_it_was() {
    let mut bench = Bench::start(core(&[Some(1)]));
    assert_eq!(bench.say(&sealed(1, 9)), ["read"]);
    // Removed, or its file cannot be read; the wrong key; and both.
    bench.exchange(core(&[]));
    bench.exchange(core(&[Some(1)]));
    assert!(bench.say(&sealed(1, 9)).is_empty(), "the same within two minutes is a repetition");
    assert_eq!(bench.say(&sealed(1, 8)), ["replay"]);
    bench.exchange(core(&[Some(2)]));
    assert_eq!(bench.say(&sealed(1, 9)), ["wrong_key"]);
    bench.exchange(core(&[]));
    bench.exchange(core(&[None]));
    bench.exchange(core(&[Some(1)]));
    assert_eq!(bench.say(&sealed(1, 8)), ["replay"]);
    assert_eq!(bench.say(&sealed(1, 10)), ["read"]);
    // A meter that has no counter: a repeater's copy is none of its readings.
    bench.exchange(core(&[Some(2)]));
    let key = Key::new([2; 16]);
    assert_eq!(bench.say(&line(Lock::Mode5(&key), 77)), ["read"]);
    bench.exchange(core(&[]));
    bench.exchange(core(&[Some(2)]));
    assert!(bench.say(&line(Lock::Mode5(&key), 77)).is_empty());
}

/// What the store has counts where the core before did not have the meter.
#[test]
fn a_core_that_was_restored_is_not_emptied_by_one_that_knows_nothing() {
    let mut before = core(&[Some(1)]);
    before.heard(S, &sealed(1, 9));
    let kept = before.memory(KEY);
    for known in [core(&[]), core(&[Some(1)]), core(&[Some(2)])] {
        let mut bench = Bench::start(known);
        let mut next = core(&[Some(1)]);
        next.restore(KEY, &kept, 0).unwrap();
        bench.exchange(next);
        assert_eq!(bench.say(&sealed(1, 9)), ["replay"]);
        assert_eq!(bench.say(&sealed(1, 10)), ["read"]);
    }
}
