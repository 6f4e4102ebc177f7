"""What is played: a model's parts, trials and parameters, any of which a mistake may change, and what comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import build
from rlbackends.expressions.passes import substitute
from rlbackends.model.build import Parts
from rlbackends.model.model import Model
from rlbackends.model.program import Program
from rlbackends.porting.compare.player import Graphs

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Setup:
    """A model with trials and parameter values, played as it is or with mistakes.

    Attributes
    ----------
    parts
        The model, traced. Learning reads an event under the name ``"reward@learning"``, a response's rule under
        ``"season@rule"``, and the likelihood under its own, so that each of them can be given something else.
    values, missing
        Events under these names (subject × trial × their axes), as in `BoundTrials`.
    starts, valid
        (subject × trial) first trials of blocks; False at padding.
    params
        Parameter → (point × subject) or (point × subject × trial).
    see
        Which states responses see: ``"before"`` the trial's update, ``"after"`` it, those of the ``"last"`` trial, or
        the ``"initial"`` ones.
    likelihood
        Instead of the response's own: from a `Seen` to log-probabilities.
    outputs
        What is done to the log-likelihoods (point × subject × trial) before they are compared.
    total
        How trials become one number a subject, or one in all: ``"sum"``, ``"mean"``, or ``"mean of sums"``.
    real
        The precision in which it is played.
    chained
        Whether each person goes on with the states that the one before ended with.
    """

    parts: Parts
    values: Arrays
    missing: Arrays
    starts: np.ndarray
    valid: np.ndarray
    params: Arrays
    see: str = "before"
    likelihood: Callable[[Seen], np.ndarray] | None = None
    outputs: tuple[Callable[[np.ndarray, Setup], np.ndarray], ...] = ()
    total: str = "sum"
    real: Any = np.float64
    chained: bool = False
    _programs: dict[Any, tuple[Parts, Program]] = field(default_factory=dict, repr=False)  # shared by all copies

    @classmethod
    def of(cls, model: Model, data: BoundTrials, points: list[Arrays]) -> Setup:
        """Return what is played if nobody made a mistake."""
        wide = any(values.ndim == 2 for point in points for values in point.values())
        shape = (data.n_subjects, data.n_steps)

        def whole(values: np.ndarray) -> np.ndarray:
            return np.broadcast_to(values if values.ndim == 2 else values[:, None], shape) if wide else values

        params = {name: np.stack([whole(point[name]) for point in points]) for name in model.parameters}
        parts = model._parts
        learning = _read_as({**parts.updates, **{f"record {k}": v for k, v in parts.records.items()}}, "@learning")
        parts = replace(
            parts,
            updates={k: learning[k] for k in parts.updates},
            records={k: learning[f"record {k}"] for k in parts.records},
            responses={
                k: replace(r, arguments=_read_as(dict(r.arguments), "@rule")) for k, r in parts.responses.items()
            },
        )
        names = {event + use: event for event in parts.events for use in ("", "@learning", "@rule")}
        values = {name: data.values[event] for name, event in names.items()}
        missing = {name: data.missing[event] for name, event in names.items()}
        return cls(parts, values, missing, data.starts, data.valid, params)

    @property
    def n_points(self) -> int:
        """At how many parameter values it is played."""
        return next(iter(self.params.values())).shape[0] if self.params else 1

    @property
    def shape(self) -> tuple[int, int, int]:
        """(point, subject, trial)."""
        return (self.n_points, *self.starts.shape)

    def changed(self, **changes: Any) -> Setup:
        """Return a copy with some things changed."""
        return replace(self, **changes)

    @cached_property
    def observed(self) -> np.ndarray:
        """(subject × trial) whether there is a response, or at least a part of one."""
        found = np.zeros(self.starts.shape, bool)
        for response in self.parts.responses:
            found |= (~self.missing[response]).reshape(*found.shape, -1).any(axis=-1)
        return found

    def program(self) -> Program:
        """Return what is played on a trial."""
        complete = _complete(self)
        key = (id(self.parts), complete)  # the parts are kept with it, so that the id stays theirs
        if key not in self._programs:
            self._programs[key] = self.parts, Model._from_parts(self.parts).program(complete)
        return self._programs[key][1]

    @cached_property
    def learns_from(self) -> frozenset[str]:
        """Names of the events, parameters and states that decide on the states' course."""
        roots = [*self.parts.updates.values(), *(state.initial for state in self.parts.states.values())]
        return frozenset(node.attr("name") for node in walk(*roots) if node.op in ("event", "parameter"))

    @cached_property
    def course_key(self) -> tuple[Any, ...]:
        """What two setups share if their states are the same on every trial."""
        used = sorted(self.learns_from)
        arrays = [a[name] for name in used for a in (self.values, self.missing, self.params) if name in a]
        graphs = [(name, id(node)) for name, node in self.parts.updates.items()]
        states = [(name, id(state.initial), state.reset) for name, state in self.parts.states.items()]
        return (*graphs, *states, *map(id, arrays), id(self.starts), self.chained, np.dtype(self.real).char)


def _read_as(graphs: dict[str, Node], use: str) -> dict[str, Node]:
    """Return graphs that read every event under its name for this use."""

    def replaced(node: Node) -> Node | None:
        if node.op != "event":
            return None
        return build("event", name=node.attr("name") + use, kind=node.attr("kind"), axes=node.attr("axes"))

    return substitute(graphs, replaced)


def _complete(setup: Setup) -> frozenset[str]:
    def lacks(flags: np.ndarray) -> bool:
        return bool((flags & setup.valid.reshape(setup.valid.shape + (1,) * (flags.ndim - 2))).any())

    return frozenset(name for name, flags in setup.missing.items() if not lacks(flags))


@dataclass(frozen=True, eq=False)
class Seen:
    """A response's arguments on every trial of every person at every point, as a likelihood sees them.

    Attributes
    ----------
    arguments
        Argument → (point × subject × trial × its axes).
    value, there
        The response and whether each part of it is there, (subject × trial × its axes).
    """

    setup: Setup
    response: str
    family: str
    arguments: Arrays
    value: np.ndarray
    there: np.ndarray
    evaluate: Callable[[Mapping[str, Node]], Arrays]


@dataclass(eq=False)
class Play:
    """One play of a setup; what it needs is computed when it is asked for."""

    setup: Setup
    course: Arrays = field(default_factory=dict)
    program: Program = field(init=False)

    def __post_init__(self) -> None:
        self.program = self.setup.program()
        if not self.course:
            self.course = self._run()

    def _lanes(self, values: np.ndarray) -> np.ndarray:
        """Return an event's values once for each point, (lane × trial × axes)."""
        return np.tile(values, (self.setup.n_points,) + (1,) * (values.ndim - 1))

    def _cast(self, values: np.ndarray) -> np.ndarray:
        return values.astype(self.setup.real, copy=False) if values.dtype.kind == "f" else values

    def _run(self) -> Arrays:
        """Return every state before each trial's update, (lane × trial × shape)."""
        s = self.setup
        points, subjects, steps = s.shape
        lanes = points * subjects
        initial, updates = Graphs(self.program.initial, s.real), Graphs(self.program.updates, s.real)
        used, asked = self.program.used_events(), self.program.masked_events
        values = {k: np.moveaxis(self._cast(self._lanes(v)), 1, 0).copy() for k, v in s.values.items() if k in used}
        missing = {k: np.moveaxis(self._lanes(s.missing[k]), 1, 0).copy() for k in asked}
        starts = self._lanes(s.starts).T
        params = {k: self._cast(v.reshape(lanes, *v.shape[2:])) for k, v in s.params.items()}
        by_trial = {k for k, v in params.items() if v.ndim == 2}
        course = {
            name: np.empty((lanes, steps, *state.shape), s.real) for name, state in s.parts.states.items()
        }
        states: dict[str, np.ndarray] = {}
        with np.errstate(all="ignore"):
            for trial in range(steps):
                leaves = {k: v[:, trial] if k in by_trial else v for k, v in params.items()}
                begins = starts[trial]
                if trial == 0 or begins.any():
                    fresh = initial(leaves, {})
                    for name, state in s.parts.states.items():
                        new = np.broadcast_to(_fitted(fresh[name], len(state.shape)), (lanes, *state.shape))
                        if trial == 0:
                            states[name] = new
                        elif state.reset == "block":
                            which = begins.reshape(lanes, *(1,) * len(state.shape))
                            states[name] = np.where(which, new, states[name])
                for name, value in states.items():
                    course[name][:, trial] = value
                leaves |= states
                leaves |= {k: v[trial] for k, v in values.items()}
                for name, value in updates(leaves, {k: v[trial] for k, v in missing.items()}).items():
                    states[name] = _fitted(value, len(s.parts.states[name].shape))
        return course

    def _flat(self) -> tuple[Arrays, Arrays]:
        """Return leaves and flags with every trial of every lane as a lane of its own."""
        s = self.setup
        points, subjects, steps = s.shape
        lanes = points * subjects
        leaves = {k: v.reshape(lanes * steps, *v.shape[2:]) for k, v in self.course.items()}
        for name, values in s.params.items():
            whole = np.broadcast_to(values[..., None] if values.ndim == 2 else values, s.shape)
            leaves[name] = self._cast(whole.reshape(-1))
        flags = {}
        for name, values in s.values.items():
            leaves[name] = self._cast(self._lanes(values).reshape(lanes * steps, *values.shape[2:]))
            flags[name] = self._lanes(s.missing[name]).reshape(lanes * steps, *values.shape[2:])
        return leaves, flags

    def _evaluated(self, graphs: Mapping[str, Node], leaves: Arrays, flags: Arrays) -> dict[str, np.ndarray]:
        """Return graphs of single trials, (point × subject × trial × shape)."""
        with np.errstate(all="ignore"):
            found = Graphs(graphs, self.setup.real)(leaves, flags)
        shape = self.setup.shape
        return {
            name: np.broadcast_to(value, (int(np.prod(shape)), *value.shape[1:])).reshape(*shape, *value.shape[1:])
            for name, value in found.items()
        }

    def trajectories(self) -> Arrays:
        """Return states before the update, and records, (point × subject × trial × shape)."""
        leaves, flags = self._flat()
        states = {name: value.reshape(*self.setup.shape, *value.shape[2:]) for name, value in self.course.items()}
        return {**states, **self._evaluated(self.program.records, leaves, flags)}

    def after(self) -> Arrays:
        """Return states after each trial's update, (point × subject × trial × shape)."""
        leaves, flags = self._flat()
        shape = self.setup.shape
        found = {name: value.reshape(*shape, *value.shape[2:]) for name, value in self.course.items()}
        for name, value in self._evaluated(self.program.updates, leaves, flags).items():
            found[name] = np.broadcast_to(_fitted(value, found[name].ndim - 3, 3), found[name].shape)
        return found

    def _seen(self) -> tuple[Arrays, Arrays]:
        leaves, flags = self._flat()
        s = self.setup
        if s.see == "before":
            return leaves, flags
        if s.see == "after":
            states = self.after()
        else:
            states = {name: value.reshape(*s.shape, *value.shape[2:]) for name, value in self.course.items()}
            which = np.maximum(np.arange(s.shape[2]) - 1, 0) if s.see == "last" else np.zeros(s.shape[2], int)
            states = {name: value[:, :, which] for name, value in states.items()}
        return {**leaves, **{k: v.reshape(-1, *v.shape[3:]) for k, v in states.items()}}, flags

    def arguments(self, response: str) -> Arrays:
        """Return the arguments of a response's family, (point × subject × trial × shape)."""
        return self._evaluated(self.program.arguments[response], *self._seen())

    def log_likelihood(self) -> dict[str, np.ndarray]:
        """Return each response's log-likelihood (point × subject × trial), 0 where nothing was observed."""
        s = self.setup
        leaves, flags = self._seen()
        found = {}
        for name, response in s.parts.responses.items():
            arguments = self._evaluated(self.program.arguments[name], leaves, flags)
            there = ~s.missing[name]
            if s.likelihood is not None:
                seen = Seen(
                    s, name, response.family, arguments, s.values[name], there,
                    lambda graphs: self._evaluated(graphs, leaves, flags),
                )  # fmt: skip
                with np.errstate(all="ignore"):
                    log_p = s.likelihood(seen)
            else:
                log_p = self._own(name, arguments)
            log_p = np.where(np.broadcast_to(there, log_p.shape), log_p, 0.0)
            found[name] = log_p.reshape(*s.shape, -1).sum(axis=-1).astype(np.float64)
        return found

    def _own(self, name: str, arguments: Arrays) -> np.ndarray:
        """Return a response's log-probabilities by its own family, (point × subject × trial × sub-choices)."""
        flat = {k: v.reshape(-1, *v.shape[3:]) for k, v in arguments.items()}
        flat[name] = self._cast(self._lanes(self.setup.values[name]))
        flat[name] = flat[name].reshape(-1, *flat[name].shape[2:])
        return self._evaluated({name: self.program.log_probability[name]}, flat, {})[name]


def _fitted(value: np.ndarray, rank: int, leading: int = 1) -> np.ndarray:
    """Return a value with ``rank`` axes behind the leading ones."""
    lacking = rank - (value.ndim - leading)
    return value.reshape(value.shape[:leading] + (1,) * lacking + value.shape[leading:]) if lacking > 0 else value


def predicted(setup: Setup, course: Arrays | None = None, *, apart: bool = False) -> tuple[Arrays, Arrays]:
    """Return the log-likelihoods that a setup gives, (point × subject × trial), and its states for another use.

    They are those of all responses together, under the name ``""``, or of each one if they are kept ``apart``.
    """
    play = Play(_in_one_row(setup) if setup.chained else setup, course or {})
    found = play.log_likelihood()
    if setup.chained:
        found = {name: _in_rows(values, setup) for name, values in found.items()}
    if not apart:
        found = {"": np.sum(list(found.values()), axis=0)}
    for output in setup.outputs:
        found = {name: output(values, setup) for name, values in found.items()}
    return found, play.course


def _in_one_row(setup: Setup) -> Setup:
    """Return the trials of all persons, one behind the other, as those of one."""
    valid = setup.valid
    params = {
        name: np.broadcast_to(v[..., None] if v.ndim == 2 else v, setup.shape)[:, valid][:, None]
        for name, v in setup.params.items()
    }
    starts = setup.starts.copy()
    starts[:, 0] = False
    return setup.changed(
        values={name: v[valid][None] for name, v in setup.values.items()},
        missing={name: v[valid][None] for name, v in setup.missing.items()},
        starts=starts[valid][None], valid=np.ones((1, int(valid.sum())), bool), params=params,
        likelihood=setup.likelihood, outputs=(),
    )  # fmt: skip


def _in_rows(values: np.ndarray, setup: Setup) -> np.ndarray:
    found = np.zeros(setup.shape)
    found[:, setup.valid] = values[:, 0]
    return found
