// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd check-config`: everything that is wrong with a configuration, and the files it came from.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{
    config::{Config, Errors, Origin, Place, Problem, Source, parse_all},
    exit::{self, Fatal},
};

#[derive(Debug, clap::Args)]
#[command(
    about = "Check a configuration and say everything that is wrong with it",
    after_help = "Without --config the system's layers are read: gasd.toml of /usr/lib/gasd and /etc/gasd, then the \
                  drop-ins of both conf.d directories by name. Ends with 0 if gasd would start with it, with 2 if \
                  not. Nothing is started and nothing is changed."
)]
pub struct CheckArgs {
    /// A file alone, or a directory with gasd.toml and conf.d; the system's layers without it
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// One JSON object instead of lines
    #[arg(long)]
    json: bool,
}

/// Checks. A problem ends with 2, whether or not it is printed as JSON.
pub fn run(args: CheckArgs) -> Result<(), Fatal> {
    let origin = Origin::from_option(args.config);
    let (sources, checked) = match origin.read() {
        Ok(sources) => {
            let checked = parse_all(&sources);
            (sources, checked)
        }
        Err(errors) => (Vec::new(), Err(errors)),
    };
    if args.json {
        println!("{}", object(&sources, &checked));
    } else {
        lines(&origin, &sources, &checked);
    }
    match checked {
        Ok(_) => Ok(()),
        // The object has them already.
        Err(errors) if args.json => {
            Err(Fatal::new(exit::BAD_INPUT, count(errors.problems().len(), "problem")))
        }
        Err(errors) => Err(Fatal::new(exit::BAD_INPUT, errors.to_string())),
    }
}

fn lines(origin: &Origin, sources: &[Source], checked: &Result<Config, Errors>) {
    for source in sources {
        println!("read {}", source.name);
    }
    if sources.is_empty() && checked.is_ok() {
        println!("{origin}: no configuration file is there");
    }
    let Ok(config) = checked else { return };
    for warning in warnings(config) {
        eprintln!("warning: {warning}");
    }
    println!("{}, {}, no errors", count(config.meters.len(), "meter"), count(config.valves.len(), "valve"));
}

/// What the parser advises, and what only the live service would refuse.
fn warnings(config: &Config) -> Vec<String> {
    let mut all = config.warnings.clone();
    if let Err(errors) = config.require_chips() {
        all.extend(errors.problems().iter().map(Problem::to_string));
    }
    all
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn object(sources: &[Source], checked: &Result<Config, Errors>) -> Value {
    let files: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    match checked {
        Ok(config) => json!({
            "ok": true,
            "files": files,
            "meters": config.meters.iter().map(|meter| &meter.id).collect::<Vec<_>>(),
            "valves": config.valves.iter().map(|valve| &valve.id).collect::<Vec<_>>(),
            "warnings": warnings(config),
            "problems": [],
        }),
        Err(errors) => json!({
            "ok": false,
            "files": files,
            "meters": [],
            "valves": [],
            "warnings": [],
            "problems": errors.problems().iter().map(problem).collect::<Vec<_>>(),
        }),
    }
}

fn problem(problem: &Problem) -> Value {
    let place: Option<Place> = problem.place;
    json!({
        "file": problem.file,
        "line": place.map(|place| place.line),
        "column": place.map(|place| place.column),
        "key": problem.key,
        "value": problem.value,
        "message": problem.kind.to_string(),
    })
}
