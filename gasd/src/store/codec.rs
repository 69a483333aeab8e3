// SPDX-License-Identifier: MIT OR Apache-2.0
//! How records look on disk: a version byte, then fields in a fixed order, little-endian; text is a
//! u32 length and UTF-8. Written by hand so that no library's change of mind can change the file.

use crate::state::{Hold, Position, VerdictRecord};
use crate::store::records::{AuditEntry, Learned, StoredHold};
use crate::store::totals::{Base, EARLIER, Mark, RegisterAt};

/// Why bytes are not a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The record's version byte is not one this gasd writes.
    #[error("a {record} record has version {found}, this gasd knows {known}")]
    Version {
        /// What kind of record.
        record: &'static str,
        /// The version found.
        found: u8,
        /// The version known.
        known: u8,
    },
    /// Too short, too long, or not text where text should be.
    #[error("a {record} record is damaged: {why}")]
    Damaged {
        /// What kind of record.
        record: &'static str,
        /// Where it broke.
        why: &'static str,
    },
}

/// A record with an encoding of its own.
pub trait Record: Sized {
    /// What it is called in errors.
    const NAME: &'static str;
    /// Its version byte.
    const VERSION: u8;
    /// Appends the fields.
    fn put(&self, out: &mut Put);
    /// Reads the fields.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    fn take(input: &mut Take<'_>) -> Result<Self, &'static str>;

    /// The oldest version that is still read.
    const OLDEST: u8 = Self::VERSION;
    /// The version byte of this very record, where an older one can hold it.
    fn version(&self) -> u8 {
        Self::VERSION
    }
    /// Reads the fields of a version from [`Record::OLDEST`] on.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    fn take_version(input: &mut Take<'_>, _version: u8) -> Result<Self, &'static str> {
        Self::take(input)
    }

    /// The whole record.
    fn encode(&self) -> Vec<u8> {
        let mut out = Put(vec![self.version()]);
        self.put(&mut out);
        out.0
    }

    /// The record back from its bytes; nothing may be left over.
    ///
    /// # Errors
    /// [`CodecError`].
    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let damaged = |why| CodecError::Damaged { record: Self::NAME, why };
        let mut input = Take(bytes);
        let found = input.u8().map_err(damaged)?;
        if !(Self::OLDEST..=Self::VERSION).contains(&found) {
            return Err(CodecError::Version { record: Self::NAME, found, known: Self::VERSION });
        }
        let record = Self::take_version(&mut input, found).map_err(damaged)?;
        if !input.0.is_empty() {
            return Err(damaged("bytes are left over"));
        }
        Ok(record)
    }
}

/// Appends fields.
pub struct Put(Vec<u8>);

impl Put {
    fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn u128(&mut self, value: u128) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn text(&mut self, value: &str) {
        // Text of 4 GiB is left out rather than refused: a record must not fail for its prose.
        let bytes = value.as_bytes();
        let len = u32::try_from(bytes.len()).unwrap_or(0);
        self.0.extend_from_slice(&len.to_le_bytes());
        self.0.extend_from_slice(&bytes[..len as usize]);
    }

    fn blob(&mut self, value: &[u8]) {
        let len = u32::try_from(value.len()).unwrap_or(0);
        self.0.extend_from_slice(&len.to_le_bytes());
        self.0.extend_from_slice(&value[..len as usize]);
    }

    fn option<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        self.u8(u8::from(value.is_some()));
        if let Some(value) = value {
            put(self, value);
        }
    }
}

/// Reads fields.
pub struct Take<'a>(&'a [u8]);

impl Take<'_> {
    fn bytes(&mut self, n: usize) -> Result<&[u8], &'static str> {
        let (head, tail) = self.0.split_at_checked(n).ok_or("it ends too early")?;
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let mut out = [0; N];
        out.copy_from_slice(self.bytes(N)?);
        Ok(out)
    }

    fn u8(&mut self) -> Result<u8, &'static str> {
        Ok(self.array::<1>()?[0])
    }

    fn u64(&mut self) -> Result<u64, &'static str> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn u128(&mut self) -> Result<u128, &'static str> {
        Ok(u128::from_le_bytes(self.array()?))
    }

    fn text(&mut self) -> Result<String, &'static str> {
        let len = u32::from_le_bytes(self.array()?) as usize;
        let bytes = self.bytes(len)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| "its text is not UTF-8")
    }

    fn blob(&mut self) -> Result<Vec<u8>, &'static str> {
        let len = u32::from_le_bytes(self.array()?) as usize;
        Ok(self.bytes(len)?.to_vec())
    }

    fn option<T>(
        &mut self,
        take: impl FnOnce(&mut Self) -> Result<T, &'static str>,
    ) -> Result<Option<T>, &'static str> {
        match self.u8()? {
            0 => Ok(None),
            1 => take(self).map(Some),
            _ => Err("a flag is neither 0 nor 1"),
        }
    }
}

impl Record for Base {
    const NAME: &'static str = "total";
    /// 2 has the reading of a register; any other total is as it was in 1.
    const VERSION: u8 = 2;
    const OLDEST: u8 = 1;

    fn version(&self) -> u8 {
        if self.register.is_some() { 2 } else { 1 }
    }

    fn put(&self, out: &mut Put) {
        for value in [
            self.pulses,
            self.volume_ul,
            self.generation[0],
            self.generation[1],
            self.kernel_at,
            self.pulse_volume_ul,
        ] {
            out.u64(value);
        }
        for mark in self.earlier {
            [mark.generation[0], mark.generation[1], mark.at].into_iter().for_each(|value| out.u64(value));
        }
        if let Some(RegisterAt { register_ul, t_ns, unix_us, boot }) = self.register {
            [register_ul, t_ns, unix_us].into_iter().for_each(|value| out.u64(value));
            out.u128(boot);
        }
    }

    fn take(input: &mut Take<'_>) -> Result<Self, &'static str> {
        Ok(Base {
            pulses: input.u64()?,
            volume_ul: input.u64()?,
            generation: [input.u64()?, input.u64()?],
            kernel_at: input.u64()?,
            pulse_volume_ul: input.u64()?,
            earlier: {
                let mut earlier = [Mark::default(); EARLIER];
                for mark in &mut earlier {
                    *mark = Mark { generation: [input.u64()?, input.u64()?], at: input.u64()? };
                }
                earlier
            },
            register: None,
        })
    }

    fn take_version(input: &mut Take<'_>, version: u8) -> Result<Self, &'static str> {
        let mut base = Self::take(input)?;
        if version >= 2 {
            let (register_ul, t_ns, unix_us) = (input.u64()?, input.u64()?, input.u64()?);
            base.register = Some(RegisterAt { register_ul, t_ns, unix_us, boot: input.u128()? });
        }
        Ok(base)
    }
}

impl Record for Learned {
    const NAME: &'static str = "learned";
    /// 2 says of which boot the time is, and what was learned from.
    const VERSION: u8 = 2;
    const OLDEST: u8 = 1;

    fn put(&self, out: &mut Put) {
        for value in [self.unix_us, self.boottime_ns, self.pulse_volume_ul] {
            out.u64(value);
        }
        out.blob(&self.state);
        out.u128(self.boot);
        out.u8(u8::from(self.register));
    }

    fn take(input: &mut Take<'_>) -> Result<Self, &'static str> {
        Ok(Learned {
            unix_us: input.u64()?,
            boottime_ns: input.u64()?,
            pulse_volume_ul: input.u64()?,
            state: input.blob()?,
            ..Learned::default()
        })
    }

    fn take_version(input: &mut Take<'_>, version: u8) -> Result<Self, &'static str> {
        let mut learned = Self::take(input)?;
        if version >= 2 {
            learned.boot = input.u128()?;
            learned.register = match input.u8()? {
                0 => false,
                1 => true,
                _ => return Err("a flag is neither 0 nor 1"),
            };
        }
        Ok(learned)
    }
}

impl Record for StoredHold {
    const NAME: &'static str = "hold";
    /// 2 has the user of an application's hold; any other hold is as it was in 1.
    const VERSION: u8 = 2;
    const OLDEST: u8 = 1;

    fn version(&self) -> u8 {
        if self.hold.uid.is_some() { 2 } else { 1 }
    }

    fn put(&self, out: &mut Put) {
        out.text(&self.valve);
        out.u64(self.hold.cookie);
        out.text(&self.hold.owner);
        out.text(&self.hold.reason);
        out.option(self.hold.verdict, Put::u64);
        out.u64(self.hold.since_unix_us);
        if let Some(uid) = self.hold.uid {
            out.u64(u64::from(uid));
        }
    }

    fn take(input: &mut Take<'_>) -> Result<Self, &'static str> {
        Ok(StoredHold {
            marks: Vec::new(),
            valve: input.text()?,
            hold: Hold {
                cookie: input.u64()?,
                owner: input.text()?,
                reason: input.text()?,
                verdict: input.option(Take::u64)?,
                since_unix_us: input.u64()?,
                uid: None,
            },
        })
    }

    fn take_version(input: &mut Take<'_>, version: u8) -> Result<Self, &'static str> {
        let mut hold = Self::take(input)?;
        if version >= 2 {
            hold.hold.uid = Some(u32::try_from(input.u64()?).map_err(|_| "a user is no u32")?);
        }
        Ok(hold)
    }
}

impl Record for VerdictRecord {
    const NAME: &'static str = "verdict";
    const VERSION: u8 = 1;

    fn put(&self, out: &mut Put) {
        out.u64(self.id);
        for text in [&self.meter, &self.kind, &self.severity] {
            out.text(text);
        }
        for value in [self.t_ns, self.decided_ns, self.unix_us] {
            out.u64(value);
        }
        out.text(&self.evidence_json);
        out.text(&self.text);
        out.option(self.acknowledged_by.as_deref(), Put::text);
    }

    fn take(input: &mut Take<'_>) -> Result<Self, &'static str> {
        Ok(VerdictRecord {
            id: input.u64()?,
            meter: input.text()?,
            kind: input.text()?,
            severity: input.text()?,
            t_ns: input.u64()?,
            decided_ns: input.u64()?,
            unix_us: input.u64()?,
            evidence_json: input.text()?,
            text: input.text()?,
            acknowledged_by: input.option(Take::text)?,
        })
    }
}

impl Record for AuditEntry {
    const NAME: &'static str = "audit";
    const VERSION: u8 = 1;

    fn put(&self, out: &mut Put) {
        out.u64(self.time_unix_us);
        out.u64(self.boottime_ns);
        for text in [&self.actor, &self.action, &self.object, &self.detail, &self.outcome] {
            out.text(text);
        }
    }

    fn take(input: &mut Take<'_>) -> Result<Self, &'static str> {
        Ok(AuditEntry {
            time_unix_us: input.u64()?,
            boottime_ns: input.u64()?,
            actor: input.text()?,
            action: input.text()?,
            object: input.text()?,
            detail: input.text()?,
            outcome: input.text()?,
        })
    }
}

impl Record for Position {
    const NAME: &'static str = "valve";
    const VERSION: u8 = 1;

    fn put(&self, out: &mut Put) {
        out.u8(match self {
            Position::Unknown => 0,
            Position::Open => 1,
            Position::Closed => 2,
        });
    }

    fn take(input: &mut Take<'_>) -> Result<Self, &'static str> {
        match input.u8()? {
            0 => Ok(Position::Unknown),
            1 => Ok(Position::Open),
            2 => Ok(Position::Closed),
            _ => Err("a position is none of unknown, open and closed"),
        }
    }
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
