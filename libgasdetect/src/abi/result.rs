// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every function returns, and the sentence that goes with it.

use std::cell::Cell;
use std::ffi::{CStr, c_char};

/// What became of a call. Numbers are never used for anything else; new ones may be added, so take one that
/// you do not know for a failure.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum gasd_result {
    /// It was done.
    GASD_OK = 0,
    /// There is nothing to give: no verdict waits, no more is to come.
    GASD_NONE = 1,
    /// A pointer is NULL that must not be.
    GASD_NULL = 2,
    /// A value is out of bounds, or text is no UTF-8.
    GASD_INVALID = 3,
    /// `struct_size` of a struct is that of no version of the library.
    GASD_STRUCT_SIZE = 4,
    /// The handle is none, or was freed, or is of another type.
    GASD_HANDLE = 5,
    /// Another thread is inside of a call that only one may make, or the callback of such a call makes it again.
    GASD_BUSY = 6,
    /// gasd or the bus is not there now; the client connects again by itself.
    GASD_NOT_CONNECTED = 7,
    /// The caller may not; the sentence says who is missing which right.
    GASD_DENIED = 8,
    /// No such meter, valve, verdict or hold.
    GASD_NOT_FOUND = 9,
    /// A limit of gasd or of the library is reached: too many subscriptions, holds, or requests under way.
    GASD_LIMIT = 10,
    /// No answer in time. What was asked for may still be done.
    GASD_TIMED_OUT = 11,
    /// A critical verdict waits: a person must acknowledge it first.
    GASD_UNACKNOWLEDGED = 12,
    /// An application holds the valve closed.
    GASD_HELD = 13,
    /// The valve could not be driven.
    GASD_ACTUATOR = 14,
    /// gasd's store cannot be written, so it was not done.
    GASD_STORE = 15,
    /// gasd refused for another reason, which the sentence says.
    GASD_REFUSED = 16,
    /// No room: entries that gasd has not taken yet fill the buffer. Dispatch, and try again.
    GASD_FULL = 17,
    /// Times must rise, and this one does not.
    GASD_ORDER = 18,
    /// The gasd that runs is too old for this, or runs without what this needs.
    GASD_UNSUPPORTED = 19,
    /// The system refused something; the sentence has its words.
    GASD_SYSTEM = 20,
    /// A fault of the library. Nothing was done, or part of it; free the handle.
    GASD_PANIC = 21,
    /// The request was given up: its client was freed, or the connection ended. What was asked for may be done.
    GASD_CANCELLED = 22,
    /// A buffer is too small; what is needed was written to its size.
    GASD_BUFFER = 23,
}

/// All results with their names and what to do, in the order of their numbers.
pub const RESULTS: [(gasd_result, &CStr, &CStr); 24] = {
    use gasd_result::*;
    [
        (GASD_OK, c"GASD_OK", c"it was done"),
        (GASD_NONE, c"GASD_NONE", c"there is nothing (more) to give"),
        (GASD_NULL, c"GASD_NULL", c"a pointer is NULL that must not be"),
        (GASD_INVALID, c"GASD_INVALID", c"a value is out of bounds"),
        (
            GASD_STRUCT_SIZE,
            c"GASD_STRUCT_SIZE",
            c"struct_size is that of no version of the library: set it to sizeof",
        ),
        (GASD_HANDLE, c"GASD_HANDLE", c"the handle is none, or was freed"),
        (GASD_BUSY, c"GASD_BUSY", c"the call is under way already, in another thread or below this one"),
        (
            GASD_NOT_CONNECTED,
            c"GASD_NOT_CONNECTED",
            c"gasd is not there now: dispatch until the client is ready",
        ),
        (GASD_DENIED, c"GASD_DENIED", c"the caller may not"),
        (GASD_NOT_FOUND, c"GASD_NOT_FOUND", c"no such meter, valve, verdict or hold"),
        (GASD_LIMIT, c"GASD_LIMIT", c"a limit is reached: free what is not needed, or wait"),
        (GASD_TIMED_OUT, c"GASD_TIMED_OUT", c"no answer in time: it may still be done"),
        (
            GASD_UNACKNOWLEDGED,
            c"GASD_UNACKNOWLEDGED",
            c"a critical verdict waits: a person must acknowledge it first",
        ),
        (GASD_HELD, c"GASD_HELD", c"an application holds the valve closed"),
        (GASD_ACTUATOR, c"GASD_ACTUATOR", c"the valve could not be driven"),
        (GASD_STORE, c"GASD_STORE", c"gasd's store cannot be written, so it was not done"),
        (GASD_REFUSED, c"GASD_REFUSED", c"gasd refused"),
        (GASD_FULL, c"GASD_FULL", c"no room for more until gasd has taken some: dispatch, and try again"),
        (GASD_ORDER, c"GASD_ORDER", c"times must rise"),
        (GASD_UNSUPPORTED, c"GASD_UNSUPPORTED", c"the gasd that runs cannot do this"),
        (GASD_SYSTEM, c"GASD_SYSTEM", c"the system refused"),
        (GASD_PANIC, c"GASD_PANIC", c"a fault of the library: free the handle, and report it"),
        (GASD_CANCELLED, c"GASD_CANCELLED", c"given up before the answer came: it may be done"),
        (GASD_BUFFER, c"GASD_BUFFER", c"the buffer is too small"),
    ]
};

/// A failure: the result and, in words, what was wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// For the program.
    pub result: gasd_result,
    /// For a person.
    pub message: String,
}

impl Failure {
    /// One.
    pub fn new(result: gasd_result, message: impl Into<String>) -> Failure {
        Failure { result, message: message.into() }
    }

    /// What the system said to `what`.
    pub fn system(what: &str, error: impl std::fmt::Display) -> Failure {
        Failure::new(gasd_result::GASD_SYSTEM, format!("{what}: {error}"))
    }
}

/// Bytes of the sentence that a thread keeps, with its zero.
const MESSAGE_BYTES: usize = 512;

thread_local! {
    // No destructor: a library may be closed while threads that called it live on.
    static MESSAGE: Cell<[u8; MESSAGE_BYTES]> = const { Cell::new([0; MESSAGE_BYTES]) };
}

/// Keeps a sentence for [`last_message`]; what is too long is cut at a character.
pub fn keep_message(message: &str) {
    let mut kept = [0; MESSAGE_BYTES];
    let mut end = message.len().min(MESSAGE_BYTES - 1);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    kept[..end].copy_from_slice(&message.as_bytes()[..end]);
    // A zero inside would end the sentence; there is none in ours, and a strange one's end is no harm.
    MESSAGE.set(kept);
}

/// The sentence of this thread's last failure; valid until its next call.
pub fn last_message() -> *const c_char {
    MESSAGE.with(|message| message.as_ptr().cast())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_result_stands_at_its_number() {
        for (at, (result, name, _)) in RESULTS.iter().enumerate() {
            assert_eq!(*result as usize, at);
            assert_eq!(format!("{result:?}"), name.to_str().unwrap());
        }
    }

    #[test]
    fn a_long_sentence_is_cut_at_a_character() {
        keep_message(&"ä".repeat(400));
        // SAFETY: the thread's own buffer, which ends with a zero.
        let kept = unsafe { CStr::from_ptr(last_message()) };
        assert_eq!(kept.to_str().unwrap(), "ä".repeat(255));
    }
}
