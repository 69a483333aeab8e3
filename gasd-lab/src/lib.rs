// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meters that are not there: for tests, and for whoever has no meter at hand.
//!
//! A [`Bus`] is a line with meters on it. They answer as meters do, late and wrongly, if their
//! [`Habits`] are such; the line has a speed and noise, and two who speak at once spoil each other's bytes. What
//! really is - how much gas has flowed, where the valve is, which commands were carried out - is in a [`Truth`] that a
//! test looks at while the line runs. Time and bytes are arguments, and what is drawn is drawn from seeds: the same
//! seeds, bytes and times give the same line.
//!
//! ```
//! use gasd_lab::{Bus, Habits, Line, Meter, Register, Truth, cjt188};
//! use gasd_meters::cjt188::{Order, Profile, Request, Target, encode, find};
//!
//! let address = "33781122334455".parse()?;
//! let truth = Truth::new(Register::default()).shared();
//! let meter = cjt188::GasMeter::new(cjt188::Settings::new(address), Habits::default(), truth);
//! let mut bus = Bus::new(Line::new(2400), vec![Box::new(meter)]);
//!
//! let target = Target { kind: 0x30, address, order: Order::LowFirst };
//! bus.sent(0, &encode(&target, &Profile::STANDARD, 7, &Request::Read(0x901F), 2)?);
//! let answer = bus.take(1_000_000_000);
//! assert_eq!(find(&answer)?.len(), 35);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`pty::Pty`] serves a line as a serial port that any program opens. The program `gasd-lab` does that, too.
//!
//! | module | what |
//! |---|---|
//! | [`mod@line`], [`noise`] | the line: speed, echo, noise, collisions |
//! | [`truth`] | what really is |
//! | [`habits`] | how a meter behaves, whatever it speaks |
//! | [`cjt188`], [`dlt645`], [`mbus`], [`modbus`], [`hart`] | meters |
//! | [`pty`] | a line as a serial port |
//! | [`loss`], [`udp`] | networks that lose, and sockets |
//! | [`wmbus`] | meters of wireless M-Bus and the receiver that hears them |
//! | [`lorawan`] | devices behind a gateway's packet forwarder |
//! | [`lwm2m`] | meters on NB-IoT |
//! | [`clock`] | the clock that shells serve by |
#![forbid(unsafe_code)]

mod calendar;
pub mod cjt188;
pub mod clock;
pub mod dlt645;
mod ear;
pub mod habits;
pub mod hart;
mod hosts;
pub mod line;
pub mod lorawan;
pub mod loss;
pub mod lwm2m;
pub mod mbus;
mod meter;
pub mod modbus;
pub mod noise;
pub mod pty;
mod rng;
pub mod truth;
pub mod udp;
pub mod wmbus;

pub use habits::Habits;
pub use line::{Bus, Line};
pub use meter::{Meter, Reply};
pub use noise::Noise;
pub use truth::{Register, Shared, Truth};
