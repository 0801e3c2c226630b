"""W2 as the public demo computes it: one person at a time, NumPy scalars, float64 (peers/engine).

The published algorithm written anew, not a copy of its source: two logits, a baseline that already contains
the new reaction, one generator per person.
"""

import os

import engine_common as common

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

USERS, STEPS = 1000, common.STEPS
NEXT = (common.INFO_NEXT, common.BAIT_NEXT)
MEAN = (common.INFO_MEAN, common.BAIT_MEAN)
VARIANCE = (common.INFO_VARIANCE, common.BAIT_VARIANCE)


def person(lam, seed, trace):
    rng = np.random.default_rng(seed)
    theta = np.zeros(2)
    state, baseline = 0, 0.0
    for t in range(STEPS):
        e = np.exp(theta - np.max(theta))
        p = e / np.sum(e)
        a = int(rng.choice([0, 1], p=p))
        blend = lambda tables: (1 - lam) * tables[a][state] + lam * tables[1 - a][state]
        reaction = max(common.FLOOR, rng.normal(blend(MEAN), np.sqrt(blend(VARIANCE))))
        baseline += (reaction - baseline) / (t + 1)
        direction = -p
        direction[a] += 1.0
        theta += common.ALPHA * (reaction - baseline) * direction
        rows = zip(NEXT[a][state], NEXT[1 - a][state])
        state = int(rng.choice(3, p=[(1 - lam) * r + lam * i for r, i in rows]))
        row = trace[t]
        row[0] += reaction
        row[1 + state] += 1
        row[4 + a] += 1


def run():
    trace = [[0.0] * 6 for _ in range(STEPS)]
    for u in range(USERS):
        person((u + 0.5) / USERS, u, trace)
    last = trace[-1]
    return last[0], last[2:4], last[5:]


common.serve("the demo's loop, written anew", USERS, run)
