"""The loop over trials: one subject's trial written once, mapped over subjects, scanned over trials."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from rlbackends.backends.numpyro.operations import Lowering

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials
    from rlbackends.model.model import Model
    from rlbackends.model.program import Program

Tree = dict[str, Any]


def trial_sequences(model: Model, program: Program, data: BoundTrials) -> Tree:
    """Return what the loop reads on each trial, (trial, subject, …), as NumPy arrays; the rest is not there.

    Behind a subject's last trial that trial is played again, from the same states: whatever was finite on it
    stays so, and nothing new can arise.
    """
    last = data.lengths - 1
    steps = np.minimum(np.arange(data.n_steps)[:, None], last)  # (trial, subject) → trial of the subject
    rows = np.arange(data.n_subjects)

    def by_trial(array: np.ndarray) -> np.ndarray:
        return array[rows, steps] if data.is_ragged else array.swapaxes(0, 1)

    used = sorted(program.used_events())
    # What is the same for all subjects, as a schedule of a simulation may be, is read once for all.
    common = [name for name in used if not data.is_ragged and data.values[name].strides[0] == 0]
    tree: Tree = {
        "values": {name: by_trial(data.values[name]) for name in used if name not in common},
        "common": {name: data.values[name][0] for name in common},
        "flags": {name: by_trial(data.missing[name]) for name in sorted(program.masked_events)},
    }
    if data.is_ragged:
        tree["steps"] = steps
        tree["goes_on"] = np.arange(data.n_steps)[:, None] < last
    if data.starts[:, 1:].any() and any(state.reset == "block" for state in model.states.values()):
        tree["starts"] = (data.starts & data.valid).T
    return tree


class Loop:
    """A model's trials in JAX, in the order of the semantics: reset, respond, learn.

    Parameters
    ----------
    model : Model
        The specification.
    program : Program
        Its graphs for the data at hand.
    lowering : Lowering
        How graphs are evaluated.
    n_steps : int
        How many trials the longest sequence has.
    """

    def __init__(self, model: Model, program: Program, lowering: Lowering, n_steps: int) -> None:
        self._program = program
        self._lowering = lowering
        self._n_steps = n_steps
        self._states = dict(model.states)

    def arguments(self, params: Mapping[str, Any], sequences: Tree) -> dict[str, dict[str, Any]]:
        """Return the arguments of each response's family, (trial, subject, *axes)."""
        asked = {response: dict(group) for response, group in self._program.arguments.items()}
        return self._scan(params, sequences, asked)[0]

    def trajectories(self, params: Mapping[str, Any], sequences: Tree) -> dict[str, Any]:
        """Return states before each trial's update, and records: (subject, trial, *axes)."""
        return self._by_subject(self.trajectories_by_trial(params, sequences))

    def trajectories_by_trial(self, params: Mapping[str, Any], sequences: Tree) -> dict[str, Any]:
        """Return :meth:`trajectories` as the loop makes them, (trial, subject, *axes)."""
        records, states = self._scan(params, sequences, dict(self._program.records), states=True)
        return {**states, **records}

    def both(self, params: Mapping[str, Any], sequences: Tree) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
        """Return what :meth:`arguments` and :meth:`trajectories` return, from one scan."""
        arguments = {response: dict(group) for response, group in self._program.arguments.items()}
        asked = {"arguments": arguments, "records": dict(self._program.records)}
        found, states = self._scan(params, sequences, asked, states=True)
        return found["arguments"], self._by_subject({**states, **found["records"]})

    def _by_subject(self, values: Tree) -> Tree:
        return {name: jnp.swapaxes(value, 0, 1) for name, value in values.items()}

    def _initial(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        graphs = self._program.initial
        found = self._lowering.evaluate(graphs.values(), parameters)
        return {
            name: jnp.broadcast_to(found[graphs[name]], state.shape) for name, state in self._states.items()
        }

    def _trial(self, states: Tree, fixed: Tree, now: Tree, asked: Tree) -> tuple[Tree, Tree, Tree]:
        """Play one trial of one subject: return the states after and before it, and what was asked for."""
        # Each state is its own carry: packed into one vector they were no faster, and many were slower.
        parameters = {**fixed, **now["params"]}
        old = dict(states)
        if "starts" in now:
            initial = self._initial(parameters)
            for name, state in self._states.items():
                if state.reset == "block":
                    old[name] = jnp.where(now["starts"], initial[name], old[name])
        updates = self._program.updates
        roots = [*updates.values(), *jax.tree.leaves(asked)]
        given = {**parameters, **old, **now["values"], **now["common"]}
        found = self._lowering.evaluate(roots, given, now["flags"])
        new = dict(old)
        for name, node in updates.items():
            new[name] = jnp.broadcast_to(found[node], self._states[name].shape)
            if "goes_on" in now:
                new[name] = jnp.where(now["goes_on"], new[name], old[name])
        return new, old, jax.tree.map(lambda node: jnp.asarray(found[node]), asked)

    def _scan(
        self, params: Mapping[str, Any], sequences: Tree, asked: Tree, *, states: bool = False
    ) -> tuple[Tree, Tree]:
        """Return ``asked`` on each trial, and the states before it if they are too: (trial, subject, …)."""
        fixed = {name: value for name, value in params.items() if value.ndim == 1}
        varying = {name: value.T for name, value in params.items() if value.ndim == 2}
        if "steps" in sequences:
            steps = sequences["steps"]
            varying = {name: jnp.take_along_axis(value, steps, axis=0) for name, value in varying.items()}
        trials = {name: value for name, value in sequences.items() if name != "steps"} | {"params": varying}
        over_subjects = partial(jax.vmap, axis_size=self._lowering.n_subjects)

        def trial(carry: Tree, now: Tree) -> tuple[Tree, tuple[Tree, Tree]]:
            def one(carry: Tree, fixed: Tree, now: Tree) -> tuple[Tree, tuple[Tree, Tree]]:
                new, old, found = self._trial(carry, fixed, now, asked)
                return new, (found, old if states else {})

            axes = (0, 0, {name: None if name == "common" else 0 for name in now})
            return over_subjects(one, in_axes=axes)(carry, fixed, now)

        first = {**fixed, **{name: value[0] for name, value in varying.items()}}
        return jax.lax.scan(trial, over_subjects(self._initial)(first), trials, length=self._n_steps)[1]
