// SPDX-License-Identifier: MIT OR Apache-2.0
//! A client as bytes, to be kept over a restart. What waits for an answer is not kept: it is asked for again.
//!
//! ```text
//! endpoint | location 4 | peer | lifetime 4 | sleeps | objects | refused | observations
//! peer: 4 or 6, address 4 or 16, port 2      path: count, numbers 2 each
//! observation: path, token 8, number 4, heard 8
//! ```

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use super::super::content::Path;
use super::Client;
use super::observe::Observation;
use crate::bytes::Cursor;
use crate::error::Error;

impl Client {
    /// The client as bytes. Numbers have their low byte first; there is no version in them.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_list(&mut out, self.endpoint.as_bytes().iter().copied(), |out, byte| out.push(byte));
        out.extend(self.location.to_le_bytes());
        match self.peer.ip() {
            IpAddr::V4(address) => {
                out.push(4);
                out.extend(address.octets());
            }
            IpAddr::V6(address) => {
                out.push(6);
                out.extend(address.octets());
            }
        }
        out.extend(self.peer.port().to_le_bytes());
        out.extend(self.lifetime_s.to_le_bytes());
        out.push(self.sleeps.into());
        put_list(&mut out, self.objects.iter(), put_path);
        put_list(&mut out, self.refused.iter(), put_path);
        put_list(&mut out, self.observations.iter(), |out, observation| {
            put_path(out, &observation.path);
            out.extend(observation.token);
            out.extend(observation.number.to_le_bytes());
            out.extend(observation.heard_ns.to_le_bytes());
        });
        out
    }

    /// The client of [`Client::to_bytes`], for [`Server::restore`](super::Server::restore).
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`], [`Error::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(bytes);
        let endpoint = take_list(&mut cursor, |cursor| cursor.u8())?;
        let endpoint =
            String::from_utf8(endpoint).map_err(|_| Error::Malformed { what: "a name that is no text" })?;
        let location = cursor.u32_le()?;
        let address: IpAddr = match cursor.u8()? {
            4 => cursor.array::<4>()?.into(),
            6 => cursor.array::<16>()?.into(),
            _ => return Err(Error::Malformed { what: "an address of no kind" }),
        };
        let peer = SocketAddr::new(address, cursor.u16_le()?);
        let (lifetime_s, sleeps) = (cursor.u32_le()?, cursor.u8()? != 0);
        let objects = take_list(&mut cursor, take_path)?;
        let refused = take_list(&mut cursor, take_path)?;
        let observations = take_list(&mut cursor, |cursor| {
            let (path, token) = (take_path(cursor)?, cursor.array()?);
            let number = cursor.u32_le()?;
            let heard_ns = u64::from_le_bytes(cursor.array()?);
            Ok(Observation { path, token, number, heard_ns, restored: true })
        })?;
        if !cursor.is_empty() {
            return Err(Error::Malformed { what: "more bytes than a client has" });
        }
        let (expires_ns, pending, body) = (0, None, None);
        Ok(Self {
            endpoint,
            location,
            peer,
            lifetime_s,
            expires_ns,
            objects,
            sleeps,
            observations,
            refused,
            pending,
            body,
        })
    }
}

fn put_list<T>(out: &mut Vec<u8>, list: impl ExactSizeIterator<Item = T>, put: impl Fn(&mut Vec<u8>, T)) {
    let count = u16::try_from(list.len()).unwrap_or(u16::MAX);
    out.extend(count.to_le_bytes());
    list.take(count.into()).for_each(|item| put(out, item));
}

fn take_list<T>(
    cursor: &mut Cursor<'_>,
    mut take: impl FnMut(&mut Cursor<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let count = cursor.u16_le()?;
    // Each item takes a byte at least, so a count that lies ends soon.
    (0..count).map(|_| take(cursor)).collect()
}

fn put_path(out: &mut Vec<u8>, path: &Path) {
    let numbers = path.numbers();
    // There are four at most.
    out.push(numbers.len() as u8);
    numbers.iter().for_each(|number| out.extend(number.to_le_bytes()));
}

fn take_path(cursor: &mut Cursor<'_>) -> Result<Path, Error> {
    let mut path = Path::default();
    for _ in 0..cursor.u8()? {
        let number = cursor.u16_le()?;
        path.push(number).ok_or(Error::Malformed { what: "a path of more than four numbers" })?;
    }
    Ok(path)
}
