"""W4 as one first writes it in JAX: vmap and scan over all people, jax.random (peers/engine).

An array of people by states by contents, gathers from the tables, no chunks. It is given as many people as
suit it: with a million, which no longer fit the caches, it takes a third more time per step.
"""

import engine_common as common

import jax
import jax.numpy as jnp
from jax import lax, random

f32 = jnp.float32
USERS = 100_000
reactive, intentional = common.tables()
column = lambda rows, i: jnp.asarray([[cell[i] for cell in row] for row in rows], f32)
MEAN, VARIANCE, NEXT = ((column(reactive, i), column(intentional, i)) for i in range(3))
WEIGHT = jnp.asarray(common.weights(), f32)
user = jnp.arange(USERS)
LAMBDA = (user.astype(jnp.uint32) * jnp.uint32(common.GOLDEN) >> 8).astype(f32) * f32(2**-24)
KIND = (user % 4).astype(jnp.int32)


def user_step(theta, baseline, state, n, lam, kind, ua, z, us):
    blend = lambda table: (1 - lam) * table[0][state, a] + lam * table[1][state, a]
    p = jax.nn.softmax(theta[state])
    a = jnp.minimum(jnp.sum(ua > jnp.cumsum(p)), 3)
    mean = WEIGHT[kind, a] * blend(MEAN)
    reaction = jnp.maximum(common.FLOOR, mean + jnp.sqrt(blend(VARIANCE)) * z)
    baseline = baseline + (reaction - baseline) / n
    move = f32(common.ALPHA) * (reaction - baseline) * (jax.nn.one_hot(a, 4) - p)
    theta = theta.at[state].add(move)
    row = blend(NEXT)
    state = (us > row[0]).astype(jnp.int32) + (us > row[0] + row[1]).astype(jnp.int32)
    return theta, baseline, state, a, reaction


everybody = jax.vmap(user_step, in_axes=(0, 0, 0, None, 0, 0, 0, 0, 0))


@jax.jit
def simulate(key):
    def step(carry, t):
        keys = random.split(random.fold_in(key, t), 3)
        ua, z, us = (
            random.uniform(keys[0], (USERS,)),
            random.normal(keys[1], (USERS,)),
            random.uniform(keys[2], (USERS,)),
        )
        n = (t + 1).astype(f32)
        theta, baseline, state, a, reaction = everybody(*carry, n, LAMBDA, KIND, ua, z, us)
        counts = [(state == 1).sum(), (state == 2).sum(), *((a == k).sum() for k in (1, 2, 3))]
        return (theta, baseline, state), (reaction.sum(), jnp.stack(counts))

    start = jnp.zeros((USERS, 3, 4), f32), jnp.zeros(USERS, f32), jnp.zeros(USERS, jnp.int32)
    return lax.scan(step, start, jnp.arange(common.STEPS))[1]


def run():
    reaction, counts = jax.block_until_ready(simulate(random.key(0)))
    return reaction[-1], counts[-1][:2], counts[-1][2:]


run()
common.serve(f"JAX {jax.__version__}, vmap and scan", USERS, run)
