// SPDX-License-Identifier: MIT OR Apache-2.0
//! What sensors report, through the whole daemon: over the bus to the engine, to a verdict, to the valve.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use gasd_proxy::{Client, ClientError, State};
use support::{PrivateBus, SOON, run};
use zbus::Variant;

const CONFIG: &str = "[[meter]]\nid = \"shaken\"\nline = 1\npulse_volume = \"10 L\"\nvalve = \"main\"\n\
    rules = { seismic = \"200 gal\" }\n\
    [[meter]]\nid = \"weak\"\nline = 2\npulse_volume = \"10 L\"\n\
    [[meter]]\nid = \"alarmed\"\nline = 3\npulse_volume = \"10 L\"\n\
    alarm = { chip = \"no-such-chip\", line = 1 }\n\
    [[valve]]\nid = \"main\"\nactuator = \"simulated\"\n";

/// Ten hours of 2 m³/h through each meter.
fn trace() -> String {
    let mut rows = String::from("t_ns,line,level\n");
    for n in 1..2_000_u64 {
        for (after_ns, level) in [(0, 1), (4_000_000_000, 0)] {
            for line in 1..=3 {
                writeln!(rows, "{},{line},{level}", n * 18_000_000_000 + after_ns + line).unwrap();
            }
        }
    }
    rows
}

struct Daemon(Child);

impl Daemon {
    fn start(bus: &PrivateBus, dir: &Path) -> Daemon {
        fs::write(dir.join("gasd.toml"), CONFIG).unwrap();
        fs::write(dir.join("trace.csv"), trace()).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_gasd"))
            .args(["run", "--userspace", "--speed", "100", "--bus", &bus.address()])
            .args(["--config".as_ref(), dir.join("gasd.toml").as_os_str()])
            .args(["--store".as_ref(), dir.join("gasd.redb").as_os_str()])
            .args(["--play".as_ref(), dir.join("trace.csv").as_os_str()])
            .env_remove("NOTIFY_SOCKET")
            .env_remove("JOURNAL_STREAM")
            .stderr(File::create(dir.join("stderr")).unwrap())
            .spawn();
        Daemon(child.unwrap())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks until it is so.
async fn wait(bus: &PrivateBus, what: &str, so: impl Fn(&State) -> bool) -> State {
    let start = Instant::now();
    loop {
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        let state = client.state().await;
        if let Ok(state) = &state
            && so(state)
        {
            return state.clone();
        }
        assert!(start.elapsed() < SOON, "{what}: {state:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn report(bus: &PrivateBus, meter: &str, values: &[(&str, Variant<'_>)]) -> Result<(), ClientError> {
    let client = Client::connect(Some(&bus.address())).await.unwrap();
    let values = values.iter().map(|(name, value)| (*name, value.try_clone().unwrap())).collect();
    Ok(client.meter(meter).await.unwrap().report(values).await?)
}

fn kinds(state: &State, meter: &str) -> Vec<String> {
    state.verdicts.values().filter(|v| v.meter == meter).map(|v| v.kind.clone()).collect()
}

#[test]
fn pressure_earthquakes_and_gas_alarms_become_verdicts_and_close_the_valve() {
    let bus = PrivateBus::start();
    let dir = tempfile::tempdir().unwrap();
    let _daemon = Daemon::start(&bus, dir.path());
    run(async {
        let flows = |state: &State| state.meters.len() == 3 && state.meters.values().all(|m| m.pulses > 5);
        wait(&bus, "the bus", |state| state.valves.contains_key("main")).await;
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        client.valve("main").await.unwrap().open(HashMap::new()).await.unwrap();
        let state = wait(&bus, "gas", flows).await;
        assert!(state.verdicts.is_empty(), "{:?}", state.verdicts);
        assert!(state.meters["alarmed"].health.contains("alarm line cannot be read"), "{:?}", state.meters);

        report(&bus, "shaken", &[("seismic_gal", 80.0.into())]).await.unwrap();
        report(&bus, "shaken", &[("seismic_gal", 250.0.into())]).await.unwrap();
        let shaken = |state: &State| kinds(state, "shaken") == ["earthquake"];
        let state = wait(&bus, "an earthquake", shaken).await;
        assert_eq!(state.valves["main"].position, "closed");
        assert_eq!(state.valves["main"].holds.len(), 1);

        report(&bus, "weak", &[("pressure_kpa", 0.1.into())]).await.unwrap();
        report(&bus, "alarmed", &[("gas_alarm", true.into())]).await.unwrap();
        wait(&bus, "low pressure", |state| kinds(state, "weak") == ["low-pressure"]).await;
        wait(&bus, "a gas alarm", |state| kinds(state, "alarmed") == ["gas-alarm"]).await;

        let wrong = report(&bus, "weak", &[("pressure_kpa", 5e6.into())]).await;
        assert!(
            matches!(&wrong, Err(ClientError::Refused { name, .. }) if name == "InvalidArgs"),
            "{wrong:?}"
        );
        let nobody = report(&bus, "nobody", &[("gas_alarm", true.into())]).await;
        assert!(matches!(nobody, Err(ClientError::NoSuchObject(_))), "{nobody:?}");
    });
}
