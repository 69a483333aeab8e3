// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a method call fails, with the D-Bus error name that a client acts on and the text that a
//! person acts on.

use gasd_proxy::CONTROL_GROUP;
use zbus::message::Header;
use zbus::names::ErrorName;
use zbus::{DBusError, Message};

use super::guard::Duty;
use super::polkit::Denied;
use crate::feed::FeedError;
use crate::state::CommandError;
use crate::stream::SubscribeError;

/// Why a method call fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// The pipeline refused.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The caller may not.
    #[error(
        "{who} may not {what}: ask root, or become a member of the group {group} (`adduser USER {group}`, then log in anew)"
    )]
    NotInGroup {
        /// The caller.
        who: String,
        /// The action.
        what: &'static str,
        /// The group.
        group: &'static str,
    },
    /// The caller may not, and polkit does not let it.
    #[error(
        "{who} may not {}: become a member of the group {CONTROL_GROUP} (`adduser USER {CONTROL_GROUP}`, then log in anew), or let polkit grant {}; now {why}",
        duty.what(),
        duty.action()
    )]
    NotAllowed {
        /// The caller.
        who: String,
        /// What it wants.
        duty: Duty,
        /// What polkit says.
        why: Denied,
    },
    /// The caller may not, on a bus where no group counts.
    #[error("{who} may not {what}: on this bus only the user that gasd runs as (uid {own}) and root may")]
    NotOwner {
        /// The caller.
        who: String,
        /// The action.
        what: &'static str,
        /// Our uid.
        own: u32,
    },
    /// Only root may.
    #[error("{who} may not simulate: only root may")]
    NotRoot {
        /// The caller.
        who: String,
    },
    /// An argument that cannot be used.
    #[error("{0}; nothing was done")]
    WrongValue(String),
    /// The bus did not say who the caller is.
    #[error("the bus does not say who is calling ({0}), so nothing was done")]
    UnknownCaller(String),
    /// An option that this version does not know.
    #[error("option \"{0}\" is not known to gasd {version}; nothing was done", version = env!("CARGO_PKG_VERSION"))]
    UnknownOption(String),
    /// An option of the wrong type, or out of bounds.
    #[error("option \"{name}\" has a wrong value, expected {expected}; nothing was done")]
    WrongOption {
        /// The option.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// More than anybody needs.
    #[error("the arguments are {0} bytes long; at most {1} are read")]
    LongCall(u32, u32),
    /// Not the name of an application.
    #[error(
        "\"{0}\" is no application's id: expected 1 to 64 of A-Z a-z 0-9 . _ -, and neither \"gasd\" nor \"operator\""
    )]
    AppId(String),
    /// No subscription.
    #[error(transparent)]
    Subscribe(#[from] SubscribeError),
    /// No feed.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// No live page.
    #[error("there is no live page: {0}; the event stream has the totals")]
    NoPage(String),
    /// Nothing can be looked for.
    #[error("{0}; nothing was asked")]
    NoScan(String),
    /// The record cannot be read.
    #[error("the record cannot be read: {0}")]
    Record(String),
    /// No such verdict, acknowledged or not.
    #[error("no verdict has the number {0}; `gasctl status` and `gasctl audit` name them")]
    NoVerdict(u64),
    /// An argument out of bounds.
    #[error("the reason is {0} bytes long; at most {max} are kept", max = super::valve::REASON_MAX)]
    LongReason(usize),
    /// The pipeline has its hands full.
    #[error("gasd has too many requests waiting; nothing was done, try again in a second")]
    Busy,
    /// The pipeline took the command and has not answered.
    #[error(
        "no answer from the control loop within {0} s; the command may still be carried out, `gasctl status` shows what happened"
    )]
    NoAnswer(u64),
}

impl Refusal {
    /// The D-Bus error name. Names are never reused for another meaning.
    fn error_name(&self) -> &'static str {
        match self {
            Refusal::Command(
                CommandError::NoSuchValve(_)
                | CommandError::NoSuchVerdict(_)
                | CommandError::NoSuchHold { .. }
                | CommandError::NoSuchMeter(_),
            )
            | Refusal::NoVerdict(_) => "io.gasd1.Error.NotFound",
            Refusal::Command(CommandError::NotConfigured(_)) => "io.gasd1.Error.NotConfigured",
            Refusal::Command(CommandError::Simulation(_)) => "io.gasd1.Error.Simulation",
            Refusal::Command(CommandError::Unacknowledged { .. } | CommandError::VerdictWaits { .. }) => {
                "io.gasd1.Error.Unacknowledged"
            }
            Refusal::Command(CommandError::Held { .. } | CommandError::HeldAsAnother { .. }) => {
                "io.gasd1.Error.Held"
            }
            Refusal::Command(CommandError::Actuator { .. }) => "io.gasd1.Error.Actuator",
            Refusal::Command(CommandError::Overtaken { .. }) => "io.gasd1.Error.Overtaken",
            Refusal::Command(CommandError::Configuration(_)) => "io.gasd1.Error.Configuration",
            Refusal::Command(CommandError::NeedsRestart(_)) => "io.gasd1.Error.NeedsRestart",
            Refusal::Command(CommandError::NotReleasable { .. }) => "io.gasd1.Error.NotReleasable",
            Refusal::Command(CommandError::Store(_) | CommandError::NotKept { .. }) | Refusal::Record(_) => {
                "io.gasd1.Error.Store"
            }
            Refusal::Command(CommandError::Stopping) => "io.gasd1.Error.Stopping",
            // A password would help: the name by which clients of systemd's services know that, too.
            Refusal::NotAllowed { why: Denied::Challenge, .. } => {
                "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
            }
            Refusal::NotInGroup { .. }
            | Refusal::NotAllowed { .. }
            | Refusal::NotOwner { .. }
            | Refusal::NotRoot { .. }
            | Refusal::UnknownCaller(_) => "org.freedesktop.DBus.Error.AccessDenied",
            Refusal::UnknownOption(_)
            | Refusal::WrongOption { .. }
            | Refusal::WrongValue(_)
            | Refusal::LongCall(..)
            | Refusal::LongReason(_)
            | Refusal::AppId(_)
            | Refusal::Feed(FeedError::NoMeter | FeedError::Unknown(_) | FeedError::NotFed(_))
            | Refusal::Subscribe(SubscribeError::Wish(_)) => "org.freedesktop.DBus.Error.InvalidArgs",
            Refusal::NoPage(_) => "io.gasd1.Error.NoPage",
            Refusal::NoScan(_) => "io.gasd1.Error.NoScan",
            Refusal::Busy
            | Refusal::Subscribe(_)
            | Refusal::Feed(_)
            | Refusal::Command(CommandError::TooManyHolds { .. }) => {
                "org.freedesktop.DBus.Error.LimitsExceeded"
            }
            Refusal::NoAnswer(_) => "org.freedesktop.DBus.Error.TimedOut",
        }
    }
}

impl DBusError for Refusal {
    fn create_reply(&self, call: &Header<'_>) -> zbus::Result<Message> {
        Message::error(call, self.name()).build(&self.to_string())
    }

    fn name(&self) -> ErrorName<'_> {
        ErrorName::from_static_str_unchecked(self.error_name())
    }

    /// The text is made from the fields, so there is none to lend; the reply carries it.
    fn description(&self) -> Option<&str> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_valid_error_name() {
        let valve = || "main".to_owned();
        let all = [
            Refusal::Command(CommandError::NoSuchValve(valve())),
            Refusal::Command(CommandError::NoSuchVerdict(1)),
            Refusal::Command(CommandError::NotConfigured(valve())),
            Refusal::Command(CommandError::VerdictWaits { cookie: 1, verdict: 2 }),
            Refusal::Command(CommandError::Held {
                valve: valve(),
                owner: valve(),
                reason: valve(),
                cookie: 1,
            }),
            Refusal::Command(CommandError::HeldAsAnother {
                valve: valve(),
                left: valve().into(),
                gone: valve().into(),
                owner: valve(),
                reason: valve(),
                cookie: 1,
            }),
            Refusal::Command(CommandError::NoSuchHold { valve: valve(), cookie: 1 }),
            Refusal::Command(CommandError::NotReleasable { valve: valve(), cookie: 1, owner: valve() }),
            Refusal::Command(CommandError::TooManyHolds { valve: valve(), uid: 1, most: 8 }),
            Refusal::Command(CommandError::Actuator { valve: valve(), why: valve() }),
            Refusal::Command(CommandError::Overtaken {
                valve: valve(),
                asked: "closed",
                told: "open",
                by: valve(),
            }),
            Refusal::Command(CommandError::Store(valve())),
            Refusal::Command(CommandError::Stopping),
            Refusal::NotInGroup { who: valve(), what: "x", group: "gasd-control" },
            Refusal::NotAllowed { who: valve(), duty: Duty::Open, why: Denied::Absent },
            Refusal::NotAllowed { who: valve(), duty: Duty::Open, why: Denied::Challenge },
            Refusal::UnknownOption(valve()),
            Refusal::NotRoot { who: valve() },
            Refusal::WrongValue(valve()),
            Refusal::Command(CommandError::NoSuchMeter(valve())),
            Refusal::Command(CommandError::Simulation(valve())),
            Refusal::WrongOption { name: "Last", expected: "a number" },
            Refusal::LongCall(99_999, 16_384),
            Refusal::AppId(valve()),
            Refusal::Subscribe(SubscribeError::TooMany),
            Refusal::Feed(FeedError::NotFed(valve())),
            Refusal::Feed(FeedError::TooMany),
            Refusal::NoPage(valve()),
            Refusal::Record(valve()),
            Refusal::NoVerdict(1),
            Refusal::Busy,
            Refusal::NoAnswer(20),
        ];
        for refusal in all {
            assert!(ErrorName::try_from(refusal.error_name()).is_ok(), "{refusal:?}");
            assert!(!refusal.to_string().is_empty());
        }
    }

    #[test]
    fn a_denial_names_the_group_and_the_action() {
        let denial =
            Refusal::NotAllowed { who: "uid 33 (:1.9)".into(), duty: Duty::Open, why: Denied::Challenge };
        let text = denial.to_string();
        for part in ["uid 33 (:1.9) may not open valves", "gasd-control", "io.gasd1.valve.open", "password"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn only_what_a_password_would_help_with_has_the_name_for_it() {
        let name = |why| Refusal::NotAllowed { who: String::new(), duty: Duty::Close, why }.error_name();
        assert_eq!(name(Denied::Challenge), "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired");
        for why in [Denied::No, Denied::Dismissed, Denied::Absent, Denied::Silent(5), Denied::Busy] {
            assert_eq!(name(why), "org.freedesktop.DBus.Error.AccessDenied");
        }
    }
}
