// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a replay writes, to the letter.
#![allow(clippy::unwrap_used, reason = "a test")]

use gasd::config::{Config, parse};
use gasd::replay::household::{self, Household};
use gasd::replay::{self, ReplayError, Summary, UserFilter};
use serde_json::Value;

const MS: u64 = 1_000_000;
const S: u64 = 1_000_000_000;

fn config(meters: &[(&str, u32, &str)]) -> Config {
    let text: String = meters
        .iter()
        .map(|(id, line, volume)| {
            format!("[[meter]]\nid = \"{id}\"\nline = {line}\npulse_volume = \"{volume}\"\n")
        })
        .collect();
    parse("test.toml", &text).unwrap()
}

fn run(config: &Config, trace: &str) -> Result<(Summary, Vec<String>), ReplayError> {
    let mut filter = UserFilter::new(&replay::filters(config));
    let mut out = Vec::new();
    let summary = replay::replay(config, "t.csv", trace.as_bytes(), &mut filter, &mut out)?;
    let text = String::from_utf8(out).unwrap();
    Ok((summary, text.lines().map(str::to_owned).collect()))
}

/// A trace of pulses on `line`, each closed for 100 ms, at the times given in ms.
fn pulses(line: u32, times_ms: impl IntoIterator<Item = u64>) -> String {
    let mut text = "t_ns,line,level\n".to_owned();
    for t in times_ms {
        text += &format!("{},{line},1\n{},{line},0\n", t * MS, (t + 100) * MS);
    }
    text
}

#[test]
fn a_small_trace_gives_this_and_nothing_else() {
    let config = config(&[("kitchen", 4, "10 L")]);
    let trace = "t_ns,line,level\n\
        1000000000,4,1\n1300000000,4,0\n\
        # a spike, and a line that nobody has\n\
        2000000000,4,1\n2005000000,4,0\n2005000000,9,1\n\
        # bounces as it closes, and stays closed\n\
        8000000000,4,1\n8001000000,4,0\n8002000000,4,1\n";
    let (summary, lines) = run(&config, trace).unwrap();
    assert_eq!(
        lines,
        [concat!(
            r#"{"summary":{"rows":8,"start_ns":1000000000,"end_ns":8002000000,"verdicts":0,"#,
            r#""unconfigured_lines":{"9":1},"meters":[{"meter":"kitchen","line":4,"edges":7,"accepted":2,"#,
            r#""recovered":0,"rejected":{"bounce":2,"release":1,"width":2,"idle":0,"interval":0,"level":0,"#,
            r#""contended":0},"storms":0,"resyncs":0,"volume_ul":20000000}]}}"#
        )]
    );
    assert_eq!(summary.unconfigured_lines.rows(), 1);
}

#[test]
fn a_surge_is_told_with_its_evidence() {
    let config = config(&[("kitchen", 4, "1 L"), ("cellar", 5, "1 L")]);
    // 9 m³/h: a litre every 400 ms.
    let (summary, lines) = run(&config, &pulses(4, (0..20).map(|i| 1_000 + 400 * i))).unwrap();
    assert_eq!((summary.meters[0].accepted, summary.meters[1].accepted), (20, 0));
    assert_eq!(summary.verdicts as usize, lines.len() - 1);
    let first: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(first["meter"], "kitchen");
    assert_eq!(first["kind"], "surge");
    assert_eq!(first["severity"], "critical");
    assert_eq!(first["evidence"]["rule"], "suspected-1s-confirmed-5s");
    assert_eq!(first["evidence"]["pulse_volume_ul"], 1_000_000);
    let short = &first["evidence"]["slopes"][0];
    assert_eq!(short["window_s"], 1.0);
    assert_eq!(short["threshold_m3_per_h"], 5.0);
    assert!((short["m3_per_h"].as_f64().unwrap() - 9.0).abs() < 1e-6, "{short}");
    assert!(first["text"].as_str().unwrap().starts_with("Meter kitchen: gas flow rose suddenly"));
    // The pulse that confirmed was known 10 ms after its leading edge.
    assert_eq!(first["decided_ns"].as_u64().unwrap() % (400 * MS), (1_000 % 400 + 10) * MS);
    // Verdicts come in the order of their decisions; what follows the last row is there too.
    let decided: Vec<u64> = lines[..lines.len() - 1]
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["decided_ns"].as_u64().unwrap())
        .collect();
    assert!(decided.is_sorted());
    assert!(lines.len() >= 3, "surge, follow-up and summary: {lines:#?}");
}

#[test]
fn a_storm_of_edges_is_a_verdict() {
    let config = config(&[("kitchen", 4, "10 L")]);
    let mut trace = "t_ns,line,level\n".to_owned();
    for i in 0..1_200 {
        trace += &format!("{},4,{}\n", S + i * 50_000, (i + 1) % 2);
    }
    let (summary, lines) = run(&config, &trace).unwrap();
    assert_eq!((summary.meters[0].storms, summary.meters[0].accepted), (1, 0));
    let verdict: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(verdict["kind"], "edge-storm");
    assert_eq!(verdict["severity"], "warning");
    assert_eq!(verdict["evidence"]["rule"], "storm-limit");
    assert_eq!(verdict["t_ns"], S + 1_000 * 50_000);
}

#[test]
fn two_meters_with_one_line_are_refused_by_name() {
    let config = {
        let mut config = config(&[("kitchen", 4, "10 L"), ("cellar", 5, "10 L")]);
        config.meters[1].source = config.meters[0].source.clone();
        config
    };
    let said = run(&config, "t_ns,line,level\n").unwrap_err().to_string();
    assert_eq!(
        said,
        "meters \"kitchen\" and \"cellar\" both have line 4; a trace has no chips, so give each meter of a \
         replay a line of its own"
    );
}

#[test]
fn a_bad_row_ends_the_replay_with_its_line() {
    let config = config(&[("kitchen", 4, "10 L")]);
    let said = run(&config, "t_ns,line,level\n1,4,1\n2,4,on\n").unwrap_err().to_string();
    assert_eq!(
        said,
        "t.csv:3: \"2,4,on\": level is neither 0 nor 1; expected t_ns,line,level like 1500000000,4,1"
    );
}

#[test]
fn an_empty_trace_has_a_summary() {
    let config = config(&[("kitchen", 4, "10 L")]);
    let (summary, lines) = run(&config, "t_ns,line,level\n").unwrap();
    assert_eq!((summary.rows, lines.len()), (0, 1));
    assert_eq!(summary.meters[0].edges, 0);
}

#[test]
fn times_at_both_ends_of_the_clock_are_played() {
    let config = config(&[("kitchen", 4, "10 L")]);
    let end = u64::MAX;
    let trace = format!("t_ns,line,level\n0,4,1\n{},4,0\n{end},4,1\n{end},7,1\n", end - S);
    let (summary, _) = run(&config, &trace).unwrap();
    assert_eq!(summary.meters[0].edges, 3);
    assert_eq!(summary.meters[0].accepted, 1);
}

/// Two lines in one trace give what each gives alone.
#[test]
fn lines_do_not_disturb_one_another() {
    let both = config(&[("kitchen", 4, "1 L"), ("cellar", 5, "1 L")]);
    let mut rows: Vec<_> = Household::new(4).chain(Household::new(5)).collect();
    rows.sort_by_key(|row| row.t_ns);
    let mut filter = UserFilter::new(&replay::filters(&both));
    let mut out = Vec::new();
    let summary = replay::play(&both, rows.into_iter().map(Ok), &mut filter, &mut out).unwrap();
    let [mut a, mut b] = <[_; 2]>::try_from(summary.meters).unwrap();
    (a.meter, a.line) = (String::new(), None);
    (b.meter, b.line) = (String::new(), None);
    assert_eq!(a, b);
    let text = String::from_utf8(out).unwrap();
    let of = |id: &str| -> Vec<String> {
        let mark = format!("\"meter\":\"{id}\"");
        text.lines()
            .filter(|line| line.contains(&mark) && !line.contains("summary"))
            .map(|line| line.replace(id, "x"))
            .collect()
    };
    assert_eq!(of("kitchen"), of("cellar"));
    assert!(!of("kitchen").is_empty());
}

#[test]
fn the_household_counts_every_litre_and_alarms_for_the_hose_alone() {
    let config = config(&[("house", 4, "1 L")]);
    let mut trace = Vec::new();
    let real = household::write_csv(&mut trace, 4).unwrap();
    assert_eq!(real, Household::new(4).pulses());
    let (summary, lines) = run(&config, std::str::from_utf8(&trace).unwrap()).unwrap();
    let meter = &summary.meters[0];
    println!("{real} pulses, {} rows, {lines:#?}", summary.rows);
    assert_eq!(meter.accepted, real);
    assert_eq!(meter.edges, meter.accepted + meter.rejected.0.iter().sum::<u64>());
    let minutes = (summary.end_ns - summary.start_ns) / (60 * S);
    assert!((20..30).contains(&minutes), "{minutes} minutes");
    let hose = Household::begins_ns("hose off").unwrap();
    let first: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(first["kind"], "surge");
    let decided = first["decided_ns"].as_u64().unwrap();
    assert!(decided > hose && decided < hose + 10 * S, "{} s", (decided - hose) as f64 / 1e9);
}

/// 18 m³/h for half a minute, with a profile.
fn with_profile(profile: &str) -> Vec<(String, String, String)> {
    let text = format!("[[meter]]\nid = \"k\"\nline = 4\npulse_volume = \"1 L\"\nprofile = \"{profile}\"\n");
    let config = parse("t.toml", &text).unwrap();
    let (_, lines) = run(&config, &pulses(4, (0..150).map(|i| 1_000 + 200 * i))).unwrap();
    lines[..lines.len() - 1]
        .iter()
        .map(|line| {
            let verdict: Value = serde_json::from_str(line).unwrap();
            let name = |value: &Value| value.as_str().unwrap().to_owned();
            (name(&verdict["kind"]), name(&verdict["severity"]), name(&verdict["evidence"]["rule"]))
        })
        .collect()
}

#[test]
fn a_profile_decides_what_closes_the_valve() {
    let said =
        |kind: &str, severity: &str, rule: &str| (kind.to_owned(), severity.to_owned(), rule.to_owned());
    let surge = |severity| said("surge", severity, "suspected-1s-confirmed-5s");
    let total = said("overload", "critical", "total-flow");
    // 18 m³/h through a G4: whoever watches the whole flow sees it, the windows by themselves in two.
    for (profile, closes) in [("eu-g4", true), ("published", true), ("jp-micom", false), ("cn-safety", false)]
    {
        let found = with_profile(profile);
        assert!(found.contains(&surge(if closes { "critical" } else { "info" })), "{profile}: {found:?}");
        assert_eq!(found.contains(&total), profile != "published", "{profile}: {found:?}");
    }
}

#[test]
fn a_rule_of_days_is_kept_between_two_rows_of_a_trace() {
    let config = parse(
        "t.toml",
        "[[meter]]\nid = \"k\"\nline = 4\npulse_volume = \"10 L\"\nrules = { silence = \"10 days\" }\n",
    )
    .unwrap();
    let day_ms = 86_400_000;
    let (_, lines) = run(&config, &pulses(4, [1_000, 61_000, 20 * day_ms])).unwrap();
    let verdict: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!((&verdict["kind"], &verdict["severity"]), (&"silent-meter".into(), &"notice".into()));
    let after_s = (verdict["decided_ns"].as_u64().unwrap() - 61 * S) / S;
    assert!((864_000..=864_000 + 1_800).contains(&after_s), "{after_s}");
    assert_eq!(verdict["evidence"]["process"]["unit"], "s");
    assert_eq!(verdict["evidence"]["process"]["threshold"], 864_000.0);
}

#[test]
fn a_trace_may_say_when_it_began() {
    let config = config(&[("kitchen", 4, "1 L")]);
    let trace = pulses(4, (0..20).map(|i| 1_000 + 400 * i));
    let mut verdicts = Vec::new();
    for start_ns in [None, Some(1_795_802_400 * S)] {
        let mut filter = UserFilter::new(&replay::filters(&config));
        let mut out = Vec::new();
        let rows = replay::Trace::new("t.csv", trace.as_bytes());
        replay::play_from(&config, start_ns, rows, &mut filter, &mut out).unwrap();
        verdicts.push(out);
    }
    assert_eq!(verdicts[0], verdicts[1], "in half a minute no hour was learned");
}
