// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is judged: pulses and time in, alarms out.

/// How bad an alarm is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Somebody is told.
    Warning,
    /// The valve is closed.
    Critical,
}

/// An alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// When it was raised, ns since the start of the stream.
    pub t_ns: u64,
    /// How bad.
    pub level: Level,
    /// What it says it is.
    pub kind: &'static str,
}

/// A detector for one meter. A copy is a snapshot: leaks are injected into copies of one that has
/// learned its home.
pub trait Detector: Clone + Send {
    /// Name in tables.
    fn name(&self) -> String;

    /// A pulse at `t_ns`, not before the last one.
    fn pulse(&mut self, t_ns: u64, alarms: &mut Vec<Alarm>);

    /// Time has come to `now_ns` with no pulse since the last call.
    fn tick(&mut self, now_ns: u64, alarms: &mut Vec<Alarm>);

    /// When it wants to be told the time next, if no pulse comes before.
    fn due_ns(&self) -> u64;
}
