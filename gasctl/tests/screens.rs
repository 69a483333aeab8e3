// SPDX-License-Identifier: MIT OR Apache-2.0
//! The dashboard's frames at 80x24, compared with what a person looked at and found good.
//! `GASD_UPDATE_SCREENS=1` writes them anew; look at the difference before it is kept.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::path::PathBuf;

use gasctl::output::Style as Meaning;
use gasctl::top::model::{Key, Link, Model, Now};
use gasctl::top::view::draw;
use gasd_proxy::{Hold, Meter, State, Valve, Verdict};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::{Color, Modifier};

const DAY_US: u64 = 1_700_000_000_000_000;

fn state() -> State {
    let mut state = State::default();
    state.service.version = "0.1.0".into();
    state.service.mode = "kernel".into();
    let kitchen = Meter {
        id: "kitchen".into(),
        volume_ul: 554_000_000,
        pulses: 554,
        flow_m3_per_h: Some(4.59),
        slopes_m3_per_h: vec![8.93, 2.9, 1.15],
        thresholds_m3_per_h: vec![5.0, 3.2, 1.8],
        last_pulse_ns: 98_000_000_000,
        edges: 1_209,
        accepted: 554,
        rejected: [("release".to_owned(), 554), ("bounce".to_owned(), 101)].into(),
        health: "ok".into(),
        valve: Some("main".into()),
        ..Meter::default()
    };
    let boiler = Meter {
        id: "boiler".into(),
        health: "the chip of line 17 is gone".into(),
        thresholds_m3_per_h: vec![8.0, 6.0, 4.0],
        slopes_m3_per_h: vec![0.0; 3],
        ..Meter::default()
    };
    state.meters.insert("kitchen".into(), kitchen);
    state.meters.insert("boiler".into(), boiler);
    let hold =
        Hold { owner: "gasd".into(), reason: "surge on kitchen".into(), verdict: Some(8), ..Hold::default() };
    let valve = Valve {
        id: "main".into(),
        position: "closed".into(),
        actuator: "gpio".into(),
        holds: vec![hold],
        health: "ok".into(),
    };
    state.valves.insert("main".into(), valve);
    for (id, severity, kind) in [(7, "info", "transient-flow"), (8, "critical", "surge")] {
        let verdict = Verdict {
            id,
            severity: severity.into(),
            kind: kind.into(),
            meter: "kitchen".into(),
            unix_us: DAY_US,
            text:
                "gas flow rose suddenly: 8.93 m3/h over 1 s (threshold 5), confirmed by 4.59 m3/h over 5 s \
                   (threshold 3.2); close the valve and look at the pipe"
                    .into(),
            ..Verdict::default()
        };
        state.verdicts.insert(id, verdict);
    }
    state
}

fn at(t: f64) -> Now {
    Now { t, boottime_ns: 100_000_000_000, unix_us: DAY_US }
}

/// Nothing known yet, on a machine that shows UTC.
fn fresh(colour: bool) -> Model {
    static UTC: std::sync::Once = std::sync::Once::new();
    // SAFETY: every test gets its model here first and waits for this; nothing reads the environment
    // before.
    UTC.call_once(|| unsafe { std::env::set_var("TZ", "UTC") });
    Model::new(gasctl::top::palette(colour), at(0.0))
}

/// Five minutes of a flow that rises at the end.
fn model(colour: bool) -> Model {
    let mut model = fresh(colour);
    let mut past = state();
    for step in 0..=600_u32 {
        let t = f64::from(step) / 2.0;
        let flow = if t < 280.0 { 0.3 + 0.2 * (t / 40.0).sin() } else { 0.5 + (t - 280.0) * 0.2 };
        past.meters.get_mut("kitchen").unwrap().flow_m3_per_h = Some(flow);
        model.see(past.clone());
        model.tick(at(t));
    }
    model.see(state());
    model.key(Key::Next);
    model
}

fn terminal(model: &Model, width: u16, height: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, model)).unwrap();
    terminal
}

fn text(model: &Model, width: u16, height: u16) -> String {
    let terminal = terminal(model, width, height);
    let buffer = terminal.backend().buffer();
    let row =
        |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned() + "\n";
    (0..height).map(row).collect()
}

fn check(name: &str, model: &Model) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/screens").join(format!("{name}.txt"));
    let now = text(model, 80, 24);
    if std::env::var_os("GASD_UPDATE_SCREENS").is_some() {
        std::fs::write(&file, &now).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == now, "{} differs; now it is\n{now}", file.display());
}

#[test]
fn everything_at_a_glance() {
    check("surge", &model(true));
    assert_eq!(text(&model(true), 80, 24), text(&model(false), 80, 24), "nothing is told by colour alone");
}

#[test]
fn before_the_first_answer() {
    let mut model = fresh(true);
    model.lose("cannot reach the system bus: no such file".into());
    check("waiting", &model);
}

#[test]
fn no_meter_says_how_to_add_one() {
    let mut model = fresh(true);
    let mut state = State::default();
    (state.service.version, state.service.mode) = ("0.1.0".into(), "kernel".into());
    model.see(state);
    check("no-meter", &model);
}

#[test]
fn a_lost_connection_is_told_in_the_first_line() {
    let mut model = model(true);
    model.lose("gasd left the bus; waiting for it to come back".into());
    model.tick(at(312.0));
    assert!(matches!(model.link, Link::Lost(..)));
    check("lost", &model);
}

#[test]
fn questions_lie_over_everything() {
    let mut asked = model(true);
    asked.key(Key::Ack);
    check("ack", &asked);
    let mut asked = model(true);
    asked.key(Key::Close);
    check("close", &asked);
    let mut asked = model(true);
    asked.key(Key::Help);
    check("help", &asked);
}

#[test]
fn uncounted_interrupts_are_told() {
    let mut model = model(true);
    let mut state = state();
    state.service.fall_through = 3;
    model.see(state);
    model.say("verdict 8 acknowledged".into(), Meaning::Good);
    check("fall-through", &model);
}

#[test]
fn without_colour_there_is_none() {
    let terminal = terminal(&model(false), 80, 24);
    let buffer = terminal.backend().buffer();
    let coloured = buffer.content().iter().any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset);
    assert!(!coloured);
    assert!(
        buffer.content().iter().any(|cell| cell.modifier.contains(Modifier::REVERSED)),
        "the chosen meter"
    );
}

#[test]
fn any_size_can_be_drawn() {
    let model = model(true);
    for (width, height) in [(1, 1), (10, 3), (63, 17), (64, 18), (80, 24), (200, 60), (500, 200)] {
        terminal(&model, width, height);
    }
    assert!(text(&model, 60, 10).contains("too small"));
}

#[test]
fn many_meters_and_text_that_could_command_a_terminal() {
    let mut model = model(true);
    let mut state = state();
    for n in 0..64 {
        let meter = Meter { id: format!("m{n:02}\x1b[2J"), health: "ok".into(), ..Meter::default() };
        state.meters.insert(meter.id.clone(), meter);
    }
    model.see(state);
    for _ in 0..70 {
        model.key(Key::Next);
        let shown = text(&model, 80, 24);
        assert!(!shown.contains('\x1b') && shown.contains("> "), "{shown}");
    }
}
