// SPDX-License-Identifier: MIT OR Apache-2.0
//! Hostile reading e1: commands at work and closings over restarts, reloads and lost lines.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;

#[path = "ports_house/flat.rs"]
mod flat;
mod ports_house;

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use flat::{FLAT, plug};
use gasd_lab::Shared;
use gasd_lab::clock::now_ns;
use gasd_lab::truth::{Motor, look};
use gasd_meters::Valve;
use gasd_proxy::Client;
use ports_house::{House, M3_PER_H, Plugged, SECOND, truth};
use support::run;

/// A valve that has taken its command and has not begun to move: its meter says where it was.
const MOTOR: Motor = Motor { time_ns: 600 * SECOND, stuck: true, refuses: false };

fn config() -> String {
    FLAT.replace("every = \"1 s\"", "every = \"1 h\"")
}

fn begin() -> (House, Plugged, Shared) {
    let house = House::start(&config());
    let gas = truth(5_000_000_000, M3_PER_H);
    let line = plug(&house, &gas);
    house.wait("open", 30, |state| state.valves.get("flat").is_some_and(|valve| valve.position == "open"));
    (house, line, gas)
}

fn close(address: &str) -> Result<(), String> {
    run(async {
        let client = Client::connect(Some(address)).await.map_err(|e| e.to_string())?;
        let valve = client.valve("flat").await.map_err(|e| e.to_string())?;
        valve.close("a test", HashMap::new()).await.map(drop).map_err(|error| error.to_string())
    })
}

fn open(address: &str) -> Result<(), String> {
    run(async {
        let client = Client::connect(Some(address)).await.map_err(|e| e.to_string())?;
        let valve = client.valve("flat").await.map_err(|e| e.to_string())?;
        valve.open(HashMap::new()).await.map(drop).map_err(|error| error.to_string())
    })
}

fn sent(gas: &Shared) -> Vec<Valve> {
    look(gas).commands().iter().map(|command| command.to).collect()
}

/// The valve is closed at rest; a person opens it, and the meter has just heard of it.
fn opening_at_work(house: &House, gas: &Shared) {
    close(&house.bus.address()).unwrap();
    house.wait("closed", 30, |state| state.valves["flat"].position == "closed");
    look(gas).set_motor(Some(MOTOR));
    let address = house.bus.address();
    let heard = sent(gas).len();
    thread::spawn(move || open(&address));
    let start = Instant::now();
    while sent(gas).len() == heard {
        assert!(start.elapsed() < Duration::from_secs(20), "{}", house.said());
        thread::sleep(Duration::from_millis(10));
    }
    // Its answer is on its way.
    thread::sleep(Duration::from_millis(500));
}

/// A person closes it after that: the meter must hear of it, or the opening that it has taken opens it in the end.
fn closes(house: &House, gas: &Shared) {
    let answer = close(&house.bus.address());
    thread::sleep(Duration::from_secs(5));
    let state = house.wait("a state", 5, |_| true);
    let valve = &state.valves["flat"];
    assert_eq!(
        sent(gas),
        [Valve::Closed, Valve::Open, Valve::Closed],
        "close: {answer:?}; gasd shows {} ({}), {} holds\n{}",
        valve.position,
        valve.health,
        valve.holds.len(),
        house.said()
    );
}

fn end(house: &mut House, signal: i32) {
    let pid = house.pid();
    assert_eq!(unsafe { libc::kill(pid as i32, signal) }, 0);
    let start = Instant::now();
    let is_over = || {
        std::fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
    };
    while !is_over() {
        assert!(start.elapsed() < Duration::from_secs(20), "{}", house.said());
        thread::sleep(Duration::from_millis(10));
    }
    house.kill();
}

fn restarted(signal: i32) {
    let (mut house, line, gas) = begin();
    opening_at_work(&house, &gas);
    end(&mut house, signal);
    drop(line);
    let _line = plug(&house, &gas);
    house.up();
    house.wait("closed", 30, |state| state.valves.get("flat").is_some_and(|v| v.position == "closed"));
    closes(&house, &gas);
}

#[test]
fn a_closing_after_a_kill_knows_of_the_opening_at_work() {
    restarted(libc::SIGKILL);
}

#[test]
fn a_closing_after_a_restart_in_order_knows_of_the_opening_at_work() {
    restarted(libc::SIGTERM);
}

#[test]
fn a_closing_after_a_reload_that_opens_the_port_anew_knows_of_the_opening_at_work() {
    let (house, line, gas) = begin();
    opening_at_work(&house, &gas);
    house.configure(&config().replace("baud = 9600 }", "baud = 9600 }\nbreaker = { failures = 9 }"));
    house.reload();
    thread::sleep(Duration::from_secs(3));
    println!("{}", house.said());
    closes(&house, &gas);
    drop(line);
}

/// The adapter is pulled, the valve is told to close, and a quarter of a minute later the adapter is back.
#[test]
fn a_closing_that_no_line_took_goes_out_as_soon_as_the_line_is_back() {
    let (house, line, gas) = begin();
    look(&gas).set_motor(Some(Motor { time_ns: SECOND, stuck: false, refuses: false }));
    drop(line);
    let answer = close(&house.bus.address());
    thread::sleep(Duration::from_secs(15));
    let _line = plug(&house, &gas);
    thread::sleep(Duration::from_secs(60));
    let flows = look(&gas).flow_ul_per_h(now_ns());
    let state = house.wait("a state", 5, |_| true);
    let (valve, port) = (&state.valves["flat"], &state.ports);
    assert_eq!(
        flows,
        0,
        "close: {answer:?}; commands: {:?}; gasd shows {} ({}), {} holds; ports {port:#?}\n{}",
        sent(&gas),
        valve.position,
        valve.health,
        valve.holds.len(),
        house.said()
    );
}

/// A port of the configuration is opened anew: between its end and the new one an order goes to nobody, and is not sent when
/// the new one is connected.
#[test]
fn a_closing_that_comes_while_its_port_is_opened_anew_goes_to_the_new_one() {
    use gasd::ports::meters::valve::ValveDesk;
    use gasd::response::Target;
    use gasd::response::actuator::Actuator as _;
    use gasd_ports::bus::{Event, Pace};
    use gasd_ports::port::{Port, PortSpec, Told};
    use gasd_ports::wire::{TcpSpec, WireSpec};
    use std::sync::mpsc::channel;

    let port = || {
        let (sender, told) = channel();
        let wire = WireSpec::Tcp(TcpSpec { address: "127.0.0.1:1".to_owned(), baud: 9_600 });
        let spec = PortSpec { id: "cellar".to_owned(), wire, pace: Pace::new(9_600, 11) };
        let port = Port::start(spec, Vec::new(), Box::new(move |told| drop(sender.send(told)))).unwrap();
        (port, told)
    };
    let desk = ValveDesk::default();
    let mut valve = desk.actuator("flat");
    let (old, _) = port();
    desk.connect("flat", Some((old.handle(), 7)));
    desk.is_there("flat");
    // A reload with another setting of the port: it is dropped first, and the new one is connected last.
    drop(old);
    valve.drive(Target::Closed).unwrap();
    let (new, told) = port();
    desk.connect("flat", Some((new.handle(), 7)));
    let start = Instant::now();
    let mut heard = false;
    while !heard && start.elapsed() < Duration::from_secs(10) {
        heard = told.try_iter().any(|told| matches!(told, Told::Event(Event::Moved { .. })));
        thread::sleep(Duration::from_millis(20));
    }
    assert!(heard, "the new port was never given the closing; the valve shows {:?}", valve.feedback());
}

/// The meter was wired to another port; the closing is under way on the old one when the configuration says so.
#[test]
fn a_closing_under_way_follows_its_meter_to_another_port() {
    let config = |port: &str| {
        let b = "[[port]]\nid = \"b\"\nserial = { device = \"DIR/tty1\", baud = 9600 }\n\n[[meter]]";
        config().replacen("[[meter]]", b, 1).replace("port = \"rs485\"", &format!("port = \"{port}\""))
    };
    let house = House::prepare(&config("b"));
    let gas = truth(5_000_000_000, M3_PER_H);
    let settings = gasd_lab::cjt188::Settings::new(gasd_meters::cjt188::Address([1, 0, 0, 0, 0, 0x78, 0x33]));
    let meter = gasd_lab::cjt188::GasMeter::new(settings, gasd_lab::Habits::default(), gas.clone());
    let _b = house.line("tty1", gasd_lab::Line::new(9_600), vec![Box::new(meter)]);
    let _a = house.line("tty0", gasd_lab::Line::new(9_600), Vec::new());
    house.configure(&config("rs485"));
    let mut house = house;
    house.up();
    house.wait("a port", 20, |state| state.ports.get("rs485").is_some_and(|port| port.health == "ok"));
    thread::sleep(Duration::from_secs(3));
    let address = house.bus.address();
    let order = thread::spawn(move || close(&address));
    thread::sleep(Duration::from_secs(1));
    house.configure(&config("b"));
    house.reload();
    let start = Instant::now();
    while sent(&gas).is_empty() && start.elapsed() < Duration::from_secs(180) {
        thread::sleep(Duration::from_millis(100));
    }
    let took = start.elapsed();
    let answer = order.join().unwrap();
    assert!(took < Duration::from_secs(45), "closed after {took:?}: {answer:?}; {:?}\n{}", sent(&gas), house.said());
}

/// A closing command was given and nothing came of it; gasd is killed a quarter of a minute after each start.
#[test]
fn a_closing_is_sent_again_though_gasd_starts_over_and_over() {
    let (mut house, line, gas) = begin();
    look(&gas).set_motor(Some(MOTOR));
    let address = house.bus.address();
    thread::spawn(move || close(&address));
    let start = Instant::now();
    while sent(&gas).is_empty() {
        assert!(start.elapsed() < Duration::from_secs(20), "{}", house.said());
        thread::sleep(Duration::from_millis(10));
    }
    let mut line = Some(line);
    let first = Instant::now();
    let mut again = None;
    for _ in 0..5 {
        house.kill();
        line = None;
        line = Some(plug(&house, &gas));
        house.up();
        let up = Instant::now();
        while up.elapsed() < Duration::from_secs(15) {
            thread::sleep(Duration::from_millis(100));
            if sent(&gas).len() > 1 {
                again.get_or_insert(first.elapsed());
            }
        }
    }
    drop(line);
    let again = again.unwrap_or(Duration::MAX);
    assert!(again < Duration::from_secs(45), "75 s after the command: {:?}\n{}", sent(&gas), house.said());
}

/// Held: as f3d13bd says.
#[test]
fn a_closing_after_a_kill_and_a_rename_of_the_meter_knows_of_the_opening_at_work() {
    let (mut house, line, gas) = begin();
    opening_at_work(&house, &gas);
    end(&mut house, libc::SIGKILL);
    drop(line);
    let line = plug(&house, &gas);
    house.configure(
        &config().replace("[[meter]]\nid = \"flat\"", "[[meter]]\nid = \"cellar\"").replace("meter = \"flat\"", "meter = \"cellar\""),
    );
    house.up();
    house.wait("closed", 30, |state| state.valves.get("flat").is_some_and(|v| v.position == "closed"));
    // And once more, before anything was ordered.
    end(&mut house, libc::SIGKILL);
    drop(line);
    let _line = plug(&house, &gas);
    house.up();
    house.wait("closed", 30, |state| state.valves.get("flat").is_some_and(|v| v.position == "closed"));
    closes(&house, &gas);
}
