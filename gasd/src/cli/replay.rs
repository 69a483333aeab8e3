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
    replay::{self, FilterBackend, ReplayError, UserFilter, kernel::KernelFilter},
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
        return play(&config, &name, input, &mut UserFilter::new(&replay::filters(&config)));
    }
    // The directory is only a place to mount on; the mount is ours alone and ends with us.
    let dir = std::env::temp_dir().join(format!("gasd-replay-{}", std::process::id()));
    std::fs::create_dir(&dir)
        .map_err(|e| Fatal::new(exit::FAILED, format!("making {}: {e}", dir.display())))?;
    let done = through_kernel(&config, &name, input, &dir);
    let _ = std::fs::remove_dir_all(&dir);
    done
}

fn through_kernel(config: &Config, name: &str, input: Box<dyn Read>, dir: &Path) -> Result<(), Fatal> {
    let pins = private::mount_bpffs(dir).map_err(|e| {
        let code =
            if e.kind() == io::ErrorKind::PermissionDenied { exit::NOT_PERMITTED } else { exit::FAILED };
        Fatal::new(code, format!("--kernel mounts a BPF file system of its own and needs root: {e}"))
    })?;
    load::load(&pins, false)?;
    let kernel = Kernel::open(&pins)?;
    let done = play(config, name, input, &mut KernelFilter::new(kernel, config)?);
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
    name: &str,
    input: Box<dyn Read>,
    backend: &mut B,
) -> Result<(), Fatal> {
    let mut out = BufWriter::new(io::stdout().lock());
    let done = replay::replay(config, name, BufReader::with_capacity(BUFFER, input), backend, &mut out);
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

fn quiet_pipe(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}
