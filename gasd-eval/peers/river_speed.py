#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a step of river's HalfSpaceTrees costs, on the features that gasd-eval's own are shown.

    python3 -m venv /tmp/river && /tmp/river/bin/pip install river
    /tmp/river/bin/python gasd-eval/peers/river_speed.py

Prints us per sample (score and learn), the median of 5 repeats, with river's defaults: 25 trees,
height 8, window 250. Poisson pulses of 1 L at 1 m3/h, one sample a second: counts of the last 1, 5,
30 and 300 s, scaled to 0..1.
"""

import random
import statistics
import time

import river
from river import anomaly

WINDOWS = (1, 5, 30, 300)
RATE = 1 / 3.6
STEPS = 2000


def points(count, seed=1):
    """Features of a Poisson stream, second by second."""
    rng = random.Random(seed)
    bins = [0] * (count + 300)
    now = rng.expovariate(RATE)
    while now < len(bins):
        bins[int(now)] += 1
        now += rng.expovariate(RATE)
    scales = {w: 1 / (4 * RATE * w + 8) for w in WINDOWS}
    for i in range(300, len(bins)):
        yield {w: min(1.0, sum(bins[i - w + 1 : i + 1]) * scales[w]) for w in WINDOWS}


def main():
    samples = list(points(STEPS))
    forest = anomaly.HalfSpaceTrees(n_trees=25, height=8, window_size=250, seed=1)
    for sample in samples:
        forest.learn_one(sample)
    costs = []
    for _ in range(5):
        start = time.process_time()
        for sample in samples:
            forest.score_one(sample)
            forest.learn_one(sample)
        costs.append((time.process_time() - start) / STEPS * 1e6)
    print(f"river {river.__version__} HalfSpaceTrees 25x8, window 250: {statistics.median(costs):.1f} us")


if __name__ == "__main__":
    main()
