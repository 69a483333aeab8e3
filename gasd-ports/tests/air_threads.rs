// SPDX-License-Identifier: MIT OR Apache-2.0
//! The threads: real sockets on the loopback, a real serial server, a bind that is refused, cores that are exchanged.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;
#[path = "common/gateway.rs"]
mod gateway;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use gasd_meters::lorawan::Radio;
use gasd_meters::lorawan::payload::{GM2, Profile};
use gasd_meters::wmbus::{Format, Lock, Seal};
use gasd_meters::{Error, Kind};
use gasd_ports::WireSpec;
use gasd_ports::air::lorawan::{Activation, Device, Network, Settings};
use gasd_ports::air::{Event, LinePort, Teller, Told, UdpPort, wmbus};
use gasd_ports::wire::TcpSpec;
use gateway::{Air, gm2, keys_1_0, pull, up};

const WAIT: Duration = Duration::from_secs(20);

fn teller() -> (Teller, Receiver<Told>) {
    let (sender, receiver) = channel();
    (Box::new(move |told| sender.send(told).is_ok()), receiver)
}

fn network(keys: &[u64]) -> Box<Network> {
    let device = |key: &u64| {
        let activation = Activation::Personal { dev_addr: *key as u32, keys: keys_1_0(1) };
        Device { key: *key, dev_eui: *key, activation, profile: *Profile::named(GM2).unwrap() }
    };
    Box::new(Network::new(Settings::default(), keys.iter().map(device).collect()))
}

/// The next event; health and counts are passed by.
fn event(told: &Receiver<Told>) -> Event {
    loop {
        match told.recv_timeout(WAIT).expect("an event in time") {
            Told::Event(event) => return event,
            Told::Health(_) | Told::Seen(_) | Told::Answering { .. } => {}
        }
    }
}

fn health(told: &Receiver<Told>) -> Option<String> {
    loop {
        if let Told::Health(health) = told.recv_timeout(WAIT).expect("health in time") {
            return health;
        }
    }
}

fn address(port: &UdpPort) -> SocketAddr {
    let until = Instant::now() + WAIT;
    while Instant::now() < until {
        if let Some(address) = port.address() {
            return address;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it does not listen");
}

fn gateway() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(WAIT)).unwrap();
    socket
}

fn answer(socket: &UdpSocket) -> Vec<u8> {
    let mut bytes = [0; 1_500];
    let count = socket.recv(&mut bytes).unwrap();
    bytes[..count].to_vec()
}

fn frame(key: u64, counter: u32, confirmed: bool) -> Vec<u8> {
    up(&keys_1_0(1), key as u32, counter, confirmed, &gm2(counter), Radio::default())
}

#[test]
fn datagrams_over_the_loopback() {
    let (told, events) = teller();
    let port = UdpPort::start("air", "127.0.0.1:0".parse().unwrap(), network(&[1, 2]), told).unwrap();
    assert_eq!(health(&events), None);
    let (to, socket) = (address(&port), gateway());
    socket.send_to(&pull(1), to).unwrap();
    assert_eq!(answer(&socket), [2, 0x12, 0x34, 4]);
    socket.send_to(&Air::default().push(&frame(1, 5, true)), to).unwrap();
    assert_eq!(answer(&socket), [2, 0x12, 0x34, 1]);
    assert_eq!(answer(&socket)[3], 3, "PULL_RESP");
    assert!(matches!(event(&events), Event::Memory { key: 1, .. }));
    let Event::Read { key: 1, t_ns, reading, again: false } = event(&events) else { panic!() };
    assert_eq!(reading.get(Kind::Volume).unwrap().volume_ul(), Ok(50_000_000));
    assert!(t_ns > 0);
    // Other meters: the one that stays is known, the one that goes is a stranger.
    port.set_core(network(&[1]));
    let thread = std::fs::read_dir("/proc/self/task").unwrap().any(|task| {
        let name = std::fs::read_to_string(task.unwrap().path().join("comm")).unwrap_or_default();
        name.trim() == "port-air"
    });
    assert!(thread, "the thread has the port's name");
    // Of the frames until the core is exchanged some may go to the one before.
    std::thread::sleep(Duration::from_millis(200));
    let later = |counter, tmst| Air { tmst, ..Air::default() }.push(&frame(1, counter, false));
    socket.send_to(&later(4, 9), to).unwrap();
    let Event::Failed { key: 1, error, .. } = event(&events) else { panic!() };
    assert_eq!(error, Error::Replay { got: 4, last: 5 });
    socket.send_to(&Air::default().push(&frame(2, 1, false)), to).unwrap();
    assert!(matches!(event(&events), Event::Stranger { .. }));
    let until = Instant::now() + WAIT;
    while port.hand().strangers().is_empty() {
        assert!(Instant::now() < until, "strangers are shown");
        std::thread::sleep(Duration::from_millis(50));
    }
    // It stops at once.
    let began = Instant::now();
    drop(port);
    assert!(began.elapsed() < Duration::from_secs(1));
    assert!(UdpSocket::bind(to).is_ok(), "and leaves the address");
}

/// What binds a device and is not on the disk is not said to it; the gateway is acknowledged all the same.
#[test]
fn a_meter_is_answered_only_where_all_is_kept() {
    let (sender, events) = channel();
    let mut asked = 0;
    let teller: Teller = Box::new(move |told| {
        let mut is_kept = true;
        if let Told::Answering { key, until_ns } = &told {
            assert_eq!(*key, 1);
            let left = until_ns.saturating_sub(gasd_lab::clock::now_ns());
            assert!(
                (400_000_000..=700_000_000).contains(&left),
                "one second less what a gateway wants: {left}"
            );
            asked += 1;
            is_kept = asked > 1;
        }
        sender.send(told).is_ok() && is_kept
    });
    let port = UdpPort::start("full", "127.0.0.1:0".parse().unwrap(), network(&[1]), teller).unwrap();
    let (to, socket) = (address(&port), gateway());
    socket.send_to(&pull(1), to).unwrap();
    assert_eq!(answer(&socket)[3], 4);
    for counter in [5, 6] {
        socket.send_to(&Air { tmst: counter, ..Air::default() }.push(&frame(1, counter, true)), to).unwrap();
        assert_eq!(answer(&socket)[3], 1, "PUSH_ACK");
        assert!(matches!(event(&events), Event::Memory { key: 1, .. }));
        assert!(matches!(event(&events), Event::Read { key: 1, .. }));
    }
    // The first answer that comes is the second frame's: the first one was asked for and not sent.
    assert_eq!(answer(&socket)[3], 3, "PULL_RESP");
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(socket.recv(&mut [0; 1_500]).is_err());
}

#[test]
fn a_bind_that_is_refused_says_why_and_is_tried_again() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap();
    let (told, events) = teller();
    let port = UdpPort::start("taken", at, network(&[1]), told).unwrap();
    let trouble = health(&events).unwrap();
    assert!(trouble.contains(&at.to_string()) && trouble.contains("another program"), "{trouble}");
    assert_eq!(port.address(), None);
    drop(taken);
    assert_eq!(health(&events), None, "told once when it is bad, once when it is well");
    let socket = gateway();
    socket.send_to(&pull(1), address(&port)).unwrap();
    assert_eq!(answer(&socket).len(), 4);
    // An address that this machine does not have.
    let (told, events) = teller();
    let nowhere = UdpPort::start("nowhere", "192.0.2.1:5683".parse().unwrap(), network(&[1]), told).unwrap();
    assert!(health(&events).unwrap().contains("has not the address"));
    drop(nowhere);
}

#[test]
fn many_datagrams_at_once() {
    let (told, events) = teller();
    let port = UdpPort::start("many", "127.0.0.1:0".parse().unwrap(), network(&[1]), told).unwrap();
    let (to, socket) = (address(&port), gateway());
    for counter in 1..=300 {
        socket.send_to(&Air::default().push(&frame(1, counter, false)), to).unwrap();
        answer(&socket);
    }
    let mut read = 0;
    while read < 300 {
        if let Event::Read { .. } = event(&events) {
            read += 1;
        }
    }
    // Empty and longest datagrams are datagrams.
    socket.send_to(&[], to).unwrap();
    socket.send_to(&vec![2; 60_000], to).unwrap();
    socket.send_to(&pull(1), to).unwrap();
    assert_eq!(answer(&socket)[3], 4);
}

#[test]
fn a_receiver_behind_a_serial_server() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let spec = TcpSpec { address: server.local_addr().unwrap().to_string(), baud: 38_400 };
    let meter: gasd_meters::mbus::Address = "12345678.ELS.33.03".parse().unwrap();
    let settings = wmbus::Settings { greeting: b"brt\r\n".to_vec(), ..wmbus::Settings::default() };
    let device = wmbus::Device { key: 7, address: meter, secret: None };
    let core = Box::new(wmbus::Wmbus::new(settings, vec![device]));
    let (told, events) = teller();
    let port = LinePort::start("stick", WireSpec::Tcp(spec), core, told).unwrap();
    let records = [0x0C, 0x13, 0x27, 0x04, 0x85, 0x02];
    let telegram = |access| {
        let seal =
            Seal { meter, sender: None, access, status: 0, lock: Lock::Open, records: &records, clear: 0 };
        seal.telegram().unwrap()
    };
    for round in 0..2u8 {
        let (mut stream, _) = server.accept().unwrap();
        stream.set_read_timeout(Some(WAIT)).unwrap();
        let mut greeting = [0; 5];
        stream.read_exact(&mut greeting).unwrap();
        assert_eq!(&greeting, b"brt\r\n", "at every beginning");
        assert_eq!(health(&events), None);
        // Half a line is not continued on the next connection.
        let line = format!("b{}\r\n", gasd_meters::hex::Hex(&telegram(round).encode(Format::A).unwrap()));
        stream.write_all(line.as_bytes()).unwrap();
        if round == 0 {
            assert!(matches!(event(&events), Event::Memory { key: 7, .. }));
        }
        let Event::Read { key: 7, .. } = event(&events) else { panic!() };
        stream.write_all(&line.as_bytes()[..20]).unwrap();
        drop(stream);
        assert!(health(&events).unwrap().contains("hung up"));
    }
    drop(port);
}
