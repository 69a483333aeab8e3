// SPDX-License-Identifier: MIT OR Apache-2.0
//! D-Bus errors as results.

use rustix::process::geteuid;

use crate::abi::result::gasd_result;

/// No object has the path that was called.
const UNKNOWN_OBJECT: &str = "org.freedesktop.DBus.Error.UnknownObject";

/// The words of an error. gasd's own name the caller and what it is missing; of the bus, which only says that its
/// policy rejects the call, they do not. What the policy keeps from a caller is what one has to be a reader for.
/// An object that is not there is a valve or verdict that is not.
pub fn words_of(name: &str, result: gasd_result, said: String) -> String {
    if name == UNKNOWN_OBJECT {
        return format!("gasd has no such valve or verdict ({said})");
    }
    if result != gasd_result::GASD_DENIED || !said.starts_with("Rejected ") {
        return said;
    }
    format!(
        "uid {} may not read the state of gasd: ask root, or become a member of the group gasd-read, or of \
         gasd-control to close valves, too (`adduser USER gasd-read`, then log in anew)",
        geteuid().as_raw()
    )
}

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
        "io.gasd1.Error.NotFound" | UNKNOWN_OBJECT => GASD_NOT_FOUND,
        "io.gasd1.Error.Unacknowledged" => GASD_UNACKNOWLEDGED,
        "io.gasd1.Error.Held" => GASD_HELD,
        "io.gasd1.Error.Actuator" | "io.gasd1.Error.Overtaken" => GASD_ACTUATOR,
        "io.gasd1.Error.Store" => GASD_STORE,
        _ => GASD_REFUSED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_bus_rejects_names_the_group_and_what_gasd_says_stays() {
        let rejected = "Rejected send message, 1 matched rules; type=\"method_call\"".to_owned();
        let words = words_of("", gasd_result::GASD_DENIED, rejected.clone());
        assert!(words.contains("become a member of the group gasd-read"), "{words}");
        assert!(words.contains(&format!("uid {}", geteuid().as_raw())), "{words}");
        assert_eq!(words_of("", gasd_result::GASD_REFUSED, rejected.clone()), rejected);
        let own = "stranger (uid 1002) may not close a valve".to_owned();
        assert_eq!(words_of("", gasd_result::GASD_DENIED, own.clone()), own);
        let words = words_of(UNKNOWN_OBJECT, gasd_result::GASD_NOT_FOUND, "Unknown object".to_owned());
        assert!(words.starts_with("gasd has no such valve"), "{words}");
    }
}
