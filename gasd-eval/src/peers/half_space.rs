// SPDX-License-Identifier: MIT OR Apache-2.0
//! Streaming half-space trees (Tan, Ting and Liu, IJCAI 2011), written from the paper with the
//! defaults of river's HalfSpaceTrees: 25 trees, height 8, windows of 250. The same algorithm, not
//! river's code; `peers/river_speed.py` times that.

use super::{binned::OnBins, windows::Counts};
use crate::alone::cell::Known;
use crate::random::xoshiro::Random;

const TREES: usize = 25;
const HEIGHT: usize = 8;
const WINDOW: usize = 250;
/// Nodes with less than this mass are not looked below.
const LEAST: u32 = WINDOW as u32 / 10;
const NODES: usize = (1 << (HEIGHT + 1)) - 1;

/// A node: where its half-space ends, and how many points there were in the last window and in this.
#[derive(Clone, Copy, Debug, Default)]
struct Node {
    axis: usize,
    split: f64,
    last: u32,
    now: u32,
}

/// A forest over points in the unit cube.
#[derive(Clone, Debug)]
pub struct HalfSpaceTrees {
    trees: Vec<[Node; NODES]>,
    seen: usize,
}

impl HalfSpaceTrees {
    /// A forest over so many dimensions.
    #[must_use]
    pub fn new(dimensions: usize, random: &mut Random) -> Self {
        let trees = (0..TREES).map(|_| {
            let mut nodes = [Node::default(); NODES];
            // The work range of the paper: beyond the cube, so that trees differ.
            let range = (0..dimensions).map(|_| {
                let middle = random.uniform();
                let reach = 2.0 * middle.max(1.0 - middle);
                (middle - reach, middle + reach)
            });
            grow(&mut nodes, 0, &mut range.collect::<Vec<_>>(), random);
            nodes
        });
        Self { trees: trees.collect(), seen: 0 }
    }

    /// Scores a point, high for a strange one, and learns it.
    pub fn step(&mut self, point: &[f64]) -> f64 {
        let mut mass = 0.0;
        for nodes in &mut self.trees {
            let (mut at, mut depth, mut scoring) = (0, 0, true);
            loop {
                let node = &mut nodes[at];
                node.now += 1;
                if scoring && (node.last < LEAST || depth == HEIGHT) {
                    mass += f64::from(node.last) * f64::from(1u32 << depth);
                    scoring = false;
                }
                if depth == HEIGHT {
                    break;
                }
                at = 2 * at + if point[node.axis] < node.split { 1 } else { 2 };
                depth += 1;
            }
        }
        self.seen += 1;
        if self.seen == WINDOW {
            self.seen = 0;
            for node in self.trees.iter_mut().flatten() {
                node.last = std::mem::take(&mut node.now);
            }
        }
        -mass
    }
}

fn grow(nodes: &mut [Node; NODES], at: usize, range: &mut [(f64, f64)], random: &mut Random) {
    if 2 * at + 2 >= NODES {
        return;
    }
    let axis = random.below(range.len());
    let (low, high) = range[axis];
    let split = 0.5 * (low + high);
    (nodes[at].axis, nodes[at].split) = (axis, split);
    range[axis] = (low, split);
    grow(nodes, 2 * at + 1, range, random);
    range[axis] = (split, high);
    grow(nodes, 2 * at + 2, range, random);
    range[axis] = (low, high);
}

/// What forests are shown of the flow: counts of the last 1, 5, 30 and 300 bins, from none to four
/// times what is expected and 8 more.
#[derive(Clone, Debug)]
pub struct Features {
    counts: Counts,
    scales: [f64; 4],
}

/// Bins before a forest is heard: the longest window is full, and so is a forest's memory since.
pub const LEARN: usize = 600;

/// Windows of the features, in bins.
const FEATURES: [usize; 4] = [1, 5, 30, 300];

impl Features {
    /// For a rate that is known.
    #[must_use]
    pub fn new(known: &Known, bin_s: f64) -> Self {
        let scales = FEATURES.map(|length| 1.0 / (4.0 * known.rate * bin_s * length as f64 + 8.0));
        Self { counts: Counts::new(&FEATURES), scales }
    }

    /// A bin more.
    pub fn push(&mut self, pulses: u32) -> [f64; 4] {
        let sums = self.counts.push(pulses);
        core::array::from_fn(|i| (f64::from(sums[i]) * self.scales[i]).min(1.0))
    }
}

/// The forest on the features of the flow.
#[derive(Clone, Debug)]
pub struct HalfSpaceOnFlow {
    features: Features,
    forest: HalfSpaceTrees,
    unsaid: usize,
}

impl HalfSpaceOnFlow {
    /// A forest that has seen nothing; `seed` draws its trees.
    #[must_use]
    pub fn new(known: &Known, bin_s: f64, seed: u64) -> Self {
        let forest = HalfSpaceTrees::new(FEATURES.len(), &mut Random::new(seed, 0));
        Self { features: Features::new(known, bin_s), forest, unsaid: LEARN }
    }
}

impl OnBins for HalfSpaceOnFlow {
    fn bin(&mut self, pulses: u32) -> f64 {
        let point = self.features.push(pulses);
        let score = self.forest.step(&point);
        self.unsaid = self.unsaid.saturating_sub(1);
        if self.unsaid > 0 { f64::NEG_INFINITY } else { score }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_where_none_were_is_strange() {
        let mut random = Random::new(5, 0);
        let mut forest = HalfSpaceTrees::new(2, &mut random);
        let mut usual = 0.0;
        for _ in 0..1000 {
            usual = forest.step(&[0.2 + 0.05 * random.normal(), 0.2 + 0.05 * random.normal()]);
        }
        assert!(forest.step(&[0.9, 0.9]) > 0.5 * usual, "{usual}");
    }
}
