# SPDX-License-Identifier: MIT OR Apache-2.0
"""Writes what is shipped: 8-bit weights, where they come from, numbers to test the cell with, and the model as ONNX.

The layout of the weights is told in gasd-detect/src/learned/model.rs.
"""

import hashlib
import struct
from pathlib import Path

import numpy as np

import cells
import measure

KIND = {"gru": 1, "lstm": 2}
# Steps of the numbers to test with.
STEPS = 48


def quantised(p):
    """Weights as (scale a row, 8-bit rows), and the parameters with what is left of them."""
    rows, left = {}, dict(p)
    for key in ("w", "u"):
        scale = (np.abs(p[key]).max(1) / 127).astype(np.float32)
        scale[scale == 0] = 1.0
        rows[key] = (scale, np.clip(np.round(p[key] / scale[:, None]), -127, 127).astype(np.int8))
        left[key] = (rows[key][0][:, None] * rows[key][1]).astype(np.float32)
    return rows, left


def blob(cell, hidden, p, rows, mean, scale, e_value):
    def f32(a):
        return np.asarray(a, "<f4").tobytes()

    out = b"gasM" + struct.pack("<BBBB", 1, KIND[cell.name], len(mean), hidden) + f32(mean) + f32(scale)
    for key in ("w", "u"):
        out += f32(rows[key][0]) + rows[key][1].tobytes()
    out += f32(p["b"]) + (f32(p["d"]) if cell.name == "gru" else b"")
    return out + f32(p["v"]) + f32(p["c"]) + f32(e_value)


def numbers(cell, hidden, p, left, mean, scale, examples):
    """Steps of one use: the features, the logit by the 8-bit weights and by those before, in double precision."""
    begin, end = next(u for u in examples.uses if u[1] - u[0] >= STEPS and examples.meta[u[1] - 1, measure.LEAK] > 0)
    x = examples.x[begin : begin + STEPS].astype(np.float64)
    out = []
    for weights in (left, p):
        double = {k: v.astype(np.float64) for k, v in weights.items()}
        state = tuple(np.zeros((1, hidden)) for _ in cell.state(1, hidden))
        normal = ((x - mean.astype("f4")) * scale.astype("f4"))[:, None, :]
        out.append(cell.forward(double, normal, state)[0][:, 0])
    lines = ["# features, then the logit by the 8-bit weights and by those before they were rounded"]
    lines += [" ".join(f"{v:.9g}" for v in (*x[t].astype("f4"), out[0][t], out[1][t])) for t in range(STEPS)]
    return "\n".join(lines) + "\n"


def onnx_model(cell, hidden, p, mean, scale):
    """One step as a graph of plain operators: `features` [1, F] and the state in, `logit` [1, 1] and the state out."""
    from onnx import TensorProto, checker, helper, numpy_helper

    nodes, constants = [], []

    def constant(name, value):
        constants.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    def op(kind, *inputs, out=None, **attributes):
        out = out or f"n{len(nodes)}"
        nodes.append(helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def part(name, gate):
        return op("Slice", name, *(f"at{gate}", f"at{gate + 1}", "axis"))

    axis = numpy_helper.from_array(np.array([1], np.int64), "axis")
    cuts = [numpy_helper.from_array(np.array([g * hidden], np.int64), f"at{g}") for g in range(cell.gates + 1)]
    x = op("Mul", op("Sub", "features", constant("mean", mean)), constant("scale", scale))
    a = op("Add", op("MatMul", x, constant("w", p["w"].T)), constant("b", p["b"]))
    u = op("MatMul", "h", constant("u", p["u"].T))
    if cell.name == "gru":
        r, z = (op("Sigmoid", op("Add", part(a, g), part(u, g))) for g in (0, 1))
        q = op("Add", part(u, 2), constant("d", p["d"]))
        n = op("Tanh", op("Add", part(a, 2), op("Mul", r, q)))
        kept = op("Mul", z, op("Sub", "h", n))
        h = op("Add", n, kept, out="h_next")
        states = ["h"]
    else:
        m = op("Add", a, u)
        i, f, o = (op("Sigmoid", part(m, g)) for g in (0, 1, 3))
        new = op("Mul", i, op("Tanh", part(m, 2)))
        c = op("Add", op("Mul", f, "c"), new, out="c_next")
        h = op("Mul", o, op("Tanh", c), out="h_next")
        states = ["h", "c"]
    op("Add", op("MatMul", h, constant("v", p["v"][:, None])), constant("k", p["c"]), out="logit")

    def value(name, n):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, n])

    graph = helper.make_graph(
        nodes,
        "gasd-learned-step",
        [value("features", len(mean))] + [value(s, hidden) for s in states],
        [value("logit", 1)] + [value(f"{s}_next", hidden) for s in states],
        constants + cuts + [axis],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="gasd-eval/learned")
    model.ir_version = 9
    checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def text(asked, facts, sets, table, weights):
    here = Path(__file__).parent
    scripts = "\n".join(f"  {n} {sha256((here / n).read_bytes())}" for n in ("train.py", "cells.py", "data.py", "measure.py", "export.py"))
    examples = "\n".join(f"  {s.file.name} {s.sha256()} ({len(s.x)} minutes of {len(s.uses)} uses)" for s in sets)
    return f"""Where gasd-detect/src/learned/model.bin comes from.

sha256 of model.bin: {sha256(weights)}
made on: {asked.date}
by: gasd-eval/learned/train.py, seed {asked.seed}, {asked.epochs} epochs, numpy {np.__version__}; sha256 of the scripts:
{scripts}
examples by: gasd-eval features, commit {asked.generator}; sha256:
{examples}
homes: generated by gasd-eval, seeds from 1000000 (training), 2000000 (choice), 3000000 (calibration), 4000000 (test);
  recordings: every other one of CIWS (BSD-3-Clause), WEUSEDTO and IDEAL (CC BY 4.0) for training, the rest for the test

{facts}

Compared on the homes for choosing, at 0.1 more false alarms a meter-year; the best is shipped:
""" + "".join(f"  {line}\n" for line in table)


def write(asked, cell, hidden, p, mean, scale, sets, logits, table):
    """Quantises, calibrates on homes that nothing was chosen by, tests, and writes the files."""
    learn, choose, calibrate, test = sets
    inverse = (1.0 / scale).astype(np.float32)
    rows, left = quantised(p)
    score = {s: measure.running(s, logits(left, s)) for s in (choose, calibrate, test)}
    low, high = measure.bounds(choose, score[choose])
    found = measure.episodes(calibrate, score[calibrate])
    shift, homes = measure.e_values(found, low, high)
    # Recordings have homes from half a million on.
    held_out = measure.episodes(test, score[test])
    generated = held_out[held_out[:, 0] < 500_000]
    recorded = held_out[held_out[:, 0] >= 500_000]
    facts = [
        f"model: {cell.name.upper()}, state of {hidden}, {len(mean)} features, {sum(v.size for v in p.values())} parameters",
        f"e-value: exp(logit kept within [{low:.3f}, {high:.3f}] + {shift:.3f}), at most {np.exp(high + shift):.1f};",
        f"  calibrated on {len(found)} episodes of {homes} sound homes that it was neither trained on nor chosen by",
    ]
    for name, some in (("generated test homes", generated), ("recordings for the test", recorded)):
        if len(some) and len(np.unique(some[:, 0])) > 1:
            mean_e, error = measure.mean_e(some, low, high, shift)
            facts.append(f"mean e-value in sound {name}: {mean_e:.2f} ± {error:.2f} ({len(some)} episodes, {len(np.unique(some[:, 0]))} homes)")
    weights = blob(cell, hidden, p, rows, mean, inverse, [low, high, shift])
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "model.bin").write_bytes(weights)
    (asked.out / "model.txt").write_text(text(asked, "\n".join(facts), sets, table, weights))
    (asked.out / "reference.txt").write_text(numbers(cell, hidden, p, left, mean, inverse, choose))
    (Path(__file__).parent / "model.onnx").write_bytes(onnx_model(cell, hidden, left, mean, inverse))
    print((asked.out / "model.txt").read_text())
