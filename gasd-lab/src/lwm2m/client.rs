// SPDX-License-Identifier: MIT OR Apache-2.0
//! The client as a pure state machine: datagrams and times in, datagrams out.

use std::collections::VecDeque;

use gasd_meters::nbiot::{Block, Code, Message, Path, Type, option};

use super::messages::{About, Outbox};
use super::objects::{self, LINKS, OBJECTS};
use super::settings::{Counts, SECOND_NS, Settings, State};
use crate::cjt188::GasMeter;
use crate::loss::Endpoint;
use crate::meter::Meter;
use crate::rng::Rng;
use crate::truth::look;

/// After so long it registers anew where nobody answered, ns.
const RETRY_NS: u64 = 30 * SECOND_NS;

/// Messages of the server that are remembered, to be answered as before when they come again.
const RECENT: usize = 16;

/// For so long a number is not used for another message (EXCHANGE_LIFETIME), ns.
const LIFETIME_NS: u64 = 247 * SECOND_NS;

/// Something that it was asked to tell.
#[derive(Clone, Debug)]
struct Observation {
    path: Path,
    token: Vec<u8>,
    number: u32,
}

/// The client.
pub struct Client {
    settings: Settings,
    meter: GasMeter,
    state: State,
    rng: Rng,
    outbox: Outbox,
    next_id: u16,
    observations: Vec<Observation>,
    /// Frames of the meter, the newest last.
    frames: Vec<Vec<u8>>,
    /// Bodies that are told in blocks.
    bodies: Vec<(Path, u32, Vec<u8>)>,
    recent: VecDeque<(u64, u16, Vec<u8>)>,
    register_ns: Option<u64>,
    update_ns: u64,
    report_ns: u64,
    /// Until when it hears, ns.
    awake_ns: u64,
    /// Answers of the meter that are under way.
    answers: Vec<(u64, Vec<u8>)>,
    counts: Counts,
}

impl Client {
    /// A client that registers at `from_ns`, for `meter`.
    #[must_use]
    pub fn new(settings: Settings, meter: GasMeter, from_ns: u64) -> Self {
        let mut rng = Rng::new(settings.seed, 7);
        Self {
            outbox: Outbox::new(settings.ack_ns.max(2)),
            next_id: rng.bits() as u16,
            rng,
            meter,
            state: State::Registering,
            observations: Vec::new(),
            frames: Vec::new(),
            bodies: Vec::new(),
            recent: VecDeque::new(),
            register_ns: Some(from_ns),
            update_ns: u64::MAX,
            report_ns: u64::MAX,
            awake_ns: from_ns,
            answers: Vec::new(),
            counts: Counts::default(),
            settings,
        }
    }

    /// The meter.
    #[must_use]
    pub const fn meter(&self) -> &GasMeter {
        &self.meter
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// What it tells as it changes.
    pub fn tells(&self) -> impl Iterator<Item = Path> {
        self.observations.iter().map(|observation| observation.path)
    }

    /// What it has counted.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        Counts { again: self.outbox.again(), ..self.counts }
    }

    /// It leaves.
    pub fn leave(&mut self) {
        if let State::Registered(place) = &self.state {
            let place = place.clone();
            let message = self.request(Code::DELETE).with(option::URI_PATH, b"rd");
            self.outbox.push(About::Leave, message.with(option::URI_PATH, place.as_bytes()));
        }
        (self.state, self.register_ns) = (State::Left, None);
        (self.update_ns, self.report_ns) = (u64::MAX, u64::MAX);
        self.observations.clear();
    }

    fn id(&mut self) -> u16 {
        self.next_id = self.next_id.wrapping_add(1);
        self.next_id
    }

    fn request(&mut self, code: Code) -> Message {
        let (id, token) = (self.id(), self.rng.bits().to_be_bytes());
        Message::new(Type::Confirmable, code, id, token.get(..4).unwrap_or_default())
    }

    /// A part of the registration.
    fn register(&mut self, number: u32) {
        let Settings { endpoint, lifetime_s, awake_ns, block, .. } = self.settings.clone();
        let binding = if awake_ns.is_some() { "b=UQ" } else { "b=U" };
        let size = 1usize << (4 + block.min(6));
        let body = OBJECTS.as_bytes();
        let mut message = self.request(Code::POST).with(option::URI_PATH, b"rd");
        for query in
            [format!("ep={endpoint}"), "lwm2m=1.0".into(), format!("lt={lifetime_s}"), binding.into()]
        {
            message = message.with(option::URI_QUERY, query.as_bytes());
        }
        message = message.with_number(option::CONTENT_FORMAT, LINKS);
        let from = number as usize * size;
        let to = body.len().min(from + size);
        if body.len() > size {
            let block = Block { number, more: to < body.len(), size: block.min(6) };
            message = message.with_number(option::BLOCK1, block.to_option());
        }
        message.payload = body.get(from..to).unwrap_or_default().into();
        self.outbox.push(About::Register(number), message);
    }

    fn anew(&mut self, at_ns: u64) {
        self.state = State::Registering;
        self.outbox.clear();
        self.observations.clear();
        (self.register_ns, self.update_ns, self.report_ns) = (Some(at_ns), u64::MAX, u64::MAX);
    }

    /// An answer to what it asked, or an acknowledgement of what it told.
    fn answered(&mut self, now_ns: u64, message: &Message) {
        let Some(about) = self.outbox.acknowledged(message.id) else { return };
        let update_ns = u64::from(self.settings.lifetime_s) * SECOND_NS / 2;
        match (about, message.code) {
            (About::Register(number), Code::CONTINUE) => self.register(number + 1),
            (About::Register(_), Code::CREATED) => {
                // The last part of where it was put is its place.
                let place = message.texts(option::LOCATION_PATH).last().unwrap_or_default();
                self.state = State::Registered(place.into());
                self.counts.registered += 1;
                self.update_ns = now_ns.saturating_add(update_ns);
                self.report_ns = now_ns.saturating_add(self.settings.report_ns);
            }
            (About::Register(_), _) => self.anew(now_ns.saturating_add(RETRY_NS)),
            (About::Update, Code::CHANGED) => {
                self.counts.updated += 1;
                self.update_ns = now_ns.saturating_add(update_ns);
            }
            // It is not known there any more.
            (About::Update, _) => self.anew(now_ns),
            (About::Tell(token), _) if message.kind == Type::Reset => {
                self.observations.retain(|observation| observation.token != token);
            }
            (About::Tell(_), _) => self.counts.acknowledged += 1,
            (About::Leave, _) => {}
        }
    }

    /// A request of the server; the answer.
    fn asked(&mut self, now_ns: u64, message: &Message) -> Message {
        let kind = match message.kind {
            Type::Confirmable => Type::Acknowledgement,
            _ => Type::NonConfirmable,
        };
        let answer = |code| Message::new(kind, code, message.id, &message.token);
        let numbers: Option<Vec<u16>> =
            message.texts(option::URI_PATH).map(|part| part.parse().ok()).collect();
        let Some(path) = numbers.map(|numbers| Path::new(&numbers)) else { return answer(Code::NOT_FOUND) };
        match (message.code, path.numbers()) {
            (Code::PUT | Code::POST, [19, 1, ..]) => {
                self.counts.written += 1;
                self.write(now_ns, &message.payload);
                answer(Code::CHANGED)
            }
            (Code::GET, _) => {
                let block = message.number(option::BLOCK2).and_then(Block::from_option);
                if let Some(block) = block.filter(|block| block.number > 0) {
                    return match self.bodies.iter().find(|(of, ..)| *of == path) {
                        Some((_, format, body)) => part(answer(Code::CONTENT), *format, body, block),
                        None => answer(Code::INCOMPLETE),
                    };
                }
                let Some((format, body)) = self.content(now_ns, path) else { return answer(Code::NOT_FOUND) };
                let mut content = answer(Code::CONTENT);
                match message.number(option::OBSERVE) {
                    Some(0) => {
                        self.observations.retain(|observation| observation.path != path);
                        let token = message.token.clone();
                        self.observations.push(Observation { path, token, number: 1 });
                        content = content.with_number(option::OBSERVE, 1);
                    }
                    Some(_) => self.observations.retain(|observation| observation.token != message.token),
                    None => {}
                }
                self.whole_or_first(content, path, format, body)
            }
            _ => answer(Code::METHOD_NOT_ALLOWED),
        }
    }

    /// A frame to the meter. Its answer goes its way when the meter has thought.
    fn write(&mut self, now_ns: u64, frame: &[u8]) {
        let mut at_ns = now_ns;
        let mut bytes = Vec::new();
        for reply in self.meter.heard(now_ns, frame) {
            at_ns = at_ns.saturating_add(reply.after_ns);
            bytes.extend(reply.bytes);
        }
        if !bytes.is_empty() {
            self.answers.push((at_ns, bytes));
        }
    }

    fn content(&mut self, now_ns: u64, path: Path) -> Option<(u32, Vec<u8>)> {
        match path.numbers() {
            [19] | [19, 0] | [19, 0, 0] => {
                self.read_meter(now_ns);
                Some(objects::frames(&self.frames))
            }
            _ => {
                let wall_s = look(self.meter.truth()).wall_s;
                let unix_s = wall_s.saturating_add((now_ns / SECOND_NS) as i64);
                let signal = -70 - self.rng.below(40) as i8;
                objects::content(path, &self.settings.endpoint, u32::try_from(unix_s).unwrap_or(0), signal)
            }
        }
    }

    fn read_meter(&mut self, now_ns: u64) {
        self.frames.push(self.meter.report(now_ns));
        let most = self.settings.readings.clamp(1, 255);
        self.frames.drain(..self.frames.len().saturating_sub(most));
    }

    fn whole_or_first(&mut self, mut message: Message, path: Path, format: u32, body: Vec<u8>) -> Message {
        let size = self.settings.block.min(6);
        if body.len() <= 1 << (4 + size) {
            message = message.with_number(option::CONTENT_FORMAT, format);
            message.payload = body;
            return message;
        }
        let first = part(message, format, &body, Block { number: 0, more: false, size });
        self.bodies.retain(|(of, ..)| *of != path);
        self.bodies.push((path, format, body));
        first
    }

    /// Tells what is observed of object 19: `frames` in place of what the meter says now, where there are some.
    fn tell(&mut self, now_ns: u64, frames: Option<Vec<Vec<u8>>>) {
        let of = self.observations.iter().position(|observation| observation.path.object() == Some(19));
        let Some(observation) = of.and_then(|n| self.observations.get_mut(n)) else { return };
        observation.number = (observation.number + 1) & 0x00FF_FFFF;
        let Observation { path, token, number } = observation.clone();
        let (format, body) = match frames {
            Some(frames) => objects::frames(&frames),
            None => {
                self.read_meter(now_ns);
                objects::frames(&self.frames)
            }
        };
        let kind = if self.settings.confirmable { Type::Confirmable } else { Type::NonConfirmable };
        let id = self.id();
        let message = Message::new(kind, Code::CONTENT, id, &token).with_number(option::OBSERVE, number);
        let message = self.whole_or_first(message, path, format, body);
        self.counts.told += 1;
        self.outbox.push(About::Tell(token), message);
    }

    /// Sends what waits.
    fn flush(&mut self, now_ns: u64, out: &mut Vec<Vec<u8>>) {
        while self.outbox.due_ns().is_some_and(|due| due <= now_ns) {
            let Some(given_up) = self.outbox.step(now_ns, &mut self.rng, out) else { continue };
            self.counts.given_up += 1;
            match given_up {
                About::Register(_) | About::Update => self.anew(now_ns.saturating_add(RETRY_NS)),
                About::Tell(_) | About::Leave => {}
            }
        }
        if let (false, Some(awake_ns)) = (out.is_empty(), self.settings.awake_ns) {
            self.awake_ns = now_ns.saturating_add(awake_ns);
        }
    }
}

/// A block of a body.
fn part(message: Message, format: u32, body: &[u8], wanted: Block) -> Message {
    let from = (wanted.number as usize).saturating_mul(wanted.bytes());
    let to = body.len().min(from.saturating_add(wanted.bytes()));
    let block = Block { more: to < body.len(), ..wanted };
    let mut message =
        message.with_number(option::CONTENT_FORMAT, format).with_number(option::BLOCK2, block.to_option());
    message.payload = body.get(from..to).unwrap_or_default().into();
    message
}

impl Endpoint for Client {
    fn due_ns(&self) -> Option<u64> {
        let answers = self.answers.iter().map(|(at, _)| *at).min();
        let times =
            [self.register_ns, Some(self.update_ns), Some(self.report_ns), self.outbox.due_ns(), answers];
        times.into_iter().flatten().min().filter(|due| *due < u64::MAX)
    }

    fn tick(&mut self, now_ns: u64) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        if self.register_ns.take_if(|at| *at <= now_ns).is_some() {
            self.register(0);
        }
        if let (true, State::Registered(place)) = (self.update_ns <= now_ns, &self.state) {
            let place = place.clone();
            let message = self.request(Code::POST).with(option::URI_PATH, b"rd");
            self.outbox.push(About::Update, message.with(option::URI_PATH, place.as_bytes()));
            // Again when it is taken; or it is given up.
            self.update_ns = u64::MAX;
        }
        if self.report_ns <= now_ns {
            self.report_ns = now_ns.saturating_add(self.settings.report_ns.max(1));
            // One that is still under way is as good.
            if !self.outbox.tells() {
                self.tell(now_ns, None);
            }
        }
        while let Some(n) = self.answers.iter().position(|(at, _)| *at <= now_ns) {
            let (_, frame) = self.answers.swap_remove(n);
            self.tell(now_ns, Some(vec![frame]));
        }
        self.flush(now_ns, &mut out);
        out
    }

    fn datagram(&mut self, now_ns: u64, bytes: &[u8]) -> Vec<Vec<u8>> {
        if self.settings.awake_ns.is_some() && now_ns > self.awake_ns {
            self.counts.slept_through += 1;
            return Vec::new();
        }
        let mut out = Vec::new();
        let Ok(message) = Message::parse(bytes, &mut ()) else { return out };
        match message.kind {
            Type::Acknowledgement | Type::Reset => self.answered(now_ns, &message),
            Type::Confirmable | Type::NonConfirmable => {
                self.recent.retain(|(at, ..)| at.saturating_add(LIFETIME_NS) > now_ns);
                if let Some((.., answer)) = self.recent.iter().find(|(_, id, _)| *id == message.id) {
                    out.push(answer.clone());
                } else if message.code.is_request() {
                    let answer = self.asked(now_ns, &message);
                    if let Ok(answer) = answer.encode() {
                        if self.recent.len() >= RECENT {
                            self.recent.pop_front();
                        }
                        self.recent.push_back((now_ns, message.id, answer.clone()));
                        out.push(answer);
                    }
                }
            }
        }
        self.flush(now_ns, &mut out);
        out
    }
}
