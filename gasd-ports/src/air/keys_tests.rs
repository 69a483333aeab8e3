// SPDX-License-Identifier: MIT OR Apache-2.0
//! Key files that are right, and every way in which they are not.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use proptest::prelude::*;

use super::*;

const DIGITS: &str = "000102030405060708090A0B0C0D0E0F";

/// A file of this process that goes with its test.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, text: &[u8], mode: u32) -> Self {
        let path = std::env::temp_dir().join(format!("gasd-keys-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn parse(text: &str) -> Result<KeyFile, String> {
    KeyFile::parse(text.as_bytes(), Path::new("k")).map_err(|error| error.to_string())
}

#[test]
fn one_key_or_several() {
    for text in [DIGITS.to_owned(), format!("\n# the meter's\n  {DIGITS}  \r\n"), format!("key = {DIGITS}")] {
        let keys = parse(&text).unwrap();
        assert_eq!(keys.bytes("key").unwrap()[15], 15);
        assert_eq!(keys.wmbus("key").is_some(), keys.lorawan("key").is_some());
        assert!(keys.bytes("app_key").is_none());
    }
    let keys =
        parse(&format!("nwk_s_key={DIGITS} # network\napp_s_key = \"{DIGITS}\"\npassword = 0011")).unwrap();
    assert_eq!(keys.names().collect::<Vec<_>>(), ["nwk_s_key", "app_s_key", "password"]);
    assert_eq!(keys.lorawan("app_s_key").unwrap().expose()[1], 1);
    assert_eq!(keys.bytes("password"), Some(&[0, 0x11][..]));
    assert!(keys.wmbus("password").is_none(), "a password is no key");
    assert_eq!(format!("{keys:?}"), r#"KeyFile(["nwk_s_key", "app_s_key", "password"])"#);
}

#[test]
fn names_are_read_as_lorawan_writes_them_too() {
    let keys = parse(&format!("NwkSKey = {DIGITS}\nAppSKey={DIGITS}\n")).unwrap();
    assert!(keys.lorawan("nwk_s_key").is_some() && keys.lorawan("app_s_key").is_some());
    assert!(parse(&format!("NwkSKey = {DIGITS}\nnwk_s_key = {DIGITS}")).unwrap_err().contains("twice"));
}

#[test]
fn a_wrong_line_is_named_and_not_shown() {
    let secret = "C0FFEE";
    for (text, line, part) in [
        (format!("{secret}\n"), 1, "32 digits"),
        (format!("key = {secret}zz"), 1, "hexadecimal"),
        (format!("key = {DIGITS}\nkey = {DIGITS}"), 2, "twice"),
        (format!("\n\n{secret} = {DIGITS}"), 3, "no key has this name"),
        (format!("{DIGITS}\n{DIGITS}"), 2, "the only one"),
        (format!("app_key = {DIGITS}\n{secret}"), 2, "a name, ="),
        (format!("password = {}", secret.repeat(11)), 1, "password"),
        ("password =".to_owned(), 1, "password"),
    ] {
        let error = parse(&text).expect_err(&text);
        assert!(error.contains(&format!("line {line}: ")) && error.contains(part), "{error}");
        assert!(!error.contains(secret) && !error.contains(DIGITS), "{error}");
    }
    assert!(parse("# nothing\n").unwrap_err().starts_with("there is no key"));
    let error = KeyFile::parse(b"key = \xFF", Path::new("k")).unwrap_err().to_string();
    assert!(error.ends_with("line 1: it is no text"), "{error}");
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    for mode in [0o600, 0o640, 0o440] {
        let file = Temporary::new(&format!("right-{mode:o}"), DIGITS.as_bytes(), mode);
        assert!(KeyFile::read(&file.0).is_ok(), "{mode:o}");
    }
    for mode in [0o644, 0o602, 0o601, 0o777] {
        let file = Temporary::new(&format!("wrong-{mode:o}"), DIGITS.as_bytes(), mode);
        let error = KeyFile::read(&file.0).unwrap_err();
        assert!(matches!(error, KeyError::Open { mode: got, .. } if got == mode), "{error}");
        assert!(error.to_string().contains("chmod o="), "{error}");
    }
}

#[test]
fn what_is_no_key_file_is_refused() {
    let long = Temporary::new("long", &[b'\n'; MAX_FILE + 1], 0o600);
    assert!(matches!(KeyFile::read(&long.0), Err(KeyError::TooLong(_))));
    let just = Temporary::new("just", &[&[b'\n'; MAX_FILE - 32][..], DIGITS.as_bytes()].concat(), 0o600);
    assert!(KeyFile::read(&just.0).is_ok());
    for (path, found) in [(std::env::temp_dir(), "a directory"), ("/dev/zero".into(), "a character device")] {
        let error = KeyFile::read(&path).unwrap_err();
        assert!(matches!(error, KeyError::NoFile { found: got, .. } if got == found), "{error}");
        assert!(error.to_string().contains(&format!("is {found} (expected a regular file)")), "{error}");
    }
    let error = KeyFile::read(Path::new("/nowhere/key")).unwrap_err();
    assert!(matches!(error, KeyError::Io { .. }) && error.to_string().contains("/nowhere/key"));
}

proptest! {
    #[test]
    fn any_bytes_are_keys_or_say_why(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(error) = KeyFile::parse(&bytes, Path::new("k")) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
