// SPDX-License-Identifier: MIT OR Apache-2.0
//! The part of sd-bus(3) that is used, as `systemd/sd-bus.h` of 252 declares it.

use std::ffi::{c_char, c_int, c_void};

/// `sd_bus`.
#[repr(C)]
pub struct SdBus {
    _opaque: [u8; 0],
}

/// `sd_bus_message`.
#[repr(C)]
pub struct SdMessage {
    _opaque: [u8; 0],
}

/// `sd_bus_error`.
#[repr(C)]
pub struct SdError {
    pub name: *const c_char,
    pub message: *const c_char,
    pub need_free: c_int,
}

pub const METHOD_RETURN: u8 = 2;
pub const METHOD_ERROR: u8 = 3;
pub const SIGNAL: u8 = 4;

unsafe extern "C" {
    pub fn sd_bus_open_system(bus: *mut *mut SdBus) -> c_int;
    pub fn sd_bus_open_user(bus: *mut *mut SdBus) -> c_int;
    pub fn sd_bus_new(bus: *mut *mut SdBus) -> c_int;
    pub fn sd_bus_set_address(bus: *mut SdBus, address: *const c_char) -> c_int;
    pub fn sd_bus_set_bus_client(bus: *mut SdBus, yes: c_int) -> c_int;
    pub fn sd_bus_start(bus: *mut SdBus) -> c_int;
    pub fn sd_bus_close_unref(bus: *mut SdBus) -> *mut SdBus;
    pub fn sd_bus_get_fd(bus: *mut SdBus) -> c_int;
    pub fn sd_bus_get_events(bus: *mut SdBus) -> c_int;
    pub fn sd_bus_get_timeout(bus: *mut SdBus, timeout_us: *mut u64) -> c_int;
    pub fn sd_bus_is_ready(bus: *mut SdBus) -> c_int;
    pub fn sd_bus_process(bus: *mut SdBus, message: *mut *mut SdMessage) -> c_int;
    pub fn sd_bus_path_encode(prefix: *const c_char, id: *const c_char, path: *mut *mut c_char) -> c_int;
    pub fn sd_bus_send(bus: *mut SdBus, message: *mut SdMessage, cookie: *mut u64) -> c_int;
    pub fn sd_bus_message_new_method_call(
        bus: *mut SdBus,
        message: *mut *mut SdMessage,
        destination: *const c_char,
        path: *const c_char,
        interface: *const c_char,
        member: *const c_char,
    ) -> c_int;
    pub fn sd_bus_message_unref(message: *mut SdMessage) -> *mut SdMessage;
    pub fn sd_bus_message_set_auto_start(message: *mut SdMessage, yes: c_int) -> c_int;
    pub fn sd_bus_message_get_type(message: *mut SdMessage, kind: *mut u8) -> c_int;
    pub fn sd_bus_message_get_reply_cookie(message: *mut SdMessage, cookie: *mut u64) -> c_int;
    pub fn sd_bus_message_get_path(message: *mut SdMessage) -> *const c_char;
    pub fn sd_bus_message_get_interface(message: *mut SdMessage) -> *const c_char;
    pub fn sd_bus_message_get_member(message: *mut SdMessage) -> *const c_char;
    pub fn sd_bus_message_get_sender(message: *mut SdMessage) -> *const c_char;
    pub fn sd_bus_message_get_error(message: *mut SdMessage) -> *const SdError;
    pub fn sd_bus_message_append_basic(message: *mut SdMessage, kind: c_char, value: *const c_void) -> c_int;
    pub fn sd_bus_message_open_container(
        message: *mut SdMessage,
        kind: c_char,
        contents: *const c_char,
    ) -> c_int;
    pub fn sd_bus_message_close_container(message: *mut SdMessage) -> c_int;
    pub fn sd_bus_message_read_basic(message: *mut SdMessage, kind: c_char, value: *mut c_void) -> c_int;
    pub fn sd_bus_message_enter_container(
        message: *mut SdMessage,
        kind: c_char,
        contents: *const c_char,
    ) -> c_int;
    pub fn sd_bus_message_exit_container(message: *mut SdMessage) -> c_int;
    pub fn sd_bus_message_peek_type(
        message: *mut SdMessage,
        kind: *mut c_char,
        contents: *mut *const c_char,
    ) -> c_int;
    pub fn sd_bus_message_skip(message: *mut SdMessage, types: *const c_char) -> c_int;
}
