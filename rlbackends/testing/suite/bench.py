"""Rows of operations as one model, so that a backend compiles many of them at once.

Each row is a record of the model, and each of its points a subject with one trial: its inputs are the trial's events.
A real input is ``event + t * direction`` with a parameter ``t`` of the row, which is 0: the gradient by ``t`` is the
derivative along that direction. It is read off a normal response, one entry a row, which was observed 1 above its mean,
so that the log-density has the slope 1 there. Where a value or its derivative is not finite the entry is missing, and
nothing may flow back.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import rlbackends as rl
from rlbackends.testing.assertions import assert_close
from rlbackends.testing.suite.rows import Row, array
from rlbackends.testing.suite.tryout import bound_quietly
from rlbackends.testing.suite.under_test import UnderTest

_AXES = {1: "one", 2: "two", 3: "three", 4: "four"}
_CARRIED = np.array([0.5, -1.5, 2.0])
_RESPONSE = "seen"
Found = tuple[Any, dict[str, np.ndarray]]


def _asking(names: Sequence[str], function: Callable[[Mapping[str, Any]], Any]) -> Callable[..., Any]:
    """Return a rule that asks for these names and hands them on as one mapping."""

    def rule(**values: Any) -> Any:
        return function(values)

    rule.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in names]
    )
    return rule


@dataclass(frozen=True)
class Trial:
    """A row at a point, moved along a direction."""

    expected: np.ndarray
    weight: np.ndarray
    slope: float
    is_read: bool
    label: str


class Bench:
    """Some rows in one model, with data and expected values.

    Parameters
    ----------
    rows : mapping of str to Row
        By the name of the record that each becomes.
    """

    def __init__(self, rows: Mapping[str, Row]) -> None:
        self.rows = dict(rows)
        self.moves = {key: list(row.trials()) for key, row in self.rows.items()}
        self.trials = {key: [_trial(row, *move) for move in self.moves[key]] for key, row in self.rows.items()}
        self.n_subjects = max(len(trials) for trials in self.trials.values())
        self.model = self._model()
        self.data = self._data()

    def params(self) -> dict[str, np.ndarray]:
        """Return the parameters: nothing moves."""
        return {name: np.zeros(self.n_subjects) for name in self.model.parameters}

    # The model

    def _events(self) -> dict[str, Any]:
        events: dict[str, Any] = {}
        for key, row in self.rows.items():
            for name in row.inputs:
                axes = [_AXES[size] for size in row.shape(name)]
                kind = row.kind(name)
                if kind == "real":
                    events[f"{key}_{name}"] = rl.Real(*axes)
                    if row.moves:
                        events[f"{key}_{name}_to"] = rl.Real(*axes)
                elif kind == "int":
                    events[f"{key}_{name}"] = rl.Index(row.along[name], *axes)
                else:
                    events[f"{key}_{name}"] = rl.Binary(*axes)
            events[f"{key}_weight"] = rl.Real(*(_AXES[size] for size in self.trials[key][0].expected.shape))
        return events

    def _results(self, values: Mapping[str, Any]) -> dict[str, Any]:
        found = {}
        for key, row in self.rows.items():
            inputs = {}
            for name in row.inputs:
                given = values[f"{key}_{name}"]
                if row.kind(name) == "real" and row.moves:
                    given = given + values[f"{key}_t"] * values[f"{key}_{name}_to"]
                inputs[name] = given == 1 if row.kind(name) == "bool" else given
            if _reads_state(row):
                inputs["carried"] = values["carried"]
            result = row.expression(**inputs)
            kind = result.node.kind.name
            found[key] = rl.where(result, 1.0, 0.0) if kind == "bool" else rl.to_float(result)
        return found

    def _model(self) -> Any:
        events = self._events()
        parameters = {f"{key}_t": rl.Parameter(rl.RealLine()) for key, row in self.rows.items() if row.moves}
        states = {}
        if any(_reads_state(row) for row in self.rows.values()):
            states["carried"] = rl.State("three", initial=_CARRIED)
        names = [*parameters, *states, *events]

        def response(values: Mapping[str, Any]) -> Any:
            found = self._results(values)
            terms = [rl.sum(found[key] * values[f"{key}_weight"]) for key in self.rows]
            return rl.Normal(mean=rl.stack(*terms, axis="row"), sd=1.0)

        return rl.Model(
            "rows of operations",
            parameters=parameters,
            states=states,
            trial={**events, _RESPONSE: _asking(names, response)},
            update=_asking(names, self._results),
            records=list(self.rows),
            sizes={**{name: size for size, name in _AXES.items()}, "row": len(self.rows)},
        )

    # The data

    def _data(self) -> Any:
        columns: dict[str, list[Any]] = {}
        levels = {}
        for key, row in self.rows.items():
            for place in range(self.n_subjects):
                # A row with fewer points than another repeats its last.
                at = min(place, len(self.moves[key]) - 1)
                point, direction = self.moves[key][at]
                for name in row.inputs:
                    columns.setdefault(f"{key}_{name}", []).append(array(point[name]).astype(float))
                    if name in direction:
                        columns.setdefault(f"{key}_{name}_to", []).append(direction[name])
                columns.setdefault(f"{key}_weight", []).append(self.trials[key][at].weight)
            for name in row.inputs:
                if row.kind(name) != "real":
                    size = 2 if row.kind(name) == "bool" else {v: k for k, v in _AXES.items()}[row.along[name]]
                    levels[f"{key}_{name}"] = range(size)
        seen = [[self._seen(key, place) for key in self.rows] for place in range(self.n_subjects)]
        arrays = {name: _flat(np.array(values)[:, None]) for name, values in columns.items()}
        trials = rl.Trials.from_arrays(
            subjects=range(1, self.n_subjects + 1), levels=levels, **arrays, **{_RESPONSE: np.array(seen)[:, None]}
        )
        return bound_quietly(self.model, trials)

    def _seen(self, key: str, place: int) -> float:
        trials = self.trials[key]
        trial = trials[min(place, len(trials) - 1)]
        return float(np.sum(trial.weight * trial.expected)) + 1.0 if trial.is_read else np.nan


def _flat(values: np.ndarray) -> np.ndarray:
    return values if values.ndim < 4 else values.reshape(*values.shape[:2], -1)


def _reads_state(row: Row) -> bool:
    return "carried" in inspect.signature(row.expression).parameters


def _trial(row: Row, point: Mapping[str, Any], direction: Mapping[str, np.ndarray]) -> Trial:
    """Work out what a row must give at a point, and how it is weighted in the response."""
    expected = row.expected(point)
    slope = row.derivative(point, direction)
    is_read = row.is_read(point, direction)
    size = float(np.max(np.abs(expected), initial=0.0)) if np.isfinite(expected).all() else 0.0
    # Weighted to the size of 1, so that tiny and huge values are held to as many digits; entries count differently.
    weight = np.resize([1.0, -0.5, 0.75], expected.shape) / (size if size > 0 else 1.0)
    with np.errstate(all="ignore"):
        total = float(np.sum(weight * slope))
    where = ", ".join(f"{name} = {value}" for name, value in point.items())
    moved = [name for name, to in direction.items() if np.any(to)]
    label = where + (f", along {moved[0]}{np.argwhere(direction[moved[0]])[0].tolist() or ''}" if moved else "")
    return Trial(expected, weight, total, is_read, label)


def run_bench(tested: UnderTest, bench: Bench) -> Found:
    """Return the records of a bench and the gradient by its parameters."""
    compiled = tested.compile(bench.model, bench.data)
    return compiled.trajectories(bench.params()), compiled.value_and_gradient(bench.params())[1]


def assert_rows(bench: Bench, found: Found, keys: Sequence[str]) -> None:
    """Assert that records of a bench have the expected values, and derivatives where these are finite.

    Parameters
    ----------
    bench : Bench
        The rows as a model.
    found : tuple
        What :func:`run_bench` gave.
    keys : sequence of str
        Which rows.

    Raises
    ------
    AssertionError
        With every point at which a value or a derivative is wrong.
    """
    records, gradient = found
    faults = _Faults()
    for key in keys:
        for place, trial in enumerate(bench.trials[key]):
            scale = float(np.max(np.abs(trial.weight), initial=0.0))
            where = f"{bench.rows[key].operation}: value at {trial.label}"
            with np.errstate(all="ignore"):
                faults.check(where, records[key].values[place, 0] * scale, trial.expected * scale, "trajectories")
            if f"{key}_t" in gradient and trial.is_read:
                where = f"{bench.rows[key].operation}: derivative at {trial.label}"
                faults.check(where, gradient[f"{key}_t"][place], trial.slope, "gradient")
    faults.report()


def assert_nothing_flows_back(bench: Bench, found: Found, keys: Sequence[str]) -> None:
    """Assert that a value that nothing depends on has a gradient of 0, though its slope is infinite or it is NaN.

    The parameters are those of :func:`assert_rows`.
    """
    faults = _Faults()
    for key in keys:
        for place, trial in enumerate(bench.trials[key]):
            if not trial.is_read and f"{key}_t" in found[1]:
                where = f"{bench.rows[key].operation}: derivative at {trial.label}, of which nobody reads the value"
                faults.check(where, found[1][f"{key}_t"][place], 0.0, "gradient")
    faults.report()


class _Faults:
    """Collects what is wrong, so that all of it is told."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def check(self, where: str, actual: Any, expected: Any, what: str) -> None:
        try:
            assert_close(actual, expected, what)
        except AssertionError as error:
            self._found.append(f"{where}: {error}")

    def report(self) -> None:
        if self._found:
            raise AssertionError("\n".join(self._found))
