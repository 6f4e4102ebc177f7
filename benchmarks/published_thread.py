"""What a forum thread's program for the aliens does with its data files, its starts and its own priors.

The program is that of "Modeling reinforcement learning of human participant using PyMC3" (discourse.pymc.io, topic
1735), re-expressed from its text; ``published_record.py`` prints what is measured here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import published_likelihoods as published

Arrays = Mapping[str, np.ndarray]
BATCH = 50  # parameter draws that go through the loop at once
LOG_LARGEST = float(np.log(np.finfo(float).max))  # exp overflows beyond
RANGES = {"alpha": (0.0, 1.0), "beta": (0.0, np.inf), "forgetting": (0.0, 1.0)}


def tell(events: Arrays, usual: Arrays, expected: np.ndarray, folder: Path, say: Callable[[str], None]) -> None:
    """Say how the program reads the files, that it scores as ours does (``expected``), and where it is not finite."""
    lines = len((folder / "aliens" / "actions.csv").read_text(encoding="utf-8").splitlines())
    n_subjects, n_trials = expected.shape
    gap = np.abs(published.aliens_without_guard(events, usual) - expected).max()
    largest = float(events["reward"].max())
    say("the thread's own program, on the same files")
    say(f"    actions.csv has {lines} lines; a table with a header row has {lines - 1} trials, ours {n_trials}")
    say(f"    its log-likelihood against ours at the values above: at most {gap:.0e} a trial")
    safe = LOG_LARGEST / largest
    say(f"    rewards reach {largest:g}: with rates within [0, 1], exp overflows where beta is above {safe:.1f}")
    for words, sample in (("draws from its priors", prior), ("starts", start)):
        _tell_of_draws(events, sample(np.random.default_rng(0), 1000, n_subjects), words, say)


def _tell_of_draws(events: Arrays, drawn: Arrays, words: str, say: Callable[[str], None]) -> None:
    draws = len(drawn["beta"])
    batches = [{name: values[i : i + BATCH] for name, values in drawn.items()} for i in range(0, draws, BATCH)]
    total = np.concatenate([published.aliens_without_guard(events, batch).sum(axis=-1) for batch in batches])
    is_finite = np.isfinite(total)
    outside = {name: (drawn[name] < low) | (drawn[name] > high) for name, (low, high) in RANGES.items()}
    is_inside = ~np.any(list(outside.values()), axis=0)
    say(f"    {draws:,} {words} of all {total.shape[1]} subjects, largest beta {drawn['beta'].max():.1f}")
    say("      out of range: " + ", ".join(f"{name} {flags.mean():.1%}" for name, flags in outside.items()))
    say(
        f"      log-likelihood not finite: {(~is_finite & is_inside).sum():,} of {is_inside.sum():,} subjects with all "
        f"three in range, {(~is_finite & ~is_inside).sum():,} of {(~is_inside).sum():,} others"
    )
    say(f"      so not finite for the data as a whole in {(~is_finite.all(axis=1)).mean():.1%} of them")


def prior(rng: np.random.Generator, draws: int, n_subjects: int) -> dict[str, np.ndarray]:
    """Return draws from the thread's first priors: group means and sds uniform, subjects normal around them."""
    found = {}
    for name, top in (("alpha", 1.0), ("beta", 5.0), ("forgetting", 1.0)):
        mean, sd = rng.uniform(0, top, (2, draws, 1))
        found[name] = mean + sd * rng.standard_normal((draws, n_subjects))
    return found


def start(rng: np.random.Generator, draws: int, n_subjects: int) -> dict[str, np.ndarray]:
    """Return starts: the thread's values, each moved by up to 1 on the unbounded scale, as PyMC3 did by default."""

    def moved(value: float, top: float) -> np.ndarray:
        z = np.log(value / (top - value)) + rng.uniform(-1, 1, (draws, 1))
        return np.asarray(top / (1 + np.exp(-z)))

    found = {}
    for name, top, mean, sd, offsets in (
        ("alpha", 1.0, 0.15, 0.05, (-1, 0, 1)),
        ("beta", 5.0, 1.25, 0.1, (-0.1, 0, 0.1)),
        ("forgetting", 1.0, 0.06, 0.03, (-1, 0, 1)),
    ):
        offset = rng.choice(offsets, (draws, n_subjects)) + rng.uniform(-1, 1, (draws, n_subjects))
        found[name] = moved(mean, top) + moved(sd, top) * offset
    return found
