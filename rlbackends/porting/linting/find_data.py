"""Checks of what goes into a model: the range of its parameters, bounds, outcomes, tables, constants, precision."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rlbackends.porting.linting.find_calls import distribution_of
from rlbackends.porting.linting.find_learning import INTEGERS, called_word
from rlbackends.porting.linting.program import Call, Program, dotted, nodes
from rlbackends.porting.linting.rules import Row
from rlbackends.porting.linting.scans import scans
from rlbackends.porting.linting.today import HOMES

if TYPE_CHECKING:
    import libcst as cst

_OUTCOME = re.compile(r"(?i)(^|_)(reward|outcome|feedback|payoff|points?|gain|loss|win|score)s?($|_)|^(rs|r)$")
_RATE = re.compile(r"(?i)^(alpha|lr|learning_?rate|eta|forget\w*|decay|phi|lapse|eps(ilon)?|rate)(_?\w{0,6})?$")
_INVERSE = re.compile(r"(?i)^(beta|tau|inv_?temp\w*|temperature|theta)(_?\w{0,6})?$")
_GROUP = re.compile(r"(?i)(^|_)(mu|sd|sigma|mean|loc|location|matt|raw|offset|z|tilde|hyper|group)(_|$|\d)")
_LINKS = {
    "sigmoid",
    "invlogit",
    "expit",
    "invprobit",
    "phi",
    "softplus",
    "exp",
    "normcdf",
    "cdf",
    "Phi",
    "clip",
    "tanh",
    "phi_approx",
    "ndtr",
}
_UNBOUNDED = {"Normal", "StudentT", "Cauchy", "Flat", "Laplace", "SkewNormal", "Logistic", "Gumbel", "MvNormal"}


def ranges(program: Program) -> Iterator[Row]:
    """Find parameters of a learning model that can leave their range."""
    import libcst as cst

    if not scans(program) and not _learns(program):
        return
    for item in program.assignments:
        name = item.targets[0].rpartition(".")[2]
        if item.unpacked or _GROUP.search(name) or not (_RATE.match(name) or _INVERSE.match(name)):
            continue
        call = program.call_at(item.value)
        value: cst.BaseExpression = item.value
        if call is not None and call.name == "pymc.Deterministic":
            value = call.argument("var", 1) or value
            call = program.call_at(value)
        where = "[0, 1]" if _RATE.match(name) else "[0, ∞)"
        kind = distribution_of(call) if call is not None else None
        if kind is not None and kind[0] in _UNBOUNDED and call is not None and call.argument("transform") is None:
            if any(called_word(c) in _LINKS and any(isinstance(n, cst.Name) and n.value == name for n in nodes(c.node))
                   for c in program.calls):  # fmt: skip
                continue  # it is on its link's scale
            yield program.row("unbounded-rate", value, f"'{name}' ~ pm.{kind[0]} can leave {where}.", fix=_link(name))
        elif isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.Add | cst.Multiply):
            made = program.calls_in(value, item.line + 1)
            if any(called_word(c) in _LINKS for c in made) or not _has_free_normal(program, value, item.line):
                continue
            yield program.row("unbounded-rate", value, f"'{name} = {program.text(value)}' can leave {where}.",
                              fix=_link(name, program.text(value)))  # fmt: skip


def _link(name: str, value: str = "mu + sd * offset") -> str:
    return f"{name} = pm.math.{'invlogit' if _RATE.match(name) else 'exp'}({value}), with priors on that scale"


def _has_free_normal(program: Program, value: cst.CSTNode, line: int) -> bool:
    """Say whether a sum holds a variable without bounds that is no Bound."""
    import libcst as cst

    for node in nodes(value):
        if not isinstance(node, cst.Name):
            continue
        found = program.value(node.value, line)
        call = program.call_at(found.value) if found else None
        kind = distribution_of(call) if call is not None else None
        if kind is not None and kind[0] in _UNBOUNDED and call is not None and call.argument("transform") is None:
            return True
    return False


def _learns(program: Program) -> bool:
    """Say whether a function moves values by a share of an error, without a scan."""
    return any(called_word(call) in ("set_subtensor", "inc_subtensor") for call in program.calls)


def data(program: Program) -> Iterator[Row]:
    """Find outcomes cast to integers, tables that lose their first line, names taken."""
    import libcst as cst

    if not program.uses(*HOMES, "numpyro", "jax"):
        return
    for item in program.assignments:
        for name in item.targets:
            if _OUTCOME.search(name) and not item.unpacked and (how := _cast(program, item.value)):
                yield program.row("integer-outcome", item.value, f"'{name}' is cast by {how}.")
                break
    for call in program.calls:
        if call.name == "pandas.read_csv" and "header" not in call.keywords() and "names" not in call.keywords():
            yield from _csv(program, call)
        kind = distribution_of(call)
        observed = call.argument("observed") if kind is not None else None
        if observed is None:
            continue
        taken = next((a for a in program.assignments if a.value is call.node), None)
        if taken is None or taken.unpacked:
            continue
        name = taken.targets[0]
        before = [a for a in program.assignments if name in a.targets and a.line < taken.line]
        used = any(isinstance(node, cst.Name) and node.value == name for node in program.chain(observed, call.line))
        if before and used:
            yield program.row(
                "name-taken",
                call.node,
                f"'{name}' was the data of line {program.source.place(before[-1].line)[1]}.",
                fix=f"{name}_observed = … , or no name",
            )


def _cast(program: Program, value: cst.BaseExpression) -> str:
    """Return how a value is cast to integers; empty: it is not."""
    for node in nodes(value):
        call = program.call_at(node)
        if call is None:
            continue
        word = called_word(call)
        if word in ("astype", "cast"):
            kind = call.argument("dtype", 0 if word == "astype" else 1)
            if kind is not None and INTEGERS.search(program.text(kind).strip("'\"").rpartition(".")[2]):
                return f"{word}({program.text(kind)})"
        elif call.name.startswith("pytensor.tensor.") and re.fullmatch(
            r"[bwil](scalar|vector|matrix|row|col|tensor[345])", word
        ):
            return f"{word}, a type of integers"
        else:
            kind = call.argument("dtype")
            if kind is not None and INTEGERS.search(program.text(kind).strip("'\"").rpartition(".")[2]):
                return f"dtype={program.text(kind)}"
    return ""


_WHOLE = {"as_tensor_variable", "as_tensor", "shared", "array", "asarray", "constant", "Data"}


def _csv(program: Program, call: Call) -> Iterator[Row]:
    """Find a table that is turned into an array whole: with no use of its columns' names, their line may be data."""
    text = program.text(call.node)
    used = False
    for outer in program.calls:
        if called_word(outer) in _WHOLE and any(arg.value is call.node for arg in outer.node.args):
            used = True
    for attribute, _ in program.attributes:
        if attribute.value is call.node and attribute.attr.value in ("values", "to_numpy", "T"):
            used = True
    if not used:
        return
    fact = _first_line(program, call)
    if fact == "names":
        return
    extra = f" The first line of the file is '{fact}': numbers, so the first trial is lost." if fact else ""
    yield program.row("csv-header", call.node, f"'{text}' becomes an array whole.{extra}")


def _first_line(program: Program, call: Call) -> str:
    """Return the first line of a table beside the program if it looks like data; ``"names"`` if not; empty: unknown."""
    import libcst as cst

    path = call.argument("filepath_or_buffer", 0)
    if not isinstance(path, cst.SimpleString) or not isinstance(path.evaluated_value, str):
        return ""
    file = program.source.path.parent / path.evaluated_value
    try:
        with file.open(encoding="utf-8", errors="replace") as stream:
            first = stream.readline(100_000).strip()
    except (OSError, ValueError):
        return ""
    cells = [cell.strip().strip('"') for cell in first.split(",")]
    try:
        numbers = [float(cell) for cell in cells if cell]
    except ValueError:
        return "names"
    if (
        numbers in ([float(i) for i in range(len(numbers))], [float(i + 1) for i in range(len(numbers))])
        and len(numbers) > 2
    ):
        return "names"
    return first if len(first) <= 40 else f"{first[:37]}…"


def bounds(program: Program) -> Iterator[Row]:
    """Find Bounds whose missing normalisation depends on parameters."""
    import libcst as cst

    for call in program.calls:
        if call.name != "pymc.Bound":
            continue
        outer = next((c for c in program.calls if c.node.func is call.node), None)
        users = [outer] if outer is not None else _users(program, call)
        limits = [
            arg.value for arg in call.node.args if arg.keyword is not None and arg.keyword.value in ("lower", "upper")
        ]
        shape = [arg.value for user in users for name, arg in user.keywords().items()
                 if name in ("mu", "sd", "sigma", "tau", "lam", "alpha", "beta", "nu")]  # fmt: skip
        for value in (*limits, *shape):
            if isinstance(value, cst.Integer | cst.Float):
                continue
            if any(
                distribution_of(inner) or inner.name == "pymc.Bound" for inner in program.calls_in(value, call.line + 1)
            ):
                yield program.row(
                    "bound-normalisation", call.node, f"Its bounds or arguments depend on '{program.text(value)}'."
                )
                break


def _users(program: Program, call: Call) -> list[Call]:
    """Return the calls of a bounded distribution that has a name of its own."""
    named = next((a for a in program.assignments if a.value is call.node), None)
    if named is None:
        return []
    return [c for c in program.calls if dotted(c.node.func) == named.targets[0] and c.line >= named.line]


def numpyro(program: Program) -> Iterator[Row]:
    """Find NumPyro in 32 bits, and devices set too late."""
    if not program.uses("numpyro"):
        return
    text = program.source.text
    names = {call.name for call in program.calls}
    if not any(name.startswith("numpyro.infer") or name == "numpyro.sample" for name in names):
        return
    wide = "numpyro.enable_x64" in names or "jax_enable_x64" in text or "JAX_ENABLE_X64" in text
    if not wide:
        node = next(node for node, found in program.imports if any(n.split(".")[0] == "numpyro" for n in found))
        yield program.row("numpyro-float32", node, "numpyro is imported, and 64 bits are not asked for.")
    first = next(
        (c.line for c in program.calls if not c.function and c.name.startswith(("jax.numpy.", "jax.random."))), None
    )
    for call in program.calls:
        if call.name in ("numpyro.set_host_device_count", "numpyro.util.set_host_device_count"):
            if first is not None and first < call.line:
                yield program.row("device-count-late", call.node, f"JAX has computed in line "
                                  f"{program.source.place(first)[1]} already.")  # fmt: skip


CHECKS = (ranges, data, bounds, numpyro)
