// SPDX-License-Identifier: MIT OR Apache-2.0
//! A house of simulated meters on shared lines, in virtual time.
#![allow(dead_code, reason = "every test file uses a part of it")]

use gasd_lab::truth::look;
use gasd_lab::{Habits, Line, Meter, Register, Shared, Truth};
use gasd_meters::drive::{Device, HartSelect, Memory};
use gasd_meters::poll::Settings;
use gasd_meters::{Unit, cjt188, dlt645, hart, mbus};
use gasd_ports::bus::{Bus, Event, Pace, Spec, Step};

pub const MS: u64 = 1_000_000;
pub const SECOND: u64 = 1_000 * MS;
pub const MINUTE: u64 = 60 * SECOND;
/// Clocks of machines that run are no zero.
pub const START: u64 = 1_000 * SECOND;

/// A meter: what it really is, and how it is spoken to.
pub struct One {
    pub key: u64,
    pub truth: Shared,
    pub device: Device,
    pub every_ns: u64,
}

/// A line with its bus.
pub struct Wire {
    pub bus: Bus,
    pub lab: gasd_lab::Bus,
    pub meters: Vec<One>,
    now_ns: u64,
}

pub fn truth(key: u64) -> Shared {
    let register = Register {
        base_ul: 1_000_000_000 * (100 + key) + 340_000_000,
        from_ns: START,
        flow_ul_per_h: 300_000_000 * (1 + key % 7),
        ..Register::default()
    };
    Truth::new(register).shared()
}

pub fn cjt188(key: u64, habits: Habits) -> (Box<dyn Meter>, One) {
    let (truth, address) = (truth(key), cjt188::Address([key as u8, 0x34, 0x12, 0, 0, 0x78, 0x33]));
    let settings = gasd_lab::cjt188::Settings::new(address);
    let device = Device::Cjt188 { address, kind: settings.kind, profile: cjt188::Profile::STANDARD };
    let meter = gasd_lab::cjt188::GasMeter::new(settings, habits, truth.clone());
    (Box::new(meter), One { key, truth, device, every_ns: MINUTE })
}

pub fn dlt645(key: u64, habits: Habits) -> (Box<dyn Meter>, One) {
    let (truth, address) = (truth(key), dlt645::Address([key as u8, 0x90, 0x78, 0x56, 0x34, 0x12]));
    let settings = gasd_lab::dlt645::Settings::new(address);
    let di = dlt645::Di::Long(0x0001_0000);
    let device = Device::Dlt645 { address, standard: settings.standard, di, authority: None };
    let meter = gasd_lab::dlt645::SwitchMeter::new(settings, habits, truth.clone());
    (Box::new(meter), One { key, truth, device, every_ns: MINUTE })
}

pub fn mbus(key: u64, secondary: bool, habits: Habits) -> (Box<dyn Meter>, One) {
    let truth = truth(key);
    let settings = gasd_lab::mbus::Settings::new(key as u8, [key as u8, 0x20, 0x30, 0x40]);
    let target = match secondary {
        true => mbus::Target::Selected(settings.secondary),
        false => mbus::Target::Primary(settings.primary),
    };
    let device = Device::Mbus { target, valve: settings.valve };
    let meter = gasd_lab::mbus::GasMeter::new(settings, habits, truth.clone());
    (Box::new(meter), One { key, truth, device, every_ns: MINUTE })
}

pub fn modbus(key: u64, habits: Habits) -> (Box<dyn Meter>, One) {
    let truth = truth(key);
    let settings = gasd_lab::modbus::Settings::new(key as u8);
    let device = Device::Modbus { unit: settings.unit, map: settings.map(), valve: None };
    let meter = gasd_lab::modbus::Corrector::new(settings, habits, truth.clone());
    (Box::new(meter), One { key, truth, device, every_ns: 15 * SECOND })
}

pub fn hart(key: u64, habits: Habits) -> (Box<dyn Meter>, One) {
    let truth = truth(key);
    let settings = gasd_lab::hart::Settings::new(key as u8 % 64, key as u16);
    let select = HartSelect::Poll(settings.poll);
    let device = Device::Hart { select, master: hart::Master::Primary };
    let meter = gasd_lab::hart::FlowComputer::new(settings, habits, truth.clone());
    (Box::new(meter), One { key, truth, device, every_ns: 30 * SECOND })
}

pub fn spec(one: &One) -> Spec {
    Spec {
        key: one.key,
        device: one.device.clone(),
        others: Vec::new(),
        every_ns: one.every_ns,
        breaker: Settings::default(),
        most_ul_per_h: 12_000_000_000,
        memory: Memory::default(),
        earlier: None,
    }
}

impl Wire {
    pub fn new(line: Line, meters: Vec<(Box<dyn Meter>, One)>) -> Self {
        let pace = Pace { byte_ns: line.byte_ns, ..Pace::new(2_400, 11) };
        let (simulated, meters): (Vec<_>, Vec<_>) = meters.into_iter().unzip();
        let bus = Bus::new(pace, meters.iter().map(spec).collect(), START);
        Self { bus, lab: gasd_lab::Bus::new(line, simulated), meters, now_ns: START }
    }

    /// A new bus, as after a crash, of a line of 2400 baud and meters with what was written down of them.
    pub fn reborn(&mut self, written: impl Fn(&mut Spec)) {
        let pace = Pace { byte_ns: Line::new(2_400).byte_ns, ..Pace::new(2_400, 11) };
        let mut specs: Vec<Spec> = self.meters.iter().map(spec).collect();
        specs.iter_mut().for_each(written);
        self.bus = Bus::new(pace, specs, self.now_ns);
    }

    /// Lets time pass until then, and returns what happened.
    pub fn run(&mut self, until_ns: u64) -> Vec<Event> {
        let mut events = Vec::new();
        while self.now_ns < until_ns {
            let next_ns = match self.bus.step(self.now_ns) {
                Step::Send(bytes) => {
                    self.lab.sent(self.now_ns, &bytes);
                    continue;
                }
                Step::Wait { until_ns } => until_ns,
            };
            events.extend(self.bus.events());
            let heard_ns = self.lab.due_ns().unwrap_or(u64::MAX);
            self.now_ns = next_ns.min(heard_ns).max(self.now_ns + 1);
            let bytes = self.lab.take(self.now_ns);
            if !bytes.is_empty() {
                self.bus.heard(self.now_ns, &bytes);
            }
        }
        events.extend(self.bus.events());
        events
    }

    pub const fn now_ns(&self) -> u64 {
        self.now_ns
    }

    /// Checks that a reading tells what the meter's register was when it answered. Returns how old it is, ns.
    pub fn check(&self, event: &Event) -> Option<u64> {
        let Event::Read { key, t_ns, reading, .. } = event else { return None };
        let one = self.meters.iter().find(|one| one.key == *key).expect("a meter of this line");
        // DL/T 645 knows kWh only; its simulated meter counts m³ in them.
        let unit = matches!(one.device, Device::Dlt645 { .. }).then_some(Unit::CubicMetre);
        let told_ul = gasd_meters::drive::volume_ul(reading, None, unit)
            .unwrap_or_else(|why| panic!("meter {key}: {why}: {reading:?}"));
        let truth = look(&one.truth);
        let answered = truth.answered().iter().rev().find(|(at_ns, ul)| at_ns <= t_ns && *ul == told_ul);
        let Some((at_ns, _)) = answered else {
            let last: Vec<_> = truth.answered().iter().rev().take(3).collect();
            panic!("meter {key} never said {told_ul} µL; last {last:?}, told at {t_ns}");
        };
        Some(t_ns - at_ns)
    }
}
