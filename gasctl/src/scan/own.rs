// SPDX-License-Identifier: MIT OR Apache-2.0
//! A search on a line that gasctl opens itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use gasd_meters::drive::scan::{Bounds, FoundMeter, Search};
use gasd_ports::bus::Searched;
use gasd_ports::examine::{Observed, Plan, Setting};
use gasd_ports::port::{Port, PortSpec, Told};
use gasd_ports::wire::{WireError, WireSpec};
use gasd_ports::{examiner, found};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::rounds::Round;
use super::{Found, Said};
use crate::fail::Failure;
use crate::port::{Own, unusable};

/// How soon it notices that it is to stop.
const NOTICE: Duration = Duration::from_millis(50);

/// A search at work. Dropping it ends the search and gives the line back.
pub struct AtWork {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Searches at one setting after the other, until somebody answers.
///
/// # Errors
/// No thread can be had.
pub fn search(
    own: Own,
    rounds: Vec<Round>,
    answer_ns: Option<u64>,
) -> Result<(UnboundedReceiver<Said>, AtWork), Failure> {
    let (sender, receiver) = unbounded_channel();
    let stop = Arc::new(AtomicBool::new(false));
    let bounds = Bounds { answer_ns: answer_ns.unwrap_or_default(), ..Bounds::default() };
    let work = Work { own, bounds, sender, stop: stop.clone() };
    let thread = std::thread::Builder::new().name("scan".to_owned()).spawn(move || work.run(rounds))?;
    Ok((receiver, AtWork { stop, thread: Some(thread) }))
}

struct Work {
    own: Own,
    bounds: Bounds,
    sender: UnboundedSender<Said>,
    stop: Arc<AtomicBool>,
}

/// How one search ended.
enum Ended {
    Done { found: usize },
    Stopped,
}

impl Work {
    fn run(&self, mut rounds: Vec<Round>) {
        match self.setting(&rounds) {
            // Where somebody answers a light question is searched first. Several that answer at once are not understood
            // so, and found in their turn.
            Ok(Some(setting)) => rounds.sort_by_key(|round| round.setting != setting),
            Ok(None) => {}
            Err(error) => return self.tell(Said::Broken(unusable(&error))),
        }
        let mut refused = None;
        let mut searched = false;
        for round in &rounds {
            match self.round(round) {
                Ok(Ended::Done { found: 0 }) => searched = true,
                Ok(Ended::Done { .. }) => {
                    self.tell(Said::Done);
                    return;
                }
                Ok(Ended::Stopped) => return,
                // A speed that the device does not have is none that meters on it have.
                Err(Broken::Refused(failure)) => refused = Some(failure),
                Err(Broken::Lost(failure)) => {
                    self.tell(Said::Broken(failure));
                    return;
                }
            }
        }
        self.tell(match refused {
            Some(failure) if !searched => Said::Broken(failure),
            _ => Said::Done,
        });
    }

    /// The first setting at which somebody answers one of a few light questions: a whole search takes minutes, and there
    /// are many settings.
    fn setting(&self, rounds: &[Round]) -> Result<Option<Setting>, WireError> {
        let (Own::Device(_), [first, others @ ..]) = (&self.own, rounds) else { return Ok(None) };
        if others.is_empty() {
            return Ok(None);
        }
        let mut protocols: Vec<_> = rounds.iter().flat_map(|round| round.protocols.iter().copied()).collect();
        protocols.sort_unstable();
        protocols.dedup();
        let plan = Plan {
            setting: first.setting,
            others: others.iter().map(|round| round.setting).collect(),
            protocols,
            listen_ns: 0,
            latency_ns: self.own.wire(first.setting).latency().as_nanos() as u64,
        };
        let told = |what: &str| self.tell(Said::Asking(format!("which speed: {what}")));
        let Observed { asked, .. } =
            examiner::examine(|setting| self.own.wire(setting), plan, &self.stop, told)?;
        let parts: Vec<_> = asked.iter().map(|asked| (asked.setting, asked.parts())).collect();
        // A late answer may be to what was asked at the setting before.
        let in_time = parts.iter().find(|(_, parts)| !parts.answers.is_empty());
        Ok(in_time.or_else(|| parts.iter().find(|(_, parts)| parts.anybody())).map(|(setting, _)| *setting))
    }

    fn tell(&self, said: Said) {
        // Whoever went away wants nothing more.
        let _ = self.sender.send(said);
    }

    fn round(&self, round: &Round) -> Result<Ended, Broken> {
        let wire = self.own.wire(round.setting);
        if let WireSpec::Serial(_) = &wire {
            // The port's own thread would try again and again; a server may take one connection only.
            drop(wire.open().map_err(broken)?);
        }
        self.tell(Said::Setting(round.setting));
        let pace = round.setting.pace(wire.latency().as_nanos() as u64);
        let (told, hears) = channel();
        let teller = Box::new(move |what| {
            let _ = told.send(what);
        });
        let spec = PortSpec { id: "scan".to_owned(), wire, pace };
        let port = Port::start(spec, Vec::new(), teller).map_err(|error| Broken::Lost(error.into()))?;
        port.handle().search(Some(Box::new(Search::new(&round.protocols, &self.bounds))));
        self.follow(round, &hears)
    }

    fn follow(&self, round: &Round, hears: &Receiver<Told>) -> Result<Ended, Broken> {
        let mut count = 0;
        while !self.stop.load(Ordering::Relaxed) {
            match hears.recv_timeout(NOTICE) {
                Ok(Told::Searched(Searched::Asking(what))) => self.tell(Said::Asking(what)),
                Ok(Told::Searched(Searched::Found(meter))) => {
                    count += 1;
                    let keys = found::keys(&meter);
                    let FoundMeter { protocol, address, words, .. } = meter;
                    let setting = matches!(self.own, Own::Device(_)).then_some(round.setting);
                    let protocol = protocol.name().to_owned();
                    self.tell(Said::Found(Found {
                        protocol,
                        address,
                        words,
                        keys,
                        setting,
                        ..Found::default()
                    }));
                }
                Ok(Told::Searched(Searched::Slow { protocol, address, ns })) => {
                    self.tell(Said::Slow { protocol: protocol.name().to_owned(), address, ns });
                }
                Ok(Told::Searched(Searched::Done)) => return Ok(Ended::Done { found: count }),
                Ok(Told::Health(Some(why))) => return Err(Broken::Lost(Failure::Unusable(why))),
                Ok(Told::Health(None) | Told::Event(_) | Told::Seen(_)) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Broken::Lost(Failure::Unusable("the port's thread has ended".to_owned())));
                }
            }
        }
        Ok(Ended::Stopped)
    }
}

/// Why a search cannot be made.
enum Broken {
    /// Not at this setting.
    Refused(Failure),
    /// Not on this line.
    Lost(Failure),
}

fn broken(error: WireError) -> Broken {
    let failure = unusable(&error);
    if matches!(error, WireError::Settings { .. }) { Broken::Refused(failure) } else { Broken::Lost(failure) }
}
