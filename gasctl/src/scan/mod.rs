// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl scan`: which meters are on a port, and the tables that configure them.
//!
//! On a port of gasd's [`gasd`] has gasd search; any other line [`own`] searches at one speed after the other
//! ([`rounds`]). Where nobody can be asked, [`strangers`] are what was heard. [`tables`] makes configuration of it.

mod gasd;
mod own;
mod rounds;
mod show;
mod slow;
mod strangers;
mod tables;

use std::time::Duration;

use gasd_meters::detect::Protocol;
use gasd_ports::examine::Setting;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::cli::{Baud, ScanArgs};
use crate::fail::Failure;
use crate::output::Output;
use crate::port::{self, AtGasd, Own, Place};

use show::Show;
use tables::PortTable;

/// A server's line has a speed that only the server knows: with a low one nobody is given up on too soon.
const SERVER_BAUD: u32 = 2_400;

/// A meter that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Its protocol, as configurations name it.
    pub protocol: String,
    /// Its address, as configurations have it; `None` where several answered at once, or it does not say it.
    pub address: Option<String>,
    /// What it said of itself.
    pub words: String,
    /// What else its `device` needs in a configuration, as TOML.
    pub keys: String,
    /// At which setting, where that was tried here.
    pub setting: Option<Setting>,
    /// The meter of the configuration that it is, if it is one.
    pub configured: Option<String>,
    /// It is slower than the port waits: the longest that it thought, ns.
    pub slow_ns: Option<u64>,
}

/// What a search says.
#[derive(Debug)]
pub enum Said {
    /// The line is set so from now on.
    Setting(Setting),
    /// This is asked now, in words.
    Asking(String),
    /// Somebody answered.
    Found(Found),
    /// Somebody is slow, or slower than was said.
    Slow {
        /// Its protocol.
        protocol: String,
        /// Its address, where it has one.
        address: Option<String>,
        /// How long it thought, ns.
        ns: u64,
    },
    /// All was asked.
    Done,
    /// It cannot go on.
    Broken(Failure),
}

/// How a search ended.
#[derive(Debug)]
pub enum End {
    /// All was asked.
    All,
    /// Somebody ended it.
    Interrupted,
    /// The time that it was given is over.
    TimedOut,
    /// It broke off.
    Broken(Failure),
}

impl End {
    /// Its name in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Interrupted => "interrupted",
            Self::TimedOut => "timeout",
            Self::Broken(_) => "broken",
        }
    }
}

/// Searches, shows what was found, and writes its tables where that is wanted.
///
/// # Errors
/// [`Failure::NothingFound`]; [`Failure::Unusable`] of a port that cannot be opened; what gasd or the bus say; and what
/// [`crate::setup::install`] says of the file.
pub async fn run(bus: Option<&str>, args: &ScanArgs, out: &Output) -> Result<(), Failure> {
    if let Some(file) = &args.write {
        tables::is_writable(file)?;
    }
    match port::find(bus, &args.port).await? {
        Place::Gasd(at) => at_gasd(*at, args, out).await,
        Place::Own(own) => on_own(own, args, out).await,
    }
}

async fn at_gasd(at: AtGasd, args: &ScanArgs, out: &Output) -> Result<(), Failure> {
    let id = at.port.id.clone();
    if args.baud.is_some() || args.parity.is_some() || args.answer.is_some() {
        return Err(Failure::Usage(format!(
            "port \"{id}\" is gasd's and set as its configuration says ({}); --baud, --parity and --answer are for ports \
             that gasd does not have",
            at.port.place
        )));
    }
    let table = PortTable::Known(id);
    if !port::is_asked(&at.port.kind) {
        if !args.protocols.is_empty() {
            return Err(Failure::Usage(format!("nobody can be asked on a port of kind {}", at.port.kind)));
        }
        return strangers::run(&at, &table, args, out);
    }
    let said = gasd::search(&at, &args.protocols, out).await?;
    let mut show = Show::new(args, out);
    show.begin(&format!("gasd searches on port \"{}\" ({})", at.port.id, at.port.place));
    let end = follow(said, args.timeout, &mut show).await?;
    finish(show, end, &table, args, out)
}

async fn on_own(own: Own, args: &ScanArgs, out: &Output) -> Result<(), Failure> {
    let protocols = if args.protocols.is_empty() { Protocol::ALL.to_vec() } else { args.protocols.clone() };
    let baud = match (&own, args.baud) {
        (Own::Server(_), Some(Baud::Auto)) => return Err(servers_setting("a speed")),
        (Own::Server(_), None) => Baud::Is(SERVER_BAUD),
        (_, baud) => baud.unwrap_or(Baud::Auto),
    };
    let rounds = match &own {
        Own::Server(_) if args.parity.is_some() => return Err(servers_setting("a parity")),
        // Whatever its parity is, all are asked in one go.
        Own::Server(_) => rounds::rounds(baud, Some(crate::cli::Parity::Even), &protocols),
        Own::Device(_) => rounds::rounds(baud, args.parity, &protocols),
    };
    let mut show = Show::new(args, out);
    let (said, at_work) = own::search(own.clone(), rounds, args.answer)?;
    let end = follow(said, args.timeout, &mut show).await?;
    // The line is given back before anything is shown of it.
    drop(at_work);
    let setting = show.found().first().and_then(|found| found.setting);
    let table = PortTable::new(&own, setting);
    finish(show, end, &table, args, out)
}

fn servers_setting(what: &str) -> Failure {
    Failure::Usage(format!(
        "a serial server has {what} of its own; --baud N says which speed that is, for how long to wait"
    ))
}

/// Follows a search to its end.
async fn follow(
    mut said: UnboundedReceiver<Said>,
    timeout: Option<u64>,
    show: &mut Show<'_>,
) -> Result<End, Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut second = tokio::time::interval(Duration::from_secs(1));
    let over = tokio::time::sleep(Duration::from_secs(timeout.unwrap_or(u64::from(u32::MAX))));
    tokio::pin!(over);
    loop {
        let next = tokio::select! {
            next = said.recv() => next,
            _ = interrupt.recv() => return Ok(End::Interrupted),
            _ = terminate.recv() => return Ok(End::Interrupted),
            () = &mut over => return Ok(End::TimedOut),
            _ = second.tick() => {
                show.tick();
                continue;
            }
        };
        match next {
            Some(Said::Setting(setting)) => show.setting(setting)?,
            Some(Said::Asking(what)) => show.asking(&what)?,
            Some(Said::Found(found)) => show.found_one(found)?,
            Some(Said::Slow { protocol, address, ns }) => show.slow(&protocol, address.as_deref(), ns)?,
            Some(Said::Done) => return Ok(End::All),
            Some(Said::Broken(failure)) => return Ok(End::Broken(failure)),
            None => {
                return Ok(End::Broken(Failure::Refused(
                    "the search broke off: a newer one took its place, or the port is gone".to_owned(),
                )));
            }
        }
    }
}

/// Shows the end, writes the tables, and says how it went.
fn finish(
    mut show: Show<'_>,
    end: End,
    table: &PortTable,
    args: &ScanArgs,
    out: &Output,
) -> Result<(), Failure> {
    let text = tables::toml(&args.port, table, show.found());
    let some = !show.found().is_empty();
    let written = match (&args.write, &text, &end) {
        // What broke off is not written down.
        (Some(_), _, End::Broken(_)) | (None, ..) | (_, None, _) => Ok(None),
        (Some(file), Some(text), _) => tables::write(file, text, out).map(|()| Some(file.as_path())),
    };
    show.end(&end, text.as_deref(), written.as_ref().ok().copied().flatten())?;
    if let End::Broken(failure) = end {
        return Err(failure);
    }
    let unnamed = tables::unnamed(show.found());
    if let Some(words) = unnamed.filter(|_| !out.json) {
        out.say(words);
    }
    match (&args.write, written?) {
        (Some(file), None) if some => {
            let file = file.display();
            if unnamed.is_some() {
                return Err(Failure::NothingFound(format!(
                    "no meter with an address was found: {file} is not written"
                )));
            }
            if !out.json {
                out.say(&format!("{file}: not written, as the configuration has all that was found"));
            }
            Ok(())
        }
        _ if some => Ok(()),
        _ => Err(Failure::NothingFound(nothing(&end, table))),
    }
}

fn nothing(end: &End, table: &PortTable) -> String {
    let until = if matches!(end, End::All) { "" } else { " until it was ended" };
    let port = table.named();
    format!("no meter was found{until}; `gasctl doctor {port}` says what is wrong with a line")
}
