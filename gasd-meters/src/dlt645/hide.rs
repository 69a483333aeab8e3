// SPDX-License-Identifier: MIT OR Apache-2.0
//! Passwords in bytes that are shown: an adapter that hears itself, or another master, gives them back as noise.

use super::request::Authority;

/// What stands for a byte that is not shown.
pub const HIDDEN: u8 = 0xFF;

/// Data of requests that carry a password, by function: of 1997 writing, a new password and clearing the demand; of 2007
/// the same, clearing meter and events, and the switch.
const COMMANDS: [u8; 9] = [0x04, 0x0F, 0x10, 0x14, 0x18, 0x19, 0x1A, 0x1B, 0x1C];
const ANSWER: u8 = 0x80;
const FUNCTION: u8 = 0x1F;
/// From the first 68H to the second, the control byte, the length and the data.
const SECOND: usize = 7;
const CONTROL: usize = 8;
const DATA: usize = 10;
/// So many bytes of a password at their places are taken for one of which the others are damaged or missing.
const ALIKE: usize = 2;

/// Puts [`HIDDEN`] in place of what follows the head of a request that may carry a password, and of `known` wherever it stands
/// with some of its bytes damaged, to the end of `bytes`: the check sum behind it tells its sum.
pub fn hide(bytes: &mut [u8], known: Option<&Authority>) {
    let command = (0..bytes.len().saturating_sub(CONTROL)).find(|first| is_command(&bytes[*first..]));
    let secret = known.map(Authority::masked);
    let copy = secret.and_then(|secret| {
        // Its beginning may be missing.
        let cut = (1..secret.len()).any(|from| is_alike(bytes, &secret[from..]));
        if cut { Some(0) } else { (0..bytes.len()).find(|at| is_alike(&bytes[*at..], &secret)) }
    });
    let from = command.map(|first| first + DATA).into_iter().chain(copy).min();
    if let Some(hidden) = from.and_then(|from| bytes.get_mut(from..)) {
        hidden.fill(HIDDEN);
    }
}

/// Whether it begins as a request that may carry a password.
fn is_command(bytes: &[u8]) -> bool {
    bytes[0] == 0x68
        && bytes[SECOND] == 0x68
        && bytes[CONTROL] & ANSWER == 0
        && COMMANDS.contains(&(bytes[CONTROL] & FUNCTION))
}

fn is_alike(bytes: &[u8], secret: &[u8]) -> bool {
    bytes.iter().zip(secret).filter(|(byte, secret)| byte == secret).count() >= ALIKE
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::super::{Request, Standard, SwitchCommand, encode};
    use super::*;
    use crate::time::{Date, TimeOfDay};

    fn authority() -> Authority {
        Authority::new(2, &[0xA1, 0xB2, 0xC3], &[0xD4, 0xE5, 0xF6, 0x07])
    }

    fn command() -> Vec<u8> {
        let expires = (Date::new(2099, 12, 31).unwrap(), TimeOfDay::new(23, 59, Some(59)).unwrap());
        let request = Request::Switch { command: SwitchCommand::Trip, authority: &authority(), expires };
        encode(Standard::V2007, "000000000001".parse().unwrap(), &request, 4).unwrap()
    }

    /// Two bytes of the password or the operator's code one behind the other.
    fn tells(bytes: &[u8]) -> bool {
        bytes.windows(2).any(|pair| authority().masked().windows(2).any(|secret| secret == pair))
    }

    #[test]
    fn a_command_that_is_heard_shows_no_password_whatever_byte_of_it_is_damaged_or_missing() {
        let whole = command();
        for at in 0..whole.len() {
            for byte in [0x00, 0x68, whole[at] ^ 0x10] {
                let mut damaged = [&[0x00][..], &whole, &[0xFE, 0x68]].concat();
                damaged[at + 1] = byte;
                hide(&mut damaged, Some(&authority()));
                assert!(!tells(&damaged), "byte {at}: {damaged:02X?}");
            }
            let mut rest = whole[at..].to_vec();
            hide(&mut rest, Some(&authority()));
            assert!(!tells(&rest), "from {at}: {rest:02X?}");
            let mut begun = whole[..at].to_vec();
            hide(&mut begun, Some(&authority()));
            assert!(!tells(&begun), "up to {at}: {begun:02X?}");
        }
    }

    #[test]
    fn one_of_another_master_is_known_by_its_head_and_what_came_before_it_is_shown() {
        let mut bytes = [&[0x16, 0x21][..], &command()].concat();
        let shown = 2 + 4 + DATA;
        let head = bytes[..shown].to_vec();
        hide(&mut bytes, None);
        assert_eq!(bytes[..shown], head);
        assert!(bytes[shown..].iter().all(|byte| *byte == HIDDEN));
    }

    #[test]
    fn readings_and_their_requests_are_shown() {
        for frame in ["68129078563412681104333334336816", "6812907856341268910833333433AB896745CC16"] {
            let mut bytes = crate::hex::parse(frame).unwrap();
            let before = bytes.clone();
            hide(&mut bytes, Some(&authority()));
            assert_eq!(bytes, before);
        }
    }
}
