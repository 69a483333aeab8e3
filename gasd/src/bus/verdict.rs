// SPDX-License-Identifier: MIT OR Apache-2.0
//! `io.gasd1.Verdict`, one object a verdict that nobody acknowledged. Nothing in it ever changes.

use std::collections::HashMap;

use zbus::message::Header;
use zbus::{Connection, OwnedVariant, Variant, interface};

use super::call::{Desk, Options, no_other_options, option};
use super::caller::Caller;
use super::guard::Duty;
use super::refusal::Refusal;
use crate::state::{Command, Feedback, VerdictRecord};

/// What the option `Feedback` may be.
const FEEDBACK: &str = "\"false-alarm\" or \"real-leak\"";

/// A verdict.
pub(super) struct Verdict {
    pub(super) record: VerdictRecord,
    pub(super) desk: Desk,
}

/// The properties as the Manager's `VerdictAdded` carries them.
pub(super) fn properties(record: &VerdictRecord) -> HashMap<&'static str, Variant<'_>> {
    HashMap::from([
        ("Id", Variant::from(record.id)),
        ("Meter", Variant::from(record.meter.as_str())),
        ("Kind", Variant::from(record.kind.as_str())),
        ("Severity", Variant::from(record.severity.as_str())),
        ("Start", Variant::from(record.t_ns)),
        ("Decided", Variant::from(record.decided_ns)),
        ("UnixMicroseconds", Variant::from(record.unix_us)),
        ("Evidence", Variant::from(record.evidence_json.as_str())),
        ("Text", Variant::from(record.text.as_str())),
        ("Simulated", Variant::from(record.simulated())),
    ])
}

/// The same of a verdict that may have been acknowledged, and by whom.
pub(super) fn owned(record: &VerdictRecord) -> zbus::Result<HashMap<String, OwnedVariant>> {
    let mut all = properties(record);
    all.extend(record.acknowledged_by.as_deref().map(|by| ("AcknowledgedBy", Variant::from(by))));
    all.into_iter().map(|(name, value)| Ok((name.to_owned(), OwnedVariant::try_from(value)?))).collect()
}

#[interface(name = "io.gasd1.Verdict", introspection_docs = false)]
impl Verdict {
    async fn acknowledge(
        &self,
        #[zbus(connection)] connection: &Connection,
        #[zbus(header)] header: Header<'_>,
        options: Options,
    ) -> Result<(), Refusal> {
        let verdict = self.record.id;
        let _ticket = self.desk.guard.admit(&header)?;
        no_other_options(&options, &["Feedback"])?;
        let feedback = option::<String>(&options, "Feedback", FEEDBACK)?
            .map(|name| {
                let wrong = Refusal::WrongOption { name: "Feedback", expected: FEEDBACK };
                Feedback::named(&name).ok_or(wrong)
            })
            .transpose()?;
        let command = |caller: &Caller| Command::Acknowledge { verdict, feedback, caller: caller.name() };
        self.desk.submit_checked(connection, &header, Duty::Acknowledge, command).await.map(drop)
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn id(&self) -> u64 {
        self.record.id
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn meter(&self) -> &str {
        &self.record.meter
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn kind(&self) -> &str {
        &self.record.kind
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn severity(&self) -> &str {
        &self.record.severity
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn start(&self) -> u64 {
        self.record.t_ns
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn decided(&self) -> u64 {
        self.record.decided_ns
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn unix_microseconds(&self) -> u64 {
        self.record.unix_us
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn evidence(&self) -> &str {
        &self.record.evidence_json
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn text(&self) -> &str {
        &self.record.text
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn simulated(&self) -> bool {
        self.record.simulated()
    }
}
