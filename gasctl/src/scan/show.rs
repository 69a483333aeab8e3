// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a search prints: meters on standard output, and how far it is on a terminal beside it.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Instant;

use gasd_ports::examine::Setting;
use serde_json::{Value, json};

use super::{End, Found};
use crate::cli::ScanArgs;
use crate::fail::Failure;
use crate::output::{Output, Style};
use crate::setup::layers;

/// Columns that a line about progress takes at most.
const WIDTH: usize = 78;

/// What is shown.
pub struct Show<'a> {
    out: &'a Output,
    quiet: bool,
    /// Whether somebody watches.
    watched: bool,
    began: Instant,
    setting: Option<Setting>,
    asking: String,
    /// Something was asked.
    asked: bool,
    /// A line about progress stands on the terminal.
    drawn: bool,
    found: Vec<Found>,
}

impl<'a> Show<'a> {
    /// Nothing yet.
    pub fn new(args: &ScanArgs, out: &'a Output) -> Self {
        Self {
            out,
            quiet: args.quiet,
            watched: !out.json && !args.quiet && std::io::stderr().is_terminal(),
            began: Instant::now(),
            setting: None,
            asking: String::new(),
            asked: false,
            drawn: false,
            found: Vec::new(),
        }
    }

    /// What was found so far.
    pub fn found(&self) -> &[Found] {
        &self.found
    }

    /// Says what is going to happen.
    pub fn begin(&self, text: &str) {
        if !self.out.json && !self.quiet {
            self.out.say(text);
        }
    }

    /// The line is set so from now on.
    pub fn setting(&mut self, setting: Setting) -> Result<(), Failure> {
        self.setting = Some(setting);
        self.asking.clear();
        if self.out.json && !self.quiet {
            let (baud, parity) = (setting.baud, setting.parity.name());
            self.out.object(&json!({ "event": "setting", "baud": baud, "parity": parity }))?;
        }
        self.draw();
        Ok(())
    }

    /// This is asked now.
    pub fn asking(&mut self, what: &str) -> Result<(), Failure> {
        what.clone_into(&mut self.asking);
        self.asked = true;
        if self.out.json && !self.quiet {
            self.out.object(&json!({ "event": "asking", "what": what }))?;
        }
        self.draw();
        Ok(())
    }

    /// Somebody was found.
    pub fn found_one(&mut self, found: Found) -> Result<(), Failure> {
        self.clear();
        if self.out.json {
            self.out.object(&object(&found))?;
        } else {
            self.out.line(&self.out.paint(&line(&found), Style::Plain))?;
        }
        self.found.push(found);
        self.draw();
        Ok(())
    }

    /// Somebody is slow, or slower than was said when he was found.
    pub fn slow(&mut self, protocol: &str, address: Option<&str>, ns: u64) -> Result<(), Failure> {
        let is = |found: &&mut Found| found.protocol == protocol && found.address.as_deref() == address;
        // One that is found by another address, as those of M-Bus, is slow at that one.
        if let Some(found) = self.found.iter_mut().find(is) {
            found.slow_ns = found.slow_ns.max(Some(ns));
        }
        if self.out.json && !self.quiet {
            let seconds = ns as f64 / 1e9;
            self.out.object(
                &json!({ "event": "slow", "protocol": protocol, "address": address, "seconds": seconds }),
            )?;
        }
        Ok(())
    }

    /// Time has passed.
    pub fn tick(&mut self) {
        self.draw();
    }

    /// It is over.
    pub fn end(&mut self, end: &End, text: Option<&str>, written: Option<&Path>) -> Result<(), Failure> {
        self.clear();
        if self.out.json {
            return self.out.object(&json!({
                "event": "done", "ended": end.name(), "found": self.found.len(), "toml": text, "written": written,
            }));
        }
        if self.quiet {
            return Ok(());
        }
        match end {
            End::All => {}
            // The error that comes now says it all.
            End::Broken(_) if !self.asked => {}
            End::Interrupted => self.out.say("interrupted: not all was asked"),
            End::TimedOut => self.out.say("the time is over: not all was asked"),
            End::Broken(_) => self.out.say("broken off: not all was asked"),
        }
        let Some(text) = text else { return Ok(()) };
        if let Some(file) = written {
            self.out.line(&format!("{}: written", file.display()))?;
            if layers::is_read(file) {
                self.out.line("Next: systemctl reload gasd, then gasctl status")?;
            }
            return Ok(());
        }
        self.out.line("")?;
        self.out.bytes(text.as_bytes())
    }

    fn draw(&mut self) {
        if !self.watched {
            return;
        }
        let text = progress(self.setting, &self.asking, self.found.len(), self.began.elapsed().as_secs());
        let mut screen = std::io::stderr().lock();
        // Where nobody looks any more nothing is lost.
        let _ = write!(screen, "\r\x1b[2K{text}");
        let _ = screen.flush();
        self.drawn = true;
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let mut screen = std::io::stderr().lock();
            let _ = write!(screen, "\r\x1b[2K");
            let _ = screen.flush();
        }
    }
}

/// How far it is, on one line.
fn progress(setting: Option<Setting>, asking: &str, found: usize, seconds: u64) -> String {
    let colon = if asking.is_empty() { "" } else { ": " };
    let setting = setting.map(|setting| format!("{setting}{colon}")).unwrap_or_default();
    let tail = format!("  {found} found, {}:{:02}", seconds / 60, seconds % 60);
    let head = format!("{setting}{asking}").replace(char::is_control, " ");
    let room = WIDTH.saturating_sub(tail.chars().count());
    let head: String = if head.chars().count() > room {
        head.chars().take(room.saturating_sub(1)).chain(['…']).collect()
    } else {
        head
    };
    head + &tail
}

/// One meter on one line.
fn line(found: &Found) -> String {
    let address = found.address.as_deref().unwrap_or("?");
    let mut line = format!("{:<7}  {address:<18}  {}", found.protocol, found.words);
    if let Some(setting) = found.setting {
        line += &format!(" ({setting})");
    }
    if let Some(meter) = &found.configured {
        line += &format!(" (is meter \"{meter}\")");
    }
    line.trim_end().to_owned()
}

fn object(found: &Found) -> Value {
    let Found { protocol, address, words, keys, setting, configured, .. } = found;
    json!({
        "event": "found", "protocol": protocol, "address": address, "words": words, "keys": keys,
        "baud": setting.map(|setting| setting.baud), "parity": setting.map(|setting| setting.parity.name()),
        "configured": configured,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use gasd_ports::wire::Parity;

    const SETTING: Setting = Setting { baud: 2_400, parity: Parity::Even };

    #[test]
    fn progress_fits_on_a_line_and_says_what_how_many_and_how_long() {
        let text = progress(Some(SETTING), "M-Bus, address 5", 2, 75);
        assert_eq!(text, "2400 baud 8E1: M-Bus, address 5  2 found, 1:15");
        assert_eq!(progress(Some(SETTING), "", 0, 0), "2400 baud 8E1  0 found, 0:00");
        let long = progress(Some(SETTING), &"x\u{1b}[2J".repeat(50), 0, 3_600);
        assert_eq!(long.chars().count(), WIDTH);
        assert!(long.ends_with("…  0 found, 60:00") && !long.contains('\u{1b}'), "{long}");
    }

    #[test]
    fn a_meter_is_one_line_and_one_object() {
        let found = Found {
            protocol: "cjt188".into(),
            address: Some("33780012345678".into()),
            words: "gas, 12.34 m³".into(),
            keys: String::new(),
            setting: Some(SETTING),
            ..Found::default()
        };
        assert_eq!(line(&found), "cjt188   33780012345678      gas, 12.34 m³ (2400 baud 8E1)");
        assert_eq!(object(&found)["parity"], "even");
        let several = Found { address: None, ..found.clone() };
        assert!(line(&several).starts_with("cjt188   ?   "), "{}", line(&several));
        let known = Found { setting: None, configured: Some("flat".into()), ..found };
        assert!(line(&known).ends_with("gas, 12.34 m³ (is meter \"flat\")"));
        assert_eq!(object(&known)["baud"], Value::Null);
    }
}
