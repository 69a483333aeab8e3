// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages: building the arguments of a call, reading what came.

use std::ffi::{CStr, CString, c_char, c_int};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::ptr::NonNull;

use super::sys::{self, SdMessage};

/// A message of the bus, ours to read or to fill.
#[derive(Debug)]
pub struct Message(pub(super) NonNull<SdMessage>);

// SAFETY: a message is only used through `&mut`, and sd-bus has no thread of its own.
unsafe impl Send for Message {}

/// What a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The answer to the call with this cookie.
    Return(u64),
    /// The refusal of the call with this cookie: the error's name and its words.
    Error(u64, String, String),
    /// A signal: path, interface, member.
    Signal(String, String, String),
    /// Something else.
    Other,
}

/// Turns what sd-bus returns into a result.
pub(super) fn checked(returned: c_int) -> io::Result<c_int> {
    if returned < 0 { Err(io::Error::from_raw_os_error(-returned)) } else { Ok(returned) }
}

/// # Safety
/// NULL, or a string that ends with a zero and lives as long as the message.
unsafe fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

impl Message {
    fn raw(&self) -> *mut SdMessage {
        self.0.as_ptr()
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        let (mut kind, mut cookie) = (0, 0);
        // SAFETY: a live message, live places for the results, and strings that live with it.
        unsafe {
            sys::sd_bus_message_get_type(self.raw(), &raw mut kind);
            if kind == sys::METHOD_RETURN || kind == sys::METHOD_ERROR {
                sys::sd_bus_message_get_reply_cookie(self.raw(), &raw mut cookie);
            }
            match kind {
                sys::METHOD_RETURN => Kind::Return(cookie),
                sys::METHOD_ERROR => match sys::sd_bus_message_get_error(self.raw()).as_ref() {
                    Some(error) => Kind::Error(cookie, text(error.name), text(error.message)),
                    None => Kind::Error(cookie, String::new(), String::new()),
                },
                sys::SIGNAL => Kind::Signal(
                    text(sys::sd_bus_message_get_path(self.raw())),
                    text(sys::sd_bus_message_get_interface(self.raw())),
                    text(sys::sd_bus_message_get_member(self.raw())),
                ),
                _ => Kind::Other,
            }
        }
    }

    /// Who sent it: a unique name.
    pub fn sender(&self) -> String {
        // SAFETY: a live message.
        unsafe { text(sys::sd_bus_message_get_sender(self.raw())) }
    }

    /// Appends text.
    pub fn put_str(&mut self, value: &str) -> io::Result<()> {
        let value = CString::new(value).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        // SAFETY: a live message and string.
        checked(unsafe {
            sys::sd_bus_message_append_basic(self.raw(), b's' as c_char, value.as_ptr().cast())
        })
        .map(drop)
    }

    /// Appends a number.
    pub fn put_u64(&mut self, value: u64) -> io::Result<()> {
        // SAFETY: a live message and number.
        checked(unsafe {
            sys::sd_bus_message_append_basic(self.raw(), b't' as c_char, (&raw const value).cast())
        })
        .map(drop)
    }

    fn open(&mut self, kind: u8, contents: &CStr) -> io::Result<()> {
        // SAFETY: a live message and string.
        checked(unsafe { sys::sd_bus_message_open_container(self.raw(), kind as c_char, contents.as_ptr()) })
            .map(drop)
    }

    fn close(&mut self) -> io::Result<()> {
        // SAFETY: a live message.
        checked(unsafe { sys::sd_bus_message_close_container(self.raw()) }).map(drop)
    }

    /// Appends `a{sv}` of lists of text; empty lists are left out.
    pub fn put_options(&mut self, lists: &[(&str, &[String])], texts: &[(&str, &str)]) -> io::Result<()> {
        self.open(b'a', c"{sv}")?;
        for (name, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
            self.open(b'e', c"sv")?;
            self.put_str(name)?;
            self.open(b'v', c"as")?;
            self.open(b'a', c"s")?;
            list.iter().try_for_each(|item| self.put_str(item))?;
            self.close()?;
            self.close()?;
            self.close()?;
        }
        for (name, text) in texts {
            self.open(b'e', c"sv")?;
            self.put_str(name)?;
            self.open(b'v', c"s")?;
            self.put_str(text)?;
            self.close()?;
            self.close()?;
        }
        self.close()
    }

    /// Goes into an array, entry or variant; false at the end of the array around it.
    pub fn enter(&mut self, kind: u8, contents: &CStr) -> io::Result<bool> {
        // SAFETY: a live message and string.
        checked(unsafe { sys::sd_bus_message_enter_container(self.raw(), kind as c_char, contents.as_ptr()) })
            .map(|found| found > 0)
    }

    /// Comes out again.
    pub fn exit(&mut self) -> io::Result<()> {
        // SAFETY: a live message.
        checked(unsafe { sys::sd_bus_message_exit_container(self.raw()) }).map(drop)
    }

    /// Leaves out what is next.
    pub fn skip(&mut self, types: &CStr) -> io::Result<()> {
        // SAFETY: a live message and string.
        checked(unsafe { sys::sd_bus_message_skip(self.raw(), types.as_ptr()) }).map(drop)
    }

    /// Text (`s` or `o`).
    pub fn str(&mut self, kind: u8) -> io::Result<String> {
        let mut found: *const c_char = std::ptr::null();
        // SAFETY: a live message and place; the string lives with the message and is copied.
        unsafe {
            checked(sys::sd_bus_message_read_basic(self.raw(), kind as c_char, (&raw mut found).cast()))?;
            Ok(text(found))
        }
    }

    /// A number of 64 bits.
    pub fn u64(&mut self) -> io::Result<u64> {
        let mut found = 0u64;
        // SAFETY: a live message and place.
        checked(unsafe {
            sys::sd_bus_message_read_basic(self.raw(), b't' as c_char, (&raw mut found).cast())
        })?;
        Ok(found)
    }

    /// A descriptor of one's own.
    pub fn fd(&mut self) -> io::Result<OwnedFd> {
        let mut found: c_int = -1;
        // SAFETY: a live message and place.
        checked(unsafe {
            sys::sd_bus_message_read_basic(self.raw(), b'h' as c_char, (&raw mut found).cast())
        })?;
        // SAFETY: the message owns it while it lives.
        unsafe { BorrowedFd::borrow_raw(found) }.try_clone_to_owned()
    }

    /// The signature of the variant that is next.
    fn variant_of(&mut self) -> io::Result<CString> {
        let (mut kind, mut contents) = (0 as c_char, std::ptr::null());
        // SAFETY: a live message and places; the string is copied at once.
        unsafe {
            checked(sys::sd_bus_message_peek_type(self.raw(), &raw mut kind, &raw mut contents))?;
            if kind as u8 != b'v' || contents.is_null() {
                return Err(io::Error::from(io::ErrorKind::InvalidData));
            }
            Ok(CStr::from_ptr(contents).to_owned())
        }
    }

    /// The value of a variant, as far as it is one that is used here.
    pub fn variant(&mut self) -> io::Result<Value> {
        let kind = self.variant_of()?;
        let value = match kind.to_bytes() {
            b"s" | b"o" | b"t" | b"b" | b"u" | b"d" => {
                self.enter(b'v', &kind)?;
                let value = self.basic(kind.to_bytes()[0])?;
                self.exit()?;
                value
            }
            _ => {
                self.skip(c"v")?;
                Value::Other
            }
        };
        Ok(value)
    }

    fn basic(&mut self, kind: u8) -> io::Result<Value> {
        if kind == b's' || kind == b'o' {
            return self.str(kind).map(Value::Text);
        }
        // Every other of these fits into eight bytes, and is written from their beginning.
        let mut bytes = [0u8; 8];
        // SAFETY: a live message and place.
        checked(unsafe {
            sys::sd_bus_message_read_basic(self.raw(), kind as c_char, bytes.as_mut_ptr().cast())
        })?;
        let low = u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        Ok(match kind {
            b't' => Value::Number(u64::from_ne_bytes(bytes)),
            b'd' => Value::Real(f64::from_ne_bytes(bytes)),
            b'b' => Value::Bool(low != 0),
            _ => Value::Number(u64::from(low)),
        })
    }

    /// Whether another array is next; false at the end of the array around it.
    pub fn peek_array(&mut self) -> io::Result<bool> {
        let (mut kind, mut contents) = (0 as c_char, std::ptr::null());
        // SAFETY: a live message and places.
        let found =
            checked(unsafe { sys::sd_bus_message_peek_type(self.raw(), &raw mut kind, &raw mut contents) })?;
        Ok(found > 0 && kind as u8 == b'a')
    }

    /// Each entry of an `a{sv}`.
    pub fn properties(&mut self, mut each: impl FnMut(&str, Value)) -> io::Result<()> {
        self.enter(b'a', c"{sv}")?;
        while self.enter(b'e', c"sv")? {
            let name = self.str(b's')?;
            let value = self.variant()?;
            self.exit()?;
            each(&name, value);
        }
        self.exit()
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        // SAFETY: one reference of ours, given back once.
        unsafe { sys::sd_bus_message_unref(self.raw()) };
    }
}

/// The value of a property.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text or a path.
    Text(String),
    /// A whole number.
    Number(u64),
    /// A real number.
    Real(f64),
    /// Yes or no.
    Bool(bool),
    /// Of another type.
    Other,
}
