# SPDX-License-Identifier: MIT OR Apache-2.0
"""Reads what `gasd-eval features` wrote: uses of gas, minute by minute."""

import hashlib
from pathlib import Path

import numpy as np

COLUMNS = 8
HOME, USE, LEAK, CLASS, SINCE_S, FLOW, PART, DECIDED = range(COLUMNS)
# The advised rules must reach this part by themselves: gasd_detect::learned::HALF.
HALF = 0.5
CLASSES = ["quiet hour", "forgotten burner", "0.1 m³/h", "0.2 m³/h", "0.5 m³/h", "1 m³/h", "2 m³/h", "6 m³/h"]


class Examples:
    """Rows of one set; `uses` are slices of them, `x` is float32[rows, features]."""

    def __init__(self, folder: Path, name: str):
        self.file = folder / f"{name}.f32"
        names = (folder / "columns.txt").read_text().splitlines()[1].split()
        self.names = names[COLUMNS:]
        rows = np.fromfile(self.file, dtype="<f4").reshape(-1, len(names))
        self.meta, self.x = rows[:, :COLUMNS], np.ascontiguousarray(rows[:, COLUMNS:])
        starts = np.flatnonzero(np.any(np.diff(self.meta[:, [HOME, USE]], axis=0) != 0, axis=1)) + 1
        bounds = np.concatenate([[0], starts, [len(rows)]])
        self.uses = self.until_decided(list(zip(bounds[:-1], bounds[1:])))

    def until_decided(self, uses):
        """The uses without what comes after a rule has spoken of the leak: it is found, and nothing is asked any more."""
        kept, found = [], set()
        for begin, end in uses:
            meta = self.meta[begin:end]
            leak = (meta[0, HOME], meta[0, LEAK])
            if leak[1] > 0:
                if leak in found:
                    continue
                decided = np.flatnonzero((meta[:, DECIDED] > 0) & (meta[:, SINCE_S] >= 0))
                if len(decided):
                    found.add(leak)
                    end = begin + decided[0] + 1
            kept.append((begin, end))
        return kept

    def sha256(self) -> str:
        return hashlib.sha256(self.file.read_bytes()).hexdigest()

    def targets(self):
        """Label and weight of each row: 1 while it leaks; nothing is asked of what came before the leak. Rows in which no
        rule is half-way count little, and a long use not as much as its minutes."""
        within = np.zeros(len(self.meta), bool)
        for begin, end in self.uses:
            within[begin:end] = True
        label = (self.meta[:, SINCE_S] >= 0) & (self.meta[:, LEAK] > 0)
        weight = np.where(self.meta[:, PART] >= HALF, 1.0, 0.1)
        weight[(self.meta[:, LEAK] > 0) & ~label] = 0.0
        weight[~within] = 0.0
        for begin, end in self.uses:
            weight[begin:end] /= np.sqrt(max(1.0, weight[begin:end].sum()))
        for kind in (label, ~label):
            weight[kind] *= 0.5 * len(weight) / weight[kind].sum()
        return label.astype(np.float32), weight.astype(np.float32)
