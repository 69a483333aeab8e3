// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd check-config`: everything that is wrong with a configuration, and the files it came from.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{
    bus::groups,
    config::{Config, Errors, Origin, Place, Problem, Source, parse_all},
    exit::{self, Fatal},
};

#[derive(Debug, clap::Args)]
#[command(
    about = "Check a configuration and say everything that is wrong with it",
    after_help = "Without --config the system's layers are read: gasd.toml of /usr/lib/gasd and /etc/gasd, then the \
                  drop-ins of both conf.d directories by name. Ends with 0 if gasd would start with it, with 2 if \
                  not. As root it also sees whether the service's user may read the files. Nothing is started and \
                  nothing is changed."
)]
pub struct CheckArgs {
    /// A file alone, or a directory with gasd.toml and conf.d; the system's layers without it
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// For `gasd replay`: lines need no chip
    #[arg(long)]
    replay: bool,
    /// One JSON object instead of lines
    #[arg(long)]
    json: bool,
}

/// Checks. A problem ends with 2, whether or not it is printed as JSON.
pub fn run(args: CheckArgs) -> Result<(), Fatal> {
    let system = args.config.is_none();
    let origin = Origin::from_option(args.config);
    let (sources, checked) = match origin.read() {
        Ok(sources) => {
            let checked = parse_all(&sources).and_then(|config| {
                // What only the live service refuses.
                let chips = if args.replay { Ok(()) } else { config.require_chips() };
                chips.map(|()| config)
            });
            (sources, checked)
        }
        Err(errors) => (Vec::new(), Err(errors)),
    };
    let closed = if system { closed(&sources) } else { Vec::new() };
    if !closed.is_empty() && checked.is_ok() {
        if args.json {
            println!(
                "{}",
                json!({ "ok": false, "files": [], "meters": [], "valves": [], "warnings": [],
                "problems": closed.iter().map(|text| json!({ "message": text })).collect::<Vec<_>>() })
            );
        }
        return Err(Fatal::new(exit::BAD_INPUT, closed.join("\n")));
    }
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
    for warning in &config.warnings {
        eprintln!("warning: {warning}");
    }
    println!("{}, {}, no errors", count(config.meters.len(), "meter"), count(config.valves.len(), "valve"));
}

/// Files that root can read and the service cannot, each with what to do. Nothing for anybody but root:
/// who is not root sees by reading.
fn closed(sources: &[Source]) -> Vec<String> {
    let Some(user) = groups::user_named("gasd").filter(|_| groups::is_root()) else { return Vec::new() };
    let readable =
        |path: &Path| fs::metadata(path).is_ok_and(|meta| user.may_read(meta.uid(), meta.gid(), meta.mode()));
    let mut all = Vec::new();
    for source in sources {
        let path = Path::new(&source.name);
        if path.exists() && !readable(path) {
            all.push(format!(
                "{0}: the service's user gasd may not read it; let its group in: chgrp gasd {0} && chmod g+r {0}",
                path.display()
            ));
        }
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
            "warnings": config.warnings,
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
