// SPDX-License-Identifier: MIT OR Apache-2.0
//! A private bus and a pipeline that only pretends, for the tests of the bus and of gasctl.
#![allow(dead_code, reason = "every test binary uses another part of it")]
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]

#[path = "bus_samples/mod.rs"]
mod samples;

pub use samples::verdict;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use gasd::bus::{Bus, BusAddress, BusStatus, Ports, Request, serve};
pub use gasd::state::Snapshot;
use gasd::state::{
    Answer, Change, Command, CommandError, ConfigurationState, Hold, MeterState, Mode, Phase, Position,
    Release, ServiceState, Shared, SimulationState, StoreState, ValveState, VerdictRecord,
};
use gasd::store::AuditEntry;
use gasd::stream::{House, Named, Stream};

/// Longest wait for anything that should happen.
pub const SOON: Duration = Duration::from_secs(15);

/// A dbus-daemon of our own.
pub struct PrivateBus {
    folder: tempfile::TempDir,
    daemon: Child,
}

impl PrivateBus {
    pub fn start() -> PrivateBus {
        PrivateBus::with_policy(
            "<allow own=\"*\"/><allow send_destination=\"*\"/><allow receive_sender=\"*\"/>",
            "",
        )
    }

    /// `default` goes into the policy for everybody, `more` stands after it.
    pub fn with_policy(default: &str, more: &str) -> PrivateBus {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let config = format!(
            "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN\" \
             \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\
             <busconfig><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow user=\"*\"/>{default}</policy>{more}</busconfig>",
            socket.display()
        );
        std::fs::write(folder.path().join("bus.conf"), config).unwrap();
        // Other users must reach the socket.
        let open = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let daemon = PrivateBus::spawn(folder.path());
        PrivateBus { folder, daemon }
    }

    fn spawn(folder: &Path) -> Child {
        let mut daemon = Process::new("dbus-daemon")
            .arg(format!("--config-file={}", folder.join("bus.conf").display()))
            .args(["--nofork", "--nopidfile", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon (package dbus) is needed");
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(address.starts_with("unix:"), "dbus-daemon did not start: {address:?}");
        daemon
    }

    pub fn address(&self) -> String {
        format!("unix:path={}", self.folder.path().join("socket").display())
    }

    pub fn kill(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }

    pub fn restart(&mut self) {
        self.kill();
        let _ = std::fs::remove_file(self.folder.path().join("socket"));
        self.daemon = PrivateBus::spawn(self.folder.path());
    }

    pub async fn client(&self) -> zbus::Connection {
        zbus::connection::Builder::address(self.address().as_str()).build().await.unwrap()
    }
}

impl Drop for PrivateBus {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The service on the bus with a pretended pipeline behind it.
pub struct Service {
    pub shared: Shared,
    pub stream: Stream,
    pub changes: tokio::sync::mpsc::Sender<Change>,
    pub commands: Arc<Mutex<Vec<Command>>>,
    pub statuses: Receiver<BusStatus>,
    pub bus: Option<Bus>,
}

impl Service {
    /// Starts and waits until the name is owned.
    pub fn start(bus: &PrivateBus) -> Service {
        let service = Service::launch(BusAddress::Address(bus.address()), snapshot());
        service.wait_for(|status| matches!(status, BusStatus::Serving { .. }));
        service
    }

    pub fn launch(address: BusAddress, snapshot: Snapshot) -> Service {
        let shared: Shared = Arc::new(RwLock::new(snapshot));
        let (changes, changed) = tokio::sync::mpsc::channel(64);
        let (requests, requested) = sync_channel::<Request>(4);
        let (tell, statuses) = channel();
        let commands = Arc::new(Mutex::new(Vec::new()));
        let notify = move |status: &BusStatus| {
            eprintln!("bus: {status}");
            drop(tell.send(status.clone()));
        };
        let ports = ports(&shared, changed, requests);
        let stream = ports.stream.clone();
        let bus = serve(address, ports, notify).unwrap();
        let (log, state, hints) = (Arc::clone(&commands), Arc::clone(&shared), changes.clone());
        std::thread::spawn(move || {
            // Ends with the bus, which holds the only sender.
            while let Ok((command, reply)) = requested.recv() {
                log.lock().unwrap().push(command.clone());
                let _ = reply.send(pretend(command, &state, &hints));
            }
        });
        Service { shared, stream, changes, commands, statuses, bus: Some(bus) }
    }

    pub fn wait_for(&self, wanted: impl Fn(&BusStatus) -> bool) -> BusStatus {
        let end = Instant::now() + SOON;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let status = self.statuses.recv_timeout(left).expect("the awaited status did not come");
            if wanted(&status) {
                return status;
            }
        }
    }

    pub fn change(&self, change: Change, write: impl FnOnce(&mut Snapshot)) {
        write(&mut self.shared.write().unwrap());
        while self.changes.try_send(change.clone()).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn add_verdict(&self, record: VerdictRecord) {
        let id = record.id;
        self.change(Change::VerdictAdded(id), |snapshot| snapshot.verdicts.push(record));
    }
}

/// What the bus is connected to: a stream of the snapshot's meters, and a record of 30 entries.
pub fn ports(
    shared: &Shared,
    changes: tokio::sync::mpsc::Receiver<Change>,
    commands: std::sync::mpsc::SyncSender<Request>,
) -> Ports {
    let snapshot = shared.read().unwrap();
    let house = House {
        meters: snapshot.meters.iter().map(|m| Named::new(&m.id, 10_000, false)).collect(),
        valves: snapshot.valves.iter().map(|v| Named::new(&v.id, 0, false)).collect(),
    };
    let stream = Stream::start(Arc::clone(shared), house).unwrap();
    let audit: gasd::bus::AuditReader = Arc::new(|page, reply| {
        let entry = |number: u64| AuditEntry {
            time_unix_us: 1_700_000_000_000_000 + number,
            action: "close".into(),
            ..AuditEntry::default()
        };
        let end = page.before.unwrap_or(31).min(31);
        let start = end.saturating_sub(page.last as u64).max(1);
        let _ = reply.send(Ok((start..end).map(|number| (number, entry(number))).collect()));
    });
    // One was acknowledged long ago.
    let verdicts: gasd::bus::VerdictReader = Arc::new(|id, reply| {
        let by = Some("uid 1000 (:1.42) as false-alarm".to_owned());
        let _ = reply
            .send(Ok((id == 77).then(|| VerdictRecord { acknowledged_by: by, ..verdict(id, "warning") })));
    });
    Ports {
        shared: Arc::clone(shared),
        changes,
        commands,
        stream,
        audit,
        verdicts,
        doors: Default::default(),
    }
}

/// Does what a pipeline would; the words in a reason ask for its failures.
fn pretend(
    command: Command,
    shared: &Shared,
    changes: &tokio::sync::mpsc::Sender<Change>,
) -> Result<Answer, CommandError> {
    let mut snapshot = shared.write().unwrap();
    if let Command::Close { valve, .. } | Command::Open { valve, .. } | Command::Hold { valve, .. } = &command
        && snapshot.valves.iter().any(|state| state.id == *valve && !state.is_configured())
    {
        return Err(CommandError::NotConfigured(valve.clone()));
    }
    match command {
        Command::Reload { .. } => return Err(CommandError::Configuration(vec!["a: b".into()])),
        Command::Report { report, .. } => {
            if !snapshot.meters.iter().any(|m| m.id == report.meter) {
                return Err(CommandError::NoSuchMeter(report.meter));
            }
        }
        Command::Close { valve, reason, .. } => {
            match reason.as_str() {
                "jam" => {
                    return Err(CommandError::Actuator {
                        valve,
                        why: "the feedback still reads open".into(),
                    });
                }
                "late" => {
                    let (asked, told, by) = ("closed", "open", "uid 1000 (:1.9)".into());
                    return Err(CommandError::Overtaken { valve, asked, told, by });
                }
                "full" => return Err(CommandError::Store("no space left on device".into())),
                "stop" => return Err(CommandError::Stopping),
                _ => {}
            }
            let index =
                snapshot.valves.iter().position(|v| v.id == valve).ok_or(CommandError::NoSuchValve(valve))?;
            let owner = if reason == "other" { "vendor" } else { "operator" };
            let state = &mut snapshot.valves[index];
            state.position = Position::Closed;
            state.holds.push(Hold {
                cookie: 7,
                owner: owner.into(),
                reason,
                verdict: None,
                uid: None,
                since_unix_us: 1_700_000_000_000_000,
            });
            changes.try_send(Change::Valve(index)).unwrap();
        }
        Command::Open { valve, .. } => {
            let index = snapshot
                .valves
                .iter()
                .position(|v| v.id == valve)
                .ok_or(CommandError::NoSuchValve(valve.clone()))?;
            if let Some(verdict) = snapshot.verdicts.iter().find(|v| v.severity == "critical") {
                let (verdict, kind, meter) = (verdict.id, verdict.kind.clone(), verdict.meter.clone());
                return Err(CommandError::Unacknowledged { valve, verdict, kind, meter });
            }
            if let Some(hold) =
                snapshot.valves[index].holds.iter().find(|h| h.owner == "vendor" || h.uid.is_some())
            {
                return Err(CommandError::Held {
                    valve,
                    owner: hold.owner.clone(),
                    reason: hold.reason.clone(),
                    cookie: hold.cookie,
                });
            }
            snapshot.valves[index].holds.clear();
            snapshot.valves[index].position = Position::Open;
            changes.try_send(Change::Valve(index)).unwrap();
        }
        Command::Simulate { order, .. } => {
            if !snapshot.meters.iter().any(|m| m.id == order.meter) {
                return Err(CommandError::NoSuchMeter(order.meter));
            }
            snapshot.simulation = SimulationState {
                number: snapshot.simulation.number + 1,
                phase: Phase::Running,
                meter: order.meter,
                trace: order.trace.name().into(),
                speed: f64::from(order.speed_thousandths) / 1_000.0,
                valve: order.valve,
                ..SimulationState::default()
            };
        }
        Command::StopSimulation { .. } => {
            snapshot.simulation.phase = Phase::Ended;
            snapshot.simulation.outcome = "stopped".into();
        }
        Command::Acknowledge { verdict, .. } => {
            let open = snapshot.verdicts.len();
            // Number 666 is known to nobody, although its object is there: somebody was faster.
            snapshot.verdicts.retain(|v| v.id != verdict || v.id == 666);
            if snapshot.verdicts.len() == open {
                return Err(CommandError::NoSuchVerdict(verdict));
            }
            changes.try_send(Change::VerdictRemoved(verdict)).unwrap();
        }
        Command::Hold { valve, app, reason, uid, .. } => {
            let index = snapshot.valves.iter().position(|v| v.id == valve).unwrap();
            let state = &mut snapshot.valves[index];
            state.position = Position::Closed;
            let cookie = 100 + state.holds.len() as u64;
            state.holds.push(Hold {
                cookie,
                owner: app,
                reason,
                verdict: None,
                uid: Some(uid),
                since_unix_us: 1_700_000_000_000_000,
            });
            changes.try_send(Change::Valve(index)).unwrap();
            return Ok(Answer::Cookie(cookie));
        }
        Command::Release { valve, cookie, of, .. } => {
            let index = snapshot.valves.iter().position(|v| v.id == valve).unwrap();
            let holds = &mut snapshot.valves[index].holds;
            let mine =
                |h: &Hold| h.cookie == cookie && (of == Release::Any || h.uid.map(Release::Own) == Some(of));
            let at = holds.iter().position(mine).ok_or(CommandError::NoSuchHold { valve, cookie })?;
            holds.remove(at);
            changes.try_send(Change::Valve(index)).unwrap();
        }
    }
    Ok(Answer::Done)
}

/// Two meters, two valves, no verdict.
pub fn snapshot() -> Snapshot {
    let mut kitchen = MeterState {
        id: "kitchen".into(),
        volume_ul: 1_234_567_890,
        pulses: 123_456,
        flow_m3_per_h: Some(1.25),
        slopes_m3_per_h: [1.3, 1.2, 1.1],
        thresholds_m3_per_h: [5.0, 3.2, 1.8],
        last_pulse_ns: 5_000_000_000,
        last_interval_ns: 28_800_000,
        health: "ok".into(),
        valve: "main".into(),
        ..MeterState::default()
    };
    kitchen.totals.edges = 250_000;
    kitchen.totals.accepted = 123_456;
    kitchen.totals.rejected[gasd_abi::Reason::Release as usize] = 123_456;
    let boiler = MeterState {
        id: "boiler-1".into(),
        volume_ul: 10_000_000,
        pulses: 1,
        health: "no pulse for 3 days".into(),
        ..MeterState::default()
    };
    let valve = |id: &str| ValveState {
        id: id.into(),
        position: Position::Open,
        actuator: "simulated".into(),
        holds: Vec::new(),
        health: "ok".into(),
    };
    Snapshot {
        ports: vec![samples::port()],
        on_ports: [("boiler-1".to_owned(), samples::on_port())].into(),
        service: ServiceState {
            mode: Mode::Kernel,
            store: StoreState::Good,
            configuration: ConfigurationState::InForce,
            configuration_read_unix_us: 1_700_000_000_000_000,
            ..ServiceState::default()
        },
        meters: vec![kitchen, boiler],
        valves: vec![valve("main"), valve("out_side")],
        verdicts: Vec::new(),
        simulation: SimulationState::default(),
    }
}

/// Runs a future on a runtime of its own.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    runtime().block_on(async { tokio::time::timeout(SOON * 2, future).await.expect("the test hangs") })
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
