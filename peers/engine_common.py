"""What the peers of the engine share: the model's constants, and answering the rounds of peers/engine.

Imports the standard library only, so that a peer can set its environment before it loads its packages.
The tables are those of the public demo ranfysvalle02/hooked (MIT, (c) 2026 Fabian Valle), commit 1e79685.
"""

import json
import sys
import time

STEPS = 250
ALPHA = 0.08
FLOOR = 0.1
# By state calm, engaged, hooked: mean reaction, its variance, next state.
INFO_MEAN = (1.5, 1.2, 0.8)
INFO_VARIANCE = (0.10, 0.08, 0.05)
INFO_NEXT = ((0.85, 0.15, 0.00), (0.45, 0.50, 0.05), (0.20, 0.55, 0.25))
BAIT_MEAN = (2.5, 5.5, 8.0)
BAIT_VARIANCE = (1.0, 3.0, 5.0)
BAIT_NEXT = ((0.25, 0.65, 0.10), (0.05, 0.35, 0.60), (0.00, 0.08, 0.92))
# In W4 the lambda of user u is frac(u * GOLDEN / 2**32).
GOLDEN = 2654435769


def cut(rows, column):
    """Probability, by state, of going to a state up to `column`."""
    return tuple(sum(row[: column + 1]) for row in rows)


def tables():
    """[state][content] of (mean, variance, next state) in W4, for a reactive and for an intentional person."""
    reactive, intentional = [], []
    for s in range(3):
        info = (INFO_MEAN[s], INFO_VARIANCE[s], INFO_NEXT[s])
        bait = (BAIT_MEAN[s], BAIT_VARIANCE[s], BAIT_NEXT[s])
        reactive.append([info, bait, bait, bait])
        intentional.append([bait, info, info, info])
    return reactive, intentional


def weights():
    """[kind of person][content] in W4."""
    return [[1.0 if k in (0, kind) else 0.5 for k in range(4)] for kind in range(4)]


def result(users, reaction, states, shown):
    """The sums of the last step as means: reaction; engaged, hooked; shown each bait."""
    shares = lambda counts: [round(float(n) / users, 4) for n in counts]
    return {"reaction": float(reaction) / users, "states": shares(states), "shown": shares(shown)}


def serve(engine, users, run):
    """Says that it is ready, then for every line of standard input does `run` once and prints its CPU time and result."""
    print(json.dumps({"engine": engine}), flush=True)
    for _ in sys.stdin:
        start = time.process_time()
        last = run()
        cpu = time.process_time() - start
        print(json.dumps({"cpu": cpu, "users": users, **result(users, *last)}), flush=True)
