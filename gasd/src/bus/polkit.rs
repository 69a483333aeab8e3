// SPDX-License-Identifier: MIT OR Apache-2.0
//! Asks polkit whether a caller may do something. Whatever is not a plain yes is a no.
//!
//! The subject is the bus name that the bus wrote into the message (`system-bus-name`), and never a
//! process or user number: a process can be replaced between the call and the question, and
//! bus names are never used twice. polkit finds out itself whose the name is.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::timeout;
use zbus::names::UniqueName;
use zbus::{Connection, DBusError, Error, Variant, fdo};

const SERVICE: &str = "org.freedesktop.PolicyKit1";
const PATH: &str = "/org/freedesktop/PolicyKit1/Authority";
const INTERFACE: &str = "org.freedesktop.PolicyKit1.Authority";

/// How long polkit may think when nobody is asked anything.
const THINKS: Duration = Duration::from_secs(5);
/// How long a person may take to type a password.
pub(super) const TYPES: Duration = Duration::from_secs(60);

/// Why polkit's answer is no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    /// There is none.
    Absent,
    /// The bus does not let us ask it.
    OutOfReach,
    /// It says no.
    No,
    /// It would ask for a password, and the call did not allow that, or nobody is there to ask.
    Challenge,
    /// The person said no.
    Dismissed,
    /// It did not answer.
    Silent(u64),
    /// Too many questions are open already.
    Busy,
    /// Anything else.
    Failed(String),
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Denied::Absent => f.write_str("polkit does not run here"),
            Denied::OutOfReach => f.write_str("the bus does not let gasd ask polkit"),
            Denied::No => f.write_str("polkit says no"),
            Denied::Challenge => f.write_str("polkit wants a password, and there was no way to ask for one"),
            Denied::Dismissed => f.write_str("the question for a password was dismissed"),
            Denied::Silent(seconds) => write!(f, "polkit did not answer within {seconds} s"),
            Denied::Busy => f.write_str("too many questions to polkit are open"),
            Denied::Failed(why) => write!(f, "polkit failed: {why}"),
        }
    }
}

/// Asks whether the sender of a message may do what `action` names. `interactive`: a person may be
/// asked for a password.
pub(super) async fn ask(
    connection: &Connection,
    sender: &UniqueName<'_>,
    action: &str,
    interactive: bool,
) -> Result<(), Denied> {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let cancellation = format!("gasd-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let subject = ("system-bus-name", HashMap::from([("name", Variant::from(sender.as_str()))]));
    // Details would only be for words in the question; polkit takes them from trusted callers only.
    let details: HashMap<&str, &str> = HashMap::new();
    let body = (subject, action, details, u32::from(interactive), cancellation.as_str());
    let call = connection.call_method(Some(SERVICE), PATH, Some(INTERFACE), "CheckAuthorization", &body);
    let patience = if interactive { TYPES } else { THINKS };
    let reply = match timeout(patience, call).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(error)) => return Err(refused(error)),
        Err(_) => {
            cancel(connection.clone(), cancellation);
            return Err(Denied::Silent(patience.as_secs()));
        }
    };
    let answer = reply.body();
    match answer.deserialize::<(bool, bool, HashMap<String, String>)>() {
        Ok((true, _, _)) => Ok(()),
        Ok((false, _, details)) if details.contains_key("polkit.dismissed") => Err(Denied::Dismissed),
        Ok((false, true, _)) => Err(Denied::Challenge),
        Ok((false, false, _)) => Err(Denied::No),
        Err(error) => Err(Denied::Failed(error.to_string())),
    }
}

fn refused(error: Error) -> Denied {
    match error {
        Error::FDO(error) => match *error {
            fdo::Error::ServiceUnknown(_)
            | fdo::Error::NameHasNoOwner(_)
            | fdo::Error::SpawnServiceNotFound(_) => Denied::Absent,
            fdo::Error::AccessDenied(_) => Denied::OutOfReach,
            other => Denied::Failed(other.description().unwrap_or("no reason given").to_owned()),
        },
        other => Denied::Failed(other.to_string()),
    }
}

/// Lets polkit close a question that nobody waits for any more.
fn cancel(connection: Connection, cancellation: String) {
    tokio::spawn(async move {
        let body = cancellation.as_str();
        let call =
            connection.call_method(Some(SERVICE), PATH, Some(INTERFACE), "CancelCheckAuthorization", &body);
        // One that hangs does not answer this either.
        let _ = timeout(THINKS, call).await;
    });
}
