"""Models whose estimates are known on paper, and learners with their likelihood in a plain loop."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

import rlbackends as rl

QUIET = {"progress": "off"}


class Gaussian(NamedTuple):
    """Subjects with normal responses of a known sd around a mean of their own."""

    model: rl.Model
    data: rl.Trials
    y: np.ndarray
    sd: float


@pytest.fixture(scope="session")
def gaussian():
    def response(mu):
        return rl.Normal(mean=mu, sd=2.0)

    model = rl.Model(
        "gaussian", parameters={"mu": rl.Parameter(rl.RealLine())}, states={}, trial={"y": response},
        update=lambda: {},
    )  # fmt: skip
    rng = np.random.default_rng(0)
    y = rng.normal(3.0, 1.5, 8)[:, None] + 2.0 * rng.standard_normal((8, 25))
    return Gaussian(model, rl.Trials.from_arrays(y=y), y, 2.0)


@pytest.fixture(scope="session")
def coin():
    """A model of a biased coin: its probability, on the unit interval."""

    def response(p):
        return rl.Bernoulli(logits=rl.logit(p))

    return rl.Model(
        "coin", parameters={"p": rl.Parameter(rl.UnitInterval())}, states={}, trial={"y": response}, update=lambda: {}
    )


def play(alpha, beta, n_trials, rng):
    """Return choices and rewards of a Rescorla–Wagner learner between arms that pay with 0.8 and 0.2."""
    q, choices, rewards = np.zeros(2), [], []
    for _ in range(n_trials):
        choice = int(rng.random() < 1 / (1 + np.exp(-beta * (q[1] - q[0]))))
        reward = float(rng.random() < (0.8, 0.2)[choice])
        q[choice] += alpha * (reward - q[choice])
        choices.append(choice)
        rewards.append(reward)
    return choices, rewards


def log_likelihood(alpha, beta, choices, rewards):
    """Return the log-likelihood of a Rescorla–Wagner learner's choices; alpha and beta may be arrays."""
    alpha, beta = np.broadcast_arrays(np.asarray(alpha, dtype=float), np.asarray(beta, dtype=float))
    q, total = np.zeros((2, *alpha.shape)), np.zeros(alpha.shape)
    for choice, reward in zip(choices, rewards, strict=True):
        total += -np.log1p(np.exp(-beta * (q[choice] - q[1 - choice])))
        q[choice] += alpha * (reward - q[choice])
    return total


class Learners(NamedTuple):
    """Simulated Rescorla–Wagner learners."""

    model: rl.Model
    data: rl.Trials
    choices: list
    rewards: list

    def log_likelihood(self, subject, alpha, beta):
        return log_likelihood(alpha, beta, self.choices[subject], self.rewards[subject])


def learners(n_subjects, n_trials, seed, alpha, beta):
    """Return learners whose parameters functions of a generator draw."""
    rng = np.random.default_rng(seed)
    played = [play(alpha(rng), beta(rng), n_trials, rng) for _ in range(n_subjects)]
    choices, rewards = ([list(part) for part in parts] for parts in zip(*played, strict=True))
    data = rl.Trials.from_arrays(choice=choices, reward=rewards, levels={"choice": [0, 1]})
    return Learners(rl.catalogue.rescorla_wagner(), data, choices, rewards)


@pytest.fixture(scope="session")
def few():
    """Three learners of 40 trials."""
    return learners(3, 40, 1, lambda rng: rng.uniform(0.2, 0.7), lambda rng: rng.uniform(2.0, 4.0))


@pytest.fixture(scope="session")
def group():
    """Fourteen learners of 40 trials: their inverse temperature is 3, their rates are normal on the probit scale."""
    from scipy.special import ndtr

    return learners(14, 40, 5, lambda rng: ndtr(rng.normal(-0.2, 0.7)), lambda rng: 3.0)
