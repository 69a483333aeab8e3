// SPDX-License-Identifier: MIT OR Apache-2.0
//! Units of Modbus that think for another time at each request, answer twice, and share a line with each other, echoes and
//! damage: still no register's value is taken for another's.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

use gasd_meters::drive::{Device, Memory, ModbusValve, ProcedureSettings};
use gasd_meters::modbus::{Point, RegisterMap, Type};
use gasd_meters::poll::Settings;
use gasd_meters::{Kind, Reading, Unit, Value, Valve, crc};
use gasd_ports::bus::{Bus, Event, Pace, Spec, Step};

const SECOND: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;
const VALVE: u16 = 40;
const POINTS: [(Kind, u16); 3] = [(Kind::Volume, 100), (Kind::VolumeBase, 300), (Kind::Status, 600)];

fn spec(unit: u64) -> Spec {
    let points = POINTS.map(|(kind, at)| match kind {
        Kind::Status => Point::new(kind, at, Type::Bits, Unit::One),
        _ => Point::new(kind, at, Type::U16, Unit::CubicMetre),
    });
    let valve = ModbusValve::Register { address: VALVE, open: 0, closed: 1 };
    let map = RegisterMap::new(points.into());
    Spec {
        key: unit,
        device: Device::Modbus { unit: unit as u8, map, valve: Some(valve) },
        others: Vec::new(),
        every_ns: 10 * SECOND,
        breaker: Settings::default(),
        most_ul_per_h: 12_000_000_000,
        memory: Memory::default(),
        earlier: None,
    }
}

/// How a line is; shares in percent.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    units: u64,
    /// An answer takes up to so long, ms; `alike`: that of one unit always the same.
    most_ms: u64,
    alike: bool,
    slow: u64,
    twice: u64,
    echo: bool,
    damaged_echo: u64,
    damaged: u64,
    /// The first unit's valve is closed.
    closes: bool,
    /// The server in front of it hangs up now and then, and the units go on.
    hangs_up: bool,
    /// The last units of the line hold the same in all registers.
    equal: u64,
}

impl Line {
    /// What a register of a unit holds.
    fn held(&self, unit: u64, register: u16) -> u16 {
        let equal = unit + self.equal > self.units;
        unit as u16 * 1_000 + if equal { POINTS[0].1 } else { register }
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    fn share(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Changes a bit, perhaps.
    fn damage(&mut self, bytes: &mut [u8], percent: u64) {
        if self.share(percent) {
            let at = self.below(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << self.below(8);
        }
    }
}

/// The units of a line. Each takes one request after the other.
struct Units {
    line: Line,
    random: Random,
    think_ms: Vec<u64>,
    free_ns: Vec<u64>,
    valve: Vec<u16>,
    writes: usize,
    due: Vec<(u64, Vec<u8>)>,
}

impl Units {
    fn new(line: Line, seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for _ in 0..10 {
            let _ = random.below(2);
        }
        let n = line.units as usize + 1;
        let think_ms = (0..n).map(|_| 30 + random.below(line.most_ms)).collect();
        Self { line, random, think_ms, free_ns: vec![0; n], valve: vec![0; n], writes: 0, due: Vec::new() }
    }

    fn asked(&mut self, request: &[u8], now_ns: u64) {
        let line = self.line;
        let end_ns = now_ns + request.len() as u64 * 11 * SECOND / 9_600;
        if line.echo {
            let mut echo = request.to_vec();
            self.random.damage(&mut echo, line.damaged_echo);
            self.due.push((end_ns, echo));
        }
        let unit = usize::from(request[0]);
        let at = u16::from_be_bytes([request[2], request[3]]);
        let mut answer = match request[1] {
            3 => {
                let value = if at == VALVE { self.valve[unit] } else { line.held(unit as u64, at) };
                vec![request[0], 3, 2, (value >> 8) as u8, value as u8]
            }
            6 => {
                self.writes += 1;
                self.valve[unit] = u16::from_be_bytes([request[4], request[5]]);
                request[..6].to_vec()
            }
            function => panic!("function {function}"),
        };
        answer.extend(crc::modbus(&answer).to_le_bytes());
        self.random.damage(&mut answer, line.damaged);
        let slow = self.random.share(line.slow);
        let thinks_ms = match slow {
            false => 50,
            true if line.alike => self.think_ms[unit],
            true => 30 + self.random.below(line.most_ms),
        };
        self.free_ns[unit] = self.free_ns[unit].max(end_ns) + thinks_ms * MS;
        self.due.push((self.free_ns[unit], answer.clone()));
        if self.random.share(line.twice) {
            self.due.push((self.free_ns[unit] + (10 + self.random.below(100)) * MS, answer));
        }
        self.due.sort();
    }
}

fn is_right(line: Line, unit: u64, reading: &Reading) -> bool {
    let fields = POINTS.iter().all(|(kind, at)| match reading.get(*kind).map(|field| &field.value) {
        Some(Value::Bits(bits)) => *bits == u64::from(line.held(unit, *at)),
        Some(Value::Number(number)) => number.to_string() == format!("{} m³", line.held(unit, *at)),
        _ => false,
    });
    fields && reading.valve != Some(Valve::Abnormal)
}

/// Plays five minutes; returns how many readings were published, all of them right.
fn play(line: Line, seed: u64) -> usize {
    let (mut now_ns, until_ns) = (100 * SECOND, 400 * SECOND);
    let mut order_ns = if line.closes { 170 * SECOND + seed * 130 * MS } else { u64::MAX };
    let ordered_ns = order_ns;
    let mut bus = Bus::new(Pace::new(9_600, 11), (1..=line.units).map(spec).collect(), now_ns);
    let mut units = Units::new(line, seed);
    let mut readings = 0;
    while now_ns < until_ns {
        if line.hangs_up && units.random.share(2) {
            bus.lost(now_ns);
        }
        if now_ns >= order_ns {
            order_ns = u64::MAX;
            assert!(bus.move_valve(1, Valve::Closed, ProcedureSettings::default(), now_ns));
        }
        let next_ns = match bus.step(now_ns) {
            Step::Send(bytes) => {
                units.asked(&bytes, now_ns);
                let took_ns = now_ns.saturating_sub(ordered_ns);
                assert!(bytes[1] != 6 || took_ns < 23 * SECOND, "{line:?}, seed {seed}: {took_ns}");
                continue;
            }
            Step::Wait { until_ns } => until_ns.min(order_ns),
        };
        for event in bus.events() {
            let Event::Read { key, reading, .. } = event else { continue };
            readings += 1;
            assert!(is_right(line, key, &reading), "{line:?}, seed {seed}, {} ms: {reading:?}", now_ns / MS);
        }
        let due_ns = units.due.first().map_or(u64::MAX, |(at_ns, _)| *at_ns);
        now_ns = next_ns.min(due_ns).max(now_ns + 1);
        if now_ns >= due_ns {
            bus.heard(now_ns, &units.due.remove(0).1);
        }
    }
    assert_eq!(units.writes, usize::from(line.closes), "{line:?}, seed {seed}");
    readings
}

fn played(line: Line) -> usize {
    (1..=40).map(|seed| play(line, seed)).sum()
}

#[test]
fn who_takes_another_time_each_time_is_read_right() {
    let slow = Line { units: 1, most_ms: 5_000, slow: 100, ..Line::default() };
    let some = Line { slow: 30, ..slow };
    for (line, least) in [
        (slow, 40),
        (Line { units: 2, ..slow }, 80),
        (Line { units: 2, alike: true, ..slow }, 400),
        (Line { units: 4, ..some }, 1_500),
        (Line { units: 2, hangs_up: true, ..some }, 500),
        (Line { units: 4, alike: true, closes: true, ..slow }, 400),
        (Line { units: 4, closes: true, ..some }, 1_500),
    ] {
        let readings = played(line);
        assert!(readings > least, "{line:?}: {readings}");
    }
}

#[test]
fn what_is_left_of_a_damaged_echo_or_answer_is_no_answer_to_another_request() {
    let line = Line { units: 2, most_ms: 5_000, slow: 30, ..Line::default() };
    let echo = Line { echo: true, damaged_echo: 10, ..line };
    for line in
        [Line { echo: true, ..line }, echo, Line { damaged: 10, ..line }, Line { damaged: 10, ..echo }]
    {
        assert!(played(line) > 800, "{line:?}");
    }
}

#[test]
fn who_answers_twice_is_read_right_from_the_first_time_on() {
    for twice in [5, 100] {
        let line = Line { units: 2, most_ms: 1, twice, closes: true, ..Line::default() };
        assert!(played(line) > 1_000, "{line:?}");
    }
}

#[test]
fn who_is_slow_and_answers_twice_is_read_right_from_the_first_time_on() {
    let line = Line { units: 1, most_ms: 5_000, slow: 100, twice: 100, ..Line::default() };
    for (line, least) in [
        (line, 100),
        (Line { twice: 5, ..line }, 40),
        (Line { twice: 5, slow: 30, ..line }, 400),
        (Line { units: 2, slow: 30, ..line }, 600),
        (Line { units: 2, slow: 30, equal: 1, ..line }, 200),
        (Line { units: 2, alike: true, closes: true, ..line }, 200),
        (Line { units: 2, most_ms: 1_500, closes: true, ..line }, 300),
    ] {
        let readings = played(line);
        assert!(readings > least, "{line:?}: {readings}");
    }
}

#[test]
fn registers_that_hold_the_same_cost_little() {
    for (twice, least) in [(0, 2_000), (5, 500), (100, 300)] {
        let line = Line { units: 2, most_ms: 1, twice, equal: 2, closes: true, ..Line::default() };
        let readings = played(line);
        assert!(readings > least, "{line:?}: {readings}");
    }
}
