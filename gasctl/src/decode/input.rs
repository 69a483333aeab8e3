// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the bytes come from: typed, a file, or standard input; as text or as they are.

use std::io::Read;
use std::path::Path;

use gasd_meters::lorawan::base64;

use crate::fail::Failure;

/// Frames are short; a capture of a day at 2400 baud has 20 MB.
const MOST: u64 = 64 * 1024 * 1024;

/// What is said of a text without bytes.
const NOTHING: &str = "there is no byte";

/// How bytes may be written; each has those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// In hexadecimal digits.
    Hexadecimal,
    /// As the JSON of a packet forwarder, which is what it is.
    Json,
    /// In base64, as such JSON has it.
    Base64,
}

/// The bytes that the argument means.
///
/// # Errors
/// [`Failure::Usage`] names what is wrong, and where; [`Failure::Undecoded`] of a file that is empty.
pub fn bytes(argument: &str, form: Text) -> Result<Vec<u8>, Failure> {
    if argument == "-" {
        return read(std::io::stdin().lock(), "standard input", form);
    }
    // What is hexadecimal and the name of a file is a file.
    if Path::new(argument).exists() {
        let file = std::fs::File::open(argument).map_err(|error| usage(format!("{argument}: {error}")))?;
        return read(file, argument, form);
    }
    written(argument, form).map_err(|wrong| {
        usage(format!(
            "\"{argument}\" is no file, and no hexadecimal bytes: {wrong}; write e.g. `gasctl decode 68AA...16`, a \
             file's name, or - for standard input"
        ))
    })
}

fn read(from: impl Read, name: &str, form: Text) -> Result<Vec<u8>, Failure> {
    let mut all = Vec::new();
    from.take(MOST + 1).read_to_end(&mut all).map_err(|error| usage(format!("{name}: {error}")))?;
    if all.len() as u64 > MOST {
        return Err(usage(format!("{name} has more than 64 MiB; cut it into pieces")));
    }
    // A capture is what it is; a text that is no hexadecimal all through is taken for one, too. An editor's mark of UTF-8
    // before a text is none of it.
    let text = std::str::from_utf8(&all).ok().map(|text| text.strip_prefix('\u{feff}').unwrap_or(text));
    let text = text.filter(|text| text.chars().all(is_text));
    match text.map(|text| written(text, form)) {
        Some(Ok(bytes)) => Ok(bytes),
        // Where a capture is empty nothing was typed wrong.
        Some(Err(wrong)) if wrong == NOTHING => Err(Failure::Undecoded(format!("{name}: {wrong} in it"))),
        Some(Err(wrong)) => Err(usage(format!("{name}: {wrong}"))),
        None => Ok(all),
    }
}

/// Text in one of the forms; what is wrong is said of the first.
fn written(text: &str, form: Text) -> Result<Vec<u8>, String> {
    let trimmed = text.trim();
    if form != Text::Hexadecimal && trimmed.starts_with('{') {
        return Ok(trimmed.as_bytes().to_vec());
    }
    hexadecimal(text).or_else(|wrong| {
        let decoded = (form == Text::Base64).then(|| base64::decode(trimmed)).flatten();
        decoded.filter(|bytes| !bytes.is_empty()).ok_or(wrong)
    })
}

fn is_text(c: char) -> bool {
    !c.is_control() || c.is_ascii_whitespace()
}

/// Hexadecimal text: white space, `:`, `-`, `,` and `0x` between bytes, `#` before what is said about them.
fn hexadecimal(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let code = line.split('#').next().unwrap_or_default().replace("0x", " ").replace("0X", " ");
        let mut half = None;
        for c in code.chars() {
            let digit = match c.to_digit(16) {
                Some(digit) => digit as u8,
                None if c.is_whitespace() || ":-,;|_".contains(c) => {
                    if half.is_some() {
                        return Err(format!("line {number}: half a byte before `{}`", c.escape_debug()));
                    }
                    continue;
                }
                None => return Err(format!("line {number}: `{}` is no hexadecimal digit", c.escape_debug())),
            };
            match half.take() {
                None => half = Some(digit),
                Some(high) => bytes.push(high << 4 | digit),
            }
        }
        if half.is_some() {
            return Err(format!("line {number}: half a byte at its end"));
        }
    }
    if bytes.is_empty() { Err(NOTHING.to_owned()) } else { Ok(bytes) }
}

fn usage(text: String) -> Failure {
    Failure::Usage(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_people_write_them() {
        let want = Ok(vec![0x68, 0xAA, 0x01]);
        for text in ["68AA01", "68 aa 01", "0x68,0xAA,0x01", "68:AA:01", "68 AA # wake\n01\n", "68-AA-01\r\n"]
        {
            assert_eq!(hexadecimal(text), want, "{text}");
        }
    }

    #[test]
    fn base64_is_read_where_it_is_awaited_and_digits_are_digits() {
        assert_eq!(written("QPF9vkk=", Text::Base64), Ok(vec![0x40, 0xF1, 0x7D, 0xBE, 0x49]));
        assert_eq!(written("40F17DBE", Text::Base64), Ok(vec![0x40, 0xF1, 0x7D, 0xBE]));
        assert!(written("QPF9vkk=", Text::Json).is_err() && written("{}", Text::Hexadecimal).is_err());
        assert!(written("", Text::Base64).is_err());
    }

    #[test]
    fn what_is_none_is_named_with_its_line() {
        for (text, wrong) in [
            ("", "there is no byte"),
            ("68\n6G", "line 2: `G` is no hexadecimal digit"),
            ("68A", "line 1: half a byte at its end"),
            ("68 A 01", "line 1: half a byte before ` `"),
        ] {
            assert_eq!(hexadecimal(text), Err(wrong.to_owned()));
        }
        let said = bytes("/nowhere/at-all", Text::Json).unwrap_err().to_string();
        assert!(said.contains("is no file, and no hexadecimal bytes: line 1: `/` is no"), "{said}");
    }

    #[test]
    fn a_file_is_text_or_what_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, content).unwrap();
            bytes(path.to_str().unwrap(), Text::Json)
        };
        assert_eq!(file("text", b"68 16\n").unwrap(), [0x68, 0x16]);
        assert_eq!(file("raw", &[0x68, 0xFE, 0x00, 0x16]).unwrap(), [0x68, 0xFE, 0x00, 0x16]);
        assert_eq!(file("json", b" {\"rxpk\":[]}\n").unwrap(), b"{\"rxpk\":[]}");
        assert_eq!(
            file("mark", b"\xEF\xBB\xBF68 16\n").unwrap(),
            [0x68, 0x16],
            "what an editor puts before a text"
        );
        for empty in [&b""[..], b"# nothing was heard\n", b"\xEF\xBB\xBF"] {
            assert_eq!(file("empty", empty).unwrap_err().status(), 1);
        }
        assert!(file("prose", b"no frames here\n").unwrap_err().to_string().contains("line 1"));
    }
}
