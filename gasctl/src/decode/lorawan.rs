// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a LoRaWAN gateway heard: a frame of the air, the JSON of a packet forwarder, or a whole datagram of one.

use gasd_meters::hex::Hex;
use gasd_meters::lorawan::{
    CrcCheck, DataFrame, Datagram, Direction, Heard, JoinAccept, JoinRequest, Mic, Phy, Received,
};
use gasd_meters::{Error, Explanation, Trace};

use super::codec::{Codec, Meaning, Options};
use super::find::{Found, Frame};

/// The high halves of a frame counter that are tried: 2^24 frames are more than a meter sends, and so few that no MIC
/// fits by chance.
const HIGH_HALVES: u32 = 256;

/// All frames in `bytes`; none where they are LoRaWAN's only perhaps and nobody says that they are.
pub fn frames(codec: &'static Codec, bytes: &[u8], options: &Options, named: bool) -> Found {
    let mut found = Found { length: bytes.len(), ..Found::default() };
    if bytes.first() == Some(&b'{') {
        match Heard::parse(bytes) {
            Ok(heard) if named || says_something(&heard) => {
                let mut explanation = Explanation::default();
                explanation.field(0, bytes, format_args!("JSON"), format_args!("{}", Counts(&heard)));
                let meaning = Ok(Meaning::of("what a packet forwarder heard"));
                found.frames.push(Frame::new(codec, bytes, explanation, meaning));
                found.frames.extend(heard_frames(codec, &heard, options));
            }
            Err(error) if named => {
                found.frames.push(Frame::new(codec, bytes, Explanation::default(), Err(error)));
            }
            _ => {}
        }
        return found;
    }
    match Datagram::parse(bytes) {
        Ok(datagram)
            if named || matches!(&datagram, Datagram::Push { heard, .. } if says_something(heard)) =>
        {
            found.frames.push(self::datagram(codec, bytes, &datagram));
            if let Datagram::Push { heard, .. } = &datagram {
                found.frames.extend(heard_frames(codec, heard, options));
            }
        }
        _ => {
            let (frame, sure) = phy(codec, bytes, options);
            found.frames.extend((named || sure).then_some(frame));
        }
    }
    found
}

/// Any object is JSON; one that a forwarder sends has frames or counts.
fn says_something(heard: &Heard) -> bool {
    !heard.frames.is_empty() || heard.statistics.is_some()
}

/// The datagram itself; the frames in it follow.
fn datagram(codec: &'static Codec, bytes: &[u8], datagram: &Datagram) -> Frame {
    let mut explanation = Explanation::default();
    let part = |from, to| bytes.get(from..to).unwrap_or_default();
    let (words, gateway, token, body) = match datagram {
        Datagram::Push { token, gateway, heard } => {
            ("PUSH_DATA, what was heard", gateway, token, Counts(heard).to_string())
        }
        Datagram::Pull { token, gateway } => {
            ("PULL_DATA, the gateway is there", gateway, token, String::new())
        }
        Datagram::Sent { token, gateway, error } => {
            let error =
                error.as_ref().map_or_else(|| "sent".to_owned(), |error| format!("not sent: {error}"));
            ("TX_ACK, what became of a transmission", gateway, token, error)
        }
    };
    explanation.field(0, part(0, 1), format_args!("version"), format_args!("{}", part(0, 1)[0]));
    explanation.field(1, part(1, 3), format_args!("token"), format_args!("{}", Hex(token)));
    explanation.field(3, part(3, 4), format_args!("kind"), format_args!("{words}"));
    explanation.field(4, part(4, 12), format_args!("gateway"), format_args!("{gateway:016X}"));
    if bytes.len() > 12 {
        explanation.field(12, part(12, bytes.len()), format_args!("JSON"), format_args!("{body}"));
    }
    Frame::new(codec, bytes, explanation, Ok(Meaning::of(format!("{words}, gateway {gateway:016X}"))))
}

/// The frames that were heard, each with how.
fn heard_frames(codec: &'static Codec, heard: &Heard, options: &Options) -> Vec<Frame> {
    let of = heard.frames.len();
    let each = heard.frames.iter().enumerate().map(|(n, received)| {
        let mut frame = match received {
            Ok(received) => phy(codec, &received.frame, options).0,
            Err(error) => Frame::new(codec, &[], Explanation::default(), Err(*error)),
        };
        let how = received.as_ref().map_or_else(|_| String::new(), how);
        frame.source = Some(format!("frame {} of {of}{how}", n + 1));
        frame
    });
    each.collect()
}

/// On which frequency, how fast, how loud, and whether the radio's CRC was right.
fn how(received: &Received) -> String {
    let parts = [
        received.frequency_hz.map(|hz| format!("{}.{:03} MHz", hz / 1_000_000, hz / 1000 % 1000)),
        received.data_rate.clone(),
        received.rssi_dbm.map(|dbm| format!("{dbm} dBm")),
        received.snr_db.map(|db| format!("SNR {db} dB")),
        received.time.clone(),
        match received.crc {
            CrcCheck::Right => None,
            CrcCheck::Wrong => Some("the radio's CRC is wrong: damaged on the air".to_owned()),
            CrcCheck::None => Some("without a CRC of the radio".to_owned()),
        },
    ];
    parts.into_iter().flatten().map(|part| format!(", {part}")).collect()
}

/// One frame of the air, and whether a MIC proves that it is one.
fn phy(codec: &'static Codec, bytes: &[u8], options: &Options) -> (Frame, bool) {
    let mut explanation = Explanation::default();
    let (meaning, mic) = match Phy::parse(bytes) {
        Ok(Phy::Data(frame)) => data(&frame, options, &mut explanation),
        Ok(Phy::JoinRequest(request)) => join_request(&request, options, &mut explanation),
        Ok(phy @ Phy::JoinAccept(sealed)) => join_accept(&phy, sealed, options, &mut explanation),
        Ok(phy @ Phy::Other(kind, _)) => {
            phy.explain(&mut explanation);
            let words = if kind == 6 { "a device asks to join anew" } else { "of a maker's own" };
            (Ok(Meaning::of(words)), Mic::Unchecked)
        }
        Err(error) => (Err(error), Mic::Unchecked),
    };
    (Frame::new(codec, bytes, explanation, meaning), mic == Mic::Right)
}

type Said = (Result<Meaning, Error>, Mic);

fn data(frame: &DataFrame<'_>, options: &Options, trace: &mut Explanation) -> Said {
    let way = if frame.direction == Direction::Up { "from" } else { "to" };
    let words = format!("data {way} device {:08X}", frame.dev_addr);
    let Some(keys) = &options.keys.session else {
        let _ = frame.explain(Mic::Unchecked, None, None, trace);
        let empty = frame.payload.is_empty() && frame.options.is_empty();
        let meaning = if empty { Ok(Meaning::of(format!("{words}, empty"))) } else { Err(Error::KeyMissing) };
        return (meaning, Mic::Unchecked);
    };
    let counters = (0..HIGH_HALVES).map(|high| high << 16 | u32::from(frame.counter));
    let opened = counters.into_iter().find_map(|counter| keys.open(frame, counter, options.radio).ok());
    let Some(opened) = opened else {
        let _ = frame.explain(Mic::Wrong, None, None, trace);
        return (Err(Error::Mac), Mic::Wrong);
    };
    let readings = frame.explain(Mic::Right, Some(&opened), options.payload, trace);
    let meaning = match (readings, &opened.payload) {
        (Err(error), _) => Err(error),
        (Ok(_), None) => Err(Error::KeyMissing),
        (Ok(readings), Some(_)) => {
            let words = format!("{words}, frame counter {}, its MIC is right", opened.counter);
            Ok(Meaning { readings, ..Meaning::of(words) })
        }
    };
    (meaning, Mic::Right)
}

fn join_request(request: &JoinRequest<'_>, options: &Options, trace: &mut Explanation) -> Said {
    let keys = &options.keys.device;
    let mic = match (keys.is_empty(), keys.iter().any(|key| request.verify(key).is_ok())) {
        (true, _) => Mic::Unchecked,
        (false, true) => Mic::Right,
        (false, false) => Mic::Wrong,
    };
    request.explain(mic, trace);
    if mic == Mic::Wrong {
        return (Err(Error::Mac), mic);
    }
    let words = format!("device {:016X} asks to join; its MIC is {mic}", request.dev_eui);
    (Ok(Meaning::of(words)), mic)
}

fn join_accept(phy: &Phy<'_>, sealed: &[u8], options: &Options, trace: &mut Explanation) -> Said {
    let tried: Vec<_> =
        options.keys.device.iter().map(|key| (key, JoinAccept::open(sealed, key, None))).collect();
    if let Some((key, accept)) = tried.iter().find_map(|(key, tried)| Some((key, tried.as_ref().ok()?))) {
        accept.explain(sealed, key, trace);
        let words = format!("a device may join and is {:08X}; the MIC is right", accept.dev_addr);
        return (Ok(Meaning::of(words)), Mic::Right);
    }
    phy.explain(trace);
    // With a wrong key every second one seems to be of 1.1.
    if tried.iter().any(|(_, tried)| *tried == Err(Error::KeyMissing))
        && let Some(content) = trace.0.last_mut()
    {
        content.meaning += "; a wrong key, or LoRaWAN 1.1, whose MIC cannot be checked without the request";
    }
    let error = if tried.is_empty() { Error::KeyMissing } else { Error::Mac };
    (Err(error), if tried.is_empty() { Mic::Unchecked } else { Mic::Wrong })
}

/// What a forwarder's JSON has, in words.
struct Counts<'a>(&'a Heard);

impl std::fmt::Display for Counts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} frames", self.0.frames.len())?;
        match self.0.statistics {
            Some(counts) => write!(
                f,
                "; the gateway counts {} received, {} right, {} forwarded",
                counts.received, counts.right, counts.forwarded
            ),
            None => Ok(()),
        }
    }
}
