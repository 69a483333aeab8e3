// SPDX-License-Identifier: MIT OR Apache-2.0
//! The GPIO chips of this machine and who has their lines.

use std::path::{Path, PathBuf};

use gpiocdev::chip::Chip;
use gpiocdev::line::Direction;
use serde::Serialize;

use crate::fail::Failure;

use super::plan::Plan;

/// A chip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChipInfo {
    /// Its device's name: `gpiochip0`. The number depends on the order of drivers.
    pub name: String,
    /// Its device file.
    pub path: PathBuf,
    /// What the driver calls it; the same at each boot.
    pub label: String,
    /// Its lines, by offset; empty where `problem` says why.
    pub lines: Vec<LineInfo>,
    /// Why it could not be asked.
    pub problem: Option<String>,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineInfo {
    /// Its offset on the chip.
    pub line: u32,
    /// Its name on the board, if the board's description gives one.
    pub name: String,
    /// Who has it; empty where nobody has, or does not say.
    pub consumer: String,
    /// `free`, `output` (nobody has it, but it drives something), or `taken`.
    pub state: LineState,
    /// Whether edges of it are being reported now: then it makes interrupts. For other lines only an
    /// attempt could tell.
    pub edges: bool,
}

/// What may be done with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LineState {
    /// Nobody has it, and it is an input.
    Free,
    /// Nobody has it, but it is an output: something may hang on it, so it is never touched unasked.
    Output,
    /// Somebody has it.
    Taken,
}

impl ChipInfo {
    /// Whether `name` means this chip: its device's name or path, or its label.
    pub fn is(&self, name: &str) -> bool {
        self.name == name || self.label == name || self.path == Path::new(name)
    }
}

/// Every chip.
///
/// # Errors
/// [`Failure::Missing`] where there is none.
pub fn all() -> Result<Vec<ChipInfo>, Failure> {
    let paths = gpiocdev::chip::chips().unwrap_or_default();
    let chips: Vec<ChipInfo> = paths.iter().map(|path| read(path)).collect();
    if chips.is_empty() {
        return Err(Failure::Missing(
            "this machine shows no GPIO chip (/dev/gpiochip*): is its driver loaded, and is this the gateway itself \
             rather than a container?"
                .to_owned(),
        ));
    }
    Ok(chips)
}

/// The chip of that name, or all.
///
/// # Errors
/// [`Failure::Missing`] where there is none such.
pub fn wanted(name: Option<&str>) -> Result<Vec<ChipInfo>, Failure> {
    let mut chips = all()?;
    let Some(name) = name else { return Ok(chips) };
    let known = chips.iter().map(title).collect::<Vec<_>>().join(", ");
    chips.retain(|chip| chip.is(name));
    if chips.is_empty() {
        return Err(Failure::Missing(format!("there is no GPIO chip \"{name}\"; this machine has {known}")));
    }
    Ok(chips)
}

/// Name and label.
pub fn title(chip: &ChipInfo) -> String {
    if chip.label.is_empty() { chip.name.clone() } else { format!("{} ({})", chip.name, chip.label) }
}

fn read(path: &Path) -> ChipInfo {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut found =
        ChipInfo { name, path: path.to_owned(), label: String::new(), lines: Vec::new(), problem: None };
    let filled = Chip::from_path(path).and_then(|chip| {
        found.label = chip.info()?.label;
        for info in chip.line_info_iter()? {
            let info = info?;
            let state = match (info.used, info.direction) {
                (true, _) => LineState::Taken,
                (false, Direction::Output) => LineState::Output,
                (false, Direction::Input) => LineState::Free,
            };
            found.lines.push(LineInfo {
                line: info.offset,
                name: info.name,
                consumer: info.consumer,
                state,
                edges: info.edge_detection.is_some(),
            });
        }
        Ok(())
    });
    if let Err(error) = filled {
        found.problem = Some(why(&error));
    }
    found
}

/// What the system said, and what to do about it.
pub fn why(error: &gpiocdev::Error) -> String {
    match errno(error) {
        Some(libc::EACCES | libc::EPERM) => {
            "no permission; run this as root, or as a member of the device's group".to_owned()
        }
        Some(libc::EBUSY) => "somebody has it".to_owned(),
        // 524 is the kernel's own ENOTSUPP, which has no name outside.
        Some(libc::ENXIO | libc::EOPNOTSUPP | 524) => "makes no interrupts".to_owned(),
        Some(code) => std::io::Error::from_raw_os_error(code).to_string(),
        None => error.to_string(),
    }
}

fn errno(error: &gpiocdev::Error) -> Option<i32> {
    match error {
        gpiocdev::Error::Os(e) => Some(e.0),
        gpiocdev::Error::Uapi(_, gpiocdev_uapi::Error::Os(e)) => Some(e.0),
        _ => None,
    }
}

/// Looks whether the planned lines are there and free, and tries the meter's for a moment. What
/// stands in the way later is an error, what only might is a note.
///
/// # Errors
/// [`Failure::Missing`] for a chip or line that is not there, [`Failure::Refused`] for one that
/// another program has or that cannot report edges.
pub fn look_at(plan: &Plan) -> Result<Vec<String>, Failure> {
    let mut notes = Vec::new();
    for (part, chip, line) in plan.lines() {
        let found = wanted(Some(chip))?;
        let Some(chip) = found.first() else { continue };
        if let Some(problem) = &chip.problem {
            notes.push(format!("{} could not be looked at: {problem}", title(chip)));
            continue;
        }
        let Some(info) = chip.lines.iter().find(|l| l.line == line) else {
            let last = chip.lines.len().saturating_sub(1);
            return Err(Failure::Missing(format!(
                "the {part}: {} has lines 0 to {last}, not {line}",
                title(chip)
            )));
        };
        match info.state {
            LineState::Taken if info.consumer.starts_with("gasd:") => {
                notes.push(format!("line {line} of {} is gasd's already ({})", title(chip), info.consumer));
            }
            LineState::Taken => {
                let who = if info.consumer.is_empty() { "an unnamed program" } else { &info.consumer };
                return Err(Failure::Refused(format!(
                    "the {part}: line {line} of {} is in use by \"{who}\"; stop that program, or choose another line",
                    title(chip)
                )));
            }
            LineState::Output if part == "meter" => notes.push(format!(
                "line {line} of {} is an output now; gasd makes it an input. Is it the right one?",
                title(chip)
            )),
            LineState::Free if part == "meter" => {
                super::edges::attempt(&chip.path, line, plan.bias).map_err(|error| {
                    Failure::Refused(format!(
                        "line {line} of {} cannot report edges: {}; choose another line",
                        title(chip),
                        why(&error)
                    ))
                })?;
            }
            _ => {}
        }
    }
    Ok(notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chip_goes_by_name_path_and_label() {
        let chip = ChipInfo {
            name: "gpiochip0".into(),
            path: "/dev/gpiochip0".into(),
            label: "pinctrl-bcm2711".into(),
            lines: Vec::new(),
            problem: None,
        };
        for name in ["gpiochip0", "/dev/gpiochip0", "pinctrl-bcm2711"] {
            assert!(chip.is(name), "{name}");
        }
        assert!(!chip.is("gpiochip1") && !chip.is(""));
        assert_eq!(title(&chip), "gpiochip0 (pinctrl-bcm2711)");
    }

    #[test]
    fn what_the_system_says_is_put_in_words() {
        let os = |code| why(&gpiocdev::Error::Os(gpiocdev_uapi::Errno(code)));
        assert!(os(libc::EACCES).contains("root"));
        assert_eq!(os(524), "makes no interrupts");
        assert!(os(libc::EIO).contains("I/O") || os(libc::EIO).contains("Input/output"), "{}", os(libc::EIO));
    }
}
