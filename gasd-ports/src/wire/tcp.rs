// SPDX-License-Identifier: MIT OR Apache-2.0
//! A serial server on the network: bytes over TCP as they are, as ser2net's `raw` or an Ethernet converter's "TCP
//! server" mode has them.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use super::{Wire, WireError};

/// How long a server may take to be there.
const PATIENCE: Duration = Duration::from_secs(5);

/// A serial server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpSpec {
    /// Host and port: `192.0.2.7:4001`.
    pub address: String,
    /// The speed that the server's own settings give the line, baud.
    pub baud: u32,
}

impl fmt::Display for TcpSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tcp {}, {} baud", self.address, self.baud)
    }
}

/// A connection.
#[derive(Debug)]
pub struct Tcp(TcpStream);

impl Tcp {
    /// Connects, and waits for that for a few seconds at most for each address of the host.
    ///
    /// # Errors
    /// [`WireError::Server`].
    pub fn open(spec: &TcpSpec) -> Result<Self, WireError> {
        let failed = |error| WireError::Server { address: spec.address.clone(), error };
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in spec.address.to_socket_addrs().map_err(failed)? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => {
                    stream.set_nodelay(true).map_err(failed)?;
                    stream.set_nonblocking(true).map_err(failed)?;
                    return Ok(Self(stream));
                }
                Err(error) => last = error,
            }
        }
        Err(failed(last))
    }
}

impl Wire for Tcp {
    fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into) {
            Ok(0) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the serial server has hung up")),
            other => not_now(other),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        not_now(self.0.write(bytes))
    }
}

/// Nothing is there, or no room: no error.
pub(super) fn not_now(result: io::Result<usize>) -> io::Result<usize> {
    match result {
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(0),
        other => other,
    }
}
