// SPDX-License-Identifier: MIT OR Apache-2.0
//! A method call on its way to the pipeline and back.

use std::collections::HashMap;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use tokio::sync::oneshot;
use zbus::message::Header;
use zbus::{Connection, OwnedVariant};

use super::Request;
use super::caller::Caller;
use super::guard::{Duty, Guard};
use super::refusal::Refusal;
use crate::state::{Answer, Command, CommandError};

/// How long a caller waits for the pipeline. Below the 25 s after which libdbus gives up.
const ANSWER: Duration = Duration::from_secs(20);

/// Options of a method call.
pub(super) type Options = HashMap<String, OwnedVariant>;

/// An option nobody understands must not be taken for granted where gas is concerned.
pub(super) fn no_other_options(options: &Options, known: &[&str]) -> Result<(), Refusal> {
    match options.keys().filter(|name| !known.contains(&name.as_str())).min() {
        Some(name) => Err(Refusal::UnknownOption(name.clone())),
        None => Ok(()),
    }
}

/// The value of an option, if it was given.
pub(super) fn option<T: TryFrom<OwnedVariant>>(
    options: &Options,
    name: &'static str,
    expected: &'static str,
) -> Result<Option<T>, Refusal> {
    let wrong = || Refusal::WrongOption { name, expected };
    let Some(value) = options.get(name) else { return Ok(None) };
    let value = value.try_clone().map_err(|_| wrong())?;
    T::try_from(value).map(Some).map_err(|_| wrong())
}

/// The way to the pipeline, shared by the objects that have methods.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    commands: SyncSender<Request>,
    pub(super) guard: Guard,
}

impl Desk {
    pub(super) fn new(commands: SyncSender<Request>, guard: Guard) -> Desk {
        Desk { commands, guard }
    }

    /// Checks the options and the caller, hands the command over and waits for the answer.
    pub(super) async fn submit(
        &self,
        connection: &Connection,
        header: &Header<'_>,
        options: &Options,
        duty: Duty,
        command: impl FnOnce(&Caller) -> Command,
    ) -> Result<Answer, Refusal> {
        let _ticket = self.guard.admit(header)?;
        no_other_options(options, &[])?;
        self.submit_checked(connection, header, duty, command).await
    }

    /// As [`Desk::submit`], for a caller that was admitted and whose options were checked.
    pub(super) async fn submit_checked(
        &self,
        connection: &Connection,
        header: &Header<'_>,
        duty: Duty,
        command: impl FnOnce(&Caller) -> Command,
    ) -> Result<Answer, Refusal> {
        let caller = self.guard.may(connection, header, duty).await?;
        self.hand_over(command(&caller)).await
    }

    /// Hands a command over and waits for the answer.
    pub(super) async fn hand_over(&self, command: Command) -> Result<Answer, Refusal> {
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
