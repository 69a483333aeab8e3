// SPDX-License-Identifier: MIT OR Apache-2.0
//! A meter on a wire as a configuration says it, and what can be asked of it.

use alloc::sync::Arc;
use core::fmt;

use super::cjt188 as talk188;
use super::dialogue::Dialogue;
use super::memory::Memory;
use super::modbus::{self as talk_modbus, ModbusValve};
use super::unfit::{NoValve, Unfit};
use super::{HartSelect, dlt645 as talk645, hart as talk_hart, mbus as talk_mbus};
use crate::detect::Protocol;
use crate::status::Valve;
use crate::wmbus::Key;
use crate::{cjt188, dlt645, hart, mbus, modbus};

/// A key that all that is asked of one meter shares: it is there once, and cleared when the last of them goes.
#[derive(Clone)]
pub struct SharedKey(pub Arc<Key>);

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedKey")
    }
}

impl PartialEq for SharedKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose() == other.0.expose()
    }
}

/// A meter on a wire.
#[derive(Clone, Debug, PartialEq)]
pub enum Device {
    /// CJ/T 188.
    Cjt188 {
        /// Its address. A wildcard only where it is alone on its line, and then it has no valve.
        address: cjt188::Address,
        /// Its type, `T`: 30–39 gas. AA stands for any, and then it has no valve.
        kind: u8,
        /// What differs from maker to maker.
        profile: cjt188::Profile,
    },
    /// DL/T 645.
    Dlt645 {
        /// Its address. A wildcard only where it is alone on its line, and then it has no valve.
        address: dlt645::Address,
        /// The edition that it speaks.
        standard: dlt645::Standard,
        /// The data that are read.
        di: dlt645::Di,
        /// With which right its switch is moved (2007); `None`: it has none. With it each reading says where the switch
        /// is, by the status word 3.
        authority: Option<dlt645::Authority>,
    },
    /// M-Bus.
    Mbus {
        /// Its primary or secondary address.
        target: mbus::Target,
        /// What the bits of its digital output mean, where a valve is behind it.
        valve: Option<mbus::ValveOutput>,
    },
    /// M-Bus with the security of OMS, modes 5 and 7: nothing is read that its key does not open.
    SecureMbus {
        /// Its primary or secondary address. A full secondary one where its answers do not say whose they are.
        target: mbus::Target,
        /// As above.
        valve: Option<mbus::ValveOutput>,
        /// Its key.
        key: SharedKey,
    },
    /// Modbus RTU.
    Modbus {
        /// Its address, 1–247.
        unit: u8,
        /// What its registers mean. May be without any for a unit that is nothing but a valve.
        map: modbus::RegisterMap,
        /// Its valve.
        valve: Option<ModbusValve>,
    },
    /// HART.
    Hart {
        /// How it is found.
        select: HartSelect,
        /// Which master speaks to it.
        master: hart::Master,
    },
}

impl Device {
    /// What it speaks.
    #[must_use]
    pub const fn protocol(&self) -> Protocol {
        match self {
            Self::Cjt188 { .. } => Protocol::Cjt188,
            Self::Dlt645 { .. } => Protocol::Dlt645,
            Self::Mbus { .. } | Self::SecureMbus { .. } => Protocol::Mbus,
            Self::Modbus { .. } => Protocol::Modbus,
            Self::Hart { .. } => Protocol::Hart,
        }
    }

    /// The one address of a CJ/T 188 meter.
    #[must_use]
    pub fn cjt188_address(&self) -> Option<cjt188::Address> {
        match self {
            Self::Cjt188 { address, .. } if !address.is_wildcard() => Some(*address),
            _ => None,
        }
    }

    /// Whether it can be asked as it is configured: to be said before anything is sent.
    ///
    /// # Errors
    ///
    /// Why not. Each reading of such a meter ends with [`Error::Unaskable`](crate::Error::Unaskable).
    pub fn check(&self) -> Result<(), Unfit> {
        match self {
            &Self::Cjt188 { address, kind, profile } => {
                talk188::Meter { address, kind, profile }.check()?;
            }
            Self::Dlt645 { address, standard, di, authority } => {
                dlt645(*address, *standard, *di, authority).request()?;
            }
            Self::Mbus { target, .. } | Self::SecureMbus { target, .. } => {
                drop(mbus::Request::Data { fcb: true }.encode(*target)?);
            }
            Self::Modbus { unit, map, valve } => talk_modbus::check(*unit, map, *valve)?,
            Self::Hart { select, master } => {
                talk_hart::Meter { select: select.clone(), master: *master }.identify()?;
            }
        }
        Ok(())
    }

    /// Reads it.
    #[must_use]
    pub fn read(&self, memory: &Memory) -> Dialogue {
        match self {
            &Self::Cjt188 { address, kind, profile } => {
                Dialogue::new(talk188::Talk::read(talk188::Meter { address, kind, profile }, memory))
            }
            Self::Dlt645 { address, standard, di, authority } => {
                let meter = dlt645(*address, *standard, *di, authority);
                Dialogue::new(talk645::Talk::read(meter, memory))
            }
            Self::Mbus { target, valve } => {
                Dialogue::new(talk_mbus::Talk::read(*target, *valve, None, memory))
            }
            Self::SecureMbus { target, valve, key } => {
                Dialogue::new(talk_mbus::Talk::read(*target, *valve, Some(key.clone()), memory))
            }
            Self::Modbus { unit, map, valve } => {
                Dialogue::new(talk_modbus::Talk::read(*unit, map, *valve, memory))
            }
            Self::Hart { select, master } => {
                let meter = talk_hart::Meter { select: select.clone(), master: *master };
                Dialogue::new(talk_hart::Talk::read(meter, memory))
            }
        }
    }

    /// One light request that says whether it is there: it is if the result is a reading, or a refusal. (M-Bus by secondary
    /// address: it is selected, and the selection ended.)
    #[must_use]
    pub fn look(&self, memory: &Memory) -> Dialogue {
        match self {
            &Self::Cjt188 { address, kind, profile } => {
                Dialogue::new(talk188::Talk::look(talk188::Meter { address, kind, profile }, memory))
            }
            Self::Dlt645 { address, standard, di, authority } => {
                let meter = dlt645(*address, *standard, *di, authority);
                Dialogue::new(talk645::Talk::look(meter, memory))
            }
            Self::Mbus { target, .. } => Dialogue::new(talk_mbus::Talk::look(*target, None, memory)),
            Self::SecureMbus { target, key, .. } => {
                Dialogue::new(talk_mbus::Talk::look(*target, Some(key.clone()), memory))
            }
            Self::Modbus { unit, map, valve } => {
                Dialogue::new(talk_modbus::Talk::look(*unit, map, *valve, memory))
            }
            Self::Hart { select, master } => {
                let meter = talk_hart::Meter { select: select.clone(), master: *master };
                Dialogue::new(talk_hart::Talk::look(meter, memory))
            }
        }
    }

    /// Moves its valve: one command, which is never repeated.
    ///
    /// # Errors
    ///
    /// [`NoValve`] where this meter has no valve that could be commanded.
    pub fn valve(&self, to: Valve, memory: &Memory) -> Result<Dialogue, NoValve> {
        Ok(match self {
            &Self::Cjt188 { address, kind, profile } => {
                Dialogue::new(talk188::Talk::valve(talk188::Meter { address, kind, profile }, to, memory)?)
            }
            Self::Dlt645 { address, standard, di, authority } => {
                let meter = dlt645(*address, *standard, *di, authority);
                Dialogue::new(talk645::Talk::valve(meter, to, memory)?)
            }
            // What goes to the meter is not encrypted: the standard leaves that to it.
            Self::Mbus { target, valve } | Self::SecureMbus { target, valve, .. } => {
                Dialogue::new(talk_mbus::Talk::valve(*target, *valve, to, memory)?)
            }
            Self::Modbus { unit, map, valve } => {
                Dialogue::new(talk_modbus::Talk::valve(*unit, map, *valve, to, memory)?)
            }
            Self::Hart { .. } => return Err(NoValve::Protocol),
        })
    }
}

fn dlt645(
    address: dlt645::Address,
    standard: dlt645::Standard,
    di: dlt645::Di,
    authority: &Option<dlt645::Authority>,
) -> talk645::Meter {
    talk645::Meter { address, standard, di, authority: authority.clone() }
}
