// SPDX-License-Identifier: MIT OR Apache-2.0
//! Texts become a [`Config`], or every problem in them.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::DeTable;

use super::error::{ErrorKind, Errors};
use super::limits;
use super::place::{self, LeadsTo};
use super::report::{Report, Span};
use super::section::{Field, Section};
use super::source::Source;
use super::types::Config;
use super::{cross, filter, meter, port, reach, valve};

pub(super) const KEYS: &[&str] = &["meter", "valve", "port", "store", "kernel"];
pub(super) const STORE_KEYS: &[&str] = &["path", "persist"];
pub(super) const KERNEL_KEYS: &[&str] = &["pins"];

const STORE: &str = "a table like [store] with path = \"/var/lib/gasd/gasd.redb\"";
const KERNEL: &str = "a table like [kernel] with pins = \"/run/gasd/bpf\"";

/// What a gateway without a meter is told.
pub const NO_METER: &str = "no meter is configured, so nothing is watched: `gasctl setup` adds the first one, or write a \
                            [[meter]] into /etc/gasd/gasd.toml (man gasd.toml has an example)";

/// Syntax errors listed; an unclosed quote can make one of every line that follows.
const SYNTAX_LISTED: usize = 10;

/// Reads a configuration of one text; `file_name` is what the messages call it. Does no I/O.
///
/// # Errors
/// As [`parse_all`].
pub fn parse(file_name: &str, text: &str) -> Result<Config, Errors> {
    parse_all(&[Source { name: file_name.to_owned(), text: text.to_owned() }])
}

/// Reads a configuration of several texts, of which the later ones win. Does no I/O.
///
/// Meters and valves are those of all texts. One with the id of an earlier text's replaces that one
/// whole. `[store]` and `[kernel]` are put together key by key. What is replaced must be right all the
/// same, since it counts again as soon as the later file goes.
///
/// # Errors
/// Every problem found, in the order of the texts. While a text is not TOML, only that.
pub fn parse_all(sources: &[Source]) -> Result<Config, Errors> {
    parse_with(sources, &|_| None)
}

/// As [`parse_all`], of which the caller says what devices' names lead to: two ports of one device are refused.
///
/// # Errors
/// As [`parse_all`].
pub fn parse_with(sources: &[Source], leads_to: LeadsTo<'_>) -> Result<Config, Errors> {
    let mut report = Report::new(sources);
    let mut roots = Vec::with_capacity(sources.len());
    for (source, Source { text, .. }) in sources.iter().enumerate() {
        let (root, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            syntax(&mut report, source, text, &errors);
        }
        roots.push(root);
    }
    let config = if report.is_clean() { document(&mut report, &roots, leads_to) } else { None };
    let warnings = report.finish()?;
    let files: Vec<String> = sources.iter().map(|source| source.name.clone()).collect();
    match config {
        Some(config) => Ok(Config { warnings, files, ..config }),
        // Whatever withheld the configuration has been reported, so this is never reached; if it
        // were, a made-up configuration would be the worse answer.
        None => Err(Errors::one(super::error::Problem {
            file: files.join(", "),
            place: None,
            key: String::new(),
            value: None,
            kind: ErrorKind::Syntax("no configuration could be made of it".to_owned()),
        })),
    }
}

fn syntax(report: &mut Report<'_>, source: usize, text: &str, errors: &[toml::de::Error]) {
    let end = Span { source, range: text.len()..text.len() };
    for error in errors.iter().take(SYNTAX_LISTED) {
        let span = error.span().map_or_else(|| end.clone(), |range| end.beside(range));
        report.value(&span, "", ErrorKind::Syntax(error.message().to_owned()));
    }
    if errors.len() > SYNTAX_LISTED {
        report.problem(&end, "", ErrorKind::MoreSyntax(errors.len() - SYNTAX_LISTED));
    }
}

fn document(
    report: &mut Report<'_>,
    roots: &[Spanned<DeTable<'_>>],
    leads_to: LeadsTo<'_>,
) -> Option<Config> {
    let roots: Vec<Section<'_>> = roots
        .iter()
        .enumerate()
        .map(|(source, table)| {
            let span = Span { source, range: 0..0 };
            Section::new(report, table.get_ref(), span, String::new(), String::new(), KEYS)
        })
        .collect();
    let meters = drafts(report, &roots, "meter", meter::EXPECTED, meter::read);
    let valves = drafts(report, &roots, "valve", valve::EXPECTED, valve::read);
    let ports = drafts(report, &roots, "port", port::EXPECTED, port::read);
    if meters.is_empty() {
        // Of no file: any of them may have the first one.
        report.warn(&Span { source: usize::MAX, range: 0..0 }, NO_METER);
    }
    cross::enough_lines(report, &meters);
    cross::unique_ids(report, "meter", meters.iter().filter_map(|m| m.id.as_ref()));
    cross::unique_ids(report, "valve", valves.iter().filter_map(|v| v.id.as_ref()));
    cross::unique_ids(report, "port", ports.iter().filter_map(|p| p.id.as_ref()));
    cross::unique_lines(report, &meters, &valves, &ports);
    place::unique(report, &ports, leads_to);
    reach::unique(report, &meters);
    reach::one_valve(report, &valves);
    cross::alone(report, &meters);
    let on: Vec<Option<usize>> = meters.iter().map(|m| cross::find_port(report, m, &ports)).collect();
    cross::unused_ports(report, &ports, &on);
    let within: Vec<Option<usize>> = valves.iter().map(|v| cross::find_meter(report, v, &meters)).collect();
    let chosen: Vec<Option<usize>> = meters.iter().map(|m| cross::find_valve(report, m, &valves)).collect();
    cross::unused_valves(report, &valves, &chosen);

    let store = sections(report, &roots, "store", STORE, STORE_KEYS);
    let kernel = sections(report, &roots, "kernel", KERNEL, KERNEL_KEYS);
    let path = last(&store, "path", limits::DEFAULT_STORE.into(), |field| {
        absolute(report, field, limits::DEFAULT_STORE)
    });
    let persist_ns = last(&store, "persist", limits::DEFAULT_PERSIST_NS, |field| {
        filter::ranged(report, field, limits::PERSIST_NS, "how often totals are written down")
    });
    let pins = last(&kernel, "pins", limits::DEFAULT_PINS.into(), |field| {
        absolute(report, field, limits::DEFAULT_PINS)
    });
    let meters: Option<Vec<_>> = meters
        .into_iter()
        .zip(chosen)
        .zip(on)
        .map(|((draft, valve), port)| draft.finish(valve, port.is_some()))
        .collect();
    let valves: Option<Vec<_>> =
        valves.into_iter().zip(within).map(|(draft, meter)| draft.finish(meter.is_some())).collect();
    let ports: Option<Vec<_>> = ports.into_iter().map(port::Draft::finish).collect();
    Some(Config {
        meters: meters?,
        valves: valves?,
        ports: ports?,
        store: path?,
        persist_ns: persist_ns?,
        pins: pins?,
        warnings: Vec::new(),
        files: Vec::new(),
    })
}

/// Reads the tables of an array over all texts, and leaves those out that a later text replaces.
fn drafts<'a, D>(
    report: &mut Report<'_>,
    roots: &[Section<'a>],
    name: &'static str,
    expected: &'static str,
    read: impl Fn(&mut Report<'_>, &'a DeTable<'a>, Span) -> D,
) -> Vec<D> {
    let mut tables: Vec<(Span, &'a DeTable<'a>)> = Vec::new();
    for root in roots {
        if let Some(field) = root.get(name) {
            tables.extend(field.tables(report, expected));
        }
    }
    let id = |table: &DeTable<'a>| table.get("id").and_then(|id| id.get_ref().as_str()).map(str::to_owned);
    let ids: Vec<_> = tables.iter().map(|(span, table)| (span.source, id(table))).collect();
    let mut drafts = Vec::new();
    for ((span, table), (source, id)) in tables.into_iter().zip(&ids) {
        let replaced = id.is_some() && ids.iter().any(|(later, other)| later > source && other == id);
        report.hush(replaced);
        let draft = read(report, table, span);
        report.hush(false);
        if !replaced {
            drafts.push(draft);
        }
    }
    drafts
}

/// A table of each text that has it.
fn sections<'a>(
    report: &mut Report<'_>,
    roots: &[Section<'a>],
    name: &'static str,
    expected: &'static str,
    keys: &'static [&'static str],
) -> Vec<Section<'a>> {
    roots.iter().filter_map(|root| root.get(name)?.section(report, expected, keys)).collect()
}

/// The value of a key in the last text that gives it, or the default. Each one is checked.
fn last<T>(
    sections: &[Section<'_>],
    key: &'static str,
    default: T,
    mut read: impl FnMut(&Field<'_>) -> Option<T>,
) -> Option<T> {
    let mut value = Some(default);
    for field in sections.iter().filter_map(|section| section.get(key)) {
        value = read(&field);
    }
    value
}

/// An absolute path.
fn absolute(report: &mut Report<'_>, field: &Field<'_>, example: &'static str) -> Option<PathBuf> {
    let text = field.string(report, "an absolute path")?;
    let path = Path::new(text);
    if !path.is_absolute() || text.contains('\0') {
        field.refuse(report, ErrorKind::RelativePath { example });
        return None;
    }
    Some(path.to_path_buf())
}
