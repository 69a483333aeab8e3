// SPDX-License-Identifier: MIT OR Apache-2.0
//! Follows the service: every signal becomes an [`Event`], and [`Watch::state`] is kept up to date.

use std::collections::HashMap;

use futures_util::StreamExt;
use zbus::message::Type;
use zbus::names::OwnedUniqueName;
use zbus::{MatchRule, Message, MessageStream, OwnedObjectPath, OwnedVariant, fdo};

use crate::path::Object;
use crate::{Client, ClientError, MANAGER, METER, NAME, PORT, Properties, ROOT, State, VALVE, VERDICT};

/// Something happened. What it is now stands in [`Watch::state`].
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Properties of the service changed: their names.
    Service(Vec<String>),
    /// Properties of a meter changed: its id and their names.
    Meter(String, Vec<String>),
    /// Properties of a valve changed: its id and their names.
    Valve(String, Vec<String>),
    /// Properties of a port changed, by name.
    Port(String, Vec<String>),
    /// A verdict was made.
    VerdictAdded(u64),
    /// A verdict was acknowledged, or is gone with the service.
    VerdictRemoved(u64),
    /// The service left the bus. The state is what it was.
    Gone,
    /// The service came to the bus; the state has been read anew.
    Back,
}

/// Follows the service.
#[derive(Debug)]
pub struct Watch {
    client: Client,
    stream: MessageStream,
    /// Only this connection's signals count.
    owner: Option<OwnedUniqueName>,
    state: State,
}

impl Watch {
    pub(crate) async fn start(client: Client) -> Result<Watch, ClientError> {
        let connection = client.connection();
        // One stream for both rules keeps the order in which things happened.
        let stream = MessageStream::from(connection);
        let bus = fdo::DBusProxy::new(connection).await?;
        let signals =
            MatchRule::builder().msg_type(Type::Signal).sender(NAME).path_namespace(ROOT).build()?;
        let owners = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender("org.freedesktop.DBus")
            .interface("org.freedesktop.DBus")
            .member("NameOwnerChanged")
            .add_arg(NAME)
            .build()?;
        bus.add_match_rule(signals).await?;
        bus.add_match_rule(owners).await?;
        // Rules first, state second: what happens in between is seen twice rather than never.
        let owner = bus.get_name_owner(NAME.try_into()?).await?;
        let state = client.state().await?;
        Ok(Watch { client, stream, owner: Some(owner), state })
    }

    /// Everything as it is after the last event.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Waits for the next event. Cancel safe as long as the service stays on the bus.
    ///
    /// # Errors
    /// [`ClientError::Lost`] when the bus closes the connection.
    pub async fn next(&mut self) -> Result<Event, ClientError> {
        loop {
            let Some(message) = self.stream.next().await else {
                return Err(ClientError::Lost);
            };
            let Ok(message) = message else {
                return Err(ClientError::Lost);
            };
            if message.message_type() != Type::Signal {
                continue;
            }
            if let Some(event) = self.take(&message).await? {
                return Ok(event);
            }
        }
    }

    async fn take(&mut self, message: &Message) -> Result<Option<Event>, ClientError> {
        let header = message.header();
        let (Some(path), Some(interface), Some(member)) =
            (header.path(), header.interface(), header.member())
        else {
            return Ok(None);
        };
        if interface.as_str() == "org.freedesktop.DBus" && member.as_str() == "NameOwnerChanged" {
            return self.owner_changed(message).await;
        }
        // Anybody can send a signal to one connection; only the owner of the name speaks for gasd.
        if header.sender().map(|s| s.as_str()) != self.owner.as_ref().map(|o| o.as_str()) {
            return Ok(None);
        }
        Ok(match (interface.as_str(), member.as_str()) {
            ("org.freedesktop.DBus.Properties", "PropertiesChanged") => self.changed(path.as_str(), message),
            ("org.freedesktop.DBus.ObjectManager", "InterfacesAdded") => self.added(message),
            ("org.freedesktop.DBus.ObjectManager", "InterfacesRemoved") => self.removed(message),
            _ => None,
        })
    }

    async fn owner_changed(&mut self, message: &Message) -> Result<Option<Event>, ClientError> {
        if message.header().sender().map(|s| s.as_str()) != Some("org.freedesktop.DBus") {
            return Ok(None);
        }
        let body = message.body();
        let Ok((name, _, new)) = body.deserialize::<(&str, &str, &str)>() else {
            return Ok(None);
        };
        if name != NAME {
            return Ok(None);
        }
        if new.is_empty() {
            self.owner = None;
            return Ok(Some(Event::Gone));
        }
        self.owner = OwnedUniqueName::try_from(new).ok();
        match self.client.state().await {
            Ok(state) => {
                self.state = state;
                Ok(Some(Event::Back))
            }
            // It is gone again already; the next signal says so.
            Err(ClientError::NotRunning | ClientError::NoAnswer) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn changed(&mut self, path: &str, message: &Message) -> Option<Event> {
        let body = message.body();
        let (interface, changed, _) = body.deserialize::<(String, Properties, Vec<String>)>().ok()?;
        let mut names: Vec<String> = changed.keys().cloned().collect();
        names.sort_unstable();
        match (Object::parse(path)?, interface.as_str()) {
            (Object::Manager, MANAGER) => {
                self.state.service.update(&changed);
                Some(Event::Service(names))
            }
            (Object::Meter(id), METER) => {
                self.state.meters.get_mut(&id)?.update(&changed);
                Some(Event::Meter(id, names))
            }
            (Object::Port(id), PORT) => {
                self.state.ports.get_mut(&id)?.update(&changed);
                Some(Event::Port(id, names))
            }
            (Object::Valve(id), VALVE) => {
                self.state.valves.get_mut(&id)?.update(&changed);
                Some(Event::Valve(id, names))
            }
            _ => None,
        }
    }

    fn added(&mut self, message: &Message) -> Option<Event> {
        let body = message.body();
        let (path, interfaces) =
            body.deserialize::<(OwnedObjectPath, HashMap<String, HashMap<String, OwnedVariant>>)>().ok()?;
        for (name, properties) in &interfaces {
            self.state.insert(name, properties);
        }
        match Object::parse(path.as_str())? {
            Object::Verdict(id) if interfaces.contains_key(VERDICT) => Some(Event::VerdictAdded(id)),
            _ => None,
        }
    }

    fn removed(&mut self, message: &Message) -> Option<Event> {
        let body = message.body();
        let (path, interfaces) = body.deserialize::<(OwnedObjectPath, Vec<String>)>().ok()?;
        match Object::parse(path.as_str())? {
            Object::Verdict(id) if interfaces.iter().any(|name| name == VERDICT) => {
                self.state.verdicts.remove(&id);
                Some(Event::VerdictRemoved(id))
            }
            _ => None,
        }
    }
}
