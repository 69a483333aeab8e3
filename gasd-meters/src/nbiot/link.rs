// SPDX-License-Identifier: MIT OR Apache-2.0
//! The list of a client's objects, as it registers: `</>;rt="oma.lwm2m",</3/0>,</19/0>` (RFC 6690).

use alloc::vec::Vec;

use super::content::Path;

/// Most objects that are kept of a client.
const MOST: usize = 64;

/// The objects and instances in a list. What is no path of numbers, as `</>`, is left out; so are
/// attributes.
#[must_use]
pub fn objects(text: &str) -> Vec<Path> {
    let mut paths = Vec::new();
    // A quoted attribute may have commas and angles: they are passed by.
    let (mut quoted, mut target) = (false, None);
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '<' if !quoted => target = Some(at + 1),
            '>' if !quoted => {
                let path = target.take().and_then(|from| text.get(from..at));
                paths.extend(path.and_then(last_numbers));
            }
            _ => {}
        }
        if paths.len() >= MOST {
            break;
        }
    }
    paths
}

/// A path behind whatever root a client has: `/lwm2m/3/0` is 3/0.
fn last_numbers(target: &str) -> Option<Path> {
    let mut path = Path::default();
    for part in target.split('/').filter(|part| !part.is_empty()) {
        match part.parse() {
            Ok(number) => path.push(number)?,
            // A root comes before the numbers only.
            Err(_) if path.is_empty() => {}
            Err(_) => return None,
        }
    }
    (!path.is_empty()).then_some(path)
}
