# SPDX-License-Identifier: MIT OR Apache-2.0
"""Trains the learned model, compares it with simpler ones, and writes what gasd-detect ships.

    gasd-eval features EXAMPLES
    python3 train.py EXAMPLES ../../gasd-detect/src/learned --date YYYY-MM-DD --generator COMMIT
"""

import argparse
import time
from pathlib import Path

import numpy as np

import cells
import export
import measure
from data import Examples

CHUNK, BATCH = 96, 128
# What is compared; the first number is the size of the state.
CANDIDATES = [(cells.Linear, 0), (cells.Gru, 16), (cells.Gru, 32), (cells.Lstm, 16), (cells.Lstm, 32)]


def chunks(examples, x, rng=None, most=None):
    """Batches of uses of about the same length, each as pieces of at most CHUNK minutes: (x, rows) with time first; rows
    are -1 where a use is over."""
    uses = sorted(examples.uses, key=lambda u: u[1] - u[0])
    groups = [uses[i : i + BATCH] for i in range(0, len(uses), BATCH)]
    if rng is not None:
        rng.shuffle(groups)
    for group in groups:
        longest = max(e - b for b, e in group)
        for at in range(0, min(longest, most or longest), CHUNK):
            rows = np.full((min(CHUNK, longest - at), len(group)), -1)
            for j, (b, e) in enumerate(group):
                n = min(len(rows), e - b - at)
                if n > 0:
                    rows[:n, j] = np.arange(b + at, b + at + n)
            yield at == 0, np.where(rows[..., None] >= 0, x[rows], 0), rows


def logits(cell, p, examples, x):
    out, state = np.zeros(len(x), np.float32), None
    for first, piece, rows in chunks(examples, x):
        if first:
            state = cell.state(piece.shape[1], p["v"].size)
        y, state, _ = cell.forward(p, piece, state)
        out[rows[rows >= 0]] = y[rows >= 0]
    return out


def train(cell, hidden, examples, x, seed, epochs):
    rng = np.random.default_rng(seed)
    p = {k: v.astype(np.float32) for k, v in cell.init(rng, x.shape[1], hidden).items()}
    label, weight = examples.targets()
    m = {k: np.zeros_like(v) for k, v in p.items()}
    v = {k: np.zeros_like(v) for k, v in p.items()}
    step, state = 0, None
    for epoch in range(epochs):
        began, total, count = time.time(), 0.0, 0
        rate = 0.004 * 0.5 * (1 + np.cos(np.pi * epoch / epochs)) + 1e-4
        # Of uses that last for days the first ten hours teach enough.
        for first, piece, rows in chunks(examples, x, rng, most=600):
            if first:
                state = cell.state(piece.shape[1], hidden)
            y, state, kept = cell.forward(p, piece, state)
            there = rows >= 0
            w = np.where(there, weight[rows], 0).astype(np.float32)
            target = np.where(there, label[rows], 0).astype(np.float32)
            chance = cells.sigmoid(y)
            total += (w * np.where(target > 0, -np.log(chance + 1e-7), -np.log(1 - chance + 1e-7))).sum()
            count += there.sum()
            scale = np.float32(1.0 / max(w.sum(), 0.1 * there.sum(), 1.0))
            grads = cell.backward(p, kept, (w * (chance - target) * scale).astype(np.float32))
            norm = np.sqrt(sum(float((g * g).sum()) for g in grads.values()))
            step += 1
            for key, g in grads.items():
                g = g * min(1.0, 1.0 / (norm + 1e-9))
                m[key] += 0.1 * (g - m[key])
                v[key] += 0.001 * (g * g - v[key])
                fix = np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
                p[key] -= (rate * fix * m[key] / (np.sqrt(v[key]) + 1e-8)).astype(np.float32)
        print(f"{cell.name} {hidden}: epoch {epoch + 1}, loss {total / count:.4f}, {time.time() - began:.0f} s", flush=True)
    return p


def curve(examples, score, low, high, shift):
    points = []
    for full in np.exp(np.linspace(0.2, 6.0, 30)):
        rows, cries = measure.decide(examples, measure.share(score, shift, low, high, full))
        points.append((cries, measure.saved(rows), full))
    return points


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("examples", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--date", required=True)
    parser.add_argument("--generator", required=True, help="commit of the generator")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    cells.check_gradients()
    learn, choose = Examples(asked.examples, "train"), Examples(asked.examples, "choose")
    mean, scale = learn.x.mean(0), np.maximum(learn.x.std(0), 1e-2)
    x = {s: ((s.x - mean) / scale).astype(np.float32) for s in (learn, choose)}

    # Cries in the choosing set that may be added: a tenth a meter-year of 300 days and homes that were watched.
    homes = len(np.unique(choose.meta[:, measure.HOME]))
    budget = 0.1 * homes * 300 / 365
    best, table = None, []
    blind = measure.at_budget(measure.blind(choose), budget)
    table.append(f"no model, every rule asks for less: {100 * blind:.1f} % of the litres saved")
    for cell, hidden in CANDIDATES:
        p = train(cell, hidden, learn, x[learn], asked.seed, asked.epochs)
        score = measure.running(choose, logits(cell, p, choose, x[choose]))
        low, high = measure.bounds(choose, score)
        found = measure.episodes(choose, score)
        shift, _ = measure.e_values(found, low, high)
        points = curve(choose, score, low, high, shift)
        saved = measure.at_budget([q[:2] for q in points], budget)
        table.append(f"{cell.name} {hidden}: {100 * saved:.1f} % of the litres saved")
        print(table[-1], flush=True)
        if best is None or saved > best[0]:
            best = (saved, cell, hidden, p)
    print("\n".join(table))
    if best[0] <= 0:
        raise SystemExit("no model saves anything at these false alarms: no weights are written, the old ones stay")

    _, cell, hidden, p = best
    # Looked at only now that the choice is made.
    calibrate, test = Examples(asked.examples, "calibrate"), Examples(asked.examples, "test")
    x |= {s: ((s.x - mean) / scale).astype(np.float32) for s in (calibrate, test)}

    def by(weights, examples):
        return logits(cell, weights, examples, x[examples])

    export.write(asked, cell, hidden, p, mean, scale, (learn, choose, calibrate, test), by, table)


if __name__ == "__main__":
    main()
