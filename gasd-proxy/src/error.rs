// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can go wrong between a client and the service.

use zbus::fdo;

use crate::{ADDRESS_ENV, ERROR_PREFIX};

/// Why a client got no answer, or not the one it wanted.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The bus itself cannot be reached.
    #[error(
        "cannot reach the {bus}: {why}; is it running, and does {ADDRESS_ENV} or --bus name the right one?"
    )]
    BusUnreachable {
        /// The bus in words.
        bus: String,
        /// What the system said.
        why: String,
    },
    /// Nobody owns `io.gasd1`.
    #[error(
        "gasd is not running on this bus; start it with `systemctl start gasd`, `journalctl -u gasd -e` says why it stopped"
    )]
    NotRunning,
    /// The connection broke.
    #[error("the bus closed the connection; try again, `systemctl status dbus gasd` says more")]
    Lost,
    /// No answer in time.
    #[error("gasd did not answer in time; `systemctl status gasd` says more")]
    NoAnswer,
    /// The bus or the service does not let this user do it.
    #[error("{0}")]
    Denied(String),
    /// polkit would let this user do it for a password, and nobody could be asked for one.
    #[error("{0}")]
    PasswordWanted(String),
    /// There is no such object.
    #[error("{0}")]
    NoSuchObject(String),
    /// The service refused and says why.
    #[error("{text}")]
    Refused {
        /// Last element of the D-Bus error name: `Held`, `Unacknowledged`, …
        name: String,
        /// What the service says.
        text: String,
    },
    /// Something this client does not understand.
    #[error("unexpected answer from gasd: {0}; are gasd and gasctl of the same version?")]
    Protocol(zbus::Error),
}

impl From<fdo::Error> for ClientError {
    fn from(error: fdo::Error) -> Self {
        match error {
            fdo::Error::ServiceUnknown(_) | fdo::Error::NameHasNoOwner(_) => ClientError::NotRunning,
            // The service itself says that its control loop did not answer, and what that means.
            fdo::Error::TimedOut(text) => ClientError::Refused { name: "TimedOut".to_owned(), text },
            // The name's owner went away before it answered.
            fdo::Error::NoReply(_) | fdo::Error::Timeout(_) => ClientError::NoAnswer,
            fdo::Error::Disconnected(_) => ClientError::Lost,
            fdo::Error::AccessDenied(text) | fdo::Error::AuthFailed(text) => ClientError::Denied(text),
            fdo::Error::InteractiveAuthorizationRequired(text) => ClientError::PasswordWanted(text),
            fdo::Error::UnknownObject(text) => ClientError::NoSuchObject(text),
            fdo::Error::InvalidArgs(text) => ClientError::Refused { name: "InvalidArgs".to_owned(), text },
            fdo::Error::LimitsExceeded(text) => {
                ClientError::Refused { name: "LimitsExceeded".to_owned(), text }
            }
            fdo::Error::ZBus(error) => error.into(),
            other => ClientError::Protocol(zbus::Error::FDO(Box::new(other))),
        }
    }
}

impl From<zbus::Error> for ClientError {
    fn from(error: zbus::Error) -> Self {
        match error {
            zbus::Error::FDO(error) => (*error).into(),
            zbus::Error::InputOutput(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                ClientError::NoAnswer
            }
            zbus::Error::InputOutput(_) => ClientError::Lost,
            zbus::Error::MethodError(name, text, message) => match name.as_str().strip_prefix(ERROR_PREFIX) {
                Some(short) => ClientError::Refused {
                    name: short.to_owned(),
                    text: text.unwrap_or_else(|| short.to_owned()),
                },
                None => ClientError::Protocol(zbus::Error::MethodError(name, text, message)),
            },
            other => ClientError::Protocol(other),
        }
    }
}
