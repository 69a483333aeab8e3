// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a port's bytes come from: a device or a socket, which one port alone may have, however it is spelt.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::port;
use super::report::Report;
use super::section::Placed;
use super::sense::Sense;

/// Says what a device's name leads to now; `None` where it leads nowhere. Asking is the caller's: this room
/// does no I/O.
pub type LeadsTo<'a> = &'a dyn Fn(&Path) -> Option<PathBuf>;

/// A place in one spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A device without doubled slashes and dots. `..` stays: what it means depends on links.
    Device(PathBuf),
    /// A socket, with the numbers of its address as short as they go.
    Socket(String),
}

impl Place {
    pub(super) fn device(path: &Path) -> Self {
        let mut path: PathBuf = path.components().collect();
        // No link is the directory of all devices, so what is above it is known.
        while let Ok(rest) = path.strip_prefix("/dev/..") {
            path = Path::new("/").join(rest);
        }
        Self::Device(path)
    }

    /// A server's host and port.
    pub(super) fn server(text: &str) -> Self {
        let short = || {
            let (host, port) = text.rsplit_once(':')?;
            let port: u16 = port.parse().ok()?;
            let numbers = numbers(host);
            let host = numbers.as_deref().unwrap_or(host);
            let address = format!("{host}:{port}").parse::<SocketAddr>();
            let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
            // The numbers of version 4 are written as ones of version 6, too.
            let canonical = |address: SocketAddr| match address.ip().to_canonical() {
                ip if ip == address.ip() => address,
                ip => SocketAddr::new(ip, port),
            };
            Some(address.map_or_else(|_| format!("{host}:{port}"), |at| canonical(at).to_string()))
        };
        Self::Socket(short().unwrap_or_else(|| text.to_owned()))
    }

    pub(super) fn listening(listen: SocketAddr) -> Self {
        Self::Socket(format!("udp {listen}"))
    }

    const fn what(&self) -> &'static str {
        match self {
            Self::Device(_) => "device",
            Self::Socket(_) => "socket",
        }
    }
}

/// Four numbers as the C library reads them, where one begins with a nought and is of base 8.
fn numbers(host: &str) -> Option<String> {
    let number = |part: &str| {
        let base = if part.len() > 1 && part.starts_with('0') { 8 } else { 10 };
        u8::from_str_radix(part, base).ok().filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let numbers: Vec<u8> = host.split('.').map(number).collect::<Option<_>>()?;
    let four: [u8; 4] = numbers.try_into().ok()?;
    Some(Ipv4Addr::from(four).to_string())
}

/// A port's place, as it is written and in one spelling.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) text: String,
    pub(super) place: Place,
}

/// Refuses a device or socket that an earlier port has: two that listen on one line take each other's answers.
pub(super) fn unique(report: &mut Report<'_>, ports: &[port::Draft<'_>], leads_to: LeadsTo<'_>) {
    let mut seen: Vec<(&port::Draft<'_>, &Placed<'_, Written>, Option<PathBuf>)> = Vec::new();
    for port in ports {
        let Some(at) = &port.place else { continue };
        let Written { text, place } = &at.value;
        let target = match place {
            Place::Device(path) => leads_to(path),
            Place::Socket(_) => None,
        };
        let taken = seen
            .iter()
            .find(|(_, other, at)| other.value.place == *place || (target.is_some() && *at == target));
        if let Some((first, other, _)) = taken {
            let line = report.first(&other.field.span, &at.field.span);
            let why = if other.value.text == *text {
                Sense::PlaceTaken { place: text.clone(), by: first.label.clone(), first: line }
            } else {
                let (of, what, other_text, by) = (&port.label, place.what(), &other.value.text, &first.label);
                // Two spellings show that by themselves, two names do not.
                let both = target.as_ref().filter(|_| other.value.place != *place);
                let both =
                    both.map_or_else(String::new, |at| format!(", as both lead to {} now", at.display()));
                Sense::SamePlace(format!(
                    "is of {of} and the same {what} as \"{other_text}\" of {by}, on {line}{both}"
                ))
            };
            at.field.senseless(report, why);
        }
        seen.push((port, at, target));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_one_spelling_and_what_follows_a_link_stays_in_doubt() {
        let device = |text: &str| Place::device(Path::new(text));
        for text in [
            "/dev//ttyUSB0",
            "/dev/./ttyUSB0",
            "//dev/ttyUSB0",
            "/dev/ttyUSB0/",
            "/./dev/ttyUSB0/.",
            "/dev/../dev/ttyUSB0",
        ] {
            assert_eq!(device(text), device("/dev/ttyUSB0"), "{text}");
        }
        for text in ["/dev/ttyUSB1", "/dev/serial/../ttyUSB0", "/dev/ttyusb0", "/ttyUSB0"] {
            assert_ne!(device(text), device("/dev/ttyUSB0"), "{text}");
        }
    }

    #[test]
    fn a_server_has_one_spelling() {
        for (text, other) in [
            ("Meters.Example.:4001", "meters.example:04001"),
            ("[::1]:4001", "[0:0::1]:4001"),
            ("192.0.2.7:4001", "192.0.2.7:04001"),
            ("10.0.0.1:4001", "10.0.0.01:4001"),
            ("10.0.0.8:4001", "10.0.0.010:4001"),
        ] {
            assert_eq!(Place::server(text), Place::server(other));
        }
        assert_ne!(Place::server("192.0.2.7:4001"), Place::server("192.0.2.7:4002"));
        assert_ne!(Place::server("127.0.0.1:1700"), Place::listening("127.0.0.1:1700".parse().unwrap()));
    }
}
