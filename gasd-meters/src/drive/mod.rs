// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a meter on a wire is spoken to: from "read this meter" or "close its valve" to requests, and from answers to a
//! [`Reading`](crate::Reading) and what must be remembered of the meter. Pure: no line and no clock.
//!
//! ```text
//! Device ── read, look, valve ──► Dialogue ── next ──► Ask ──► poll::Exchange on the line
//!                                    ▲                              │
//!                                    └────────── heard ─────────────┘        then: finish ──► Finished
//! ```
//!
//! | file | idea |
//! |---|---|
//! | [`device`] | a meter as a configuration says it, and what can be asked of it |
//! | [`dialogue`] | requests one after the other; which of them are repeated, and how often |
//! | [`guess`] | what a meter may be of which only the address is known |
//! | [`memory`] | what must be remembered of a meter from one dialogue to the next |
//! | [`oddities`] | what was taken although it is not as it should be, counted |
//! | [`procedure`] | how a valve is moved: read, commanded once, read back |
//! | [`scan`] | looks for meters that nobody has configured |
//! | [`unfit`] | why a meter cannot be asked for something |
//! | [`volume`] | the one register that the leak engine takes |
//!
//! ```
//! use gasd_meters::drive::{Device, Memory};
//! use gasd_meters::{cjt188, hex};
//!
//! let meter = Device::Cjt188 {
//!     address: "78330011223344".parse()?,
//!     kind: 0x10,
//!     profile: cjt188::Profile::STANDARD,
//! };
//! let mut dialogue = meter.read(&Memory::default());
//! let ask = dialogue.next().unwrap();
//! assert_eq!(hex::Hex(&ask.request).to_string(), "FEFEFEFE6810443322110033780103901F008016");
//! let answer = "68104433221100337881161F9000007766552C007766552C3101221105152021841316";
//! dialogue.heard(Ok(&hex::parse(answer).unwrap()));
//! assert!(dialogue.next().is_none());
//! let finished = dialogue.finish();
//! assert_eq!(finished.oddities.order, 1);
//! // Next time it is asked as it answers.
//! let ask = meter.read(&finished.memory).next().unwrap();
//! assert_eq!(hex::Hex(&ask.request).to_string(), "FEFEFEFE68104433221100337801031F90018116");
//! # Ok::<(), gasd_meters::EncodeError>(())
//! ```

pub mod device;
pub mod dialogue;
pub mod guess;
pub mod memory;
pub mod oddities;
pub mod procedure;
pub mod scan;
pub mod unfit;
pub mod volume;

mod cjt188;
mod dlt645;
mod hart;
mod mbus;
mod modbus;
mod secure;

pub use device::{Device, SharedKey};
pub use dialogue::{Ask, Beside, Dialogue, Finished, REPEATS};
pub use hart::HartSelect;
pub use memory::Memory;
pub use modbus::ModbusValve;
pub use oddities::Oddities;
pub use procedure::{Act, Earlier, Procedure, ProcedureSettings, Trouble};
pub use scan::{Bounds, FoundMeter, Probing, Search};
pub use unfit::{NoValve, Unfit};
pub use volume::{NoVolume, quantity_resolution_ul, volume_ul};
