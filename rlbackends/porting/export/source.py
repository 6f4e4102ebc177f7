"""What is written out: a model's graphs, its population's, and its data in a file that all programs read."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.data.given import bind_given, data_faults, model_faults
from rlbackends.errors import ModelError, SettingError, listed
from rlbackends.expressions.node import Node, count_uses, walk
from rlbackends.expressions.operations import OPERATIONS

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials, Trials
    from rlbackends.model.model import Model
    from rlbackends.model.program import Program
    from rlbackends.population import Population
    from rlbackends.population.layout import Layout

N_SUBJECTS, N_TRIALS, LENGTHS, STARTS, CONDITION = "n_subjects", "n_trials", "lengths", "starts", "condition"
"""What the file of data has besides events: two numbers; trials of each subject; where blocks start; each trial's
condition."""


@dataclass(frozen=True)
class Source:
    """A model, its population and, if there are any, its data.

    Without data a program is written for complete ones: subjects of one length, one block, nothing missing, any number
    of subjects and trials. With data it is written for what they have.

    Attributes
    ----------
    model : Model
        The specification.
    layout : Layout
        The population's latent variables; without data, of one subject that stands for all.
    data : BoundTrials or None
        The data.
    """

    model: Model
    layout: Layout
    data: BoundTrials | None

    @classmethod
    def of(cls, model: Model, data: Trials | BoundTrials | None, population: Population | None) -> Source:
        """Read what a user gave.

        Raises
        ------
        ModelError
            If the population needs data that were not given.
        SettingError
            If one of these is something else, or some of the data are held out.
        """
        from rlbackends.population import Population

        _check_kinds(model, data, population)
        population = population or Population()
        bound = None if data is None else bind_given("export", model, data)
        if bound is not None and bound.held_out is not None:
            raise SettingError("export: some of the data are held out, which a program has no words for; give all.")
        if bound is None:
            try:
                layout = population.layout(model, range(1))
            except ModelError as error:
                raise ModelError(f"export: without data, {error}") from error
        else:
            layout = population.layout(model, bound)
        return cls(model, layout, bound)

    @cached_property
    def complete(self) -> frozenset[str]:
        """Events without a missing value."""
        return frozenset(self.model.events) if self.data is None else self.data.complete

    @cached_property
    def program(self) -> Program:
        """The graphs of a trial."""
        return self.model.program(self.complete)

    @property
    def is_ragged(self) -> bool:
        """Whether subjects have different numbers of trials."""
        return self.data is not None and self.data.is_ragged

    @property
    def has_blocks(self) -> bool:
        """Whether a block starts after a first trial."""
        return self.data is not None and bool(self.data.starts[:, 1:].any())

    @property
    def states(self) -> tuple[str, ...]:
        """States that ever change, or that a rule reads."""
        roots = [*self.program.updates.values(), *self.program.records.values()]
        roots += [node for group in self.program.arguments.values() for node in group.values()]
        read = {node.attr("name") for node in walk(*roots) if node.op == "state"}
        return tuple(name for name in self.model.states if name in read or name in self.program.updates)

    @property
    def events(self) -> tuple[str, ...]:
        """Events that the program reads, in the order of a trial: what rules use, and all responses."""
        used = self.program.used_events()
        return tuple(name for name, event in self.model.events.items() if event.is_response or name in used)

    @property
    def flagged(self) -> tuple[str, ...]:
        """Events of whose entries the file says which are missing: rules ask for it, or a response has gaps.

        Cells after a subject's last trial are missing, too.
        """
        masked = self.program.masked_events
        gaps = () if self.data is None else tuple(e for e in self.model.responses if self.data.missing[e].any())
        return tuple(name for name in self.events if name in masked or name in gaps)

    @property
    def by_subject(self) -> Mapping[str, np.ndarray]:
        """Arrays of the population that the file holds: columns of formulas, values that were fixed by subject."""
        fixed = {name: values for name, values in self.layout.fixed.items() if np.ptp(values) > 0}
        return {**self.layout.columns, **fixed}

    def constant(self, parameter: str) -> float | None:
        """Return the value at which a parameter is fixed for all subjects, if it is."""
        values = self.layout.fixed.get(parameter)
        return None if values is None or np.ptp(values) > 0 else float(values[0])

    def missing_name(self, event: str) -> str:
        """Return what an event's flags are called in the file, before it is made an identifier."""
        return f"{event}_missing"

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """All names of ours that a program may have variables for, each once."""
        model = self.model
        found = [
            *model.parameters, *model.states, *model.events, *model.records, *self.layout.names, *self.by_subject,
            *(self.missing_name(event) for event in self.flagged),
        ]  # fmt: skip
        return tuple(dict.fromkeys(found))

    def identifiers(self, reserved: Collection[str]) -> dict[str, str]:
        """Return a program's word for each of our names: letters, digits and ``_``, none of them reserved."""
        return identifiers(self.variables, {*reserved, N_SUBJECTS, N_TRIALS, LENGTHS, STARTS, CONDITION})

    def file(self) -> dict[str, Any] | None:
        """Return the data as plain data for a JSON file, the same for every target; None without data.

        Names are those of :meth:`identifiers` for Python. Codes count from 0, flags are 0 or 1; missing and padded
        cells hold 0. Nesting is subject, trial, then the event's axes.
        """
        if self.data is None:
            return None
        data, names = self.data, self.keys
        found: dict[str, Any] = {
            N_SUBJECTS: data.n_subjects, N_TRIALS: data.n_steps, LENGTHS: data.lengths.tolist(),
        }  # fmt: skip
        if self.has_blocks:
            found[STARTS] = data.starts.astype(int).tolist()
        if self.layout.within:
            found[CONDITION] = np.asarray(self.layout.known.index).tolist()
        found |= {names[event]: data.values[event].tolist() for event in self.events}
        for event in self.flagged:
            found[names[self.missing_name(event)]] = data.missing[event].astype(int).tolist()
        found |= {names[name]: np.asarray(values, dtype=float).tolist() for name, values in self.by_subject.items()}
        return found

    @cached_property
    def keys(self) -> dict[str, str]:
        """What each of our names is called in the file."""
        return self.identifiers(keyword.kwlist)


def identifiers(names: Iterable[str], reserved: Collection[str]) -> dict[str, str]:
    """Return a word for each name: its letters, digits and ``_``, not reserved and not given twice."""
    taken = set(reserved)
    found = {}
    for name in names:
        word = re.sub(r"[^0-9A-Za-z_]+", "_", name).strip("_") or "x"
        word = f"x{word}" if word[0].isdigit() else word
        while word in taken:
            word += "_"
        taken.add(word)
        found[name] = word
    return found


def letters(taken: Collection[str]) -> Iterator[str]:
    """Yield short names that are not taken: a, b, …, a1, …"""
    n = 0
    while True:
        yield from (word for letter in "abcdefghuvxyz" if (word := f"{letter}{n or ''}") not in taken)
        n += 1


def named_parts(roots: Mapping[str, Node], records: Mapping[str, Node], taken: Collection[str]) -> dict[Node, str]:
    """Return the parts of graphs that get a line and a name of their own, in the order in which they are computed.

    These are records, called by their names, and what several places use.

    Parameters
    ----------
    roots : mapping of str to graph
        What is to be written.
    records : mapping of str to graph
        Names that the model itself has for some values.
    taken : collection of str
        Names that are used already.
    """
    uses = count_uses(roots.values())
    words = {node: name for name, node in reversed(list(records.items())) if node.args}
    free = letters(taken)
    found: dict[Node, str] = {}
    for node in uses:  # arguments first
        if OPERATIONS[node.op].group == "leaf" or node.op in ("to_real", "is_missing", "neg", "not"):
            continue
        if node in words and words[node] not in found.values():
            found[node] = words[node]
        elif uses[node] > 1:
            found[node] = next(free)
    return found


def refuse(target: str, faults: Iterable[str]) -> None:
    """Raise ``ModelError`` with all that a target can't say, if there is any."""
    found = list(dict.fromkeys(faults))
    if found:
        raise ModelError(f"export: {target} has no words for {listed(found)}.")


def _check_kinds(model: Any, data: Any, population: Any) -> None:
    """Raise ``SettingError`` for what is no model, no trials or no population."""
    from rlbackends.population import Population

    faults = model_faults(model) + ([] if data is None else data_faults(data))
    if population is not None and not isinstance(population, Population):
        faults.append(f"population is {population!r}, expected an rl.Population.")
    if faults:
        raise SettingError(f"export: {' '.join(faults)}")
