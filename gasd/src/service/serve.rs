// SPDX-License-Identifier: MIT OR Apache-2.0
//! The daemon's side of the bus: what it shows, and the thread that carries commands out.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{RecvTimeoutError, channel, sync_channel},
    },
    time::Duration,
    time::Instant,
};

use crate::{
    bus::{self, AuditReader, Bus, BusAddress, BusError, BusStatus, Doors, Ports, VerdictReader},
    exit::{self, Fatal},
    journal::{self, Note, what::What},
    pipeline::{
        feedback::Acknowledged,
        queue::{Input, Queue},
    },
    response::Response,
    simulation::Stand,
    state::{Answer, Change, Command, CommandError, Shared, VerdictRecord, look},
    stream::Stream,
};

use super::{reload::Reloader, run::spawn};

/// How long the start waits for the bus before it says READY without it.
const BUS_PATIENCE: Duration = Duration::from_secs(5);

/// What is shown.
pub struct Window {
    /// The snapshot.
    pub shared: Shared,
    /// What changed in it.
    pub changes: tokio::sync::mpsc::Receiver<Change>,
    /// The event stream.
    pub stream: Stream,
    /// The audit record.
    pub audit: AuditReader,
    /// The verdicts in the store.
    pub verdicts: VerdictReader,
    /// Feeds and the live page.
    pub doors: Doors,
}

/// Serves the bus and waits until it works, or for a while; `None` for no bus.
pub fn bus(
    address: Option<&str>,
    window: Window,
    response: &Response,
    reloader: &Arc<Reloader>,
    stand: &Arc<Stand>,
    engine: &Queue,
) -> Result<Option<Bus>, Fatal> {
    let Some(address) = address else { return Ok(None) };
    let (commands, asked) = sync_channel::<bus::Request>(16);
    let (response, reloader, stand) = (response.clone(), reloader.clone(), stand.clone());
    let (shared, engine) = (window.shared.clone(), engine.clone());
    let (queue, queued) = channel::<bus::Request>();
    let (closer, sensed) = (response.clone(), engine.clone());
    spawn("gasd-desk", move || {
        while let Ok(request) = asked.recv() {
            if closes(&request.0) {
                close(&closer, request);
            } else if let Command::Report { report, .. } = &request.0
                && sensed.offer(Input::Report(report.clone()))
            {
                // A client that did not wait for the answer is no error.
                let _ = request.1.send(Ok(Answer::Done));
            } else if queue.send(request).is_err() {
                return;
            }
        }
    })?;
    // These wait for the disk and for the valve, one after another.
    spawn("gasd-commands", move || {
        while let Ok((command, reply)) = queued.recv() {
            // A client that did not wait for the answer is no error.
            let _ = reply.send(match &command {
                Command::Reload { caller } => reloader.reload(caller).map(|_| Answer::Done),
                // There was no room at once; it goes into the queue before what was asked later.
                Command::Report { report, .. } => {
                    let sent = engine.push_wait(Input::Report(report.clone()));
                    if sent { Ok(Answer::Done) } else { Err(CommandError::Stopping) }
                }
                Command::Simulate { order, caller } => stand.start(order, caller).map(|()| Answer::Done),
                Command::StopSimulation { caller } => {
                    stand.stop(caller);
                    Ok(Answer::Done)
                }
                Command::Acknowledge { verdict, feedback, .. } => {
                    let what = known(&shared, *verdict).map(|record| Acknowledged::new(&record, *feedback));
                    let done = response.command(&command);
                    if let (Ok(_), Some(what)) = (&done, what) {
                        engine.push_wait(Input::Acknowledged(what));
                    }
                    done
                }
                command => response.command(command),
            });
        }
    })?;
    let (told, status) = channel();
    let Window { shared, changes, stream, audit, verdicts, doors } = window;
    let ports = Ports { shared, changes, commands, stream, audit, verdicts, doors };
    let served = bus::serve(BusAddress::parse(address), ports, move |status: &BusStatus| {
        if !matches!(status, BusStatus::Connecting) {
            let serving = matches!(status, BusStatus::Serving { .. });
            let what = if serving { What::BusServing } else { What::BusLost };
            journal::tell(Note::new(what, status.to_string()));
            // Nobody listens any more once the start is over.
            let _ = told.send(status.clone());
        }
    });
    let bus = served.map_err(|e| Fatal::new(exit::FAILED, format!("the bus thread: {e}")))?;
    // A bus that has just been told of gasd's policy may take a moment to know it, so a name that is
    // refused is asked for again for a while before anybody is told that this is ready.
    let until = Instant::now() + BUS_PATIENCE;
    loop {
        match status.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(BusStatus::Failed { error: error @ BusError::NameTaken { .. }, .. }) => {
                return Err(Fatal::new(exit::BUSY, error.to_string()));
            }
            Ok(BusStatus::Failed { error: BusError::NameDenied(_), .. }) => {}
            // Metering does not need the bus; the thread goes on trying and the status says so.
            Ok(_) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(Some(bus)),
        }
    }
}

/// A verdict that waits, by its number.
fn known(shared: &Shared, verdict: u64) -> Option<VerdictRecord> {
    look(shared).verdicts.iter().find(|record| record.id == verdict).cloned()
}

/// Whether a command turns gas off. Such a one waits for nobody: not for another valve, and not for an
/// opening of the same one, which it cuts short.
const fn closes(command: &Command) -> bool {
    matches!(command, Command::Close { .. } | Command::Hold { .. })
}

/// Closes on a thread of its own, or here where there is none to be had. There are no more of them than
/// calls that the bus side admits.
fn close(response: &Response, request: bus::Request) {
    let carry_out = |response: &Response, (command, reply): bus::Request| {
        // A client that did not wait for the answer is no error.
        let _ = reply.send(response.command(&command));
    };
    let waiting = Arc::new(Mutex::new(Some(request)));
    let take =
        |waiting: &Mutex<Option<bus::Request>>| waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
    let (elsewhere, there) = (response.clone(), waiting.clone());
    let work = move || take(&there).into_iter().for_each(|request| carry_out(&elsewhere, request));
    if spawn("gasd-closing", work).is_err() {
        take(&waiting).into_iter().for_each(|request| carry_out(response, request));
    }
}
