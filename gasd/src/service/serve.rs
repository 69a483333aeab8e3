// SPDX-License-Identifier: MIT OR Apache-2.0
//! The daemon's side of the bus: what it shows, and the thread that carries commands out.

use std::{
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, channel, sync_channel},
    },
    time::Duration,
};

use crate::{
    bus::{self, AuditReader, Bus, BusAddress, BusError, BusStatus, Ports},
    exit::{self, Fatal},
    journal::{self, Note, what::What},
    response::Response,
    simulation::Stand,
    state::{Answer, Change, Command, Shared},
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
}

/// Serves the bus and waits until it works, or for a while; `None` for no bus.
pub fn bus(
    address: Option<&str>,
    window: Window,
    response: &Response,
    reloader: &Arc<Reloader>,
    stand: &Arc<Stand>,
) -> Result<Option<Bus>, Fatal> {
    let Some(address) = address else { return Ok(None) };
    let (commands, asked) = sync_channel::<bus::Request>(16);
    let (response, reloader, stand) = (response.clone(), reloader.clone(), stand.clone());
    // Commands wait for the disk and for the valve, so they have a thread of their own.
    spawn("gasd-commands", move || {
        while let Ok((command, reply)) = asked.recv() {
            // A client that did not wait for the answer is no error.
            let _ = reply.send(match &command {
                Command::Reload { caller } => reloader.reload(caller).map(|_| Answer::Done),
                Command::Simulate { order, caller } => stand.start(order, caller).map(|()| Answer::Done),
                Command::StopSimulation { caller } => {
                    stand.stop(caller);
                    Ok(Answer::Done)
                }
                command => response.command(command),
            });
        }
    })?;
    let (told, status) = channel();
    let mut first = Some(told);
    let Window { shared, changes, stream, audit } = window;
    let ports = Ports { shared, changes, commands, stream, audit };
    let served = bus::serve(BusAddress::parse(address), ports, move |status: &BusStatus| {
        if !matches!(status, BusStatus::Connecting) {
            let serving = matches!(status, BusStatus::Serving { .. });
            let what = if serving { What::BusServing } else { What::BusLost };
            journal::tell(Note::new(what, status.to_string()));
            if let Some(told) = first.take() {
                let _ = told.send(status.clone());
            }
        }
    });
    let bus = served.map_err(|e| Fatal::new(exit::FAILED, format!("the bus thread: {e}")))?;
    match status.recv_timeout(BUS_PATIENCE) {
        Ok(BusStatus::Failed { error: error @ BusError::NameTaken { .. }, .. }) => {
            Err(Fatal::new(exit::BUSY, error.to_string()))
        }
        // Metering does not need the bus; the thread goes on trying and the status says so.
        Ok(_) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(Some(bus)),
    }
}
