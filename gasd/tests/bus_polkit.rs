// SPDX-License-Identifier: MIT OR Apache-2.0
//! What polkit is asked, and what follows from each of its answers, none included. Needs root.
//!
//! One test only: it names the system bus by an environment variable of the whole process.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;
mod system_bus;

use std::collections::HashMap;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gasd_proxy::{valve_path, verdict_path};
use support::{run, snapshot, verdict};
use system_bus::{CONTROLLER, ROOT, STRANGER, System, User, call, cover, skip};
use zbus::{Connection, OwnedVariant, Variant, interface};

const AUTHORITY: &str = "org.freedesktop.PolicyKit1";
const PATH: &str = "/org/freedesktop/PolicyKit1/Authority";
const DENIED: &str = "org.freedesktop.DBus.Error.AccessDenied";
const PASSWORD: &str = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired";
/// Who may be polkit on this bus: us for the pretended one, its user for the real one.
const POLICY: &str = "<policy user=\"root\"><allow own=\"org.freedesktop.PolicyKit1\"/></policy>\
    <policy context=\"default\"><allow send_destination=\"org.freedesktop.PolicyKit1\"/></policy>";

/// What the pretended polkit answers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Says {
    Yes,
    No,
    Challenge,
    Dismissed,
    Error,
    Nothing,
}

/// What it was asked.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    kind: String,
    name: String,
    details: usize,
    action: String,
    flags: u32,
}

#[derive(Clone)]
struct Pretended {
    says: Arc<Mutex<Says>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    cancelled: Arc<Mutex<Vec<String>>>,
}

type Answer = ((bool, bool, HashMap<String, String>),);

#[interface(name = "org.freedesktop.PolicyKit1.Authority")]
impl Pretended {
    async fn check_authorization(
        &self,
        subject: (String, HashMap<String, OwnedVariant>),
        action: String,
        details: HashMap<String, String>,
        flags: u32,
        _cancellation: String,
    ) -> zbus::fdo::Result<Answer> {
        let name = subject.1.get("name").and_then(|name| String::try_from(name.try_clone().ok()?).ok());
        self.asked.lock().unwrap().push(Asked {
            kind: subject.0,
            name: name.unwrap_or_default(),
            details: subject.1.len() - 1 + details.len(),
            action,
            flags,
        });
        let says = *self.says.lock().unwrap();
        let dismissed = HashMap::from([("polkit.dismissed".to_owned(), "true".to_owned())]);
        match says {
            Says::Yes => Ok(((true, false, HashMap::new()),)),
            Says::No => Ok(((false, false, HashMap::new()),)),
            Says::Challenge => Ok(((false, true, HashMap::new()),)),
            Says::Dismissed => Ok(((false, false, dismissed),)),
            Says::Error => Err(zbus::fdo::Error::Failed("its rules are broken".into())),
            Says::Nothing => std::future::pending().await,
        }
    }

    fn cancel_check_authorization(&self, cancellation: String) {
        self.cancelled.lock().unwrap().push(cancellation);
    }
}

fn none() -> HashMap<&'static str, Variant<'static>> {
    HashMap::new()
}

async fn close(client: &Connection) -> Option<(String, String)> {
    call(client, &valve_path("main"), "io.gasd1.Valve", "Close", &("smell", none())).await
}

fn denied(answer: Option<(String, String)>, words: &str) {
    let (name, text) = answer.expect("it was granted");
    // What a password would help with is known by its name.
    let wants_password = words == "polkit wants a password";
    assert_eq!(name, if wants_password { PASSWORD } else { DENIED }, "{text}");
    for part in ["gasd-control", "io.gasd1.", words] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn polkit_decides_for_those_who_are_in_no_group_and_only_yes_is_yes() {
    let name = "polkit_decides_for_those_who_are_in_no_group_and_only_yes_is_yes";
    let more = format!("{POLICY}<policy user=\"polkitd\"><allow own=\"{AUTHORITY}\"/></policy>");
    let Some(system) = System::start(name, &more) else { return };
    let mut start = snapshot();
    start.verdicts.extend([verdict(3, "warning"), verdict(4, "warning")]);
    let service = system.serve(start);
    let polkit =
        Pretended { says: Arc::new(Mutex::new(Says::Yes)), asked: Arc::default(), cancelled: Arc::default() };

    // Nobody is polkit: the groups work, and nobody else gets in.
    run(async {
        denied(close(&system.client(STRANGER).await).await, "polkit does not run here");
        assert_eq!(close(&system.client(CONTROLLER).await).await, None);
        assert_eq!(close(&system.client(ROOT).await).await, None);
    });
    assert_eq!(service.commands.lock().unwrap().len(), 2);

    run(async {
        let authority = system.client(ROOT).await;
        authority.object_server().at(PATH, polkit.clone()).await.unwrap();
        authority.request_name(AUTHORITY).await.unwrap();
        let stranger = system.client(STRANGER).await;
        let me = stranger.unique_name().unwrap().to_string();
        let says = |what| *polkit.says.lock().unwrap() = what;

        // Each duty has its action, and the subject is the name that the bus gave the caller.
        let main = valve_path("main");
        let other = service.shared.read().unwrap().valves[0].holds[0].cookie;
        let valve = "io.gasd1.Valve";
        assert_eq!(close(&stranger).await, None);
        assert_eq!(call(&stranger, &main, valve, "Hold", &("test", "app", none())).await, None);
        // A hold of somebody else wants the right to open.
        assert_eq!(call(&stranger, &main, valve, "Release", &(other, none())).await, None);
        let verdict_3 = verdict_path(3);
        assert_eq!(call(&stranger, &verdict_3, "io.gasd1.Verdict", "Acknowledge", &(none(),)).await, None);
        let open = call(&stranger, &main, valve, "Open", &(none(),)).await;
        assert_eq!(
            open.map(|e| e.0).as_deref(),
            Some("io.gasd1.Error.Held"),
            "polkit's yes is not the valve's"
        );
        let asked: Vec<Asked> = std::mem::take(&mut *polkit.asked.lock().unwrap());
        let actions: Vec<_> = asked.iter().map(|asked| asked.action.as_str()).collect();
        let (closing, opening) = ("io.gasd1.valve.close", "io.gasd1.valve.open");
        assert_eq!(actions, [closing, closing, opening, "io.gasd1.verdict.acknowledge", opening]);
        for asked in &asked {
            assert_eq!(
                (asked.kind.as_str(), &asked.name, asked.details, asked.flags),
                ("system-bus-name", &me, 0, 0)
            );
        }
        // Its own hold it may take back, whatever polkit thinks.
        says(Says::No);
        let own = service.shared.read().unwrap().valves[0].holds.last().unwrap().cookie;
        assert_eq!(call(&stranger, &main, valve, "Release", &(own, none())).await, None);
        assert_eq!(close(&system.client(CONTROLLER).await).await, None);
        assert!(polkit.asked.lock().unwrap().is_empty(), "nobody asks about those who are in the group");

        // Whatever is not a yes is a no, and says which.
        let carried_out = service.commands.lock().unwrap().len();
        for (answer, words) in [
            (Says::No, "polkit says no"),
            (Says::Challenge, "polkit wants a password"),
            (Says::Dismissed, "dismissed"),
            (Says::Error, "its rules are broken"),
        ] {
            says(answer);
            denied(close(&stranger).await, words);
        }
        // A person is asked only if the caller says so.
        says(Says::Challenge);
        let proxy = gasd_proxy::ValveProxy::new(&stranger, main.clone()).await.unwrap();
        assert!(proxy.close("smell", HashMap::new()).await.is_err());
        assert_eq!(polkit.asked.lock().unwrap().last().unwrap().flags, 1);

        // One that hangs is a no, and meanwhile everybody else is served.
        says(Says::Nothing);
        let hanging = stranger.clone();
        let before = Instant::now();
        let hang = tokio::spawn(async move { close(&hanging).await });
        tokio::time::sleep(Duration::from_millis(200)).await;
        let quick = Instant::now();
        assert_eq!(close(&system.client(CONTROLLER).await).await, None);
        assert!(quick.elapsed() < Duration::from_secs(4), "{:?}", quick.elapsed());
        assert!(!hang.is_finished(), "it waited for the one that hangs");
        denied(hang.await.unwrap(), "polkit did not answer within 5 s");
        assert!(before.elapsed() < Duration::from_secs(15), "{:?}", before.elapsed());
        // Questions that pile up are refused at once.
        let asks: Vec<_> = (0..3)
            .map(|_| {
                let stranger = stranger.clone();
                tokio::spawn(async move { close(&stranger).await })
            })
            .collect();
        let mut texts = Vec::new();
        for ask in asks {
            texts.push(ask.await.unwrap().unwrap().1);
        }
        assert_eq!(texts.iter().filter(|text| text.contains("too many questions")).count(), 1, "{texts:?}");
        assert!(!polkit.cancelled.lock().unwrap().is_empty(), "a question nobody waits for is taken back");
        let own = service.commands.lock().unwrap().len();
        assert_eq!(own, carried_out + 1, "only the controller's reached the pipeline");
        authority.release_name(AUTHORITY).await.unwrap();
    });
    the_real_one(&system, name);
}

/// The same with Debian's polkit, the shipped actions and a rule of the gateway's own.
fn the_real_one(system: &System, name: &str) {
    let program = "/usr/lib/polkit-1/polkitd";
    let user =
        std::fs::read_to_string("/etc/passwd").unwrap().lines().any(|line| line.starts_with("polkitd:"));
    if !std::path::Path::new(program).exists() || !user {
        skip(name, "polkitd is not installed; its part was not tried");
        return;
    }
    let (actions, rules) = (system.folder.path().join("actions"), system.folder.path().join("rules"));
    std::fs::create_dir(&actions).unwrap();
    std::fs::create_dir(&rules).unwrap();
    let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/../dbus/io.gasd1.policy");
    std::fs::copy(policy, actions.join("io.gasd1.policy")).unwrap();
    let rule = format!(
        "polkit.addRule(function(action, subject) {{ if (action.id == \"io.gasd1.verdict.acknowledge\" && \
         subject.user == \"{}\") return polkit.Result.YES; }});",
        STRANGER.name
    );
    std::fs::write(rules.join("10-test.rules"), rule).unwrap();
    cover(&actions, "/usr/share/polkit-1/actions").unwrap();
    cover(&rules, "/etc/polkit-1/rules.d").unwrap();
    let mut polkitd = Polkitd(
        Command::new(program)
            .arg("--no-debug")
            .env("DBUS_SYSTEM_BUS_ADDRESS", system.bus.address())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    run(async {
        let bus = zbus::fdo::DBusProxy::new(&system.client(ROOT).await).await.unwrap();
        let start = Instant::now();
        while !bus.name_has_owner(AUTHORITY.try_into().unwrap()).await.unwrap() {
            assert!(start.elapsed() < support::SOON, "polkitd did not come up");
            assert!(polkitd.0.try_wait().unwrap().is_none(), "polkitd ended");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let stranger = system.client(STRANGER).await;
        // Not from a seat: closing wants a password, opening an administrator's.
        denied(close(&stranger).await, "polkit wants a password");
        let open = call(&stranger, &valve_path("main"), "io.gasd1.Valve", "Open", &(none(),)).await;
        denied(open, "polkit wants a password");
        // The rule lets this user acknowledge: the question was allowed, the answer was yes.
        let done = call(&stranger, &verdict_path(4), "io.gasd1.Verdict", "Acknowledge", &(none(),)).await;
        assert_eq!(done, None);
        let other = User { name: "games", uid: 5, group: None };
        let refused = close(&system.client(other).await).await;
        denied(refused, "polkit wants a password");
    });
}

struct Polkitd(Child);

impl Drop for Polkitd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
