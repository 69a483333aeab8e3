// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the service says of itself.

/// Where the filter runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mode {
    /// Not settled yet.
    #[default]
    Unknown,
    /// In the kernel.
    Kernel,
    /// In user space, because the kernel's programs cannot be used.
    Userspace,
}

impl Mode {
    /// The name used in JSON and on the bus.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Unknown => "unknown",
            Mode::Kernel => "kernel",
            Mode::Userspace => "userspace",
        }
    }
}

/// How it stands with the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum StoreState {
    /// Nothing has been written yet.
    #[default]
    Unknown,
    /// It is written.
    Good,
    /// It cannot be written now; what is to be written waits in memory.
    Failing,
    /// It is written, but what it said before this start could not be used: totals are marked unknown,
    /// and valves were held.
    Replaced,
}

impl StoreState {
    /// The name used in JSON and on the bus.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            StoreState::Unknown => "unknown",
            StoreState::Good => "good",
            StoreState::Failing => "failing",
            StoreState::Replaced => "replaced",
        }
    }
}

/// How the configuration that runs stands to what was last read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ConfigurationState {
    /// Nothing was read yet.
    #[default]
    Unknown,
    /// What was last read is what runs.
    InForce,
    /// What was last read was refused; the one before runs.
    Refused,
}

impl ConfigurationState {
    /// The name used in JSON and on the bus.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            ConfigurationState::Unknown => "unknown",
            ConfigurationState::InForce => "in-force",
            ConfigurationState::Refused => "refused",
        }
    }
}

/// The service, now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceState {
    /// Where the filter runs.
    pub mode: Mode,
    /// Why, when it is not the kernel.
    pub mode_reason: String,
    /// How it stands with the store.
    pub store: StoreState,
    /// Why it is failing or was replaced, in words; empty otherwise.
    pub store_reason: String,
    /// How it stands with the configuration.
    pub configuration: ConfigurationState,
    /// Why what was last read was refused, one sentence each; empty when it was not.
    pub configuration_reasons: Vec<String>,
    /// What the configuration in force wants a person to know, one sentence each.
    pub configuration_warnings: Vec<String>,
    /// When the configuration in force was read, Unix time in µs; 0 before that.
    pub configuration_read_unix_us: u64,
    /// Events that found the ring full.
    pub ring_overrun: u64,
    /// Interrupts of ours that the dispatcher could not hand on.
    pub fall_through: u64,
    /// Pulses that found the queue to the engine full.
    pub queue_full: u64,
    /// Pulses whose event never arrived; their volume is counted all the same.
    pub events_missed: u64,
    /// What was found wrong at start or since, one sentence each.
    pub problems: Vec<String>,
}
