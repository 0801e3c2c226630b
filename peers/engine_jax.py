"""W4 and W2, the fastest JAX program that was found for a CPU (peers/engine).

Differences of logits; selections instead of gathers; chunks of people that stay in the second-level cache; a
polynomial Box-Muller. Its generator is a 32-bit hash chain: fast, and too weak for a product, since people
share shifted streams of it.
"""

import os
import sys

import engine_common as common

WORKLOAD = sys.argv[1]
USERS, CHUNK = {"W4": (122, 8192), "W2": (488, 8192)}[WORKLOAD]
USERS *= CHUNK
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false --xla_cpu_prefer_vector_width=512"

import jax
import jax.numpy as jnp
from jax import lax

f32, u32, i32 = jnp.float32, jnp.uint32, jnp.int32


def mix(x):
    x = (x ^ (x >> 16)) * u32(0x7FEB352D)
    x = (x ^ (x >> 15)) * u32(0x846CA68B)
    return x ^ (x >> 16)


def uniform(h):
    return (h >> 8).astype(f32) * f32(2**-24)


def select(state, values):
    return jnp.where(
        state == 0, f32(values[0]), jnp.where(state == 1, f32(values[1]), f32(values[2]))
    )


def blend(state, weight, info, bait):
    """`weight` is the weight on the row of informative content."""
    low = select(state, bait)
    return low + weight * (select(state, info) - low)


def sine_of_turn(turns):
    """sin(2 pi x) for x in [-1/2, 1/2); absolute error 8e-7."""
    square = turns * turns
    p = f32(-12.271263)
    for c in (41.205395, -76.5801, 81.59618, -41.341423, 6.2831826):
        p = f32(c) + square * p
    return turns * p


def draws(base, t):
    """Two uniforms and a normal from a chain of hashes."""
    h = mix(base + t.astype(u32) * u32(0x85EBCA6B))
    u1 = uniform(mix(h ^ u32(0x02E5BE93))) + f32(2**-25)
    u2 = uniform(mix(h + u32(0x967A889B)))
    z = jnp.sqrt(-2 * jnp.log(u1)) * sine_of_turn(u2 - f32(0.5))
    return uniform(h), uniform(mix(h + u32(0x68BC21EB))), z


def react(state, info, weight, z):
    mean = blend(state, info, common.INFO_MEAN, common.BAIT_MEAN)
    variance = blend(state, info, common.INFO_VARIANCE, common.BAIT_VARIANCE)
    return jnp.maximum(f32(common.FLOOR), weight * mean + jnp.sqrt(variance) * z)


def evolve(state, info, us):
    cuts = [
        blend(state, info, common.cut(common.INFO_NEXT, c), common.cut(common.BAIT_NEXT, c))
        for c in (0, 1)
    ]
    return (us >= cuts[0]).astype(i32) + (us >= cuts[1]).astype(i32)


def count(mask):
    return mask.astype(f32).sum()


def people(first):
    u = first + jnp.arange(CHUNK, dtype=u32)
    base = mix(u * u32(0x9E3779B9) + u32(12345))
    start = jnp.zeros(CHUNK, f32), jnp.zeros(CHUNK, i32)
    return u, base, *start


def w4(first):
    u, base, baseline, state = people(first)
    lam = (u * u32(common.GOLDEN) >> 8).astype(f32) * f32(2**-24)
    kind = (u & 3).astype(i32)

    def step(carry, t):
        d, b, s = carry
        ua, us, z = draws(base, t)
        e = jnp.exp(jnp.where(s == 0, d[0], jnp.where(s == 1, d[1], d[2])))
        second = 1 + e[0]
        third = second + e[1]
        total = third + e[2]
        x = ua * total
        a = (x >= 1).astype(i32) + (x >= second).astype(i32) + (x >= third).astype(i32)
        info = jnp.where(a > 0, lam, 1 - lam)
        reaction = react(s, info, jnp.where((a == 0) | (a == kind), f32(1), f32(0.5)), z)
        b = b + (reaction - b) / (t.astype(f32) + 1)
        push = f32(common.ALPHA) * (reaction - b)
        gain = push / total
        rest = gain - jnp.where(a == 0, push, f32(0))
        own = jnp.where(jnp.arange(1, 4)[:, None] == a, push, f32(0))
        change = rest - gain * e + own
        d = d + jnp.where(jnp.arange(3)[:, None, None] == s, change[None], f32(0))
        s = evolve(s, info, us)
        row = [reaction.sum(), count(s == 1), count(s == 2)]
        return (d, b, s), jnp.stack(row + [count(a == k) for k in (1, 2, 3)])

    carry = jnp.zeros((3, 3, CHUNK), f32), baseline, state
    return lax.scan(step, carry, jnp.arange(common.STEPS))[1]


def w2(first):
    u, base, baseline, state = people(first)
    lam = (u.astype(f32) + f32(0.5)) / USERS

    def step(carry, t):
        d, b, s = carry
        ua, us, z = draws(base, t)
        e = jnp.exp(d)
        p = e / (1 + e)
        bait = ua < p
        info = jnp.where(bait, lam, 1 - lam)
        reaction = react(s, info, f32(1), z)
        b = b + (reaction - b) / (t.astype(f32) + 1)
        d = d + f32(2 * common.ALPHA) * (reaction - b) * (bait.astype(f32) - p)
        s = evolve(s, info, us)
        return (d, b, s), jnp.stack([reaction.sum(), count(s == 1), count(s == 2), count(bait)])

    carry = jnp.zeros(CHUNK, f32), baseline, state
    return lax.scan(step, carry, jnp.arange(common.STEPS))[1]


world, columns = {"W4": (w4, 6), "W2": (w2, 4)}[WORKLOAD]


@jax.jit
def simulate(firsts):
    add = lambda sums, first: (sums + world(first), None)
    return lax.scan(add, jnp.zeros((common.STEPS, columns), f32), firsts)[0]


def run():
    trace = jax.block_until_ready(simulate(jnp.arange(0, USERS, CHUNK, dtype=u32)))
    last = trace[-1]
    return last[0], last[1:3], last[3:]


run()
common.serve(f"JAX {jax.__version__}, tuned, {WORKLOAD}", USERS, run)
