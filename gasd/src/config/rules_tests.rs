// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used, reason = "a test may")]

use gasd_detect::{Profile, Windows};

use super::*;
use crate::config::{MeterConfig, parse};

fn text(more: &str) -> String {
    format!("[[meter]]\nid = \"kitchen\"\nline = 1\npulse_volume = \"10 L\"\n{more}\n")
}

fn meter(more: &str) -> MeterConfig {
    parse("t.toml", &text(more)).unwrap().meters.remove(0)
}

fn refused(more: &str) -> String {
    parse("t.toml", &text(more)).unwrap_err().to_string()
}

#[test]
fn without_a_word_it_is_the_european_profile() {
    let meter = meter("");
    assert_eq!((meter.profile, meter.rules), (Profile::EuG4, Profile::EuG4.rules()));
}

#[test]
fn each_profile_has_its_rules_and_another_name_its_nearest() {
    for profile in Profile::ALL {
        let read = meter(&format!("profile = \"{}\"", profile.name()));
        assert_eq!((read.profile, read.rules), (profile, profile.rules()));
    }
    let why = refused("profile = \"eu-g5\"");
    assert_eq!(why, "t.toml:5:11: profile: \"eu-g5\": unknown word; did you mean `eu-g4`?");
}

#[test]
fn single_numbers_are_put_over_the_profile() {
    let rules = meter(
        "profile = \"jp-micom\"\n[meter.rules]\nwindows = \"always\"\ntotal_flow = 2\nincrease = \"off\"\n\
         never_zero = \"14 days\"\nrestore_check = \"3 min\"\nlow_pressure = \"5 mbar\"\nseismic = \"2.5 m/s2\"\n\
         alarm_link = \"off\"\nsilence = \"60 d\"\nlearns = true\nuse_time_closes = false\nwhile_closed = false\n\
         use_time = [{ up_to = \"0.5 m3/h\", lasts = \"12 h\" }, { lasts = \"3 h\" }]",
    )
    .rules;
    assert_eq!(rules.windows, Windows::Always);
    assert_eq!((rules.total_flow_times, rules.increase_times), (2.0, 0.0));
    assert_eq!((rules.never_zero_days, rules.silence_days), (14.0, 60.0));
    assert_eq!((rules.restore_check_s, rules.alarm_link_s), (180.0, f32::INFINITY));
    assert_eq!((rules.low_pressure_kpa, rules.seismic_gal), (0.5, 250.0));
    assert!(rules.learns && !rules.use_time_closes && !rules.while_closed);
    assert_eq!(
        [0.1, 0.5, 0.6, 50.0].map(|flow| rules.use_time(flow)),
        [43_200.0, 43_200.0, 10_800.0, 10_800.0]
    );
}

#[test]
fn a_sudden_increase_is_a_factor_what_was_learned_or_off() {
    let increase = |value: &str| meter(&format!("rules = {{ increase = {value} }}")).rules.increase_times;
    let read = ["1.4", "\"1.4\"", "\"learned\"", "\"off\""].map(increase);
    assert_eq!(read, [1.4, 1.4, f32::INFINITY, 0.0]);
    let shown = |profile: Profile| shown(&profile.rules()).into_iter().find(|(key, _)| *key == "increase");
    let words = Profile::ALL.map(|profile| shown(profile).unwrap().1);
    assert_eq!(words, ["learned", "1.4", "off", "off"]);
}

#[test]
fn what_is_shown_can_be_read_again() {
    for profile in Profile::ALL {
        let rules = profile.rules();
        let lines: Vec<String> = shown(&rules)
            .into_iter()
            .filter(|(key, value)| *key != "use_time" || value == "off")
            .map(|(key, value)| match value.as_str() {
                "true" | "false" => format!("{key} = {value}"),
                _ => format!("{key} = \"{value}\""),
            })
            .collect();
        let read = meter(&format!("profile = \"eu-g4\"\n[meter.rules]\n{}", lines.join("\n"))).rules;
        assert_eq!(Rules { use_time: rules.use_time, ..read }, rules, "{profile:?}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_the_limits() {
    for (rule, why) in [
        ("total_flow = 0.5", "rules.total_flow: 0.5: 0.5 is outside 1 to 10"),
        ("increase = \"learnt\"", "(expected a factor of max_flow like \"1.4\", \"learned\", or \"off\")"),
        ("never_zero = \"2 min\"", "rules.never_zero: \"2 min\": 2 min is outside 1 day to 365 days"),
        ("seismic = \"5 gal\"", "rules.seismic: \"5 gal\": 5 gal is outside 10 gal to 1000 gal"),
        ("low_pressure = \"1 bar\"", "1 bar\": 100 kPa is outside 0.05 kPa to 50 kPa"),
        ("learns = \"yes\"", "rules.learns: \"yes\": is a string (expected true or false)"),
        ("never_zeros = \"14 days\"", "unknown key `never_zeros`; did you mean `never_zero`?"),
        ("windows = \"nevr\"", "unknown word; did you mean `never`?"),
        ("alarm_link = \"40\"", "the unit is missing"),
        ("use_time = []", "rules.use_time: has 0 bands (expected 1 to 6)"),
        ("use_time = [{ up_to = \"1 m3/h\" }]", "the key `lasts` is missing"),
        ("use_time = [{ lasts = \"1 h\" }, { lasts = \"1 h\" }]", "the key `up_to` is missing"),
        (
            "use_time = [{ up_to = \"1 m3/h\", lasts = \"2 h\" }, { up_to = \"0.5 m3/h\", lasts = \"1 h\" }]",
            "a band's flow must be more than that of the band before",
        ),
        (
            "use_time = [{ up_to = \"1 m3/h\", lasts = \"2 h\" }, { lasts = \"3 h\" }]",
            "a band's time must be no longer than that of the band before",
        ),
    ] {
        let said = refused(&format!("rules = {{ {rule} }}"));
        assert!(said.contains(why), "{rule}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn differences_are_told_in_the_words_of_the_configuration() {
    let (old, new) =
        (Profile::EuG4.rules(), meter("rules = { never_zero = \"14 days\", seismic = \"200 gal\" }").rules);
    let told = differences(&old, &new);
    assert_eq!(
        told,
        [
            ("never_zero", "30 days".to_owned(), "14 days".to_owned()),
            ("seismic", "off".to_owned(), "200 gal".to_owned()),
        ]
    );
}
