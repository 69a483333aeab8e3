// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl decode`: what bytes of a meter say, field by field, or why they say nothing.
//!
//! | file | idea |
//! |---|---|
//! | `input` | hexadecimal text, a file or standard input become bytes |
//! | `codec` | the protocols, each with its probe and its decoder |
//! | `find` | the frames in the bytes, whatever else is there |
//! | `show` | for a person, and as JSON |

mod codec;
mod find;
mod input;
mod show;

use crate::cli::DecodeArgs;
use crate::fail::Failure;
use crate::output::Output;

/// Decodes.
///
/// # Errors
/// [`Failure::Usage`] for an input that is none, [`Failure::Undecoded`] where a frame could not be read, or there is
/// none; all that could be read is shown first.
pub fn run(args: &DecodeArgs, out: &Output) -> Result<(), Failure> {
    let bytes = input::bytes(&args.input)?;
    let options =
        codec::Options { profile: codec::profile(args.profile.as_deref())?, key: input::key(args)? };
    let codecs = codec::chosen(args.protocol.as_deref())?;
    let found = find::all(&bytes, &codecs, &options);
    if out.json {
        out.object(&show::object(&found))?;
    } else {
        show::lines(&found, out)?;
    }
    found.failure().map_or(Ok(()), Err)
}
