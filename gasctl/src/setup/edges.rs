// SPDX-License-Identifier: MIT OR Apache-2.0
//! Listening to lines: which one answers when the meter's magnet moves.

use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;
use std::time::{Duration, Instant};

use gpiocdev::Request;
use gpiocdev::line::{Bias as CdevBias, EdgeDetection, Value};
use serde::Serialize;

use crate::cli::Bias;

use super::chips::{self, ChipInfo, LineState};

/// Who asks for the lines, as `gpioinfo` shows it.
const CONSUMER: &str = "gasctl-setup";
/// Longest wait between two looks at the clock.
const STEP: Duration = Duration::from_millis(100);

/// What a line said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Heard {
    /// The chip's device name.
    pub chip: String,
    /// The line's offset.
    pub line: u32,
    /// Its name on the board.
    pub name: String,
    /// Edges, bounces included.
    pub edges: u64,
    /// Its physical level at the beginning: a contact at rest.
    pub high_at_rest: Option<bool>,
    /// Why it was not listened to.
    pub deaf: Option<String>,
}

/// Lines that are listened to.
pub struct Ears {
    heard: Vec<Heard>,
    requests: Vec<(usize, Request)>,
}

/// Asks for every free input, or for `line` alone whatever its direction is. A line that cannot be
/// had is in the list with the reason.
pub fn listen(chips: &[ChipInfo], line: Option<u32>, bias: Option<Bias>) -> Ears {
    let mut ears = Ears { heard: Vec::new(), requests: Vec::new() };
    for chip in chips {
        for info in chip.lines.iter().filter(|l| line.is_none_or(|wanted| wanted == l.line)) {
            let mut heard = Heard {
                chip: chip.name.clone(),
                line: info.line,
                name: info.name.clone(),
                edges: 0,
                high_at_rest: None,
                deaf: None,
            };
            match info.state {
                LineState::Taken => heard.deaf = Some(taken(&info.consumer)),
                LineState::Output if line.is_none() => {
                    heard.deaf = Some("an output; left alone".to_owned());
                }
                LineState::Output | LineState::Free => match attempt(&chip.path, info.line, bias) {
                    Ok(request) => {
                        heard.high_at_rest = request.lone_value().ok().map(|v| v == Value::Active);
                        ears.requests.push((ears.heard.len(), request));
                    }
                    Err(error) => heard.deaf = Some(chips::why(&error)),
                },
            }
            ears.heard.push(heard);
        }
    }
    ears
}

fn taken(consumer: &str) -> String {
    if consumer.is_empty() { "taken".to_owned() } else { format!("taken by {consumer}") }
}

/// Asks for a line with both edges. It is given back with the request.
pub fn attempt(chip: &Path, line: u32, bias: Option<Bias>) -> gpiocdev::Result<Request> {
    let mut builder = Request::builder();
    builder
        .on_chip(chip)
        .with_consumer(CONSUMER)
        .with_line(line)
        .with_edge_detection(EdgeDetection::BothEdges)
        .with_bias(bias.map(|bias| match bias {
            Bias::PullUp => CdevBias::PullUp,
            Bias::PullDown => CdevBias::PullDown,
            Bias::Disabled => CdevBias::Disabled,
        }));
    builder.request()
}

impl Ears {
    /// Whether no line could be had.
    pub fn is_deaf(&self) -> bool {
        self.requests.is_empty()
    }

    /// How many lines are listened to.
    pub fn listening(&self) -> usize {
        self.requests.len()
    }

    /// What was heard so far, in the order of chips and lines.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.clone()
    }

    /// Counts edges until `long` has passed; `first` is told of each line's first one.
    pub fn run(&mut self, long: Duration, mut first: impl FnMut(&Heard)) {
        let end = Instant::now() + long;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            self.wait(left.min(STEP));
            for (at, request) in &self.requests {
                let Some(heard) = self.heard.get_mut(*at) else { continue };
                // A chip that goes away in the middle is silent from then on.
                while request.has_edge_event().unwrap_or(false) && request.read_edge_event().is_ok() {
                    heard.edges += 1;
                    if heard.edges == 1 {
                        first(heard);
                    }
                }
            }
        }
    }

    fn wait(&self, long: Duration) {
        let mut fds: Vec<libc::pollfd> = self
            .requests
            .iter()
            .map(|(_, request)| libc::pollfd {
                fd: request.as_fd().as_raw_fd(),
                events: libc::POLLIN,
                revents: 0,
            })
            .collect();
        let ms = libc::c_int::try_from(long.as_millis()).unwrap_or(100).max(1);
        // SAFETY: the slice is live for the call. An error only makes the wait shorter.
        let ready = unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, ms) };
        if ready < 0 || fds.iter().any(|fd| fd.revents & (libc::POLLERR | libc::POLLHUP) != 0) {
            // Never spin on an error that does not go away.
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The line that was heard, where it is one only, or by far the loudest of several: crosstalk and
/// floating neighbours make some edges too.
pub fn loudest(heard: &[Heard]) -> Option<&Heard> {
    let most = heard.iter().max_by_key(|h| h.edges).filter(|h| h.edges > 0)?;
    let next = heard.iter().filter(|h| *h != most).map(|h| h.edges).max().unwrap_or(0);
    (most.edges >= next.saturating_mul(2)).then_some(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(line: u32, edges: u64) -> Heard {
        let (chip, name) = ("gpiochip0".to_owned(), String::new());
        Heard { chip, line, name, edges, high_at_rest: Some(true), deaf: None }
    }

    #[test]
    fn the_loudest_line_is_the_meters_if_it_stands_out() {
        assert_eq!(loudest(&[heard(3, 0), heard(4, 6)]).map(|h| h.line), Some(4));
        assert_eq!(loudest(&[heard(3, 2), heard(4, 6)]).map(|h| h.line), Some(4));
        assert_eq!(loudest(&[heard(3, 5), heard(4, 6)]), None);
        assert_eq!(loudest(&[heard(3, 0), heard(4, 0)]), None);
        assert_eq!(loudest(&[]), None);
    }

    #[test]
    fn outputs_and_other_peoples_lines_are_left_alone() {
        let line = |line, state| chips::LineInfo {
            line,
            name: String::new(),
            consumer: if state == LineState::Taken { "heater".into() } else { String::new() },
            state,
            edges: false,
        };
        let chip = ChipInfo {
            name: "nochip".into(),
            path: "/nonexistent/nochip".into(),
            label: String::new(),
            lines: vec![line(0, LineState::Output), line(1, LineState::Taken)],
            problem: None,
        };
        let ears = listen(&[chip], None, None);
        assert!(ears.is_deaf());
        let why: Vec<_> = ears.heard().into_iter().filter_map(|h| h.deaf).collect();
        assert_eq!(why, ["an output; left alone", "taken by heater"]);
    }
}
