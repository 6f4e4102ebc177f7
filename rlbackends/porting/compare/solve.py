"""The constant that would explain it: an initial value, or a parameter that is the same whatever is given."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rlbackends.expressions.kinds import REAL
from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import build
from rlbackends.expressions.passes import substitute
from rlbackends.porting.compare.mistakes.mistake import Change, Mistake
from rlbackends.porting.compare.setup import Setup, predicted
from rlbackends.porting.compare.target import Target

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials

INITIAL = Mistake(
    "another initial value",
    "values start somewhere else.",
    "Start where the model does, or give the model your script's value: rl.State(..., initial=...).",
    lambda setup, data: (),
)
CONSTANT = Mistake(
    "a parameter that is not used",
    "a parameter has one value for everyone, whatever is given.",
    "Use the argument; look for a number written into the function, or a name that stands for two things.",
    lambda setup, data: (),
)
_STARTS, _STEPS = 3, 12
_MEMORY = 5_000_000  # numbers that are held at once


def constants(setup: Setup, data: BoundTrials) -> Iterator[tuple[Mistake, str, Callable[[float], Change], np.ndarray]]:
    """Yield what may have another value: the mistake, the name of it, how a value is put in, and values to try."""
    fixed = [name for name, state in setup.parts.states.items() if state.initial.op == "const"]
    if fixed:
        grid = _levels(setup, data)
        for group in ([[name] for name in fixed] if len(fixed) > 1 else []) + [fixed]:
            what = " and ".join(f"'{name}'" for name in group)
            yield INITIAL, f"{what} {'starts' if len(group) == 1 else 'start'} at", _starting(group), grid
        for name in fixed:
            if _returns(setup, name):
                yield INITIAL, f"'{name}' starts at, and is forgotten toward,", _starting([name], toward=True), grid
    for name, parameter in setup.parts.parameters.items():
        lo, hi = parameter.support.lo, parameter.support.hi
        if np.isfinite(lo) and np.isfinite(hi):
            grid = lo + (hi - lo) * np.linspace(0.0, 1.0, 41)
        elif np.isfinite(lo):
            grid = lo + np.concatenate([[0.0], np.geomspace(1e-2, 1e2, 40)])
        else:
            grid = np.concatenate([-np.geomspace(10, 1e-2, 20), [0.0], np.geomspace(1e-2, 10, 20)])
        yield CONSTANT, f"{name} is", _fixed(name), grid


def _levels(setup: Setup, data: BoundTrials) -> np.ndarray:
    """Return initial values that are worth a try: about as large as what is seen, and round ones."""
    seen = [data.values[e.name][~data.missing[e.name]] for e in setup.parts.events.values() if e.kind.name == "real"]
    found = np.concatenate([[0.0, 1.0], *(v.ravel() for v in seen)])
    lo, hi = float(found.min()), float(found.max())
    sizes = [axis.size for state in setup.parts.states.values() for axis in state.axes]
    shares = [1 / size for size in sizes]
    return np.unique([*np.linspace(lo - (hi - lo), hi + (hi - lo), 61), 0.0, 0.5, 1.0, lo, hi, (lo + hi) / 2, *shares])


def _returns(setup: Setup, name: str) -> list[Node]:
    """Return the constants of a state's update that are its initial value, as where it is forgotten toward it."""
    initial = setup.parts.states[name].initial.attr("value")
    if name not in setup.parts.updates or np.ndim(initial) or initial in (0, 1):
        return []
    consts = [node for node in walk(setup.parts.updates[name]) if node.op == "const" and node.kind == REAL]
    return [node for node in consts if node.attr("value") == initial]


def _starting(names: list[str], *, toward: bool = False) -> Callable[[float], Change]:
    leaf = build("parameter", name="(initial)")

    def at(value: float) -> Change:
        def change(setup: Setup) -> Setup:
            updates = dict(setup.parts.updates)
            for name in names if toward else ():
                swap = dict.fromkeys(_returns(setup, name), leaf)
                updates[name] = substitute({"": updates[name]}, swap.get)[""]
            states = {k: replace(s, initial=leaf) if k in names else s for k, s in setup.parts.states.items()}
            return setup.changed(
                parts=replace(setup.parts, states=states, updates=updates),
                params={**setup.params, "(initial)": np.full(setup.shape[:2], value)},
            )

        return change

    return at


def _fixed(name: str) -> Callable[[float], Change]:
    def at(value: float) -> Change:
        return lambda setup: setup.changed(
            params={**setup.params, name: np.full_like(setup.params[name], value, dtype=np.float64)}
        )

    return at


def solve(setup: Setup, target: Target, put: Callable[[float], Change], grid: np.ndarray) -> float | None:
    """Return the value with which our numbers come nearest to the other's, at one point; None if there is none."""

    entries = sum(math.prod(state.shape) for state in setup.parts.states.values()) + len(setup.values) + 1
    at_once = max(1, _MEMORY // (math.prod(setup.shape[1:]) * entries))

    def residuals(values: np.ndarray) -> np.ndarray:
        """Return (value × number) differences: each value is a point of its own."""
        parts = [some(values[i : i + at_once]) for i in range(0, len(values), at_once)]
        return np.nan_to_num(np.concatenate(parts), nan=1e9, posinf=1e9, neginf=-1e9)

    def some(values: np.ndarray) -> np.ndarray:
        many = {name: np.repeat(p[:1], len(values), axis=0) for name, p in setup.params.items()}
        changed = put(0.0)(setup.changed(params=many))
        assert changed is not None
        params = dict(changed.params)
        for name, array in params.items():
            if name not in many or array is not many[name]:
                params[name] = np.broadcast_to(values.reshape(-1, *(1,) * (array.ndim - 1)), array.shape)
        changed = changed.changed(params=params)
        found = target.of(predicted(changed, apart=target.apart)[0], changed)
        theirs = {name: array[:1] for name, array in target.values.items()}
        with np.errstate(invalid="ignore"):
            parts = [(found[name] - theirs[name]).reshape(len(values), -1) for name in theirs]
        return np.concatenate(parts, axis=1)

    loss = (residuals(grid) ** 2).sum(axis=1)
    best = grid[np.argsort(loss, kind="stable")[:_STARTS]].astype(np.float64)
    for _ in range(_STEPS):  # Gauss–Newton from the best few
        step = 1e-5 * np.maximum(1.0, np.abs(best))
        found = residuals(np.concatenate([best, best + step, best - step]))
        here, up, down = np.split(found, 3)
        slope = (up - down) / (2 * step[:, None])
        with np.errstate(all="ignore"):
            move = (slope * here).sum(axis=1) / (slope * slope).sum(axis=1)
        move = np.where(np.isfinite(move), move, 0.0)
        reach = np.maximum(0.5, np.abs(best))
        best = best - np.clip(move, -reach, reach)
        if np.all(np.abs(move) < 1e-13 * np.maximum(1.0, np.abs(best))):
            break
    loss = (residuals(best) ** 2).sum(axis=1)
    value = float(best[int(np.argmin(loss))])
    return value if np.isfinite(value) else None
