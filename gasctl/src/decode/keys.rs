// SPDX-License-Identifier: MIT OR Apache-2.0
//! The keys that are given: one of a meter, or several by their names. None of them is ever said again.

use std::path::Path;

use gasd_meters::lorawan::Keys as Session;
use gasd_meters::wmbus::Key;

use crate::cli::Secret;
use crate::fail::Failure;

/// The names of LoRaWAN's keys.
const NAMES: [&str; 7] =
    ["NwkSKey", "AppSKey", "FNwkSIntKey", "SNwkSIntKey", "NwkSEncKey", "AppKey", "NwkKey"];

/// What may be opened.
#[derive(Default)]
pub struct Keys {
    /// The meter's own key.
    pub meter: Option<Key>,
    /// The keys of a LoRaWAN session.
    pub session: Option<Session>,
    /// The keys of a LoRaWAN device, which joins with them: AppKey, NwkKey.
    pub device: Vec<Key>,
}

impl Keys {
    /// Those of `--key`, or of a file.
    ///
    /// # Errors
    /// [`Failure::Usage`], which repeats nothing that may be part of a key.
    pub fn given(typed: &[Secret], file: Option<&Path>) -> Result<Keys, Failure> {
        let text = match file {
            Some(file) => std::fs::read_to_string(file)
                .map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?,
            None => typed.iter().map(|secret| format!("{}\n", secret.0)).collect(),
        };
        Self::read(&text).map_err(Failure::Usage)
    }

    /// Those of a text: a key, or NAME = KEY a line; `#` before what is said about them.
    fn read(text: &str) -> Result<Keys, String> {
        let mut named: [Option<Key>; NAMES.len()] = Default::default();
        let mut keys = Keys::default();
        for line in text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
            if line.is_empty() {
                continue;
            }
            let (name, digits) = line.split_once('=').map_or((None, line), |(name, key)| (Some(name), key));
            let key = Key::from_hex(digits.trim()).ok_or("a key is 32 hexadecimal digits")?;
            let place = match name {
                None => &mut keys.meter,
                Some(name) => {
                    let known = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name.trim()));
                    let known = known.ok_or_else(|| {
                        format!("what stands before = is no name of a key; there is: {}", NAMES.join(", "))
                    })?;
                    &mut named[known]
                }
            };
            if place.replace(key).is_some() {
                return Err("the same key is given twice".to_owned());
            }
        }
        let [network, application, forwarding, serving, encryption, app, nwk] = named;
        keys.device = app.into_iter().chain(nwk).collect();
        keys.session = match (network, forwarding, serving, encryption) {
            (None, None, None, None) if application.is_none() => None,
            (Some(network), None, None, None) => Some(Session::V1_0 { network, application }),
            (None, Some(forwarding), Some(serving), Some(encryption)) => {
                Some(Session::V1_1 { forwarding, serving, encryption, application })
            }
            _ => {
                return Err("a session of LoRaWAN 1.0 has NwkSKey, one of 1.1 FNwkSIntKey, SNwkSIntKey and \
                            NwkSEncKey: without them no MIC can be checked; AppSKey is for the payload"
                    .to_owned());
            }
        };
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "000102030405060708090A0B0C0D0E0F";

    #[test]
    fn keys_are_told_apart_by_their_names() {
        let keys = Keys::read(A).unwrap();
        assert!(keys.meter.is_some() && keys.session.is_none() && keys.device.is_empty());
        let keys =
            Keys::read(&format!("# mine\nnwkskey = {A}\nAppSKey={A} # payload\nAppKey={A}\n")).unwrap();
        assert!(matches!(keys.session, Some(Session::V1_0 { application: Some(_), .. })));
        assert!(keys.meter.is_none() && keys.device.len() == 1);
        let text = format!("FNwkSIntKey={A}\nSNwkSIntKey={A}\nNwkSEncKey={A}\nNwkKey={A}");
        assert!(matches!(Keys::read(&text).unwrap().session, Some(Session::V1_1 { application: None, .. })));
        assert!(Keys::read("").unwrap().meter.is_none());
    }

    #[test]
    fn what_is_wrong_is_said_without_the_key() {
        for (text, words) in [
            (format!("AppSKey={A}"), "no MIC can be checked"),
            (format!("NwkSKey={A}\nNwkSEncKey={A}"), "no MIC can be checked"),
            (format!("{A}={A}"), "there is: NwkSKey, AppSKey, "),
            (format!("NwkSKey={A}0"), "32 hexadecimal digits"),
            (format!("{A}\n{A}"), "twice"),
        ] {
            let said = Keys::read(&text).err().unwrap();
            assert!(said.contains(words) && !said.contains("0001"), "{said}");
        }
    }
}
