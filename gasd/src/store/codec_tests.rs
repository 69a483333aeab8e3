// SPDX-License-Identifier: MIT OR Apache-2.0

use proptest::prelude::*;

use super::*;

#[test]
fn a_newer_record_is_named_and_not_misread() {
    let mut bytes = Base::default().encode();
    bytes[0] = 9;
    assert_eq!(Base::decode(&bytes), Err(CodecError::Version { record: "total", found: 9, known: 2 }));
}

#[test]
fn the_bytes_of_a_total_stay_as_they_are() {
    let mark = |n| Mark { generation: [n, n + 1], at: n + 2 };
    let earlier = [mark(7), mark(10), mark(13), mark(16)];
    let mut base = Base {
        pulses: 1,
        volume_ul: 2,
        generation: [3, 4],
        kernel_at: 5,
        pulse_volume_ul: 6,
        earlier,
        register: None,
    };
    let words = |version: u8, count: u64| {
        let mut bytes = vec![version];
        (1..=count).for_each(|n: u64| bytes.extend_from_slice(&n.to_le_bytes()));
        bytes
    };
    assert_eq!(base.encode(), words(1, 18), "a meter that counts pulses is written as it always was");
    base.register = Some(RegisterAt { register_ul: 19, t_ns: 20, unix_us: 21, boot: 23 << 64 | 22 });
    assert_eq!(base.encode(), words(2, 23));
    assert_eq!(Base::decode(&words(2, 23)), Ok(base));
}

#[test]
fn a_hold_of_gasd_is_written_as_it_always_was() {
    let hold = Hold {
        cookie: 7,
        owner: "gasd".into(),
        reason: String::new(),
        verdict: None,
        uid: None,
        since_unix_us: 9,
    };
    let bytes = StoredHold { valve: "v".into(), hold, marks: Vec::new() }.encode();
    let mut want = vec![1, 1, 0, 0, 0, b'v', 7, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0];
    want.extend_from_slice(b"gasd");
    want.extend_from_slice(&[0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(bytes, want);
}

proptest! {
    #[test]
    fn verdicts_come_back(id in any::<u64>(), text in ".*", meter in ".*", by in proptest::option::of(".*")) {
        let verdict = VerdictRecord {
            id, meter, kind: "surge".into(), severity: "critical".into(), t_ns: 1, decided_ns: 2, unix_us: 3,
            evidence_json: "{}".into(), text, acknowledged_by: by,
        };
        prop_assert_eq!(VerdictRecord::decode(&verdict.encode()), Ok(verdict));
    }

    #[test]
    fn holds_come_back(cookie in any::<u64>(), owner in ".*", reason in ".*", verdict in any::<Option<u64>>(), uid in any::<Option<u32>>()) {
        let hold = StoredHold { valve: "v".into(), hold: Hold { cookie, owner, reason, verdict, uid, since_unix_us: 9 }, marks: Vec::new() };
        prop_assert_eq!(StoredHold::decode(&hold.encode()), Ok(hold));
    }

    #[test]
    fn audit_entries_come_back(actor in ".*", detail in ".*", t in any::<u64>()) {
        let entry = AuditEntry { time_unix_us: t, boottime_ns: 1, actor, action: "open".into(), object: "v".into(), detail, outcome: "asked".into() };
        prop_assert_eq!(AuditEntry::decode(&entry.encode()), Ok(entry));
    }

    #[test]
    fn any_bytes_are_refused_or_read_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = VerdictRecord::decode(&bytes);
        let _ = StoredHold::decode(&bytes);
        let _ = AuditEntry::decode(&bytes);
        let _ = Position::decode(&bytes);
        if let Ok(base) = Base::decode(&bytes) {
            prop_assert_eq!(base.encode(), bytes);
        }
    }
}
