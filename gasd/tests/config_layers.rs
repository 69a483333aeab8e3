// SPDX-License-Identifier: MIT OR Apache-2.0
//! One configuration of several files: what wins, what is put together, and whose problem it is.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use gasd::config::{Config, Errors, NO_METER, Origin, parse_all, source::layers};
use serde_json::Value;

/// A vendor's directory and this gateway's.
struct Gateway {
    dir: tempfile::TempDir,
}

impl Gateway {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for layer in ["usr", "etc"] {
            fs::create_dir_all(dir.path().join(layer).join("conf.d")).unwrap();
        }
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> &Self {
        fs::write(self.path(name), text).unwrap();
        self
    }

    fn read(&self) -> Result<Config, Errors> {
        let (usr, etc) = (self.path("usr"), self.path("etc"));
        parse_all(&layers(&[&usr, &etc])?)
    }

    fn good(&self) -> Config {
        self.read().unwrap_or_else(|errors| panic!("{errors}"))
    }

    /// The files that were read, without the directory they all have.
    fn files(&self) -> Vec<String> {
        self.good().files.iter().map(|file| self.short(file)).collect()
    }

    fn problems(&self) -> Vec<String> {
        self.read().unwrap_err().to_string().lines().map(|line| self.short(line)).collect()
    }

    fn short(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.dir.path().display()), "")
    }
}

fn meter(id: &str, line: u32, more: &str) -> String {
    format!("[[meter]]\nid = \"{id}\"\nline = {line}\npulse_volume = \"10 L\"\n{more}\n")
}

const VALVE: &str = "[[valve]]\nid = \"main\"\nactuator = \"simulated\"\n";

#[test]
fn nothing_at_all_is_a_configuration_without_a_meter() {
    let gateway = Gateway::new();
    let config = gateway.good();
    assert_eq!((config.meters.len(), config.files.len()), (0, 0));
    assert_eq!(config.warnings, [NO_METER]);
    // Not even the directories.
    let nowhere = gateway.path("nowhere");
    assert_eq!(layers(&[&nowhere]).unwrap(), []);
}

#[test]
fn the_order_is_the_layers_files_then_all_drop_ins_by_name() {
    let gateway = Gateway::new();
    gateway
        .write("usr/gasd.toml", "")
        .write("etc/gasd.toml", "")
        .write("usr/conf.d/50-vendor.toml", "")
        .write("etc/conf.d/10-first.toml", "")
        .write("etc/conf.d/90-last.toml", "")
        .write("etc/conf.d/notes.txt", "no TOML at all")
        .write("etc/conf.d/.hidden.toml", "no TOML at all")
        .write("etc/conf.d/20-old.toml.dpkg-old", "no TOML at all");
    assert_eq!(
        gateway.files(),
        [
            "usr/gasd.toml",
            "etc/gasd.toml",
            "etc/conf.d/10-first.toml",
            "usr/conf.d/50-vendor.toml",
            "etc/conf.d/90-last.toml"
        ]
    );
}

#[test]
fn a_drop_in_hides_the_vendors_of_the_same_name_and_dev_null_hides_it_for_good() {
    let gateway = Gateway::new();
    gateway.write("usr/conf.d/50-persist.toml", "store.persist = \"1 s\"");
    assert_eq!(gateway.good().persist_ns, 1_000_000_000);
    gateway.write("etc/conf.d/50-persist.toml", "store.persist = \"2 s\"");
    assert_eq!(gateway.files(), ["etc/conf.d/50-persist.toml"]);
    assert_eq!(gateway.good().persist_ns, 2_000_000_000);
    fs::remove_file(gateway.path("etc/conf.d/50-persist.toml")).unwrap();
    symlink("/dev/null", gateway.path("etc/conf.d/50-persist.toml")).unwrap();
    assert_eq!(gateway.files(), Vec::<String>::new());
    assert_eq!(gateway.good().persist_ns, 10_000_000_000);
}

#[test]
fn meters_and_valves_are_collected_and_a_later_one_of_the_same_id_replaces_the_whole_table() {
    let gateway = Gateway::new();
    gateway
        .write("usr/gasd.toml", VALVE)
        .write("etc/gasd.toml", &meter("kitchen", 1, "max_flow = \"4 m3/h\"\nvalve = \"main\""))
        .write("etc/conf.d/boiler.toml", &meter("boiler", 2, "valve = \"main\""));
    let config = gateway.good();
    let ids: Vec<_> = config.meters.iter().map(|meter| meter.id.as_str()).collect();
    assert_eq!((ids, config.valves.len()), (vec!["kitchen", "boiler"], 1));
    assert_eq!(config.meters[1].valve, Some(0), "a drop-in's meter finds the vendor's valve");
    assert_eq!(config.warnings, Vec::<String>::new());

    // The whole table: neither the largest flow nor the valve of the first one is left.
    gateway.write("etc/conf.d/kitchen.toml", &meter("kitchen", 1, ""));
    let config = gateway.good();
    assert_eq!(config.meters.len(), 2);
    let kitchen = config.meters.iter().find(|meter| meter.id == "kitchen").unwrap();
    assert_eq!((kitchen.max_flow_ul_per_h, kitchen.valve), (6_000_000_000, None));
    assert_eq!(config.warnings.len(), 1, "{:?}", config.warnings);
    assert!(config.warnings[0].contains("conf.d/kitchen.toml:1:1: meter \"kitchen\": has no valve"));
}

#[test]
fn what_is_replaced_gives_no_advice_and_takes_no_line() {
    let gateway = Gateway::new();
    gateway
        .write("usr/gasd.toml", &meter("kitchen", 1, ""))
        .write("etc/gasd.toml", &format!("{}{VALVE}", meter("kitchen", 1, "valve = \"main\"")));
    assert_eq!(gateway.good().warnings, Vec::<String>::new());
}

#[test]
fn single_keys_are_put_together() {
    let gateway = Gateway::new();
    gateway
        .write("usr/gasd.toml", "[store]\npath = \"/srv/a.redb\"\npersist = \"1 s\"\n")
        .write("etc/gasd.toml", "[store]\npersist = \"2 s\"\n[kernel]\npins = \"/run/x\"\n")
        .write("etc/conf.d/a.toml", "[kernel]\n");
    let config = gateway.good();
    assert_eq!(config.store, Path::new("/srv/a.redb"));
    assert_eq!(config.persist_ns, 2_000_000_000);
    assert_eq!(config.pins, Path::new("/run/x"));
}

#[test]
fn every_problem_names_its_own_file_line_value_and_what_was_expected() {
    let gateway = Gateway::new();
    gateway
        .write("usr/gasd.toml", "[store]\npersist = \"1 sec\"\n")
        .write("etc/gasd.toml", &meter("kitchen", 1, "valve = \"mian\""))
        .write("etc/conf.d/10.toml", &format!("{VALVE}colour = 1\n"))
        .write("etc/conf.d/20.toml", &meter("boiler", 1, ""))
        .write("etc/conf.d/30.toml", "\n[[meter]]\nid = \"x\"\nline = 3\n");
    assert_eq!(
        gateway.problems(),
        [
            "usr/gasd.toml:2:11: store.persist: \"1 sec\": unknown unit `sec`; did you mean `s`? \
             (expected a duration like \"20 ms\")",
            "etc/gasd.toml:5:9: valve: \"mian\": no valve is called so; did you mean `main`?",
            "etc/conf.d/10.toml:4:1: valve \"main\": unknown key `colour`; known are `id`, `actuator`",
            "etc/conf.d/20.toml:3:8: line: line 1 is taken already by meter \"kitchen\", on line 3 of \
             etc/gasd.toml",
            "etc/conf.d/30.toml:2:1: meter \"x\": the key `pulse_volume` is missing (expected the volume \
             of one pulse, like \"10 L\" or \"100 imp/m3\")",
        ]
    );
}

#[test]
fn what_is_replaced_must_be_right_all_the_same() {
    let gateway = Gateway::new();
    gateway
        .write("usr/gasd.toml", "[store]\npath = \"var\"\n[[meter]]\nid = \"a\"\nline = 1\n")
        .write("etc/gasd.toml", &format!("[store]\npath = \"/var/a\"\n{}", meter("a", 1, "")));
    let problems = gateway.problems();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].starts_with("usr/gasd.toml:2:8: store.path: \"var\": is no absolute path"));
    assert!(problems[1].starts_with("usr/gasd.toml:3:1: meter \"a\": the key `pulse_volume` is missing"));
}

#[test]
fn the_same_id_twice_in_one_file_is_a_mistake() {
    let gateway = Gateway::new();
    gateway.write("etc/gasd.toml", &format!("{}{}", meter("a", 1, ""), meter("a", 2, "")));
    let expected = "etc/gasd.toml:7:6: id: \"a\": another meter is called so already, on line 2";
    assert_eq!(gateway.problems(), [expected]);
}

#[test]
fn files_that_cannot_be_read_are_all_named() {
    let gateway = Gateway::new();
    gateway.write("etc/conf.d/10.toml", "# \u{e9}");
    fs::write(gateway.path("etc/gasd.toml"), b"# \xff").unwrap();
    fs::create_dir(gateway.path("etc/conf.d/20.toml")).unwrap();
    assert_eq!(
        gateway.problems(),
        ["etc/gasd.toml: is not UTF-8 text from byte 2 on", "etc/conf.d/20.toml: is no regular file"]
    );
}

#[test]
fn a_file_that_is_named_is_read_alone_and_a_directory_is_a_layer() {
    let gateway = Gateway::new();
    gateway
        .write("etc/gasd.toml", &meter("kitchen", 1, ""))
        .write("etc/conf.d/boiler.toml", &meter("boiler", 2, ""));
    let meters = |path: &str| Origin::Path(gateway.path(path)).load().unwrap().meters.len();
    assert_eq!((meters("etc/gasd.toml"), meters("etc"), meters("usr")), (1, 2, 0));
    let missing = Origin::Path(gateway.path("etc/gsad.toml")).load().unwrap_err();
    assert!(missing.to_string().contains("there is no such file"), "{missing}");
}

fn check(path: &Path, json: bool) -> (Option<i32>, String, String) {
    check_with(path, if json { &["--json"] } else { &[] })
}

fn check_with(path: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gasd"));
    command.arg("check-config").arg("--config").arg(path).args(more);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn check_config_says_what_it_read_and_what_it_found() {
    let gateway = Gateway::new();
    let etc = gateway.path("etc");
    let (code, out, err) = check(&etc, false);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.ends_with("no configuration file is there\n0 meters, 0 valves, no errors\n"), "{out}");
    assert!(err.contains("gasctl setup"), "{err}");

    let gpio = "[[meter]]\nid = \"kitchen\"\ngpio = { chip = \"gpiochip0\", line = 4 }\npulse_volume = \"10 L\"\n\
                valve = \"main\"\n";
    gateway.write("etc/gasd.toml", &format!("{gpio}{VALVE}"));
    let (code, out, err) = check(&etc, false);
    let read = format!("read {}\nmeter \"kitchen\": profile eu-g4\n", etc.join("gasd.toml").display());
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.starts_with(&read) && out.ends_with("\n1 meter, 1 valve, no errors\n"), "{out}");
    assert!(
        out.contains("\n  total_flow       1.8\n") && out.contains("\n  never_zero       30 days\n"),
        "{out}"
    );

    let own = format!("{gpio}profile = \"jp-micom\"\nrules = {{ never_zero = \"14 days\" }}\n{VALVE}");
    gateway.write("etc/gasd.toml", &own);
    let (_, out, _) = check(&etc, false);
    assert!(out.contains("\n  never_zero       14 days  (the profile's: 30 days)\n"), "{out}");
    assert!(out.contains("\n  seismic          200 gal\n"), "{out}");
    let (_, out, _) = check(&etc, true);
    let object: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(object["rules"]["kitchen"]["profile"], "jp-micom");
    assert_eq!(object["rules"]["kitchen"]["rules"]["never_zero"], "14 days");

    gateway.write("etc/conf.d/bad.toml", "[[meter]]\nid = \"x\"\nline = -1\npulse_volume = 3\n");
    let (code, _, err) = check(&etc, false);
    assert_eq!(code, Some(2));
    assert!(err.contains("conf.d/bad.toml:3:8: line: -1:"), "{err}");

    let (code, out, _) = check(&etc, true);
    let said: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &said["ok"]), (Some(2), &Value::Bool(false)));
    assert_eq!(said["files"].as_array().unwrap().len(), 2);
    let problems = said["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 2, "{said}");
    assert_eq!(
        (&problems[0]["line"], &problems[0]["column"], &problems[0]["key"]),
        (&3.into(), &8.into(), &"line".into())
    );
    assert!(problems[0]["file"].as_str().unwrap().ends_with("conf.d/bad.toml"));
    assert!(problems[1]["message"].as_str().unwrap().contains("the unit is missing"), "{said}");
}

#[test]
fn check_config_says_what_only_the_live_service_refuses() {
    let gateway = Gateway::new();
    gateway.write("etc/gasd.toml", &meter("trace", 1, ""));
    let file = gateway.path("etc/gasd.toml");
    let (code, _, err) = check(&file, false);
    assert_eq!(code, Some(2));
    assert!(err.contains("meter \"trace\": gpio: line 1 has no GPIO chip"), "{err}");
    let (code, out, err) = check_with(&file, &["--replay"]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(!err.contains("no GPIO chip"), "{err}");
}
