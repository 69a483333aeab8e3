// SPDX-License-Identifier: MIT OR Apache-2.0
//! A connection to a bus: nothing waits, and nothing calls back; who owns it asks for what came.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::ptr::NonNull;

use super::message::{Message, checked};
use super::sys::{self, SdBus};

/// A connection.
#[derive(Debug)]
pub struct Bus(NonNull<SdBus>);

// SAFETY: used through `&mut` alone, by one thread at a time; sd-bus keeps nothing of the thread.
unsafe impl Send for Bus {}

/// Where a call goes.
#[derive(Clone, Copy, Debug)]
pub struct To<'a> {
    /// The name of the service.
    pub service: &'a str,
    /// The object.
    pub path: &'a str,
    /// The interface.
    pub interface: &'a str,
    /// The method.
    pub member: &'a str,
}

/// The object that stands for `id` below `prefix`, escaped as everywhere in gasd's tree.
///
/// # Errors
/// For an id with a zero inside, and without memory.
pub fn path_of(prefix: &CStr, id: &str) -> io::Result<String> {
    let id = CString::new(id).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut path = std::ptr::null_mut();
    // SAFETY: live strings and a live place for the result.
    checked(unsafe { sys::sd_bus_path_encode(prefix.as_ptr(), id.as_ptr(), &raw mut path) })?;
    // SAFETY: a string that was made just now and is ours.
    let text = unsafe { CStr::from_ptr(path) }.to_string_lossy().into_owned();
    // SAFETY: as above, freed once.
    unsafe { libc::free(path.cast()) };
    Ok(text)
}

impl Bus {
    /// Begins to connect to `system`, `session` or a D-Bus address.
    ///
    /// # Errors
    /// What the system said.
    pub fn open(address: &str) -> io::Result<Bus> {
        let mut bus = std::ptr::null_mut();
        // SAFETY: a live place for the result.
        checked(unsafe {
            match address {
                "system" => sys::sd_bus_open_system(&raw mut bus),
                "session" => sys::sd_bus_open_user(&raw mut bus),
                _ => sys::sd_bus_new(&raw mut bus),
            }
        })?;
        let bus = Bus(NonNull::new(bus).ok_or_else(|| io::Error::other("no bus"))?);
        if !matches!(address, "system" | "session") {
            let address = CString::new(address).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
            // SAFETY: a live bus that was not started, and a live string.
            unsafe {
                checked(sys::sd_bus_set_address(bus.raw(), address.as_ptr()))?;
                checked(sys::sd_bus_set_bus_client(bus.raw(), 1))?;
                checked(sys::sd_bus_start(bus.raw()))?;
            }
        }
        Ok(bus)
    }

    fn raw(&self) -> *mut SdBus {
        self.0.as_ptr()
    }

    /// The socket, as long as this connection lives.
    ///
    /// # Errors
    /// When there is none (any more).
    pub fn fd(&mut self) -> io::Result<RawFd> {
        // SAFETY: a live bus.
        checked(unsafe { sys::sd_bus_get_fd(self.raw()) })
    }

    /// The socket, borrowed.
    ///
    /// # Errors
    /// As [`Bus::fd`].
    pub fn borrow_fd(&mut self) -> io::Result<BorrowedFd<'_>> {
        let fd = self.fd()?;
        // SAFETY: the connection owns it and is borrowed for as long.
        Ok(unsafe { BorrowedFd::borrow_raw(fd) })
    }

    /// What to wait for on the socket: bits of poll(2).
    ///
    /// # Errors
    /// When the connection has ended.
    pub fn events(&mut self) -> io::Result<i32> {
        // SAFETY: a live bus.
        checked(unsafe { sys::sd_bus_get_events(self.raw()) })
    }

    /// Until when to wait at the most, `CLOCK_MONOTONIC` µs; `u64::MAX` for ever.
    ///
    /// # Errors
    /// When the connection has ended.
    pub fn timeout_us(&mut self) -> io::Result<u64> {
        let mut until = u64::MAX;
        // SAFETY: a live bus and place.
        checked(unsafe { sys::sd_bus_get_timeout(self.raw(), &raw mut until) })?;
        Ok(until)
    }

    /// Whether the bus has taken us in.
    ///
    /// # Errors
    /// When the connection has ended.
    pub fn is_ready(&mut self) -> io::Result<bool> {
        // SAFETY: a live bus.
        checked(unsafe { sys::sd_bus_is_ready(self.raw()) }).map(|ready| ready > 0)
    }

    /// One step: `None` when nothing is left to do now, `Some(None)` when something was done inside.
    ///
    /// # Errors
    /// When the connection has ended.
    pub fn process(&mut self) -> io::Result<Option<Option<Message>>> {
        let mut message = std::ptr::null_mut();
        // SAFETY: a live bus and place.
        let done = checked(unsafe { sys::sd_bus_process(self.raw(), &raw mut message) })?;
        // The reference is ours.
        let message = NonNull::new(message).map(Message);
        Ok((done > 0).then_some(message))
    }

    /// Sends a call; its answer comes from [`Bus::process`] with this cookie.
    ///
    /// # Errors
    /// What the system said.
    pub fn call(&mut self, to: To<'_>, fill: impl FnOnce(&mut Message) -> io::Result<()>) -> io::Result<u64> {
        let text = |text: &str| CString::new(text).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput));
        let (service, path) = (text(to.service)?, text(to.path)?);
        let (interface, member) = (text(to.interface)?, text(to.member)?);
        let (mut message, mut cookie) = (std::ptr::null_mut(), 0);
        // SAFETY: a live bus and place, live strings.
        checked(unsafe {
            sys::sd_bus_message_new_method_call(
                self.raw(),
                &raw mut message,
                service.as_ptr(),
                path.as_ptr(),
                interface.as_ptr(),
                member.as_ptr(),
            )
        })?;
        let mut message = Message(NonNull::new(message).ok_or_else(|| io::Error::other("no message"))?);
        // SAFETY: a live message. gasd is started by the service manager and by nobody's call.
        checked(unsafe { sys::sd_bus_message_set_auto_start(message.0.as_ptr(), 0) })?;
        fill(&mut message)?;
        // SAFETY: a live bus, message and place.
        checked(unsafe { sys::sd_bus_send(self.raw(), message.0.as_ptr(), &raw mut cookie) })?;
        Ok(cookie)
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        // SAFETY: our reference, given back once; nothing else refers to it.
        unsafe { sys::sd_bus_close_unref(self.raw()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_objects_as_gasd_names_them() {
        for (id, leaf) in
            [("main", "main"), ("boiler-1", "boiler_2d1"), ("7", "_37"), ("a_b", "a_5fb"), ("", "_")]
        {
            assert_eq!(path_of(c"/io/gasd1/valves", id).unwrap(), format!("/io/gasd1/valves/{leaf}"));
        }
    }
}
