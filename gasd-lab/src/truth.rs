// SPDX-License-Identifier: MIT OR Apache-2.0
//! What really is: how much gas has flowed, where the valve is, which commands were carried out, and every register
//! value that was answered. Tests compare with it what a program believes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gasd_meters::Valve;

/// Nanoseconds of an hour.
const HOUR_NS: u128 = 3_600_000_000_000;

/// A truth that its meter and a test both look at.
pub type Shared = Arc<Mutex<Truth>>;

/// Looks at a shared truth, also where one who held it has panicked.
pub fn look(truth: &Shared) -> MutexGuard<'_, Truth> {
    truth.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The register of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// What it has counted at `from_ns`, µL.
    pub base_ul: u64,
    /// When its flow begins, ns.
    pub from_ns: u64,
    /// Flow while the valve lets gas pass, µL an hour.
    pub flow_ul_per_h: u64,
    /// What one step of its last digit is, µL; 1 at least.
    pub resolution_ul: u64,
    /// Where it begins at nought again, µL; `None` where only its protocol's digits end it.
    pub modulus_ul: Option<u64>,
}

impl Default for Register {
    /// 1234.56 m³, 1.5 m³/h, steps of 10 L, six digits of m³.
    fn default() -> Self {
        Self {
            base_ul: 1_234_560_000_000,
            from_ns: 0,
            flow_ul_per_h: 1_500_000_000,
            resolution_ul: 10_000_000,
            modulus_ul: Some(1_000_000_000_000_000),
        }
    }
}

/// How a valve behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Motor {
    /// How long it moves, ns.
    pub time_ns: u64,
    /// Whether it does not move although its motor runs.
    pub stuck: bool,
    /// Whether the meter refuses to move it.
    pub refuses: bool,
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was carried out.
    Executed,
    /// The motor ran and nothing moved.
    Stuck,
    /// The meter refused it.
    Refused,
}

/// A command that a meter has heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// When, ns.
    pub at_ns: u64,
    /// Where the valve was sent.
    pub to: Valve,
    /// What became of it.
    pub fate: Fate,
}

/// What really is of one meter. Times are those of its line.
#[derive(Clone, Debug)]
pub struct Truth {
    register: Register,
    /// What flowed until `since_ns`, µL·ns/h: no fraction is ever lost.
    flowed: u128,
    since_ns: u64,
    /// Where the valve was sent, when it is there, and whether gas passes until then.
    target: Valve,
    there_ns: u64,
    passed: bool,
    /// Since when the motor finds no end.
    stuck_ns: Option<u64>,
    /// How the valve behaves, where that is not what the meter's habits say.
    motor: Option<Motor>,
    commands: Vec<Command>,
    answered: Vec<(u64, u64)>,
    /// What the wall clock shows at time 0, Unix seconds.
    pub wall_s: i64,
}

impl Truth {
    /// A meter with this register and an open valve. Its clock is set to the beginning of 2026 at time 0.
    #[must_use]
    pub const fn new(register: Register) -> Self {
        Self {
            flowed: register.base_ul as u128 * HOUR_NS,
            since_ns: register.from_ns,
            register,
            target: Valve::Open,
            there_ns: 0,
            passed: true,
            stuck_ns: None,
            motor: None,
            commands: Vec::new(),
            answered: Vec::new(),
            wall_s: 1_767_225_600,
        }
    }

    /// To be looked at from both sides.
    #[must_use]
    pub fn shared(self) -> Shared {
        Arc::new(Mutex::new(self))
    }

    /// The register's make.
    #[must_use]
    pub const fn register(&self) -> Register {
        self.register
    }

    /// What has flowed by `now_ns`, µL: not rounded to a digit, and not begun anew.
    #[must_use]
    pub fn volume_ul(&self, now_ns: u64) -> u64 {
        u64::try_from(self.flowed(now_ns) / HOUR_NS).unwrap_or(u64::MAX)
    }

    /// What the register shows at `now_ns`, µL.
    #[must_use]
    pub fn register_ul(&self, now_ns: u64) -> u64 {
        let volume = self.volume_ul(now_ns);
        let shown = self.register.modulus_ul.map_or(volume, |modulus| volume % modulus.max(1));
        shown - shown % self.register.resolution_ul.max(1)
    }

    /// What the meter answers at `now_ns` in a protocol whose last digit is `step_ul` and whose digits end at
    /// `end_ul`, µL; it is logged.
    pub fn answer(&mut self, now_ns: u64, step_ul: u64, end_ul: u64) -> u64 {
        let shown = self.register_ul(now_ns) % end_ul.max(1);
        let shown = shown - shown % step_ul.max(1);
        self.answered_as(now_ns, shown);
        shown
    }

    /// The meter answers this at `now_ns`, µL, in a protocol that has its own way with numbers; it is logged.
    pub fn answered_as(&mut self, now_ns: u64, said_ul: u64) {
        self.answered.push((now_ns, said_ul));
    }

    /// Every register value that was answered, µL, and when it was read, ns. Whether the answer arrived whole, or at
    /// all, is another matter.
    #[must_use]
    pub fn answered(&self) -> &[(u64, u64)] {
        &self.answered
    }

    /// The flow is another from `now_ns` on, µL an hour.
    pub fn set_flow(&mut self, now_ns: u64, flow_ul_per_h: u64) {
        self.settle(now_ns);
        self.register.flow_ul_per_h = flow_ul_per_h;
    }

    /// Gas that flows at `now_ns`, µL an hour.
    #[must_use]
    pub const fn flow_ul_per_h(&self, now_ns: u64) -> u64 {
        if self.passes(now_ns) { self.register.flow_ul_per_h } else { 0 }
    }

    /// The valve behaves like this from now on, whatever the meter's habits are; `None`: as they are. One that is stuck no
    /// more is where it was.
    pub fn set_motor(&mut self, motor: Option<Motor>) {
        self.motor = motor;
        if !motor.is_some_and(|motor| motor.stuck) {
            self.stuck_ns = None;
        }
    }

    /// The valve is sent somewhere at `now_ns`. What becomes of that.
    pub fn command(&mut self, now_ns: u64, to: Valve, motor: Motor) -> Fate {
        let motor = self.motor.unwrap_or(motor);
        let fate = match motor {
            Motor { refuses: true, .. } => Fate::Refused,
            Motor { stuck: true, .. } => Fate::Stuck,
            _ => Fate::Executed,
        };
        match fate {
            Fate::Refused => {}
            Fate::Stuck => self.stuck_ns = Some(now_ns.saturating_add(motor.time_ns)),
            Fate::Executed => {
                self.settle(now_ns);
                self.passed = self.passes(now_ns);
                self.target = to;
                self.there_ns = now_ns.saturating_add(motor.time_ns);
                self.stuck_ns = None;
            }
        }
        self.commands.push(Command { at_ns: now_ns, to, fate });
        fate
    }

    /// Where the valve is at `now_ns`; [`Valve::Abnormal`] while it moves, and where its motor ran and found no end.
    #[must_use]
    pub const fn valve(&self, now_ns: u64) -> Valve {
        match self.stuck_ns {
            Some(since) if now_ns >= since => Valve::Abnormal,
            _ if now_ns < self.there_ns => Valve::Abnormal,
            _ => self.target,
        }
    }

    /// Every command that was heard.
    #[must_use]
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// Those that were carried out: when, ns, and where the valve was sent.
    pub fn executed(&self) -> impl Iterator<Item = (u64, Valve)> {
        self.commands.iter().filter(|c| c.fate == Fate::Executed).map(|c| (c.at_ns, c.to))
    }

    const fn passes(&self, now_ns: u64) -> bool {
        if now_ns < self.there_ns { self.passed } else { !matches!(self.target, Valve::Closed) }
    }

    fn flowed(&self, now_ns: u64) -> u128 {
        let now_ns = now_ns.max(self.since_ns);
        let turn_ns = self.there_ns.clamp(self.since_ns, now_ns);
        let moving = if self.passed { turn_ns - self.since_ns } else { 0 };
        let there = if matches!(self.target, Valve::Closed) { 0 } else { now_ns - turn_ns };
        self.flowed + u128::from(moving + there) * u128::from(self.register.flow_ul_per_h)
    }

    fn settle(&mut self, now_ns: u64) {
        self.flowed = self.flowed(now_ns);
        self.since_ns = self.since_ns.max(now_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const HOUR: u64 = 3_600 * SECOND;
    const MOTOR: Motor = Motor { time_ns: 4 * SECOND, stuck: false, refuses: false };

    fn truth() -> Truth {
        Truth::new(Register { base_ul: 0, flow_ul_per_h: 3_600_000_000, ..Register::default() })
    }

    #[test]
    fn gas_flows_until_the_valve_is_shut_and_from_when_it_is_open() {
        let mut truth = truth();
        assert_eq!(truth.command(10 * SECOND, Valve::Closed, MOTOR), Fate::Executed);
        assert_eq!((truth.valve(13 * SECOND), truth.valve(14 * SECOND)), (Valve::Abnormal, Valve::Closed));
        assert_eq!(truth.volume_ul(HOUR), 14_000_000, "one litre a second for ten seconds and four");
        truth.command(100 * SECOND, Valve::Open, MOTOR);
        assert_eq!((truth.volume_ul(104 * SECOND), truth.volume_ul(105 * SECOND)), (14_000_000, 15_000_000));
        // Turned back on its way.
        truth.command(200 * SECOND, Valve::Closed, MOTOR);
        truth.command(202 * SECOND, Valve::Open, MOTOR);
        assert_eq!(truth.volume_ul(210 * SECOND), 120_000_000);
        assert_eq!(truth.executed().count(), 4);
    }

    #[test]
    fn a_valve_that_is_stuck_or_refused_lets_gas_pass() {
        let mut truth = truth();
        assert_eq!(truth.command(0, Valve::Closed, Motor { refuses: true, ..MOTOR }), Fate::Refused);
        assert_eq!(truth.valve(HOUR), Valve::Open);
        assert_eq!(truth.command(0, Valve::Closed, Motor { stuck: true, ..MOTOR }), Fate::Stuck);
        assert_eq!((truth.valve(SECOND), truth.valve(5 * SECOND)), (Valve::Open, Valve::Abnormal));
        assert_eq!((truth.volume_ul(HOUR), truth.executed().count()), (3_600_000_000, 0));
        assert_eq!(truth.commands().len(), 2);
        truth.set_motor(None);
        assert_eq!(truth.valve(HOUR), Valve::Open, "freed, and where it was");
        truth.set_motor(Some(Motor { stuck: true, ..MOTOR }));
        assert_eq!(truth.command(HOUR, Valve::Closed, MOTOR), Fate::Stuck, "whatever its habits are");
        truth.set_motor(None);
        assert_eq!(truth.command(HOUR, Valve::Closed, MOTOR), Fate::Executed);
    }

    #[test]
    fn a_register_shows_whole_digits_and_begins_anew() {
        let register = Register { base_ul: 999_999_990_000_000, ..Register::default() };
        let mut truth = Truth::new(register);
        assert_eq!(truth.register_ul(0), 999_999_990_000_000);
        assert_eq!(truth.register_ul(23 * SECOND), 999_999_990_000_000, "9.58 L are no digit");
        assert_eq!(truth.register_ul(24 * SECOND), 0);
        assert_eq!(truth.answer(48 * SECOND, 100_000_000, u64::MAX), 0);
        truth.set_flow(48 * SECOND, 0);
        assert_eq!(truth.answer(HOUR, 1, u64::MAX), 10_000_000);
        assert_eq!(truth.answered(), [(48 * SECOND, 0), (HOUR, 10_000_000)]);
    }
}
