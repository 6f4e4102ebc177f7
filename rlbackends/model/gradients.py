"""Where a model's gradient can't pass: what an argmax, a comparison or an index does to samplers that follow it.

Parameters reach a response through rules and, over trials, through states. An argmax or a comparison passes a value on,
but no gradient. Whether a parameter has another way is read off the graphs; whether the density jumps where such a
choice changes is tried out in numbers, right at the change (`rlbackends.model.jumps`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rlbackends.errors import listed
from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.printing import short_text
from rlbackends.model.jumps import jumps_at

if TYPE_CHECKING:
    from rlbackends.model.model import Model

Names = frozenset[str]
_NONE: Names = frozenset()
_STOPS = ("argmax", "lt", "le", "eq")
_LONGEST = 60  # of an expression that is quoted within advice


@dataclass(frozen=True)
class GradientGap:
    """A place of a model that passes a value on, but no gradient.

    Attributes
    ----------
    kind : {"argmax", "comparison", "index", "switch"}
        What stops the gradient; an ``"index"`` is one that a comparison chooses. A ``"switch"`` is harmless: the
        gradient passes through what it chooses, or nothing jumps where it changes.
    parameters : tuple of str
        The parameters that it concerns.
    flat : tuple of str
        Those of which every way to a response is stopped.
    states : tuple of str
        The states that it reads.
    rule : str
        The rules in which it stands.
    file : str
        The file of the first of them; empty for a model that was read from JSON.
    line : int
        The line there; 0 for a model that was read from JSON.
    expression : str
        As it was written.
    what : str
        What it does to a sampler, in a sentence.
    instead : str
        What to write to have a gradient; empty for a switch.
    """

    kind: Literal["argmax", "comparison", "index", "switch"]
    parameters: tuple[str, ...]
    flat: tuple[str, ...]
    states: tuple[str, ...]
    rule: str
    file: str
    line: int
    expression: str
    what: str
    instead: str

    @property
    def place(self) -> str:
        """``file.py:line``, or nothing where it is not known."""
        return f"{self.file}:{self.line}" if self.file else ""

    def __str__(self) -> str:
        where = f"{self.place}, " if self.place else ""
        return f"{where}{self.rule}: '{self.expression}'. {' '.join(s for s in (self.what, self.instead) if s)}"


def gradient_gaps(model: Model, fixed: Collection[str] = ()) -> tuple[GradientGap, ...]:
    """Return the places of a model where a parameter's gradient stops, and the switches; see `Model.gradient_gaps`."""
    flow = _Flow(model, frozenset(fixed))
    found = []
    for node in walk(*flow.roots.values()):
        if node.op in _STOPS:
            stopped = _union(flow.carried[arg] for arg in node.args)
            if stopped:
                found.append(_judge(model, flow, node, stopped))
    return tuple(sorted(found, key=lambda gap: gap.kind == "switch"))


def _union(sets: Iterator[Names]) -> Names:
    return _NONE.union(*sets)


class _Flow:
    """Which parameters each value depends on, and whose gradients it carries.

    Attributes
    ----------
    roots : dict of rule's name to graph
        What leads to a response: arguments of responses, and updates and initial values of the states behind them.
    carried : dict of node to names
        The parameters with a gradient there.
    flat : frozenset of str
        Parameters on which responses depend, all of whose gradients are stopped.
    """

    def __init__(self, model: Model, fixed: Names) -> None:
        arguments = {
            (name, argument): node
            for name, response in model.response_rules.items()
            for argument, node in response.arguments.items()
        }
        self.roots: dict[tuple[str, str], Node] = dict(arguments)
        self._add_states(model)
        self.reached, self.carried = self._spread(fixed)
        self.users: dict[Node, list[Node]] = {}
        for node in walk(*self.roots.values()):
            for arg in node.args:
                self.users.setdefault(arg, []).append(node)
        self.masks = {
            node: arguments[name, "logits"] for (name, argument), node in arguments.items() if argument == "where"
        }
        ends = tuple(arguments.values())
        self.flat = _union(self.reached[n] for n in ends) - _union(self.carried[n] for n in ends)

    def _add_states(self, model: Model) -> None:
        waiting = list(self.roots.values())
        while waiting:
            read = {n.attr("name") for n in walk(waiting.pop()) if n.op == "state"}
            for name in sorted(name for name in read if ("", name) not in self.roots):
                self.roots["", name] = model.states[name].initial
                waiting.append(model.states[name].initial)
                if name in model.updates:
                    self.roots["update", name] = model.updates[name]
                    waiting.append(model.updates[name])

    def _spread(self, fixed: Names) -> tuple[dict[Node, Names], dict[Node, Names]]:
        """Return, by node, the parameters that its value depends on and those whose gradients it carries."""
        of_states: dict[str, tuple[Names, Names]] = {}
        while True:
            reached: dict[Node, Names] = {}
            carried: dict[Node, Names] = {}
            for node in walk(*self.roots.values()):
                if node.op == "parameter":
                    reached[node] = carried[node] = frozenset({node.attr("name")}) - fixed
                elif node.op == "state":
                    reached[node], carried[node] = of_states.get(node.attr("name"), (_NONE, _NONE))
                else:
                    reached[node] = _union(reached[arg] for arg in node.args)
                    passes = node.kind.name == "real"
                    carried[node] = _union(carried[arg] for arg in node.args) if passes else _NONE
            after = {
                name: tuple(
                    _union(found[self.roots[key]] for key in (("", name), ("update", name)) if key in self.roots)
                    for found in (reached, carried)
                )
                for kind, name in self.roots
                if kind == ""
            }
            if after == of_states:
                return reached, carried
            of_states = after  # type: ignore[assignment]

    def uses(self, condition: Node) -> Iterator[tuple[Node, Names]]:
        """Yield what a condition chooses, with the gradients that pass through it whichever way it falls."""
        waiting, seen = [condition], {condition}
        while waiting:
            node = waiting.pop()
            if node in self.masks:
                yield node, self.carried[self.masks[node]]
            for user in self.users.get(node, ()):
                if user in seen:
                    continue
                seen.add(user)
                if user.kind.name == "bool":
                    waiting.append(user)
                else:  # only a 'where' makes something else of a condition
                    yield user, self.carried[user]

    def is_index(self, choice: Node) -> bool:
        """Say whether an integer ends up as a subscript."""
        waiting = [choice]
        while waiting:
            node = waiting.pop()
            for user in self.users.get(node, ()):
                if user.op in ("gather", "at_add", "at_set", "one_hot") and user.args[0] is not node:
                    return True
                if user.op == "one_hot":
                    return True
                if user.kind.name == "int":
                    waiting.append(user)
        return False

    def rule(self, node: Node) -> str:
        """Return the rules that a node stands in, in words."""
        words = []
        for (rule, name), root in self.roots.items():
            if any(item is node for item in walk(root)):
                words.append(
                    "update" if rule == "update" else f"the rule of '{rule}'" if rule else f"the initial '{name}'"
                )
        return " and ".join(dict.fromkeys(words))


def _judge(model: Model, flow: _Flow, node: Node, stopped: Names) -> GradientGap:
    """Return a stop of these parameters' gradients as a gap or as a switch."""
    flat = stopped & flow.flat
    uses = [] if node.op == "argmax" else list(flow.uses(node))
    passes = node.op != "argmax" and all(carried & stopped for _, carried in uses)
    jumps = (not passes or bool(flat)) and node.op != "eq" and jumps_at(node, flow.roots.values(), model.parameters)
    is_gap = bool(flat) or (jumps and not passes)
    if not is_gap:
        kind: Literal["argmax", "comparison", "index", "switch"] = "switch"
    elif node.op == "argmax":
        kind = "argmax"
    else:
        chosen = [use for use, _ in uses if use.kind.name == "int"]
        kind = "index" if any(flow.is_index(use) for use in chosen) else "comparison"
    concerned = stopped if jumps or not is_gap else flat
    order = list(model.parameters)
    parameters, all_flat = (tuple(sorted(names, key=order.index)) for names in (concerned, flat))
    file, _, line = model.locations.get(node, "").rpartition(":")
    read = {n.attr("name") for n in walk(*node.args) if n.op == "state"}
    return GradientGap(
        kind=kind,
        parameters=parameters,
        flat=all_flat,
        states=tuple(name for name in model.states if name in read),
        rule=flow.rule(node),
        file=file,
        line=int(line) if line.isdigit() else 0,
        expression=short_text(node),
        what=_what(kind, parameters, all_flat, jumps=jumps, passes=passes),
        instead=_INSTEAD[kind].format(**_quoted(node)) if is_gap else "",
    )


def _what(kind: str, parameters: tuple[str, ...], flat: tuple[str, ...], *, jumps: bool, passes: bool) -> str:
    if kind == "switch":
        why = "their gradients pass through what it chooses" if passes else "nothing jumps where it changes"
        return f"It depends on {listed(parameters)}, and is harmless: {why}."
    others = [name for name in parameters if name not in flat]
    words = []
    if flat:
        gradient, has, them = ("gradient", "has", "it") if len(flat) == 1 else ("gradients", "have", "them")
        words.append(
            f"It stops the {gradient} of {listed(flat)}, which {has} no other way to a response: the likelihood is "
            f"flat in {them}" + (", with jumps where the choice changes" if jumps else "")
            + f". NUTS can't move {them} by the data: chains show the prior, or stick between jumps."
        )
    if others:
        words.append(
            f"The density jumps in {listed(others)} where the choice changes, and no gradient tells where: NUTS will "
            "see divergences and rejections, and chains stick on either side."
        )
    return " ".join(words)


_INSTEAD: Mapping[str, str] = {
    "argmax": "Instead of the best entry alone, take all of them with weights: weights = rl.softmax(beta * {x}), and "
    "rl.dot(weights, values) instead of values[rl.argmax({x})]; the larger beta, the nearer they are to the argmax.",
    "comparison": "Instead of one side or the other, take both with a weight: weight = rl.sigmoid(slope * ({more} - "
    "{less})), and weight * yes + (1 - weight) * no instead of rl.where({less} {sign} {more}, yes, no).",
    "index": "Instead of one entry or another, take both with a weight: weight = rl.sigmoid(slope * ({more} - "
    "{less})), and weight * values[i] + (1 - weight) * values[j] instead of values[rl.where({less} {sign} "
    "{more}, i, j)].",
}


def _quoted(node: Node) -> dict[str, str]:
    """Return the arguments of a node as they can be quoted within a line of code."""
    if node.op == "argmax":
        return {"x": _short(node.args[0], "x", tight=False)}
    signs = {"lt": "<", "le": "<=", "eq": "=="}
    return {"less": _short(node.args[0], "a"), "more": _short(node.args[1], "b"), "sign": signs[node.op]}


def _short(node: Node, letter: str, *, tight: bool = True) -> str:
    words = short_text(node)
    if len(words) > _LONGEST:
        return letter
    simple = node.op in ("parameter", "state", "event", "const", "gather") or not tight
    return words if simple else f"({words})"
