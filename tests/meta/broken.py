"""Backends that are wrong: the reference with one fault each, the kind of fault that hand-written ports have."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np

import rlbackends as rl
from rlbackends.backends import Backend
from rlbackends.backends.reference import Engine, derivatives
from rlbackends.expressions import numpy_table


@dataclass(frozen=True)
class Broken(Backend):
    """A backend whose engine is given."""

    engine: Callable[..., Any] = Engine

    def load(self) -> Any:
        return SimpleNamespace(Engine=self.engine)


def on_another_model(update, choice=None):
    """Return an engine that plays the asymmetric delta rule by other rules, whatever model it is given."""

    def make(model, data, layout, **settings):
        other = rl.Model(
            model.name,
            parameters=dict(model.parameters),
            states={"q": rl.State("action", initial=0.25)},
            trial={"choice": choice or softmax_choice, "reward": rl.Real()},
            update=update,
            records=list(model.records),
            sizes={"action": 3},
        )
        return Engine(other, data, layout, **settings)

    return make


def softmax_choice(q, beta):
    return rl.Categorical(logits=beta * q)


def biased_choice(q, beta):
    return rl.Categorical(logits=beta * q + np.array([0.01, 0.0, 0.0]))


def learn(q, choice, reward, alpha_pos, alpha_neg):
    error = reward - q[choice]
    return {"q": q.at[choice].add(rl.where(error > 0, alpha_pos, alpha_neg) * error), "prediction_error": error}


def sign_of_the_error(q, choice, reward, alpha_pos, alpha_neg):
    error = q[choice] - reward
    return {"q": q.at[choice].add(rl.where(error > 0, alpha_pos, alpha_neg) * error), "prediction_error": error}


def rates_swapped(q, choice, reward, alpha_pos, alpha_neg):
    error = reward - q[choice]
    return {"q": q.at[choice].add(rl.where(error < 0, alpha_pos, alpha_neg) * error), "prediction_error": error}


def every_action_learns(q, choice, reward, alpha_pos, alpha_neg):
    error = reward - q[choice]
    return {"q": q + rl.where(error > 0, alpha_pos, alpha_neg) * error, "prediction_error": error}


def on_other_data(change):
    """Return an engine that sees the data changed."""
    return lambda model, data, layout, **settings: Engine(model, replace(data, **change(data)), layout, **settings)


def off_by_one(data):
    return {"values": {**data.values, "reward": np.roll(data.values["reward"], 1, axis=1)}}


def without_resets(data):
    return {"starts": np.arange(data.n_steps)[None, :] == np.zeros((data.n_subjects, 1))}


def missing_that_updates(data):
    return {"missing": {**data.missing, "reward": data.missing["choice"]}}


def missing_counted_as_0(data):
    """A missing value is 0, as it stands in the padded array."""
    return {"missing": {name: np.zeros_like(mask) | ~data.valid for name, mask in data.missing.items()}}


def leaking_padding(data):
    missing = {name: mask & data.valid for name, mask in data.missing.items()}
    return {"lengths": np.full_like(data.lengths, data.n_steps), "missing": missing}


_builds = itertools.count(1)


def edits_its_data(data):
    """Each build shifts the rewards a little further, as one that edits its arrays in place."""
    return {"values": {**data.values, "reward": data.values["reward"] + 1e-6 * next(_builds)}}


class UpdateBeforeChoice(Engine):
    def log_likelihood(self, params):
        q = super().trajectories(params)["q"]
        after = np.concatenate([q[:, 1:], q[:, -1:]], axis=1)
        logits = params["beta"][:, None, None] * after
        log_p = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
        return {"choice": np.take_along_axis(log_p, self.data.values["choice"][..., None], axis=2)[..., 0]}


class Float32(Engine):
    def log_likelihood(self, params):
        return super().log_likelihood({k: v.astype(np.float32).astype(float) for k, v in params.items()})


class SharedState(Engine):
    def trajectories(self, params):
        return {k: np.repeat(v[:1], len(v), axis=0) for k, v in super().trajectories(params).items()}


class FirstSubjectsParameters(Engine):
    def _runs(self, params, *, gradient=False):
        same = {name: np.repeat(values[:1], len(values), axis=0) for name, values in params.items()}
        return super()._runs(same, gradient=gradient)


class FirstTrialsParameters(Engine):
    def _runs(self, params, *, gradient=False):
        same = {n: np.repeat(x[:, :1], x.shape[1], axis=1) if x.ndim == 2 else x for n, x in params.items()}
        return super()._runs(same, gradient=gradient)


class SeesTheOthers(Engine):
    """Standardises over the batch, so that who else is there matters."""

    def value_and_gradient(self, params):
        value, gradient = super().value_and_gradient(params)
        return value, {name: slope * self.data.n_subjects / 4 for name, slope in gradient.items()}


class GradientStopped(Engine):
    def value_and_gradient(self, params):
        value, gradient = super().value_and_gradient(params)
        return value, gradient | {"alpha_pos": np.zeros_like(gradient["alpha_pos"])}


class JacobianDropped(Engine):
    def log_density_and_gradient(self, z):
        value, gradient = super().log_density_and_gradient(z)
        return value - float(z["beta_sd"]), gradient


class PriorDropped(Engine):
    def log_density_and_gradient(self, z):
        value, gradient = super().log_density_and_gradient(z)
        (latent,) = (item for item in self.layout.latents if item.name == "beta4")
        return value - float(np.sum(latent.prior.log_density(np.exp(z["beta4"])))), gradient


class KeptFinite(Engine):
    """Adds a little to every probability, so that the logarithm of 0 is none."""

    def log_likelihood(self, params):
        found = super().log_likelihood(params)
        return {name: np.log(np.exp(values) + 1e-12) for name, values in found.items()}


def with_another(table: Mapping[str, Any], operation: str, function: Callable[..., Any]) -> type[Engine]:
    """Return the reference in which an operation's row, of values or of derivatives, is another."""

    class Patched(Engine):
        def _run(self, params, *, gradient):
            with patch.dict(table, {operation: function}), np.errstate(all="ignore"):
                return super()._run(params, gradient=gradient)

    return Patched


VALUES, ELEMENTWISE, SHAPED = numpy_table._ALONG, derivatives._ELEMENTWISE, derivatives._SHAPED


def overflowing(x, axis):
    return x - np.log(np.sum(np.exp(x), axis=axis, keepdims=True))


MAX_SHARED = with_another(SHAPED, "max", lambda node, g, o, x: (
    np.expand_dims(g, node.attr("axis")) * (x == np.expand_dims(o, node.attr("axis")))
    / np.sum(x == np.expand_dims(o, node.attr("axis")), axis=node.attr("axis"), keepdims=True),
))  # fmt: skip
MAXIMUM_SHARED = with_another(ELEMENTWISE, "maximum", lambda g, o, a, b: (
    g * np.where(a == b, 0.5, a > b), g * np.where(a == b, 0.5, a < b),
))  # fmt: skip
ABS_AT_0 = with_another(ELEMENTWISE, "abs", lambda g, o, a: (g * np.where(a == 0, 1.0, np.sign(a)),))
SOFTMAX_OVER_ALL = with_another(VALUES, "softmax", lambda x, axis: np.exp(x - x.max()) / np.exp(x - x.max()).sum())
SOFTMAX_OVERFLOWS = with_another(VALUES, "log_softmax", overflowing)
LOG_MULTIPLIES = with_another(ELEMENTWISE, "log", lambda g, o, a: (g * (1.0 / a),))
SET_ADDS = with_another(SHAPED, "at_set", SHAPED["at_add"])
