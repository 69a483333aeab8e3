// SPDX-License-Identifier: MIT OR Apache-2.0
//! A text becomes a [`Config`], or every problem in it.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::DeTable;

use super::error::{ErrorKind, Errors};
use super::limits;
use super::report::Report;
use super::section::{Field, Section};
use super::types::Config;
use super::{cross, filter, meter, valve};

pub(super) const KEYS: &[&str] = &["meter", "valve", "store", "kernel"];
pub(super) const STORE_KEYS: &[&str] = &["path", "persist"];
pub(super) const KERNEL_KEYS: &[&str] = &["pins"];

/// Syntax errors listed; an unclosed quote can make one of every line that follows.
const SYNTAX_LISTED: usize = 10;

/// Reads a configuration; `file_name` is what the messages call it. Does no I/O.
///
/// # Errors
/// Every problem found, in the order of the text. While the text is not TOML, only that.
pub fn parse(file_name: &str, text: &str) -> Result<Config, Errors> {
    let mut report = Report::new(file_name, text);
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        syntax(&mut report, text, &errors);
    }
    let config = if report.is_clean() { document(&mut report, root.get_ref()) } else { None };
    let warnings = report.finish()?;
    match config {
        Some(config) => Ok(Config { warnings, ..config }),
        // Whatever withheld the configuration has been reported, so this is never reached; if it
        // were, a made-up configuration would be the worse answer.
        None => Err(Errors::one(super::error::Problem {
            file: file_name.to_owned(),
            place: None,
            key: String::new(),
            value: None,
            kind: ErrorKind::Syntax("no configuration could be made of it".to_owned()),
        })),
    }
}

fn syntax(report: &mut Report<'_>, text: &str, errors: &[toml::de::Error]) {
    let end = text.len()..text.len();
    for error in errors.iter().take(SYNTAX_LISTED) {
        let span = error.span().unwrap_or_else(|| end.clone());
        report.value(&span, "", ErrorKind::Syntax(error.message().to_owned()));
    }
    if errors.len() > SYNTAX_LISTED {
        report.problem(&end, "", ErrorKind::MoreSyntax(errors.len() - SYNTAX_LISTED));
    }
}

fn document(report: &mut Report<'_>, table: &DeTable<'_>) -> Option<Config> {
    let root = Section::new(report, table, 0..0, String::new(), String::new(), KEYS);
    let meters: Vec<meter::Draft<'_>> = tables(report, root.get("meter"), meter::EXPECTED)
        .into_iter()
        .map(|(span, table)| meter::read(report, table, span))
        .collect();
    let valves: Vec<valve::Draft<'_>> = tables(report, root.get("valve"), valve::EXPECTED)
        .into_iter()
        .map(|(span, table)| valve::read(report, table, span))
        .collect();
    if meters.is_empty() {
        report.warn(&(0..0), "no [[meter]] is configured; there is nothing to watch");
    }
    cross::unique_ids(report, "meter", meters.iter().filter_map(|m| m.id.as_ref()));
    cross::unique_ids(report, "valve", valves.iter().filter_map(|v| v.id.as_ref()));
    cross::unique_lines(report, &meters, &valves);
    let chosen: Vec<Option<usize>> = meters.iter().map(|m| cross::find_valve(report, m, &valves)).collect();
    cross::unused_valves(report, &valves, &chosen);

    let (store, persist_ns) = store(report, root.get("store"));
    let pins = kernel(report, root.get("kernel"));
    let meters: Option<Vec<_>> =
        meters.into_iter().zip(chosen).map(|(draft, valve)| draft.finish(valve)).collect();
    let valves: Option<Vec<_>> = valves.into_iter().map(valve::Draft::finish).collect();
    Some(Config {
        meters: meters?,
        valves: valves?,
        store: store?,
        persist_ns: persist_ns?,
        pins: pins?,
        warnings: Vec::new(),
    })
}

fn tables<'a>(
    report: &mut Report<'_>,
    field: Option<Field<'a>>,
    expected: &'static str,
) -> Vec<(Range<usize>, &'a DeTable<'a>)> {
    let tables: Vec<Spanned<_>> = field.map_or_else(Vec::new, |field| field.tables(report, expected));
    tables.into_iter().map(|table| (table.span(), table.into_inner())).collect()
}

fn store(report: &mut Report<'_>, field: Option<Field<'_>>) -> (Option<PathBuf>, Option<u64>) {
    const EXPECTED: &str = "a table like [store] with path = \"/var/lib/gasd/gasd.redb\"";
    let section = match field.map(|f| f.section(report, EXPECTED, STORE_KEYS)) {
        Some(None) => return (None, None),
        Some(section) => section,
        None => None,
    };
    let path = section.as_ref().and_then(|s| s.get("path"));
    let persist = section.as_ref().and_then(|s| s.get("persist"));
    let path = absolute(report, path, limits::DEFAULT_STORE);
    let persist = match persist {
        Some(field) => {
            filter::ranged(report, &field, limits::PERSIST_NS, "how often totals are written down")
        }
        None => Some(limits::DEFAULT_PERSIST_NS),
    };
    (path, persist)
}

fn kernel(report: &mut Report<'_>, field: Option<Field<'_>>) -> Option<PathBuf> {
    const EXPECTED: &str = "a table like [kernel] with pins = \"/run/gasd/bpf\"";
    let section = match field {
        Some(field) => Some(field.section(report, EXPECTED, KERNEL_KEYS)?),
        None => None,
    };
    absolute(report, section.and_then(|s| s.get("pins")), limits::DEFAULT_PINS)
}

/// An absolute path, or the default.
fn absolute(report: &mut Report<'_>, field: Option<Field<'_>>, default: &'static str) -> Option<PathBuf> {
    let Some(field) = field else { return Some(PathBuf::from(default)) };
    let text = field.string(report, "an absolute path")?;
    let path = Path::new(text);
    if !path.is_absolute() || text.contains('\0') {
        field.refuse(report, ErrorKind::RelativePath { example: default });
        return None;
    }
    Some(path.to_path_buf())
}
