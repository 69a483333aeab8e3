// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which settings a line is tried with, and what is asked on it.

use std::fmt;

use gasd_meters::detect::Protocol;
use gasd_meters::{EncodeError, cjt188, dlt645, hart, mbus, modbus};

use crate::bus::Pace;
use crate::wire::Parity;

/// The speeds that meters have, baud, the most usual first.
pub const USUAL_SPEEDS: [u32; 7] = [2_400, 9_600, 1_200, 300, 4_800, 19_200, 38_400];

/// The type of a CJ/T 188 meter that stands for any.
const ANY_TYPE: u8 = 0xAA;

/// The speed of HART modems, baud.
const HART_BAUD: u32 = 1_200;

/// How a line is set, as far as meters differ in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Speed, baud.
    pub baud: u32,
    /// Parity.
    pub parity: Parity,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
        };
        write!(f, "{} baud 8{parity}1", self.baud)
    }
}

impl Setting {
    /// How long who may take on a line that is set so and hands everything on `latency_ns` late.
    #[must_use]
    pub fn pace(self, latency_ns: u64) -> Pace {
        let bits = if self.parity == Parity::None { 10 } else { 11 };
        Pace { latency_ns, ..Pace::new(self.baud, bits) }
    }
}

/// What is to be done with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How it is set, as far as anybody knows.
    pub setting: Setting,
    /// Other settings, tried one after the other until somebody answers; none behind a serial server, which has its own.
    pub others: Vec<Setting>,
    /// What is asked in.
    pub protocols: Vec<Protocol>,
    /// How long is listened before anything is asked, ns.
    pub listen_ns: u64,
    /// How much later all comes than over a wire, ns.
    pub latency_ns: u64,
}

impl Plan {
    /// Every other setting that meters have: other parities at this speed first, as a parity is forgotten more often than a
    /// speed.
    #[must_use]
    pub fn others(setting: Setting) -> Vec<Setting> {
        let speeds =
            [setting.baud].into_iter().chain(USUAL_SPEEDS.into_iter().filter(|baud| *baud != setting.baud));
        let all = speeds.flat_map(|baud| {
            [Parity::Even, Parity::None, Parity::Odd].map(|parity| Setting { baud, parity })
        });
        all.filter(|other| *other != setting).collect()
    }

    /// What is asked at a setting, with the protocol of each.
    ///
    /// HART modems know one speed: at another one nobody is asked for it, unless it is the line's own.
    #[must_use]
    pub fn requests(&self, setting: Setting) -> Vec<(Protocol, Vec<u8>)> {
        let sensible = |protocol: &&Protocol| {
            **protocol != Protocol::Hart || setting == self.setting || setting.baud == HART_BAUD
        };
        let protocols = self.protocols.iter().filter(sensible);
        protocols
            .flat_map(|protocol| harmless(*protocol).into_iter().map(|bytes| (*protocol, bytes)))
            .collect()
    }
}

/// Requests of a protocol that change nothing and that any meter answers; of Modbus, which has no address for everyone,
/// only unit 1.
#[must_use]
pub fn harmless(protocol: Protocol) -> Vec<Vec<u8>> {
    let requests: Vec<Result<Vec<u8>, EncodeError>> = match protocol {
        Protocol::Dlt645 => {
            let address = dlt645::Address::WILDCARD;
            let energy = dlt645::Request::Read { di: dlt645::Di::Short(0x9010), blocks: None };
            vec![
                dlt645::encode(dlt645::Standard::V2007, address, &dlt645::Request::ReadAddress, 4),
                dlt645::encode(dlt645::Standard::V1997, address, &energy, 4),
            ]
        }
        Protocol::Cjt188 => {
            let address = cjt188::Address::WILDCARD;
            let target = cjt188::Target { kind: ANY_TYPE, address, order: cjt188::Order::LowFirst };
            vec![cjt188::encode(&target, &cjt188::Profile::STANDARD, 1, &cjt188::Request::Read(0x901F), 4)]
        }
        Protocol::Mbus => vec![mbus::Request::Data { fcb: true }.encode(mbus::Target::Any)],
        Protocol::Hart => {
            let (master, address) = (hart::Master::Primary, hart::Address::Polling(0));
            vec![hart::encode(master, address, &hart::Request::Identify, 20)]
        }
        Protocol::Modbus => vec![modbus::encode(1, &modbus::Request::ReadHolding(0, 1))],
    };
    // That all of them can be made is a test below.
    requests.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gasd_meters::detect::which;

    #[test]
    fn every_protocol_has_a_request_that_is_its_own_and_asks() {
        for protocol in Protocol::ALL {
            let requests = harmless(protocol);
            assert_eq!(requests.len(), if protocol == Protocol::Dlt645 { 2 } else { 1 }, "{protocol}");
            for request in requests {
                let frame =
                    request.iter().position(|byte| *byte != 0xFE).map_or(&[][..], |at| &request[at..]);
                assert_eq!(which(frame), Some(protocol));
            }
        }
    }

    #[test]
    fn other_settings_are_all_but_the_own_and_parity_comes_first() {
        let own = Setting { baud: 9_600, parity: Parity::Even };
        let others = Plan::others(own);
        assert_eq!(others.len(), 3 * USUAL_SPEEDS.len() - 1);
        assert_eq!(
            others[..2].iter().map(Setting::to_string).collect::<Vec<_>>(),
            ["9600 baud 8N1", "9600 baud 8O1"]
        );
        assert!(!others.contains(&own));
        // A speed that is none of the usual ones is tried with other parities, too.
        assert_eq!(Plan::others(Setting { baud: 57_600, ..own }).len(), 3 * (USUAL_SPEEDS.len() + 1) - 1);
    }

    #[test]
    fn hart_is_asked_at_its_own_speed_and_at_the_lines() {
        let setting = Setting { baud: 2_400, parity: Parity::Even };
        let plan = Plan {
            setting,
            others: Vec::new(),
            protocols: Protocol::ALL.to_vec(),
            listen_ns: 0,
            latency_ns: 0,
        };
        let asks_hart = |baud| {
            let requests = plan.requests(Setting { baud, parity: Parity::Odd });
            requests.iter().any(|(protocol, _)| *protocol == Protocol::Hart)
        };
        assert!(asks_hart(1_200) && !asks_hart(9_600));
        assert_eq!(plan.requests(setting).len(), 6);
    }
}
