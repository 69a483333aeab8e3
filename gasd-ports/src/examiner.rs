// SPDX-License-Identifier: MIT OR Apache-2.0
//! Gives an [`Examination`] its wire.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::examine::{Act, Examination, Observed, Plan, Setting};
use crate::pause::boottime_ns;
use crate::wire::{Wire, WireError, WireSpec};

/// How soon it notices that it is to stop.
const NOTICE: Duration = Duration::from_millis(100);

/// Examines a line. `wire` says how it is reached at a setting; `told` hears what is being done, in words, whenever that is
/// something else; `stop` ends it early, with what was seen until then.
///
/// # Errors
/// It cannot be opened as the plan's own setting has it, or is lost. A setting that the device does not have is passed over.
pub fn examine(
    wire: impl Fn(Setting) -> WireSpec,
    plan: Plan,
    stop: &AtomicBool,
    mut told: impl FnMut(&str),
) -> Result<Observed, WireError> {
    let mut examination = Examination::new(plan);
    let mut open: Option<Box<dyn Wire>> = None;
    let mut doing = String::new();
    let mut first = true;
    while !stop.load(Ordering::Relaxed) {
        if let Some(wire) = &mut open {
            examination.damage(wire.damage());
            listen(wire.as_mut(), &mut examination)?;
        }
        match examination.step(boottime_ns()) {
            Act::Done => break,
            Act::Set(setting) => {
                // It is ours alone, also towards ourselves.
                drop(open.take());
                match wire(setting).open() {
                    Ok(wire) => open = Some(wire),
                    Err(WireError::Settings { .. }) if !first => examination.skip(),
                    Err(error) => return Err(error),
                }
                first = false;
            }
            Act::Send(bytes) => {
                if let Some(wire) = &mut open {
                    send(wire.as_mut(), &bytes).map_err(|error| lost("writing", error))?;
                }
            }
            Act::Wait { until_ns } => {
                let now = examination.doing();
                if now != doing {
                    told(&now);
                    doing = now;
                }
                wait(open.as_deref(), until_ns, PollFlags::IN);
            }
        }
    }
    Ok(examination.observed())
}

fn lost(what: &str, error: io::Error) -> WireError {
    WireError::Io { what: what.to_owned(), error }
}

fn listen(wire: &mut dyn Wire, examination: &mut Examination) -> Result<(), WireError> {
    let mut bytes = [0u8; 512];
    // No more than this at once: a line that never stops must not keep it from its work.
    for _ in 0..8 {
        match wire.read(&mut bytes).map_err(|error| lost("reading", error))? {
            0 => break,
            count => examination.heard(boottime_ns(), &bytes[..count.min(bytes.len())]),
        }
    }
    Ok(())
}

/// Sends all; a request is short, so there is room soon or never.
fn send(wire: &mut dyn Wire, bytes: &[u8]) -> io::Result<()> {
    let mut left = bytes;
    let given_up_ns = boottime_ns().saturating_add(5_000_000_000);
    while !left.is_empty() {
        let sent = wire.write(left)?;
        left = &left[sent.min(left.len())..];
        if !left.is_empty() {
            if boottime_ns() >= given_up_ns {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the device takes no bytes"));
            }
            wait(Some(&*wire), given_up_ns, PollFlags::OUT);
        }
    }
    Ok(())
}

fn wait(wire: Option<&dyn Wire>, until_ns: u64, events: PollFlags) {
    let left_ns = until_ns.saturating_sub(boottime_ns()).min(NOTICE.as_nanos() as u64);
    let timeout = Timespec { tv_sec: 0, tv_nsec: left_ns.cast_signed() };
    let mut fds = Vec::new();
    if let Some(wire) = wire {
        fds.push(PollFd::from_borrowed_fd(wire.fd(), events));
    }
    // Whatever it says, the loop looks at everything.
    let _ = poll(&mut fds, Some(&timeout));
}
