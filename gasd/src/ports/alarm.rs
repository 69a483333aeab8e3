// SPDX-License-Identifier: MIT OR Apache-2.0
//! Alarm contacts of gas detectors: levels, read once a second. The rule (R9) wants an alarm to last, so
//! nothing is gained by more, and a contact that chatters counts for what it is when it is read.

use crate::config::{Config, GpioLine};

use super::gpio::{GpioError, InputLine};

/// A line that cannot be had, or read, is tried again after so many looks.
const AGAIN: u32 = 10;

/// A contact.
pub trait Contact: Send {
    /// Whether it is active now.
    ///
    /// # Errors
    /// [`GpioError`]: the line has to be requested anew.
    fn is_active(&self) -> Result<bool, GpioError>;
}

impl Contact for InputLine {
    fn is_active(&self) -> Result<bool, GpioError> {
        self.level()
    }
}

/// Requests a meter's alarm line.
pub type Opener = Box<dyn FnMut(&str, &GpioLine) -> Result<Box<dyn Contact>, GpioError> + Send>;

/// Alarm lines by the id of their meter.
pub type Wanted = Vec<(String, GpioLine)>;

/// Before a port's id: its low-power line. No meter's id has a colon.
pub const PORT: &str = "port:";

/// Those of a configuration, and the low-power lines of its ports.
#[must_use]
pub fn wanted(config: &Config) -> Wanted {
    let meters = config.meters.iter().filter_map(|meter| Some((meter.id.clone(), meter.alarm.clone()?)));
    let low =
        |port: &crate::config::PortConfig| Some((format!("{PORT}{}", port.id), port.low_power.clone()?));
    meters.chain(config.ports.iter().filter_map(low)).collect()
}

/// What there is to tell of a meter: whether its detector gives alarm, or why nobody knows.
pub type News = (String, Result<bool, String>);

struct Watched {
    meter: String,
    config: GpioLine,
    contact: Option<Box<dyn Contact>>,
    /// Looks until the next try.
    rest: u32,
    told: Option<Result<bool, String>>,
}

/// The alarm lines of a house.
pub struct Alarms {
    open: Opener,
    watched: Vec<Watched>,
}

impl Alarms {
    /// On this machine's chips.
    #[must_use]
    pub fn new() -> Self {
        Self::with(Box::new(|meter, line| {
            // Beside the label of the meter's own line.
            Ok(Box::new(InputLine::request_level(line, &format!("alarm:{meter}"))?))
        }))
    }

    /// On others.
    #[must_use]
    pub fn with(open: Opener) -> Self {
        Self { open, watched: Vec::new() }
    }

    /// Watches these lines from now on. Those that stay are not touched.
    pub fn follow(&mut self, wanted: &Wanted) {
        self.watched.retain(|old| wanted.iter().any(|(id, line)| *id == old.meter && *line == old.config));
        for (meter, config) in wanted {
            if !self.watched.iter().any(|old| old.meter == *meter) {
                let (meter, config) = (meter.clone(), config.clone());
                self.watched.push(Watched { meter, config, contact: None, rest: 0, told: None });
            }
        }
    }

    /// Reads all of them. Returns what is news.
    pub fn look(&mut self) -> Vec<News> {
        let open = &mut self.open;
        self.watched.iter_mut().filter_map(|one| one.look(open)).collect()
    }
}

impl Default for Alarms {
    fn default() -> Self {
        Self::new()
    }
}

impl Watched {
    fn look(&mut self, open: &mut Opener) -> Option<News> {
        if self.rest > 0 {
            self.rest -= 1;
            return None;
        }
        let now = self.read(open).map_err(|error| format!("its alarm line cannot be read: {error}"));
        if now.is_err() {
            (self.contact, self.rest) = (None, AGAIN);
        }
        if self.told.as_ref() == Some(&now) {
            return None;
        }
        self.told = Some(now.clone());
        Some((self.meter.clone(), now))
    }

    fn read(&mut self, open: &mut Opener) -> Result<bool, GpioError> {
        if let Some(contact) = &self.contact {
            return contact.is_active();
        }
        let contact = open(&self.meter, &self.config)?;
        let is_active = contact.is_active();
        self.contact = Some(contact);
        is_active
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    };

    use super::*;

    /// 0 open, 1 closed, anything else broken.
    struct Fake(Arc<AtomicU8>);

    impl Contact for Fake {
        fn is_active(&self) -> Result<bool, GpioError> {
            match self.0.load(Ordering::Relaxed) {
                0 => Ok(false),
                1 => Ok(true),
                _ => Err(GpioError::Gone { line: 5 }),
            }
        }
    }

    fn line(line: u32) -> GpioLine {
        GpioLine { chip: Some("gpiochip0".into()), line, active_low: false, bias: None }
    }

    fn house() -> (Alarms, Arc<AtomicU8>) {
        let level = Arc::new(AtomicU8::new(0));
        let contact = level.clone();
        let open: Opener = Box::new(move |_, _| Ok(Box::new(Fake(contact.clone()))));
        (Alarms::with(open), level)
    }

    #[test]
    fn only_news_is_told() {
        let (mut alarms, level) = house();
        alarms.follow(&vec![("kitchen".into(), line(5))]);
        assert_eq!(alarms.look(), [("kitchen".to_owned(), Ok(false))]);
        assert_eq!(alarms.look(), []);
        level.store(1, Ordering::Relaxed);
        assert_eq!(alarms.look(), [("kitchen".to_owned(), Ok(true))]);
        // The same line again is no news, another one is.
        alarms.follow(&vec![("kitchen".into(), line(5))]);
        assert_eq!(alarms.look(), []);
        alarms.follow(&vec![("kitchen".into(), line(6)), ("cellar".into(), line(7))]);
        assert_eq!(alarms.look().len(), 2);
        alarms.follow(&Vec::new());
        assert_eq!(alarms.look(), []);
    }

    #[test]
    fn a_line_that_breaks_is_told_once_and_tried_again() {
        let (mut alarms, level) = house();
        alarms.follow(&vec![("kitchen".into(), line(5))]);
        alarms.look();
        level.store(2, Ordering::Relaxed);
        let broken = alarms.look();
        assert!(matches!(&broken[..], [(_, Err(why))] if why.contains("line 5 is gone")), "{broken:?}");
        level.store(1, Ordering::Relaxed);
        let later: Vec<News> = (0..=AGAIN).flat_map(|_| alarms.look()).collect();
        assert_eq!(later, [("kitchen".to_owned(), Ok(true))]);
    }
}
