"""The likelihood of a program in PyMC: what the loop did not compute, and the observed responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rlbackends.expressions.printing import ATOM
from rlbackends.porting.export.lines import statement
from rlbackends.porting.export.pymc_plan import Plan
from rlbackends.porting.export.python import parts
from rlbackends.porting.export.source import CONDITION
from rlbackends.porting.export.tensors import SUBJECTS, Arrays, Tensors

_DEPTH = 8  # how far the program's body is indented
_CERTAIN = "1e4"  # log odds at which the other outcome has probability 0


@dataclass(frozen=True)
class Argument:
    """A response's argument after the loop: an expression, how many leading axes it has, and its own axes' sizes."""

    text: str
    lead: int
    shape: tuple[int, ...]

    def whole(self, rank: int) -> str:
        """Return all its values, so that they meet a response of so many own axes."""
        new = rank - len(self.shape)
        if self.lead == 0 or (self.lead == 2 and not new):
            return self.text
        return f"{self.text}[{', '.join([':'] * self.lead + ['None'] * (2 - self.lead + new))}]"

    def at(self, cells: Sequence[str], sizes: Sequence[int]) -> str:
        """Return its values at some cells: subjects, trials and entries of axes of these sizes."""
        inner = list(cells[: self.lead])
        own = self.shape[: len(sizes)]  # without the axis of actions
        if sizes and own:
            entries, wanted = cells[-len(own) :], sizes[-len(own) :]
            inner += [e if size == want else "0" for e, size, want in zip(entries, own, wanted, strict=True)]
        return f"{self.text}[{', '.join(inner)}]" if inner else self.text


def likelihood(plan: Plan) -> list[str]:
    """Return the lines of the likelihood."""
    lines, found = _outside(plan)
    found |= {key: Argument(plan.output[key], 2, node.shape) for key, node in plan.inside.items()}
    lines = ["# What each subject is likely to do", *lines, ""] if lines else []
    lines.append("# Likelihood")
    for response in dict.fromkeys(response for response, _ in plan.arguments):
        lines += _response(plan, response, {key: value for (name, key), value in found.items() if name == response})
    return lines


def _outside(plan: Plan) -> tuple[list[str], dict[tuple[str, str], Argument]]:
    """Return the lines that compute what needs no loop, and the arguments."""
    lines = []
    by_trial = {
        name: plan.fresh(f"{plan.words[name]}_by_trial")
        for name in plan.parameters(plan.outside.values())
        if name in plan.layout.within
    }
    for name, word in by_trial.items():
        lines.append(f"{word} = {plan.words[name]}[{SUBJECTS}[:, None], {CONDITION}]")
    roots = {f"{response} {key}": node for (response, key), node in plan.outside.items()}
    names = parts(roots, plan.program.records, plan.words, {*plan.taken, *plan.output.values()})
    plan.taken |= set(names.values())
    leads = {**plan.leads, **dict.fromkeys(plan.model.states, 1)}
    printer = Tensors({**plan.words, **by_trial}, names, plan.constants, leads=leads, lead=2)
    for node, name in names.items():
        lines += _nested(f"{name} = ", printer.definition(node))
    found = {}
    for key, node in plan.outside.items():
        text = printer.text(node)
        if (node.args and node not in names) or (node.op == "const" and node.axes):
            lines += _nested(f"{plan.output[key]} = ", text)
            text = plan.output[key]
        elif node.op == "const":
            text = f"np.float64({text})"  # a plain number would become float32, and so would its logarithm
        found[key] = Argument(text, printer.lead(node), node.shape)
    return lines, found


def _response(plan: Plan, response: str, arguments: Mapping[str, Argument]) -> list[str]:
    """Return the lines of one response."""
    word, axes = plan.words[response], plan.model.events[response].axes
    family = plan.model.response_rules[response].family
    sizes = tuple(axis.size for axis in axes)
    lines, counted = _counted(plan, response)
    if counted:
        cells = ["s", "t", *(plan.fresh("k") for _ in axes)]
        lines.append("# Subjects and trials of what was observed")
        lines.append(f"{', '.join(cells)} = np.nonzero({' & '.join(counted)})")
        given = {name: argument.at(cells, sizes) for name, argument in arguments.items()}
        observed, dims = f"{word}[{', '.join(cells)}]", ""
    else:
        rank = len(axes) + (family == "categorical")
        given = {name: argument.whole(rank) for name, argument in arguments.items()}
        observed, dims = word, "" if axes else ', dims=("subject", "trial")'
    if family == "normal":
        inner = f"mu={given['mean']}, sigma={given['sd']}"
    else:
        logits = next(given[name] for name in ("logits", "log_probs") if name in given)
        if "where" in given:
            certain = plan.fresh(f"{word}_certain")
            lines.append("# What was not asked for is certain, and adds nothing")
            lines += _nested(f"{certain} = ", f"np.where({observed} == 1, {_CERTAIN}, -{_CERTAIN})")
            logits = f"pt.switch({given['where']}, {logits}, {certain})"
        inner = f"logit_p={logits}"
    call = f"pm.{family.capitalize()}({plan.name(response)}, {inner}, observed={observed}{dims})"
    return [*lines, *_nested("", call)]


def _counted(plan: Plan, response: str) -> tuple[list[str], list[str]]:
    """Return what says which cells of a response count, if not all do, and the lines before it."""
    word, event = plan.words[response], plan.model.events[response]
    lines: list[str] = []
    counted: list[str] = []
    if response in plan.masks:
        mask = plan.masks[response]
        printer = Arrays(plan.words, {}, plan.constants, leads=plan.leads, lead=2)
        text = printer.text(mask)
        is_full = printer.lead(mask) == 2 and mask.shape == tuple(axis.size for axis in event.axes)
        if not is_full:
            whole = Argument(printer.inside(mask, ATOM), printer.lead(mask), mask.shape).whole(len(event.axes))
            text = f"np.broadcast_to({whole}, {word}.shape)"
        asked = plan.fresh("asked")
        lines += _nested(f"{asked} = ", text)
        counted.append(asked)
    if response in plan.source.flagged:
        counted.append(f"~{plan.flags(response)}")
    return lines, counted


def _nested(left: str, right: str = "", end: str = "") -> list[str]:
    return [line[_DEPTH:] for line in statement(left, right, _DEPTH, end)]
