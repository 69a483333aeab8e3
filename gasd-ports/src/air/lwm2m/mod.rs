// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meters on NB-IoT that register as clients of LwM2M 1.0, and tell what they have.
//!
//! Who an endpoint is says its name alone: where datagrams do not come through DTLS or the operator's tunnel, anybody
//! can take it. So a frame of CJ/T 188 must also have the meter's own address, and a client whose name is not
//! configured is refused and noted ([`Strangers`]).

mod device;

use std::net::SocketAddr;

use gasd_meters::cjt188::Order;
use gasd_meters::lorawan::payload::in_time;
use gasd_meters::nbiot::{self, Client, Code, Message, Server, Type, option};
use gasd_meters::{Error, nbiot::Content, nbiot::Path};

use super::blob;
use super::clock::MeterClock;
use super::{Air, Counts, Event, NotRestored, Output, Strangers};
use crate::Kept;
pub use device::{Carries, Device};

const VERSION: u8 = 1;

const SECOND_NS: u64 = 1_000_000_000;

/// The longest that an answer waits for the disk, ns: meters send again what is not acknowledged in two seconds.
const ANSWER_NS: u64 = 1_500_000_000;

struct Member {
    device: Device,
    order: Option<Order>,
    clock: MeterClock,
    /// What was told to be kept last.
    kept: Vec<u8>,
}

/// Meters that register themselves.
pub struct Lwm2m {
    server: Server,
    members: Vec<Member>,
    strangers: Strangers,
    counts: Counts,
}

impl Lwm2m {
    /// A server for these meters; `settings.wanted` is added to where a register is in a resource of its own. `seed` is
    /// a number that nobody can guess.
    #[must_use]
    pub fn new(mut settings: nbiot::Settings, devices: Vec<Device>, seed: u64) -> Self {
        for path in devices.iter().filter_map(|device| device.carries.wanted()) {
            if !settings.wanted.iter().any(|wanted| wanted.holds(&path)) {
                settings.wanted.push(path);
            }
        }
        let members = devices
            .into_iter()
            .map(|device| Member { device, order: None, clock: MeterClock::default(), kept: Vec::new() })
            .collect();
        let (strangers, counts) = (Strangers::default(), Counts::default());
        Self { server: Server::new(settings, seed), members, strangers, counts }
    }

    /// A datagram came.
    pub fn heard(&mut self, now_ns: u64, from: SocketAddr, datagram: &[u8]) -> Vec<Output> {
        let mut out = Vec::new();
        if let Some((message, endpoint)) = self.registers(datagram) {
            let what = format!("endpoint = {endpoint:?}");
            self.counts.strange = self.counts.strange.saturating_add(1);
            out.extend(
                self.strangers
                    .note(now_ns, what, format!("wants to register from {from}"))
                    .map(Output::Event),
            );
            let kind = match message.kind {
                Type::Confirmable => Type::Acknowledgement,
                _ => Type::NonConfirmable,
            };
            let refusal = Message::new(kind, Code::FORBIDDEN, message.id, &message.token);
            out.extend(refusal.encode().ok().map(|bytes| Output::Send { to: from, bytes }));
            return out;
        }
        let done = self.server.datagram(now_ns, from, datagram);
        self.take(now_ns, done, &mut out);
        out
    }

    /// A request to register by somebody who is not configured.
    fn registers(&self, datagram: &[u8]) -> Option<(Message, String)> {
        let message = Message::parse(datagram, &mut ()).ok()?;
        let is_registration = message.code == Code::POST && message.texts(option::URI_PATH).eq(["rd"]);
        if !is_registration {
            return None;
        }
        // Of all names that it gives, since the server may go by another than the first.
        let mut named = message.texts(option::URI_QUERY).filter_map(|part| part.strip_prefix("ep="));
        let is_known = |name: &str| self.members.iter().any(|member| member.device.endpoint == name);
        let stranger: String = named.find(|name| !is_known(name))?.chars().take(128).collect();
        drop(named);
        Some((message, stranger))
    }

    /// Takes what the server does: first what is to be kept, then what was said, and what acknowledges it behind that.
    fn take(&mut self, now_ns: u64, done: Vec<nbiot::Output>, out: &mut Vec<Output>) {
        let (mut told, mut sent) = (Vec::new(), Vec::new());
        for output in done {
            match output {
                nbiot::Output::Send(to, bytes) => sent.push(self.send(now_ns, to, bytes)),
                nbiot::Output::Event(nbiot::Event::Said { endpoint, path, content, late, again }) => {
                    self.said(now_ns, &endpoint, path, &content, [late, again], &mut told);
                }
                nbiot::Output::Event(nbiot::Event::Rejected(..)) => {
                    self.counts.garbage = self.counts.garbage.saturating_add(1);
                }
                nbiot::Output::Event(nbiot::Event::Refused { endpoint, path, code }) => {
                    // Only of the register itself: not every meter tells its signal.
                    if let Some(member) =
                        self.members.iter().find(|member| member.device.endpoint == endpoint)
                        && member.device.carries.wanted().unwrap_or(Path::new(&[19, 0, 0])) == path
                    {
                        let error =
                            Error::DeviceError { code: code.0.into(), what: "it does not tell its register" };
                        let event =
                            Event::Failed { key: member.device.key, t_ns: now_ns, error, raw: Vec::new() };
                        self.counts.failed = self.counts.failed.saturating_add(1);
                        told.push(Output::Event(event));
                    }
                }
                nbiot::Output::Event(_) => {}
            }
        }
        for member in &mut self.members {
            let bytes = memory(&self.server, member);
            if member.kept != bytes {
                member.kept.clone_from(&bytes);
                out.push(Output::Event(Event::Memory { key: member.device.key, bytes: bytes.into() }));
            }
        }
        out.append(&mut told);
        out.append(&mut sent);
    }

    /// What a meter is answered binds it - it counts on the registration that it was granted -, so that this is on the disk
    /// before.
    fn send(&self, now_ns: u64, to: SocketAddr, bytes: Vec<u8>) -> Output {
        let client = self.server.clients().iter().find(|client| client.peer == to);
        let named =
            |client: &Client| self.members.iter().find(|member| member.device.endpoint == client.endpoint);
        match client.and_then(named) {
            Some(member) => {
                let (key, until_ns) = (member.device.key, now_ns.saturating_add(ANSWER_NS));
                Output::Answer { key, to, bytes, until_ns }
            }
            None => Output::Send { to, bytes },
        }
    }

    fn said(
        &mut self,
        now_ns: u64,
        endpoint: &str,
        path: Path,
        content: &Content,
        [late, again]: [bool; 2],
        told: &mut Vec<Output>,
    ) {
        self.counts.heard = self.counts.heard.saturating_add(1);
        let Some(member) = self.members.iter_mut().find(|member| member.device.endpoint == endpoint) else {
            return;
        };
        let key = member.device.key;
        let parts = if late {
            let what = "something newer of the same was told before";
            let raw = device::bytes(content).to_vec();
            vec![device::Part { result: Err(Error::AnswerMismatch { what }), raw }]
        } else {
            device::read(&member.device.carries, path, content, &mut member.order)
        };
        let (mut readings, mut wrong) = (Vec::new(), Vec::new());
        for device::Part { result, raw } in parts {
            match result {
                Ok(mut reading) => {
                    reading.meter.radio_id = Some(endpoint.to_owned());
                    readings.push(reading);
                }
                Err(error) => wrong.push((error, raw)),
            }
        }
        let readings = in_time(readings);
        // All of it may have been kept, too.
        let newest = readings.as_ref().ok().and_then(|readings| readings.last());
        let kept_s = newest.map_or(0, |(_, newest)| member.clock.age_s(now_ns, newest));
        told.extend(wrong.into_iter().map(|(error, raw)| self.failed(now_ns, key, error, raw)));
        // A module puts several frames into one telling, of several hours: each is as old as its clock says.
        match readings {
            Ok(readings) => {
                for (age_s, reading) in readings {
                    let age_ns = age_s.saturating_add(kept_s).saturating_mul(SECOND_NS);
                    let Some(t_ns) = now_ns.checked_sub(age_ns) else { continue };
                    self.counts.read = self.counts.read.saturating_add(1);
                    told.push(Output::Event(Event::Read { key, t_ns, reading: Box::new(reading), again }));
                }
            }
            Err(error) => told.push(self.failed(now_ns, key, error, device::bytes(content).to_vec())),
        }
    }

    fn failed(&mut self, t_ns: u64, key: u64, error: Error, raw: Vec<u8>) -> Output {
        self.counts.failed = self.counts.failed.saturating_add(1);
        Output::Event(Event::Failed { key, t_ns, error, raw })
    }

    /// The clients that are registered.
    #[must_use]
    pub fn clients(&self) -> &[Client] {
        self.server.clients()
    }
}

/// What is to be kept of a meter: how it writes identifiers, and its registration.
fn memory(server: &Server, member: &Member) -> Vec<u8> {
    let order = match member.order {
        None => 0,
        Some(Order::HighFirst) => 1,
        Some(Order::LowFirst) => 2,
    };
    let client = server.clients().iter().find(|client| client.endpoint == member.device.endpoint);
    if order == 0 && client.is_none() {
        return Vec::new();
    }
    let mut out = vec![VERSION, order];
    out.extend(client.map(Client::to_bytes).unwrap_or_default());
    out
}

impl Air for Lwm2m {
    fn heard(&mut self, now_ns: u64, from: Option<SocketAddr>, bytes: &[u8]) -> Vec<Output> {
        from.map(|from| self.heard(now_ns, from, bytes)).unwrap_or_default()
    }

    fn due_ns(&self) -> Option<u64> {
        self.server.due_ns()
    }

    fn tick(&mut self, now_ns: u64) -> Vec<Output> {
        let done = self.server.tick(now_ns);
        let mut out = Vec::new();
        self.take(now_ns, done, &mut out);
        out
    }

    fn keys(&self) -> Vec<u64> {
        self.members.iter().map(|member| member.device.key).collect()
    }

    fn memory(&self, key: u64) -> Kept {
        let member = self.members.iter().find(|member| member.device.key == key);
        member.map(|member| memory(&self.server, member)).unwrap_or_default().into()
    }

    fn restore(&mut self, key: u64, bytes: &[u8], now_ns: u64) -> Result<(), NotRestored> {
        let member = self.members.iter_mut().find(|member| member.device.key == key);
        let member = member.ok_or(NotRestored::NoMeter)?;
        let Some(mut cursor) = blob::open(bytes, VERSION)? else { return Ok(()) };
        let order = match cursor.u8()? {
            0 => None,
            1 => Some(Order::HighFirst),
            2 => Some(Order::LowFirst),
            _ => return Err(NotRestored::Damaged),
        };
        if !cursor.is_empty() {
            let client = Client::from_bytes(cursor.take_rest())?;
            if client.endpoint != member.device.endpoint {
                return Err(NotRestored::OtherMeter);
            }
            self.server.restore(client, now_ns);
        }
        member.order = order;
        member.kept = memory(&self.server, member);
        Ok(())
    }

    fn strangers(&self) -> &Strangers {
        &self.strangers
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}
