// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd check-config`: everything that is wrong with a configuration, and the files it came from.

use std::path::{Path, PathBuf};

use gasd_detect::Sight;
use serde_json::{Map, Value, json};

use crate::{
    accounts::{USERS, id_in},
    bus::{groups_of, own_uid},
    config::{
        Config, Errors, MeterConfig, Origin, Place, PortConfig, Problem, Source, check, closed_to,
        require_readable, rules,
    },
    exit::{self, Fatal},
    ports::meters::{devices, keys},
};

/// The user that the unit runs the daemon as.
const SERVICE: &str = "gasd";

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
            let checked = check(&sources).and_then(|config| {
                // What only the live service refuses.
                if !args.replay {
                    config.require_chips()?;
                }
                if system {
                    service_may_read(&sources)?;
                }
                let closed =
                    |path: &Path| service().filter(|_| system).and_then(|uid| closed_to_service(path, uid));
                Ok(Config {
                    warnings: [
                        config.warnings.clone(),
                        devices::warnings(&config),
                        keys::warnings(&config, closed),
                    ]
                    .concat(),
                    ..config
                })
            });
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
    for warning in &config.warnings {
        eprintln!("warning: {warning}");
    }
    config.ports.iter().for_each(|port| println!("{}", port_line(config, port)));
    config.meters.iter().flat_map(rules_of).for_each(|line| println!("{line}"));
    let ports = match config.ports.len() {
        0 => String::new(),
        ports => format!(", {}", count(ports, "port")),
    };
    let (meters, valves) = (count(config.meters.len(), "meter"), count(config.valves.len(), "valve"));
    println!("{meters}, {valves}{ports}, no errors");
}

/// A port with its meters.
fn port_line(config: &Config, port: &PortConfig) -> String {
    let on = |meter: &&MeterConfig| meter.source.on_port().is_some_and(|on| on.port == port.id);
    let meters: Vec<&str> = config.meters.iter().filter(on).map(|meter| meter.id.as_str()).collect();
    let meters = if meters.is_empty() { "no meter".to_owned() } else { meters.join(", ") };
    format!("port \"{}\": {} {}: {meters}", port.id, port.line.kind(), port.line.place())
}

/// What a meter goes by, a line a rule; what is not its profile's is marked.
fn rules_of(meter: &MeterConfig) -> Vec<String> {
    let differ = rules::differences(&meter.profile.rules(), &meter.rules);
    let mut lines = vec![format!("meter \"{}\": profile {}", meter.id, meter.profile.name())];
    if let Some(readings) = meter.readings {
        lines.push(format!("  {}", Sight::of_readings(&readings)));
    }
    for (key, value) in rules::shown(&meter.rules) {
        let own = differ.iter().find(|(other, ..)| *other == key);
        let mark = own.map_or_else(String::new, |(_, profile, _)| format!("  (the profile's: {profile})"));
        lines.push(format!("  {key:<16} {value}{mark}"));
    }
    lines
}

/// Refuses files that root can read and the service cannot. Who is not root sees by reading.
fn service_may_read(sources: &[Source]) -> Result<(), Errors> {
    let Some(uid) = service() else { return Ok(()) };
    require_readable(sources, SERVICE, uid, &groups_of(uid))
}

/// The service's user, for root. Where the service is not installed there is nobody to ask for.
fn service() -> Option<u32> {
    if own_uid() == 0 { id_in(USERS, SERVICE).ok() } else { None }
}

fn closed_to_service(path: &Path, uid: u32) -> Option<String> {
    let error = closed_to(path, SERVICE, uid, &groups_of(uid))?;
    Some(format!("the key file {}: {error}", path.display()))
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
            "ports": config.ports.iter().map(|port| &port.id).collect::<Vec<_>>(),
            "rules": config.meters.iter().map(|meter| (meter.id.clone(), rules_object(meter))).collect::<Map<_, _>>(),
            "warnings": config.warnings,
            "problems": [],
        }),
        Err(errors) => json!({
            "ok": false,
            "files": files,
            "meters": [],
            "valves": [],
            "ports": [],
            "rules": {},
            "warnings": [],
            "problems": errors.problems().iter().map(problem).collect::<Vec<_>>(),
        }),
    }
}

/// A meter's profile and rules, each in the words of the configuration.
fn rules_object(meter: &MeterConfig) -> Value {
    let rules: Map<String, Value> =
        rules::shown(&meter.rules).into_iter().map(|(key, value)| (key.to_owned(), json!(value))).collect();
    json!({ "profile": meter.profile.name(), "rules": rules })
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
