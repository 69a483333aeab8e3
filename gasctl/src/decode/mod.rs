// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl decode`: what bytes of a meter say, field by field, or why they say nothing.
//!
//! | file | idea |
//! |---|---|
//! | `input` | hexadecimal text, a file or standard input become bytes |
//! | `keys` | what may be opened, never said again |
//! | `codec` | the protocols, each with how its frames are found and its decoder |
//! | `lorawan`, `coap` | frames within datagrams, and frames within those |
//! | `find` | the frames in the bytes, whatever else is there |
//! | `reject` | what is none, and what it was likely meant to be |
//! | `show` | for a person, and as JSON |

mod coap;
mod codec;
mod find;
mod input;
mod keys;
mod lorawan;
mod reject;
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
    let keys = keys::Keys::given(&args.key, args.key_file.as_deref())?;
    let codecs = codec::chosen(args.protocol.as_deref(), &keys)?;
    let named = args.protocol.is_some();
    let lorawan = codecs.iter().any(|codec| codec.name == "lorawan");
    let text = match (lorawan, named) {
        (true, true) => input::Text::Base64,
        (true, false) => input::Text::Json,
        (false, _) => input::Text::Hexadecimal,
    };
    let bytes = input::bytes(&args.input, text)?;
    let options = codec::Options {
        profile: codec::profile(args.profile.as_deref())?,
        keys,
        payload: codec::payload(args.payload.as_deref())?,
        radio: args.radio.map_or_else(Default::default, |radio| radio.0),
        path: args.path.map(|path| path.0),
    };
    // A key of one protocol names it as well.
    let found = find::all(&bytes, &codecs, &options, codecs.len() == 1);
    if out.json {
        out.object(&show::object(&found))?;
    } else {
        show::lines(&found, out)?;
    }
    found.failure().map_or(Ok(()), Err)
}
