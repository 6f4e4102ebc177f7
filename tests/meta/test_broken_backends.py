"""The comparison with the reference must catch a backend that is wrong, whatever is wrong with it.

Each broken backend is the reference with one fault, the kind of fault that hand-written ports have.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.backends.protocol import CompiledModel
from rlbackends.backends.reference import Engine, derivatives, tape
from rlbackends.backends.reference.density import log_density_and_gradient
from rlbackends.inference.agreement import Point, compare, compute, prior_points
from tests.conformance.cases import random_trials

MODEL = rl.catalogue.rescorla_wagner_two_rates(n_actions=3, initial=0.5)
DATA = random_trials(MODEL, seed=5, missing=True, blocks=True, ragged=True).bind(MODEL)
LAYOUT = rl.Population().layout(MODEL, DATA.subjects)


def choice(q, beta):
    return rl.Categorical(logits=beta * q)


def variant(update, rule=choice):
    """Return the same model with another rule."""
    return rl.Model(
        MODEL.name,
        parameters=dict(MODEL.parameters),
        states={"q": rl.State("action", initial=0.5)},
        trial={"choice": rule, "reward": rl.Real()},
        update=update,
        records=["prediction_error"],
        sizes={"action": 3},
    )


def sign_of_the_error(q, choice, reward, alpha_pos, alpha_neg):
    error = q[choice] - reward
    return {"q": q.at[choice].add(rl.where(error > 0, alpha_pos, alpha_neg) * error), "prediction_error": error}


def rates_swapped_at_zero(q, choice, reward, alpha_pos, alpha_neg):
    error = reward - q[choice]
    return {"q": q.at[choice].add(rl.where(error < 0, alpha_pos, alpha_neg) * error), "prediction_error": error}


def every_action_learns(q, choice, reward, alpha_pos, alpha_neg):
    error = reward - q[choice]
    return {"q": q + rl.where(error > 0, alpha_pos, alpha_neg) * error, "prediction_error": error}


class Broken(Engine):
    """The reference on another model or other data."""

    def __init__(self, model=MODEL, data=DATA):
        super().__init__(model, data, LAYOUT)


class UpdateBeforeChoice(Broken):
    def log_likelihood(self, params):
        found = super().log_likelihood(params)["choice"]
        q = super().trajectories(params)["q"]
        for subject, length in enumerate(DATA.lengths):
            after = np.concatenate([q[subject, 1:length], q[subject, length - 1 : length]])
            logits = params["beta"][subject] * after
            log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
            taken = log_p[np.arange(length), DATA.values["choice"][subject, :length]]
            found[subject, :length] = np.where(DATA.missing["choice"][subject, :length], np.nan, taken)
        return {"choice": found}


class Float32(Broken):
    def log_likelihood(self, params):
        return super().log_likelihood({k: v.astype(np.float32).astype(float) for k, v in params.items()})


class SharedState(Broken):
    def trajectories(self, params):
        return {k: np.repeat(v[:1], len(v), axis=0) for k, v in super().trajectories(params).items()}


class GradientStopped(Broken):
    def value_and_gradient(self, params):
        value, gradient = super().value_and_gradient(params)
        return value, gradient | {"alpha_pos": np.zeros_like(gradient["alpha_pos"])}


class JacobianDropped(Broken):
    def log_density_and_gradient(self, z):
        value, gradient = log_density_and_gradient(self.layout, z, self.value_and_gradient)
        return value - float(z["beta_sd"]), gradient


def rolled():
    """Data in which every reward belongs to the trial before."""
    values = dict(DATA.values)
    values["reward"] = np.roll(DATA.values["reward"], 1, axis=1)
    return replace(DATA, values=values)


def without_resets():
    starts = np.zeros_like(DATA.starts)
    starts[:, 0] = True
    return replace(DATA, starts=starts)


def missing_that_updates():
    missing = {**DATA.missing, "reward": DATA.missing["choice"]}
    return replace(DATA, missing=missing)


def leaking_padding():
    """Padding that counts as trials."""
    lengths = np.full_like(DATA.lengths, DATA.n_steps)
    missing = {name: mask & DATA.valid for name, mask in DATA.missing.items()}
    return replace(DATA, lengths=lengths, missing=missing)


BROKEN = {
    "sign of the prediction error": lambda: Broken(variant(sign_of_the_error)),
    "rates swapped": lambda: Broken(variant(rates_swapped_at_zero)),
    "wrong axis: every action learns": lambda: Broken(variant(every_action_learns)),
    "update before choice": UpdateBeforeChoice,
    "off by one trial": lambda: Broken(data=rolled()),
    "float32": Float32,
    "padding that leaks": lambda: Broken(data=leaking_padding()),
    "block reset forgotten": lambda: Broken(data=without_resets()),
    "missing trial that updates": lambda: Broken(data=missing_that_updates()),
    "state shared between subjects": SharedState,
    "gradient stopped": GradientStopped,
    "Jacobian dropped": JacobianDropped,
}


def compared(engine):
    sound = CompiledModel(MODEL, DATA, LAYOUT, Engine(MODEL, DATA, LAYOUT))
    points = prior_points(sound, 1, seed=3)
    return compare(CompiledModel(MODEL, DATA, LAYOUT, engine), points, [compute(sound, point) for point in points])


def test_a_sound_backend_passes():
    comparison = compared(Broken())
    assert comparison.holds
    assert comparison.parting is None


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_backend_fails(fault):
    assert not compared(BROKEN[fault]()).holds


def test_the_first_trial_where_they_part_is_named():
    parting = compared(BROKEN["sign of the prediction error"]()).parting
    assert (parting.trial_number, parting.variable) == (1, "prediction_error")


@pytest.mark.parametrize("operation", ["max", "maximum", "abs"])
def test_another_derivative_at_a_tie_fails(monkeypatch, operation):
    rules = {
        "max": lambda q, beta: rl.Categorical(logits=rl.stack(beta * rl.max(q), 0.0)),
        "maximum": lambda q, beta: rl.Categorical(
            logits=rl.stack(rl.maximum(beta * q[0], beta * q[1] + q[1] - 0.5), 0.0)
        ),
        "abs": lambda q, beta: rl.Categorical(logits=rl.stack(rl.abs(beta * (q[0] - q[1])), 0.0)),
    }
    model = rl.Model(
        "tie",
        parameters={"beta": rl.Parameter(rl.Positive()), "start": rl.Parameter(rl.RealLine())},
        states={"q": rl.State("entry", initial=lambda start: rl.stack(start, 0.5))},
        trial={"choice": rules[operation]},
        update=lambda q: {},
        sizes={"entry": 2},
    )
    data = rl.Trials.from_arrays(subjects=[1], choice=[[0, 0]], levels={"choice": range(2)}).bind(model)
    layout = rl.Population().layout(model, data.subjects)
    engine = Engine(model, data, layout)
    compiled = CompiledModel(model, data, layout, engine)
    point = Point(compiled.read_params({"beta": 2.0, "start": 0.5}))
    expected = [compute(compiled, point)]
    assert compare(compiled, [point], copy.deepcopy(expected)).holds
    shared = {
        "max": lambda node, g, o, x: (g * (x == o) / np.sum(x == o),),
        "maximum": lambda g, o, a, b: (g * np.where(a == b, 0.5, a > b), g * np.where(a == b, 0.5, a < b)),
        "abs": lambda g, o, a: (g * np.where(a == 0, 1.0, np.sign(a)),),
    }
    sound = derivatives._SHAPED if operation == "max" else derivatives._ELEMENTWISE
    monkeypatch.setitem(sound, operation, shared[operation])
    assert tape.pull_back is derivatives.pull_back
    engine._last = None
    assert not compare(compiled, [point], expected).holds
