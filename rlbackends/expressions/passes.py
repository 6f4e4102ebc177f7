"""Passes over a graph: what a value needs, what is known to be complete, guards for branches not taken."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from rlbackends.expressions.kinds import broadcast
from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import (
    FALSE,
    OPERATIONS,
    TRUE,
    both,
    build,
    choose,
    constant,
    either,
    is_total,
    negate,
)

_SAFE = {"log": 1.0, "log1p": 0.0, "sqrt": 1.0, "exp": 0.0, "ndtri": 0.5, "div": 1.0, "pow": 1.0}
# Which arguments are made harmless; a large exponent overflows too.
_GUARDED = {"div": (1,), "pow": (0, 1)}


def rebuild(node: Node, args: tuple[Node, ...]) -> Node:
    """Return ``node`` with other arguments, folding logic and choices that became constant."""
    if args == node.args:
        return node
    folding: dict[str, Callable[..., Node]] = {"and": both, "or": either, "not": negate, "where": choose}
    if node.op in folding:
        result = folding[node.op](*args)
        return result if result.axes == node.axes else build(node.op, *args)
    return build(node.op, *args, **dict(node.attrs))


def substitute(roots: dict[str, Node], replace: Callable[[Node], Node | None]) -> dict[str, Node]:
    """Return the graphs with every node for which ``replace`` gives another one replaced, leaves first."""
    done: dict[Node, Node] = {}
    for node in walk(*roots.values()):
        new = replace(node)
        done[node] = new if new is not None else rebuild(node, tuple(done[arg] for arg in node.args))
    return {name: done[root] for name, root in roots.items()}


def missing(node: Node, _memo: dict[Node, Node] | None = None) -> Node:
    """Return the boolean graph that says whether ``node`` needs a missing value.

    A value inherits missingness from its arguments; ``is_missing`` stops it; a ``where`` with one condition
    takes it from the condition and the branch chosen.
    """
    memo: dict[Node, Node] = {} if _memo is None else _memo
    for item in walk(node, known=memo):
        inherited = FALSE
        if item.op == "event":
            inherited = build("is_missing", item)
        elif item.op == "gather" and item.args[0].op == "event":
            for index in item.args[1:]:
                inherited = either(inherited, memo[index])
            inherited = either(inherited, build("is_missing", item))
        elif item.op == "where" and not item.args[0].axes:
            condition, yes, no = item.args
            chosen = either(both(condition, memo[yes]), both(negate(condition), memo[no]))
            if memo[yes] is memo[no]:
                chosen = memo[yes]
            inherited = either(memo[condition], chosen)
        elif item.op != "is_missing":
            for arg in item.args:
                inherited = either(inherited, memo[arg])
        memo[item] = inherited
    return memo[node]


def assume_complete(roots: dict[str, Node], events: Collection[str]) -> dict[str, Node]:
    """Return the graphs for data in which these events are never missing: their flags become constants."""

    def replace(node: Node) -> Node | None:
        if node.op != "is_missing":
            return None
        source = node.args[0].args[0] if node.args[0].op == "gather" else node.args[0]
        return FALSE if source.attr("name") in events else None

    return substitute(roots, replace)


def guard(root: Node) -> Node:
    """Return the graph with the arguments of partial operations made harmless in branches that are not taken.

    ``where(x > 0, log(x), 0)`` has a NaN gradient at 0 in some libraries, because the derivative of the
    branch not taken is computed and multiplied by 0. Here it becomes ``where(x > 0, log(where(x > 0, x, 1)),
    0)``.
    """
    order = list(walk(root))
    if all(is_total(node) for node in order):
        return root
    taken = _taken(root, order)
    done: dict[Node, Node] = {}
    for node in order:
        args = [done[arg] for arg in node.args]
        if not is_total(node) and taken[node] is not TRUE:
            condition = _rewritten(taken[node], done)
            for position in _GUARDED.get(node.op, (0,)):
                args[position] = _harmless(args[position], condition, _SAFE[node.op])
        done[node] = rebuild(node, tuple(args))
    return done[root]


def _taken(root: Node, order: list[Node]) -> dict[Node, Node]:
    """Return the condition under which each node's value counts: for some user, in the branch chosen."""
    taken: dict[Node, Node] = {root: TRUE}
    for node in reversed(order):
        for position, arg in enumerate(node.args):
            counts = taken[node]
            if node.op == "where" and position:
                condition = node.args[0]
                counts = both(counts, condition if position == 1 else negate(condition))
            counts = _fitted(_through(node, counts), arg)
            taken[arg] = either(taken[arg], counts) if arg in taken else counts
    return taken


def _through(node: Node, counts: Node) -> Node:
    """Return a condition on the entries of a reduction as one on the entries that are reduced."""
    if OPERATIONS[node.op].group == "elementwise" or not counts.axes:
        return counts
    if node.op in ("sum", "max", "logsumexp"):
        axis = node.attr("axis")
        letters = [":"] * len(counts.axes)
        before = len(node.args[0].axes) + axis
        missing_axes = len(node.axes) - len(counts.axes)
        if before >= missing_axes:
            letters.insert(before - missing_axes, "n")
        return build("expand", counts, pattern="".join(letters))
    return _any(counts)


def _fitted(counts: Node, arg: Node) -> Node:
    """Return a condition that fits the shape of ``arg``: as it is, or whether it holds anywhere."""
    fits = broadcast_or_none(counts, arg) == arg.axes
    return counts if fits else _any(counts)


def _any(condition: Node) -> Node:
    if not condition.axes:
        return condition
    value = build("where", condition, constant(1.0), constant(0.0))
    while value.axes:
        value = build("max", value, axis=-1)
    return build("lt", constant(0.0), value)


def _rewritten(condition: Node, done: Mapping[Node, Node]) -> Node:
    """Return a condition in terms of what is guarded already."""
    new: dict[Node, Node] = {}
    for node in walk(condition, known=done):
        new[node] = rebuild(node, tuple(done[arg] if arg in done else new[arg] for arg in node.args))
    return done[condition] if condition in done else new[condition]


def _harmless(arg: Node, condition: Node, safe: float) -> Node:
    return arg if arg.op == "const" else choose(_fitted(condition, arg), arg, constant(safe))


def broadcast_or_none(a: Node, b: Node) -> Any:
    """Return the axes that two nodes broadcast to, or None if they can't."""
    try:
        return broadcast(a.axes, b.axes)
    except ValueError:
        return None
