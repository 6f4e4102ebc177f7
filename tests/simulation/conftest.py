"""Tasks written out here, so that these tests lean on nothing but the language."""

from __future__ import annotations

import numpy as np
import pytest

import rlbackends as rl


def reward(choice, probability, flips, uniform):
    """1 or 0"""
    right = rl.where(flips, 1 - probability[choice], probability[choice])
    return rl.where(uniform < right, 1.0, 0.0)


def streak(choice, run):
    return {"run": rl.where(choice == 0, run + 1, 0.0)}


def streaky(**changes):
    """Return a bandit whose probabilities are drawn for each subject and block, and flip after five first choices."""
    given = dict(
        trial={
            "choice": rl.Index("action"),
            "reward": lambda choice, probability, run, uniform: reward(choice, probability, run >= 5, uniform),
        },
        schedule={
            "probability": rl.tasks.Scheduled(rl.Real("action"), lambda rng, n_trials: rng.random((n_trials, 3)))
        },
        states={"run": rl.State()},
        update=streak,
        sizes={"action": 3},
        n_trials=12,
    )
    return rl.tasks.Task("streaky", **(given | changes))


@pytest.fixture(scope="session")
def make_task():
    return streaky


@pytest.fixture(scope="session")
def task():
    return streaky()


@pytest.fixture(scope="session")
def model():
    return rl.catalogue.rescorla_wagner(n_actions=3, initial=0.5)


@pytest.fixture(scope="session")
def params():
    return {"alpha": np.array([0.1, 0.4, 0.7, 0.9]), "beta": 4.0}
