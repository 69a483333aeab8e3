// SPDX-License-Identifier: MIT OR Apache-2.0
//! With which requests a map is read: as few as there can be, and no quantity in two of them.

use alloc::vec::Vec;

use super::frame::Frame;
use super::length::MAX_READ;
use super::map::{MapError, RegisterMap, Space};
use super::message::decode_request;
use super::request::Request;
use super::value::Type;

/// Registers that are read with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where.
    pub space: Space,
    /// The first, as on the wire, from 0.
    pub address: u16,
    /// How many.
    pub count: u16,
}

impl Span {
    /// What asks for them.
    #[must_use]
    pub const fn request(&self) -> Request {
        match self.space {
            Space::Holding => Request::ReadHolding(self.address, self.count),
            Space::Input => Request::ReadInput(self.address, self.count),
        }
    }

    /// What a request asks for; `None` where that is no register.
    pub(super) fn of(request: &Frame<'_>) -> Option<Self> {
        let (space, address, count) = match decode_request(request, &mut ()).ok()? {
            Request::ReadHolding(address, count) => (Space::Holding, address, count),
            Request::ReadWrite { read, count, .. } => (Space::Holding, read, count),
            Request::ReadInput(address, count) => (Space::Input, address, count),
            _ => return None,
        };
        Some(Self { space, address, count })
    }
}

impl RegisterMap {
    /// The requests that read all of the map. A quantity of several registers, and its scale, are in one:
    /// read apart, a total that counts on meanwhile would be made of two different ones.
    ///
    /// # Errors
    ///
    /// [`MapError`].
    pub fn plan(&self) -> Result<Vec<Span>, MapError> {
        if !(1..=MAX_READ).contains(&self.most) {
            return Err(MapError::Most(self.most));
        }
        let (most, gap) = (u32::from(self.most), u32::from(self.gap));
        let mut extents = Vec::with_capacity(self.points.len());
        for point in &self.points {
            let sized = match point.format {
                Type::Bcd(words) => (1..=4).contains(&words),
                Type::Text(words) => words > 0,
                _ => true,
            };
            if !sized {
                return Err(MapError::Size(point.address));
            }
            let (start, end) = point.extent();
            if end - start > most {
                return Err(MapError::Apart(point.address));
            }
            let first = u32::from(self.first);
            let (Some(start), Some(end)) = (start.checked_sub(first), end.checked_sub(first)) else {
                return Err(MapError::Address(point.address));
            };
            if end > 0x1_0000 {
                return Err(MapError::Address(point.address));
            }
            extents.push((point.space, start, end));
        }
        extents.sort_unstable();
        let mut joined: Vec<(Space, u32, u32)> = Vec::new();
        for (space, start, end) in extents {
            match joined.last_mut() {
                Some((of, from, to))
                    if *of == space && start <= *to + gap && end.max(*to) - *from <= most =>
                {
                    *to = end.max(*to);
                }
                _ => joined.push((space, start, end)),
            }
        }
        let spans: Vec<Span> = joined
            .into_iter()
            .filter_map(|(space, start, end)| {
                let (address, count) = (u16::try_from(start).ok()?, u16::try_from(end - start).ok()?);
                Some(Span { space, address, count })
            })
            .collect();
        if spans.is_empty() { Err(MapError::Empty) } else { Ok(spans) }
    }
}
