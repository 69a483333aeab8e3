// SPDX-License-Identifier: MIT OR Apache-2.0
//! One device: what is configured, and what is known of it.

use std::collections::BTreeSet;
use std::fmt;

use gasd_meters::lorawan::payload::Profile;
use gasd_meters::lorawan::{Counter, JoinRequest, Key, Keys, Session};

use super::super::clock::MeterClock;

/// A device as it is configured.
pub struct Device {
    /// Names the meter.
    pub key: u64,
    /// Its DevEUI.
    pub dev_eui: u64,
    /// How it comes to its session.
    pub activation: Activation,
    /// What its payloads mean.
    pub profile: Profile,
}

/// How a device comes to its session.
pub enum Activation {
    /// It was made with one (ABP).
    Personal {
        /// Its address.
        dev_addr: u32,
        /// The keys of the session; which kind says the version of LoRaWAN.
        keys: Keys,
    },
    /// It joins (OTAA).
    OverTheAir {
        /// The JoinEUI that it must join with; `None` for any.
        join_eui: Option<u64>,
        /// Its own keys.
        root: Root,
    },
}

/// The keys that a device is made with.
pub enum Root {
    /// Of LoRaWAN 1.0.
    V1_0 {
        /// AppKey.
        app_key: Key,
    },
    /// Of LoRaWAN 1.1.
    V1_1 {
        /// NwkKey.
        nwk_key: Key,
        /// AppKey.
        app_key: Key,
    },
}

impl Root {
    /// What joins are signed with.
    pub(super) const fn joins(&self) -> &Key {
        match self {
            Self::V1_0 { app_key } => app_key,
            Self::V1_1 { nwk_key, .. } => nwk_key,
        }
    }
}

impl fmt::Debug for Device {
    /// Without its keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let activation = match &self.activation {
            Activation::Personal { dev_addr, .. } => format!("ABP {dev_addr:08X}"),
            Activation::OverTheAir { .. } => "OTAA".to_owned(),
        };
        f.debug_struct("Device")
            .field("key", &self.key)
            .field("dev_eui", &format_args!("{:016X}", self.dev_eui))
            .field("activation", &activation)
            .field("profile", &self.profile.name)
            .finish()
    }
}

/// The last frame that was taken, which may come again.
pub(super) struct Last {
    pub frame: Vec<u8>,
    pub at_ns: u64,
    /// Whether what it says was told. Of one that is known from before a restart nobody knows.
    pub is_told: bool,
    pub gateway: u64,
    /// The gateway's clock.
    pub timestamp_us: Option<u32>,
    /// Whether the device wants an answer, and how often it had one.
    pub wants_answer: bool,
    pub answered: u8,
    /// Commands that are answered.
    pub options: Vec<u8>,
}

/// A session and what goes with it.
pub(super) struct Live {
    pub session: Session,
    /// The counter of the next frame down.
    pub down: u32,
    pub last: Option<Last>,
}

impl Live {
    pub fn new(dev_addr: u32, keys: Keys) -> Self {
        Self { session: Session { dev_addr, keys, up: Counter::new() }, down: 0, last: None }
    }
}

/// How a member came to its session.
pub(super) enum Way {
    Personal,
    OverTheAir { join_eui: Option<u64>, root: Root },
}

/// A device at work.
pub(super) struct Member {
    pub key: u64,
    pub dev_eui: u64,
    pub profile: Profile,
    pub way: Way,
    /// Tells its keys from others: what is kept belongs to them.
    pub check: [u8; 8],
    pub live: Option<Live>,
    pub clock: MeterClock,
    /// A session that was agreed on and not used yet. The one before goes on: the device may not have heard.
    pub next: Option<Live>,
    /// Numbers that it has joined with: none is taken twice.
    pub dev_nonces: BTreeSet<u16>,
    /// The last number of a join accept.
    pub join_nonce: u32,
}

impl Member {
    pub fn new(device: Device) -> Self {
        let Device { key, dev_eui, activation, profile } = device;
        let (way, check, live) = match activation {
            Activation::Personal { dev_addr, keys } => {
                let check = check_keys(&keys);
                let mut live = Live::new(dev_addr, keys);
                live.session.up = live.session.up.without_joins();
                (Way::Personal, check, Some(live))
            }
            Activation::OverTheAir { join_eui, root } => {
                let check = check([Some(root.joins()), None]);
                (Way::OverTheAir { join_eui, root }, check, None)
            }
        };
        let (next, dev_nonces) = (None, BTreeSet::new());
        let clock = MeterClock::default();
        Self { key, dev_eui, profile, way, check, live, clock, next, dev_nonces, join_nonce: 0 }
    }

    /// Its sessions: the one in use, and the one to come.
    pub fn sessions(&self) -> impl Iterator<Item = &Live> {
        self.live.iter().chain(&self.next)
    }

    /// Whether one of its sessions has this address.
    pub fn has(&self, dev_addr: u32) -> bool {
        self.sessions().any(|live| live.session.dev_addr == dev_addr)
    }
}

fn check_keys(keys: &Keys) -> [u8; 8] {
    match keys {
        Keys::V1_0 { network, .. } => check([Some(network), None]),
        Keys::V1_1 { forwarding, serving, .. } => check([Some(forwarding), Some(serving)]),
    }
}

/// Four bytes for each key, by which it is told from another and from which it cannot be found: the MIC of a join
/// request that no device sends.
fn check(keys: [Option<&Key>; 2]) -> [u8; 8] {
    let mut check = [0; 8];
    for (key, place) in keys.into_iter().zip(check.chunks_exact_mut(4)) {
        let Some(key) = key else { continue };
        let request = JoinRequest::build(u64::MAX, u64::MAX, u16::MAX, key);
        if let Some(mic) = request.last_chunk::<4>() {
            place.copy_from_slice(mic);
        }
    }
    check
}
