"""The loop of a program in PyMC: a function of one trial of all subjects, and a scan over trials."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import OPERATIONS
from rlbackends.porting.export.lines import WIDTH, block, statement
from rlbackends.porting.export.pymc_plan import Plan, asks, reads
from rlbackends.porting.export.python import parts
from rlbackends.porting.export.source import CONDITION, N_SUBJECTS, N_TRIALS, STARTS, letters
from rlbackends.porting.export.tensors import SUBJECTS, Tensors, is_narrow

_DEPTH = 8  # how far the program's body is indented
_LETTER = re.compile(r"[a-z]\d*")
_SHORT = 2  # operations up to which a part that gets new axes needs no line of its own


class Loop:
    """Writes the loop of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.words = plan.words
        self.updates = {name: plan.program.updates[name] for name in plan.carried if name in plan.program.updates}
        self.resets = [name for name in plan.carried if plan.resets(name)]
        self.again = {name: plan.program.initial[name] for name in self.resets if plan.varies(name)}
        self.graphs = [*plan.inside.values(), *self.updates.values(), *self.again.values()]
        self.starts = {name: plan.fresh(f"{self.words[name]}_start") for name in plan.carried}
        self.leads = {name: min(lead, 1) for name, lead in plan.leads.items()}

    def lines(self) -> list[str]:
        """Return the function of a trial, where states start, and the scan."""
        plan, words = self.plan, self.words
        columns, others = self.sequences(), self.others()
        states = [words[name] for name in plan.carried]
        arguments = ", ".join(["start" if name == STARTS else name for name in columns] + states + others)
        lines = ["# One trial of all subjects, side by side", *_nested("", f"def trial({arguments})", ":")]
        lines += [*block([*self.beginning(), *self.trial()], 4), ""]
        for name in plan.carried:
            lines += _nested(f"{self.starts[name]} = ", initial(plan, name))
        outputs = ", ".join([*states, *(plan.output[key] for key in plan.inside)])
        infos = ", ".join([*(self.starts[name] for name in plan.carried), *["None"] * len(plan.inside)])
        given = ""
        if columns:
            turned = "x.T" if self.is_flat() else "x.swapaxes(0, 1)"
            each = f"({', '.join(columns)})"
            given = f"[pt.as_tensor({turned}) for x in {each}]"
            if len(columns) == 1:
                given = f"[pt.as_tensor({columns[0]}{turned[1:]})]"
            elif len(given) + _DEPTH + 18 > WIDTH:
                lines += _nested("inputs = ", f"[{', '.join(columns)}]")
                given = f"[pt.as_tensor({turned}) for x in inputs]"
        lines += [f"{outputs} = pytensor.scan(", "    trial,"]
        lines += [f"    sequences={given},"] if columns else [f"    n_steps={N_TRIALS},"]
        lines += block(_nested("outputs_info=", f"[{infos}]", ","), 4)
        lines += block(_nested("non_sequences=", f"[{', '.join(others)}]", ","), 4) if others else []
        lines += ["    strict=True,", "    return_updates=False,", ")"]
        for key, node in plan.inside.items():
            axes = ", ".join(["subject", "trial", *(axis.name or str(axis.size) for axis in node.axes)])
            word = plan.output[key]
            lines.append(f"{word} = {word}.{'swapaxes(0, 1)' if node.axes else 'T'}  # ({axes})")
        return lines

    # What the function takes

    def sequences(self) -> list[str]:
        """Return what has a value by trial: events, flags, where blocks start, conditions."""
        source = self.plan.source
        values, flags = set(reads(self.graphs, "event")), asks(self.graphs)
        found = [self.words[name] for name in source.events if name in values]
        found += [self.plan.flags(name) for name in source.flagged if name in flags]
        found += [STARTS] if self.resets else []
        return [*found, CONDITION] if self.within() else found

    def within(self) -> list[str]:
        """Return the parameters that the loop reads by condition."""
        return [name for name in self.plan.parameters(self.graphs) if name in self.plan.layout.within]

    def is_flat(self) -> bool:
        """Say whether what has a value by trial has one number."""
        read = {*reads(self.graphs, "event"), *asks(self.graphs)}
        return not any(self.plan.model.events[name].axes for name in read)

    def others(self) -> list[str]:
        """Return what is the same on all trials: parameters, states that never change, where states start again."""
        plan = self.plan
        found = [name for name in plan.parameters(self.graphs) if name not in plan.layout.fixed]
        read = reads(self.graphs, "state")
        found += [name for name in plan.constant if name in read]
        again = [self.starts[name] for name in self.resets if name not in self.again]
        return [*(self.words[name] for name in found), *again]

    # What it does

    def beginning(self) -> list[str]:
        """Return the first lines of a trial: its parameters, and states that start again."""
        words = self.words
        lines = [f"{words[name]} = {words[name]}[{SUBJECTS}, {CONDITION}]" for name in self.within()]
        lines = ["# The trial's condition", *lines] if lines else []
        if self.resets:
            lines.append("# States start again at a new block")
        for name in self.resets:
            fresh = initial(self.plan, name, words) if name in self.again else self.starts[name]
            new = ", None" * len(self.plan.shape(name))
            start = f"start[:{new}]" if new else "start"
            lines += _nested(f"{words[name]} = ", f"pt.switch({start}, {fresh}, {words[name]})")
        return lines

    def trial(self) -> list[str]:
        """Return what is computed on a trial: the responses' arguments, then the states after it."""
        plan = self.plan
        graphs = {f"{response} {key}": node for (response, key), node in plan.inside.items()}
        roots = {**graphs, **{f"update {name}": node for name, node in self.updates.items()}}
        taken = {*plan.taken, *plan.output.values()}
        names = parts(roots, plan.program.records, self.words, taken, self.updates)
        names |= self.stays({*taken, *names.values()}, names)
        printer = Tensors(self.words, names, plan.constants, leads=self.leads)
        names |= dict.fromkeys(_more_parts(roots.values(), names, printer), "a")
        order = [node for node in walk(*roots.values()) if node in names]
        # Letters in the order in which they are met.
        told = {name for name in names.values() if not _LETTER.fullmatch(name)} | set(plan.program.records)
        free = letters({*taken, *told})
        names |= {node: next(free) for node in order if names[node] not in told}
        plan.taken |= set(names.values())
        early = set(walk(*graphs.values()))

        def define(nodes: Iterable[Node]) -> list[str]:
            return [line for node in nodes for line in _nested(f"{names[node]} = ", printer.definition(node))]

        lines = ["# What each subject is likely to do", *define(node for node in order if node in early)]
        results = []
        for key, node in plan.inside.items():
            if node in names:
                results.append(names[node])
            else:
                lines += _nested(f"{plan.output[key]} = ", self.root(printer, node, node.shape))
                results.append(plan.output[key])
        learnt = define(node for node in order if node not in early)
        after = []
        for name in plan.carried:
            update = self.updates.get(name)
            shape = plan.shape(name)
            if update is None:
                after.append(self.words[name])
            elif update in names and self.is_whole(printer, update, shape):
                after.append(names[update])
            else:
                word = plan.fresh(f"new_{self.words[name]}")
                learnt += _nested(f"{word} = ", self.root(printer, update, shape))
                after.append(word)
        lines += ["# What it learns", *learnt] if learnt else []
        return [*lines, *_nested("return ", ", ".join([*after, *results]))]

    def stays(self, taken: Collection[str], names: Mapping[Node, str]) -> dict[Node, str]:
        """Return names for the conditions on which states keep their values, because something is missing."""
        held: dict[Node, list[str]] = {}
        for name, node in self.updates.items():
            keeps = node.op == "where" and node.args[1].op == "state" and node.args[1].attr("name") == name
            if keeps and node.args[0].op in ("and", "or") and asks([node.args[0]]):
                held.setdefault(node.args[0], []).append(name)
        found = {}
        used = set(taken)
        for condition, states in held.items():
            word = f"{self.words[states[0]]}_stays" if len(states) == 1 else "stays"
            while word in used:
                word += "_"
            used.add(word)
            if condition not in names:
                found[condition] = word
        return found

    def is_whole(self, printer: Tensors, node: Node, shape: tuple[int, ...]) -> bool:
        """Say whether an expression is of all subjects, of a full shape that PyTensor knows, and of float64."""
        return bool(printer.lead(node)) and node.shape == shape and 1 not in shape and not is_narrow(node)

    def root(self, printer: Tensors, node: Node, shape: tuple[int, ...]) -> str:
        """Return an expression of all subjects, of its full shape and of real numbers."""
        if not printer.lead(node) or node.shape != shape:
            return printer.spread_out(node, 1, shape)
        text = printer.text(node)
        if 1 in shape:  # where PyTensor forgets that an axis has one entry, a scan does not take the value
            text = f"pt.specify_shape({text}, ({', '.join([N_SUBJECTS, *map(str, shape)])}))"
        return f'pt.cast({text}, "float64")' if node.op == "to_real" or is_narrow(node) else text


def constants(plan: Plan) -> list[str]:
    """Return the lines of states that are read and never change."""
    lines = [line for name in plan.constant for line in _nested(f"{plan.words[name]} = ", initial(plan, name))]
    return ["# States that never change", *lines] if lines else []


def initial(plan: Plan, state: str, words: Mapping[str, str] | None = None) -> str:
    """Return a state's values at its start; without words of other parameters, at the first trial."""
    node, shape = plan.program.initial[state], plan.shape(state)
    if node.op == "const" and not np.any(np.asarray(node.attr("value"))):
        return f"pt.zeros(({', '.join([N_SUBJECTS, *map(str, shape)])}{'' if shape else ','}))"
    if words is None:
        first = {name: f"{plan.words[name]}[{SUBJECTS}, {CONDITION}[:, 0]]" for name in plan.layout.within}
        words = {**plan.words, **first}
    leads = {name: min(lead, 1) for name, lead in plan.leads.items()}
    return Tensors(words, {}, plan.constants, leads=leads).spread_out(node, 1, shape)


def _nested(left: str, right: str = "", end: str = "") -> list[str]:
    """Return a statement that is folded as what stands in the program's body."""
    return [line[_DEPTH + 4 :] for line in statement(left, right, _DEPTH + 4, end)]


def _more_parts(roots: Iterable[Node], names: Mapping[Node, str], printer: Tensors) -> Sequence[Node]:
    """Return further parts that read better on a line of their own: long ones that get new axes, and
    what is changed at some entries."""
    found: dict[Node, None] = {}
    for node in walk(*roots):
        for arg in node.args:
            inner = arg.args[0] if arg.op == "to_real" else arg
            if arg in names or inner in names or inner in found:
                continue
            is_wider = OPERATIONS[node.op].group == "elementwise" and len(arg.axes) < len(node.axes)
            if is_wider and printer.lead(arg) and _size(inner, {*names, *found}) > _SHORT:
                found[inner] = None
            elif node.op in ("at_add", "at_set") and arg is node.args[0] and arg.op not in ("state", "const"):
                found[arg] = None
    return list(found)


def _size(node: Node, known: Collection[Node]) -> int:
    """Return the number of operations in a part, those with names of their own left out."""
    return sum(OPERATIONS[item.op].group != "leaf" and item.op != "to_real" for item in walk(node, known=known))
