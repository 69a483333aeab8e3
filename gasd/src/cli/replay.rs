// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd replay`: a trace through filter and engine, verdicts as JSON lines.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use crate::{
    config::{self, Config},
    exit::{self, Fatal},
    kernel::{Kernel, load, private},
    replay::{self, FilterBackend, ReplayError, Trace, UserFilter, kernel::KernelFilter},
};

#[derive(Debug, clap::Args)]
#[command(
    about = "Play a recorded trace through filter and engine, offline, and print verdicts as JSON lines",
    after_help = "The trace is CSV with the header `t_ns,line,level`: one transition a row, times ascending, the \
                  line's level after it (1 active); `#` begins a comment. The last line printed is the summary. \
                  Needs no privilege, except with --kernel.\n\n\
                  Example: gasd replay --config gasd.toml --trace cellar.csv | tail -1 | jq ."
)]
pub struct ReplayArgs {
    /// The configuration; a meter's `line` names the trace's line
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The trace; "-" for standard input
    #[arg(long, value_name = "FILE")]
    trace: PathBuf,
    /// Local date and time of the trace's first row, like 2026-11-27T18:00; without it the trace's own time is
    /// taken for civil time, as Unix time would be
    #[arg(long, value_name = "TIME", value_parser = civil_ns)]
    start: Option<u64>,
    /// Play it through the real kernel programs (needs root)
    #[arg(long)]
    kernel: bool,
}

/// Bytes read at once.
const BUFFER: usize = 256 * 1024;

/// Replays. Bad input, a trace or a configuration, ends with 2.
pub fn run(args: &ReplayArgs) -> Result<(), Fatal> {
    let config = config::load(&args.config).map_err(|e| Fatal::new(exit::BAD_INPUT, e.to_string()))?;
    for warning in &config.warnings {
        eprintln!("gasd: warning: {warning}");
    }
    let (name, input) = open(&args.trace)?;
    if !args.kernel {
        return play(&config, args.start, &name, input, &mut UserFilter::new(&replay::filters(&config)));
    }
    // The directory is only a place to mount on; the mount is ours alone and ends with us.
    let dir = std::env::temp_dir().join(format!("gasd-replay-{}", std::process::id()));
    std::fs::create_dir(&dir)
        .map_err(|e| Fatal::new(exit::FAILED, format!("making {}: {e}", dir.display())))?;
    let done = through_kernel(&config, args.start, &name, input, &dir);
    let _ = std::fs::remove_dir_all(&dir);
    done
}

fn through_kernel(
    config: &Config,
    start_ns: Option<u64>,
    name: &str,
    input: Box<dyn Read>,
    dir: &Path,
) -> Result<(), Fatal> {
    let pins = private::mount_bpffs(dir).map_err(|e| {
        let code =
            if e.kind() == io::ErrorKind::PermissionDenied { exit::NOT_PERMITTED } else { exit::FAILED };
        Fatal::new(code, format!("--kernel mounts a BPF file system of its own and needs root: {e}"))
    })?;
    load::load(&pins, false)?;
    let kernel = Kernel::open(&pins)?;
    let done = play(config, start_ns, name, input, &mut KernelFilter::new(kernel, config)?);
    let _ = load::unload(&pins);
    private::unmount(&pins);
    done
}

fn open(path: &Path) -> Result<(String, Box<dyn Read>), Fatal> {
    if path == Path::new("-") {
        return Ok(("standard input".into(), Box::new(io::stdin().lock())));
    }
    let name = path.display().to_string();
    let file = File::open(path).map_err(|e| Fatal::new(exit::BAD_INPUT, format!("{name}: {e}")))?;
    Ok((name, Box::new(file)))
}

fn play<B: FilterBackend>(
    config: &Config,
    start_ns: Option<u64>,
    name: &str,
    input: Box<dyn Read>,
    backend: &mut B,
) -> Result<(), Fatal> {
    let mut out = BufWriter::new(io::stdout().lock());
    let rows = Trace::new(name, BufReader::with_capacity(BUFFER, input));
    let done = replay::play_from(config, start_ns, rows, backend, &mut out);
    let flushed = out.flush();
    match done {
        Ok(_) => flushed.or_else(quiet_pipe),
        // Whoever read us has seen enough.
        Err(ReplayError::Output(e)) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error @ (ReplayError::Backend(_) | ReplayError::Output(_))) => {
            return Err(Fatal::new(exit::FAILED, error.to_string()));
        }
        Err(error) => return Err(Fatal::new(exit::BAD_INPUT, error.to_string())),
    }
    .map_err(|e| Fatal::new(exit::FAILED, e.to_string()))
}

/// A local date and time as ns since 1970 by its own clock: `2026-11-27`, `2026-11-27T18:00`,
/// `2026-11-27 18:00:30`.
fn civil_ns(text: &str) -> Result<u64, String> {
    let wrong = || "expected a date from 1970 on and a time of day, like 2026-11-27T18:00".to_owned();
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    let numbers = |part: &str, by: char| -> Option<Vec<u64>> {
        part.split(by).map(|n| n.bytes().all(|b| b.is_ascii_digit()).then(|| n.parse().ok())?).collect()
    };
    let date = numbers(date, '-').ok_or_else(wrong)?;
    let time = numbers(time, ':').ok_or_else(wrong)?;
    let ([year, month, day], [hour, minute, rest @ ..]) = (&date[..], &time[..]) else { return Err(wrong()) };
    let second = match rest {
        [] => 0,
        [second] => *second,
        _ => return Err(wrong()),
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let february = if leap { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = month.checked_sub(1).and_then(|at| lengths.get(at as usize)).ok_or_else(wrong)?;
    let fits = (1970..=2400).contains(year) && (1..=*length).contains(day);
    if !fits || *hour > 23 || *minute > 59 || second > 59 {
        return Err(wrong());
    }
    let before: u64 = lengths[..*month as usize - 1].iter().sum();
    let leaps = |year: u64| year / 4 - year / 100 + year / 400;
    let days = (year - 1970) * 365 + leaps(year - 1) - leaps(1969) + before + day - 1;
    Ok((days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000_000_000)
}

fn quiet_pipe(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_a_date_and_a_time_of_day() {
        for (text, seconds) in [
            ("1970-01-01", 0),
            ("2026-11-27T18:00", 1_795_802_400),
            ("2026-11-27 18:00:30", 1_795_802_430),
            ("2024-02-29", 1_709_164_800),
            ("2100-03-01", 4_107_542_400),
        ] {
            assert_eq!(civil_ns(text), Ok(seconds * 1_000_000_000), "{text}");
        }
        for text in ["", "2026", "2026-13-01", "2025-02-29", "2026-11-27T24:00", "+2026-01-01", "1969-01-01"]
        {
            assert!(civil_ns(text).is_err(), "{text}");
        }
    }
}
