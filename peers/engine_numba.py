"""W4 in Numba: a scalar loop, people outside and time inside, fastmath (peers/engine).

Its generator is the 32-bit hash chain of engine_jax.py.
"""

import math
import os

import engine_common as common

os.environ["NUMBA_NUM_THREADS"] = "1"

import numba as nb
import numpy as np

USERS, STEPS = 1 << 18, common.STEPS
f, u32 = np.float32, nb.uint32
reactive, intentional = common.tables()


def table(of):
    """The reactive entries by state and content, and what an intentional person's differ by."""
    low, high = (
        np.array([[of(cell) for cell in row] for row in rows]).reshape(-1)
        for rows in (reactive, intentional)
    )
    return low.astype(f), (high - low).astype(f)


TABLES = (
    *table(lambda cell: cell[0]),
    *table(lambda cell: cell[1]),
    *table(lambda cell: cell[2][0]),
    *table(lambda cell: cell[2][0] + cell[2][1]),
    np.array(common.weights(), f),
)


@nb.njit(fastmath=True, inline="always")
def mix(x):
    x = u32(x)
    x = u32((x ^ (x >> u32(16))) * u32(0x7FEB352D))
    x = u32((x ^ (x >> u32(15))) * u32(0x846CA68B))
    return u32(x ^ (x >> u32(16)))


@nb.njit(fastmath=True, inline="always")
def uniform(h):
    return nb.float32(h >> u32(8)) * nb.float32(2**-24)


@nb.njit(fastmath=True)
def simulate(users, steps, mean, d_mean, var, d_var, cut0, d_cut0, cut1, d_cut1, weight):
    trace = np.zeros((steps, 8))
    theta = np.empty((3, 4), np.float32)
    for u in range(users):
        lam = nb.float32(u32(u * 2654435769) >> u32(8)) * nb.float32(2**-24)
        kind = u & 3
        theta[:, :] = 0
        b = nb.float32(0)
        s = 0
        base = mix(u * 0x9E3779B9 + 12345)
        for t in range(steps):
            h = mix(base + u32(t * 0x85EBCA6B))
            ua = uniform(h)
            us = uniform(mix(h + u32(0x68BC21EB)))
            u1 = uniform(mix(h ^ u32(0x02E5BE93))) + nb.float32(2**-25)
            u2 = uniform(mix(h + u32(0x967A889B)))
            z = math.sqrt(nb.float32(-2) * math.log(u1)) * math.cos(nb.float32(6.2831853) * u2)
            e0 = math.exp(theta[s, 0])
            e1 = math.exp(theta[s, 1])
            e2 = math.exp(theta[s, 2])
            e3 = math.exp(theta[s, 3])
            total = e0 + e1 + e2 + e3
            x = ua * total
            a = int(x >= e0) + int(x >= e0 + e1) + int(x >= e0 + e1 + e2)
            i = s * 4 + a
            g = weight[kind, a] * (mean[i] + lam * d_mean[i])
            g += math.sqrt(var[i] + lam * d_var[i]) * nb.float32(z)
            g = max(nb.float32(0.1), g)
            b += (g - b) / nb.float32(t + 1)
            push = nb.float32(0.08) * (g - b)
            gain = push / total
            theta[s, 0] -= gain * e0
            theta[s, 1] -= gain * e1
            theta[s, 2] -= gain * e2
            theta[s, 3] -= gain * e3
            theta[s, a] += push
            s = int(us >= cut0[i] + lam * d_cut0[i]) + int(us >= cut1[i] + lam * d_cut1[i])
            trace[t, 0] += g
            trace[t, 1 + s] += 1
            trace[t, 4 + a] += 1
    return trace


def run():
    last = simulate(USERS, STEPS, *TABLES)[-1]
    return last[0], last[2:4], last[5:]


simulate(64, 4, *TABLES)
common.serve(f"Numba {nb.__version__}, scalar loop", USERS, run)
