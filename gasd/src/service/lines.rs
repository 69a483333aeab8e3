// SPDX-License-Identifier: MIT OR Apache-2.0
//! The meters' lines at the start: claimed from the service manager or requested, and made to count.

use std::{collections::HashMap, os::fd::AsFd, sync::Arc};

use gasd_abi::records::meter_key;

use crate::{
    config::{Config, GpioLine},
    exit::Fatal,
    journal::{self, Note, what::What},
    kernel::Kernel,
    pipeline::{
        counting::{attach, release},
        watch::Watch,
    },
    ports::gpio::{GpioError, InputLine},
};

use super::kept::{self, Kept};

/// The meters' lines.
pub struct Lines {
    /// Index of each meter's line in the filter, in the order of the configuration.
    pub numbers: Vec<u32>,
    /// The lines of chips.
    pub watches: Vec<Watch>,
    /// What is wrong with a meter's line, in the order of the configuration.
    pub health: Vec<Option<String>>,
}

/// Sets up every meter's line. One that fails is tried again later and reported; if all lines of
/// chips fail, nothing can be metered and that is an error.
pub fn set_up(config: &Config, kernel: Option<&Arc<Kernel>>, kept: &mut Kept) -> Result<Lines, Fatal> {
    // Requested first and all of them: nothing is written into the kernel's lines for a daemon that
    // cannot start.
    let mut claimed = HashMap::new();
    let mut first_error: Option<GpioError> = None;
    let mut lines = Lines { numbers: Vec::new(), watches: Vec::new(), health: Vec::new() };
    for (at, meter) in config.meters.iter().enumerate() {
        lines.health.push(None);
        let Some(gpio) = meter.source.chip() else { continue };
        match claim(kept, &kept::line_name(&meter.id, gpio), &meter.id, gpio) {
            Ok(io) => drop(claimed.insert(at, io)),
            Err(error) => {
                lines.health[at] = Some(error.to_string());
                first_error.get_or_insert(error);
            }
        }
    }
    if claimed.is_empty()
        && let Some(error) = first_error
    {
        return Err(error.into());
    }
    if let Some(kernel) = kernel {
        // All or none: a line once given out is taken until the pins are made anew.
        let keys: Vec<u64> = config.meters.iter().map(|meter| meter_key(&meter.id)).collect();
        kernel.has_room(&keys)?;
    }
    let mut working = 0;
    for (at, meter) in config.meters.iter().enumerate() {
        let number = match kernel {
            Some(kernel) => {
                kernel.assign(meter_key(&meter.id), meter.filter.abi, meter.source.line_flags())?
            }
            None => at as u32,
        };
        lines.numbers.push(number);
        let Some(gpio) = meter.source.chip() else { continue };
        let name = kept::line_name(&meter.id, gpio);
        let io = claimed.remove(&at);
        if io.is_none()
            && let Some(kernel) = kernel
        {
            // What it had the last time may be another device's by now.
            release(kernel, number);
        }
        let mut watch = Watch::new(meter.id.clone(), number, meter.filter, gpio.clone(), None);
        if let Some(io) = io {
            match attach(kernel.map(|k| &**k), &watch, &io) {
                Ok(()) => {
                    working += 1;
                    if let Err(error) = kept::keep(&name, io.as_fd()) {
                        lines.health[at] =
                            Some(format!("the service manager did not keep the line: {error}"));
                    }
                    watch.io = Some(io);
                }
                Err(why) => lines.health[at] = Some(why),
            }
        }
        lines.watches.push(watch);
    }
    if let Some(error) = first_error
        && working == 0
    {
        return Err(error.into());
    }
    if let Some(kernel) = kernel {
        release_others(kernel, config, &lines)?;
    }
    Ok(lines)
}

/// Makes interrupts count nowhere that no line of this configuration has: the kernel may give the number
/// of a meter that was taken out to any device. What plays the edges of a meter without a chip may have
/// given it an interrupt, too; that one is left alone.
fn release_others(kernel: &Kernel, config: &Config, lines: &Lines) -> Result<(), Fatal> {
    let watched = lines.watches.iter().filter(|w| w.io.is_some()).map(|w| w.line);
    let played = config.meters.iter().zip(&lines.numbers).filter(|(meter, _)| meter.source.is_simulated());
    let mut ours = Vec::with_capacity(lines.numbers.len());
    for line in watched.chain(played.map(|(_, line)| *line)) {
        ours.push((kernel.line_config(line)?.irq, line));
    }
    kernel.unmap_others(&ours)?;
    Ok(())
}

fn claim(kept: &mut Kept, name: &str, id: &str, gpio: &GpioLine) -> Result<InputLine, GpioError> {
    if let Some(fd) = kept.claim(name) {
        let io = InputLine::keep(fd, gpio, id);
        // A chip that went away in between leaves a request that answers no more.
        if io.level().is_ok() {
            return Ok(io);
        }
        kept::forget(name);
    }
    InputLine::request(gpio, id)
}

/// Keeps the manager's copy of a line true while the daemon runs.
pub fn follow(watch: &Watch, io: Option<&InputLine>) {
    let name = kept::line_name(&watch.id, &watch.gpio);
    match io {
        Some(io) => {
            if let Err(error) = kept::keep(&name, io.as_fd()) {
                let text =
                    format!("the service manager did not keep the line of meter \"{}\": {error}", watch.id);
                journal::tell(Note::new(What::LineNotKept, text).meter(&watch.id));
            }
        }
        None => kept::forget(&name),
    }
}
