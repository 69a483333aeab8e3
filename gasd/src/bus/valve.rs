// SPDX-License-Identifier: MIT OR Apache-2.0
//! `io.gasd1.Valve`, one object a valve.

use std::collections::HashMap;

use gasd_abi::records::meter_key;
use zbus::message::Header;
use zbus::{Connection, Variant, interface};

use super::call::{Desk, Options, no_other_options, option};
use super::caller::Caller;
use super::guard::Duty;
use super::look;
use super::refusal::Refusal;
use crate::response::valves::{GASD, OPERATOR};
use crate::state::{Answer, Command, CommandError, Hold, Release, Shared, ValveState};

/// Longest reason that is kept, bytes.
pub(super) const REASON_MAX: usize = 512;

/// Longest id of an application, bytes.
const APP_ID_MAX: usize = 64;

/// A valve, by its index in the snapshot.
pub(super) struct Valve {
    pub(super) shared: Shared,
    pub(super) index: usize,
    pub(super) desk: Desk,
}

impl Valve {
    fn get<T: Default>(&self, read: impl FnOnce(&ValveState) -> T) -> T {
        look(&self.shared).valves.get(self.index).map(read).unwrap_or_default()
    }
}

/// A reason as it is kept: it ends up in logs and on terminals, so no control characters.
fn tidy(reason: &str) -> Result<String, Refusal> {
    if reason.len() > REASON_MAX {
        return Err(Refusal::LongReason(reason.len()));
    }
    let tidy = reason.replace(char::is_control, " ").trim().to_owned();
    Ok(if tidy.is_empty() { "no reason given".to_owned() } else { tidy })
}

/// An application's id: it becomes an owner, so it must not pass for one of ours.
fn app_id(id: String) -> Result<String, Refusal> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let good = (1..=APP_ID_MAX).contains(&id.len()) && id.chars().all(plain) && id != GASD && id != OPERATOR;
    if good { Ok(id) } else { Err(Refusal::AppId(id.chars().take(APP_ID_MAX).collect())) }
}

fn hold(hold: &Hold) -> HashMap<&'static str, Variant<'static>> {
    let mut map = HashMap::from([
        ("Cookie", Variant::from(hold.cookie)),
        ("Owner", Variant::from(hold.owner.clone())),
        ("Reason", Variant::from(hold.reason.clone())),
        ("Since", Variant::from(hold.since_unix_us)),
    ]);
    if let Some(uid) = hold.uid {
        map.insert("Uid", Variant::from(uid));
    }
    if let Some(verdict) = hold.verdict {
        map.insert("Verdict", Variant::from(verdict));
    }
    map
}

#[interface(name = "io.gasd1.Valve", introspection_docs = false)]
impl Valve {
    async fn close(
        &self,
        #[zbus(connection)] connection: &Connection,
        #[zbus(header)] header: Header<'_>,
        reason: String,
        options: Options,
    ) -> Result<(), Refusal> {
        let (valve, reason) = (self.get(|v| v.id.clone()), tidy(&reason)?);
        let command = |caller: &Caller| Command::Close { valve, reason, caller: caller.name() };
        self.desk.submit(connection, &header, &options, Duty::Close, command).await.map(drop)
    }

    async fn open(
        &self,
        #[zbus(connection)] connection: &Connection,
        #[zbus(header)] header: Header<'_>,
        options: Options,
    ) -> Result<(), Refusal> {
        let _ticket = self.desk.guard.admit(&header)?;
        no_other_options(&options, &["Reason"])?;
        let reason: Option<String> = option(&options, "Reason", "words (s), at most 512 bytes")?;
        let reason = reason.map(|reason| tidy(&reason)).transpose()?.unwrap_or_default();
        let valve = self.get(|v| v.id.clone());
        let command = |caller: &Caller| Command::Open { valve, reason, caller: caller.name() };
        self.desk.submit_checked(connection, &header, Duty::Open, command).await.map(drop)
    }

    #[zbus(out_args("cookie"))]
    async fn hold(
        &self,
        #[zbus(connection)] connection: &Connection,
        #[zbus(header)] header: Header<'_>,
        reason: String,
        app_id: String,
        options: Options,
    ) -> Result<u64, Refusal> {
        let (valve, reason, app) = (self.get(|v| v.id.clone()), tidy(&reason)?, self::app_id(app_id)?);
        let command =
            |caller: &Caller| Command::Hold { valve, app, reason, uid: caller.uid, caller: caller.name() };
        match self.desk.submit(connection, &header, &options, Duty::Close, command).await? {
            Answer::Cookie(cookie) => Ok(cookie),
            Answer::Done => Err(CommandError::Stopping.into()),
        }
    }

    async fn release(
        &self,
        #[zbus(connection)] connection: &Connection,
        #[zbus(header)] header: Header<'_>,
        cookie: u64,
        options: Options,
    ) -> Result<(), Refusal> {
        let _ticket = self.desk.guard.admit(&header)?;
        no_other_options(&options, &[])?;
        let caller = self.desk.guard.identify(connection, &header).await?;
        let own = self.get(|v| v.holds.iter().any(|h| h.cookie == cookie && h.uid == Some(caller.uid)));
        let of = if own {
            // Whoever placed it may take it back, also when it may not place another any more.
            Release::Own(caller.uid)
        } else {
            self.desk.guard.check(connection, &header, &caller, Duty::Open).await?;
            Release::Any
        };
        let (valve, caller) = (self.get(|v| v.id.clone()), caller.name());
        self.desk.hand_over(Command::Release { valve, cookie, of, caller }).await.map(drop)
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn id(&self) -> String {
        self.get(|v| v.id.clone())
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn key(&self) -> u64 {
        self.get(|v| meter_key(&v.id))
    }

    #[zbus(property)]
    fn position(&self) -> &'static str {
        look(&self.shared).valves.get(self.index).map_or("unknown", |v| v.position.name())
    }

    #[zbus(property)]
    fn actuator(&self) -> String {
        self.get(|v| v.actuator.clone())
    }

    #[zbus(property)]
    fn holds(&self) -> Vec<HashMap<&'static str, Variant<'static>>> {
        self.get(|v| v.holds.iter().map(hold).collect())
    }

    #[zbus(property)]
    fn health(&self) -> String {
        self.get(|v| v.health.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_kept_without_control_characters() {
        assert_eq!(tidy("  smell of gas\x1b[2J\n"), Ok("smell of gas [2J".to_owned()));
        assert_eq!(tidy("\t"), Ok("no reason given".to_owned()));
        assert_eq!(tidy(&"x".repeat(513)), Err(Refusal::LongReason(513)));
    }

    #[test]
    fn an_application_cannot_pass_for_gasd_or_the_operator() {
        for good in ["vendor", "com.example.Heating-2", "x_1", &"a".repeat(64)] {
            assert_eq!(app_id(good.to_owned()), Ok(good.to_owned()));
        }
        for bad in ["", "gasd", "operator", "a b", "a\n", "Gaszähler", "a/b", &"a".repeat(65)] {
            assert!(matches!(app_id(bad.to_owned()), Err(Refusal::AppId(_))), "{bad:?}");
        }
    }
}
