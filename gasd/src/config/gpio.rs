// SPDX-License-Identifier: MIT OR Apache-2.0
//! A line of a GPIO chip: `{ chip = "gpiochip0", line = 4, active = "low", bias = "pull-up" }`.

use std::path::{Path, PathBuf};

use super::error::ErrorKind;
use super::report::Report;
use super::section::{Field, Placed};
use super::types::{Bias, GpioLine};

pub(super) const KEYS: &[&str] = &["chip", "line", "active", "bias"];
pub(super) const EXPECTED: &str = "a line like { chip = \"gpiochip0\", line = 4 }";
pub(super) const LINE: &str = "the line's offset on its chip, like 4";
const CHIP: &str = "a chip like \"gpiochip0\"";
const ACTIVE: &str = "\"high\" or \"low\"";
const BIAS: &str = "\"pull-up\", \"pull-down\" or \"disabled\"";

/// Bytes of a chip's name or label, from `GPIO_MAX_NAME_SIZE` in linux/gpio.h with its NUL.
const LABEL_LENGTH: usize = 31;

/// Reads a line.
pub(super) fn read<'a>(report: &mut Report<'_>, field: Field<'a>) -> Option<Placed<'a, GpioLine>> {
    let section = field.section(report, EXPECTED, KEYS)?;
    let line = section.required(report, "line", LINE).map(|f| f.integer(report, u32::MAX, LINE));
    let chip = section.get("chip").map(|f| chip(report, &f));
    let active = section.get("active").map(|f| f.word(report, ACTIVE, &[("high", false), ("low", true)]));
    let words = [("pull-up", Bias::PullUp), ("pull-down", Bias::PullDown), ("disabled", Bias::Disabled)];
    let bias = section.get("bias").map(|f| f.word(report, BIAS, &words));
    let line = GpioLine {
        line: line??,
        chip: absent_or(chip)?,
        active_low: absent_or(active)?.unwrap_or(false),
        bias: absent_or(bias)?,
    };
    Some(field.with(line))
}

/// A line that is only a number, as a trace has it.
pub(super) fn bare<'a>(report: &mut Report<'_>, field: Field<'a>) -> Option<Placed<'a, GpioLine>> {
    let line = field.integer(report, u32::MAX, LINE)?;
    Some(field.with(GpioLine { chip: None, line, active_low: false, bias: None }))
}

/// The same chip by the same name, whether or not its directory is written out.
pub(super) fn same_chip(a: &str, b: &str) -> bool {
    chip_in_one_spelling(a) == chip_in_one_spelling(b)
}

/// A chip's path or label without its directory, doubled slashes and dots.
pub(super) fn chip_in_one_spelling(chip: &str) -> PathBuf {
    let path: PathBuf = Path::new(chip).components().collect();
    path.strip_prefix("/dev").map_or_else(|_| path.clone(), Path::to_path_buf)
}

/// `None` inside stands for a bad value; none outside for no value.
fn absent_or<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        None => Some(None),
        Some(value) => value.map(Some),
    }
}

fn chip(report: &mut Report<'_>, field: &Field<'_>) -> Option<String> {
    let name = field.string(report, CHIP)?;
    let good = match name.strip_prefix("/dev/") {
        Some(rest) => !rest.is_empty() && !rest.split('/').any(|part| part == ".."),
        None => !name.contains('/') && name.len() <= LABEL_LENGTH,
    };
    if !good || name.trim() != name || name.is_empty() || name.chars().any(char::is_control) {
        field.refuse(report, ErrorKind::BadChip);
        return None;
    }
    Some(name.to_owned())
}
