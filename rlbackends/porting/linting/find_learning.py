"""Checks of what a learning model says: its recursion, its likelihood, what is done with them afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rlbackends.porting.linting.find_calls import distribution_of
from rlbackends.porting.linting.program import Call, Program, dotted, nodes
from rlbackends.porting.linting.rules import Row
from rlbackends.porting.linting.scans import Scan, returns_pair, scans

if TYPE_CHECKING:
    import libcst as cst

_LIKELIHOODS = {"Categorical": ("p", 1), "Bernoulli": ("p", 1), "Binomial": ("p", 2), "Multinomial": ("p", 2)}
INTEGERS = re.compile(r"u?int\d*$|^i$|^l$")


def called_word(call: Call) -> str:
    """Return the last word of what is called, also of a method."""
    func = call.node.func
    word = dotted(func)
    if word is not None:
        return (call.name or word).rpartition(".")[2]
    attr = getattr(func, "attr", None)
    return str(attr.value) if attr is not None else ""


def likelihoods(program: Program) -> list[tuple[Call, str, cst.BaseExpression | None, bool]]:
    """Return the observed responses: call, distribution, probabilities or logits, whether they are logits."""
    found = []
    for call in program.calls:
        kind = distribution_of(call)
        if kind is None or kind[0] not in _LIKELIHOODS or call.argument("observed") is None:
            continue
        logits = call.argument("logit_p")
        name, position = _LIKELIHOODS[kind[0]]
        found.append(
            (call, kind[0], logits if logits is not None else call.argument(name, position), logits is not None)
        )
    return found


def recursion(program: Program) -> Iterator[Row]:
    """Find what goes wrong with a scan, in it and behind it."""
    import libcst as cst

    found = scans(program)
    for scan in found:
        if scan.assignment is not None and returns_pair(scan):
            yield program.row("scan-pair", scan.call.node, "The call gives results and updates.",
                              fix=f"{_left(scan)} = pytensor.scan(…, return_updates=False)")  # fmt: skip
        if scan.function is not None:
            yield from _stops(program, scan.function)
        for state in scan.states:
            yield from _start(program, scan, state)
        yield from _shifted(program, scan)
    names = {name for scan in found for name in scan.results if name}
    for call in program.calls:
        if call.name == "pymc.Deterministic" and names:
            value = call.argument("var", 1)
            if isinstance(value, cst.Name) and value.value in names:
                yield program.row("stored-trajectory", call.node, f"'{value.value}' is stored for every draw.")


def _left(scan: Scan) -> str:
    names = [name or "_" for name in scan.results]
    return ", ".join(names) or "q"


_RANDOM = {"multinomial", "binomial", "choice", "categorical", "uniform", "normal", "bernoulli", "random_integers"}


def _stops(program: Program, function: cst.CSTNode) -> Iterator[Row]:
    """Find argmax, rounding and draws in a scan's function."""
    for node in nodes(function):
        call = program.call_at(node)
        if call is None:
            continue
        word = called_word(call)
        library = not call.name or call.name.startswith("pytensor")
        if word in ("argmax", "argmin", "round", "iround", "floor", "ceil") and library:
            yield program.row("gradient-stops", node, f"{word} in the scan's function.")
        elif word in _RANDOM and (not call.name or "random" in call.name.lower()) and "random" in _owner(program, call):
            yield program.row("gradient-stops", node, f"A random draw, {word}, in the scan's function.")


def _owner(program: Program, call: Call) -> str:
    """Return, in small letters, what made the thing that a method is called on."""
    if call.name:
        return call.name.lower()
    word = (dotted(call.node.func) or "").split(".")[0]
    made = program.value(word, call.line)
    maker = program.call_at(made.value) if made else None
    return f"{word} {maker.name if maker else ''}".lower().replace("srng", "random").replace("rng", "random")


def _start(program: Program, scan: Scan, state: cst.BaseExpression) -> Iterator[Row]:
    """Find starts that are integers, or that are kept in 32 bits."""
    for call in program.calls_in(state, scan.call.line):
        kind = call.argument("dtype", 1 if called_word(call) in ("zeros", "ones") else 2)
        if kind is not None and INTEGERS.search(program.text(kind).strip("'\"").rpartition(".")[2]):
            yield program.row("integer-state", call.node, "The recursion starts from integers.")
    start = _followed(program, state, scan.call.line)
    value = _float32(start) if start is not None else None
    if start is not None and value is not None:
        yield program.row(
            "float32-start",
            start.node,
            f"'{program.text(start.node)}' is float32.",
            fix=f"np.float64({program.text(value)}) in its place, or {program.text(value)} * pt.ones(shape)",
        )


def _followed(program: Program, value: cst.BaseExpression, line: int) -> Call | None:
    """Return the call that a value is, through variables."""
    import libcst as cst

    for _ in range(10):
        if not isinstance(value, cst.Name):
            break
        found = program.value(value.value, line)
        if found is None or found.unpacked:
            return None
        value, line = found.value, found.line
    return program.call_at(value)


_CONSTANTS = {
    "pytensor.tensor.full": 1,
    "pytensor.tensor.alloc": 0,
    "pytensor.tensor.constant": 0,
    "pytensor.tensor.as_tensor_variable": 0,
    "pytensor.tensor.as_tensor": 0,
    "pytensor.tensor.fill": 1,
}


def _float32(call: Call) -> cst.BaseExpression | None:
    """Return a Python float that float32 holds exactly, given to a function that keeps its type."""
    import struct

    import libcst as cst

    if call.name not in _CONSTANTS or call.argument("dtype") is not None:
        return None
    value = call.argument("fill_value", _CONSTANTS[call.name])
    inner = value.expression if isinstance(value, cst.UnaryOperation) else value
    if not isinstance(inner, cst.Float):
        return None
    number = float(inner.value)
    return value if struct.unpack("f", struct.pack("f", number))[0] == number else None


def _shifted(program: Program, scan: Scan) -> Iterator[Row]:
    """Find values after the update that reach the likelihood of the same trial."""
    states = scan.state_results()
    if not states or _cut(program, scan.call.node):
        return
    summed = [(call, value) for call in program.calls if call.name == "pymc.Potential"
              and (value := call.argument("var", 1)) is not None
              and any("softmax" in called_word(inner) or called_word(inner) in ("exp", "sigmoid", "invlogit")
                      for inner in program.calls_in(value, call.line))]  # fmt: skip
    for call, value in [*((call, value) for call, _, value, _ in likelihoods(program)), *summed]:
        observed = call.argument("observed")
        if (
            value is None
            or call.line < scan.call.line
            or (observed is not None and _is_cut(program, observed, call.line))
        ):
            continue
        reached = _unshifted(program, value, call.line, scan, states)
        if reached:
            yield program.row(
                "not-shifted",
                call.node,
                f"'{reached}' are values after the update of line {program.source.place(scan.call.line)[1]}.",
                fix=f"{reached} = pt.concatenate([[{program.text(scan.states[0])}], {reached}[:-1]], axis=0)",
            )


def _cut(program: Program, node: cst.CSTNode) -> bool:
    """Say whether something is cut by ``[:-1]`` or ``[1:]`` below a node."""
    text = program.text(node).replace(" ", "")
    return "[:-1" in text or "[1:" in text


def _is_cut(program: Program, value: cst.BaseExpression, line: int) -> bool:
    """Say whether a value, or a variable in it, is cut by one trial."""
    if _cut(program, value):
        return True
    for node in program.chain(value, line):
        if type(node).__name__ == "Subscript" and _cut(program, node):
            return True
    return False


def _unshifted(program: Program, value: cst.BaseExpression, line: int, scan: Scan, states: dict[str, str]) -> str:
    """Return the name of a scan's result that reaches a value without having been cut; empty: none."""
    import libcst as cst

    seen: set[tuple[str, int]] = set()
    pending: list[tuple[cst.CSTNode, int]] = [(value, line)]
    while pending:
        at, before = pending.pop(0)
        if _cut(program, at):
            continue
        for node in nodes(at):
            if not isinstance(node, cst.Name):
                continue
            found = program.value(node.value, before)
            if found is None or (node.value, found.line) in seen:
                continue
            seen.add((node.value, found.line))
            if found is scan.assignment or (scan.assignment is not None and found.value is scan.call.node):
                if node.value in states:
                    return node.value
                continue
            pending.append((found.value, found.line))
    return ""


def responses(program: Program) -> Iterator[Row]:
    """Find likelihoods that are not what they look like, and softmaxes that go wrong."""
    import libcst as cst

    told: set[int] = set()
    for call, kind, value, is_logit in likelihoods(program):
        if value is None or is_logit:
            continue
        made = program.calls_in(value, call.line)
        exponent = next((c for c in made if called_word(c) == "exp" and _is_tensor(c)), None)
        normalised = _is_normalised(program, value, call.line)
        if exponent is not None and kind == "Categorical" and not normalised:
            yield program.row(
                "categorical-unnormalised",
                call.node,
                f"p is '{program.text(exponent.node)}', not divided by its sum.",
                fix=f"logit_p={_argument(program, exponent)}, shaped as p is.",
            )
        if exponent is not None and not _has_largest_subtracted(program, exponent) and id(exponent.node) not in told:
            if kind == "Categorical" or normalised:
                told.add(id(exponent.node))
                yield program.row(
                    "exp-overflow",
                    exponent.node,
                    f"'{program.text(exponent.node)}'.",
                    fix=f"pm.{kind}(name, logit_p={_argument(program, exponent)}, observed=…)",
                )
        soft = next((c for c in made if "softmax" in called_word(c).lower()), None)
        if kind in ("Bernoulli", "Binomial") and soft is not None and not _picks(program, value, call.line):
            yield program.row("one-hot-bernoulli", call.node, f"pm.{kind} with the probabilities of a softmax.")
    for call in program.calls:
        if call.name in ("numpyro.distributions.Bernoulli", "numpyro.distributions.BernoulliProbs"):
            value = call.argument("probs", 0)
            if value is not None and any("softmax" in (dotted(n) or "").lower() for n in program.chain(value, call.line)
                                         if isinstance(n, cst.Name | cst.Attribute)):  # fmt: skip
                if not _picks(program, value, call.line):
                    yield program.row(
                        "one-hot-bernoulli",
                        call.node,
                        "Bernoulli with the probabilities of a softmax.",
                        fix="dist.Categorical(logits=values / temperature), obs=the index of the choice.",
                    )
        elif called_word(call) in ("softmax", "log_softmax") and call.name.startswith(("pytensor", "pymc.math")):
            if call.argument("axis", 1) is None and ".nnet." not in call.name and not call.has_stars():
                yield program.row("softmax-axis", call.node, f"'{program.text(call.node)}'.")
        elif call.name == "pymc.Potential" and scans(program):
            yield program.row("potential-likelihood", call.node, "The likelihood is a Potential.")


def _is_tensor(call: Call) -> bool:
    return call.name.startswith(("pytensor", "pymc"))


def _argument(program: Program, call: Call) -> str:
    plain = call.positional()
    return program.text(plain[0]) if plain else "beta * q"


def _is_normalised(program: Program, value: cst.BaseExpression, line: int) -> bool:
    """Say whether a value was divided by something on its way."""
    import libcst as cst

    for node in program.chain(value, line):
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Divide):
            return True
        if isinstance(node, cst.AugAssign) and isinstance(node.operator, cst.DivideAssign):
            return True
        call = program.call_at(node)
        if call is not None and called_word(call) in (
            "softmax",
            "log_softmax",
            "logsumexp",
            "sigmoid",
            "invlogit",
            "true_div",
        ):
            return True
    return False


def _has_largest_subtracted(program: Program, call: Call) -> bool:
    inside = call.positional()
    return bool(inside) and any(
        called_word(c) in ("max", "logsumexp", "log_softmax") for c in program.calls_in(inside[0], call.line)
    )


def _picks(program: Program, value: cst.BaseExpression, line: int) -> bool:
    """Say whether one entry of the last axis is taken, as in ``p[:, 1]``."""
    import libcst as cst

    for node in program.chain(value, line):
        if isinstance(node, cst.Subscript) and node.slice:
            last = node.slice[-1].slice
            if isinstance(last, cst.Index) and isinstance(last.value, cst.Integer | cst.UnaryOperation):
                return True
    return False


def after(program: Program) -> Iterator[Row]:
    """Find what is said about a fitted learning model, repeated shapes, and prints."""
    import libcst as cst

    found = scans(program)
    for call in program.calls:
        word = called_word(call)
        if word in ("repeat", "tile") and call.name.startswith("pytensor.tensor") and _holds_variable(program, call):
            yield program.row("repeated-shape", call.node, f"'{word}'.")
        if call.name in (
            "pymc.sample_posterior_predictive",
            "pymc.sample_ppc",
            "pymc.fast_sample_posterior_predictive",
        ):
            if found:
                yield program.row("predictive-one-step", call.node, "A predictive of a model with a scan.")
        if call.name in ("arviz.loo", "pymc.loo", "arviz.compare", "pymc.compare", "arviz.waic", "pymc.waic") and found:
            yield program.row("loo-constant", call.node, f"'{word}' of a model with a scan.")
    for statement in program.nodes:
        if isinstance(statement, cst.Expr) and isinstance(statement.value, cst.Call):
            inner = program.call_at(statement.value.func)
            if inner is not None and inner.name in ("pytensor.printing.Print", "pytensor.tensor.printing.Print"):
                yield program.row("print-unused", statement.value, f"'{program.text(statement.value)}'.")


def _holds_variable(program: Program, call: Call) -> bool:
    plain = call.positional()
    return bool(plain) and any(distribution_of(inner) for inner in program.calls_in(plain[0], call.line))


CHECKS = (recursion, responses, after)
