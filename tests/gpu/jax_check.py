# SPDX-License-Identifier: MIT
"""jax_check.py -- JAX on an NVIDIA GPU, for `make check-gpu`: XLA's own allocator, compiled
loops, what is sent before anybody waits.  Prints the same at every run."""
import jax
import jax.numpy as jnp

print("on", jax.devices()[0].platform)


@jax.jit
def step(x):
    return x + jnp.dot(x, x) / 512


x = jnp.ones((512, 512), dtype=jnp.float32) / 512
for _ in range(50):
    x = step(x)
print("sum %.3e" % float(x.sum()))
looped = jax.lax.fori_loop(0, 100, lambda _, y: y + 1, jnp.zeros(1024))
print("sum", float(looped.sum()))
kept = [jnp.full((1 << 18,), i, dtype=jnp.float32) for i in range(16)]
print("sum", sum(int(k[0]) for k in kept))
