"""A model's equations as text for a terminal, and as LaTeX."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlbackends.expressions.kinds import describe
from rlbackends.expressions.latex import latex, symbol
from rlbackends.expressions.node import Node, count_uses, walk
from rlbackends.expressions.operations import build
from rlbackends.expressions.printing import text
from rlbackends.model.supports import Support

if TYPE_CHECKING:
    from rlbackends.model.model import Model
    from rlbackends.model.parts import TracedState
    from rlbackends.model.responses import Response

Names = Mapping[Node, str]
_WIDTH = 100
_LABELS = 13  # width of the column of labels
_WIDEST = 26  # a longer left side stands out of its column
_BIG = 4  # operations that are worth a name of their own when they are used twice


@dataclass(frozen=True)
class Line:
    """``left relation right`` and a note in plain words."""

    left: str
    relation: str = ""
    right: str = ""
    note: str = ""


def equations_text(model: Model) -> str:
    """Return the model as text: what is declared, what happens on a trial, and what is learnt from it."""
    head = f"{model.name} — {model.reference}" if model.reference else model.name
    sections = _Equations(model, _TextStyle()).sections()
    body = "\n".join(_section(label, lines) for label, lines in sections if lines)
    return "\n".join([head, *([model.description] if model.description else []), "", body])


def equations_latex(model: Model) -> str:
    """Return the model's equations as an ``aligned`` environment for math mode."""
    rows = [_latex_row(line) for _, lines in latex_sections(model) for line in lines]
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def latex_sections(model: Model) -> list[tuple[str, list[Line]]]:
    """Return the label and the lines of each section, in LaTeX for math mode; a line without a relation is words."""
    return _Equations(model, _LatexStyle()).sections()


def _latex_row(line: Line) -> str:
    if not line.relation:
        return rf"&\text{{{_escaped(line.left)}}}"
    note = f" && {line.note}" if line.note else ""
    return f"{line.left} &{line.relation} {line.right}{note}"


def _escaped(words: str) -> str:
    special = {"\\": r"\backslash ", "~": r"\sim ", "^": r"\wedge "}
    return "".join(f"${special[c]}$" if c in special else rf"\{c}" if c in "_&%#${}" else c for c in words)


def _section(label: str, lines: list[Line]) -> str:
    """Return a section with its relations below each other, and long equations broken at spaces."""
    width = max((len(line.left) for line in lines if line.relation and len(line.left) <= _WIDEST), default=0)
    notes = max((len(line.right) for line in lines if line.note and len(line.right) <= _WIDEST), default=0)
    rows: list[str] = []
    for line in lines:
        if not line.relation:
            rows.append(line.left)
            continue
        start = f"{line.left:<{width}} {line.relation} "
        right = f"{line.right:<{notes}}   {line.note}" if line.note else line.right
        # A product is not torn apart at the end of a line.
        right = right.replace(" * ", "\u00a0*\u00a0").replace(" / ", "\u00a0/\u00a0")
        rows += textwrap.wrap(
            start + right, _WIDTH - _LABELS - 2, subsequent_indent=" " * len(start), drop_whitespace=True,
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
    rows = [row.replace("\u00a0", " ") for row in rows]
    labels = [label] + [""] * (len(rows) - 1)
    return "\n".join(f"  {label:<{_LABELS}}{row}" for label, row in zip(labels, rows, strict=True))


class _TextStyle:
    """How the parts are written in a terminal."""

    becomes, distributed, within, given = "←", "~", "∈", ":"

    def name(self, name: str) -> str:
        return name

    def expression(self, node: Node, names: Names) -> str:
        return text(node, names)

    def support(self, support: Support) -> str:
        return str(support).replace("inf", "∞")

    def words(self, words: str) -> str:
        return words

    def condition(self, node: Node, names: Names) -> str:
        return f"if {text(node, names)}"

    def state(self, state: TracedState, when: str) -> Line:
        first = text(state.initial)
        return Line(state.name, ":", f"{describe(state.axes)}, {first} {when}")

    def response(self, response: Response, names: Names) -> str:
        arguments = []
        for argument, node in response.arguments.items():
            value, mask = split_available(node)
            arguments.append(f"{argument} = {text(value, names)}")
            arguments += [f"available = {text(mask, names)}"] if mask is not None else []
        return f"{response.family.capitalize()}({', '.join(arguments)})"


class _LatexStyle:
    """How the parts are written in LaTeX."""

    becomes, distributed, within, given = r"\leftarrow", r"\sim", r"\in", ":"

    def name(self, name: str) -> str:
        return symbol(name)

    def expression(self, node: Node, names: Names) -> str:
        return latex(node, names)

    def support(self, support: Support) -> str:
        bounds = str(support).replace("inf", r"\infty")
        return r"\mathbb{R}" if bounds == r"(-\infty, \infty)" else bounds

    def words(self, words: str) -> str:
        return rf"\text{{{_escaped(words)}}}" if words else ""

    def condition(self, node: Node, names: Names) -> str:
        return rf"\text{{if }} {latex(node, names)}"

    def state(self, state: TracedState, when: str) -> Line:
        return Line(
            symbol(state.name),
            self.becomes,
            latex(state.initial),
            self.words(f"{when}; {describe(state.axes)}"),
        )

    def response(self, response: Response, names: Names) -> str:
        written = {name: latex(split_available(node)[0], names) for name, node in response.arguments.items()}
        mask = next((m for m in (split_available(n)[1] for n in response.arguments.values()) if m is not None), None)
        if response.family == "normal":
            inner = rf"{written['mean']},\ {written['sd']}^{{2}}"
            if not written["sd"].replace("\\", "").isalnum():
                inner = rf"{written['mean']},\ \left({written['sd']}\right)^{{2}}"
        elif response.family == "categorical":
            curve = r"\exp" if "log_probs" in written else r"\operatorname{softmax}"
            inner = rf"{curve}\left({next(iter(written.values()))}\right)"
            inner += rf" \text{{ over }} {latex(mask, names)}" if mask is not None else ""
        else:
            inner = rf"\operatorname{{logistic}}\left({written['logits']}\right)"
            inner += rf" \text{{ where }} {written['where']}" if "where" in written else ""
        return rf"\operatorname{{{response.family.capitalize()}}}\left({inner}\right)"


def split_available(node: Node) -> tuple[Node, Node | None]:
    """Return logits and which actions are available, from the ``where`` that ties them."""
    if node.op == "where" and node.args[2].op == "const" and node.args[2].attr("value") == -float("inf"):
        return node.args[1], node.args[0]
    return node, None


class _Equations:
    """The lines of a model's sections in one of the two styles."""

    def __init__(self, model: Model, style: _TextStyle | _LatexStyle) -> None:
        self.model = model
        self.style = style
        self.trial_roots = [n for r in model.response_rules.values() for n in r.arguments.values()]
        self.roots = [*self.trial_roots, *model.records.values(), *model.updates.values()]
        self.uses = count_uses(self.roots)
        seen_on_trial = set(walk(*self.trial_roots))
        records = {node: name for name, node in reversed(list(model.records.items())) if node.args}
        self.new = self.new_values(records)
        self.shared = self.shared_parts({*(n for n in records if n not in seen_on_trial), *self.new})
        self.names: dict[Node, str] = {**self.shared, **self.new, **records}
        self.defined: set[Node] = set()

    def sections(self) -> list[tuple[str, list[Line]]]:
        """Return (label, lines) of every section."""
        return [
            ("parameters", self.parameters()),
            ("states", self.states()),
            ("a trial", list(self.trial())),
            ("update", list(self.update())),
        ]

    # Names for what stands in several places

    def new_values(self, records: Names) -> dict[Node, str]:
        """Return names for new states that other equations use."""
        taken = {*self.model.parameters, *self.model.states, *self.model.events, *self.model.records}
        return {
            node: _free(f"new_{state}", taken)
            for state, node in self.model.updates.items()
            if node.args and self.uses[node] > 1 and node not in records
        }

    def shared_parts(self, named: set[Node]) -> dict[Node, str]:
        """Return letters for larger parts that stand in several places."""
        taken = {*self.model.parameters, *self.model.states, *self.model.events, *self.model.records}
        bases = {_chain(node, {})[0] for node in self.model.updates.values() if node.op in ("at_add", "at_set")}
        parts = {}
        size: dict[Node, int] = {}
        for node in walk(*self.roots):
            size[node] = sum(size[arg] for arg in node.args) + (bool(node.args) and node.op != "to_real")
            shared = self.uses[node] > 1 and size[node] >= _BIG
            if node not in named and node.args and (shared or (node in bases and self.uses[node] > 1)):
                parts[node] = _free("", taken)
                taken.add(parts[node])
        return parts

    def definitions(self, *roots: Node) -> Iterator[Line]:
        """Yield the letters that these graphs are the first to use."""
        for node in walk(*roots):
            if node in self.shared and node not in self.defined:
                self.defined.add(node)
                yield Line(self.style.name(self.shared[node]), "=", self.expression(node, but=node))

    def expression(self, node: Node, but: Node | None = None) -> str:
        return self.style.expression(node, {n: word for n, word in self.names.items() if n is not but})

    # Sections

    def parameters(self) -> list[Line]:
        style = self.style
        return [
            Line(
                style.name(name),
                style.within,
                style.support(parameter.support),
                style.words(parameter.description),
            )
            for name, parameter in self.model.parameters.items()
        ]

    def states(self) -> list[Line]:
        when = {"block": "at the start of each block", "never": "at the first trial, carried over blocks"}
        return [self.style.state(state, when[state.reset]) for state in self.model.states.values()]

    def trial(self) -> Iterator[Line]:
        style = self.style
        for name, event in self.model.events.items():
            if not event.is_response:
                yield Line(style.name(name), style.given, style.words(event.meaning))
                continue
            response = self.model.response_rules[name]
            yield from self.definitions(*response.arguments.values())
            yield Line(style.name(name), style.distributed, style.response(response, self.shared))

    def update(self) -> Iterator[Line]:
        records, updates = self.model.records, self.model.updates
        order = {node: i for i, node in enumerate(walk(*records.values()))}
        if len(updates) > 1:
            yield Line("all states at once, from their values before:")
        elif any(self.rereads(name, node) for name, node in updates.items()):
            yield Line("each line from the values before:")
        for name, node in sorted(records.items(), key=lambda item: order[item[1]]):
            yield from self.definitions(node)
            first = self.names.get(node) == name
            yield Line(self.style.name(name), "=", self.expression(node, but=node if first else None))
        for name, node in updates.items():
            yield from self.definitions(node)
            yield from self.new_state(name, node)
        for node, word in self.new.items():
            state = next(name for name, update in updates.items() if update is node)
            yield Line(self.style.name(word), "=", self.style.words(f"{state} after this update"))

    def rereads(self, name: str, node: Node) -> bool:
        """Say whether an entry of a state changes by a value that a line above it seems to have replaced."""
        base, entries = _chain(_conditional(name, node)[1], self.names)
        leaf = build("state", name=name, axes=self.model.states[name].axes)
        return base is not leaf and leaf in walk(*entries.values(), known=self.names)

    def new_state(self, name: str, node: Node) -> Iterator[Line]:
        """Yield the lines that change a state: entries one by one where that says the same."""
        condition, node = _conditional(name, node)
        note = "" if condition is None else self.style.condition(condition, self.names)
        names = {n: word for n, word in self.names.items() if n is not node or node not in self.new}
        base, entries = _chain(node, names)
        whole = self.style.name(name)
        if not entries:
            yield Line(whole, self.style.becomes, self.style.expression(node, names), note)
            return
        if not (base.op == "state" and base.attr("name") == name):
            yield Line(whole, self.style.becomes, self.style.expression(base, names), note)
        leaf = build("state", name=name, axes=self.model.states[name].axes)
        for (pattern, indices), value in entries.items():
            left = self.style.expression(build("gather", leaf, *indices, pattern=pattern), names)
            yield Line(left, self.style.becomes, self.style.expression(value, names), note)


Entry = tuple[str, tuple[Node, ...]]


def _chain(node: Node, names: Names) -> tuple[Node, dict[Entry, Node]]:
    """Return the array that a chain of updates starts from, and the new value of each entry that it changes.

    There are no entries if the node is no such chain, or if two of its entries might be one.
    """
    links: list[Node] = []
    base = node
    while base.op in ("at_add", "at_set") and base not in names:
        links.append(base)
        base = base.args[0]
    entries: dict[Entry, Node] = {}
    for link in reversed(links):
        entry = (link.attr("pattern"), link.args[1:-1])
        value = link.args[-1]
        if not all(entry == other or _apart(entry, other) for other in entries):
            return base, {}
        if link.op == "at_add":
            old = entries.get(entry) or build("gather", base, *entry[1], pattern=entry[0])
            value = build("sub", old, value.args[0]) if value.op == "neg" else build("add", old, value)
        entries[entry] = value
    return base, entries


def _apart(one: Entry, other: Entry) -> bool:
    """Say whether two entries are never the same one."""
    if one[0] != other[0]:
        return False
    return any(a.kind.hi < b.kind.lo or b.kind.hi < a.kind.lo for a, b in zip(one[1], other[1], strict=True))


def _conditional(name: str, node: Node) -> tuple[Node | None, Node]:
    """Return the condition under which a state changes, and its new value then."""
    if node.op == "where" and not node.args[0].axes:
        condition, yes, no = node.args
        if no.op == "state" and no.attr("name") == name:
            return condition, yes
        if yes.op == "state" and yes.attr("name") == name:
            return condition.args[0] if condition.op == "not" else build("not", condition), no
    return None, node


def _free(wish: str, taken: set[str]) -> str:
    """Return a name that is not taken: the wished one, or a letter."""
    letters = [wish] if wish else list("abcdefghuvxyz")
    candidates = (word + "_" * n for n in range(len(taken) + 1) for word in letters)
    return next(word for word in candidates if word not in taken)
