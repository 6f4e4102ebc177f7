"""What a program in PyMC computes, and where: in the loop, for all trials at once, or from the data alone."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np

from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.numpy_table import evaluate
from rlbackends.expressions.operations import constant
from rlbackends.expressions.passes import rebuild
from rlbackends.model.program import Program
from rlbackends.porting.export.source import CONDITION, LENGTHS, N_SUBJECTS, N_TRIALS, STARTS, Source
from rlbackends.porting.export.tensors import HELPERS, SUBJECTS, TRIALS, Arrays, Tensors

_RESERVED = (
    *keyword.kwlist, "np", "pm", "pt", "az", "pytensor", "json", "sys", "Path", "data", "model", "make_model", "main",
    "coords", "trace", "trial", "inputs", "s", "t", "x", "start", "float", "bool", "range", "print", *HELPERS, SUBJECTS,
    TRIALS, N_SUBJECTS, N_TRIALS, LENGTHS, STARTS, CONDITION,
)  # fmt: skip


class Plan:
    """A source, sorted for a program in PyMC.

    Parameters
    ----------
    source : Source
        The model, its population and its data.

    Attributes
    ----------
    words : mapping of str to str
        The program's word for each of our names.
    taken : set of str
        Words that have a meaning in the program.
    constants : dict of str to str
        Long constants: text → name.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.model = source.model
        self.layout = source.layout
        self.program = folded(source.program)
        self.words = source.identifiers(_RESERVED)
        self.taken = {*self.words.values(), *_RESERVED}
        self.constants: dict[str, str] = {}

    def fresh(self, word: str) -> str:
        """Return a word that is not taken, and take it."""
        while word in self.taken:
            word += "_"
        self.taken.add(word)
        return word

    def name(self, ours: str) -> str:
        """Return what a variable of ours is called in the PyMC model."""
        return f'"{self.source.keys[ours]}"'

    def shape(self, state: str) -> tuple[int, ...]:
        """Return a state's shape, without subjects."""
        return self.model.states[state].shape

    def flags(self, event: str) -> str:
        """Return the program's word for an event's flags."""
        return self.words[self.source.missing_name(event)]

    @cached_property
    def arguments(self) -> Mapping[tuple[str, str], Node]:
        """The arguments of responses that were observed at all."""
        data = self.source.data
        seen = [name for name in self.model.responses if data is None or not data.missing[name].all()]
        return {(name, key): node for name in seen for key, node in self.program.arguments[name].items()}

    @cached_property
    def carried(self) -> tuple[str, ...]:
        """States that the loop carries from trial to trial: those that arguments need and that change."""
        found = reads(self.arguments.values(), "state")
        for name in found:
            if name in self.program.updates:
                found += [other for other in reads([self.program.updates[name]], "state") if other not in found]
        return tuple(
            name
            for name in self.source.states
            if name in found and (name in self.program.updates or (self.resets(name) and self.varies(name)))
        )

    def resets(self, state: str) -> bool:
        """Say whether a state starts again at blocks."""
        return self.source.has_blocks and self.model.states[state].reset == "block"

    def varies(self, state: str) -> bool:
        """Say whether a state's initial value depends on the trial."""
        return bool(self.layout.within & set(reads([self.program.initial[state]], "parameter")))

    @cached_property
    def masks(self) -> Mapping[str, Node]:
        """Of which sub-choices there are any, for responses of which the data alone say that."""
        found = {}
        for (response, key), node in self.arguments.items():
            is_of_data = not reads([node], "parameter") and not reads([node], "state")
            if key == "where" and is_of_data and Arrays.can_write(node):
                found[response] = node
        return found

    @cached_property
    def inside(self) -> Mapping[tuple[str, str], Node]:
        """Arguments that the loop computes: those that need a state that it carries."""
        carried = set(self.carried)
        return {key: node for key, node in self.arguments.items() if carried & set(reads([node], "state"))}

    @cached_property
    def outside(self) -> Mapping[tuple[str, str], Node]:
        """Arguments that are computed for all trials at once."""
        known = {*self.inside, *((response, "where") for response in self.masks)}
        return {key: node for key, node in self.arguments.items() if key not in known}

    @cached_property
    def constant(self) -> tuple[str, ...]:
        """States that are read and never change."""
        updates = [self.program.updates[name] for name in self.carried if name in self.program.updates]
        read = reads([*self.arguments.values(), *updates], "state")
        return tuple(name for name in read if name not in self.carried)

    @cached_property
    def leads(self) -> Mapping[str, int]:
        """Leading axes of the population's variables: none, subjects, or subjects and conditions."""
        found = {latent.name: int(latent.per_subject) for latent in self.layout.latents}
        found |= {name: array.ndim for name, array in self.layout.columns.items()}
        printer = Tensors(self.words, leads=found)
        natural = {name: printer.lead(node) for name, node in self.layout.natural.items()}
        fixed = {name: int(self.source.constant(name) is None) for name in self.layout.fixed}
        return {**found, **natural, **fixed}

    @cached_property
    def output(self) -> Mapping[tuple[str, str], str]:
        """The program's word for each response's argument."""
        several = len({response for response, _ in self.arguments}) > 1
        return {key: self.fresh(f"{self.words[key[0]]}_{key[1]}" if several else key[1]) for key in self.arguments}

    def parameters(self, graphs: Iterable[Node]) -> list[str]:
        """Return the parameters that graphs read, in the population's order."""
        read = set(reads(graphs, "parameter"))
        return [name for name in self.model.parameters if name in read]


def folded(program: Program) -> Program:
    """Return a program in which what follows from constants alone is a constant: PyTensor takes no Python bool."""

    def fold(graphs: Mapping[str, Node]) -> dict[str, Node]:
        done: dict[Node, Node] = {}
        for node in walk(*graphs.values()):
            new = rebuild(node, tuple(done[arg] for arg in node.args))
            if new.args and all(arg.op == "const" for arg in new.args) and new.op != "is_missing":
                with np.errstate(all="ignore"):
                    value = np.broadcast_to(evaluate(new, {}), new.shape)
                new = constant(value, [axis.name for axis in new.axes])
            done[node] = new
        return {name: done[graph] for name, graph in graphs.items()}

    return replace(
        program,
        initial=fold(program.initial),
        updates=fold(program.updates),
        records=fold(program.records),
        arguments={name: fold(graphs) for name, graphs in program.arguments.items()},
    )


def reads(graphs: Iterable[Node], op: str) -> list[str]:
    """Return the names of the leaves of a sort whose values are read."""
    return list(dict.fromkeys(node.attr("name") for node in needed(graphs) if node.op == op))


def asks(graphs: Iterable[Node]) -> set[str]:
    """Return the events of which graphs ask whether they are missing."""
    asked = (node.args[0] for node in walk(*graphs) if node.op == "is_missing")
    return {(source.args[0] if source.op == "gather" else source).attr("name") for source in asked}


def needed(graphs: Iterable[Node]) -> list[Node]:
    """Return the nodes whose values are computed, those that use others behind them.

    Whether something is missing needs the indices of its entry, but not the event's value.
    """
    found: dict[Node, None] = {}
    stack = [(graph, False) for graph in reversed(list(graphs))]
    while stack:
        node, is_ready = stack.pop()
        if is_ready:
            found[node] = None
        elif node not in found:
            stack.append((node, True))
            args = node.args[0].args[1:] if node.op == "is_missing" else node.args
            stack.extend((arg, False) for arg in reversed(args))
    return list(found)
