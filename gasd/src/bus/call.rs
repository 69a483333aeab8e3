// SPDX-License-Identifier: MIT OR Apache-2.0
//! A method call on its way to the pipeline and back.

use std::collections::HashMap;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use tokio::sync::oneshot;
use zbus::message::Header;
use zbus::{Connection, OwnedVariant};

use super::Request;
use super::caller::{self, Rule};
use super::refusal::Refusal;
use crate::state::{Command, CommandError};

/// How long a caller waits for the pipeline. Below the 25 s after which libdbus gives up.
const ANSWER: Duration = Duration::from_secs(20);

/// Options of a method call.
pub(super) type Options = HashMap<String, OwnedVariant>;

/// The way to the pipeline, shared by the objects that have methods.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    commands: SyncSender<Request>,
    rule: Rule,
}

impl Desk {
    pub(super) fn new(commands: SyncSender<Request>, rule: Rule) -> Desk {
        Desk { commands, rule }
    }

    /// Checks the caller and the options, hands the command over and waits for the answer.
    pub(super) async fn submit(
        &self,
        connection: &Connection,
        header: &Header<'_>,
        options: &Options,
        what: &'static str,
        command: impl FnOnce(String) -> Command,
    ) -> Result<(), Refusal> {
        let caller = caller::authorise(connection, header, self.rule, what).await?;
        // An option nobody understands must not be taken for granted where gas is concerned.
        if let Some(name) = options.keys().min() {
            return Err(Refusal::UnknownOption(name.clone()));
        }
        self.hand_over(command(caller)).await
    }

    /// Hands a command over and waits for the answer.
    pub(super) async fn hand_over(&self, command: Command) -> Result<(), Refusal> {
        let (reply, answer) = oneshot::channel();
        match self.commands.try_send((command, reply)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(Refusal::Busy),
            Err(TrySendError::Disconnected(_)) => return Err(CommandError::Stopping.into()),
        }
        match tokio::time::timeout(ANSWER, answer).await {
            Ok(Ok(result)) => result.map_err(Refusal::Command),
            Ok(Err(_)) => Err(CommandError::Stopping.into()),
            Err(_) => Err(Refusal::NoAnswer(ANSWER.as_secs())),
        }
    }
}
