// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ports that listen: from the configuration to their cores, and what they tell to the desk.

use gasd_abi::records::meter_key;
use gasd_meters::lorawan::payload::Profile;
use gasd_meters::nbiot::Path;
use gasd_meters::{Decimal, Error, Unit, lorawan as codec, nbiot};
use gasd_ports::air::lorawan::{self, Activation, Network, Region, Root};
use gasd_ports::air::lwm2m::{self, Carries, Lwm2m};
use gasd_ports::air::wmbus::{self, Wmbus};
use gasd_ports::air::{Air, Event, Hand, KeyFile, LinePort, Teller, Told, UdpPort};

use super::desk::Desk;
use crate::config::{Config, DeviceConfig, LoRaAddress, MeterConfig, PortConfig, PortLine, Talk};
use crate::exit::{self, Fatal};
use crate::kernel::load;
use crate::response::clock::boottime_ns;

/// A port that listens, at work.
pub enum Listening {
    /// On a socket.
    Udp(UdpPort),
    /// On a line.
    Line(LinePort),
}

impl Listening {
    /// A hand on it.
    #[must_use]
    pub fn hand(&self) -> Hand {
        match self {
            Self::Udp(port) => port.hand(),
            Self::Line(port) => port.hand(),
        }
    }
}

/// Starts a port that listens; `None` for one that asks.
///
/// # Errors
/// No thread can be had.
pub fn start(config: &Config, port: &PortConfig, desk: &Desk) -> Result<Option<Listening>, Fatal> {
    let Some(core) = core(config, port, desk) else { return Ok(None) };
    let words = match &port.line {
        PortLine::LoRaWan(..) => lorawan::words,
        _ => Error::to_string,
    };
    // Nobody answers a meter of wireless M-Bus.
    let is_answered = matches!(port.line, PortLine::LoRaWan(..) | PortLine::LwM2m(_));
    let told = teller(desk, &port.id, words, is_answered);
    let started = match &port.line {
        PortLine::Wire(_) => return Ok(None),
        PortLine::Radio(wire, _) => LinePort::start(&port.id, wire.clone(), core, told).map(Listening::Line),
        PortLine::LoRaWan(listen, _) | PortLine::LwM2m(listen) => {
            UdpPort::start(&port.id, *listen, core, told).map(Listening::Udp)
        }
    };
    let failed = |error| Fatal::new(exit::FAILED, format!("the thread of port \"{}\": {error}", port.id));
    started.map(Some).map_err(failed)
}

/// What a port that listens works with; `None` for one that asks. A meter whose keys cannot be had is left out, and its
/// health says why.
#[must_use]
pub fn core(config: &Config, port: &PortConfig, desk: &Desk) -> Option<Box<dyn Air>> {
    let on = |meter: &&MeterConfig| meter.source.on_port().is_some_and(|on| on.port == port.id);
    let meters = config.meters.iter().filter(on);
    let mut core: Box<dyn Air> = match &port.line {
        PortLine::Wire(_) => return None,
        PortLine::Radio(_, settings) => {
            let devices = usable(meters.clone(), desk, radio);
            Box::new(Wmbus::new(settings.clone(), devices))
        }
        PortLine::LoRaWan(_, region) => {
            let devices = usable(meters.clone(), desk, lora);
            Box::new(network(*region, devices))
        }
        PortLine::LwM2m(_) => {
            let on = meters.clone().filter_map(|meter| Some((meter_key(&meter.id), meter.source.on_port()?)));
            let devices = on.filter_map(|(key, on)| client(key, &on.device)).collect();
            // Numbers that nobody guesses; where the system gives none, the clock is as good as there is.
            let seed = load::random().map_or_else(|_| boottime_ns(), |[seed, _]| seed);
            Box::new(Lwm2m::new(nbiot::Settings::default(), devices, seed))
        }
    };
    let now_ns = boottime_ns();
    let at_work = core.keys();
    for meter in meters {
        let key = meter_key(&meter.id);
        // Of one that is left out what is remembered waits for it.
        if at_work.contains(&key)
            && let Some(bytes) = desk.memory(&meter.id)
            && let Err(why) = core.restore(key, &bytes, now_ns)
        {
            desk.forgotten(&meter.id, why);
        }
    }
    Some(core)
}

/// The devices of meters that can be had; the health of the others says why not.
fn usable<'a, D>(
    meters: impl Iterator<Item = &'a MeterConfig>,
    desk: &Desk,
    device: impl Fn(u64, &DeviceConfig) -> Result<D, String>,
) -> Vec<D> {
    let with = |meter: &MeterConfig| match device(meter_key(&meter.id), &meter.source.on_port()?.device) {
        Ok(device) => Some(device),
        Err(why) => {
            desk.unusable(&meter.id, &why);
            None
        }
    };
    meters.filter_map(with).collect()
}

fn network(region: Region, devices: Vec<lorawan::Device>) -> Network {
    Network::new(lorawan::Settings { region, ..lorawan::Settings::default() }, devices)
}

/// The keys of a device, where it has a file of them.
fn keys(device: &DeviceConfig) -> Result<Option<KeyFile>, String> {
    device.key_file.as_deref().map(KeyFile::read).transpose().map_err(|error| error.to_string())
}

/// A meter of wireless M-Bus. One whose file has no key is not read: without it, it would be believed whoever speaks for
/// it.
pub(super) fn radio(key: u64, device: &DeviceConfig) -> Result<wmbus::Device, String> {
    let Talk::Wmbus(address) = &device.talk else {
        return Err("it is no wireless M-Bus device".to_owned());
    };
    let secret = match keys(device)? {
        Some(keys) => Some(keys.wmbus("key").ok_or("its key file has no key")?),
        None => None,
    };
    Ok(wmbus::Device { key, address: *address, secret })
}

/// A LoRaWAN device with the keys that its file has: those of a session, or those that it joins with.
pub(super) fn lora(key: u64, device: &DeviceConfig) -> Result<lorawan::Device, String> {
    let Talk::LoRaWan { address, payload, pulse_volume_ul } = &device.talk else {
        return Err("it is no LoRaWAN device".to_owned());
    };
    let keys = keys(device)?.ok_or("it has no key_file")?;
    let named = Profile::named(payload).ok_or("its payload is not known")?;
    // 1 µL is 10⁻⁹ m³.
    let pulse = pulse_volume_ul.and_then(|ul| i64::try_from(ul).ok()).map(|ul| Decimal::new(ul, -9));
    let profile = Profile { pulse, ..*named };
    let get = |name: &str| keys.lorawan(name);
    let need = |name: &str| get(name).ok_or_else(|| format!("its key file has no {name}"));
    let (dev_eui, activation) = match *address {
        LoRaAddress::DevEui(dev_eui) => {
            let root = match get("nwk_key") {
                Some(nwk_key) => Root::V1_1 { nwk_key, app_key: need("app_key")? },
                None => Root::V1_0 { app_key: need("app_key")? },
            };
            (dev_eui, Activation::OverTheAir { join_eui: None, root })
        }
        LoRaAddress::DevAddr(dev_addr) => {
            let keys = match get("nwk_s_key") {
                Some(network) => codec::Keys::V1_0 { network, application: Some(need("app_s_key")?) },
                None => codec::Keys::V1_1 {
                    forwarding: need("f_nwk_s_int_key")?,
                    serving: need("s_nwk_s_int_key")?,
                    encryption: need("nwk_s_enc_key")?,
                    application: Some(need("app_s_key")?),
                },
            };
            (0, Activation::Personal { dev_addr, keys })
        }
    };
    Ok(lorawan::Device { key, dev_eui, activation, profile })
}

fn client(key: u64, device: &DeviceConfig) -> Option<lwm2m::Device> {
    let Talk::LwM2m { endpoint, carried, register } = &device.talk else { return None };
    let carries = match (carried, register) {
        (Some((address, _, profile)), _) => Carries::Cjt188 { address: *address, profile: **profile },
        (None, Some(resource)) => Carries::Resource {
            path: Path::new(&resource.path),
            exponent: resource.exponent,
            unit: device.unit.unwrap_or(Unit::CubicMetre),
            float: resource.float,
        },
        (None, None) => return None,
    };
    Some(lwm2m::Device { key, endpoint: endpoint.clone(), carries })
}

/// What a port tells, to the desk; `words` are those for what is wrong. `is_answered`: its meters are told that they were
/// heard.
pub(super) fn teller(desk: &Desk, port: &str, words: fn(&Error) -> String, is_answered: bool) -> Teller {
    let (desk, port) = (desk.clone(), port.to_owned());
    Box::new(move |told| {
        match told {
            Told::Answering { key, until_ns } => return desk.may_answer(key, until_ns),
            Told::Event(Event::Read { key, t_ns, reading, again: true }) => {
                desk.heard_again(key, t_ns, &reading)
            }
            Told::Event(Event::Read { key, t_ns, reading, .. }) => {
                desk.heard(key, t_ns, &reading, is_answered)
            }
            Told::Event(Event::Failed { key, t_ns, error, raw }) => {
                desk.failed_as(key, t_ns, error, &raw, words(&error));
            }
            Told::Event(Event::Memory { key, bytes }) => desk.remember(key, bytes),
            Told::Event(Event::Stranger { what, words }) => desk.stranger(&port, &what, &words),
            Told::Health(health) => desk.port_health(&port, health),
            Told::Seen(counts) => desk.heard_so_far(&port, &counts),
        }
        true
    })
}
