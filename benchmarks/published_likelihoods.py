"""Published log-likelihoods, each re-expressed from its description as a loop in plain NumPy, beside the right one.

``events`` holds arrays (subject, trial) of 0-based codes and numbers; ``params`` one array (…, subject) a parameter.
Every function returns the log-likelihood of each trial, (…, subject, trial). A choice below 0 is no trial: it counts 0.
The loops share no code with the library, so that they are a second opinion, and none with what was published.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

Arrays = Mapping[str, np.ndarray]
Values = Literal["before", "after"]


def log_sum_exp(logits: np.ndarray) -> np.ndarray:
    """Return log Σ exp over the last axis, which stays."""
    top = logits.max(axis=-1, keepdims=True)
    return top + np.log(np.exp(logits - top).sum(axis=-1, keepdims=True))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return log-probabilities over the last axis."""
    return logits - log_sum_exp(logits)


def _at(rows: np.ndarray, choice: np.ndarray) -> np.ndarray:
    """Return the entry of each subject's choice from rows (…, subject, action)."""
    return np.take_along_axis(rows, np.broadcast_to(choice, rows.shape[:-1])[..., None], axis=-1)[..., 0]


def _one_hot(choice: np.ndarray, n_actions: int) -> np.ndarray:
    return np.arange(n_actions) == choice[:, None]


# One choice among several, learnt by a delta rule


def one_choice(logits: np.ndarray, choice: np.ndarray) -> np.ndarray:
    """Score a choice as what it is: one Categorical."""
    return _at(log_softmax(logits), choice)


def independent_answers(logits: np.ndarray, choice: np.ndarray) -> np.ndarray:
    """Score it as one yes-or-no answer an action, each yes with the action's softmax probability."""
    n_actions = logits.shape[-1]
    # 1 − p is the others' probability; summing those keeps its digits where p is near 1.
    others = np.where(np.eye(n_actions) == 1, -np.inf, logits[..., None, :])
    log_no = log_sum_exp(others)[..., 0] - log_sum_exp(logits)
    return np.where(_one_hot(choice, n_actions), log_softmax(logits), log_no).sum(axis=-1)


def summed_probabilities(logits: np.ndarray, choice: np.ndarray) -> np.ndarray:
    """Score it as the logarithm of the sum of all actions' probabilities; which one was chosen does not enter."""
    return np.log(np.exp(log_softmax(logits)).sum(axis=-1))


SCORES = {"one choice": one_choice, "answers": independent_answers, "sum": summed_probabilities}


def two_rates(events: Arrays, params: Arrays, *, score: str, n_actions: int, initial: float = 0.0) -> np.ndarray:
    """Learn with a rate for good news and one for bad news, ``alpha_pos`` and ``alpha_neg``; softmax with ``beta``."""
    choices, rewards = events["choice"], events["reward"]
    up, down, beta = (np.asarray(params[name]) for name in ("alpha_pos", "alpha_neg", "beta"))
    q = np.full((*beta.shape, n_actions), initial)
    found = np.zeros((*beta.shape, choices.shape[1]))
    for t in range(choices.shape[1]):
        is_there, choice = choices[:, t] >= 0, np.maximum(choices[:, t], 0)
        found[..., t] = np.where(is_there, SCORES[score](beta[..., None] * q, choice), 0.0)
        error = rewards[:, t] - _at(q, choice)
        step = np.where(error > 0, up, down) * error * is_there
        q = q + _one_hot(choice, n_actions) * step[..., None]
    return found


def delta_rule(
    events: Arrays, params: Arrays, *, score: str, values: Values, n_actions: int, initial: float
) -> np.ndarray:
    """Learn with one rate ``alpha``; the choice is scored with the values before or after its own trial's reward."""
    choices, rewards = events["choice"], events["reward"]
    alpha, beta = np.asarray(params["alpha"]), np.asarray(params["beta"])
    q = np.full((*beta.shape, n_actions), initial)
    found = np.zeros((*beta.shape, choices.shape[1]))
    for t in range(choices.shape[1]):
        is_there, choice = choices[:, t] >= 0, np.maximum(choices[:, t], 0)
        learnt = q + _one_hot(choice, n_actions) * (alpha * (rewards[:, t] - _at(q, choice)) * is_there)[..., None]
        scored = q if values == "before" else learnt
        found[..., t] = np.where(is_there, SCORES[score](beta[..., None] * scored, choice), 0.0)
        q = learnt
    return found


# Aliens: a table of values season × alien × action, forgotten toward its start


SIZES = (3, 4, 3)  # seasons, aliens, actions


def aliens(
    events: Arrays, params: Arrays, *, row: Literal["shown", "previous"], initial: float = 0.12
) -> np.ndarray:
    """Score each choice with the values of the stimulus that is shown, or of the one that was shown before it.

    With ``"previous"`` a loop keeps the row of each trial's stimulus, taken after that trial's update, and the rows are
    moved on by one trial: so a choice meets values that are up to date, and another stimulus's. The first choice meets
    ``initial``.
    """
    alpha, beta, forgetting = (np.asarray(params[name]) for name in ("alpha", "beta", "forgetting"))
    season, alien, choice, reward = (events[name] for name in ("season", "alien", "choice", "reward"))
    q = np.full((*beta.shape, *SIZES), initial)
    kept = np.full((*beta.shape, SIZES[-1]), initial)
    found = np.zeros((*beta.shape, choice.shape[1]))
    everyone = np.arange(choice.shape[0])
    for t in range(choice.shape[1]):
        here = (..., everyone, season[:, t], alien[:, t])
        rows = q[(*here, slice(None))] if row == "shown" else kept
        found[..., t] = one_choice(beta[..., None] * rows, choice[:, t])
        q += forgetting[..., None, None, None] * (initial - q)
        used = (*here, choice[:, t])
        q[used] += alpha * (reward[:, t] - q[used])
        kept = q[(*here, slice(None))]
    return found


def aliens_without_guard(events: Arrays, params: Arrays, *, initial: float = 0.12) -> np.ndarray:
    """Do the same as ``row="shown"`` with weights exp(beta · q) that are divided by their sum, as they come."""
    alpha, beta, forgetting = (np.asarray(params[name]) for name in ("alpha", "beta", "forgetting"))
    season, alien, choice, reward = (events[name] for name in ("season", "alien", "choice", "reward"))
    q = np.full((*beta.shape, *SIZES), initial)
    found = np.zeros((*beta.shape, choice.shape[1]))
    everyone = np.arange(choice.shape[0])
    with np.errstate(all="ignore"):  # what overflows is what is looked for
        for t in range(choice.shape[1]):
            here = (..., everyone, season[:, t], alien[:, t])
            weights = np.exp(beta[..., None] * q[(*here, slice(None))])
            found[..., t] = np.log(_at(weights, choice[:, t]) / weights.sum(axis=-1))
            q = (1.0 - forgetting)[..., None, None, None] * q + forgetting[..., None, None, None] * initial
            used = (*here, choice[:, t])
            q[used] += alpha * (reward[:, t] - q[used])
    return found


# The two-step task's hybrid


def two_step(
    events: Arrays, params: Arrays, *, last_step: Values, first_steps: int = 1, transition: float = 0.7
) -> np.ndarray:
    """Score both choices of each trial; the last step takes the second stage's value before or after its update.

    ``first_steps`` is how often a trial moves the first stage's value toward the second's; once is right.
    Parameters are those of ``rl.catalogue.two_step``; one that is absent is tied: ``alpha`` and ``beta`` serve both
    stages, and ``eligibility`` is 1.
    """
    first, state, second, reward = (events[name] for name in ("choice1", "state2", "choice2", "reward"))
    names = ("beta1", "beta2", "alpha1", "alpha2")
    beta1, beta2, alpha1, alpha2 = (np.asarray(params[k] if k in params else params[k[:-1]]) for k in names)
    eligibility = np.asarray(params.get("eligibility", np.ones_like(beta1)))
    weight, stay = np.asarray(params["w"]), np.asarray(params["stay"])
    common = np.array([[transition, 1 - transition], [1 - transition, transition]])  # first action × state
    everyone = np.arange(first.shape[0])
    q1, q2 = np.zeros((*beta1.shape, 2)), np.zeros((*beta1.shape, 2, 2))
    previous = np.zeros((first.shape[0], 2))
    found = np.zeros((*beta1.shape, first.shape[1]))
    for t in range(first.shape[1]):
        is_there = first[:, t] >= 0
        a, s, b = (np.maximum(codes[:, t], 0) for codes in (first, state, second))
        model_based = q2.max(axis=-1) @ common.T
        mixed = weight[..., None] * model_based + (1 - weight)[..., None] * q1
        log_p = one_choice(beta1[..., None] * mixed + stay[..., None] * previous, a)
        log_p = log_p + one_choice(beta2[..., None] * q2[..., everyone, s, :], b)
        found[..., t] = np.where(is_there, log_p, 0.0)
        reached = (..., everyone, s, b)
        before = q2[reached]
        for _ in range(first_steps):
            q1[..., everyone, a] += is_there * alpha1 * (before - q1[..., everyone, a])
        q2[reached] += is_there * alpha2 * (reward[:, t] - before)
        target = before if last_step == "before" else q2[reached]
        q1[..., everyone, a] += is_there * alpha1 * eligibility * (reward[:, t] - target)
        previous = np.where(is_there[:, None], _one_hot(a, 2), previous)
    return found
