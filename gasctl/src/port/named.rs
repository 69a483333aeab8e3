// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a port may be named: by its id, as a device, or as a serial server.

use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use gasd_proxy::Port;

use crate::fail::Failure;

/// A name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// The id of a port of gasd's.
    Id(String),
    /// A device's path.
    Device(PathBuf),
    /// Host and port of a serial server.
    Server(String),
}

impl Named {
    /// Reads a name: what has a `/` is a path, what ends in `:` and a number a server.
    ///
    /// # Errors
    /// [`Failure::Usage`] for what is none of them.
    pub fn parse(text: &str) -> Result<Named, Failure> {
        if let Some((scheme, server)) = text.split_once("://").filter(|(scheme, _)| !scheme.contains('/')) {
            return Err(Failure::Usage(format!(
                "\"{text}\" is no port: a serial server is named without {scheme}://, as {}",
                server.trim_end_matches('/')
            )));
        }
        if text.contains('/') {
            let path =
                std::path::absolute(text).map_err(|error| Failure::Usage(format!("{text}: {error}")))?;
            return Ok(Named::Device(path));
        }
        let server = text
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0));
        if server && !text.contains(char::is_whitespace) {
            return Ok(Named::Server(text.to_owned()));
        }
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if (1..=64).contains(&text.len()) && text.chars().all(good) {
            return Ok(Named::Id(text.to_owned()));
        }
        Err(Failure::Usage(format!(
            "\"{text}\" is no port: give the id of a port of gasd's, a device (/dev/ttyUSB0), or a serial server (HOST:PORT)"
        )))
    }

    /// The port of gasd's that it names, or whose device or server it is.
    pub fn among<'a>(&self, ports: &'a BTreeMap<String, Port>) -> Option<&'a Port> {
        if let Named::Id(id) = self {
            return ports.get(id);
        }
        ports.values().find(|port| self.is_place(&port.place))
    }

    /// Whether a place in gasd's words is this one.
    fn is_place(&self, place: &str) -> bool {
        // Its settings stand behind it.
        let Some((place, _)) = place.rsplit_once(", ") else { return false };
        match self {
            Named::Id(_) => false,
            Named::Device(path) => same_device(path, Path::new(place)),
            Named::Server(address) => place
                .strip_prefix("tcp ")
                .is_some_and(|theirs| theirs == address || same_server(theirs, address)),
        }
    }
}

/// Whether two paths are one device, through whatever links.
fn same_device(one: &Path, other: &Path) -> bool {
    if one == other {
        return true;
    }
    let real = |path: &Path| path.canonicalize().ok();
    if real(one).is_some() && real(one) == real(other) {
        return true;
    }
    // Two nodes of one device.
    let number = |path: &Path| {
        let meta = path.metadata().ok()?;
        meta.file_type().is_char_device().then(|| meta.rdev())
    };
    number(one).is_some() && number(one) == number(other)
}

fn same_server(one: &str, other: &str) -> bool {
    let addresses =
        |text: &str| text.to_socket_addrs().map(Iterator::collect::<Vec<SocketAddr>>).unwrap_or_default();
    // Only what ends alike is worth asking a name server for.
    one.rsplit(':').next() == other.rsplit(':').next() && {
        let theirs = addresses(other);
        addresses(one).iter().any(|address| theirs.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(places: &[(&str, &str)]) -> BTreeMap<String, Port> {
        let port = |(id, place): &(&str, &str)| {
            let port = Port { id: (*id).into(), place: (*place).into(), ..Port::default() };
            ((*id).to_owned(), port)
        };
        places.iter().map(port).collect()
    }

    #[test]
    fn ids_devices_and_servers_are_told_apart() {
        assert_eq!(Named::parse("cellar").unwrap(), Named::Id("cellar".into()));
        assert_eq!(Named::parse("/dev/ttyUSB0").unwrap(), Named::Device("/dev/ttyUSB0".into()));
        assert!(matches!(Named::parse("./tty").unwrap(), Named::Device(path) if path.is_absolute()));
        assert_eq!(Named::parse("192.0.2.7:4001").unwrap(), Named::Server("192.0.2.7:4001".into()));
        assert_eq!(Named::parse("[2001:db8::7]:4001").unwrap(), Named::Server("[2001:db8::7]:4001".into()));
        let url = Named::parse("tcp://192.0.2.7:4001/").unwrap_err().to_string();
        assert!(url.ends_with("as 192.0.2.7:4001"), "{url}");
        for bad in ["tcp://host:4001", "", "a b", "host:0", "host:", ":4001", "host:99999", "a b:4001"] {
            assert_eq!(Named::parse(bad).unwrap_err().status(), 2, "{bad}");
        }
    }

    #[test]
    fn gasds_ports_are_found_by_id_by_server_and_by_device_through_links() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("usb-Some_Adapter, with a comma-port0");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        let place = format!("{}, 2400 baud 8E1", link.display());
        let ports = ports(&[
            ("cellar", &place),
            ("roof", "tcp 127.0.0.1:4001, 9600 baud"),
            ("air", "/dev/zero, 115200 baud 8N1"),
            ("wide", "udp 127.0.0.1:1700"),
        ]);
        let found = |text: &str| Named::parse(text).unwrap().among(&ports).map(|port| port.id.as_str());
        assert_eq!(found("cellar"), Some("cellar"));
        assert_eq!(found("/dev/null"), Some("cellar"));
        assert_eq!(found(link.to_str().unwrap()), Some("cellar"));
        assert_eq!(found("/dev/zero"), Some("air"));
        assert_eq!(found("/dev/full"), None);
        assert_eq!(found("127.0.0.1:4001"), Some("roof"));
        assert_eq!(found("localhost:4001"), Some("roof"));
        assert_eq!(found("127.0.0.1:1700"), None);
        assert_eq!(found("attic"), None);
    }
}
