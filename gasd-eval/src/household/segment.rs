// SPDX-License-Identifier: MIT OR Apache-2.0
//! A stretch of one appliance's flow, and how stretches give way to each other.

/// Flow of one appliance over a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// From, ns of the stream.
    pub start_ns: u64,
    /// To, exclusive.
    pub end_ns: u64,
    /// Flow, µL/h. 10⁹ are 1 m³/h.
    pub ul_per_h: i64,
    /// Which appliance of the home.
    pub appliance: u8,
}

/// Sorts by appliance and start and ends each stretch where the appliance's next one begins: nobody
/// cooks twice on one burner. Empty stretches go.
pub fn settle(segments: &mut Vec<Segment>) {
    segments.retain(|s| s.end_ns > s.start_ns);
    segments.sort_by_key(|s| (s.appliance, s.start_ns, s.end_ns));
    for i in 1..segments.len() {
        if segments[i - 1].appliance == segments[i].appliance {
            segments[i - 1].end_ns = segments[i - 1].end_ns.min(segments[i].start_ns);
        }
    }
    segments.retain(|s| s.end_ns > s.start_ns && s.ul_per_h > 0);
}

/// Takes the time `[from, to)` out of `segments`, for one appliance or for all.
pub fn carve(segments: &mut Vec<Segment>, appliance: Option<u8>, from_ns: u64, to_ns: u64) {
    let mut rest = Vec::new();
    for s in segments.iter_mut() {
        if appliance.is_some_and(|a| a != s.appliance) || s.end_ns <= from_ns || s.start_ns >= to_ns {
            continue;
        }
        if s.end_ns > to_ns {
            rest.push(Segment { start_ns: to_ns, ..*s });
        }
        s.end_ns = from_ns.max(s.start_ns);
    }
    segments.append(&mut rest);
    segments.retain(|s| s.end_ns > s.start_ns);
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(start_ns: u64, end_ns: u64, appliance: u8) -> Segment {
        Segment { start_ns, end_ns, ul_per_h: 5, appliance }
    }

    #[test]
    fn stretches_of_one_appliance_do_not_overlap() {
        let mut all = vec![s(5, 20, 1), s(0, 10, 1), s(3, 8, 2), s(7, 7, 2)];
        settle(&mut all);
        assert_eq!(all, [s(0, 5, 1), s(5, 20, 1), s(3, 8, 2)]);
    }

    #[test]
    fn carving_leaves_both_ends() {
        let mut all = vec![s(0, 10, 1), s(0, 10, 2), s(4, 5, 1)];
        carve(&mut all, Some(1), 3, 6);
        assert_eq!(all, [s(0, 3, 1), s(0, 10, 2), s(6, 10, 1)]);
    }
}
