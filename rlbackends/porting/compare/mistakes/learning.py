"""Mistakes about the order within learning: forgetting before or after it, of all values or of some."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import build, constant
from rlbackends.expressions.passes import substitute
from rlbackends.expressions.printing import short_text
from rlbackends.porting.compare.mistakes.mistake import Change, Mistake, Variants
from rlbackends.porting.compare.setup import Setup

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials

_PLACES = 6  # of one update in which another state is read


def _put(node: Node, swap: dict[Node, Node]) -> Node:
    return substitute({"": node}, swap.get)[""]


def _forgetting(setup: Setup, data: BoundTrials) -> Variants:
    """Yield other orders of ``decay`` (of a whole state) and ``at[...].add`` (of some of its entries)."""
    for name in setup.parts.updates:
        orders = _orders(setup, name)
        for word in orders:
            yield f"'{name}': {word}", _ordered(name, word)


def _ordered(name: str, word: str) -> Change:
    def change(setup: Setup) -> Setup | None:
        new = _orders(setup, name).get(word)
        if new is None:
            return None
        return setup.changed(parts=replace(setup.parts, updates={**setup.parts.updates, name: new}))

    return change


def _orders(setup: Setup, name: str) -> dict[str, Node]:
    root = setup.parts.updates[name]
    leaf = build("state", name=name, axes=setup.parts.states[name].axes)
    found: dict[str, Node] = {}
    for node in walk(root):
        if node.op not in ("at_add", "at_set") or node.axes != leaf.axes:
            continue
        kept = node.args[0]
        if kept is not leaf and _is_decay(kept, leaf) and node is root:
            # decay first: at_add(D(q), index, f(D(q)))
            found["what is learnt is forgotten, too: forgetting comes after learning"] = _put(
                kept, {leaf: _put(node, {kept: leaf})}
            )
            found["the prediction error is that of values before forgetting"] = _again(
                node, kept, [_put(arg, {kept: leaf}) for arg in node.args[1:]]
            )
            found["only values that do not learn are forgotten"] = _kept_where_learnt(node, kept, leaf)
            found["the values that learn are forgotten, no others"] = _forgotten_where_learnt(node, kept, leaf)
            found["nothing is forgotten"] = _put(node, {kept: leaf})
            found.update(_towards(setup, name, root, kept, leaf))
        elif kept is leaf and node is not root and _is_decay(root, node):
            # learning first: D(at_add(q, index, f(q)))
            decayed = _put(root, {node: leaf})
            found["what is learnt is not forgotten: forgetting comes before learning"] = _again(
                node, decayed, [_put(arg, {leaf: decayed}) for arg in node.args[1:]]
            )
            found["forgetting comes before learning, but the prediction error is that of values before both"] = _again(
                node, decayed, list(node.args[1:])
            )
            found["nothing is forgotten"] = node
    return found


def _again(node: Node, base: Node, rest: list[Node]) -> Node:
    return build(node.op, base, *rest, pattern=node.attr("pattern"))


def _is_decay(node: Node, of: Node) -> bool:
    """Say whether a value is an elementwise function of a state, of parameters and constants only."""
    seen = False
    for item in walk(node, known=(of,)):
        if item is not of and item.op in ("event", "state", "at_add", "at_set", "gather", "one_hot"):
            return False
    for item in walk(node):
        seen |= item is of
    return seen and node.axes == of.axes


def _entries(node: Node, x: Node) -> Node:
    """Return what a node's indices take out of an array."""
    return build("gather", x, *node.args[1:-1], pattern=node.attr("pattern"))


def _kept_where_learnt(node: Node, kept: Node, leaf: Node) -> Node:
    if node.op == "at_set":
        return _again(node, kept, [_put(arg, {kept: leaf}) for arg in node.args[1:]])
    lost = build("sub", _entries(node, leaf), _entries(node, kept))
    restored = _again(node, kept, [*node.args[1:-1], lost])
    return _again(node, restored, [_put(arg, {kept: leaf}) for arg in node.args[1:]])


def _forgotten_where_learnt(node: Node, kept: Node, leaf: Node) -> Node:
    if node.op == "at_set":
        return _again(node, leaf, list(node.args[1:]))
    lost = build("sub", _entries(node, kept), _entries(node, leaf))
    return _again(node, _again(node, leaf, [*node.args[1:-1], lost]), list(node.args[1:]))


def _towards(setup: Setup, name: str, root: Node, kept: Node, leaf: Node) -> dict[str, Node]:
    """Return forgetting toward 0, or toward the initial value."""
    found: dict[str, Node] = {}
    initial = setup.parts.states[name].initial
    rates = [node for node in walk(kept) if node.op == "mul" and any(leaf is item for item in walk(node))]
    if not rates:
        return found
    shrunk = next((node for node in rates if leaf in node.args), None)
    if shrunk is not None and shrunk is not kept:
        found["values are forgotten toward 0"] = _put(root, {kept: shrunk})
    elif shrunk is kept and initial.op == "const" and np.any(np.asarray(initial.attr("value")) != 0):
        factor = next(arg for arg in kept.args if arg is not leaf)
        lost = build("mul", build("sub", constant(1.0), factor), initial)
        found["values are forgotten toward their initial value"] = _put(root, {kept: build("add", kept, lost)})
    return found


def _rules(setup: Setup, data: BoundTrials) -> Variants:
    """Yield updates that forget a state's own old value, or that never take place."""
    for name in setup.parts.updates:
        if len(setup.parts.updates) > 1:
            yield f"'{name}' never changes", _still(name)


def _still(name: str) -> Change:
    def change(setup: Setup) -> Setup | None:
        updates = {key: node for key, node in setup.parts.updates.items() if key != name}
        return setup.changed(parts=replace(setup.parts, updates=updates)) if name in setup.parts.updates else None

    return change


def _in_turn(setup: Setup, data: BoundTrials) -> Variants:
    """Yield updates in which one state sees another's new value."""
    updates = setup.parts.updates
    for name, node in updates.items():
        others = {leaf.attr("name") for leaf in walk(node) if leaf.op == "state"} - {name}
        for other in sorted(others & set(updates)):
            yield f"'{name}' learns from the new '{other}'", _seeing_new(name, other, None)
            places = _readers(node, build("state", name=other, axes=setup.parts.states[other].axes))
            for place in places[:_PLACES] if len(places) > 1 else ():
                word = f"'{name}' learns from the new '{other}' in '{short_text(place)}'"
                yield word, _seeing_new(name, other, place)


def _readers(root: Node, leaf: Node) -> list[Node]:
    """Return the nodes that use a state, or what is taken out of it."""
    direct = {leaf, *(node for node in walk(root) if node.op == "gather" and node.args[0] is leaf)}
    return [node for node in walk(root) if node not in direct and any(arg in direct for arg in node.args)]


def _seeing_new(name: str, other: str, place: Node | None) -> Change:
    def change(setup: Setup) -> Setup | None:
        parts = setup.parts
        if name not in parts.updates or other not in parts.updates:
            return None
        old = build("state", name=other, axes=parts.states[other].axes)
        seen = {old: parts.updates[other]}
        if place is None:
            new = _put(parts.updates[name], seen)
        else:
            new = _put(parts.updates[name], {place: _put(place, seen)})
        return setup.changed(parts=replace(parts, updates={**parts.updates, name: new}))

    return change


MISTAKES = (
    Mistake(
        "order of forgetting and learning",
        "values are forgotten and learnt in another order than in the model, or other values are forgotten.",
        "Write both steps in the model's order (rl show, or model.equations(), prints it).",
        _forgetting,
    ),
    Mistake(
        "states learn one after the other",
        "a state learns from another's new value, where the model lets all learn from the old ones.",
        "Compute all new values from the old ones before you assign any; copy arrays that are changed in place.",
        _in_turn,
    ),
    Mistake(
        "a state that never changes",
        "one of the states stays at its initial value.",
        "Return every state from the step, and assign it.",
        _rules,
    ),
)
