// SPDX-License-Identifier: MIT OR Apache-2.0
//! The keys that are given: one of a meter, or several by their names, as in gasd's files of keys. None of them is ever said
//! again.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use gasd_meters::hex;
use gasd_meters::key_name::{METER, NAMES, PASSWORD, named};
use gasd_meters::lorawan::Keys as Session;
use gasd_meters::wmbus::Key;

use crate::cli::Secret;
use crate::fail::Failure;

/// What is wrong with a text of keys, and in which line, from 1, where it is one.
#[derive(Debug)]
struct Wrong {
    line: Option<usize>,
    what: String,
}

/// What may be opened.
#[derive(Default)]
pub struct Keys {
    /// The meter's own key.
    pub meter: Option<Key>,
    /// The keys of a LoRaWAN session.
    pub session: Option<Session>,
    /// The keys of a LoRaWAN device, which joins with them: AppKey, NwkKey.
    pub device: Vec<Key>,
    /// A password is there, which opens nothing: DL/T 645 says its own in clear.
    password: bool,
}

impl Keys {
    /// Those of `--key`, or of a file.
    ///
    /// # Errors
    /// [`Failure::Usage`], which repeats nothing that may be part of a key.
    pub fn given(typed: &[Secret], file: Option<&Path>) -> Result<Keys, Failure> {
        let Some(file) = file else {
            let text: String = typed.iter().map(|secret| format!("{}\n", secret.0)).collect();
            return Self::read(&text).map_err(|wrong| Failure::Usage(wrong.what));
        };
        let named = |what: String| Failure::Usage(format!("{}: {what}", file.display()));
        let text = text(file).map_err(named)?;
        Self::read(&text).map_err(|Wrong { line, what }| match line {
            Some(line) => Failure::Usage(format!("{}, line {line}: {what}", file.display())),
            None => named(what),
        })
    }

    /// The protocols that they are of; none where there is no key.
    pub fn protocols(&self) -> Vec<&'static str> {
        let lorawan = self.session.is_some() || !self.device.is_empty();
        let meter = self.meter.is_some();
        let of = [("lorawan", lorawan), ("wmbus", meter), ("mbus", meter), ("dlt645", self.password)];
        of.into_iter().filter_map(|(protocol, is_there)| is_there.then_some(protocol)).collect()
    }

    /// Those of a text, as gasd's files of keys have them: a key, or NAME = KEY a line; `#` before what is said about them.
    fn read(text: &str) -> Result<Keys, Wrong> {
        let mut keys: BTreeMap<&'static str, Key> = BTreeMap::new();
        let mut password = false;
        for (n, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let wrong = |what: String| Wrong { line: Some(n), what };
            let (name, digits) = line.split_once('=').unwrap_or((METER, line));
            let name = named(name.trim()).ok_or_else(|| {
                wrong(format!("what stands before = is no name of a key; there is: {}", NAMES.join(", ")))
            })?;
            let digits = digits.trim();
            let digits = digits.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(digits);
            let twice = if name == PASSWORD {
                hex::parse(digits)
                    .ok_or_else(|| wrong("a password is hexadecimal digits, two for each byte".to_owned()))?;
                std::mem::replace(&mut password, true)
            } else {
                let key = Key::from_hex(digits)
                    .ok_or_else(|| wrong("a key is 32 hexadecimal digits".to_owned()))?;
                keys.insert(name, key).is_some()
            };
            if twice {
                return Err(wrong("the same key is given twice".to_owned()));
            }
        }
        let mut take = |name| keys.remove(name);
        let meter = take(METER);
        let device = [take("app_key"), take("nwk_key")].into_iter().flatten().collect();
        let application = take("app_s_key");
        let session = match (
            take("nwk_s_key"),
            take("f_nwk_s_int_key"),
            take("s_nwk_s_int_key"),
            take("nwk_s_enc_key"),
        ) {
            (None, None, None, None) if application.is_none() => None,
            (Some(network), None, None, None) => Some(Session::V1_0 { network, application }),
            (None, Some(forwarding), Some(serving), Some(encryption)) => {
                Some(Session::V1_1 { forwarding, serving, encryption, application })
            }
            _ => {
                let what = "a session of LoRaWAN 1.0 has nwk_s_key, one of 1.1 f_nwk_s_int_key, s_nwk_s_int_key and \
                         nwk_s_enc_key: without them no MIC can be checked; app_s_key is for the payload";
                return Err(Wrong { line: None, what: what.to_owned() });
            }
        };
        Ok(Keys { meter, session, device, password })
    }
}

/// Bytes that a file of keys may have.
const MOST: u64 = 64 * 1024;

/// A file's text. A device would never end, and a pipe without a writer would never begin.
fn text(path: &Path) -> Result<String, String> {
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = opened.map_err(|error| error.to_string())?;
    let about = file.metadata().map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err(format!(
            "is {} (expected a regular file with a key, or with lines NAME = KEY)",
            gasd_ports::sort::of(about.file_type())
        ));
    }
    let mut text = Vec::new();
    file.take(MOST + 1).read_to_end(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > MOST {
        return Err(format!("has more than {MOST} bytes, which no file of keys has"));
    }
    String::from_utf8(text).map_err(|_| "is no text (expected a key, or lines NAME = KEY)".to_owned())
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
    fn a_file_of_gasds_is_read_as_it_is() {
        let text = format!("nwk_s_key = {A}\napp_s_key = \"{A}\"\napp_key={A}\nnwk_key={A}\n");
        let keys = Keys::read(&text).unwrap();
        assert!(matches!(keys.session, Some(Session::V1_0 { application: Some(_), .. })));
        assert!(keys.meter.is_none() && keys.device.len() == 2);
        let text = format!("f_nwk_s_int_key = {A}\ns_nwk_s_int_key = {A}\nnwk_s_enc_key = {A}\n");
        assert!(matches!(Keys::read(&text).unwrap().session, Some(Session::V1_1 { application: None, .. })));
        assert!(Keys::read(&format!("key = {A}")).unwrap().meter.is_some());
        assert!(Keys::read("password = 00123456").unwrap().meter.is_none());
        assert!(Keys::read(&format!("nwk_s_key={A}\nNwkSKey={A}")).err().unwrap().what.contains("twice"));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_key() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("keys");
        for (text, line, words) in [
            (format!("AppSKey={A}"), None, "no MIC can be checked"),
            (format!("NwkSKey={A}\nNwkSEncKey={A}"), None, "no MIC can be checked"),
            (format!("{A}={A}"), Some(1), "there is: key, nwk_s_key, "),
            (format!("# mine\n\nNwkSKey={A}0"), Some(3), "32 hexadecimal digits"),
            (format!("{A}\n{A}"), Some(2), "twice"),
            ("password = 1".to_owned(), Some(1), "two for each byte"),
        ] {
            let said = Keys::read(&text).err().unwrap();
            assert!(said.what.contains(words) && said.line == line, "{said:?}");
            std::fs::write(&file, text).unwrap();
            let Err(Failure::Usage(told)) = Keys::given(&[], Some(&file)) else { panic!("{words}") };
            let line = line.map(|line| format!(", line {line}")).unwrap_or_default();
            assert_eq!(told, format!("{}{line}: {}", file.display(), said.what));
            assert!(!told.contains("0001"), "{told}");
        }
    }

    #[test]
    fn what_is_no_file_of_keys_is_never_read_to_its_end() {
        let told = |path: &Path| match Keys::given(&[], Some(path)) {
            Err(Failure::Usage(said)) => said,
            _ => panic!("{}", path.display()),
        };
        assert!(told(Path::new("/dev/zero")).contains("is a character device (expected a regular file"));
        let dir = tempfile::tempdir().unwrap();
        assert!(told(dir.path()).contains("is a directory"));
        let file = dir.path().join("keys");
        std::fs::write(&file, format!("{A}\n{}", "#".repeat(64 * 1024))).unwrap();
        assert!(told(&file).contains("more than 65536 bytes"));
        std::fs::write(&file, [0xFF]).unwrap();
        assert!(told(&file).contains("is no text"));
        std::fs::write(&file, A).unwrap();
        assert!(Keys::given(&[], Some(&file)).unwrap().meter.is_some());
        let pipe = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(told(&pipe).contains("is a pipe"));
    }
}
