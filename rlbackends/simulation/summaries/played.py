"""What subjects did, and how it is asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rlbackends.errors import SettingError, did_you_mean, listed

Rule = str | Mapping[str, Any] | Callable[..., Any]
"""An event's name, events and the values that they should have, or a function that asks for events by name."""


@dataclass(frozen=True)
class Played:
    """What subjects did, observed once or predicted many times.

    ``source`` is "observed", "predicted" or "simulated", ``kind`` what a legend calls it. ``events`` are draw × subject
    × trial (× axes) by name, NaN where missing; ``blocks`` is subject × trial, the block of each trial, 0 behind a
    subject's last; ``before`` are the events that preceded a trial where they are others than ``events``: one step
    ahead, what was observed. ``labels`` are those of an event's codes.
    """

    source: str
    kind: str
    events: Mapping[str, np.ndarray]
    blocks: np.ndarray
    before: Mapping[str, np.ndarray] | None = None
    labels: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    @property
    def draws(self) -> int:
        """How many times the subjects played."""
        return max(len(values) for values in self.events.values())

    def ask(self, rule: Rule, where: str, what: str, *, earlier: bool = False) -> np.ndarray:
        """Return one number a trial, draw × subject × trial, NaN where a needed event is missing.

        ``rule`` is an event's name, {event: value} for whether it is this, or a function that asks for events by name.
        """
        if isinstance(rule, Mapping):
            return self._equal(rule, where, what, earlier=earlier)
        events = self.before if earlier and self.before is not None else self.events
        known = {"trial": position_in_block(self.blocks)[None], "block": self.blocks[None], **events}
        if isinstance(rule, str):
            names: list[str] = [rule]
        elif callable(rule):
            parameters = inspect.signature(rule).parameters.values()
            names = [p.name for p in parameters if p.name in known or p.default is p.empty]
        else:
            raise SettingError(f"{where}: {what} is {rule!r}, expected an event's name or a function of events.")
        unknown = [name for name in names if name not in known]
        if unknown:
            raise SettingError(
                f"{where}: {what} needs {listed(unknown)}, but the {self.source} trials have {listed(known)}."
                f"{did_you_mean(unknown[0], known)}"
            )
        given = {name: known[name] for name in names}
        result = given[rule] if isinstance(rule, str) else rule(**given)
        array = np.array(result, dtype=float)
        if array.ndim != 3 or array.shape[1:] != self.blocks.shape:
            several = next((name for name, value in given.items() if value.ndim > 3), None)
            fix = "" if several is None else f" Take an entry of {several!r}: lambda {several}: {several}[..., 0]."
            raise SettingError(
                f"{where}: {what} gives {self.source} values of shape {array.shape}, expected one number a trial, "
                f"(draw, *{self.blocks.shape}).{fix}"
            )
        for value in given.values():
            # A comparison has turned NaN into False.
            missing = np.isnan(value).all(axis=tuple(range(3, value.ndim))) if value.ndim > 3 else np.isnan(value)
            array = np.where(missing, np.nan, array)
        return np.where(self.blocks > 0, array, np.nan)

    def _equal(self, rule: Mapping[str, Any], where: str, what: str, *, earlier: bool) -> np.ndarray:
        """Return 1 where all the events have these values, else 0."""
        if not rule:
            raise SettingError(f"{where}: {what} is {{}}, expected an event and its value.")
        result: Any = 1.0
        for name, value in rule.items():
            found = self.ask(name, where, what, earlier=earlier)
            labels = list(self.labels.get(name, ()))
            code = labels.index(value) if value in labels else value
            if not isinstance(code, int | float | np.number):
                raise SettingError(
                    f"{where}: {what} asks for {name} = {value!r}, expected a label of {listed(labels)} or a number."
                )
            result = result * np.where(np.isnan(found), np.nan, found == code)
        return np.asarray(result)


def position_in_block(blocks: np.ndarray) -> np.ndarray:
    """Return the number of each trial within its block, from 1."""
    trial = np.broadcast_to(np.arange(blocks.shape[1]), blocks.shape)
    starts = np.ones(blocks.shape, dtype=bool)
    starts[:, 1:] = blocks[:, 1:] != blocks[:, :-1]
    return np.asarray(trial - np.maximum.accumulate(np.where(starts, trial, 0), axis=1) + 1)


def name_of(rule: Rule, other: str) -> str:
    """Return what a table calls a rule: its event, its function's own name, or ``other``."""
    if isinstance(rule, str):
        return rule
    name = str(getattr(rule, "__name__", other))
    return name if name.isidentifier() else other  # "<lambda>" is no name


def labels_of(sources: Sequence[Played], rule: Rule) -> Sequence[Any] | None:
    """Return the labels of an event's codes if a source knows them; what a function returns has none."""
    if not isinstance(rule, str):
        return None
    return next((played.labels[rule] for played in sources if rule in played.labels), None)
