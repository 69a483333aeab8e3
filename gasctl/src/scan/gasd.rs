// SPDX-License-Identifier: MIT OR Apache-2.0
//! A search that gasd makes, told through a pipe of JSON lines.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;

use gasd_meters::detect::Protocol;
use gasd_proxy::Meter;
use serde_json::Value;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Found, Said};
use crate::agent;
use crate::fail::Failure;
use crate::output::Output;
use crate::port::AtGasd;

/// A line of the pipe is shorter; what is longer is none.
const LONGEST: usize = 64 * 1024;

/// Has gasd search. What it finds comes until it is done; dropping the receiver ends the search.
///
/// # Errors
/// What gasd or the bus say.
pub async fn search(
    at: &AtGasd,
    protocols: &[Protocol],
    out: &Output,
) -> Result<UnboundedReceiver<Said>, Failure> {
    let names: Vec<String> = protocols.iter().map(|protocol| protocol.name().to_owned()).collect();
    let call = async || at.client.scan(&at.port.id, &names).await;
    let pipe = agent::with_password(out, call)
        .await
        .map_err(|error| Failure::controlling(error, "have gasd look for meters"))?;
    let (sender, receiver) = unbounded_channel();
    let known = known(&at.port.id, &at.state.meters);
    tokio::spawn(async move {
        // Whoever waits is told by the end of the channel.
        if let Err(error) = read(pipe, &known, &sender).await {
            let _ =
                sender.send(Said::Broken(Failure::Refused(format!("the search cannot be read: {error}"))));
        }
    });
    Ok(receiver)
}

async fn read(pipe: OwnedFd, known: &[Known], sender: &UnboundedSender<Said>) -> std::io::Result<()> {
    let pipe = Receiver::from_owned_fd(pipe)?;
    let mut line = Vec::new();
    loop {
        let mut bytes = [0; 4096];
        tokio::select! {
            ready = pipe.readable() => ready?,
            () = sender.closed() => return Ok(()),
        }
        let count = match pipe.try_read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
        for byte in bytes.iter().take(count) {
            if *byte != b'\n' {
                line.push(*byte);
                if line.len() > LONGEST {
                    return Err(ErrorKind::InvalidData.into());
                }
                continue;
            }
            if let Some(said) = said(&line, known)
                && sender.send(said).is_err()
            {
                return Ok(());
            }
            line.clear();
        }
    }
}

/// What a line says; `None` for what this version does not know.
fn said(line: &[u8], known: &[Known]) -> Option<Said> {
    let value: Value = serde_json::from_slice(line).ok()?;
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    if value.get("done").and_then(Value::as_bool) == Some(true) {
        return Some(Said::Done);
    }
    if let Some(what) = text(&value, "asking") {
        return Some(Said::Asking(what));
    }
    if let Some(slow) = value.get("slow") {
        let (protocol, address) = (text(slow, "protocol")?, text(slow, "address"));
        return Some(Said::Slow { protocol, address, ns: slow.get("ns")?.as_u64()? });
    }
    let found = value.get("found")?;
    let (protocol, address) = (text(found, "protocol")?, text(found, "address"));
    let known =
        known.iter().find(|known| address.as_ref().is_some_and(|address| known.is(&protocol, address)));
    let configured = known.map(|known| known.id.clone());
    let [words, keys] = ["words", "keys"].map(|key| text(found, key).unwrap_or_default());
    Some(Said::Found(Found { protocol, address, words, keys, configured, ..Found::default() }))
}

/// A meter of the port that is configured and has answered.
struct Known {
    id: String,
    protocol: String,
    /// Its address or number, as it says it.
    says: String,
}

impl Known {
    fn is(&self, protocol: &str, address: &str) -> bool {
        let number = address.split('.').next().unwrap_or_default();
        self.protocol == protocol && (self.says == address || self.says == number)
    }
}

fn known(port: &str, meters: &BTreeMap<String, Meter>) -> Vec<Known> {
    let known = |meter: &Meter| {
        let on = meter.on_port.as_ref().filter(|on| on.port == port)?;
        let (_, says) = on.fields.iter().find(|(name, _)| name == "meter")?;
        Some(Known { id: meter.id.clone(), protocol: on.protocol.clone(), says: says.clone() })
    };
    meters.values().filter_map(known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat() -> Vec<Known> {
        let on = gasd_proxy::OnPort {
            port: "cellar".into(),
            protocol: "mbus".into(),
            fields: vec![("meter".into(), "12345678".into()), ("volume".into(), "1 m³".into())],
            ..Default::default()
        };
        let meter = |id: &str, port: &str| {
            let on = gasd_proxy::OnPort { port: port.into(), ..on.clone() };
            (id.to_owned(), Meter { id: id.into(), on_port: Some(on), ..Default::default() })
        };
        let meters = [meter("flat", "cellar"), meter("roof", "roof")].into();
        known("cellar", &meters)
    }

    #[test]
    fn lines_are_read_and_unknown_ones_passed_over() {
        let known = flat();
        assert_eq!(known.len(), 1);
        let found = |line: &str| match said(line.as_bytes(), &known) {
            Some(Said::Found(found)) => found,
            other => panic!("{other:?}"),
        };
        let line = r#"{"found":{"protocol":"mbus","address":"12345678.ELS.33.03","words":"gas","keys":"type = 7","more":7}}"#;
        assert_eq!(found(line).configured.as_deref(), Some("flat"));
        assert_eq!(found(line).keys, "type = 7");
        let line = r#"{"found":{"protocol":"cjt188","address":"12345678","words":"gas"}}"#;
        assert_eq!(found(line).configured, None, "a number is a protocol's own");
        let line = r#"{"found":{"protocol":"mbus","address":null,"words":"several at once"}}"#;
        assert_eq!((found(line).address, found(line).configured), (None, None));
        assert!(
            matches!(said(br#"{"asking":"M-Bus 5"}"#, &known), Some(Said::Asking(what)) if what == "M-Bus 5")
        );
        assert!(matches!(
            said(br#"{"slow":{"protocol":"cjt188","address":"5","ns":1300000000}}"#, &known),
            Some(Said::Slow { ns: 1_300_000_000, address: Some(_), .. })
        ));
        assert!(matches!(said(br#"{"done":true}"#, &known), Some(Said::Done)));
        for other in ["", "{}", "[]", "nonsense", r#"{"done":false}"#, r#"{"found":{"words":"no protocol"}}"#]
        {
            assert!(said(other.as_bytes(), &known).is_none(), "{other}");
        }
    }

    #[test]
    fn the_pipe_is_read_to_its_end_and_a_line_without_end_is_none() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let told = runtime.block_on(async {
            let (reader, mut writer) = std::io::pipe().unwrap();
            std::io::Write::write_all(
                &mut writer,
                b"{\"asking\":\"a\"}\n{\"asking\":\"b\"}\n{\"done\":true}",
            )
            .unwrap();
            drop(writer);
            let (sender, mut receiver) = unbounded_channel();
            read(reader.into(), &[], &sender).await.unwrap();
            drop(sender);
            let mut told = Vec::new();
            while let Some(said) = receiver.recv().await {
                told.push(format!("{said:?}"));
            }
            told
        });
        assert_eq!(told, ["Asking(\"a\")", "Asking(\"b\")"]);
    }
}
