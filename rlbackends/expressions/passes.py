"""Passes over a graph: what a value needs, what is known to be complete, and guards for branches not taken."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from rlbackends.expressions.kinds import broadcast
from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import FALSE, OPERATIONS, TRUE, both, build, choose, constant, either, is_total, negate

_SAFE = {"log": 1.0, "log1p": 0.0, "sqrt": 1.0, "exp": 0.0, "ndtri": 0.5, "div": 1.0, "pow": 1.0}


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

    A value inherits missingness from its arguments; ``is_missing`` stops it; a ``where`` with one condition takes
    it from the condition and the branch chosen.
    """
    memo: dict[Node, Node] = {} if _memo is None else _memo
    for item in walk(node):
        if item in memo:
            continue
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
    """Return the graphs for data in which these events have no missing value: their flags become constants."""

    def replace(node: Node) -> Node | None:
        if node.op != "is_missing":
            return None
        source = node.args[0].args[0] if node.args[0].op == "gather" else node.args[0]
        return FALSE if source.attr("name") in events else None

    return substitute(roots, replace)


def guard(root: Node) -> Node:
    """Return the graph with the arguments of partial operations made harmless in branches that are not taken.

    ``where(x > 0, log(x), 0)`` has a NaN gradient at 0 in some libraries, because the derivative of the branch not
    taken is computed and multiplied by 0. Here it becomes ``where(x > 0, log(where(x > 0, x, 1)), 0)``.
    """
    partial: dict[Node, bool] = {}
    for node in walk(root):
        partial[node] = not is_total(node) or any(partial[arg] for arg in node.args)
    memo: dict[tuple[Node, Node], Node] = {}

    def visit(node: Node, taken: Node) -> Node:
        if not partial[node]:
            return node
        key = (node, taken)
        if key not in memo:
            memo[key] = _visit(node, taken)
        return memo[key]

    def _visit(node: Node, taken: Node) -> Node:
        if node.op == "where":
            condition, yes, no = node.args
            new = (
                visit(condition, taken),
                visit(yes, _narrow(taken, condition)),
                visit(no, _narrow(taken, negate(condition))),
            )
            return build("where", *new)
        # Inside a reduction or a subscript the entries are others, so only a condition on one value still holds.
        inside = taken if OPERATIONS[node.op].group == "elementwise" or not taken.axes else TRUE
        args = tuple(visit(arg, inside) for arg in node.args)
        if not is_total(node) and taken is not TRUE:
            position = 1 if node.op == "div" else 0
            args = tuple(
                _harmless(arg, taken, _SAFE[node.op]) if i == position else arg for i, arg in enumerate(args)
            )
            if node.op == "pow":  # a large exponent overflows in the branch not taken
                args = (args[0], _harmless(args[1], taken, 1.0))
        return rebuild(node, args)

    return visit(root, TRUE)


def _narrow(taken: Node, condition: Node) -> Node:
    """Return the condition under which a branch counts: all conditions on the way to it."""
    try:
        broadcast(taken.axes, condition.axes)
    except ValueError:
        return condition
    return both(taken, condition)


def _harmless(arg: Node, taken: Node, safe: float) -> Node:
    if arg.op == "const":
        return arg
    # The guard must not give the argument more axes than it has: such a condition is about other entries.
    if taken.axes and broadcast_or_none(arg, taken) != arg.axes:
        return arg
    return build("where", taken, arg, constant(safe))


def broadcast_or_none(a: Node, b: Node) -> Any:
    """Return the axes that two nodes broadcast to, or None if they can't."""
    try:
        return broadcast(a.axes, b.axes)
    except ValueError:
        return None
