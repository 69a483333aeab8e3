// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a frame is not read: one list for every protocol, so that a caller can act on the kind alone.
//!
//! What is wrong with one field of a good frame is no error: it is a [`Fault`](crate::Fault) of that field.

use core::fmt;

use crate::mbus::Address;

/// Why bytes are no frame, or a frame no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The frame breaks off; `need` more bytes at least.
    Truncated {
        /// Bytes that are missing, at least.
        need: usize,
    },
    /// The checksum over the whole frame does not fit.
    Checksum {
        /// What the frame carries.
        got: u16,
        /// What its bytes make.
        want: u16,
    },
    /// The CRC of one block of a radio frame does not fit.
    CrcDll {
        /// The block, from 0.
        block: u8,
        /// What the block carries.
        got: u16,
        /// What its bytes make.
        want: u16,
    },
    /// The byte that ends a frame is another one.
    BadEnd {
        /// The byte in its place.
        got: u8,
    },
    /// Header and checksum are right, what is inside contradicts them.
    Malformed {
        /// What does not fit, in words.
        what: &'static str,
    },
    /// There is no frame in these bytes.
    NoFrame {
        /// Bytes looked through.
        garbage: usize,
    },
    /// The payload is encrypted and there is no key for this meter.
    KeyMissing,
    /// The payload was decrypted, and the check inside says that the key is another one.
    WrongKey,
    /// The message authentication code does not fit: forged, damaged, or a wrong key.
    Mac,
    /// The key opens the payload, and the message authentication code does not fit: the frame was changed.
    Changed,
    /// The counter of the frame is not above the last one.
    Replay {
        /// The frame's counter.
        got: u32,
        /// The last one accepted.
        last: u32,
    },
    /// The counter of the frame is too far above the last one.
    CounterGap {
        /// The frame's counter.
        got: u32,
        /// The last one accepted.
        last: u32,
    },
    /// An encryption or frame mode that this codec does not have.
    UnsupportedMode {
        /// The mode's number in its protocol.
        mode: u8,
    },
    /// A compact frame whose full format was not seen yet.
    FormatUnknown {
        /// The signature of the format.
        signature: u16,
    },
    /// The meter understood and refused.
    DeviceError {
        /// The code as its protocol has it.
        code: u16,
        /// What the code means, in words; empty where the protocol does not say.
        what: &'static str,
    },
    /// A frame that is not encrypted, of a meter that a key is configured for.
    NotEncrypted,
    /// A good frame from another meter.
    AddressMismatch,
    /// A good frame of the number that is configured, and not of the address that was read with it before.
    OtherAddress {
        /// The frame's address.
        got: Address,
        /// The one that was read.
        known: Address,
    },
    /// A good frame that answers another request (function, data identifier or sequence differ).
    AnswerMismatch {
        /// What differs, in words.
        what: &'static str,
    },
    /// The request itself came back: the adapter hears what it sends.
    Echo,
    /// Nothing came in time.
    Timeout,
    /// Another device answers where one that is known was: it is not read as if it were the same.
    AnotherDevice,
    /// The request cannot be made, so that nothing was sent.
    Unaskable(EncodeError),
}

impl Error {
    /// A short stable name of the kind, for logs and counters.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => "truncated",
            Self::Checksum { .. } => "checksum",
            Self::CrcDll { .. } => "crc_dll",
            Self::BadEnd { .. } => "bad_end",
            Self::Malformed { .. } => "malformed",
            Self::NoFrame { .. } => "no_frame",
            Self::KeyMissing => "key_missing",
            Self::WrongKey => "wrong_key",
            Self::Mac | Self::Changed => "mac",
            Self::Replay { .. } => "replay",
            Self::CounterGap { .. } => "counter_gap",
            Self::UnsupportedMode { .. } => "unsupported_mode",
            Self::FormatUnknown { .. } => "format_unknown",
            Self::DeviceError { .. } => "device_error",
            Self::NotEncrypted => "not_encrypted",
            Self::AddressMismatch | Self::OtherAddress { .. } => "address_mismatch",
            Self::AnswerMismatch { .. } => "answer_mismatch",
            Self::Echo => "echo",
            Self::Timeout => "timeout",
            Self::AnotherDevice => "another_device",
            Self::Unaskable(_) => "unaskable",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Truncated { need } => {
                write!(f, "the frame breaks off, at least {need} more bytes were expected")
            }
            Self::Checksum { got, want } => {
                write!(f, "the checksum is {got:02X} but the bytes make {want:02X}: damaged on the line")
            }
            Self::CrcDll { block, got, want } => write!(
                f,
                "the CRC of block {block} is {got:04X} but its bytes make {want:04X}: damaged on the air"
            ),
            Self::BadEnd { got } => write!(f, "the frame ends with {got:02X} instead of its end byte"),
            Self::Malformed { what } => write!(f, "the frame contradicts itself: {what}"),
            Self::NoFrame { garbage } => write!(
                f,
                "no frame in {garbage} bytes: check speed, parity, wiring and which protocol the meter speaks"
            ),
            Self::KeyMissing => {
                f.write_str("the reading is encrypted and no key is configured for this meter")
            }
            Self::NotEncrypted => f.write_str(
                "it is not encrypted, and a key is configured for this meter: anybody can have sent it, and it is not believed",
            ),
            Self::WrongKey => f.write_str("the key that is configured for this meter is not its key"),
            Self::Mac => {
                f.write_str("the authentication code does not fit: a wrong key, or a frame that was changed")
            }
            Self::Changed => {
                f.write_str("the key opens it and its authentication code does not fit: the frame was changed on its way")
            }
            Self::Replay { got, last } => write!(
                f,
                "the frame counter {got} is not above the last one, {last}: a repeated or replayed frame"
            ),
            Self::CounterGap { got, last } => write!(
                f,
                "the frame counter {got} is too far above the last one, {last}: let the device join again"
            ),
            Self::UnsupportedMode { mode } => write!(f, "mode {mode} is not supported"),
            Self::FormatUnknown { signature } => write!(
                f,
                "a compact frame of format {signature:04X}, which no full frame has shown yet: wait for one"
            ),
            Self::DeviceError { code, what: "" } => write!(f, "the meter refused with code {code:02X}"),
            Self::DeviceError { code, what } => write!(f, "the meter refused: {what} (code {code:02X})"),
            Self::AddressMismatch => f.write_str("the answer comes from another meter than the one asked"),
            Self::OtherAddress { got, known } => write!(
                f,
                "{got} is heard where {known} was read: another meter, or a changed telegram; configure the full address of the one that is meant"
            ),
            Self::AnswerMismatch { what } => write!(f, "an answer to another request: {what}"),
            Self::Echo => f.write_str("the adapter returns what it sends: let the reader drop the echo"),
            Self::Timeout => f.write_str("the meter did not answer in time"),
            Self::AnotherDevice => f.write_str(
                "another device answers than the one that was here before: if it was exchanged, what is remembered of the old one must go",
            ),
            Self::Unaskable(why) => write!(f, "the meter cannot be asked: {why}"),
        }
    }
}

impl core::error::Error for Error {}

/// Why a request cannot be made into a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// An address with the wrong number or kind of digits.
    Address,
    /// A number that has no place in its field.
    OutOfRange {
        /// The field.
        what: &'static str,
    },
    /// More data than one frame of this protocol holds.
    TooLong {
        /// Bytes that one frame holds.
        most: usize,
    },
    /// A request that this edition of the protocol does not have.
    Standard,
    /// There is no key for what is to be encrypted.
    Key,
    /// A command that must go to one meter, with an address for many.
    Wildcard,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Address => f.write_str("the address has not the digits that this protocol wants"),
            Self::OutOfRange { what } => write!(f, "the {what} is out of range"),
            Self::TooLong { most } => write!(f, "more data than the {most} bytes that a frame holds"),
            Self::Key => f.write_str("there is no key to encrypt this with"),
            Self::Standard => f.write_str("this edition of the protocol has no such request"),
            Self::Wildcard => f.write_str("this command goes to one meter only, not to a wildcard address"),
        }
    }
}

impl core::error::Error for EncodeError {}
