// SPDX-License-Identifier: MIT OR Apache-2.0
//! At which speeds and parities is searched, one after the other, and for what.

use gasd_meters::detect::Protocol;
use gasd_ports::examine::{Setting, USUAL_SPEEDS};
use gasd_ports::wire::Parity;

use crate::cli::{self, Baud};

/// One search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// How the line is set.
    pub setting: Setting,
    /// What is looked for.
    pub protocols: Vec<Protocol>,
}

/// The speed of HART modems, baud.
const HART_BAUD: u32 = 1_200;

/// The searches. Somebody who answers ends them.
///
/// HART has a speed of its own: where speeds are tried, it is asked for at that one.
pub fn rounds(baud: Baud, parity: Option<cli::Parity>, protocols: &[Protocol]) -> Vec<Round> {
    let speeds = match baud {
        Baud::Auto => USUAL_SPEEDS.to_vec(),
        Baud::Is(baud) => vec![baud],
    };
    let fits = |baud_now: u32, parity_now: Parity, protocol: Protocol| {
        let is_hart = protocol == Protocol::Hart;
        let speed = !is_hart || baud != Baud::Auto || baud_now == HART_BAUD;
        let usual = if is_hart { Parity::Odd } else { Parity::Even };
        speed && (parity.is_some() || parity_now == usual)
    };
    let parities = match parity.map(cli::Parity::one) {
        Some(Some(one)) => vec![one],
        // The usual one at all speeds before the others.
        Some(None) => vec![Parity::Even, Parity::None, Parity::Odd],
        None => vec![Parity::Even, Parity::Odd],
    };
    let settings = parities.into_iter().flat_map(|parity| speeds.iter().map(move |baud| (*baud, parity)));
    let round = |(baud, parity)| {
        let protocols: Vec<Protocol> =
            protocols.iter().copied().filter(|protocol| fits(baud, parity, *protocol)).collect();
        (!protocols.is_empty()).then_some(Round { setting: Setting { baud, parity }, protocols })
    };
    settings.filter_map(round).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(rounds: &[Round]) -> Vec<String> {
        rounds.iter().map(|round| round.setting.to_string()).collect()
    }

    #[test]
    fn the_usual_speeds_come_one_after_the_other_and_hart_at_its_own() {
        let rounds = rounds(Baud::Auto, None, &Protocol::ALL);
        assert_eq!(settings(&rounds)[..2], ["2400 baud 8E1", "9600 baud 8E1"]);
        assert_eq!(rounds.len(), USUAL_SPEEDS.len() + 1);
        for round in &rounds {
            let hart = round.protocols.contains(&Protocol::Hart);
            assert_eq!(hart, round.setting.to_string() == "1200 baud 8O1", "{round:?}");
        }
    }

    #[test]
    fn what_is_said_is_done_for_all_protocols() {
        let said = rounds(Baud::Is(19_200), Some(cli::Parity::None), &Protocol::ALL);
        assert_eq!((settings(&said), said[0].protocols.len()), (vec!["19200 baud 8N1".to_owned()], 5));
        let said = rounds(Baud::Is(2_400), None, &[Protocol::Cjt188]);
        assert_eq!(settings(&said), ["2400 baud 8E1"]);
        let said = rounds(Baud::Auto, Some(cli::Parity::Auto), &[Protocol::Modbus]);
        assert_eq!(said.len(), 3 * USUAL_SPEEDS.len());
        let said = rounds(Baud::Is(9_600), Some(cli::Parity::Auto), &[Protocol::Modbus]);
        assert_eq!(settings(&said), ["9600 baud 8E1", "9600 baud 8N1", "9600 baud 8O1"]);
    }
}
