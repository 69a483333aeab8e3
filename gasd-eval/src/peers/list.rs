// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is compared, and how each is set to one false alarm a year.

use super::{
    binned::Binned,
    bocpd::Bocpd,
    focus::{Focus, FocusOnIntervals},
    half_space::HalfSpaceOnFlow,
    windows::{Gaussian, GlrOr, PublishedAnd, Static},
};
use crate::{
    alone::{
        cell::Known,
        study::{rises, year},
        watch::{Ours, Start, Watch},
    },
    peers::binned::OnBins,
};

/// How a threshold is found.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// By importance sampling with rises to these multiples; it remembers so many seconds.
    Sampled {
        /// The multiple that it takes the longest to alarm at.
        slowest: f64,
        /// Multiples.
        rises: Vec<f64>,
        /// s.
        memory_s: f64,
    },
    /// At the threshold of a year, which is proved.
    Proved,
    /// From days at the old rate, and the tail of the hours' maxima extrapolated to a year: it learns
    /// all the time and is too slow for more.
    Extrapolated {
        /// Days that are simulated.
        days: f64,
        /// Runs for a delay.
        runs: usize,
    },
}

/// A detector in the comparison.
pub struct Peer {
    /// In tables.
    pub name: &'static str,
    /// How its threshold is found.
    pub setting: Setting,
    /// Starts it.
    pub start: Box<Start<'static>>,
}

/// Poisson-FOCuS as it is published: on counts.
struct FocusOnBins {
    focus: Focus,
    expected: f64,
}

impl OnBins for FocusOnBins {
    fn bin(&mut self, pulses: u32) -> f64 {
        self.focus.step(f64::from(pulses), self.expected)
    }
}

fn on_bins<D: OnBins + 'static>(
    bin_s: f64,
    start: impl Fn(&Known) -> D + Sync + 'static,
) -> Box<Start<'static>> {
    Box::new(move |known| Box::new(Binned::new(start(known), bin_s)) as Box<dyn Watch>)
}

/// Everybody; ours first.
#[must_use]
pub fn everybody() -> Vec<Peer> {
    let all = || Setting::Sampled { slowest: 1.15, rises: rises(), memory_s: 0.0 };
    // Bursts within a few windows decide; of regular pulses, small ones.
    let short = |memory_s| Setting::Sampled {
        slowest: 1.5,
        rises: vec![1.1, 1.2, 1.35, 1.5, 2.0, 3.0, 5.0, 9.0, 17.0, 33.0, 100.0],
        memory_s,
    };
    let steep = || Setting::Sampled {
        slowest: 1.15,
        rises: [rises(), vec![100.0, 1e3, 1e5]].concat(),
        memory_s: 0.0,
    };
    // Of what was learned, a deviation to the safe side, as in the section "alone"; what is given has none.
    let ours = || -> Box<Start<'static>> { Box::new(|known| Box::new(Ours::new(known, 1.0))) };
    let peer = |name, setting, start| Peer { name, setting, start };
    vec![
        peer("**mixture e-detector**", all(), ours()),
        peer("**the same, proved threshold**", Setting::Proved, ours()),
        peer(
            "FOCuS on intervals, shape known",
            steep(),
            Box::new(|known| Box::new(FocusOnIntervals::new(known))),
        ),
        peer(
            "Poisson-FOCuS, bins of 1 s",
            steep(),
            on_bins(1.0, |known| FocusOnBins { focus: Focus::new(), expected: known.rate }),
        ),
        peer("BOCPD, bins of 1 s, 64 runs", all(), on_bins(1.0, |known| Bocpd::new(known, 1.0))),
        peer("windows 1/5/30 s, GLR, OR", short(30.0), on_bins(1.0, GlrOr::new)),
        peer("`published` windows, AND", short(30.0), on_bins(1.0, PublishedAnd::new)),
        peer("static threshold, 60 s", short(60.0), on_bins(1.0, |_| Static::new(60))),
        peer("windowed Gaussian, 10 s", short(60.0), on_bins(10.0, |known| Gaussian::new(known, 10.0))),
        peer(
            "half-space trees",
            Setting::Extrapolated { days: 10.0, runs: 100 },
            on_bins(1.0, |known| HalfSpaceOnFlow::new(known, 1.0, 1)),
        ),
        #[cfg(feature = "peers")]
        peer(
            "random cut forest",
            Setting::Extrapolated { days: 2.0, runs: 10 },
            on_bins(1.0, |known| super::cut_forest::CutForestOnFlow::new(known, 1.0, 1)),
        ),
    ]
}

/// The threshold of [`Setting::Proved`].
#[must_use]
pub fn proved() -> f64 {
    year()
}
