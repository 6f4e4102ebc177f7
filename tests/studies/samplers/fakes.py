"""Samplers that draw exactly, wrongly, or not at all; each runs in the process that a comparison gives it."""

from __future__ import annotations

import os
import signal
import time

import numpy as np

import rlbackends as rl
from rlbackends.backends import Backend
from rlbackends.backends.chains import ChainResults
from rlbackends.backends.samplers import Sampler
from tests.studies.exact_sampler import POPULATION, TASK, Engine, normal_model, posterior

__all__ = ["BACKEND", "DATA", "MODEL", "POPULATION", "TASK", "Engine"]

_HERE = "tests.studies.samplers.fakes"
BACKEND = Backend(
    "fake",
    _HERE,
    ("numpy",),
    (
        Sampler("exact", f"{_HERE}:sample"),
        Sampler("dies", f"{_HERE}:die"),
        Sampler("sleeps", f"{_HERE}:sleep"),
        Sampler("normal", f"{_HERE}:sample", kind="approximation"),
        Sampler("mode", f"{_HERE}:find", kind="point"),
        Sampler("lacking", f"{_HERE}:sample", packages=("no_such_package",)),
    ),
)
MODEL = normal_model()
TRUTH = {"mu": [-1.0, 0.2, 1.3]}
DATA = rl.simulate(MODEL, TASK, TRUTH, seed=1, backend="reference").data


def sample(
    engine, *, seed, chains, tune, draws, cores, target_accept, max_tree_depth, progress, run=None, scale=1.0,
    shift=0.0, seconds=1.0, chain_method="parallel",
):  # fmt: skip
    """Draw from the posterior, or from a narrower or shifted one; say that it took so many seconds."""
    mean, sd = posterior(engine.data.values["y"])
    rng = np.random.default_rng([seed, int(1000 * seconds)])
    noise = rng.normal(size=(chains, draws, len(mean)))
    stats = {
        "diverging": np.zeros((chains, draws), dtype=bool), "n_steps": np.full((chains, draws), 3, dtype=np.int64),
        "energy": rng.normal(size=(chains, draws)),
    }  # fmt: skip
    return ChainResults(
        {"mu": mean + shift * sd + scale * sd * noise}, stats, {"compile_seconds": 2.0, "sample_seconds": seconds},
        {"max_tree_depth": max_tree_depth}, work={"gradients": 3 * chains * (draws + tune)},
    )  # fmt: skip


def find(engine, *, seed, chains, tune, draws, cores, target_accept, max_tree_depth, progress, run=None):
    """Return the posterior's mode."""
    mean, _ = posterior(engine.data.values["y"])
    stats = {"diverging": np.zeros((1, 1), dtype=bool)}
    return ChainResults({"mu": mean[None, None]}, stats, {"compile_seconds": 0.0, "sample_seconds": 0.1}, {})


def die(engine, *, seed, chains, tune, draws, cores, target_accept, max_tree_depth, progress, run=None):
    """End the process as the system does when there is no memory left."""
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(engine, *, seed, chains, tune, draws, cores, target_accept, max_tree_depth, progress, run=None, note=""):
    """Never end; say in a file who sleeps."""
    if note:
        with open(note, "w", encoding="utf-8") as file:
            file.write(str(os.getpid()))
    time.sleep(600)


def check_sampler_settings(**settings):
    """Take whatever is a setting."""
    if settings.get("scale", 1.0) <= 0:
        raise rl.errors.SettingError("fake: scale is not above 0.")
