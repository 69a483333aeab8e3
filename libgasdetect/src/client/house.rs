// SPDX-License-Identifier: MIT OR Apache-2.0
//! What gasd has: meters, valves and verdicts that wait, as `GetManagedObjects` lists them.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::io;
use std::sync::Arc;

use gasd_abi::stream::{POSITIONS, SEVERITIES, VERDICT_KINDS, code};

use crate::abi::text::c_string;
use crate::sdbus::{Message, Value};

/// A meter or valve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its id.
    pub id: Arc<CString>,
    /// Names it in records.
    pub key: u64,
    /// Its object.
    pub path: String,
}

/// A valve and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Valve {
    /// Which.
    pub named: Named,
    /// A `gasd_position`.
    pub position: u32,
    /// "ok", or what is wrong.
    pub health: String,
}

/// A verdict with its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Its number.
    pub id: u64,
    /// Id of its meter.
    pub meter: Arc<CString>,
    /// A `gasd_kind`.
    pub kind: u32,
    /// A `gasd_severity`.
    pub severity: u32,
    /// When it began.
    pub start_ns: u64,
    /// When it was decided.
    pub decided_ns: u64,
    /// Its meter is played.
    pub simulated: bool,
    /// What was found.
    pub text: CString,
    /// What it rests on.
    pub evidence: CString,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct House {
    /// The meters.
    pub meters: Vec<Named>,
    /// The valves.
    pub valves: Vec<Valve>,
    /// Verdicts that nobody acknowledged yet.
    pub verdicts: BTreeMap<u64, Arc<Words>>,
}

/// Properties of one interface, as far as they are used.
#[derive(Default)]
struct Bag {
    texts: BTreeMap<String, String>,
    numbers: BTreeMap<String, u64>,
}

impl Bag {
    fn read(message: &mut Message) -> io::Result<Bag> {
        let mut bag = Bag::default();
        message.properties(|name, value| match value {
            Value::Text(text) => drop(bag.texts.insert(name.to_owned(), text)),
            Value::Number(number) => drop(bag.numbers.insert(name.to_owned(), number)),
            Value::Bool(yes) => drop(bag.numbers.insert(name.to_owned(), u64::from(yes))),
            Value::Real(_) | Value::Other => {}
        })?;
        Ok(bag)
    }

    fn text(&self, name: &str) -> &str {
        self.texts.get(name).map_or("", String::as_str)
    }

    fn number(&self, name: &str) -> u64 {
        self.numbers.get(name).copied().unwrap_or(0)
    }

    fn named(&self, path: &str) -> Named {
        Named { id: Arc::new(c_string(self.text("Id"))), key: self.number("Key"), path: path.to_owned() }
    }

    fn words(&self) -> Words {
        Words {
            id: self.number("Id"),
            meter: Arc::new(c_string(self.text("Meter"))),
            // The lists have a handful of names.
            kind: code(&VERDICT_KINDS, self.text("Kind")) as u32,
            severity: code(&SEVERITIES, self.text("Severity")) as u32,
            start_ns: self.number("Start"),
            decided_ns: self.number("Decided"),
            simulated: self.number("Simulated") != 0,
            text: c_string(self.text("Text")),
            evidence: c_string(self.text("Evidence")),
        }
    }
}

impl Words {
    /// Of the signal `VerdictAdded`.
    ///
    /// # Errors
    /// When the message has another shape.
    pub fn of_signal(message: &mut Message) -> io::Result<Words> {
        message.skip(c"o")?;
        let words = Bag::read(message)?.words();
        if words.id == 0 { Err(io::Error::from(io::ErrorKind::InvalidData)) } else { Ok(words) }
    }
}

impl House {
    /// Of the answer to `GetManagedObjects`.
    ///
    /// # Errors
    /// When the message has another shape.
    pub fn of(message: &mut Message) -> io::Result<House> {
        let mut house = House::default();
        message.enter(b'a', c"{oa{sa{sv}}}")?;
        while message.enter(b'e', c"oa{sa{sv}}")? {
            let path = message.str(b'o')?;
            message.enter(b'a', c"{sa{sv}}")?;
            while message.enter(b'e', c"sa{sv}")? {
                let interface = message.str(b's')?;
                house.take(&path, &interface, message)?;
                message.exit()?;
            }
            message.exit()?;
            message.exit()?;
        }
        message.exit()?;
        Ok(house)
    }

    fn take(&mut self, path: &str, interface: &str, message: &mut Message) -> io::Result<()> {
        match interface {
            "io.gasd1.Meter" => self.meters.push(Bag::read(message)?.named(path)),
            "io.gasd1.Valve" => {
                let bag = Bag::read(message)?;
                let position = code(&POSITIONS, bag.text("Position")) as u32;
                self.valves.push(Valve {
                    named: bag.named(path),
                    position,
                    health: bag.text("Health").to_owned(),
                });
            }
            "io.gasd1.Verdict" => {
                let words = Bag::read(message)?.words();
                // Without a number it can be told from no other.
                if words.id != 0 {
                    self.verdicts.insert(words.id, Arc::new(words));
                }
            }
            _ => message.skip(c"a{sv}")?,
        }
        Ok(())
    }

    /// What changed of a valve, out of `PropertiesChanged`.
    ///
    /// # Errors
    /// When the message has another shape.
    pub fn valve_changed(&mut self, path: &str, message: &mut Message) -> io::Result<()> {
        message.skip(c"s")?;
        let bag = Bag::read(message)?;
        if let Some(valve) = self.valves.iter_mut().find(|valve| valve.named.path == path) {
            if let Some(position) = bag.texts.get("Position") {
                valve.position = code(&POSITIONS, position) as u32;
            }
            if let Some(health) = bag.texts.get("Health") {
                valve.health.clone_from(health);
            }
        }
        Ok(())
    }

    /// The stream, which is ahead of the bus, says where a valve is.
    pub fn valve_moved(&mut self, key: u64, position: u32, fault: bool) {
        if let Some(valve) = self.valves.iter_mut().find(|valve| valve.named.key == key) {
            valve.position = position;
            if fault == (valve.health == "ok") {
                valve.health = if fault { "not told yet" } else { "ok" }.to_owned();
            }
        }
    }

    /// A meter by its id.
    pub fn meter(&self, id: &str) -> Option<&Named> {
        self.meters.iter().find(|meter| meter.id.as_bytes() == id.as_bytes())
    }

    /// A valve by its id.
    pub fn valve(&self, id: &str) -> Option<&Valve> {
        self.valves.iter().find(|valve| valve.named.id.as_bytes() == id.as_bytes())
    }
}
