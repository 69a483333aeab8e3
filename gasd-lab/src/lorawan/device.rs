// SPDX-License-Identifier: MIT OR Apache-2.0
//! One device: joins or has its session already, sends what its register shows, hears in its windows.

use gasd_meters::lorawan::{Direction, Draft, JoinAccept, JoinRequest, Key, Keys, Phy, Radio};

use super::payload::Payload;
use crate::rng::Rng;
use crate::truth::{Shared, look};

const SECOND_NS: u64 = 1_000_000_000;

/// How exactly a window must be met, µs.
const WINDOW_US: u32 = 20;

/// How a device comes to its session.
pub enum Activation {
    /// It has had one from the start (ABP).
    Session {
        /// The device, within its network.
        dev_addr: u32,
        /// NwkSKey.
        network: Key,
        /// AppSKey.
        application: Key,
        /// The counter of its next frame.
        counter: u32,
    },
    /// It joins (OTAA).
    Join {
        /// AppEUI.
        join_eui: u64,
        /// AppKey.
        key: Key,
    },
}

/// What a device is.
pub struct Settings {
    /// Its own number in the world.
    pub dev_eui: u64,
    /// How it comes to its session.
    pub activation: Activation,
    /// Its make.
    pub payload: Payload,
    /// How often it sends, ns.
    pub every_ns: u64,
    /// Whether it wants its frames to be acknowledged: one that is not is sent again, up to eight times.
    pub confirmed: bool,
    /// Whether it always listens (class C).
    pub always_listens: bool,
    /// How many of a million of its frames are not heard by the gateway.
    pub unheard_ppm: u32,
}

/// Something that a device has heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downlink {
    /// When, ns.
    pub at_ns: u64,
    /// The port; `None` of an acknowledgement alone.
    pub port: Option<u8>,
    /// What it says.
    pub payload: Vec<u8>,
}

struct Session {
    dev_addr: u32,
    keys: Keys,
    up: u32,
    down: Option<u32>,
}

/// A frame that waits to be acknowledged.
struct Waiting {
    bytes: Vec<u8>,
    again: u8,
}

/// A device.
pub struct Device {
    settings: Settings,
    truth: Shared,
    rng: Rng,
    session: Option<Session>,
    dev_nonce: u16,
    /// When it sends next, ns.
    due_ns: u64,
    waiting: Option<Waiting>,
    /// The gateway's clock as its last frame ended, and the delay of the first window, µs.
    window: Option<(u32, u32)>,
    /// Whether the next frame says that one was heard that wanted to be acknowledged.
    acknowledges: bool,
    heard: Vec<Downlink>,
    joins: u32,
}

impl Device {
    /// A device of these settings, whose register is `truth`. It sends for the first time at `from_ns`; `seed` is for what
    /// is drawn.
    #[must_use]
    pub fn new(settings: Settings, truth: Shared, from_ns: u64, seed: u64) -> Self {
        let session = match &settings.activation {
            Activation::Session { dev_addr, network, application, counter } => {
                let copy = |key: &Key| Key::new(*key.expose());
                let keys = Keys::V1_0 { network: copy(network), application: Some(copy(application)) };
                Some(Session { dev_addr: *dev_addr, keys, up: *counter, down: None })
            }
            Activation::Join { .. } => None,
        };
        Self {
            settings,
            truth,
            rng: Rng::new(seed, 5),
            session,
            dev_nonce: 0,
            due_ns: from_ns,
            waiting: None,
            window: None,
            acknowledges: false,
            heard: Vec::new(),
            joins: 0,
        }
    }

    /// What really is.
    #[must_use]
    pub const fn truth(&self) -> &Shared {
        &self.truth
    }

    /// Its own number in the world.
    #[must_use]
    pub const fn dev_eui(&self) -> u64 {
        self.settings.dev_eui
    }

    /// Whether it has a session.
    #[must_use]
    pub const fn is_joined(&self) -> bool {
        self.session.is_some()
    }

    /// How often it has joined.
    #[must_use]
    pub const fn joins(&self) -> u32 {
        self.joins
    }

    /// What it has heard.
    #[must_use]
    pub fn heard(&self) -> &[Downlink] {
        &self.heard
    }

    /// It forgets its session, as after its battery was changed: it joins anew.
    pub fn forget(&mut self, now_ns: u64) {
        if matches!(self.settings.activation, Activation::Join { .. }) {
            (self.session, self.waiting, self.due_ns) = (None, None, now_ns);
        }
    }

    pub(super) const fn due_ns(&self) -> u64 {
        self.due_ns
    }

    /// A frame that goes over the air at `now_ns`, as the gateway's clock shows `us`; `None` where the gateway does not hear
    /// it.
    pub(super) fn send(&mut self, now_ns: u64, us: u32) -> Option<Vec<u8>> {
        let bytes = match (&mut self.session, &self.settings.activation) {
            (None, Activation::Join { join_eui, key }) => {
                self.window = Some((us, 5_000_000));
                // A device whose join is not answered tries again after a while, not at once.
                self.due_ns = now_ns.saturating_add(self.rng.between(8, 16) * SECOND_NS);
                self.dev_nonce = self.dev_nonce.wrapping_add(1);
                Some(JoinRequest::build(*join_eui, self.settings.dev_eui, self.dev_nonce, key))
            }
            (Some(session), _) => {
                self.window = Some((us, 1_000_000));
                let every_ns = self.settings.every_ns;
                let again = self.waiting.as_mut().filter(|waiting| waiting.again > 0);
                if let Some(waiting) = again {
                    waiting.again -= 1;
                    // After the last time it goes on with what is new.
                    let rest_ns =
                        if waiting.again > 0 { self.rng.between(3, 5) * SECOND_NS } else { every_ns };
                    self.due_ns = now_ns.saturating_add(rest_ns);
                    Some(waiting.bytes.clone())
                } else {
                    let (port, payload) = self.settings.payload.build(now_ns, &mut look(&self.truth));
                    let draft = Draft {
                        direction: Direction::Up,
                        confirmed: self.settings.confirmed,
                        dev_addr: session.dev_addr,
                        control: if std::mem::take(&mut self.acknowledges) { 0x20 } else { 0 },
                        counter: session.up,
                        options: &[],
                        payload: Some((port, &payload)),
                    };
                    session.up = session.up.wrapping_add(1);
                    self.due_ns = now_ns.saturating_add(every_ns);
                    let bytes = draft.seal(&session.keys, Radio::default()).ok();
                    self.waiting = None;
                    if let Some(bytes) = bytes.clone().filter(|_| self.settings.confirmed) {
                        self.waiting = Some(Waiting { bytes, again: 7 });
                        self.due_ns = now_ns.saturating_add(self.rng.between(3, 5) * SECOND_NS);
                    }
                    bytes
                }
            }
            // A session from the start is never lost.
            (None, Activation::Session { .. }) => None,
        };
        bytes.filter(|_| !self.rng.happens(self.settings.unheard_ppm))
    }

    /// Something goes over the air at `now_ns`, as the gateway's clock shows `at_us`; `None` is at once. Whether this device
    /// took it.
    pub(super) fn hear(&mut self, now_ns: u64, at_us: Option<u32>, bytes: &[u8]) -> bool {
        let in_window = match (at_us, self.window) {
            (Some(at), Some((ended, delay))) => [delay, delay + 1_000_000].into_iter().any(|delay| {
                at.wrapping_sub(ended.wrapping_add(delay)).wrapping_add(WINDOW_US) <= 2 * WINDOW_US
            }),
            _ => false,
        };
        let listens = self.settings.always_listens && self.session.is_some();
        if !(in_window || listens) {
            return false;
        }
        match Phy::parse(bytes) {
            Ok(Phy::JoinAccept(accept)) => self.join(now_ns, accept),
            Ok(Phy::Data(frame)) => {
                let every_ns = self.settings.every_ns;
                let Some(session) = self.session.as_mut().filter(|s| s.dev_addr == frame.dev_addr) else {
                    return false;
                };
                let high = session.down.unwrap_or(0) & 0xFFFF_0000;
                let same = high | u32::from(frame.counter);
                for counter in [same, same.wrapping_add(0x1_0000)] {
                    let new = session.down.is_none_or(|last| counter > last);
                    let Ok(opened) = session.keys.open(&frame, counter, Radio::default()) else { continue };
                    if !new || frame.direction == Direction::Up {
                        return false;
                    }
                    session.down = Some(counter);
                    self.acknowledges = frame.confirmed;
                    if frame.ack() && self.waiting.take().is_some() {
                        self.due_ns = now_ns.saturating_add(every_ns);
                    }
                    let payload = opened.payload.unwrap_or_default();
                    self.heard.push(Downlink { at_ns: now_ns, port: opened.port, payload });
                    self.window = None;
                    return true;
                }
                false
            }
            _ => false,
        }
    }

    fn join(&mut self, now_ns: u64, accept: &[u8]) -> bool {
        let Activation::Join { key, .. } = &self.settings.activation else { return false };
        if self.session.is_some() {
            return false;
        }
        let Ok(accept) = JoinAccept::open(accept, key, None) else { return false };
        let keys = accept.keys_1_0(key, self.dev_nonce);
        self.session = Some(Session { dev_addr: accept.dev_addr, keys, up: 0, down: None });
        self.joins += 1;
        self.window = None;
        self.due_ns = now_ns.saturating_add(self.rng.between(5, 10) * SECOND_NS);
        true
    }
}
