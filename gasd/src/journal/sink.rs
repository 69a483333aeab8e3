// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where notes go: to journald with their fields when standard error is connected to it, else as
//! plain lines to standard error.
//!
//! `tracing` has five levels and the journal eight priorities, of which gasd uses five. They are mapped
//! one to one, so `ERROR` is `crit` here and `TRACE` is `info`; nothing but this file knows.

use std::{env, fmt, io, os::unix::fs::MetadataExt as _};

use tracing::{Event, Level, Subscriber, field::Visit};
use tracing_journald::PriorityMappings;
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt as _, registry};

use super::{
    Note,
    what::{Priority, What},
};

/// Chooses, once. What is said before goes nowhere.
pub(super) fn open() {
    let journald = if is_journald() { journald().ok() } else { None };
    // There is a second attempt only in tests.
    let _ = match journald {
        Some(layer) => tracing::subscriber::set_global_default(registry().with(layer)),
        // Also when journald cannot be reached past its own stream: it reads standard error.
        None => tracing::subscriber::set_global_default(registry().with(Lines)),
    };
}

fn journald() -> io::Result<tracing_journald::Layer> {
    use tracing_journald::Priority::{Critical, Error, Informational, Notice, Warning};
    Ok(tracing_journald::layer()?
        .with_field_prefix(None)
        .with_syslog_identifier("gasd".to_owned())
        .with_priority_mappings(PriorityMappings {
            error: Critical,
            warn: Error,
            info: Warning,
            debug: Notice,
            trace: Informational,
        }))
}

/// Whether standard error is journald's, by systemd.exec(5): `JOURNAL_STREAM` is its device and inode.
/// A variable that was inherited by a shell is not enough.
fn is_journald() -> bool {
    let Some(stream) = env::var_os("JOURNAL_STREAM") else { return false };
    let Ok(error) = std::fs::metadata("/proc/self/fd/2") else { return false };
    stream.to_str() == Some(&format!("{}:{}", error.dev(), error.ino()))
}

/// Hands a note to whichever it is.
pub(super) fn write(note: &Note) {
    let Note { what, priority, text, meter, valve, verdict, kind, severity } = note;
    // A field that is `None` is left out.
    macro_rules! event {
        ($level:expr) => {
            tracing::event!(
                $level,
                message_id = what.id(),
                meter = meter.as_deref(),
                valve = valve.as_deref(),
                verdict = verdict.as_deref(),
                kind = kind.as_deref(),
                severity = severity.as_deref(),
                message = text.as_str(),
            )
        };
    }
    match priority {
        Priority::Critical => event!(Level::ERROR),
        Priority::Error => event!(Level::WARN),
        Priority::Warning => event!(Level::INFO),
        Priority::Notice => event!(Level::DEBUG),
        Priority::Info => event!(Level::TRACE),
    }
}

/// One line each: `gasd: text`, or `gasd: warning: text` for what the configuration says.
struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        eprintln!("gasd: {}{}", line.prefix, line.text);
    }
}

#[derive(Default)]
struct Line {
    prefix: &'static str,
    text: String,
}

impl Visit for Line {
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.text),
            "message_id" if [What::ConfigurationWarning.id(), What::NoMeter.id()].contains(&value) => {
                self.prefix = "warning: ";
            }
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.text = format!("{value:?}");
        }
    }
}
