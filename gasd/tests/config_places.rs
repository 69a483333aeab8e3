// SPDX-License-Identifier: MIT OR Apache-2.0
//! One device or socket on two ports, in whatever spelling and by whatever link, and a breaker's pauses.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use gasd::config::{Config, Errors, Origin, Source, parse, parse_with};

fn serial(id: &str, device: &str) -> String {
    format!("[[port]]\nid = \"{id}\"\nserial = {{ device = \"{device}\", baud = 2400 }}\n")
}

fn tcp(id: &str, address: &str) -> String {
    format!("[[port]]\nid = \"{id}\"\ntcp = {{ address = \"{address}\", baud = 2400 }}\n")
}

#[track_caller]
fn refused(text: &str) -> String {
    parse("gasd.toml", text).unwrap_err().to_string()
}

#[test]
fn a_device_in_another_spelling_is_one_device() {
    for other in ["/dev//ttyUSB0", "/dev/./ttyUSB0", "/dev/ttyUSB0/"] {
        let text = serial("a", "/dev/ttyUSB0") + &serial("b", other);
        assert_eq!(
            refused(&text),
            format!(
                "gasd.toml:6:21: serial.device: \"{other}\": is of port \"b\" and the same device as \"/dev/ttyUSB0\" of \
                 port \"a\", on line 3; put the meters of both on one port, or correct one of the two"
            )
        );
    }
    // A receiver has a device, too.
    let radio = "[[port]]\nid = \"b\"\nwmbus = { device = \"/dev//ttyUSB0\" }\n";
    assert!(refused(&(serial("a", "/dev/ttyUSB0") + radio)).contains("the same device as"));
    let alike = refused(&(serial("a", "/dev/ttyUSB0") + &serial("b", "/dev/ttyUSB0")));
    assert!(alike.contains("/dev/ttyUSB0 is taken already by port \"a\", on line 3"), "{alike}");
    parse("gasd.toml", &(serial("a", "/dev/ttyUSB0") + &serial("b", "/dev/ttyUSB1"))).unwrap();
}

#[test]
fn a_server_in_another_spelling_is_one_server() {
    for (one, other) in [
        ("meters.example:4001", "Meters.Example.:04001"),
        ("[::1]:4001", "[0:0:0:0:0:0:0:1]:4001"),
        ("192.0.2.7:4001", "[::ffff:192.0.2.7]:4001"),
    ] {
        let text = refused(&(tcp("a", one) + &tcp("b", other)));
        let words =
            format!("is of port \"b\" and the same socket as \"{one}\" of port \"a\", on line 3; put");
        assert!(text.contains(&words), "{text}");
    }
    let alike = refused(&(tcp("a", "192.0.2.7:4001") + &tcp("b", "192.0.2.7:4001")));
    assert!(alike.contains("is taken already by port \"a\""), "{alike}");
    parse("gasd.toml", &(tcp("a", "192.0.2.7:4001") + &tcp("b", "192.0.2.7:4002"))).unwrap();
}

#[test]
fn what_is_no_server_is_refused_before_it_is_looked_for() {
    for text in
        ["tcp://host:4001", "host:4001/", "::1:4001", "[::1:4001", "host", "host:0", ":4001", "ho st:4001"]
    {
        let error = refused(&tcp("a", text));
        assert!(error.contains("is no host with a port"), "{text}: {error}");
    }
    for text in ["[fe80::1]:4001", "[fe80::1%eth0]:4001", "host-7.example:4001", "192.0.2.7:4001"] {
        parse("gasd.toml", &tcp("a", text)).unwrap();
    }
}

#[test]
fn what_links_lead_to_is_asked_and_not_guessed() {
    let text = serial("a", "/dev/ttyUSB0") + &serial("b", "/dev/serial/by-id/usb-x");
    let sources = [Source { name: "gasd.toml".into(), text: text.clone() }];
    let leads = |to: Option<&'static str>| {
        let by_id = Path::new("/dev/serial/by-id/usb-x");
        parse_with(&sources, &|path| if path == by_id { to.map(PathBuf::from) } else { Some(path.into()) })
    };
    let error = leads(Some("/dev/ttyUSB0")).unwrap_err().to_string();
    assert!(error.contains("as both lead to /dev/ttyUSB0 now"), "{error}");
    leads(Some("/dev/ttyUSB1")).unwrap();
    leads(None).unwrap();
    parse("gasd.toml", &text).unwrap();
}

/// A directory with a device of two names.
struct Here(tempfile::TempDir);

impl Here {
    fn new() -> Self {
        let here = Self(tempfile::tempdir().unwrap());
        fs::write(here.at("ttyUSB0"), "").unwrap();
        fs::create_dir(here.at("by-id")).unwrap();
        symlink("../ttyUSB0", here.at("by-id/usb-x")).unwrap();
        symlink("../ttyUSB9", here.at("by-id/usb-gone")).unwrap();
        here
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn configure(&self, names: [&str; 2]) -> Result<Config, Errors> {
        let device = |name: &str| self.at(name).display().to_string();
        let text = serial("wire", &device(names[0])) + &serial("other", &device(names[1]));
        fs::write(self.at("gasd.toml"), text).unwrap();
        Origin::Path(self.at("gasd.toml")).load()
    }
}

#[test]
fn a_link_to_a_device_of_another_port_is_refused_while_it_is_plugged_in() {
    let here = Here::new();
    for names in [["ttyUSB0", "by-id/usb-x"], ["by-id/usb-x", "ttyUSB0"], ["ttyUSB0", "by-id/../ttyUSB0"]] {
        let error = here.configure(names).unwrap_err().to_string();
        for words in [
            format!("{}:6:21: serial.device: \"", here.at("gasd.toml").display()),
            "is of port \"other\" and the same device as".to_owned(),
            format!("\"{}\" of port \"wire\", on line 3, as both lead to", here.at(names[0]).display()),
        ] {
            assert!(error.contains(&words), "{words}: {error}");
        }
    }
    for names in [["ttyUSB0", "by-id/usb-gone"], ["by-id/usb-gone", "by-id/usb-x"]] {
        here.configure(names).unwrap();
    }
    here.configure(["by-id/usb-gone", "ttyUSB9"]).unwrap();

    let _ = here.configure(["ttyUSB0", "by-id/usb-x"]);
    let check = || {
        let gasd = Command::new(env!("CARGO_BIN_EXE_gasd"))
            .args(["check-config", "--config"])
            .arg(here.at("gasd.toml"))
            .output()
            .unwrap();
        (gasd.status.code(), String::from_utf8(gasd.stderr).unwrap())
    };
    let (code, said) = check();
    assert!(code == Some(2) && said.contains("as both lead to"), "{code:?} {said}");
    fs::remove_file(here.at("ttyUSB0")).unwrap();
    let (code, said) = check();
    assert_eq!(code, Some(0), "it is unplugged: {said}");
}

#[test]
fn a_breaker_that_is_shorter_at_the_longest_than_at_first_is_refused() {
    let port = |breaker: &str| serial("a", "/dev/ttyUSB0") + &format!("breaker = {{ {breaker} }}\n");
    assert_eq!(
        refused(&port("open = \"1 min\", longest = \"30 s\"")),
        "gasd.toml:4:39: breaker.longest: \"30 s\": is below `open`, 60 s, which is how long a meter is left alone the first \
         time (expected at least that)"
    );
    let default = refused(&port("longest = \"10 s\""));
    assert!(default.contains("is below `open`, 30 s, its default,"), "{default}");
    for good in [
        "open = \"1 min\", longest = \"1 min\"",
        "open = \"1 min\"",
        "open = \"10 s\", longest = \"20 s\"",
        "longest = \"1 h\"",
    ] {
        let config = parse("gasd.toml", &port(good)).unwrap();
        let breaker = config.ports[0].breaker;
        assert!(breaker.longest_ns >= breaker.open_ns, "{good}");
    }
    // Both problems are told in one go.
    let both = refused(&port("open = \"1 d\", longest = \"1 ms\""));
    assert_eq!(both.lines().count(), 1, "{both}");
    let both = refused(&port("open = \"1 ms\", longest = \"1 ms\""));
    assert_eq!(both.lines().count(), 2, "{both}");
}
