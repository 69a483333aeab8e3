// SPDX-License-Identifier: MIT OR Apache-2.0
//! A line that nobody has: it is opened, listened to, and asked.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gasd_meters::detect::Protocol;
use gasd_ports::examine::{Observed, Plan, Setting, judge};
use gasd_ports::{WireError, examiner};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::Report;
use crate::cli::LineArgs;
use crate::fail::Failure;
use crate::output::Output;
use crate::port::{Own, unusable};

/// Speed of a line of which nothing is known, baud: that of most meters.
const BAUD: u32 = 2_400;
/// How long is listened, s.
const LISTEN: u64 = 5;

/// Examines it. Ctrl-C ends it with what was seen until then.
///
/// # Errors
/// [`Failure::Unusable`] or [`Failure::Denied`] of a port that cannot be opened; [`Failure::Usage`].
pub async fn examine(own: Own, args: &LineArgs, out: &Output) -> Result<Report, Failure> {
    let plan = plan(&own, args)?;
    let port = own.wire(plan.setting).to_string();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = Arc::new(AtomicBool::new(false));
    let (told, mut doing) = unbounded_channel();
    let (theirs, stops) = (own.clone(), stop.clone());
    let mut work = tokio::task::spawn_blocking(move || {
        examiner::examine(
            |setting| theirs.wire(setting),
            plan,
            &stops,
            |what| {
                let _ = told.send(what.to_owned());
            },
        )
    });
    let watched = !out.json && std::io::stderr().is_terminal();
    let mut interrupted = false;
    let seen = loop {
        tokio::select! {
            seen = &mut work => break seen,
            _ = interrupt.recv() => interrupted = true,
            _ = terminate.recv() => interrupted = true,
            what = next(&mut doing) => show(watched, &what),
        }
        stop.fetch_or(interrupted, Ordering::Relaxed);
    };
    show(watched, "");
    let seen: Result<Observed, WireError> =
        seen.map_err(|error| Failure::Unusable(format!("the examination broke off: {error}")))?;
    let observed = seen.map_err(|error| unusable(&error))?;
    let note = interrupted.then(|| "interrupted: not all was asked".to_owned());
    Ok(Report { port, findings: judge(&observed), note })
}

/// What is to be done with the line.
fn plan(own: &Own, args: &LineArgs) -> Result<Plan, Failure> {
    let parity = args.parity.map(|parity| {
        parity.one().ok_or_else(|| {
            Failure::Usage(
                "doctor tries all parities where nobody answers at the one that is given".to_owned(),
            )
        })
    });
    let setting =
        Setting { baud: args.baud.unwrap_or(BAUD), parity: parity.transpose()?.unwrap_or_default() };
    let others = match own {
        Own::Server(_) if args.parity.is_some() => {
            return Err(Failure::Usage("a serial server has a parity of its own".to_owned()));
        }
        // Only the server can set it.
        Own::Server(_) => Vec::new(),
        Own::Device(_) if args.quick => Vec::new(),
        Own::Device(_) => Plan::others(setting),
    };
    Ok(Plan {
        setting,
        others,
        protocols: Protocol::ALL.to_vec(),
        listen_ns: args.listen.unwrap_or(LISTEN) * 1_000_000_000,
        latency_ns: own.wire(setting).latency().as_nanos() as u64,
    })
}

async fn next(doing: &mut UnboundedReceiver<String>) -> String {
    match doing.recv().await {
        Some(what) => what,
        // It has ended, and its result comes the other way.
        None => std::future::pending().await,
    }
}

/// Shows what is being done, to whoever watches.
fn show(watched: bool, what: &str) {
    if watched {
        let mut screen = std::io::stderr().lock();
        // Where nobody looks any more nothing is lost.
        let _ = write!(screen, "\r\x1b[2K{what}");
        let _ = screen.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Parity;

    #[test]
    fn other_settings_are_tried_on_devices_unless_it_is_to_be_quick() {
        let device = Own::Device("/dev/ttyUSB0".into());
        let server = Own::Server("192.0.2.7:4001".into());
        let args = LineArgs::default();
        assert_eq!(plan(&device, &args).unwrap().others.len(), 20);
        assert_eq!(plan(&server, &args).unwrap().others, []);
        let quick = LineArgs { quick: true, baud: Some(9_600), parity: Some(Parity::Odd), ..args.clone() };
        let quick = plan(&device, &quick).unwrap();
        assert_eq!((quick.setting.to_string(), quick.others.len()), ("9600 baud 8O1".to_owned(), 0));
        for (own, parity) in [(&device, Parity::Auto), (&server, Parity::Even)] {
            let args = LineArgs { parity: Some(parity), ..args.clone() };
            assert_eq!(plan(own, &args).unwrap_err().status(), 2);
        }
    }
}
