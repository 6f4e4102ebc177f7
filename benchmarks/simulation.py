"""How long a simulation takes, against a plain Python loop over subjects and trials, in one run.

    python benchmarks/simulation.py [--subjects 10000] [--curve] [--backend numpyro]

The task is that of a public guide to models in JAX: two learning rates, softmax, 100 trials of five actions whose
payoffs are fixed beforehand. The loop is written as such loops are: NumPy on five numbers, one subject and trial at a
time. Both keep the values of every action on every trial and the prediction errors. ``--curve`` goes on to 100,000
subjects; memory is the largest that the process held.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

import rlbackends as rl

TRIALS, ACTIONS = 100, 5
PROBABILITIES = (0.2, 0.4, 0.3, 0.1, 0.5)


def by_loop(payoffs, alpha_pos, alpha_neg, beta, rng):
    """Return values before each trial, choices and prediction errors, one subject and trial at a time."""
    n_subjects = len(beta)
    values = np.zeros((n_subjects, TRIALS, ACTIONS))
    choices = np.zeros((n_subjects, TRIALS), dtype=int)
    errors = np.zeros((n_subjects, TRIALS))
    for subject in range(n_subjects):
        q = np.full(ACTIONS, 0.5)
        for trial in range(TRIALS):
            values[subject, trial] = q
            weights = np.exp(beta[subject] * q)
            choice = rng.choice(np.arange(ACTIONS), p=weights / weights.sum())
            chosen = np.zeros(ACTIONS)
            chosen[choice] = 1
            error = (payoffs[trial] - q) * chosen
            rate = alpha_pos[subject] * (error > 0) + alpha_neg[subject] * (error < 0)
            q = q + rate * error
            choices[subject, trial] = choice
            errors[subject, trial] = error[choice]
    return values, choices, errors


def parameters(n_subjects, rng):
    """Return rates between 0.1 and 0.5 and temperatures between 0.1 and 1."""
    rates = {name: rng.uniform(0.1, 0.5, n_subjects) for name in ("alpha_pos", "alpha_neg")}
    return {**rates, "beta": 1 / rng.uniform(0.1, 1.0, n_subjects)}


def seconds(call):
    """Return how long a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def peak_gib():
    """Return the largest memory that this process held, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """Print how long each way takes, and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--subjects", type=int, default=10_000)
    parser.add_argument("--backend", default="numpyro")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--curve", action="store_true", help="go on to 100,000 subjects")
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    payoffs = rng.binomial(1, PROBABILITIES, (TRIALS, ACTIONS)).astype(float)
    task = rl.tasks.tabulated_bandit(payoffs)
    model = rl.catalogue.rescorla_wagner_two_rates(n_actions=ACTIONS, initial=0.5)
    params = parameters(given.subjects, rng)
    print(f"{given.subjects:,} subjects × {TRIALS} trials × {ACTIONS} actions on {given.backend}")

    # Half of the loop before ours and half after it: a machine that others use, too, changes its pace.
    half = given.subjects // 2
    halves = [{name: value[part] for name, value in params.items()} for part in (slice(half), slice(half, None))]
    loop = seconds(lambda: by_loop(payoffs, **halves[0], rng=rng))
    simulator = rl.Simulator(model, task, given.backend)
    first = seconds(lambda: simulator.run(params))
    times = [seconds(lambda seed=seed: simulator.run(params, seed=seed)) for seed in range(1, given.repeats + 1)]
    loop += seconds(lambda: by_loop(payoffs, **halves[1], rng=rng))
    print(f"Python loop                {loop:8.2f} s")
    print(f"rlbackends, first call     {first:8.2f} s   {loop / first:6.0f} × faster, compiling included")
    print(f"rlbackends, median call    {np.median(times):8.3f} s   {loop / np.median(times):6.0f} × faster")
    print(f"rlbackends, fastest call   {min(times):8.3f} s   {loop / min(times):6.0f} × faster")
    print(f"memory                     {peak_gib():8.2f} GiB")
    if given.curve:
        print("\nsubjects    seconds   per 1,000   memory")
        for n_subjects in (1_000, 3_000, 10_000, 30_000, 100_000):
            some = parameters(n_subjects, rng)
            simulator.run(some)
            least = min(seconds(lambda seed=seed: simulator.run(some, seed=seed)) for seed in range(3))  # noqa: B023
            print(f"{n_subjects:8,} {least:10.3f} {1e3 * least / n_subjects * 1e3:8.1f} ms {peak_gib():6.2f} GiB")


if __name__ == "__main__":
    main()
