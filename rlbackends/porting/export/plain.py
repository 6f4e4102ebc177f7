"""A model's graphs as they were written, without what keeps gradients finite."""

from __future__ import annotations

from dataclasses import replace

from rlbackends.expressions.node import walk
from rlbackends.expressions.passes import assume_complete
from rlbackends.model.program import Program
from rlbackends.porting.export.source import Source


def plain_program(source: Source) -> Program:
    """Return the graphs of a trial for a program that computes only the branches that are taken.

    Nothing needs to be guarded there, and responses that were not observed are not looked at.
    """
    parts, complete = source.model._parts, source.complete
    program = Program.of(parts, complete, assume_complete, lambda node: node)
    arguments = {name: assume_complete(dict(r.arguments), complete) for name, r in parts.responses.items()}
    read = {node.attr("name") for group in arguments.values() for node in walk(*group.values()) if node.op == "event"}
    if not read <= set(source.events):
        # What is only computed where nothing is asked is not in the data.
        arguments = {name: dict(group) for name, group in program.arguments.items()}
    graphs = [*program.updates.values(), *(node for group in arguments.values() for node in group.values())]
    flags = [node.args[0] for node in walk(*graphs) if node.op == "is_missing"]
    masked = frozenset((flag.args[0] if flag.op == "gather" else flag).attr("name") for flag in flags)
    return replace(program, arguments=arguments, masked_events=masked)


def is_guarded(source: Source) -> bool:
    """Say whether the graphs that backends lower have conditions of their own, for finite gradients."""
    whole = Program.of(source.model._parts, source.complete, assume_complete, lambda node: node)
    return dict(whole.updates) != dict(source.program.updates) or any(
        dict(group) != dict(source.program.arguments[name]) for name, group in whole.arguments.items()
    )
