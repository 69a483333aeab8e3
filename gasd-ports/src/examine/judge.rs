// SPDX-License-Identifier: MIT OR Apache-2.0
//! From what was seen of a line to what is said of it.
//!
//! | finding | asks |
//! |---|---|
//! | `noise` | do bytes come that nobody sent? |
//! | `polarity` | does the line rest where it should, or are A and B swapped? |
//! | `master` | does somebody else ask on this line? |
//! | `framing`, `parity-errors`, `overruns` | what does the hardware count? |
//! | `busy` | is the line ever silent? |
//! | `echo` | does the adapter hear what it sends? |
//! | `collision` | is what it hears of itself what it sent? |
//! | `answers`, `speed`, `parity` | does somebody answer, and at which setting? |
//! | `late-answers` | does somebody answer only when nobody waits for it any more? |

use gasd_meters::detect::Protocol;

use super::finding::Finding;
use super::plan::Setting;
use super::seen::{Asked, Echo, Listened, Observed, Parts};
use crate::wire::Damage;

/// So many bytes of one kind are no accident.
const MANY: u64 = 3;

/// What is said of a line.
#[must_use]
pub fn judge(observed: &Observed) -> Vec<Finding> {
    let parts: Vec<(&Asked, Parts)> = observed.asked.iter().map(|asked| (asked, asked.parts())).collect();
    let good = parts.iter().any(|(asked, parts)| asked.setting == observed.setting && parts.anybody());
    let resting = polarity(observed, &parts, good);
    let mut findings = Vec::new();
    // A line that rests at the wrong level is full of bytes; that they are no frames is not news.
    if resting.is_none() {
        findings.push(noise(&observed.listened));
    }
    let rests_wrong = resting.is_some();
    findings.extend(resting);
    findings.extend(master(&observed.listened, &parts));
    findings.extend(damage(observed, good));
    if !parts.is_empty() {
        // What a line at the wrong level, or one that is never silent, does to requests and answers is not news either.
        let busy = busy(&parts).filter(|_| !rests_wrong);
        let covered = rests_wrong || busy.is_some();
        findings.extend(busy);
        let own: Vec<&Parts> = parts.iter().map(|(_, parts)| parts).collect();
        findings.extend(echo(&own));
        findings.extend(collision(&own).filter(|_| !covered));
        findings.push(answers(observed.setting, &parts, covered));
        findings.extend(late(observed.setting, &parts));
    }
    findings
}

/// Whether what was heard while nobody was asked is one level: no traffic of somebody else at another speed, and no meter's.
pub(super) fn is_without_rest(listened: &Listened) -> bool {
    let Listened { zeros, ones, garbage, damage, .. } = listened;
    let level = (*zeros).max(*ones).min(*garbage);
    level >= MANY && level * 10 >= garbage * 9 || damage.is_some_and(|damage| damage.breaks >= MANY)
}

/// A number of bytes, in words.
fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

fn noise(listened: &Listened) -> Finding {
    let (garbage, seconds) =
        (listened.garbage, (listened.for_ns.saturating_add(500_000_000) / 1_000_000_000).max(1));
    if garbage == 0 {
        let words = if listened.bytes == 0 { "the line is silent" } else { "every byte belongs to a frame" };
        return Finding::good("noise", format!("{words} while nobody is asked ({seconds} s)"));
    }
    let words = format!("{} of no frame came in {seconds} s while nobody was asked", bytes(garbage));
    let advice = "another speed on the same line, a cable beside mains or a motor, no termination, a loose shield or \
                  clamp";
    if garbage >= seconds {
        return Finding::wrong("noise", words, advice);
    }
    Finding::suspicious("noise", words, advice)
}

/// Whether nearly everything that was heard is one level: all 00, or all FF.
fn polarity(observed: &Observed, parts: &[(&Asked, Parts)], good: bool) -> Option<Finding> {
    let all = |byte: u8, listened: u64| {
        let asked = parts.iter().flat_map(|(_, parts)| &parts.garbage);
        listened + asked.filter(|other| **other == byte).count() as u64
    };
    let Listened { zeros, ones, garbage, .. } = observed.listened;
    let total = garbage + parts.iter().map(|(_, parts)| parts.garbage.len() as u64).sum::<u64>();
    // Bytes of frames are no level.
    let (zeros, ones) = (all(0x00, zeros.min(garbage)), all(0xFF, ones.min(garbage)));
    let counted = |asked: &Asked| asked.damage.map_or(0, |damage| damage.breaks);
    let breaks = observed.listened.damage.map_or(0, |damage| damage.breaks)
        + observed.asked.iter().filter(|asked| asked.setting == observed.setting).map(counted).sum::<u64>();
    let level = zeros.max(ones);
    if good || breaks < MANY && (level < MANY || level * 10 < total * 9) {
        return None;
    }
    let words = if breaks >= MANY {
        format!("the line is held low: {breaks} breaks were counted")
    } else {
        let byte = if zeros >= ones { "00" } else { "FF" };
        format!("nearly all that comes is {byte}: {level} of {total} bytes of no frame")
    };
    Some(Finding::wrong(
        "polarity",
        words,
        "swap A and B; where that changes nothing, the line has no bias: switch on that of the adapter, or put 560 Ω from A \
         to +5 V and from B to ground",
    ))
}

/// Somebody else who asks.
fn master(listened: &Listened, parts: &[(&Asked, Parts)]) -> Option<Finding> {
    let told = |(protocol, count): &(Protocol, u32)| format!("{count} of {}", title(*protocol));
    let frames: Vec<String> = listened.frames.iter().map(told).collect();
    let asked: usize = parts.iter().map(|(_, parts)| parts.masters).sum();
    if frames.is_empty() && asked == 0 {
        return None;
    }
    if asked == 0 && listened.frames.iter().all(|(protocol, _)| *protocol == Protocol::Hart) {
        return Some(Finding::suspicious(
            "master",
            format!("frames came while nobody was asked: {}", frames.join(", ")),
            "a HART device in burst mode, or another HART master: of two masters one must be the secondary; end burst mode if \
             it is not needed",
        ));
    }
    let words = if frames.is_empty() {
        format!("{asked} requests of another master were heard between the own")
    } else {
        format!("frames came while nobody was asked: {}", frames.join(", "))
    };
    Some(Finding::wrong(
        "master",
        words,
        "another master reads meters on this line, and two spoil each other's requests: take it off, or give gasd a line of \
         its own",
    ))
}

/// What the hardware counted at the line's own setting.
fn damage(observed: &Observed, good: bool) -> Vec<Finding> {
    let asked = observed.asked.iter().filter(|asked| asked.setting == observed.setting);
    let counted: Vec<Damage> =
        asked.filter_map(|asked| asked.damage).chain(observed.listened.damage).collect();
    let sum = |count: fn(&Damage) -> u64| counted.iter().map(count).sum::<u64>();
    let mut findings = Vec::new();
    let mut told = |name: &'static str, count: u64, what: &str, advice: &str| {
        if count > 0 {
            let words = format!("{count} {what} at {}", observed.setting);
            // Where meters are read all the same, a few are noise.
            findings.push(if good {
                Finding::suspicious(name, words, advice)
            } else {
                Finding::wrong(name, words, advice)
            });
        }
    };
    told(
        "framing",
        sum(|d| d.framing),
        "bytes had no stop bit",
        "the speed is another one, or two send at once",
    );
    told(
        "parity-errors",
        sum(|d| d.parity),
        "bytes had a wrong parity bit",
        "the parity is another one (`parity` of the port), or the line is disturbed",
    );
    told(
        "overruns",
        sum(|d| d.overrun),
        "times bytes came faster than they were taken",
        "the machine is too busy, or the adapter has too small a buffer",
    );
    findings
}

fn busy(parts: &[(&Asked, Parts)]) -> Option<Finding> {
    let never = parts.iter().filter(|(asked, _)| asked.request.is_empty()).count();
    (never > 0).then(|| {
        Finding::wrong(
            "busy",
            format!("{never} of {} requests could not be sent: the line was never silent", parts.len()),
            "find what sends all the time: another master, an adapter whose transmitter is stuck, or noise",
        )
    })
}

fn echo(parts: &[&Parts]) -> Option<Finding> {
    let whole = parts.iter().filter(|parts| parts.echo == Echo::Whole).count();
    if whole > 0 {
        let words = "the adapter hears what it sends; gasd finds that out and drops it (`echo = \"yes\"` says it at once)";
        return Some(Finding::good("echo", words));
    }
    // A damaged echo is one, and said elsewhere.
    let none = parts.iter().all(|parts| parts.echo == Echo::None);
    none.then(|| Finding::good("echo", "the adapter does not hear what it sends"))
}

fn collision(parts: &[&Parts]) -> Option<Finding> {
    let damaged = parts.iter().filter(|parts| parts.echo == Echo::Damaged).count();
    let heard = parts.iter().filter(|parts| parts.echo != Echo::None).count();
    if damaged == 0 {
        return (heard > 0).then(|| Finding::good("collision", "what it hears of itself is what it sent"));
    }
    let words = format!("{damaged} of {} requests were spoiled while they were being sent", parts.len());
    let advice = "somebody else sends at the same time, or the transceiver or the wiring is bad: too many terminations, A \
                  and B shorted, ground missing";
    // Once among several is noise.
    Some(if damaged == 1 && parts.len() > 2 {
        Finding::suspicious("collision", words, advice)
    } else {
        Finding::wrong("collision", words, advice)
    })
}

/// Who answers, and at which setting.
fn answers(setting: Setting, parts: &[(&Asked, Parts)], covered: bool) -> Finding {
    if let Some(who) = who(parts, setting) {
        return Finding::good("answers", format!("somebody answers at {setting}: {who}"));
    }
    let elsewhere = parts.iter().find(|(_, parts)| parts.anybody()).map(|(asked, _)| asked.setting);
    if let Some(other) = elsewhere {
        let who = who(parts, other).unwrap_or_default();
        let words = format!("somebody answers at {other}, and not at {setting}: {who}");
        let set =
            format!("set `baud = {}` and `parity = \"{}\"` of the port", other.baud, other.parity.name());
        let name = if other.baud == setting.baud { "parity" } else { "speed" };
        return Finding::wrong(name, words, set);
    }
    let garbage: usize = parts.iter().map(|(_, parts)| parts.garbage.len()).sum();
    if covered {
        return Finding::suspicious(
            "answers",
            "nobody can be heard through what comes all the time",
            "mend what is said above and examine again: until then nothing is known of the meters",
        );
    }
    if garbage > 0 {
        return Finding::suspicious(
            "answers",
            format!(
                "{} came after requests, and no frame at any setting that was tried",
                bytes(garbage as u64)
            ),
            "several meters that answer at once sound like this: connect one at a time and examine again; `gasctl scan` tells \
             M-Bus, DL/T 645, HART and Modbus meters apart, but not those of CJ/T 188, whose addresses are on their labels. \
             So do a bad line, and a setting that was not tried",
        );
    }
    Finding::wrong(
        "answers",
        "nobody answers at any setting that was tried",
        "check the cable, A and B, and the meters' supply; of Modbus only unit 1 was asked: `gasctl scan` asks all",
    )
}

/// Who answers what was asked before, and nothing in time.
fn late(setting: Setting, parts: &[(&Asked, Parts)]) -> Option<Finding> {
    let at: Vec<_> = parts.iter().filter(|(asked, _)| asked.setting == setting).collect();
    let is_late = |protocol: &Protocol| {
        let asked = at.iter().position(|(asked, _)| asked.protocol == *protocol);
        let came = at.iter().rposition(|(_, parts)| parts.late.contains(protocol));
        let in_time = at.iter().any(|(_, parts)| parts.answers.contains(protocol));
        !in_time && asked.zip(came).is_some_and(|(asked, came)| asked < came)
    };
    let names: Vec<&str> = Protocol::ALL.into_iter().filter(is_late).map(title).collect();
    (!names.is_empty()).then(|| {
        Finding::wrong(
            "late-answers",
            format!("answers came when they were awaited no more: {}", names.join(", ")),
            "the meter is slower than is waited for, and gasd would drop what it says: set `answer` of the port, \
             `answer = \"3 s\"` for instance; over a network look at its delays as well",
        )
    })
}

fn who(parts: &[(&Asked, Parts)], setting: Setting) -> Option<String> {
    let at = parts.iter().filter(|(asked, _)| asked.setting == setting);
    let mut protocols: Vec<Protocol> = at.flat_map(|(_, parts)| parts.meters()).collect();
    protocols.sort_unstable();
    protocols.dedup();
    let names: Vec<&str> = protocols.into_iter().map(title).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// A protocol's name for people.
#[must_use]
pub const fn title(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Dlt645 => "DL/T 645",
        Protocol::Cjt188 => "CJ/T 188",
        Protocol::Mbus => "M-Bus",
        Protocol::Hart => "HART",
        Protocol::Modbus => "Modbus",
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
