// SPDX-License-Identifier: MIT OR Apache-2.0
//! The names of keys, as files of keys have them: one table for all who read such files.

/// A key of an M-Bus meter, and of a file that has one key without a name.
pub const METER: &str = "key";
/// A password of DL/T 645.
pub const PASSWORD: &str = "password";

/// Every name. Those of LoRaWAN are its specification's, in words.
pub const NAMES: [&str; 9] = [
    METER,
    "nwk_s_key",
    "app_s_key",
    "app_key",
    "nwk_key",
    "s_nwk_s_int_key",
    "nwk_s_enc_key",
    "f_nwk_s_int_key",
    PASSWORD,
];

/// The name of [`NAMES`] that is meant, however it is written: `nwk_s_key`, or `NwkSKey` as LoRaWAN's specification has it.
#[must_use]
pub fn named(text: &str) -> Option<&'static str> {
    NAMES.into_iter().find(|name| letters(name).eq(letters(text)))
}

fn letters(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_meant_by_either_spelling() {
        for (name, specified) in [
            ("nwk_s_key", "NwkSKey"),
            ("app_s_key", "AppSKey"),
            ("app_key", "AppKey"),
            ("nwk_key", "NwkKey"),
            ("s_nwk_s_int_key", "SNwkSIntKey"),
            ("nwk_s_enc_key", "NwkSEncKey"),
            ("f_nwk_s_int_key", "FNwkSIntKey"),
            ("key", "Key"),
            ("password", "PASSWORD"),
        ] {
            assert_eq!((named(name), named(specified)), (Some(name), Some(name)));
        }
        for other in ["", "_", "nwk", "NwkSKeys", "key 1"] {
            assert_eq!(named(other), None, "{other:?}");
        }
    }
}
