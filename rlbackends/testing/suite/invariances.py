"""Checks that need no expected value: what must not change when trials are changed in a way that says nothing new."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from rlbackends.model import Model
from rlbackends.population import Population
from rlbackends.testing.assertions import assert_close
from rlbackends.testing.cases.case import ModelCase
from rlbackends.testing.suite.tryout import Params, bound, rows_of, silent, tryout
from rlbackends.testing.suite.under_test import UnderTest
from rlbackends.testing.trials import Rows

REPRESENTATIVES = (
    "rescorla_wagner_two_rates",
    "two_step",
    "balloon_mean_variance_5",
    "conditioned_response_pearce_hall",
)
"""Cases that stand for all: one response, two, several sub-choices, and a continuous one."""
SYMMETRIC: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "rescorla_wagner_two_rates": ("action",),
        "perseveration": ("action",),
        "aliens": ("season", "alien", "action"),
    }
)
"""Cases in which the entries of these axes may change places."""

Result = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]


def _params(case: ModelCase) -> Params:
    """Return one value per subject of each parameter."""
    return {name: values[:, 0] for name, values in tryout(case, "messy").points["by subject"].items()}


def _run(tested: UnderTest, model: Any, subjects: Sequence[Rows], params: Params) -> Result:
    """Return the log-likelihood, (subject, trial) a response, and the gradient, (subject,) a parameter."""
    compiled = tested.compile(model, bound(model, subjects), Population())
    found = compiled.log_likelihood(params)
    return {str(name): x.values for name, x in found.items()}, compiled.value_and_gradient(params)[1]


def _base(tested: UnderTest, case: ModelCase) -> tuple[Any, list[Rows], Params, Result]:
    """Return a case's messy trials and what the backend makes of them."""
    model, subjects, params = case.model(), rows_of(case, "messy"), _params(case)
    return model, subjects, params, tested.once((id(case), "base"), lambda: _run(tested, model, subjects, params))


def _assert_same(changed: Result, base: Result, of: Sequence[int], at: Callable[[int], Any]) -> None:
    """Assert that the first of the changed subjects are these of the base; ``at`` says where their trials are."""
    for name, values in base[0].items():
        for now, before in enumerate(of):
            there = at(before)
            assert_close(changed[0][name][now][there], values[before][: len(there)], "log_likelihood")
    for name, values in base[1].items():
        assert_close(changed[1][name][: len(of)], values[list(of)], "gradient")


def assert_padding_is_invisible(tested: UnderTest, case: ModelCase) -> None:
    """Assert that a longer subject, who makes padding for all others, changes nothing for them.

    Parameters
    ----------
    tested : UnderTest
        The backend.
    case : ModelCase
        The model, on messy data.
    """
    model, subjects, params, base = _base(tested, case)
    longer = subjects[0] + [{**trial, "start": False} for trial in subjects[0][:5]]
    more = {name: np.append(values, values[:1]) for name, values in params.items()}
    changed = _run(tested, model, [*subjects, longer], more)
    _assert_same(changed, base, range(len(subjects)), lambda s: np.arange(len(subjects[s])))


def assert_order_does_not_matter(tested: UnderTest, case: ModelCase) -> None:
    """Assert that subjects in another order have the same values; see `assert_padding_is_invisible`."""
    model, subjects, params, base = _base(tested, case)
    order = list(range(len(subjects)))[::-1]
    changed = _run(tested, model, [subjects[s] for s in order], {name: x[order] for name, x in params.items()})
    _assert_same(changed, base, order, lambda s: np.arange(len(subjects[s])))


def assert_parts_are_the_whole(tested: UnderTest, case: ModelCase) -> None:
    """Assert that some subjects alone have the values that they have among all; see `assert_padding_is_invisible`."""
    model, subjects, params, base = _base(tested, case)
    part = [1, 2]
    changed = _run(tested, model, [subjects[s] for s in part], {name: x[part] for name, x in params.items()})
    _assert_same(changed, base, part, lambda s: np.arange(len(subjects[s])))


def assert_empty_trials_say_nothing(tested: UnderTest, case: ModelCase) -> None:
    """Assert that trials on which all is missing change nothing on the others; see `assert_padding_is_invisible`."""
    model, subjects, params, base = _base(tested, case)
    empty = {"start": False, **dict.fromkeys(model.events)}
    changed = _run(tested, model, [[rows[0], empty, empty, *rows[1:]] for rows in subjects], params)
    for name in base[0]:
        if not np.isnan(changed[0][name][:, 1:3]).all():
            raise AssertionError(f"{case.name}: '{name}' has a log-likelihood on a trial on which it is missing")
    everyone = range(len(subjects))
    _assert_same(changed, base, everyone, lambda s: np.r_[0, 3 : len(subjects[s]) + 2])


def assert_silence_says_nothing(tested: UnderTest, case: ModelCase) -> None:
    """Assert that without responses log-likelihood and gradient are 0; see `assert_padding_is_invisible`."""
    model, params = case.model(), _params(case)
    compiled = tested.compile(model, bound(model, [silent(model, rows) for rows in rows_of(case, "messy")]))
    value, gradient = compiled.value_and_gradient(params)
    found = compiled.log_likelihood(params)
    if not all(np.isnan(values.values).all() for values in found.values()):
        raise AssertionError(f"{case.name}: there is a log-likelihood of a response that is missing")
    assert_close(value, 0.0, "log_likelihood")
    assert_close(gradient, {name: np.zeros(x.shape) for name, x in params.items()}, "gradient")


def assert_labels_do_not_matter(tested: UnderTest, case: ModelCase) -> None:
    """Assert that a model in which the entries of an axis are alike does not mind which is which.

    Parameters
    ----------
    tested : UnderTest
        The backend.
    case : ModelCase
        A model of `SYMMETRIC`, on messy data.
    """
    model, subjects, params, base = _base(tested, case)
    axes = SYMMETRIC[case.name]
    codes = {e.name: model.sizes[e.of] for e in model.events.values() if e.of in axes}

    def moved(trial: dict[str, Any]) -> dict[str, Any]:
        shifted = {n: (trial[n] + 1) % size for n, size in codes.items() if trial[n] is not None}
        return {**trial, **shifted}

    changed = _run(tested, model, [[moved(trial) for trial in rows] for rows in subjects], params)
    _assert_same(changed, base, range(len(subjects)), lambda s: np.arange(len(subjects[s])))


def assert_json_keeps_the_model(tested: UnderTest, case: ModelCase) -> None:
    """Assert that a model written as JSON and read again is the same, and has the same numbers.

    The parameters are those of :func:`assert_padding_is_invisible`.
    """
    model, subjects, params, base = _base(tested, case)
    again = Model.from_json(model.to_json())
    if again != model or again.to_json() != model.to_json():
        raise AssertionError(f"{case.name}: the model that was read from JSON is not the one that was written")
    changed = _run(tested, again, subjects, params)
    _assert_same(changed, base, range(len(subjects)), lambda s: np.arange(len(subjects[s])))
