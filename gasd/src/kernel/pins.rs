// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the pins are and what each must be. See `docs/pin-protocol.md`.
//!
//! ```text
//! <root>/dispatch/{irq_lines,slots,twin_slots,fall_through,dispatcher,twin,link}
//! <root>/v<N>/maps/{meta,lines,live,totals,buckets,events}
//! <root>/v<N>/progs/{pulse,twin}
//! ```

use std::{
    fmt,
    mem::size_of,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
};

use gasd_abi::{
    Totals,
    layout::{FINGERPRINT, MAGIC, VERSION},
    live::{LivePage, WRITERS},
    records::{Bucket, BucketKey, LineConfig, MAX_BUCKETS, MAX_IRQS, MAX_LINES, Meta, RING_BYTES},
    takeover::Kept,
};

use super::{bytes, error::KernelError, sys};

/// Type, sizes and flags of a map: what aya does not check before it reuses a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapShape {
    /// `enum bpf_map_type`.
    pub map_type: u32,
    /// Bytes of a key.
    pub key: u32,
    /// Bytes of a value.
    pub value: u32,
    /// Entries.
    pub entries: u32,
    /// Flags.
    pub flags: u32,
}

impl fmt::Display for MapShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.map_type {
            2 => "array",
            3 => "prog_array",
            6 => "percpu_array",
            10 => "lru_percpu_hash",
            27 => "ringbuf",
            other => return write!(f, "map type {other} (key {} B, value {} B)", self.key, self.value),
        };
        write!(
            f,
            "{name} (key {} B, value {} B, {} entries, flags {:#x})",
            self.key, self.value, self.entries, self.flags
        )
    }
}

const fn shape(map_type: u32, key: usize, value: usize, entries: u32, flags: u32) -> MapShape {
    MapShape { map_type, key: key as u32, value: value as u32, entries, flags }
}

const ARRAY: u32 = 2;
const PROG_ARRAY: u32 = 3;
const PERCPU_ARRAY: u32 = 6;
const LRU_PERCPU_HASH: u32 = 10;
const RINGBUF: u32 = 27;
const BPF_F_MMAPABLE: u32 = 1 << 10;

/// A map: its name in the object, its pin, its shape.
pub type Pin = (&'static str, &'static str, MapShape);

/// Maps of the dispatcher.
pub const DISPATCH_MAPS: [Pin; 4] = [
    ("IRQ_LINES", "irq_lines", shape(ARRAY, 4, 4, MAX_IRQS, 0)),
    ("SLOTS", "slots", shape(PROG_ARRAY, 4, 4, 1, 0)),
    ("TWIN_SLOTS", "twin_slots", shape(PROG_ARRAY, 4, 4, 1, 0)),
    ("FALL_THROUGH", "fall_through", shape(PERCPU_ARRAY, 4, 8, 1, 0)),
];

/// Maps of a generation.
pub const GENERATION_MAPS: [Pin; 7] = [
    ("META", "meta", shape(ARRAY, 4, size_of::<Meta>(), 1, 0)),
    ("LINES", "lines", shape(ARRAY, 4, size_of::<LineConfig>(), MAX_LINES, 0)),
    ("LIVE", "live", shape(ARRAY, 4, size_of::<LivePage>(), MAX_LINES, BPF_F_MMAPABLE)),
    ("TOTALS", "totals", shape(PERCPU_ARRAY, 4, size_of::<Totals>(), MAX_LINES * WRITERS, 0)),
    (
        "BUCKETS",
        "buckets",
        shape(LRU_PERCPU_HASH, size_of::<BucketKey>(), size_of::<Bucket>(), MAX_BUCKETS, 0),
    ),
    ("KEPT", "kept", shape(ARRAY, 4, size_of::<Kept>(), MAX_LINES, 0)),
    ("EVENTS", "events", shape(RINGBUF, 0, 0, RING_BYTES, 0)),
];

/// The pin directory. Holding one proves that it lies on a BPF file system.
#[derive(Clone, Debug)]
pub struct Pins {
    root: PathBuf,
}

impl Pins {
    /// Checks that `root` is a directory of a BPF file system.
    pub fn at(root: &Path) -> Result<Self, KernelError> {
        match sys::is_bpffs(root) {
            Ok(true) => Ok(Self { root: root.to_owned() }),
            Ok(false) => Err(KernelError::NoBpffs(root.to_owned())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(KernelError::NoBpffs(root.to_owned())),
            Err(e) => Err(KernelError::open(root, e)),
        }
    }

    /// The directory itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The dispatcher's pins.
    #[must_use]
    pub fn dispatch(&self) -> PathBuf {
        self.root.join("dispatch")
    }

    /// A generation's pins.
    #[must_use]
    pub fn generation(&self, version: u32) -> PathBuf {
        self.root.join(format!("v{version}"))
    }

    /// The layout versions that are pinned, ascending.
    pub fn versions(&self) -> Result<Vec<u32>, KernelError> {
        let entries = std::fs::read_dir(&self.root).map_err(|e| KernelError::open(&self.root, e))?;
        let mut found: Vec<u32> = entries
            .filter_map(Result::ok)
            .filter_map(|e| e.file_name().to_str()?.strip_prefix('v')?.parse().ok())
            .collect();
        found.sort_unstable();
        Ok(found)
    }

    /// The directories of all generations, whoever made them and whether or not they count now.
    pub fn generations(&self) -> Result<Vec<PathBuf>, KernelError> {
        let entries = std::fs::read_dir(&self.root).map_err(|e| KernelError::open(&self.root, e))?;
        let mut found: Vec<PathBuf> = entries
            .filter_map(Result::ok)
            .filter(|e| {
                let name = e.file_name();
                let name = name.to_str().unwrap_or("");
                let number = name.strip_prefix('v').or_else(|| name.strip_prefix("old"));
                number.is_some_and(|n| n.parse::<u32>().is_ok())
            })
            .map(|e| e.path())
            .collect();
        found.sort();
        Ok(found)
    }

    /// Opens this build's generation's map after checking it.
    pub fn open_map(&self, pin: &str) -> Result<OwnedFd, KernelError> {
        let path = self.generation(VERSION).join("maps").join(pin);
        open_checked(&path, shape_of(&GENERATION_MAPS, pin))
    }

    /// Opens one of the dispatcher's maps after checking it.
    pub fn open_dispatch(&self, pin: &str) -> Result<OwnedFd, KernelError> {
        open_checked(&self.dispatch().join(pin), shape_of(&DISPATCH_MAPS, pin))
    }

    /// Checks every map of this build's generation and its fingerprint; returns who made it.
    pub fn check_generation(&self) -> Result<Meta, KernelError> {
        let dir = self.generation(VERSION);
        if !dir.exists() {
            return Err(match self.versions()?.last() {
                Some(&found) => KernelError::OtherLayout { root: self.root.clone(), found, needed: VERSION },
                None => KernelError::NotLoaded(self.root.clone()),
            });
        }
        for (_, pin, shape) in &GENERATION_MAPS {
            open_checked(&dir.join("maps").join(pin), *shape)?;
        }
        let path = dir.join("maps/meta");
        let meta = read_meta(&path)?;
        if meta.magic != MAGIC || meta.fingerprint != FINGERPRINT {
            return Err(KernelError::Fingerprint { path, expected: FINGERPRINT, found: meta.fingerprint });
        }
        Ok(meta)
    }

    /// Checks every map of the dispatcher.
    pub fn check_dispatch(&self) -> Result<(), KernelError> {
        let dir = self.dispatch();
        if !dir.exists() {
            return Err(KernelError::NotLoaded(self.root.clone()));
        }
        for (_, pin, shape) in &DISPATCH_MAPS {
            open_checked(&dir.join(pin), *shape)?;
        }
        Ok(())
    }
}

fn shape_of(pins: &[Pin], pin: &str) -> MapShape {
    pins.iter().find(|(_, name, _)| *name == pin).map_or(shape(0, 0, 0, 0, 0), |p| p.2)
}

/// Opens a pinned map and refuses it by name unless it has the expected shape.
pub fn open_checked(path: &Path, expected: MapShape) -> Result<OwnedFd, KernelError> {
    let fd = sys::obj_get(path).map_err(|e| KernelError::open(path, e))?;
    let info = sys::map_info(fd.as_fd()).map_err(|e| KernelError::open(path, e))?;
    let found = MapShape {
        map_type: info.map_type,
        key: info.key_size,
        value: info.value_size,
        entries: info.max_entries,
        flags: info.flags,
    };
    if found == expected {
        Ok(fd)
    } else {
        Err(KernelError::Foreign { path: path.to_owned(), expected, found })
    }
}

/// Reads who made a generation. Works for every layout version: this record never changes.
pub fn read_meta(path: &Path) -> Result<Meta, KernelError> {
    let fd = open_checked(path, shape_of(&GENERATION_MAPS, "meta"))?;
    let mut value = vec![0u8; size_of::<Meta>()];
    sys::lookup(fd.as_fd(), &0u32.to_ne_bytes(), &mut value).map_err(|e| KernelError::open(path, e))?;
    bytes::from_bytes(&value).ok_or_else(|| KernelError::NotLoaded(path.to_owned()))
}
