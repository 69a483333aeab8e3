// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ring of events. The consumer's position lives in the map: a new reader goes on where the
//! last one stopped, and a crash repeats at most the event in hand.

use std::{
    fs::File,
    os::fd::{AsRawFd, RawFd},
};

use aya::maps::{Map, MapData, RingBuf};
use gasd_abi::records::Event;

use super::{bytes, error::KernelError, pins::Pins, sys};

/// Reads events. There is one reader only: two would steal each other's.
pub struct Events {
    ring: RingBuf<MapData>,
    _only: File,
}

impl Events {
    /// Opens the ring of this build's generation.
    pub fn open(pins: &Pins) -> Result<Self, KernelError> {
        // Checked by hand first, because the library would take whatever is pinned there.
        drop(pins.open_map("events")?);
        let maps = pins.generation(gasd_abi::layout::VERSION).join("maps");
        let only = sys::lock_directory(&maps)
            .map_err(|e| KernelError::open(&maps, e))?
            .ok_or_else(|| KernelError::InUse(pins.root().to_owned()))?;
        let path = maps.join("events");
        let fail = |e: &dyn std::error::Error| {
            KernelError::io(path.display().to_string(), std::io::Error::other(e.to_string()))
        };
        let data = MapData::from_pin(&path).map_err(|e| fail(&e))?;
        let map = Map::from_map_data(data).map_err(|e| fail(&e))?;
        Ok(Self { ring: RingBuf::try_from(map).map_err(|e| fail(&e))?, _only: only })
    }

    /// Takes the next event; `None` when the ring is empty. Drain to `None` before waiting.
    pub fn take(&mut self) -> Option<Event> {
        loop {
            let item = self.ring.next()?;
            // A record shorter than ours cannot be from a checked generation; skip it.
            if let Some(event) = bytes::from_bytes(&item) {
                return Some(event);
            }
        }
    }
}

impl AsRawFd for Events {
    fn as_raw_fd(&self) -> RawFd {
        self.ring.as_raw_fd()
    }
}
