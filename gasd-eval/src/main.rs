// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd-eval`: prints the figures of docs/EVALUATION.md.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use gasd_eval::alone::command as alone;
use gasd_eval::bounds::{command as bounds, study as bounds_study};
use gasd_eval::leak::recordings;
use gasd_eval::learned::{examples, report as learned};
use gasd_eval::nab::command as nab;
use gasd_eval::peers::command as peers;
use gasd_eval::readings::command as readings;
use gasd_eval::readings::study;
use gasd_eval::system::run::{Options, run};

/// Judges leak detectors: figures with their bounds, tables, plots. The same seed gives the same figures.
#[derive(Parser)]
#[command(name = "gasd-eval", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Whole detectors in generated homes and recordings: false alarms a meter-year, litres released
    System(System),
    /// A detector on one stream beside the best that is possible: efficiency by meter, flow, rise and regularity
    Alone {
        /// Runs for each threshold
        #[arg(long, default_value_t = 2000)]
        thresholds: usize,
        /// Runs for each delay
        #[arg(long, default_value_t = 4000)]
        delays: usize,
        /// File for the delay curves
        #[arg(long)]
        svg: Option<PathBuf>,
    },
    /// Other people's detectors at one false alarm a year
    Peers {
        /// Runs for each threshold, and for each delay
        #[arg(long, default_value_t = 1000)]
        runs: usize,
        /// Only what a step of each costs
        #[arg(long)]
        speed: bool,
    },
    /// The engine behind a register that is read each minute, quarter of an hour or hour
    Readings(Readings),
    /// Examples for the learned model: minutes of uses, with and without leaks
    Features(Features),
    /// Whether the learned model is worth its place: litres and false alarms with it and without
    Learned {
        /// Homes to choose by, a year of each; twice as many for the test
        #[arg(long, default_value_t = 150)]
        homes: usize,
        /// Leaks of each class in each home
        #[arg(long, default_value_t = 2)]
        leaks: u32,
        /// Threads [default: one a core]
        #[arg(long)]
        jobs: Option<usize>,
    },
    /// What one who knew more than a meter can tell would have to cry in sound homes to meet the goals
    Bounds {
        /// How many homes
        #[arg(long, default_value_t = 1000)]
        homes: usize,
        /// What everything is drawn from
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Days that each is watched after it was learned
        #[arg(long, default_value_t = 365)]
        days: u32,
        /// Threads [default: one a core]
        #[arg(long)]
        jobs: Option<usize>,
    },
    /// The Numenta benchmark, where its data is there
    Nab,
    /// How the generated homes use gas, by kind of home
    Homes {
        /// How many homes
        #[arg(long, default_value_t = 200)]
        homes: u64,
    },
}

#[derive(Args)]
struct Features {
    /// Folder for train.f32, choose.f32, calibrate.f32 and test.f32
    out: PathBuf,
    /// Homes for training; half as many for choosing, as many for calibration and for tests
    #[arg(long, default_value_t = 300)]
    homes: usize,
    /// Days that each is watched
    #[arg(long, default_value_t = 300)]
    days: u32,
    /// Leaks of each class in each home
    #[arg(long, default_value_t = 3)]
    leaks: u32,
    /// Threads [default: one a core]
    #[arg(long)]
    jobs: Option<usize>,
    /// Folder of the recordings [default: $GASD_SHARED/data or ../shared/data]
    #[arg(long)]
    recordings: Option<PathBuf>,
}

fn features(asked: Features) -> Result<String, String> {
    let (recorded, missing) = recordings::read(&asked.recordings.unwrap_or_else(recordings::folder));
    for why in &missing {
        eprintln!("not read: {why}");
    }
    std::fs::create_dir_all(&asked.out).map_err(|e| format!("{}: {e}", asked.out.display()))?;
    let mut said = String::new();
    for (set, (name, _)) in examples::SETS.iter().enumerate() {
        let plan = examples::Plan {
            homes: if *name == "choose" { asked.homes / 2 } else { asked.homes },
            days: asked.days,
            leaks: asked.leaks,
            jobs: asked.jobs.unwrap_or_else(gasd_eval::jobs::cores),
        };
        said += &examples::write(set, &plan, &recorded, &asked.out.join(format!("{name}.f32")))?;
    }
    let about = asked.out.join("columns.txt");
    std::fs::write(&about, &said).map_err(|e| format!("{}: {e}", about.display()))?;
    Ok(said)
}

#[derive(Args)]
struct System {
    /// At most ten minutes on two cores: 1,000 meter-years, leaks into 200 homes
    #[arg(long)]
    bounded: bool,
    /// Meter-years without leaks [default: 4000; bounded: 1000]
    #[arg(long)]
    years: Option<u32>,
    /// Of which so many in each home [default: 4; bounded: 1]
    #[arg(long)]
    each: Option<u32>,
    /// Homes into which leaks are injected [default: 1000; bounded: 200; at most as many as years]
    #[arg(long)]
    leaks: Option<usize>,
    /// What everything is drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads [default: one a core]
    #[arg(long)]
    jobs: Option<usize>,
    /// Folder of the recordings [default: $GASD_SHARED/data or ../shared/data]
    #[arg(long)]
    recordings: Option<PathBuf>,
    /// Folder for the tables and plots
    #[arg(long)]
    out: Option<PathBuf>,
    /// File for the figures as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

impl System {
    fn options(self) -> Options {
        let (years, each, leaks) = if self.bounded { (1000, 1, 200) } else { (4000, 4, 1000) };
        let years = self.years.unwrap_or(years);
        Options {
            seed: self.seed,
            years,
            each: self.each.unwrap_or(each).min(years.max(1)),
            leaks: self.leaks.unwrap_or_else(|| leaks.min(years as usize)),
            jobs: self.jobs.unwrap_or_else(gasd_eval::jobs::cores),
            recordings: self.recordings.unwrap_or_else(recordings::folder),
            out: self.out,
            json: self.json,
        }
    }
}

#[derive(Args)]
struct Readings {
    /// Meter-years without leaks, of each resolution
    #[arg(long, default_value_t = 200)]
    years: usize,
    /// Homes into which leaks are injected, of each resolution
    #[arg(long, default_value_t = 100)]
    leaks: usize,
    /// Share of readings that get lost
    #[arg(long, default_value_t = 0.01)]
    lost: f64,
    /// What everything is drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads [default: one a core]
    #[arg(long)]
    jobs: Option<usize>,
    /// Folder of the recordings [default: $GASD_SHARED/data or ../shared/data]
    #[arg(long)]
    recordings: Option<PathBuf>,
}

impl Readings {
    fn options(self) -> readings::Options {
        let Self { years, leaks, lost, seed, .. } = self;
        let jobs = self.jobs.unwrap_or_else(gasd_eval::jobs::cores);
        readings::Options {
            plan: study::Plan { seed, years, leaks, lost, jobs },
            recordings: self.recordings.unwrap_or_else(recordings::folder),
        }
    }
}

fn alone(thresholds: usize, delays: usize, svg: Option<PathBuf>) -> Result<String, String> {
    let mut options = alone::Options::default();
    (options.effort.thresholds, options.effort.delays) = (thresholds, delays);
    let (section, picture) = alone::run(&options);
    if let Some(file) = svg {
        std::fs::write(&file, picture).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(section)
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::System(system) => run(&system.options()),
        Command::Alone { thresholds, delays, svg } => alone(thresholds, delays, svg),
        Command::Peers { speed: true, .. } => Ok(peers::speed()),
        Command::Peers { runs, speed: false } => {
            let options = peers::Options { thresholds: runs, delays: runs, ..Default::default() };
            let tables = peers::CASES.map(|case| peers::run(&options, case));
            Ok(format!("{}\n{}", peers::introduction(&options), tables.join("\n")))
        }
        Command::Readings(asked) => readings::run(&asked.options()),
        Command::Learned { homes, leaks, jobs } => {
            let jobs = jobs.unwrap_or_else(gasd_eval::jobs::cores);
            Ok(learned::run(&learned::Options { homes, leaks, jobs }))
        }
        Command::Features(asked) => features(asked),
        Command::Bounds { homes, seed, days, jobs } => {
            let jobs = jobs.unwrap_or_else(gasd_eval::jobs::cores);
            Ok(bounds::run(&bounds_study::Plan { seed, homes, days, jobs }))
        }
        Command::Nab => nab::run().map_err(|error| error.to_string()).map(|section| {
            section.unwrap_or_else(|| {
                "SKIPPED: no data/nab beside the workspace; GASD_SHARED tells where it is\n".into()
            })
        }),
        Command::Homes { homes } => Ok(gasd_eval::household::sum::table(homes)),
    };
    match result {
        Ok(tables) => {
            print!("{tables}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("gasd-eval: {why}");
            ExitCode::FAILURE
        }
    }
}
