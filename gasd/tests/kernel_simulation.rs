// SPDX-License-Identifier: MIT OR Apache-2.0
//! A commissioning test on a running service: the trace goes through the kernel programs beside a real
//! meter, which goes on counting and knows nothing of it.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod bus_support;
mod kernel_house;

use std::{
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use bus_support::{PrivateBus, run};
use gasd::{
    kernel::{Kernel, sys::boottime_ns},
    simulation::line_key,
};
use gasd_abi::records::{MAX_LINES, meter_key};
use gasd_proxy::{Client, ClientError, SimulationState};
use kernel_house::{GASD, House, SOON, daemon::Daemon, meter};

/// 20 mL a pulse: the train below is 3.6 m³/h, which no threshold minds; the hose is 13.5 m³/h.
const KITCHEN: &str = "max_flow = \"25 m3/h\"\nvalve = \"main\"\n\
    thresholds = { suspect = \"9 m3/h\", confirm = \"8 m3/h\", sustain = \"7 m3/h\" }";
const VALVE: &str = "[[valve]]\nid = \"main\"\nactuator = \"simulated\"\n";
/// The hose takes 47 s of its own time.
const SPEED: f64 = 20.0;

fn start(house: &House, bus: &PrivateBus, more: &[&str]) -> Daemon {
    house.configure(&[meter("kitchen", 0, KITCHEN).replace("\"1 L\"", "\"20 mL\"")], VALVE);
    let mut command = Command::new(GASD);
    command.args(["run", "--simulated", "--bus", &bus.address(), "--config"]).arg(&house.config).args(more);
    let mut daemon = Daemon::spawn(house, command);
    daemon.wait_ready();
    daemon
}

async fn open(client: &Client) {
    client.valve("main").await.unwrap().open(Default::default()).await.unwrap();
}

async fn over(client: &Client) -> SimulationState {
    let start = Instant::now();
    loop {
        let now = client.simulation().await.unwrap();
        if now.state == "ended" {
            return now;
        }
        assert!(start.elapsed() < SOON, "{now:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Real edges of the kitchen, 50 pulses a second, until told to stop. Returns the pulses.
fn train(kernel: &Kernel, stop: &AtomicBool) -> u64 {
    let line = (0..MAX_LINES).find(|l| kernel.line_config(*l).unwrap().key == meter_key("kitchen")).unwrap();
    let mut pulses = 0;
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..2 {
            kernel.edge(line, boottime_ns()).unwrap();
            std::thread::sleep(Duration::from_millis(10));
        }
        pulses += 1;
    }
    pulses
}

fn hose_is_noticed(simulation: &SimulationState) {
    assert_eq!((simulation.outcome.as_str(), simulation.problem.as_str()), ("ended", ""));
    assert!(simulation.pulses > 5_000, "{simulation:?}");
    assert_eq!(simulation.volume_ul, simulation.pulses * 20_000);
    let first = &simulation.verdicts[0];
    assert_eq!((first.kind.as_str(), first.severity.as_str()), ("surge", "critical"), "{simulation:?}");
    assert!(first.simulated && first.text.starts_with("SIMULATION"), "{first:?}");
    assert!((500_000_000..10_000_000_000).contains(&first.after_ns), "{first:?}");
}

#[test]
fn a_hose_is_noticed_while_the_real_meter_counts_every_pulse_of_its_own() {
    let Some(house) = House::new("kernel_simulation") else { return };
    house.must_load(&[]);
    let bus = PrivateBus::start();
    let daemon = start(&house, &bus, &[]);
    let kernel = Kernel::open(&house.pins).unwrap();
    let stop = AtomicBool::new(false);
    let counted = std::thread::scope(|scope| {
        let real = scope.spawn(|| train(&kernel, &stop));
        run(async {
            let client = Client::connect(Some(&bus.address())).await.unwrap();
            open(&client).await;
            client.simulate("kitchen", "hose", None, SPEED, false).await.unwrap();
            let second = client.simulate("kitchen", "hose", None, SPEED, false).await.unwrap_err();
            assert!(second.to_string().contains("another simulation runs"), "{second}");
            let simulation = over(&client).await;
            hose_is_noticed(&simulation);
            assert_eq!((simulation.verdicts[0].id, simulation.valve_latency_ns), (None, 0));
            assert!(simulation.latency_ns[0] > 0, "{simulation:?}");
            // Nothing of it is anywhere else: no verdict waits, the valve is as it was.
            let state = client.state().await.unwrap();
            assert!(state.verdicts.is_empty(), "{:?}", state.verdicts);
            assert_eq!(
                (state.valves["main"].position.as_str(), state.valves["main"].holds.len()),
                ("open", 0)
            );
            // Again, on the same line.
            client.simulate("kitchen", "hose", None, SPEED, false).await.unwrap();
            hose_is_noticed(&over(&client).await);
        });
        stop.store(true, Ordering::Relaxed);
        real.join().unwrap()
    });
    assert!(counted > 100, "{counted}");
    daemon.stop();
    let base = house.base("kitchen");
    assert_eq!((base.pulses, base.volume_ul), (counted, counted * 20_000));
    assert_eq!(house.bases().len(), 1, "the shadow has no total");
    let lines = (0..MAX_LINES).filter(|l| kernel.line_config(*l).unwrap().key == line_key()).count();
    assert_eq!(lines, 1, "one line for all simulations");
}

#[test]
fn with_the_valve_a_real_hold_is_placed_that_an_operator_lifts() {
    let Some(house) = House::new("kernel_simulation_valve") else { return };
    house.must_load(&[]);
    let bus = PrivateBus::start();
    let daemon = start(&house, &bus, &[]);
    run(async {
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        let closed = client.simulate("kitchen", "hose", None, SPEED, true).await.unwrap_err();
        assert!(closed.to_string().contains("closed already"), "{closed}");
        open(&client).await;
        client.simulate("kitchen", "hose", None, SPEED, true).await.unwrap();
        let simulation = over(&client).await;
        assert_eq!(simulation.outcome, "ended");
        let id = simulation.verdicts[0].id.unwrap();
        assert!(simulation.valve_latency_ns > 0, "{simulation:?}");
        let state = client.state().await.unwrap();
        let verdict = &state.verdicts[&id];
        assert!(verdict.simulated && verdict.evidence["simulated"] == true, "{verdict:?}");
        let valve = &state.valves["main"];
        assert_eq!((valve.position.as_str(), valve.holds[0].verdict), ("closed", Some(id)));
        assert!(valve.holds[0].reason.starts_with("SIMULATION"), "{valve:?}");
        // As after any verdict.
        let valve = client.valve("main").await.unwrap();
        assert!(valve.open(Default::default()).await.is_err());
        client.verdict(id).await.unwrap().acknowledge(Default::default()).await.unwrap();
        open(&client).await;
    });
    daemon.stop();
    assert_eq!(house.base("kitchen").pulses, 0);
}

#[test]
fn it_ends_when_asked_when_its_caller_leaves_and_with_the_service() {
    let Some(house) = House::new("kernel_simulation_end") else { return };
    house.must_load(&[]);
    let bus = PrivateBus::start();
    let daemon = start(&house, &bus, &[]);
    run(async {
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        let nowhere = client.simulate("nowhere", "hose", None, 1.0, false).await.unwrap_err();
        assert!(matches!(&nowhere, ClientError::Refused { name, .. } if name == "NotFound"), "{nowhere}");
        for (trace, speed, valve) in [("hose", 0.0, false), ("flood", 1.0, false), ("file", 1.0, false)] {
            assert!(client.simulate("kitchen", trace, None, speed, valve).await.is_err(), "{trace} {speed}");
        }
        client.stop_simulation().await.unwrap();

        client.simulate("kitchen", "hose", None, 1.0, false).await.unwrap();
        client.stop_simulation().await.unwrap();
        assert_eq!(over(&client).await.outcome, "stopped");

        let other = Client::connect(Some(&bus.address())).await.unwrap();
        other.simulate("kitchen", "hose", None, 1.0, false).await.unwrap();
        drop(other);
        assert_eq!(over(&client).await.outcome, "stopped");

        client.simulate("kitchen", "hose", None, 1.0, false).await.unwrap();
    });
    let before = Instant::now();
    daemon.stop();
    assert!(before.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_recording_is_played_from_its_descriptor_and_without_the_kernel_too() {
    let Some(house) = House::new("kernel_simulation_file") else { return };
    let bus = PrivateBus::start();
    let daemon = start(&house, &bus, &["--userspace"]);
    // Three pulses of 100 ms, and rows of a line that is not the meter's.
    let mut text = "t_ns,line,level\n".to_owned();
    for pulse in 0..3_u64 {
        let t = 1_000_000_000 + pulse * 500_000_000;
        text += &format!("{t},0,1\n{t},9,1\n{},0,0\n", t + 100_000_000);
    }
    let file = house.root.join("trace.csv");
    std::fs::write(&file, text).unwrap();
    let file = || Some(std::fs::File::open(&file).unwrap().into());
    run(async {
        let client = Client::connect(Some(&bus.address())).await.unwrap();
        assert_eq!(client.state().await.unwrap().service.mode, "userspace");
        client.simulate("kitchen", "file", file(), 10.0, false).await.unwrap();
        let simulation = over(&client).await;
        assert_eq!((simulation.outcome.as_str(), simulation.pulses), ("ended", 3), "{simulation:?}");
        assert!(simulation.verdicts.is_empty());
        client.simulate("kitchen", "hose", None, SPEED, false).await.unwrap();
        hose_is_noticed(&over(&client).await);
    });
    daemon.stop();
    assert_eq!(house.base("kitchen").pulses, 0);
    std::fs::remove_file(house.root.join("trace.csv")).unwrap();
}
