"""One trial of one subject in NumPy: states are changed in place where that says the same.

All states change together from their old values. In a program that goes line by line, a state is therefore written
over only when nothing that comes later reads its old value; where two states read each other, one is kept aside.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import both, either, negate
from rlbackends.porting.export.lines import block, nested
from rlbackends.porting.export.python import learnt, parts
from rlbackends.porting.export.scalars import Scalars
from rlbackends.porting.export.source import letters

_CHANGES = ("at_add", "at_set")
_VIEWS = ("gather", "expand", "where")  # what these give may share memory with their arguments
_NUMBERS = ("div", "pow", "log", "log1p", "sqrt")


@dataclass
class Learning:
    """The lines of a trial.

    Attributes
    ----------
    updates : mapping of state to graph
        New values.
    shapes : mapping of state to tuple of int
        The states' shapes.
    words : mapping of str to str
        The program's word for each name.
    printer : Scalars
        Writes expressions.
    first : set of Node
        Parts that responses need.
    fragile : set of str
        States that are numbers and that NumPy's arithmetic must keep from errors of Python's.
    """

    updates: Mapping[str, Node]
    shapes: Mapping[str, tuple[int, ...]]
    words: Mapping[str, str]
    printer: Scalars
    first: set[Node]
    fragile: set[str]

    @classmethod
    def of(
        cls,
        updates: Mapping[str, Node],
        arguments: Mapping[str, Node],
        shapes: Mapping[str, tuple[int, ...]],
        records: Mapping[str, Node],
        words: Mapping[str, str],
        taken: Collection[str],
        constants: dict[str, str],
    ) -> Learning:
        """Find the parts that get lines of their own."""
        roots = {**arguments, **{f"new {name}": node for name, node in updates.items()}}
        named = parts(roots, records, words, taken, updates)
        free = letters({*taken, *named.values()})
        aside = _kept_aside(updates, arguments, named)
        order = list(walk(*roots.values()))
        for state, node in updates.items():
            for piece in _early(state, node, named):
                named.setdefault(piece, next(free))
        new = {learnt(state, node): state for state, node in updates.items()}
        used = {*taken, *named.values()}
        for node in aside:
            base = _base(node)
            state = new.get(node, base.attr("name") if base.op == "state" else "")
            word = named.get(node, f"new_{words[state]}" if state else next(free))
            while word in used and word != named.get(node):
                word += "_"
            used.add(word)
            named[node] = word
        named = {node: named[node] for node in order if node in named}
        first = {node for node in walk(*arguments.values()) if node in named}
        fragile = {
            leaf.attr("name")
            for node in walk(*roots.values())
            if node.op in _NUMBERS
            for leaf in walk(node.args[1 if node.op == "div" else 0])
            if leaf.op == "state" and not leaf.axes
        }
        return cls(updates, shapes, words, Scalars(words, named, constants), first, fragile)

    def first_lines(self) -> list[str]:
        """Return the lines of the parts that responses need."""
        return self._part_lines([node for node in self.printer.names if node in self.first])

    def lines(self) -> list[str]:
        """Return the lines in which the states change."""
        lines = self._part_lines([node for node in self.printer.names if node not in self.first])
        reads = {state: self._reads(node) - {state} for state, node in self.updates.items()}
        left, late = list(self.updates), []
        while left:
            free = [state for state in left if not any(state in reads[other] for other in left if other != state)]
            state = free[0] if free else left[0]
            left.remove(state)
            word = self.words[state]
            if free:
                lines += self._change(word, state, self.updates[state])
                continue
            copy = word if not self.shapes[state] else f"{word}.copy()"
            new = f"new_{word}"
            while new in self.words.values() or new in self.printer.names.values():
                new += "_"
            body = self._change(new, state, self.updates[state])
            whole = len(body) == 1 and body[0].startswith(f"{new} = ")
            lines += body if whole else [f"{new} = {copy}", *body]
            late.append((word, new))
        lines = _merged(lines)
        if late:
            lines.append(f"{', '.join(word for word, _ in late)} = {', '.join(new for _, new in late)}")
        return lines

    def start(self, state: str, node: Node) -> list[str]:
        """Return lines that give a state its initial value: a number, or an array that may be written over."""
        word, shape = self.words[state], self.shapes[state]
        free = letters({*self.words.values(), *self.printer.names.values()})
        aside = {change: next(free) for change in walk(node) if change.op in _CHANGES}
        own = Learning(
            {}, {}, self.words, Scalars(self.words, aside, self.printer.constants), set(), set()
        )  # of values that stand before the first trial, no part has a name
        lines = own._part_lines(list(aside))
        text = own.printer.text(node)
        if not shape:
            text = f"np.float64({text})" if node.op == "const" and state in self.fragile else text
        elif node.shape != shape:
            zeros = f"np.zeros({shape[0] if len(shape) == 1 else shape})"
            spread = own.printer.spread(text, node.shape, shape)
            text = zeros if text == "0.0" else f"{spread}.copy()" if node.axes else spread
        elif text.isidentifier():
            text = f"{text}.copy()"
        return [*lines, *nested(f"{word} = ", text)]

    def _part_lines(self, nodes: list[Node]) -> list[str]:
        lines: list[str] = []
        for node in nodes:
            name = self.printer.names[node]
            if node.op in _CHANGES:
                lines += self._spine(name, node, in_place=False)
            else:
                lines += nested(f"{name} = ", self.printer.definition(node))
        return lines

    def _change(self, target: str, state: str, node: Node, given: tuple[Node, ...] = ()) -> list[str]:
        """Return lines that give ``target``, which holds the state's old value, the new one.

        They are within an ``if`` of what is ``given``.
        """
        if node.op == "state" and node.attr("name") == state:
            return []
        if node not in self.printer.names and node.op == "where" and not node.args[0].axes:
            condition, yes, no = node.args
            taken = self._change(target, state, yes, (*given, condition))
            other = self._change(target, state, no, (*given, negate(condition)))
            if not taken or not other:
                return taken or other
            inner, outer = self._change(target, state, yes), self._change(target, state, no)
            if not all(len(lines) == 1 and lines[0].startswith(f"{target} = ") for lines in (inner, outer)):
                choice = [f"if {self.printer.text(condition)}:", *block(inner, 4), "else:", *block(outer, 4)]
                return self._under(given, choice)
        if node not in self.printer.names and node.op in _CHANGES:
            base = _base(node)
            in_place = base.op == "state" and base.attr("name") == state
            return self._under(given, self._spine(target, node, in_place=in_place))
        return self._under(given, self._assigned(target, state, node))

    def _under(self, given: tuple[Node, ...], lines: list[str]) -> list[str]:
        if not given:
            return lines
        condition = _conjunction(given, self.words, self.printer.names)
        return [f"if {self.printer.text(condition)}:", *block(lines, 4)]

    def _assigned(self, target: str, state: str, node: Node) -> list[str]:
        text = self.printer.text(node)
        shape = self.shapes[state]
        if node.shape != shape:
            text = self.printer.spread(text, node.shape, shape)
            text = f"{text}.copy()" if node.axes else text
        elif node.axes and self._shares(node):
            text = f"{text}.copy()" if text.isidentifier() else f"np.array({text})"
        return nested(f"{target} = ", text)

    def _shares(self, node: Node) -> bool:
        """Say whether what a node's text gives is the memory of something that is used elsewhere."""
        if node in self.printer.names:
            several = sum(node is root for root in self.updates.values()) > 1
            return node.op not in _CHANGES or several
        return node.op == "state" or node.op in _VIEWS

    def _spine(self, target: str, node: Node, *, in_place: bool) -> list[str]:
        """Return lines that change entries one after another."""
        changes = [node]
        while (inner := changes[-1].args[0]).op in _CHANGES and inner not in self.printer.names:
            changes.append(inner)
        lines: list[str] = []
        if not in_place:
            base = changes[-1].args[0]
            text = self.printer.text(base)
            if base.shape != node.shape:
                text = self.printer.spread(text, base.shape, node.shape)
            if text.isidentifier() or base.op == "state":
                text = f"{text}.copy()"
            elif base.op in _VIEWS:
                text = f"np.array({text})"
            lines += nested(f"{target} = ", text)
        for change in reversed(changes):
            _, *indices, value = change.args
            where = self.printer.subscript(indices, change.attr("pattern")) or ":"
            moved = _moved(change) if in_place and change is changes[-1] else None
            if moved is not None:
                lines += nested(f"{target}[{where}] {moved[0]}= ", self.printer.text(moved[1]))
                continue
            if change.op == "at_add" and any(index.axes for index in indices):
                place = f"({where})" if len(change.attr("pattern")) > 1 else where
                lines += nested("", f"np.add.at({target}, {place}, {self.printer.text(value)})")
            else:
                sign = "+=" if change.op == "at_add" else "="
                text = self.printer.text(value)
                if sign == "+=" and text.startswith("-") and value.op == "neg":
                    sign, text = "-=", self.printer.text(value.args[0])
                lines += nested(f"{target}[{where}] {sign} ", text)
        return lines

    def _reads(self, node: Node) -> set[str]:
        """Return the states whose values, or memory, an update's lines read."""
        return _states_read(node, self.printer.names)


def _states_read(node: Node, named: Collection[Node]) -> set[str]:
    found, stack, seen = set(), [node], set()
    while stack:
        item = stack.pop()
        if item in seen:
            continue
        seen.add(item)
        if item.op == "state":
            found.add(item.attr("name"))
        if item not in named or (item.axes and item.op in _VIEWS):
            stack.extend(item.args)
    return found


def _base(node: Node) -> Node:
    """Return what a chain of changes starts from."""
    while node.op in _CHANGES:
        node = node.args[0]
    return node


def _spines(node: Node, named: Collection[Node]) -> list[Node]:
    """Return the changes of entries that an update's lines make on the state itself."""
    if node in named:
        return []
    if node.op == "where" and not node.args[0].axes:
        return [*_spines(node.args[1], named), *_spines(node.args[2], named)]
    if node.op in _CHANGES:
        return [node, *_spines(node.args[0], named)] if node.args[0].op in _CHANGES else [node]
    return []


def _kept_aside(
    updates: Mapping[str, Node], arguments: Mapping[str, Node], named: Collection[Node]
) -> list[Node]:
    """Return the changes of entries that need an array of their own, arguments first."""
    on_states = {node for root in updates.values() for node in _spines(root, named)}
    order = walk(*arguments.values(), *updates.values())
    return [node for node in order if node.op in _CHANGES and (node not in on_states or node in named)]


def _early(state: str, node: Node, named: Collection[Node]) -> list[Node]:
    """Return what must be computed before the first entry of a state is changed: it reads the old value."""
    found = []
    for change in _spines(node, named):
        base = _base(change)
        first = change.args[0] is base and base.op == "state" and base.attr("name") == state
        if not first:
            found += [
                piece for piece in change.args[1:] if piece.args and piece not in named
                and state in _states_read(piece, named)
            ]  # fmt: skip
    return found


def held(state: str, node: Node, words: Collection[str], named: Collection[Node]) -> tuple[Node | None, Node]:
    """Return when a state keeps its old value, and the new one that it has otherwise.

    Conditions within conditions become one, without what follows from the rest.
    """
    given: list[Node] = []
    while node not in named and node.op == "where" and not node.args[0].axes:
        kept = [arg.op == "state" and arg.attr("name") == state for arg in node.args[1:]]
        if not any(kept):
            break
        given.append(negate(node.args[0]) if kept[0] else node.args[0])
        node = node.args[2 if kept[0] else 1]
    return (negate(_conjunction(given, words, named)) if given else None), node


def _conjunction(given: Collection[Node], words: Collection[str], named: Collection[Node]) -> Node:
    """Return conditions that all hold as one: what holds, and not what does not."""
    terms = _simplified(given, named)
    negative = [term.args[0] for term in terms if term.op == "not" and term.args[0].op != "eq"]
    negative.sort(key=lambda term: _order(term, list(words)))
    positive = [term for term in terms if term.op != "not" or term.args[0].op == "eq"]
    if negative:
        positive.append(negate(_joined(either, negative)))
    return _joined(both, positive)


def _order(condition: Node, words: list[str]) -> int:
    """Return where a flag stands among all: conditions of the same flags are written alike."""
    if condition.op != "is_missing":
        return len(words)
    source = condition.args[0]
    return words.index((source.args[0] if source.op == "gather" else source).attr("name"))


def _moved(change: Node) -> tuple[str, Node] | None:
    """Return sign and value where an entry is set to itself plus or minus something."""
    base, *indices, value = change.args
    if change.op != "at_set" or value.op not in ("add", "sub") or any(index.axes for index in indices):
        return None
    old = value.args[0]
    same = old.op == "gather" and old.args == (base, *indices) and old.attr("pattern") == change.attr("pattern")
    return ("+" if value.op == "add" else "-", value.args[1]) if same else None


def _joined(join: Callable[[Node, Node], Node], terms: list[Node]) -> Node:
    found = terms[0]
    for term in terms[1:]:
        found = join(found, term)
    return found


def _simplified(given: Collection[Node], named: Collection[Node]) -> list[Node]:
    """Return conditions that all hold, without those that follow from others."""
    terms: dict[Node, None] = {}
    for condition in given:
        terms.update(dict.fromkeys(_terms(condition, named)))
    found = []
    for term in terms:
        if term.op != "or" or term in named:
            found.append(term)
            continue
        either_of = _alternatives(term, named)
        left = [part for part in either_of if negate(part) not in terms]
        if not any(part in terms for part in left) and left:
            found.append(_joined(either, left))
    return list(dict.fromkeys(found))


def _terms(condition: Node, named: Collection[Node]) -> list[Node]:
    """Return conditions that hold together if this one does."""
    if condition in named:
        return [condition]
    if condition.op == "and":
        return [term for arg in condition.args for term in _terms(arg, named)]
    if condition.op == "not" and condition.args[0] not in named:
        inner = condition.args[0]
        if inner.op == "or":
            return [term for arg in inner.args for term in _terms(negate(arg), named)]
        if inner.op == "and":
            return [_joined(either, [negate(arg) for arg in inner.args])]
    return [condition]


def _alternatives(term: Node, named: Collection[Node]) -> list[Node]:
    if term.op == "or" and term not in named:
        return [part for arg in term.args for part in _alternatives(arg, named)]
    return [term]


def _merged(lines: list[str]) -> list[str]:
    """Return lines without an ``if`` that repeats the one before; long conditions are folded."""
    found: list[str] = []
    header = ""
    for line in lines:
        if line.startswith("if "):
            if line != header:
                found += nested("if ", line[3:-1], ":")
            header = line
        else:
            header = header if line.startswith(" ") else ""
            found.append(line)
    return found
