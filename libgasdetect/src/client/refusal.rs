// SPDX-License-Identifier: MIT OR Apache-2.0
//! D-Bus errors as results.

use crate::abi::result::gasd_result;

/// The result for an error's name. Its words stay as gasd said them.
pub fn result_of(name: &str) -> gasd_result {
    use gasd_result::*;
    match name {
        "org.freedesktop.DBus.Error.AccessDenied"
        | "org.freedesktop.DBus.Error.AuthFailed"
        | "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired" => GASD_DENIED,
        "org.freedesktop.DBus.Error.InvalidArgs" => GASD_INVALID,
        "org.freedesktop.DBus.Error.LimitsExceeded" => GASD_LIMIT,
        "org.freedesktop.DBus.Error.TimedOut" | "org.freedesktop.DBus.Error.Timeout" => GASD_TIMED_OUT,
        "org.freedesktop.DBus.Error.NoReply" | "org.freedesktop.DBus.Error.Disconnected" => GASD_CANCELLED,
        "org.freedesktop.DBus.Error.ServiceUnknown"
        | "org.freedesktop.DBus.Error.NameHasNoOwner"
        | "io.gasd1.Error.Stopping" => GASD_NOT_CONNECTED,
        "org.freedesktop.DBus.Error.UnknownMethod"
        | "org.freedesktop.DBus.Error.UnknownInterface"
        | "io.gasd1.Error.NoPage" => GASD_UNSUPPORTED,
        // A verdict that waits no more has no object.
        "io.gasd1.Error.NotFound" | "org.freedesktop.DBus.Error.UnknownObject" => GASD_NOT_FOUND,
        "io.gasd1.Error.Unacknowledged" => GASD_UNACKNOWLEDGED,
        "io.gasd1.Error.Held" => GASD_HELD,
        "io.gasd1.Error.Actuator" => GASD_ACTUATOR,
        "io.gasd1.Error.Store" => GASD_STORE,
        _ => GASD_REFUSED,
    }
}
