"""What the comparison of an old likelihood with a model found, and how it is told."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.porting.compare.search import Explanation

if TYPE_CHECKING:
    import pandas as pd

_WIDTH = 110
_NEAREST = 3


@dataclass(frozen=True)
class Parting:
    """The first trial, then the first subject, at which the two differ.

    Attributes
    ----------
    subject, trial_number
        Where; None where only sums were compared.
    point : int
        At which of the parameter values, from 0.
    here, yours : float or None
        The log-likelihoods there, or their sums; None where there is no such number.
    values : tuple of (str, value, value)
        Parameters, states, events and records there: name, here and yours, None where it is not known.
    response : str
        Which response, if they are compared each by itself.
    behind : bool
        Whether it is behind this trial, the subject's last: the other has a number there.
    """

    subject: Any
    trial_number: int | None
    point: int
    here: float | None
    yours: float | None
    values: tuple[tuple[str, Any, Any], ...] = ()
    response: str = ""
    behind: bool = False


@dataclass(frozen=True)
class VariableReport:
    """What a state or a record of the other is, against ours.

    Attributes
    ----------
    name : str
        Which.
    same : bool
        Whether it is the same on all trials.
    words : str
        What can be said of it.
    """

    name: str
    same: bool
    words: str


@dataclass(frozen=True, eq=False)
class LikelihoodReport:
    """What :func:`rlbackends.compare_likelihood` found. It prints as the whole story.

    Attributes
    ----------
    same : bool
        Whether all numbers are the same within the tolerance.
    model, data, where : str
        What was compared, and at which parameter values.
    level : {"trial", "subject", "total"}
        What the other gave: one number a trial, a subject, or one in all.
    n_responses : int
        How many responses there are.
    difference : float
        The largest difference of two numbers.
    tolerance : float
        How large it may be: `tolerance` in units of the scale, or half of the last digit of a table if that is more.
    parting : Parting or None
        Where they part first.
    sums : tuple of (float, float)
        At each of the parameter values the total log-likelihood, here and yours.
    explanations : tuple of Explanation
        The mistakes that were tried, with what each leaves: those that explain the other's numbers first, then by how
        near they come.
    variables : tuple of VariableReport
        The other's states and records, where it gave any.
    notes : tuple of str
        How the other was understood, where that is worth saying.
    """

    same: bool
    model: str
    data: str
    where: str
    level: str
    n_responses: int
    difference: float
    tolerance: float
    n_different: int
    n_compared: int
    sums: tuple[tuple[float, float], ...]
    parting: Parting | None = None
    explanations: tuple[Explanation, ...] = ()
    n_pairs: int = 0
    base_difference: float = 0.0
    variables: tuple[VariableReport, ...] = ()
    notes: tuple[str, ...] = ()
    _rows: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        raise TypeError("a report is neither true nor false; ask report.same.")

    @property
    def explained(self) -> tuple[Explanation, ...]:
        """The mistakes that explain the other's numbers, in full."""
        return tuple(item for item in self.explanations if item.explains)

    def frame(self) -> pd.DataFrame:
        """Return a row a number that was compared.

        Returns
        -------
        pandas.DataFrame
            Columns ``point``, ``subject`` and ``trial`` (as far as the other tells them apart), ``response`` where each
            was given by itself, ``here``, ``yours`` and ``difference`` (yours minus here).
        """
        import pandas as pd

        frame = pd.DataFrame(dict(self._rows))
        frame["difference"] = frame["yours"] - frame["here"]
        return frame

    def to_data(self) -> dict[str, Any]:
        """Return the report as plain data, fit for JSON: all but the single numbers of :meth:`frame`."""
        names = [
            "same", "model", "data", "where", "level", "n_responses", "difference", "tolerance", "n_different",
            "n_compared", "n_pairs",
        ]  # fmt: skip
        return {
            **{name: _plain(getattr(self, name)) for name in names},
            "sums": [{"here": here, "yours": yours} for here, yours in self.sums],
            "parting": None if self.parting is None else _parting_data(self.parting),
            "explanations": [{k: _plain(v) for k, v in asdict(item).items()} for item in self.explanations],
            "variables": [asdict(item) for item in self.variables],
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        parts = [self._verdict(), *self._place(), *self._totals(), *self._variables(), *self._explained()]
        parts += [_wrapped(f"{note[0].upper()}{note[1:]}.") for note in self.notes]
        return "\n".join(parts)

    __repr__ = __str__

    # The story, part by part

    def _verdict(self) -> str:
        responses = f"{self.n_responses:,} responses" if self.n_responses != 1 else "1 response"
        about = f"({self.model}, {self.data}, at {self.where})"
        allowed = f"within {self.tolerance:.1e}" if self.tolerance > 0 else "exactly"
        if self.same:
            if self.level == "trial":
                return _wrapped(
                    f"The same: {responses}, largest difference {self.difference:.1e}, {allowed} {about}."
                )
            sums = "sums over each subject's trials" if self.level == "subject" else "sums over all trials"
            return _wrapped(
                f"The same as far as this can tell: {sums} of {responses}, largest difference {self.difference:.1e}, "
                f"{allowed} {about}. Whether each trial is the same only numbers by trial can say."
            )
        what = {
            "trial": f"{self.n_different:,} of {self.n_compared:,} log-likelihoods differ, by up to",
            "subject": f"{self.n_different:,} of {self.n_compared:,} subjects' sums differ, by up to",
            "total": "the totals differ, by up to" if len(self.sums) > 1 else "the totals differ by",
        }[self.level]
        return _wrapped(f"Not the same: {what} {self.difference:.2g} {about}.")

    def _place(self) -> list[str]:
        found = self.parting
        if found is None:
            return []
        of = f" of {found.response}" if found.response else ""
        if found.subject is None:
            return [_wrapped(
                f"The total{of} is {_number(found.here)} here and {_number(found.yours)} in yours. One number in all "
                "can't say at which trial they part: return one per trial for that."
            )]  # fmt: skip
        if found.trial_number is None:
            return [_wrapped(
                f"They part first at subject {found.subject}, whose sum{of} is {_number(found.here)} here and "
                f"{_number(found.yours)} in yours. Sums can't say at which trial: return one number per trial for that."
            )]  # fmt: skip
        at = f"subject {found.subject}, {'behind the last ' * found.behind}trial {found.trial_number}"
        point = f", at the parameter values number {found.point + 1}" if len(self.sums) > 1 else ""
        rows = [(at, "here", "yours"), (f"log-likelihood{of}", _number(found.here), _number(found.yours))]
        rows += [(name, _value(here), _value(yours)) for name, here, yours in found.values]
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        lines = [
            f"  {a.ljust(widths[0])}  {b.ljust(widths[1])}  {c}".rstrip() for a, b, c in rows
        ]
        return [_wrapped(f"They part first at {at}{point}:"), *lines]

    def _totals(self) -> list[str]:
        if self.same or (self.parting is not None and self.parting.subject is None):
            return []
        pairs = "; ".join(f"{_number(here)} and {_number(yours)}" for here, yours in self.sums)
        several = ", at each of the parameter values" if len(self.sums) > 1 else ""
        return [_wrapped(f"Sums, here and yours{several}: {pairs}.")]

    def _variables(self) -> list[str]:
        return [_wrapped(f"{item.name}: {item.words}.") for item in self.variables]

    def _explained(self) -> list[str]:
        if self.same:
            return []
        found = self.explained
        if found:
            first, *rest = found
            left = (
                f"up to the rounding of 32-bit arithmetic, difference left {first.difference:.1g}"
                if first.single_precision else f"difference left {first.difference:.1g}"
            )  # fmt: skip
            detail = f" ({first.detail})" if first.detail else ""
            lines = [
                _wrapped(f"What explains it: {first.mistake}{detail}: {first.meaning[:-1]} ({left})."),
                _wrapped(f"In your script: {first.fix}"),
            ]
            if rest:
                words = "; ".join(item.mistake + (f" ({item.detail})" if item.detail else "") for item in rest)
                apart = (
                    "At these points they can't be told apart"
                    if len(self.sums) > 1
                    else "At one point they can't be told apart: compare at several, with values that differ between "
                    "subjects and parameters"
                )
                lines.append(_wrapped(f"These give the same numbers, too: {words}. {apart}."))
            return lines
        # What leaves an infinite difference where there was none comes no nearer.
        near = [
            item
            for item in self.explanations
            if item.mean_difference < 0.9 * self.base_difference
            and (np.isfinite(item.difference) or not np.isfinite(self.difference))
        ][:_NEAREST]
        pairs = f", nor does any of {self.n_pairs:,} pairs of them" if self.n_pairs else ""
        if not near:
            return [_wrapped(f"None of the usual mistakes explains it{pairs}, and none comes nearer.")]
        lines = [_wrapped(f"None of the usual mistakes explains it{pairs}; nearest:")]
        for item in near:
            detail = f" ({item.detail})" if item.detail else ""
            lines.append(_wrapped(
                f"  {item.mistake}{detail}: difference left {item.difference:.2g}, on average "
                f"{item.mean_difference:.2g} instead of {self.base_difference:.2g}; {item.share:.0%} of the numbers "
                "are then the same",
                "    ",
            ))  # fmt: skip
        return lines


def _wrapped(text: str, indent: str = "  ") -> str:
    # 'beta = 2' stays on one line.
    lines = textwrap.fill(
        text.replace(" = ", "\xa0=\xa0"), _WIDTH, subsequent_indent=indent, break_long_words=False,
        break_on_hyphens=False, replace_whitespace=False,
    )  # fmt: skip
    return lines.replace("\xa0", " ")


def _number(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.10g}"


def _value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    array = np.asarray(value)
    if array.ndim == 0:
        return "missing" if np.isnan(float(array)) else f"{float(array):.10g}"
    text = np.array2string(
        array, threshold=12, separator=",", max_line_width=10**6, formatter={"float_kind": lambda x: f"{x:.8g}"}
    )
    return re.sub(r",\s*", ", ", re.sub(r"\[\s+", "[", re.sub(r"\s+\]", "]", text)))


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return value


def _parting_data(found: Parting) -> dict[str, Any]:
    names = ("subject", "trial_number", "behind", "point", "here", "yours", "response")
    return {
        **{name: _plain(getattr(found, name)) for name in names},
        "values": [{"name": name, "here": _plain(a), "yours": _plain(b)} for name, a, b in found.values],
    }
