// SPDX-License-Identifier: MIT OR Apache-2.0
//! What of a telegram stands in the clear, where its meter vouches for the rest only.

use gasd_meters::{Error, Fault, Field, Kind, Reading};

pub(super) const OPEN_VOLUME: Error = Error::Malformed {
    what: "a volume stands in the clear behind what is encrypted: anybody can have written it, and it is not read",
};

fn is_volume(field: &Field) -> bool {
    matches!(field.kind, Kind::Volume | Kind::VolumeMeter | Kind::VolumeBase)
}

fn is_open(field: &Field) -> bool {
    field.doubt == Some(Fault::Unprotected)
}

/// Whether it tells a volume that its meter vouches for.
pub(super) fn has_volume(reading: &Reading) -> bool {
    reading.fields.iter().any(|field| is_volume(field) && !is_open(field))
}

/// Takes out what nothing protects: whoever has one telegram of the meter can write it. Whether a volume was among it.
pub(super) fn drop_unprotected(reading: &mut Reading) -> bool {
    let has_volume = reading.fields.iter().any(|field| is_open(field) && is_volume(field));
    reading.fields.retain(|field| !is_open(field));
    has_volume
}
