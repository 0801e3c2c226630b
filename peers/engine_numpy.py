"""W4 in NumPy: people in chunks, float32, its SFC64 generator (peers/engine)."""

import os

import engine_common as common

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

USERS, CHUNK, STEPS = 1 << 18, 1 << 14, common.STEPS
f = np.float32
reactive, intentional = common.tables()


def table(of):
    """The reactive entries by state and content, and what an intentional person's differ by."""
    low, high = (
        np.array([[of(cell) for cell in row] for row in rows]).reshape(-1)
        for rows in (reactive, intentional)
    )
    return low.astype(f), (high - low).astype(f)


MEAN, D_MEAN = table(lambda cell: cell[0])
VARIANCE, D_VARIANCE = table(lambda cell: cell[1])
CUT0, D_CUT0 = table(lambda cell: cell[2][0])
CUT1, D_CUT1 = table(lambda cell: cell[2][0] + cell[2][1])
WEIGHT = np.array(common.weights(), f).reshape(-1)


def chunk(first, rng, trace):
    u = np.arange(first, first + CHUNK, dtype=np.uint32)
    lam = (u * np.uint32(common.GOLDEN) >> np.uint32(8)).astype(f) * f(2**-24)
    kind4 = (u & 3).astype(np.intp) * 4
    theta = np.zeros(12 * CHUNK, f)
    baseline, state = np.zeros(CHUNK, f), np.zeros(CHUNK, np.intp)
    lane, p = np.arange(CHUNK), np.empty((4, CHUNK), f)
    for t in range(STEPS):
        s4 = state * 4
        for k in range(4):
            np.take(theta, (s4 + k) * CHUNK + lane, out=p[k])
        p -= p.max(0)
        np.exp(p, out=p)
        x = rng.random(CHUNK, dtype=f) * p.sum(0)
        a = (x >= p[0]).astype(np.intp)
        a += x >= p[0] + p[1]
        a += x >= p[0] + p[1] + p[2]
        p /= p.sum(0)
        i = s4 + a
        reaction = rng.standard_normal(CHUNK, dtype=f)
        reaction *= np.sqrt(VARIANCE[i] + lam * D_VARIANCE[i])
        reaction += WEIGHT[kind4 + a] * (MEAN[i] + lam * D_MEAN[i])
        np.maximum(reaction, f(common.FLOOR), out=reaction)
        baseline += (reaction - baseline) / f(t + 1)
        push = f(common.ALPHA) * (reaction - baseline)
        for k in range(4):
            theta[(s4 + k) * CHUNK + lane] -= push * p[k]
        theta[i * CHUNK + lane] += push
        us = rng.random(CHUNK, dtype=f)
        state = (us >= CUT0[i] + lam * D_CUT0[i]).astype(np.intp)
        state += us >= CUT1[i] + lam * D_CUT1[i]
        trace[t, 0] += reaction.sum()
        trace[t, 1:4] += np.bincount(state, minlength=3)
        trace[t, 4:] += np.bincount(a, minlength=4)


def run():
    rng = np.random.Generator(np.random.SFC64(1))
    trace = np.zeros((STEPS, 8))
    for first in range(0, USERS, CHUNK):
        chunk(first, rng, trace)
    last = trace[-1]
    return last[0], last[2:4], last[5:]


common.serve(f"NumPy {np.__version__}, chunks of {CHUNK}", USERS, run)
