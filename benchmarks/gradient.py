"""How long value and gradient take on each backend, against a JAX scan written by hand, in one run.

    python benchmarks/gradient.py [--numba]

The task is the asymmetric delta rule, 40 subjects × 200 trials × 5 actions. The handwritten scan is the yardstick: it
does the same work with no layer of ours, so a ratio above 1 is what the specification costs. PyMC is compiled in
PyTensor's default mode with ``--numba`` (about a minute cold) and left out otherwise.
"""

from __future__ import annotations

import sys
import time

import numpy as np

import rlbackends as rl

SUBJECTS, TRIALS, ACTIONS = 40, 200, 5


def by_hand(choices, rewards):
    """Return value and gradient of the summed log-likelihood, written in JAX as a practitioner would."""
    import jax
    import jax.numpy as jnp

    choices, rewards = jnp.asarray(choices.T), jnp.asarray(rewards.T)

    def total(params):
        def step(q, trial):
            choice, reward = trial
            logits = params["beta"][:, None] * q
            log_p = jax.nn.log_softmax(logits)[jnp.arange(SUBJECTS), choice]
            error = reward - q[jnp.arange(SUBJECTS), choice]
            rate = jnp.where(error > 0, params["alpha_pos"], params["alpha_neg"])
            return q.at[jnp.arange(SUBJECTS), choice].add(rate * error), log_p

        start = jnp.full((SUBJECTS, ACTIONS), 0.5)
        return jax.lax.scan(step, start, (choices, rewards))[1].sum()

    return jax.jit(jax.value_and_grad(total))


def best_of(call, repeats=30):
    """Return the fastest of many calls, in milliseconds."""
    call()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return 1e3 * min(times)


def main() -> None:
    """Print a row a way to compute it."""
    import jax

    rng = np.random.default_rng(0)
    choices = rng.integers(0, ACTIONS, (SUBJECTS, TRIALS))
    rewards = rng.integers(0, 2, (SUBJECTS, TRIALS)).astype(float)
    data = rl.Trials.from_arrays(
        subjects=range(SUBJECTS), choice=choices, reward=rewards, levels={"choice": range(ACTIONS)}
    )
    model = rl.catalogue.rescorla_wagner_two_rates(n_actions=ACTIONS, initial=0.5)
    params = {
        "alpha_pos": rng.uniform(0.1, 0.9, SUBJECTS),
        "alpha_neg": rng.uniform(0.1, 0.9, SUBJECTS),
        "beta": rng.uniform(1, 5, SUBJECTS),
    }
    rows, values = {}, {}
    with jax.enable_x64(True):
        function = by_hand(choices, rewards)
        arrays = {name: jax.numpy.asarray(value) for name, value in params.items()}
        rows["JAX scan by hand"] = best_of(lambda: jax.block_until_ready(function(arrays)))
        values["JAX scan by hand"] = float(function(arrays)[0])
    for gather in ("gather", "one_hot"):
        compiled = rl.compile(model, data, "numpyro", gather=gather)
        rows[f"numpyro, {gather}"] = best_of(lambda c=compiled: c.engine.value_and_gradient(params))
        values[f"numpyro, {gather}"] = compiled.engine.value_and_gradient(params)[0]
    if "--numba" in sys.argv:
        compiled = rl.compile(model, data, "pymc")
        rows["pymc (PyTensor's default mode)"] = best_of(lambda: compiled.engine.value_and_gradient(params))
        values["pymc (PyTensor's default mode)"] = compiled.engine.value_and_gradient(params)[0]
    compiled = rl.compile(model, data, "reference")
    params = {name: value.copy() for name, value in params.items()}
    rows["reference"] = best_of(lambda: compiled.engine._run(params, gradient=True), repeats=2)
    values["reference"] = compiled.engine.value_and_gradient(params)[0]
    yardstick = rows["JAX scan by hand"]
    print(f"asymmetric delta rule, {SUBJECTS} × {TRIALS} × {ACTIONS}: value and gradient, best of 30")
    for name, milliseconds in rows.items():
        print(f"  {name:32}{milliseconds:10.3f} ms {milliseconds / yardstick:10.2f} × by hand   {values[name]:.10f}")


if __name__ == "__main__":
    main()
