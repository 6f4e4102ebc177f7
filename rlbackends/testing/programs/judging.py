"""Runs a program on every backend, and says of a difference who is wrong: a backend, the reference, or rounding."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from rlbackends.backends.protocol import CompiledModel
from rlbackends.backends.registry import compile as compile_model
from rlbackends.expressions.node import walk
from rlbackends.inference.agreement import Comparison, Point, compare, compute, prior_points
from rlbackends.inference.check import CheckReport
from rlbackends.model.model import Model
from rlbackends.testing.programs.extended import extended_values
from rlbackends.testing.programs.program import Program
from rlbackends.testing.tolerances import TOLERANCES, largest_difference

Outcome = Literal["agrees", "differs", "ill-conditioned", "error"]
Values = Mapping[str, Mapping[str, np.ndarray]]


@dataclass(frozen=True)
class Verdict:
    """What came of a program.

    Attributes
    ----------
    outcome : {"agrees", "differs", "ill-conditioned", "error"}
        ``"ill-conditioned"``: backends differ by more than the tolerance, and so does the reference from itself when
        parameters are changed by their last bit.
    text : str
        The table of differences and who is right, or the error.
    operations, families : tuple of str
        What the program's rules used.
    """

    outcome: Outcome
    text: str = ""
    operations: tuple[str, ...] = ()
    families: tuple[str, ...] = ()

    @property
    def is_fault(self) -> bool:
        """Whether something is wrong with the package."""
        return self.outcome in ("differs", "error")


def operations_of(model: Model) -> Counter[str]:
    """Return how often each operation stands in a model's rules."""
    roots = [*model.updates.values(), *model.records.values(), *(state.initial for state in model.states.values())]
    roots += [node for rule in model.response_rules.values() for node in rule.arguments.values()]
    return Counter(node.op for node in walk(*roots))


def judge(
    program: Program, backends: Sequence[str] = ("numpyro", "pymc"), *, oracle: bool = True, full: bool = False
) -> Verdict:
    """Hold backends to the reference on a program, and the reference to many digits.

    Parameters
    ----------
    program : Program
        The program.
    backends : sequence of str
        Which backends.
    oracle : bool, default True
        Whether the reference is held to an evaluation at fifty digits, which shares no code with it.
    full : bool, default False
        Whether each quantity is compiled by itself, as a user's calls do it, rather than all together.

    Returns
    -------
    Verdict
    """
    try:
        return _judged(program, backends, oracle=oracle, full=full)
    except Exception:  # whatever is wrong with a program of the language is worth a report
        return Verdict("error", traceback.format_exc(limit=-12))


def assert_program_agrees(program: Program, backends: Sequence[str] = ("numpyro", "pymc"), **settings: bool) -> None:
    """Assert that backends agree on a program.

    Parameters
    ----------
    program, backends, **settings
        As for :func:`judge`. What is ill-conditioned passes.

    Raises
    ------
    AssertionError
        With the table of differences, who is right, and the program's source, which runs by itself.
    """
    verdict = judge(program, backends, **settings)
    if verdict.is_fault:
        raise AssertionError(f"{verdict.text}\n\nThe program:\n\n{program.source()}")


def _judged(program: Program, backends: Sequence[str], *, oracle: bool, full: bool) -> Verdict:
    loaded = program.loaded
    model, data = loaded.model, loaded.data
    again = Model.from_json(model.to_json())
    if again != model or again.to_json() != model.to_json():
        raise AssertionError("the model is not the same once it went through JSON")
    reference = compile_model(model, data, population=loaded.population)
    at = [Point(reference.read_params(loaded.params)), *prior_points(reference, program.draws, seed=0)]
    expected = [compute(reference, point) for point in at]
    comparisons = []
    for name in backends:
        compiled = compile_model(model, data, name, population=loaded.population, **program.settings.get(name, {}))
        comparisons.append(compare(compiled if full else compiled.for_checking(), at, expected, density=compiled))
    used = {"operations": tuple(sorted(operations_of(model))),
            "families": tuple(rule.family for rule in model.response_rules.values())}  # fmt: skip
    extended = extended_values(model, data, at[0].params) if oracle else None
    lines = [] if extended is None else _apart(expected[0], extended, "the reference")
    if not lines and all(comparison.holds for comparison in comparisons):
        return Verdict("agrees", **used)
    words = [_table(model, data, expected[0], tuple(comparisons)), *_who(reference, at[0], comparisons, extended)]
    rounding = [_by_rounding(reference, point, values) for point, values in zip(at, expected, strict=True)]
    outcome: Outcome = "ill-conditioned" if any(rounding) else "differs"
    return Verdict(outcome, "\n".join([*words, *filter(None, rounding)]), **used)


def _table(model: Model, data: Any, expected: Values, comparisons: tuple[Comparison, ...]) -> str:
    totals = {"reference": float(sum(np.nansum(v) for v in expected["log_likelihood"].values()))}
    totals |= {c.backend: c.log_likelihood[0] for c in comparisons}
    return str(CheckReport(model.name, "its data", "its values", totals, comparisons))


def _apart(values: Values, right: Values, who: str) -> list[str]:
    """Return where values are farther from those at many digits than the tolerance."""
    lines = []
    for quantity, arrays in right.items():
        for name, array in arrays.items():
            found = largest_difference(values[quantity][name], array)
            if not found.value <= TOLERANCES[quantity]:
                what = f"{quantity.replace('_', ' ')} of '{name}'"
                lines.append(
                    f"{who} is {found.value:.1e} of scale from fifty digits in {what} at {found.index}: "
                    f"{found.actual!r}, not {found.expected!r}."
                )
    return lines


def _who(
    reference: CompiledModel, point: Point, comparisons: Sequence[Comparison], extended: Values | None
) -> list[str]:
    """Return who is far from the values at many digits, at the parameters of the program."""
    right = extended or extended_values(reference.model, reference.data, point.params)
    lines = _apart(compute(reference, Point(point.params)), right, "The reference")
    if not lines:
        lines.append("The reference agrees with fifty digits.")
    return lines


def _by_rounding(reference: CompiledModel, point: Point, values: Values) -> str:
    """Return how far the reference moves if parameters change by their last bit, if that is beyond a tolerance."""
    rng = np.random.default_rng(0)
    for _ in range(8):
        moved = {}
        for name, array in point.params.items():
            support = reference.model.parameters[name].support
            nudged = np.nextafter(array, np.where(rng.random(array.shape) < 0.5, -np.inf, np.inf))
            inside = (nudged > support.lo) & (nudged < support.hi)
            moved[name] = np.where(inside & (array != support.lo) & (array != support.hi), nudged, array)
        found = compute(reference, Point(moved))
        for quantity, arrays in found.items():
            for name, array in arrays.items():
                difference = largest_difference(array, values[quantity][name]).value
                if not difference <= TOLERANCES[quantity]:
                    return (
                        f"A change of the parameters by their last bit moves the reference's {quantity} of '{name}' "
                        f"by {difference:.1e} of scale: the program is ill-conditioned."
                    )
    return ""


@dataclass
class Coverage:
    """What programs used, counted."""

    operations: Counter[str] = field(default_factory=Counter)
    families: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: str, operations: Sequence[str], families: Sequence[str]) -> None:
        """Count a program."""
        self.outcomes[outcome] += 1
        self.operations.update(set(operations))
        self.families.update(set(families))
