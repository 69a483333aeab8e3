// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ports on which nobody can be asked: what was heard there and is not configured.

use super::show::Show;
use super::tables::PortTable;
use super::{End, Found, finish};
use crate::cli::ScanArgs;
use crate::fail::Failure;
use crate::output::Output;
use crate::port::AtGasd;

/// Shows who was heard.
///
/// # Errors
/// As [`super::run`].
pub fn run(at: &AtGasd, table: &PortTable, args: &ScanArgs, out: &Output) -> Result<(), Failure> {
    let mut show = Show::new(args, out);
    show.begin(&format!(
        "nobody can be asked on port \"{}\", which is of kind {}: this was heard there and is not configured",
        at.port.id, at.port.kind
    ));
    for (what, words) in &at.port.strangers {
        show.found_one(stranger(&at.port.kind, what, words))?;
    }
    finish(show, End::All, table, args, out)
}

/// Protocols that a stranger's name may begin with.
const PROTOCOLS: [&str; 8] = ["dlt645", "cjt188", "mbus", "hart", "modbus", "wmbus", "lorawan", "lwm2m"];

fn stranger(kind: &str, what: &str, words: &str) -> Found {
    let (protocol, address) = match what.split_once(' ') {
        Some((protocol, address)) if PROTOCOLS.contains(&protocol) => (protocol, address),
        _ => (kind, what),
    };
    let (protocol, address) = (protocol.to_owned(), Some(address.to_owned()));
    Found { protocol, address, words: words.to_owned(), ..Found::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_protocol_is_its_own_or_its_ports() {
        let told = |what| {
            let found = stranger("wmbus", what, "heard twice");
            format!("{} {}", found.protocol, found.address.unwrap())
        };
        assert_eq!(told("12345678.ELS.33.03"), "wmbus 12345678.ELS.33.03");
        assert_eq!(told("cjt188 33780012345678"), "cjt188 33780012345678");
        assert_eq!(told("name with blanks"), "wmbus name with blanks");
    }
}
