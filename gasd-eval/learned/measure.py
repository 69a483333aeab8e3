# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a model's logits are worth: an e-value from homes that it has not seen, and litres at equal false alarms.

An *episode* is a stretch of a use in which a rule is half-way or further; its score is the largest logit so far.
"""

import numpy as np

from data import CLASSES, CLASS, DECIDED, FLOW, HALF, HOME, LEAK, PART, SINCE_S


def running(examples, logits):
    """The score of each row's episode so far; -inf where no rule is half-way."""
    armed = examples.meta[:, PART] >= HALF
    score = np.full(len(logits), -np.inf)
    for begin, end in examples.uses:
        best = -np.inf
        for at in range(begin, end):
            best = max(best, logits[at]) if armed[at] else -np.inf
            score[at] = best
    return score


def episodes(examples, score):
    """Home and final score of each episode of the sound homes."""
    found = []
    for begin, end in examples.uses:
        if examples.meta[begin, LEAK] > 0:
            continue
        part = score[begin:end]
        armed = np.isfinite(part)
        last = armed & ~np.concatenate([armed[1:], [False]])
        found += [(examples.meta[begin, HOME], s) for s in part[last]]
    return np.array(found)


def bounds(examples, score):
    """Between which scores the e-value follows the logit: most of the leaks reach the upper one."""
    leaking = score[(examples.meta[:, LEAK] > 0) & np.isfinite(score)]
    return float(np.quantile(leaking, 0.05)), float(np.quantile(leaking, 0.9))


def e_values(found, low, high):
    """ln e of a score s is s, kept within [low, high], plus what is returned.

    Conformal: with F(s) = exp(s) kept within bounds, F_i the mean of home i's episodes and n homes, E = F(s)·(n + 1) /
    (ΣF_i + F(high)) has a mean of at most 1 over a random episode of one more home that is exchangeable with the n, for
    every n: F of that home is at most F(high), and with it in the sum the mean would be exactly 1 at most.
    """
    f = np.exp(np.clip(found[:, 1], low, high))
    homes = np.unique(found[:, 0])
    means = np.array([f[found[:, 0] == home].mean() for home in homes])
    return np.log((len(homes) + 1) / (means.sum() + np.exp(high))), len(homes)


def mean_e(found, low, high, shift):
    """The mean e-value over homes, and its standard error."""
    e = np.exp(np.clip(found[:, 1], low, high) + shift)
    means = np.array([e[found[:, 0] == home].mean() for home in np.unique(found[:, 0])])
    return means.mean(), means.std(ddof=1) / np.sqrt(len(means))


def decide(examples, shares):
    """With the share of its limit that suffices in each row: for each leak its class, the litres until a rule speaks, and
    what they would be without advice; and in how many episodes of sound homes one spoke only because of it."""
    meta, cries, trials = examples.meta, 0, {}
    speaks = meta[:, PART] >= shares
    for begin, end in examples.uses:
        said = np.flatnonzero(speaks[begin:end])
        if meta[begin, LEAK] == 0:
            if len(said):
                cries += alone(meta[begin:end], said)
            continue
        key = (meta[begin, HOME], meta[begin, LEAK])
        since = np.maximum(meta[begin:end, SINCE_S], 0) * meta[end - 1, FLOW] / 3.6
        one = trials.setdefault(key, [int(meta[begin, CLASS]), None, 0.0])
        # A rule that speaks before the leak began speaks of something else.
        said = said[meta[begin + said, SINCE_S] >= 0]
        if one[1] is None and len(said):
            one[1] = since[said[0]]
        one[2] = since[-1]
    rows = np.array([(c, whole if told is None else told, whole) for c, told, whole in trials.values()])
    return rows, cries


def alone(meta, said):
    """Episodes of a use in which something was said and no rule speaks by itself."""
    armed = np.concatenate([[False], meta[:, PART] >= HALF, [False]])
    begins, ends = np.flatnonzero(armed[1:] & ~armed[:-1]), np.flatnonzero(~armed[1:] & armed[:-1])
    count = 0
    for b, e in zip(begins, ends):
        # What a rule says of itself is seen a minute later.
        count += int(np.any((said >= b) & (said < e)) and not np.any(meta[b : e + 1, DECIDED]))
    return count


def share(score, shift, low, high, full):
    """What part of its limit a rule may decide at: gasd_detect::learned."""
    log_e = np.where(np.isfinite(score), np.clip(score, low, high) + shift, 0.0)
    return 1.0 - 0.5 * np.clip(log_e / np.log(full), 0.0, 1.0)


def saved(rows):
    """Mean over leaks of the part of the litres that is not released."""
    kept = rows[:, 2] > 0
    return float(np.mean(1 - rows[kept, 1] / rows[kept, 2]))


def at_budget(curve, budget):
    """From points (cries, saved), what is saved with at most `budget` cries."""
    return max((s for cries, s in curve if cries <= budget), default=0.0)


def blind(examples):
    """The curve of rules that ask for less of everything, whatever a model says."""
    points = []
    for part in np.linspace(1.0, 0.5, 41):
        rows, cries = decide(examples, np.full(len(examples.x), part))
        points.append((cries, saved(rows)))
    return points


def by_class(rows):
    """Median litres with and without advice, by class."""
    out = []
    for c, name in enumerate(CLASSES):
        mine = rows[rows[:, 0] == c]
        if len(mine):
            out.append(f"{name}: {np.median(mine[:, 1]):.0f} of {np.median(mine[:, 2]):.0f} L ({len(mine)})")
    return "; ".join(out)
