// SPDX-License-Identifier: MIT OR Apache-2.0
//! A port that somebody names: one that gasd has, or one that gasctl opens itself. What gasd has is never opened here.

mod named;

use std::collections::BTreeMap;

use gasd_ports::wire::{SerialSpec, TcpSpec, Transceiver, WireSpec};
use gasd_ports::{WireError, examine::Setting};
use gasd_proxy::{Client, ClientError, Port, State};

use crate::fail::Failure;

pub use named::Named;

/// Where a port is.
pub enum Place {
    /// gasd has it.
    Gasd(Box<AtGasd>),
    /// Nobody that is known of.
    Own(Own),
}

/// A port that gasd has.
pub struct AtGasd {
    /// Asks gasd.
    pub client: Client,
    /// The port.
    pub port: Port,
    /// How all else stands.
    pub state: State,
}

/// A port that gasctl opens itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Own {
    /// A device.
    Device(std::path::PathBuf),
    /// A serial server: host and port.
    Server(String),
}

impl Own {
    /// How it is reached at a setting. A server's setting is its own.
    pub fn wire(&self, setting: Setting) -> WireSpec {
        match self {
            Own::Device(path) => WireSpec::Serial(SerialSpec {
                device: path.clone(),
                baud: setting.baud,
                parity: setting.parity,
                two_stops: false,
                transceiver: Transceiver::Adapter,
            }),
            Own::Server(address) => WireSpec::Tcp(TcpSpec { address: address.clone(), baud: setting.baud }),
        }
    }
}

/// Whether meters on a port of this kind can be asked; the others only send.
pub fn is_asked(kind: &str) -> bool {
    matches!(kind, "serial" | "tcp")
}

/// Finds out where the port is.
///
/// # Errors
/// [`Failure::NoSuchPort`] for an id that gasd does not have; what the bus says where only gasd could tell.
pub async fn find(bus: Option<&str>, text: &str) -> Result<Place, Failure> {
    let named = Named::parse(text)?;
    let client = match Client::connect(bus).await {
        Ok(client) => client,
        Err(error) => return without_gasd(named, error),
    };
    match client.state().await {
        Ok(state) => match named.among(&state.ports).cloned() {
            Some(port) => Ok(Place::Gasd(Box::new(AtGasd { client, port, state }))),
            None => unknown_to_gasd(named, &state.ports),
        },
        Err(error) => without_gasd(named, error),
    }
}

fn unknown_to_gasd(named: Named, ports: &BTreeMap<String, Port>) -> Result<Place, Failure> {
    match named {
        Named::Id(id) => Err(Failure::NoSuchPort { id, known: ports.keys().cloned().collect() }),
        Named::Device(path) => Ok(Place::Own(Own::Device(path))),
        Named::Server(address) => Ok(Place::Own(Own::Server(address))),
    }
}

/// What may be done where gasd does not say which ports it has.
fn without_gasd(named: Named, error: ClientError) -> Result<Place, Failure> {
    match (named, error) {
        // It has none.
        (Named::Device(path), ClientError::BusUnreachable { .. } | ClientError::NotRunning) => {
            Ok(Place::Own(Own::Device(path)))
        }
        (Named::Server(address), ClientError::BusUnreachable { .. } | ClientError::NotRunning) => {
            Ok(Place::Own(Own::Server(address)))
        }
        // A device of gasd's is locked, and who may not read is not root, whom alone the kernel lets past the lock.
        (Named::Device(path), ClientError::Denied(_)) => Ok(Place::Own(Own::Device(path))),
        (Named::Id(id), error @ (ClientError::BusUnreachable { .. } | ClientError::NotRunning)) => {
            Err(Failure::NoGasdForPort { id, error })
        }
        (_, error) => Err(Failure::reading(error)),
    }
}

/// Why a port of one's own cannot be used.
pub fn unusable(error: &WireError) -> Failure {
    match error {
        WireError::Permission(path) => Failure::Denied(format!(
            "{} may not be opened by this user; ask root, or become a member of its group, usually dialout: `ls -l {0}` \
             says which it is",
            path.display()
        )),
        other => Failure::Unusable(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(text: &str, error: ClientError) -> Result<Own, Failure> {
        match without_gasd(Named::parse(text).unwrap(), error)? {
            Place::Own(own) => Ok(own),
            Place::Gasd(_) => panic!("gasd"),
        }
    }

    #[test]
    fn without_gasd_devices_and_servers_are_ones_own_and_an_id_is_nobodys() {
        let device = Own::Device("/dev/ttyUSB0".into());
        assert_eq!(own("/dev/ttyUSB0", ClientError::NotRunning).unwrap(), device);
        assert!(matches!(own("192.0.2.7:4001", ClientError::NotRunning), Ok(Own::Server(_))));
        let cellar = own("cellar", ClientError::NotRunning).unwrap_err();
        assert_eq!((cellar.status(), cellar.name()), (3, "NotRunning"));
        assert!(cellar.to_string().contains("./cellar"), "{cellar}");
    }

    #[test]
    fn while_gasd_does_not_answer_nothing_is_opened_behind_its_back() {
        for error in [|| ClientError::NoAnswer, || ClientError::Lost] {
            assert_eq!(own("/dev/ttyUSB0", error()).unwrap_err().status(), 3);
            assert_eq!(own("192.0.2.7:4001", error()).unwrap_err().status(), 3);
        }
        let denied = || ClientError::Denied("Rejected send message".into());
        assert!(own("/dev/ttyUSB0", denied()).is_ok(), "its lock keeps others out");
        assert_eq!(own("192.0.2.7:4001", denied()).unwrap_err().status(), 4);
    }
}
