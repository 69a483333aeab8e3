# SPDX-License-Identifier: MIT OR Apache-2.0
"""Models small enough to differentiate by hand: a linear one, a GRU and an LSTM, each with one logit a step.

Time runs along the first axis. Parameters are a dict of arrays; `forward` returns logits, the last state and what
`backward` needs. Gates are stacked: r, z, n of the GRU; i, f, g, o of the LSTM.
"""

import numpy as np


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-np.clip(x, -30, 30)))


class Linear:
    gates, name = 0, "linear"

    @staticmethod
    def init(rng, features, hidden):
        return {"v": np.zeros(features), "c": np.zeros(1)}

    @staticmethod
    def state(batch, hidden):
        return ()

    @staticmethod
    def forward(p, x, state):
        return x @ p["v"] + p["c"], state, x

    @staticmethod
    def backward(p, saved, grad):
        return {"v": np.tensordot(grad, saved, 2), "c": np.array([grad.sum()])}


def recurrent(rng, features, hidden, gates):
    scale = 1.0 / np.sqrt(hidden)
    p = {
        "w": rng.uniform(-scale, scale, (gates * hidden, features)),
        "u": rng.uniform(-scale, scale, (gates * hidden, hidden)),
        "b": np.zeros(gates * hidden),
        "v": rng.uniform(-scale, scale, hidden),
        "c": np.zeros(1),
    }
    return p


class Gru:
    """r, z = σ(Wx + b + Uh); n = tanh(Wx + b + r·(Uh + d)); h' = (1 − z)·n + z·h"""

    gates, name = 3, "gru"

    @staticmethod
    def init(rng, features, hidden):
        return recurrent(rng, features, hidden, 3) | {"d": np.zeros(hidden)}

    @staticmethod
    def state(batch, hidden):
        return (np.zeros((batch, hidden), np.float32),)

    @staticmethod
    def forward(p, x, state):
        (h,), n_h = state, p["v"].size
        a = x @ p["w"].T + p["b"]
        saved, hs = [], np.empty((*x.shape[:2], n_h), x.dtype)
        for t in range(len(x)):
            m = h @ p["u"].T
            rz = sigmoid(a[t, :, : 2 * n_h] + m[:, : 2 * n_h])
            r, z = rz[:, :n_h], rz[:, n_h:]
            q = m[:, 2 * n_h :] + p["d"]
            n = np.tanh(a[t, :, 2 * n_h :] + r * q)
            saved.append((h, r, z, q, n))
            h = (1 - z) * n + z * h
            hs[t] = h
        return hs @ p["v"] + p["c"], (h,), (x, hs, saved)

    @staticmethod
    def backward(p, kept, grad):
        x, hs, saved = kept
        n_h = p["v"].size
        g = {"v": np.tensordot(grad, hs, 2), "c": np.array([grad.sum()])}
        da = np.empty((*x.shape[:2], 3 * n_h), x.dtype)
        du, dd = np.zeros_like(p["u"]), np.zeros_like(p["d"])
        dh = np.zeros_like(hs[0])
        for t in reversed(range(len(x))):
            h, r, z, q, n = saved[t]
            dh = dh + grad[t][:, None] * p["v"]
            dn = dh * (1 - z) * (1 - n * n)
            dz = dh * (h - n) * z * (1 - z)
            dr = dn * q * r * (1 - r)
            da[t] = np.concatenate([dr, dz, dn], 1)
            dm = np.concatenate([dr, dz, dn * r], 1)
            du += dm.T @ h
            dd += (dn * r).sum(0)
            dh = dh * z + dm @ p["u"]
        return g | {"w": np.tensordot(da, x, ([0, 1], [0, 1])), "u": du, "b": da.sum((0, 1)), "d": dd}


class Lstm:
    """i, f, o = σ(Wx + b + Uh); g = tanh(Wx + b + Uh); c' = f·c + i·g; h' = o·tanh(c')"""

    gates, name = 4, "lstm"

    @staticmethod
    def init(rng, features, hidden):
        p = recurrent(rng, features, hidden, 4)
        p["b"][hidden : 2 * hidden] = 1.0
        return p

    @staticmethod
    def state(batch, hidden):
        return (np.zeros((batch, hidden), np.float32), np.zeros((batch, hidden), np.float32))

    @staticmethod
    def forward(p, x, state):
        (h, c), n_h = state, p["v"].size
        a = x @ p["w"].T + p["b"]
        saved, hs = [], np.empty((*x.shape[:2], n_h), x.dtype)
        for t in range(len(x)):
            m = a[t] + h @ p["u"].T
            i, f, o = (sigmoid(m[:, k * n_h : (k + 1) * n_h]) for k in (0, 1, 3))
            g = np.tanh(m[:, 2 * n_h : 3 * n_h])
            before, c = c, f * c + i * g
            tc = np.tanh(c)
            saved.append((h, before, i, f, g, o, tc))
            h = o * tc
            hs[t] = h
        return hs @ p["v"] + p["c"], (h, c), (x, hs, saved)

    @staticmethod
    def backward(p, kept, grad):
        x, hs, saved = kept
        n_h = p["v"].size
        g_all = {"v": np.tensordot(grad, hs, 2), "c": np.array([grad.sum()])}
        da = np.empty((*x.shape[:2], 4 * n_h), x.dtype)
        du = np.zeros_like(p["u"])
        dh, dc = np.zeros_like(hs[0]), np.zeros_like(hs[0])
        for t in reversed(range(len(x))):
            h, before, i, f, g, o, tc = saved[t]
            dh = dh + grad[t][:, None] * p["v"]
            do = dh * tc * o * (1 - o)
            dc = dc + dh * o * (1 - tc * tc)
            da[t] = np.concatenate([dc * g * i * (1 - i), dc * before * f * (1 - f), dc * i * (1 - g * g), do], 1)
            du += da[t].T @ h
            dh, dc = da[t] @ p["u"], dc * f
        return g_all | {"w": np.tensordot(da, x, ([0, 1], [0, 1])), "u": du, "b": da.sum((0, 1))}


def check_gradients():
    """Backward against differences, in double precision; raises if one is wrong."""
    rng = np.random.default_rng(7)
    x, target = rng.normal(size=(5, 3, 4)), rng.normal(size=(5, 3))
    for cell in (Linear, Gru, Lstm):
        p = {k: v + 0.1 * rng.normal(size=v.shape) for k, v in cell.init(rng, 4, 6).items()}
        state = tuple(0.3 * rng.normal(size=(3, 6)) for _ in cell.state(3, 6))

        def loss():
            return (cell.forward(p, x, state)[0] * target).sum()

        grads = cell.backward(p, cell.forward(p, x, state)[2], target)
        for key, value in p.items():
            for at in [tuple(rng.integers(n) for n in value.shape) for _ in range(10)]:
                kept = value[at]
                value[at] = kept + 1e-5
                up = loss()
                value[at] = kept - 1e-5
                down = loss()
                value[at] = kept
                wrong = abs((up - down) / 2e-5 - grads[key][at])
                assert wrong < 1e-6, (cell.name, key, at, wrong)
