// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every member of every interface, tried by users with different rights on a system bus with the
//! shipped policy. What is tried comes from `dbus/*.xml`, what is expected from `dbus/io.gasd1.conf`. Needs root.
//!
//! One test only: it names the system bus by an environment variable of the whole process.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;
mod system_bus;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use futures_util::StreamExt;
use gasd::state::Change;
use gasd_proxy::{NAME, ROOT as TREE, meter_path, port_path, valve_path, verdict_path};
use support::{run, snapshot, verdict};
use system_bus::{CONTROLLER, READER, STRANGER, System, User, call};
use zbus::{MatchRule, MessageStream, Variant};

const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// The tags of an XML text with their attributes, comments left out.
fn tags(xml: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let mut text = String::new();
    let mut rest = xml;
    while let Some((before, comment)) = rest.split_once("<!--") {
        text += before;
        rest = comment.split_once("-->").unwrap().1;
    }
    text += rest;
    let tag = |tag: &str| {
        let tag = tag.split('>').next().unwrap();
        let name = tag.split([' ', '/']).next().unwrap().to_owned();
        let mut attributes = BTreeMap::new();
        let mut rest = tag;
        while let Some((key, value)) = rest.split_once("=\"") {
            let key = key.rsplit(' ').next().unwrap().to_owned();
            let (value, tail) = value.split_once('"').unwrap();
            attributes.insert(key, value.to_owned());
            rest = tail;
        }
        (name, attributes)
    };
    text.split('<').skip(1).filter(|tag| !tag.starts_with(['/', '?', '!'])).map(tag).collect()
}

/// A rule of the bus policy: whose, and which calls.
struct Rule {
    of: (String, String),
    allow: bool,
    only: BTreeMap<String, String>,
}

fn policy() -> Vec<Rule> {
    let mut of = (String::new(), String::new());
    let mut rules = Vec::new();
    for (tag, only) in tags(&std::fs::read_to_string(system_bus::POLICY).unwrap()) {
        match tag.as_str() {
            "policy" => of = only.into_iter().next().unwrap(),
            "allow" | "deny" => rules.push(Rule { of: of.clone(), allow: tag == "allow", only }),
            other => assert_eq!(other, "busconfig"),
        }
    }
    rules
}

/// Whether the bus lets a user's call through, and whether it does so for anybody.
fn passes(rules: &[Rule], user: User, interface: &str, member: &str) -> (bool, bool) {
    let matches = |rule: &&Rule| {
        let is = |key: &str, value: &str| rule.only.get(key).is_none_or(|only| only == value);
        rule.only.get("send_destination").is_some_and(|to| to == NAME)
            && is("send_interface", interface)
            && is("send_member", member)
    };
    let verdict = |of: &dyn Fn(&(String, String)) -> bool| {
        rules.iter().filter(|rule| of(&rule.of)).rfind(matches).map(|rule| rule.allow)
    };
    let default = verdict(&|of| of.0 == "context" && of.1 == "default").unwrap_or(false);
    let group = verdict(&|of| of.0 == "group" && user.group.is_some_and(|(name, _)| of.1 == name));
    let own = verdict(&|of| of.0 == "user" && of.1 == user.name);
    (own.or(group).unwrap_or(default), default)
}

/// Something to try.
#[derive(Debug)]
enum Try {
    /// A method with arguments of these types.
    Method(String),
    Get,
    Set,
}

/// Interface, member, and how to try it.
fn members() -> Vec<(String, String, Try)> {
    let mut members = Vec::new();
    for name in ["Manager", "Meter", "Port", "Valve", "Verdict", "Simulation"] {
        let file = format!("{}/../dbus/io.gasd1.{name}.xml", env!("CARGO_MANIFEST_DIR"));
        let mut interface = String::new();
        for (tag, attributes) in tags(&std::fs::read_to_string(file).unwrap()) {
            let get = |key: &str| attributes.get(key).cloned().unwrap_or_default();
            match tag.as_str() {
                "interface" => interface = get("name"),
                "method" => members.push((interface.clone(), get("name"), Try::Method(String::new()))),
                "arg" if get("direction") == "in" => {
                    let Some((_, _, Try::Method(signature))) = members.last_mut() else { panic!() };
                    signature.push_str(&get("type"));
                }
                "property" => {
                    members.push((interface.clone(), get("name"), Try::Get));
                    members.push((interface.clone(), get("name"), Try::Set));
                }
                _ => {}
            }
        }
    }
    members
}

async fn attempt(
    client: &zbus::Connection,
    interface: &str,
    member: &str,
    how: &Try,
) -> Option<(String, String)> {
    let path = match interface {
        "io.gasd1.Manager" => TREE.to_owned(),
        "io.gasd1.Meter" => meter_path("kitchen"),
        "io.gasd1.Port" => port_path("rs485"),
        "io.gasd1.Valve" => valve_path("main"),
        "io.gasd1.Verdict" => verdict_path(3),
        "io.gasd1.Simulation" => format!("{TREE}/simulation"),
        other => panic!("{other} has no path here"),
    };
    let none: HashMap<&str, Variant<'_>> = HashMap::new();
    match how {
        Try::Get => call(client, &path, PROPERTIES, "Get", &(interface, member)).await,
        Try::Set => call(client, &path, PROPERTIES, "Set", &(interface, member, Variant::from(1u32))).await,
        Try::Method(signature) => match signature.as_str() {
            "a{sv}" => call(client, &path, interface, member, &(none,)).await,
            "sa{sv}" => call(client, &path, interface, member, &("a reason", none)).await,
            "ssa{sv}" => call(client, &path, interface, member, &("a reason", "an-app", none)).await,
            "ta{sv}" => call(client, &path, interface, member, &(7u64, none)).await,
            other => panic!("{interface}.{member} takes {other}: teach this test to make it"),
        },
    }
}

#[test]
fn each_user_may_what_the_policy_says_and_nothing_else() {
    let Some(system) = System::start("each_user_may_what_the_policy_says_and_nothing_else", "") else {
        return;
    };
    let mut start = snapshot();
    start.verdicts.push(verdict(3, "warning"));
    let service = system.serve(start);
    let (rules, members) = (policy(), members());
    let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    run(async {
        for user in [STRANGER, READER, CONTROLLER] {
            let client = system.client(user).await;
            for (interface, member, how) in &members {
                let (through, open_to_all) = match how {
                    Try::Method(_) => passes(&rules, user, interface, member),
                    Try::Get => passes(&rules, user, PROPERTIES, "Get"),
                    Try::Set => passes(&rules, user, PROPERTIES, "Set"),
                };
                // What the bus lets anybody ask for, gasd grants to those who control.
                let expected = match (through, open_to_all) {
                    (false, _) => "denied by the bus",
                    (true, true) if user != CONTROLLER => "denied by gasd",
                    (true, _) => "granted",
                };
                let answer = attempt(&client, interface, member, how).await;
                let denied =
                    answer.as_ref().filter(|(name, _)| name == "org.freedesktop.DBus.Error.AccessDenied");
                let found = match denied {
                    None => "granted",
                    Some((_, text)) if text.starts_with("Rejected send message") => "denied by the bus",
                    Some((_, text)) => {
                        assert!(text.contains("gasd-control") && text.contains("io.gasd1."), "{text}");
                        assert!(text.contains(&format!("uid {}", user.uid)), "{text}");
                        "denied by gasd"
                    }
                };
                assert_eq!(found, expected, "{} {interface}.{member} {how:?}: {answer:?}", user.name);
                seen.entry(found).or_default().insert(member);
            }
        }
    });
    // The rules speak of members that exist, each method is in a rule, and all three answers were seen.
    let methods: BTreeSet<_> =
        members.iter().filter(|m| matches!(m.2, Try::Method(_))).map(|m| m.1.as_str()).collect();
    let ruled: BTreeSet<_> = rules
        .iter()
        .filter(|rule| rule.only.get("send_interface").is_some_and(|name| name.starts_with("io.gasd1")))
        .map(|rule| rule.only["send_member"].as_str())
        .collect();
    let unruled: Vec<_> = methods.difference(&ruled).copied().collect();
    assert_eq!(unruled, ["Start", "Stop"], "simulations are root's alone");
    assert!(ruled.is_subset(&methods), "{ruled:?}");
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(members.len() > 60, "{}", members.len());
    let commands = service.commands.lock().unwrap().clone();
    eprintln!("{} tries by three users; {} commands reached the pipeline", members.len() * 3, commands.len());
    let by_controller = format!("uid {} (", CONTROLLER.uid);
    assert!(commands.iter().all(|command| format!("{command:?}").contains(&by_controller)), "{commands:?}");

    run(async {
        let mut streams = Vec::new();
        for user in [STRANGER, READER] {
            let client = system.client(user).await;
            let rule = MatchRule::builder().msg_type(zbus::message::Type::Signal).path_namespace(TREE);
            streams.push(MessageStream::for_match_rule(rule.build().unwrap(), &client, None).await.unwrap());
        }
        service.change(Change::Meter(0), |snapshot| snapshot.meters[0].pulses += 1);
        tokio::time::timeout(support::SOON, streams[1].next()).await.expect("a reader hears of it");
        let heard = tokio::time::timeout(Duration::from_millis(500), streams[0].next()).await;
        assert!(heard.is_err(), "a stranger heard {heard:?}");
    });
}
