// SPDX-License-Identifier: MIT OR Apache-2.0
//! Devices and clients on networks.

use gasd_lab::clock::{now_ns, wall_s};
use gasd_lab::lorawan::{Activation, Device, Forwarder, Payload, Settings};
use gasd_lab::loss::Lossy;
use gasd_lab::lwm2m::{self, Client, State};
use gasd_lab::udp::Peer;
use gasd_lab::{Habits, Shared, Truth, cjt188};
use gasd_meters::hex::Hex;
use gasd_meters::lorawan::Key;

use crate::arguments::{Lorawan, Lwm2m, Make, Meter};
use crate::units::key;
use crate::watch::watch;

/// The number of the gateway, and of the server that devices join through.
const GATEWAY: u64 = 0x6761_7364_0000_0001;
const JOIN_EUI: u64 = 0x6761_7364_0000_0000;

/// The first address within the network: of those that are for experiments.
const DEV_ADDR: u32 = 0x0100_0000;

fn truth(meter: &Meter, n: u64, from_ns: u64) -> Shared {
    let mut truth = Truth::new(meter.register(n, from_ns));
    truth.wall_s = wall_s();
    truth.shared()
}

fn socket(error: &std::io::Error) -> String {
    format!("no socket: {error}")
}

/// A gateway and its devices.
pub fn lorawan(asked: &Lorawan) -> Result<(), String> {
    let from_ns = now_ns();
    let seed = asked.meter.seed;
    let (mut devices, mut names) = (Vec::new(), Vec::new());
    println!("gateway {GATEWAY:016x}, to {}", asked.to);
    for n in 0..asked.count {
        let (dev_eui, dev_addr) = (GATEWAY + 0x1_0000 + u64::from(n), DEV_ADDR + u32::from(n));
        let key = |purpose| key(seed, n.into(), purpose);
        let activation = if asked.otaa {
            println!("{dev_eui:016x}: joins through {JOIN_EUI:016x}, AppKey {}", Hex(&key(1)));
            Activation::Join { join_eui: JOIN_EUI, key: Key::new(key(1)) }
        } else {
            println!("{dev_eui:016x}: {dev_addr:08x}, NwkSKey {}, AppSKey {}", Hex(&key(2)), Hex(&key(3)));
            let (network, application) = (Key::new(key(2)), Key::new(key(3)));
            Activation::Session { dev_addr, network, application, counter: 0 }
        };
        let settings = Settings {
            dev_eui,
            activation,
            payload: match asked.payload {
                Make::Ugm => Payload::Ugm,
                Make::VegaGm2 => Payload::Gm2,
            },
            every_ns: asked.every,
            confirmed: asked.confirmed,
            always_listens: asked.class_c,
            unheard_ppm: asked.unheard,
        };
        let truth = truth(&asked.meter, n.into(), from_ns);
        // Spread, as devices do not all send at once.
        let first_ns = from_ns + asked.every / u64::from(asked.count) * u64::from(n);
        devices.push(Device::new(settings, truth.clone(), first_ns, seed.wrapping_add(n.into())));
        names.push((format!("{dev_eui:016x}"), truth));
    }
    let forwarder = Forwarder::new(GATEWAY, devices, from_ns, seed);
    let peer =
        Peer::open(asked.to, Lossy::new(forwarder, asked.network.loss(seed))).map_err(|e| socket(&e))?;
    watch(&names, from_ns, asked.meter.duration.map(|duration| from_ns.saturating_add(duration)))?;
    let served = peer.endpoint();
    let (counts, (lost, sent)) = (served.endpoint.counts(), served.lost());
    println!("{} frames forwarded, {} acknowledged", counts.pushed, counts.push_acknowledged);
    println!(
        "{} downlinks asked for: {} heard, {} heard by nobody, {} refused",
        counts.asked, counts.heard, counts.unheard, counts.refused
    );
    println!("{sent} datagrams, of which {lost} were lost");
    Ok(())
}

/// Clients, each on a socket of its own.
pub fn lwm2m(asked: &Lwm2m) -> Result<(), String> {
    let from_ns = now_ns();
    let seed = asked.meter.seed;
    let block = (0..=6).find(|size| 16 << size == asked.block);
    let block = block.ok_or(format!("blocks of {} bytes are none: 16, 32 .. 1024", asked.block))?;
    let lifetime_s = u32::try_from(asked.lifetime / 1_000_000_000).map_err(|_| "the lifetime is too long")?;
    let (mut peers, mut names) = (Vec::new(), Vec::new());
    for n in 0..asked.count {
        let truth = truth(&asked.meter, n.into(), from_ns);
        let number = 33_780_000_000_001 + u64::from(n);
        let address = format!("{number:014}").parse().map_err(|error| format!("{number}: {error}"))?;
        let own = seed.wrapping_add(n.into());
        let habits = Habits { seed: own, ..Habits::default() };
        let meter = cjt188::GasMeter::new(cjt188::Settings::new(address), habits, truth.clone());
        let endpoint = format!("{}{n:04}", asked.endpoint);
        let settings = lwm2m::Settings {
            lifetime_s: lifetime_s.max(1),
            report_ns: asked.every,
            confirmable: !asked.non_confirmable,
            readings: asked.readings.into(),
            block,
            awake_ns: asked.awake,
            seed: own,
            ..lwm2m::Settings::new(&endpoint)
        };
        let client = Lossy::new(Client::new(settings, meter, from_ns), asked.network.loss(own));
        let peer = Peer::open(asked.to, client).map_err(|e| socket(&e))?;
        println!("{endpoint}: meter {number:014}, from {} to {}", peer.local(), asked.to);
        names.push((endpoint, truth));
        peers.push(peer);
    }
    watch(&names, from_ns, asked.meter.duration.map(|duration| from_ns.saturating_add(duration)))?;
    for (peer, (name, _)) in peers.iter().zip(&names) {
        let served = peer.endpoint();
        let (counts, (lost, sent)) = (served.endpoint.counts(), served.lost());
        let state = match served.endpoint.state() {
            State::Registering => "not registered".into(),
            State::Registered(place) => format!("registered as {place}"),
            State::Left => "left".into(),
        };
        println!(
            "{name}: {state}, {} reports told, {} acknowledged, {} sent again; {sent} datagrams, of which {lost} were lost",
            counts.told, counts.acknowledged, counts.again
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_keys_are_the_same() {
        let mut keys: Vec<[u8; 16]> = Vec::new();
        for (seed, n, purpose) in
            [(1, 0, 1), (1, 0, 2), (1, 1, 1), (2, 0, 1), (1, 0x100, 1), (1, u32::MAX, 1)]
        {
            keys.push(key(seed, n, purpose));
        }
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all);
    }
}
