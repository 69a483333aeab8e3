// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tables that configure what was found.
//!
//! What a search cannot know is not guessed: a meter that needs more keys than its address stands there as a remark, with
//! what is missing.

use std::path::Path;

use gasd_meters::drive::scan::TWICE;
use gasd_ports::examine::Setting;
use gasd_ports::wire::Parity;

use super::Found;
use super::slow;
use crate::fail::Failure;
use crate::output::Output;
use crate::port::Own;
use crate::setup::{install, layers, quoted};

/// Where devices have names that stay the same.
const BY_ID: &str = "/dev/serial/by-id";

/// The port of the meters that were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortTable {
    /// gasd has it, by this id.
    Known(String),
    /// It is to be configured.
    New {
        /// Its id.
        id: String,
        /// The keys that say where it is.
        line: String,
        /// As it was named.
        named: String,
    },
}

impl PortTable {
    /// A port of one's own, at the setting at which somebody answered.
    pub fn new(own: &Own, setting: Option<Setting>) -> Self {
        match own {
            Own::Device(path) => {
                let device = stable(path, Path::new(BY_ID));
                let mut line = format!("device = {}", quoted(&device));
                if let Some(Setting { baud, parity }) = setting {
                    line += &format!(", baud = {baud}");
                    if parity != Parity::default() {
                        line += &format!(", parity = \"{}\"", parity.name());
                    }
                }
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let named = path.display().to_string();
                PortTable::New { id: id(&[&name]), line: format!("serial = {{ {line} }}"), named }
            }
            Own::Server(address) => {
                // The server's speed is known to whoever set it.
                let line = format!(
                    "tcp = {{ address = {}, baud = 2400 }}  # baud: as the server is set",
                    quoted(address)
                );
                PortTable::New { id: id(&[address]), line, named: address.clone() }
            }
        }
    }

    fn id(&self) -> &str {
        match self {
            PortTable::Known(id) | PortTable::New { id, .. } => id,
        }
    }

    /// As somebody names it.
    pub fn named(&self) -> &str {
        match self {
            PortTable::Known(id) => id,
            PortTable::New { named, .. } => named,
        }
    }
}

/// The name of a device that stays the same, where it has one.
fn stable(device: &Path, names: &Path) -> String {
    let real = device.canonicalize().ok();
    let entries = std::fs::read_dir(names).into_iter().flatten().flatten();
    let same = entries
        .map(|entry| entry.path())
        .filter(|path| real.is_some() && path.canonicalize().ok() == real)
        .min();
    same.unwrap_or_else(|| device.to_owned()).display().to_string()
}

/// An id of the parts: what no id may have becomes `-`.
fn id(parts: &[&str]) -> String {
    let good = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '-' };
    let id: String = parts.join("-").chars().map(good).take(64).collect();
    let id = id.trim_matches('-').to_owned();
    if id.is_empty() { "port".to_owned() } else { id }
}

/// The text of a file that configures what was found and is not configured yet; `None` where that is nothing.
pub fn toml(scanned: &str, port: &PortTable, found: &[Found]) -> Option<String> {
    let mut ids: Vec<String> = Vec::new();
    let mut meters = String::new();
    for found in found.iter().filter(|found| found.configured.is_none()) {
        let Some(address) = &found.address else { continue };
        let mut id = id(&[&found.protocol, address]);
        while ids.contains(&id) {
            id = self::id(&[&id.chars().take(61).collect::<String>(), "x"]);
        }
        meters += &meter(&id, port.id(), address, found);
        ids.push(id);
    }
    if ids.is_empty() {
        return None;
    }
    let scanned = remark(scanned);
    let mut text = format!(
        "# Found by `gasctl scan {scanned}`; yours to change. What every key means: gasd.toml(5).\n\
         # Check `readings` of each meter: `every` is how often it is read, `resolution` the smallest step of its register.\n"
    );
    let answer = slow::answer(found);
    match port {
        PortTable::New { id, line, .. } => {
            text += &format!("\n[[port]]\nid = {}\n{line}\n{}", quoted(id), answer.unwrap_or_default());
        }
        PortTable::Known(id) => {
            if let Some(answer) = answer {
                text +=
                    &format!("\n# In the [[port]] {}, which waits too short a time:\n# {answer}", quoted(id));
            }
        }
    }
    Some(text + &meters)
}

/// What to do where somebody answers whose address is not known; `None` where nobody does.
pub fn unnamed(found: &[Found]) -> Option<&'static str> {
    let mut unnamed = found.iter().filter(|found| found.address.is_none()).peekable();
    unnamed.peek()?;
    if unnamed.all(|found| found.words.starts_with(TWICE)) {
        return Some(
            "Where one address answers twice, take one of the meters that may have it off the line and search again: if it \
             answers once then, two have it, and one needs another address; if not, a repeater or converter sends each answer \
             twice",
        );
    }
    found.iter().any(|found| found.address.is_none()).then_some(
        "Where several answer at once no address can be found out, and with CJ/T 188 there is no other way to ask: \
         connect one meter at a time and search again, or take the addresses from the labels and let gasd try each, as \
         `device = { protocol = \"auto\", address = \"...\" }` of a [[meter]] on this port",
    )
}

fn meter(id: &str, port: &str, address: &str, found: &Found) -> String {
    let Found { protocol, words, keys, .. } = found;
    let needs = needs(protocol, keys);
    let known = Some(remark(keys))
        .filter(|keys| !keys.is_empty())
        .map(|keys| format!(", {keys}"))
        .unwrap_or_default();
    let further = known + &needs.map(|(keys, _)| format!(", {keys}")).unwrap_or_default();
    let every = if ["wmbus", "lorawan", "lwm2m"].contains(&protocol.as_str()) { "1 h" } else { "15 min" };
    let table = format!(
        "[[meter]]\nid = {}\nport = {}\ndevice = {{ protocol = {}, address = {}{further} }}\n\
         readings = {{ every = \"{every}\", resolution = \"10 L\" }}\n",
        quoted(id),
        quoted(port),
        quoted(protocol),
        quoted(address),
    );
    let words = remark(words);
    match needs {
        None => format!("\n# {words}\n{table}"),
        Some((_, missing)) => {
            let table: String = table.lines().map(|line| format!("# {line}\n")).collect();
            format!("\n# {words}\n# Not complete: {missing}. Fill it in and take the # away.\n{table}")
        }
    }
}

/// Keys that a meter of the protocol needs beside its address, as an example, and what they are.
fn needs(protocol: &str, keys: &str) -> Option<(&'static str, &'static str)> {
    Some(match protocol {
        "dlt645" if keys.contains("1997") => {
            ("register = \"9010\"", "`register` is the identifier of its volume, from its manual")
        }
        "dlt645" => {
            ("register = \"00010000\"", "`register` is the identifier of its volume, from its manual")
        }
        "modbus" => (
            "registers = [{ quantity = \"volume\", address = 100, type = \"u32\", scale = \"0.001\", unit = \"m3\" }]",
            "`registers` is what its registers mean, from its manual",
        ),
        "lorawan" => (
            "payload = \"ugm\", key_file = \"/etc/gasd/keys/NAME\"",
            "`payload` is what it sends, `key_file` holds its keys",
        ),
        "lwm2m" => ("register = \"3424/0/1\"", "`register` is object, instance and resource of its volume"),
        _ => return None,
    })
}

/// Text from outside, on one line.
fn remark(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Whether the tables may go into this file.
///
/// # Errors
/// [`Failure::Refused`] where it is there, [`Failure::Usage`] where gasd would pass it over, [`Failure::Missing`] where its
/// directory is not there.
pub fn is_writable(file: &Path) -> Result<(), Failure> {
    if file.symlink_metadata().is_ok() {
        return Err(Failure::Refused(format!("{} is there already and is not replaced", file.display())));
    }
    if layers::is_passed_over(file) {
        return Err(Failure::Usage(format!(
            "{}: gasd reads only files in conf.d that end in .toml and begin with no dot",
            file.display()
        )));
    }
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A new one would hold a file that nobody reads; only gasd's own drop-ins may be the first ones there.
    if !dir.is_dir() && dir.file_name().is_none_or(|name| name != layers::DROP_INS) {
        return Err(Failure::Missing(format!(
            "cannot write {}: there is no directory {}; make it, or correct the path (gasd reads /etc/gasd/conf.d)",
            file.display(),
            dir.display()
        )));
    }
    Ok(())
}

/// Has gasd check the file where it is installed, and puts it into place.
///
/// # Errors
/// As [`install::stage`].
pub fn write(file: &Path, text: &str, out: &Output) -> Result<(), Failure> {
    is_writable(file)?;
    let staged = install::stage_if_checked(file, text)?;
    if !out.json {
        staged.warnings.iter().for_each(|warning| out.say(&format!("note: {warning}")));
    }
    staged.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(protocol: &str, address: &str) -> Found {
        let words = format!("a {protocol}\n[[valve]] that says \u{1b}[2J");
        Found { protocol: protocol.into(), address: Some(address.into()), words, ..Found::default() }
    }

    fn device(parity: Parity) -> PortTable {
        PortTable::new(&Own::Device("/dev/ttyUSB0".into()), Some(Setting { baud: 9_600, parity }))
    }

    #[test]
    fn what_is_complete_is_configuration_that_gasd_takes() {
        let all = [
            found("cjt188", "33780012345678"),
            Found { keys: "type = 0x31".into(), ..found("cjt188", "33780012345679") },
            Found { address: None, ..found("cjt188", "") },
            found("mbus", "5"),
            found("mbus", "12345678.ELS.33.03"),
            found("hart", "0"),
            found("dlt645", "001122334455"),
            found("modbus", "7"),
        ];
        let text = toml("/dev/ttyUSB0", &device(Parity::None), &all).unwrap();
        let config = gasd::config::parse("50-x.toml", &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!((config.ports.len(), config.meters.len(), config.valves.len()), (1, 5, 0));
        assert_eq!(config.ports[0].line.place(), "/dev/ttyUSB0, 9600 baud 8N1");
        assert!(text.contains("\n# device = { protocol = \"modbus\", address = \"7\", registers"), "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains("\n[[valve]]"), "{text}");
    }

    #[test]
    fn what_is_not_complete_is_once_it_is_filled_in() {
        let old = Found { keys: "edition = \"1997\"".into(), ..found("dlt645", "001122334456") };
        let all = [found("dlt645", "001122334455"), old, found("modbus", "7")];
        let text = toml("x", &device(Parity::Even), &all).unwrap();
        let filled: String = text
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.starts_with("[[") || rest.contains(" = ") && !rest.contains('`') => {
                    format!("{rest}\n")
                }
                _ => format!("{line}\n"),
            })
            .collect();
        let config = gasd::config::parse("50-x.toml", &filled).unwrap_or_else(|e| panic!("{e}\n{filled}"));
        assert_eq!(config.meters.len(), 3);
    }

    #[test]
    fn a_server_is_configured_too_and_a_port_of_gasds_is_only_named() {
        let server = PortTable::new(&Own::Server("192.0.2.7:4001".into()), None);
        let text = toml("192.0.2.7:4001", &server, &[found("mbus", "5")]).unwrap();
        let config = gasd::config::parse("50-x.toml", &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!(config.ports[0].id, "192-0-2-7-4001");
        let text = toml("cellar", &PortTable::Known("cellar".into()), &[found("mbus", "5")]).unwrap();
        assert!(text.contains("port = \"cellar\"") && !text.contains("[[port]]"), "{text}");
    }

    #[test]
    fn meters_that_are_configured_are_left_out_and_ids_are_their_own() {
        let known = Found { configured: Some("flat".into()), ..found("mbus", "5") };
        let port = PortTable::Known("cellar".into());
        assert_eq!(toml("cellar", &port, std::slice::from_ref(&known)), None);
        assert_eq!(toml("cellar", &port, &[]), None);
        let text = toml("cellar", &port, &[known, found("mbus", "6.7"), found("mbus", "6-7")]).unwrap();
        assert!(text.contains("id = \"mbus-6-7\"") && text.contains("id = \"mbus-6-7-x\""), "{text}");
        assert_eq!(id(&["///"]), "port");
        assert_eq!(id(&[&"x".repeat(100)]).len(), 64);
    }

    #[test]
    fn a_slow_meter_gets_a_port_that_waits_for_it() {
        let slow = |address, ns| Found { slow_ns: ns, ..found("mbus", address) };
        let all = [slow("5", Some(1_300_000_000)), slow("6", None), slow("7", Some(1_900_000_000))];
        let text = toml("x", &device(Parity::Even), &all).unwrap();
        let config = gasd::config::parse("50-x.toml", &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!(config.ports[0].answer_ns, Some(3_000_000_000), "{text}");
        let text = toml("cellar", &PortTable::Known("cellar".into()), &all).unwrap();
        assert!(text.contains("[[port]] \"cellar\"") && text.contains("\n# answer = \"3 s\""), "{text}");
        let text = toml("x", &device(Parity::Even), &[slow("5", None)]).unwrap();
        assert!(!text.contains("answer"), "{text}");
    }

    #[test]
    fn two_answers_of_one_address_have_advice_of_their_own() {
        let words = format!("{TWICE} 5: two meters have it");
        let twice = Found { address: None, words, ..found("cjt188", "") };
        assert!(unnamed(std::slice::from_ref(&twice)).unwrap().contains("repeater"));
        let several = Found { address: None, ..found("cjt188", "") };
        assert!(unnamed(&[twice, several]).unwrap().contains("labels"));
        assert_eq!(unnamed(&[found("mbus", "5")]), None);
    }

    #[test]
    fn a_device_is_named_by_the_name_that_stays() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(stable(Path::new("/dev/null"), dir.path()), "/dev/null");
        std::os::unix::fs::symlink("/dev/null", dir.path().join("usb-FTDI")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", dir.path().join("usb-Another")).unwrap();
        let name = dir.path().join("usb-FTDI").display().to_string();
        assert_eq!(stable(Path::new("/dev/null"), dir.path()), name);
    }

    #[test]
    fn a_file_that_is_there_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("50-x.toml");
        assert!(is_writable(&file).is_ok());
        std::fs::write(&file, "mine").unwrap();
        assert_eq!(is_writable(&file).unwrap_err().status(), 1);
        assert_eq!(write(&file, "# yours\n", &Output::new(true)).unwrap_err().status(), 1);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
        let hidden = dir.path().join("conf.d/.50-x.toml");
        std::fs::create_dir(hidden.parent().unwrap()).unwrap();
        assert_eq!(is_writable(&hidden).unwrap_err().status(), 2);
    }

    #[test]
    fn a_directory_that_is_not_there_is_told_before_anything_is_searched() {
        let dir = tempfile::tempdir().unwrap();
        let told = is_writable(&dir.path().join("nowhere/x.toml")).unwrap_err();
        assert_eq!(told.status(), 3);
        assert!(told.to_string().contains("there is no directory"), "{told}");
        assert!(!dir.path().join("nowhere").exists());
        assert!(is_writable(&dir.path().join("conf.d/50-x.toml")).is_ok(), "gasd's own is made");
        assert!(is_writable(Path::new("x-that-is-not-there.toml")).is_ok(), "here");
    }
}
