"""The function of a Stan program that plays one subject's trials."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import FALSE, build, choose, constant
from rlbackends.expressions.passes import assume_complete, missing
from rlbackends.porting.export.source import CONDITION, LENGTHS, N_TRIALS, STARTS, Source, named_parts
from rlbackends.porting.export.stan_expressions import Index, Writer, subscripted
from rlbackends.porting.export.stan_statements import (
    Lines,
    Statements,
    broadcast_index,
    indented,
    is_branching,
    reads,
    type_of,
)

NAME = "trial_log_lik"


@dataclass(frozen=True)
class Argument:
    """An argument of the function: its type, its name there, and what is passed for subject ``s``."""

    kind: str
    name: str
    passed: str


class Trial:
    """Writes the function.

    Parameters
    ----------
    source : Source
        What is written out.
    words : mapping of str to str
        The program's word for each of our names.
    """

    def __init__(self, source: Source, words: Mapping[str, str]) -> None:
        self.source = source
        self.words = words
        self.taken = {*words.values()}
        self.flagged = [name for name in source.flagged if self.has_gaps(name)]
        self.from_one = {event: self.fresh(f"{words[event]}_t") for event in self.indexing_events()}
        self.conditional = {
            name: self.fresh(f"{words[name]}_by_condition") for name in source.model.parameters
            if name in source.layout.within
        }  # fmt: skip
        program = source.program
        self.graphs: dict[str, Node] = dict(program.updates)
        self.arguments = {name: self.settled(name) for name in source.model.responses}
        for response, arguments in self.arguments.items():
            self.graphs |= {f"{response} {argument}": node for argument, node in arguments.items()}
        self.updates = {name: program.updates[name] for name in source.states if name in program.updates}
        self.leaves = {name: _leaf(source, name) for name in source.states}
        names = {
            node: self.fresh(words[word]) if word in words else self.fresh(word)
            for node, word in self.parts().items()
        }
        self.writer = Writer(self.leaf, self.flag, names, self.from_one)
        self.statements = Statements(self.writer, self.taken)
        # What states start from is written before the trials, so it has variables of its own.
        self.first = Statements(Writer(self.leaf), self.statements.taken)
        self.plan()

    def fresh(self, wish: str) -> str:
        """Return a word that is not taken yet, and take it; a record's own word is meant for it."""
        records = {self.words[name] for name in self.source.model.records}
        while wish in self.taken and wish not in records:
            wish += "_"
        self.taken.add(wish)
        return wish

    # What is written

    def has_gaps(self, event: str) -> bool:
        """Say whether flags are read: padding is not, as the loop ends with the subject's last trial."""
        data = self.source.data
        if event in self.source.program.masked_events or data is None:
            return True
        return bool(data.missing[event][data.valid].any())

    def indexing_events(self) -> list[str]:
        """Return the events whose codes are used as subscripts."""
        program = self.source.program
        roots = [*program.updates.values(), *(n for group in program.arguments.values() for n in group.values())]
        found = {
            arg.attr("name")
            for node in walk(*roots)
            if node.op in ("gather", "at_add", "at_set", "one_hot")
            for arg in (node.args if node.op == "one_hot" else node.args[1:])
            if arg.op == "event" and arg.kind.name == "int" and not arg.axes
        }
        rules = self.source.model.response_rules
        found |= {name for name in self.source.model.responses if rules[name].family == "categorical"}
        return [name for name in self.source.events if name in found and not self.source.model.events[name].axes]

    def settled(self, response: str) -> dict[str, Node]:
        """Return a response's arguments as they are where it was observed, when its rule misses nothing."""
        source = self.source
        original = source.model.response_rules[response].arguments
        mask = original.get("where")
        found = {}
        for name, node in source.program.arguments[response].items():
            own = original[name]
            own = own if mask is None or own is mask else choose(mask, own, constant(1.0))
            gaps = assume_complete({"": missing(own)}, source.complete)[""]
            found[name] = node.args[2] if gaps is not FALSE and node.op == "where" else node
        for name, node in found.items():
            if name != "where" and node.op == "where" and node.args[0] is found.get("where"):
                found[name] = node.args[1]  # it is asked for where the mask is on
        return found

    def parts(self) -> dict[Node, str]:
        """Return the parts that have a variable, and its name."""
        records = {}
        for name, node in self.source.program.records.items():
            if node.op == "where" and node.args[1].op == "const" and np.isnan(node.args[1].attr("value")).all():
                node = node.args[2]
            records[name] = node
        return named_parts(self.graphs, records, self.taken)

    def plan(self) -> None:
        """Name what needs a variable, and order the changes of states: none is overwritten before it is read."""
        names, statements = self.writer.names, self.statements
        for state, node in self.updates.items():
            if node in names and node.op in ("at_add", "at_set"):
                names[node] = self.fresh(f"new_{self.words[state]}")
        self.order: list[str] = []
        count = -1
        while len(names) > count:  # what has a variable of its own is changed in place no more
            count = len(names)
            statements.changes.clear()
            for state, node in self.updates.items():
                statements.change_in_place(self.leaves[state], node)
            self.name_what_needs_it()
            for state, node in self.updates.items():
                statements.keep_old_values(self.leaves[state], node)
            self.put_in_order()
        starting = [self.source.program.initial[name] for name in self.source.states]
        for node in (node for node in names if node.op == "const"):
            self.first.writer.names[node] = names[node]
        self.first.name_what_needs_it(starting)

    def put_in_order(self) -> None:
        """Order the states, so that each changes after those that read it; one of a circle gets a variable."""
        names = self.writer.names
        self.order.clear()
        left = dict(self.updates)
        while left:
            unread = [a for a in left if not any(reads(left[b], self.leaves[a], names) for b in left if b != a)]
            if unread:
                self.order.append(unread[0])
                del left[unread[0]]
            else:
                unnamed = [(state, node) for state, node in left.items() if node not in names]
                state, node = next((pair for pair in unnamed if pair[1].args), unnamed[0])
                self.statements.name(node, f"new_{self.words[state]}")

    def name_what_needs_it(self) -> None:
        """Give variables to what Stan has no expression for."""
        self.statements.name_what_needs_it(self.graphs.values())
        for name, arguments in self.arguments.items():
            if self.source.model.response_rules[name].family == "categorical":
                for node in arguments.values():
                    if not self.writer.has_row(node):
                        self.statements.name(node)

    # Leaves

    def leaf(self, node: Node, index: Index) -> str:
        name = node.attr("name")
        word = self.words[name]
        if node.op == "parameter":
            return word
        return subscripted(word, ("t", *index) if node.op == "event" else index)

    def flag(self, event: str, index: Index) -> str:
        return subscripted(self.words[self.source.missing_name(event)], ("t", *index))

    def signature(self) -> list[Argument]:
        """Return the function's arguments."""
        source, words = self.source, self.words
        found = [Argument("int", "length", f"{LENGTHS}[s]")] if source.is_ragged else []
        for name in source.events:
            event = source.model.events[name]
            vector = event.kind.name == "real" and event.axes
            kind = f"array[{',' * (len(event.axes) - bool(vector))}] {'vector' if vector else event.kind.name}"
            found.append(Argument(kind, words[name], f"{source.keys[name]}[s]"))
        for name in self.flagged:
            flag, axes = source.missing_name(name), source.model.events[name].axes
            found.append(Argument(f"array[{',' * len(axes)}] int", words[flag], f"{source.keys[flag]}[s]"))
        if source.has_blocks:
            found.append(Argument("array[] int", STARTS, f"{STARTS}[s]"))
        if source.layout.within:
            found.append(Argument("array[] int", CONDITION, f"{CONDITION}[s]"))
        for name in source.model.parameters:
            word = words[name]
            if name in self.conditional:
                found.append(Argument("vector", self.conditional[name], f"{word}[s]"))
            elif name in self.used_parameters():
                outside = source.keys[name] if name in source.by_subject else word
                found.append(Argument("real", word, outside if source.constant(name) is not None else f"{outside}[s]"))
        return found

    def used_parameters(self) -> set[str]:
        """Return the parameters that the graphs read."""
        initial = [self.source.program.initial[name] for name in self.source.states]
        return {node.attr("name") for node in walk(*self.graphs.values(), *initial) if node.op == "parameter"}

    # The function

    def lines(self) -> Lines:
        """Return the function."""
        source = self.source
        arguments = ", ".join(f"{a.kind} {a.name}" for a in self.signature())
        inside = [f"int {N_TRIALS} = size({self.words[source.events[0]]});"]
        inside.append(f"vector[{N_TRIALS}] log_lik{'' if self.is_complete() else f' = rep_vector(0, {N_TRIALS})'};")
        constants = [node for node in self.writer.names if node.op == "const"]
        inside += [line for node in constants for line in self.statements.declared(node)]
        self.done = {self.writer.names[node] for node in constants}
        inside += self.states()
        length = "length" if source.is_ragged else N_TRIALS
        inside += [f"for (t in 1:{length}) {{", *indented(self.trial()), "}", "return log_lik;"]
        return [f"vector {NAME}({arguments}) {{", *indented(inside), "}"]

    def is_complete(self) -> bool:
        """Say whether every trial has one response, always."""
        source = self.source
        if len(source.model.responses) != 1 or source.is_ragged:
            return False
        (response,) = source.model.responses
        masked = "where" in self.arguments[response] or bool(source.model.events[response].axes)
        return not masked and response not in self.flagged

    def states(self) -> Lines:
        """Return the declarations of the states, with what they start from if that is known before the first trial."""
        lines: Lines = []
        for name in self.source.states:
            state = self.source.model.states[name]
            kind, word = type_of("real", state.axes), self.words[name]
            if self.starts_by_condition(name):
                lines.append(f"{kind} {word};")
            else:
                node = self.source.program.initial[name]
                lines += [*self.computed(node, by=self.first), *self.first.initialised(kind, word, node, state.axes)]
        return lines

    def starts_by_condition(self, name: str) -> bool:
        """Say whether a state starts from a parameter that has a value by condition."""
        initial = walk(self.source.program.initial[name])
        return any(node.op == "parameter" and node.attr("name") in self.conditional for node in initial)

    def starting(self) -> Lines:
        """Return what happens at the start of a block, and of the first trial where that is not known before."""
        groups: dict[str, Lines] = {}
        for name in self.source.states:
            state = self.source.model.states[name]
            if self.source.has_blocks and state.reset == "block":
                when = f"if ({STARTS}[t] == 1) {{  // a block starts"
            elif self.starts_by_condition(name):
                when = "if (t == 1) {"
            else:
                continue
            node = self.source.program.initial[name]
            lines = [*self.computed(node, by=self.first), *self.first.assigned(self.words[name], node, state.axes)]
            groups.setdefault(when, []).extend(lines)
        return [line for when, inside in groups.items() for line in (when, *indented(inside), "}")]

    def trial(self) -> Lines:
        """Return what is in the loop over trials."""
        lines: Lines = []
        note = "  // Stan counts from 1"
        for event, word in self.from_one.items():
            lines.append(f"int {word} = {self.words[event]}[t] + 1;{note}")
            note = ""
        for name, word in self.conditional.items():
            lines.append(f"real {self.words[name]} = {word}[{CONDITION}[t] + 1];")
        lines += self.starting()
        for response in self.source.model.responses:
            lines += ["", f"// {self.source.model.events[response].description or 'the response'}"]
            lines += self.response(response)
        learning = self.learning()
        return [*lines, *(["", "// learning"] if learning else []), *learning]

    def computed(self, *roots: Node, by: Statements | None = None) -> Lines:
        """Return the declarations of the parts that graphs need and that are not there yet."""
        statements = by or self.statements
        lines: Lines = []
        for node in walk(*roots):
            word = statements.writer.names.get(node)
            if word is not None and word not in self.done:
                lines += statements.declared(node)
                self.done.add(word)
        return lines

    # Responses

    def response(self, name: str) -> Lines:
        """Return the statements that add a response's log-probability."""
        source = self.source
        rule = source.model.response_rules[name]
        arguments = self.arguments[name]
        others = [node for key, node in self.graphs.items() if not key.startswith(f"{name} ")]
        axes = source.model.events[name].axes
        flagged = name in self.flagged
        if not axes:
            tests = [self.flag(name, ()) + " == 0"] if flagged else []
            tests += [self.writer.condition(arguments["where"]).text] if "where" in arguments else []
            sign = "=" if self.is_complete() else "+="
            add = [f"log_lik[t] {sign} {self.log_probability(rule.family, name, arguments, ())};"]
            others += [arguments["where"]] if "where" in arguments else []
            return self.guarded(tests, add, [*arguments.values()], others)
        if not flagged and "where" not in arguments and len(axes) == 1 and rule.family == "bernoulli":
            (logits,) = arguments.values()
            if self.writer.has_row(logits):
                row = self.writer.row(logits).text
                return [*self.computed(logits), f"log_lik[t] += bernoulli_logit_lpmf({self.words[name]}[t] | {row});"]
        index = tuple(self.statements.counters(len(axes)))
        tests = [self.flag(name, index) + " == 0"] if flagged else []
        if "where" in arguments:
            mask = arguments["where"]
            tests.append(self.writer.condition(mask, broadcast_index(mask.axes, axes, index)).text)
        add = [f"log_lik[t] += {self.log_probability(rule.family, name, arguments, index)};"]
        inside = self.guarded(tests, add, [], [])
        for axis, letter in reversed(list(zip(axes, index, strict=True))):
            inside = [f"for ({letter} in 1:{axis.size}) {{", *indented(inside), "}"]
        return [*self.computed(*arguments.values()), *inside]

    def guarded(self, tests: list[str], add: Lines, roots: list[Node], others: list[Node]) -> Lines:
        """Return statements under conditions, with the parts that only they need."""
        if not tests:
            return [*self.computed(*roots), *add]
        outside = self.shared(roots, others)
        inside = self.computed(*roots)
        joined = " && ".join(f"({test})" if " || " in test or " ? " in test else test for test in tests)
        return [*outside, f"if ({joined}) {{", *indented([*inside, *add]), "}"]

    def shared(self, roots: list[Node], others: list[Node]) -> Lines:
        """Return the declarations of the parts of ``roots`` that ``others`` need, too."""
        needed = set(walk(*others))
        lines: Lines = []
        for node in walk(*roots):
            if node in self.writer.names and node in needed:
                lines += self.computed(node)
        return lines

    def log_probability(self, family: str, name: str, arguments: Mapping[str, Node], index: Index) -> str:
        """Return the log-probability of one value of a response."""
        axes = self.source.model.events[name].axes
        value = subscripted(self.words[name], ("t", *index))
        if family == "categorical":
            ((argument, node),) = arguments.items()
            words = self.writer.row(node).text
            if argument == "logits" and not _may_be_infinite(node):
                return f"categorical_logit_lpmf({self.from_one[name]} | {words})"
            return f"log_softmax({words})[{self.from_one[name]}]"
        written = {
            key: self.writer.entry(node, broadcast_index(node.axes, axes, index)).text
            for key, node in arguments.items() if key != "where"
        }  # fmt: skip
        if family == "bernoulli":
            return f"bernoulli_logit_lpmf({value} | {written['logits']})"
        return f"normal_lpdf({value} | {written['mean']}, {written['sd']})"

    # Learning

    def learning(self) -> Lines:
        """Return the statements that change the states: parts first, as they read the old values."""
        groups: list[tuple[str, list[tuple[str, Node]]]] = []
        for state in self.order:
            test, inner = self.under(state, self.updates[state])
            if groups and groups[-1][0] == test:
                groups[-1][1].append((state, inner))
            else:
                groups.append((test, [(state, inner)]))
        # Under one condition for all, only that needs to be known before.
        alone = len(groups) == 1 and bool(groups[0][0])
        before = [node.args[0] if alone else node for node in self.updates.values()]
        lines = self.computed(*before)
        for test, members in groups:
            inside = self.computed(*(node for _, node in members)) if alone else []
            for state, node in members:
                inside += self.statements.change(self.words[state], self.leaves[state], node)
            lines += [f"if ({test}) {{", *indented(inside), "}"] if test and inside else inside
        return lines

    def under(self, state: str, node: Node) -> tuple[str, Node]:
        """Return the condition under which a state changes at all, and how it changes then."""
        leaf = self.leaves[state]
        if is_branching(leaf, node, self.writer.names):
            condition, yes, no = node.args
            if no is leaf:
                return self.writer.condition(condition).text, yes
            if yes is leaf:
                return self.writer.condition(condition, (), False).text, no
        return "", node


def _leaf(source: Source, name: str) -> Node:
    """Return a state's own leaf."""
    return build("state", name=name, axes=source.model.states[name].axes)


def _may_be_infinite(node: Node) -> bool:
    """Say whether some logits may be minus infinity, which Stan's own function refuses."""
    values = (part.attr("value") for part in walk(node) if part.op == "const" and part.kind.name == "real")
    return any(math.isinf(value) for array in values for value in np.ravel(array))

