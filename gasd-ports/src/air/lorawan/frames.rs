// SPDX-License-Identifier: MIT OR Apache-2.0
//! Data frames: opened, read, and answered where the device wants that.

use gasd_meters::hex::Hex;
use gasd_meters::lorawan::payload::in_time;
use gasd_meters::lorawan::{Counter, DataFrame, Direction, Draft, Keys, Opened, Radio, Received};
use gasd_meters::{Error, Reading};

use super::super::{Event, Output};
use super::commands;
use super::device::{Last, Live, Member, Way};
use super::gateways::Windows;
use super::{Network, Settings, how, memory};

/// For so long the last frame may come again: by another gateway, or sent again because no answer was heard, ns.
const AGAIN_NS: u64 = 60_000_000_000;

/// The same of one that wants an answer, ns: at SF12 a device must be silent for minutes before it may send it again, and
/// does so eight times.
const UNANSWERED_NS: u64 = 3_600_000_000_000;

const SECOND_NS: u64 = 1_000_000_000;

/// How often one frame is answered.
const ANSWERS: u8 = 8;

/// The ACK bit of the control byte.
const ACK: u8 = 0x20;

/// Channels that are tried where a frequency is none that is known: what is added by devices' makers has numbers from
/// 3 on, up to the sixteenth.
const UNKNOWN_CHANNELS: std::ops::Range<u8> = 0..16;

impl Network {
    pub(super) fn data(
        &mut self,
        now_ns: u64,
        gateway: u64,
        received: &Received,
        frame: &DataFrame<'_>,
        out: &mut Vec<Output>,
    ) {
        if self.again(now_ns, gateway, received, frame, out) {
            self.counts.repeated = self.counts.repeated.saturating_add(1);
            return;
        }
        if self.recent.is_repeated(now_ns, &received.frame) {
            self.counts.repeated = self.counts.repeated.saturating_add(1);
            return;
        }
        // Several devices may have one address; a MIC that is right says whose the frame is.
        let mut errors: Vec<(u64, Error)> = Vec::new();
        for place in 0..self.members.len() {
            let Some(member) = self.members.get_mut(place).filter(|member| member.has(frame.dev_addr)) else {
                continue;
            };
            match open(&self.settings, member, received, frame) {
                Ok(opened) => return self.opened(now_ns, place, gateway, received, frame, opened, out),
                Err(Error::Mac) => errors.push((member.key, Error::Mac)),
                // The MIC is right: it is this device's, and nobody else's.
                Err(error) => {
                    errors = vec![(member.key, error)];
                    break;
                }
            }
        }
        self.recent.note(now_ns, &received.frame);
        if errors.is_empty() {
            let what = format!("dev_addr = \"{:08X}\"", frame.dev_addr);
            let words = format!("a device with a session, {}", how(gateway, received));
            return self.stranger(now_ns, what, words, out);
        }
        for (key, error) in errors {
            self.failed(now_ns, key, error, &received.frame, out);
        }
    }

    /// The last frame of a device once more: it is not read twice. One that another gateway could not answer, or that
    /// the device sends again because it has heard no answer, is answered.
    fn again(
        &mut self,
        now_ns: u64,
        gateway: u64,
        received: &Received,
        frame: &DataFrame<'_>,
        out: &mut Vec<Output>,
    ) -> bool {
        let is_last = |live: &Live| {
            let last = live.last.as_ref();
            last.is_some_and(|last| {
                let most_ns = if last.wants_answer { UNANSWERED_NS } else { AGAIN_NS };
                last.frame == received.frame && now_ns.saturating_sub(last.at_ns) < most_ns
            })
        };
        let place = self.members.iter().position(|member| member.live.as_ref().is_some_and(is_last));
        let Some(member) = place.and_then(|place| self.members.get_mut(place)) else { return false };
        let windows = self.gateways.windows(now_ns, &self.settings, gateway, received, self.settings.delay_s);
        let Some(last) = member.live.as_mut().and_then(|live| live.last.as_mut()) else { return true };
        let is_told = std::mem::replace(&mut last.is_told, true);
        let sent_again = last.gateway == gateway && last.timestamp_us != received.timestamp_us;
        let wanted = last.wants_answer && last.answered < ANSWERS && (last.answered == 0 || sent_again);
        let answer = match (wanted, windows) {
            (true, Some(windows)) => answer(member, frame, windows, gateway, received),
            _ => None,
        };
        let key = member.key;
        if answer.is_some() {
            out.push(Output::Event(Event::Memory { key, bytes: memory::write(member) }));
        }
        // gasd may have ended between its counter and its reading, and who answers it must have that.
        if !is_told
            && let Some(opened) = open_again(&self.settings, member, received, frame)
            && let Some(place) = place
        {
            self.told(now_ns, place, &opened, received, true, out);
        }
        if let Some((windows, answer)) = answer {
            out.extend(self.gateways.send(now_ns, &self.settings, key, windows, answer));
        }
        true
    }

    #[expect(clippy::too_many_arguments, reason = "all of one frame")]
    fn opened(
        &mut self,
        now_ns: u64,
        place: usize,
        gateway: u64,
        received: &Received,
        frame: &DataFrame<'_>,
        opened: Opened,
        out: &mut Vec<Output>,
    ) {
        let windows = self.gateways.windows(now_ns, &self.settings, gateway, received, self.settings.delay_s);
        let Some(member) = self.members.get_mut(place) else { return };
        let asked = match (opened.port, &opened.payload) {
            (Some(0), Some(payload)) => payload,
            _ => &opened.options,
        };
        let snr_tenths = received.snr_db.and_then(|snr| snr.at(-1).ok()).unwrap_or(0);
        let margin_db = commands::margin_db(snr_tenths, received.data_rate.as_deref().unwrap_or_default());
        let options = commands::answers(asked, margin_db);
        if let Some(live) = &mut member.live {
            live.last = Some(Last {
                frame: received.frame.clone(),
                at_ns: now_ns,
                is_told: true,
                gateway,
                timestamp_us: received.timestamp_us,
                wants_answer: frame.confirmed || frame.adr_ack_request() || !options.is_empty(),
                answered: 0,
                options,
            });
        }
        let wants_answer =
            member.live.as_ref().and_then(|live| live.last.as_ref()).is_some_and(|last| last.wants_answer);
        let answer = match (wants_answer, windows) {
            (true, Some(windows)) => answer(member, frame, windows, gateway, received),
            _ => None,
        };
        // The counters first: without them a recorded frame would be new after a restart.
        let bytes = memory::write(member);
        out.push(Output::Event(Event::Memory { key: member.key, bytes }));
        let key = member.key;
        self.told(now_ns, place, &opened, received, false, out);
        if let Some((windows, answer)) = answer {
            out.extend(self.gateways.send(now_ns, &self.settings, key, windows, answer));
        }
    }

    /// Tells what a frame says; `again`: it may have been told before a restart.
    fn told(
        &mut self,
        now_ns: u64,
        place: usize,
        opened: &Opened,
        received: &Received,
        again: bool,
        out: &mut Vec<Output>,
    ) {
        let Some(member) = self.members.get_mut(place) else { return };
        let (key, read) = (member.key, read(member, opened));
        match read {
            Ok(readings) => {
                let kept_s = readings.last().map_or(0, |(_, newest)| member.clock.age_s(now_ns, newest));
                for (age_s, reading) in readings {
                    let age_ns = age_s.saturating_add(kept_s).saturating_mul(SECOND_NS);
                    // What was before this clock began has no time on it.
                    let Some(t_ns) = now_ns.checked_sub(age_ns) else { continue };
                    self.counts.read = self.counts.read.saturating_add(1);
                    out.push(Output::Event(Event::Read { key, t_ns, reading: Box::new(reading), again }));
                }
            }
            Err(error) => self.failed(now_ns, key, error, &received.frame, out),
        }
    }
}

/// Opens the last frame of a device once more.
fn open_again(
    settings: &Settings,
    member: &mut Member,
    received: &Received,
    frame: &DataFrame<'_>,
) -> Option<Opened> {
    let is_made = matches!(member.way, Way::Personal);
    let live = member.live.as_mut()?;
    let up = live.session.up;
    let before = up.last()?.checked_sub(1).map_or(Counter::new(), Counter::after);
    live.session.up = if is_made { before.without_joins() } else { before };
    let opened = open_with(settings, live, received, frame);
    live.session.up = up;
    opened.ok()
}

/// Opens a frame with the session in use, or with the one to come, which is in use then.
fn open(
    settings: &Settings,
    member: &mut Member,
    received: &Received,
    frame: &DataFrame<'_>,
) -> Result<Opened, Error> {
    let mut error = Error::Mac;
    for next in [false, true] {
        let live = if next { &mut member.next } else { &mut member.live };
        let Some(live) = live.as_mut().filter(|live| live.session.dev_addr == frame.dev_addr) else {
            continue;
        };
        match open_with(settings, live, received, frame) {
            Ok(opened) => {
                if next {
                    member.live = member.next.take();
                }
                return Ok(opened);
            }
            Err(Error::Mac) => {}
            Err(other) => error = other,
        }
    }
    Err(error)
}

fn open_with(
    settings: &Settings,
    live: &mut Live,
    received: &Received,
    frame: &DataFrame<'_>,
) -> Result<Opened, Error> {
    // Data rate and channel enter the MIC of 1.1.
    let data_rate =
        received.data_rate.as_deref().and_then(|rate| settings.region.data_rate(rate)).unwrap_or_default();
    let known = received.frequency_hz.and_then(|hz| settings.region.channel(hz, &settings.extra_hz));
    let channels = match (&live.session.keys, known) {
        (Keys::V1_0 { .. }, _) => 0..1,
        (Keys::V1_1 { .. }, Some(channel)) => channel..channel + 1,
        (Keys::V1_1 { .. }, None) => UNKNOWN_CHANNELS,
    };
    for channel in channels {
        match live.session.open(frame, Radio { acknowledged: 0, data_rate, channel }) {
            Err(Error::Mac) => {}
            other => return other,
        }
    }
    Err(Error::Mac)
}

/// What a frame says of the meter, the oldest first, and how many seconds each is older than the newest.
fn read(member: &Member, opened: &Opened) -> Result<Vec<(u64, Reading)>, Error> {
    let (Some(port @ 1..), Some(payload)) = (opened.port, &opened.payload) else {
        // Commands of the network, or a sign of life.
        return match (opened.port, &opened.payload) {
            (Some(1..), None) => Err(Error::KeyMissing),
            _ => Ok(Vec::new()),
        };
    };
    if payload.is_empty() {
        return Ok(Vec::new());
    }
    let mut readings = member.profile.decode(port, payload, &mut ())?;
    for reading in &mut readings {
        reading.meter.radio_id = Some(Hex(&member.dev_eui.to_be_bytes()).to_string());
    }
    in_time(readings)
}

/// The answer to the last frame of a device, with the next counter down. `None` where that has run out.
fn answer(
    member: &mut Member,
    frame: &DataFrame<'_>,
    windows: Windows,
    gateway: u64,
    received: &Received,
) -> Option<(Windows, Vec<u8>)> {
    let live = member.live.as_mut()?;
    let last = live.last.as_mut()?;
    let next = live.down.checked_add(1)?;
    let draft = Draft {
        direction: Direction::Down,
        confirmed: false,
        dev_addr: live.session.dev_addr,
        control: if frame.confirmed { ACK } else { 0 },
        counter: live.down,
        options: &last.options,
        payload: None,
    };
    let radio = Radio { acknowledged: frame.counter, ..Radio::default() };
    let answer = draft.seal(&live.session.keys, radio).ok()?;
    live.down = next;
    last.answered = last.answered.saturating_add(1);
    (last.gateway, last.timestamp_us) = (gateway, received.timestamp_us);
    Some((windows, answer))
}
