"""What the other gave, understood: its shape recognised, its numbers put where ours are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import DataError, did_you_mean, listed

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials
    from rlbackends.model.model import Model

LAYOUTS = ("subject_trial", "trial_subject")
LIKELIHOOD = "log_likelihood"


@dataclass(frozen=True, eq=False)
class Given:
    """What the other gave at one point.

    Attributes
    ----------
    level
        ``"trial"``, ``"subject"`` or ``"total"``.
    values
        Of all responses together (``""``) or of each: (subject × trial), (subject,) or (); NaN where nothing is.
    variables
        Other quantities by name, (subject × trial × …).
    precision
        Half of the last digit that was given, of the values' shape; 0 where all digits are.
    variable_precision
        The same of other quantities, one number each.
    notes
        How it was understood, where that is worth saying.
    """

    level: str
    values: Mapping[str, np.ndarray]
    variables: Mapping[str, np.ndarray] = field(default_factory=dict)
    precision: Mapping[str, np.ndarray] = field(default_factory=dict)
    variable_precision: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class _Rows(list[Any]):
    """One entry a subject, in our order: labels have said so."""


class Reader:
    """Recognises the shapes of arrays for one set of trials.

    Parameters
    ----------
    model, data
        The model and its trials.
    layout
        ``"subject_trial"`` or ``"trial_subject"``, where the shape alone does not tell.
    """

    def __init__(self, model: Model, data: BoundTrials, layout: str | None = None) -> None:
        self.model, self.data, self.layout = model, data, layout
        self.observed = np.zeros(data.starts.shape, bool)
        for response in model.responses:
            self.observed |= data.observed(response)
        # A tidy table's rows are in their own order; otherwise it is person by person.
        cells = np.argwhere(data.valid)
        if data.places.style in ("row", "frame"):
            cells = cells[np.argsort(data.places.numbers[tuple(cells.T)], kind="stable")]
        self.cells = cells
        labels = [str(label) for label in data.subjects]
        plain = [_plain(label) for label in labels]
        self._known = {word: i for i, word in enumerate(plain) if plain.count(word) == 1}
        self._known |= {label: i for i, label in enumerate(labels)}

    # Labels

    def subject(self, label: Any) -> int | None:
        """Return which subject a label is; '1', '1.0' and '01' are one if no other is called so."""
        text = str(label).strip().strip('"')
        return self._known.get(text, self._known.get(_plain(text)))

    def order(self, labels: Iterable[Any]) -> list[int] | None:
        """Return where each of our subjects is among labels; None if these are not the subjects."""
        found = [self.subject(label) for label in labels]
        if None in found or sorted(map(int, found)) != list(range(self.data.n_subjects)):  # type: ignore[arg-type]
            return None
        return [found.index(i) for i in range(self.data.n_subjects)]

    # Shapes

    def shapes(self) -> str:
        """Return the shapes that are understood, with these trials' numbers."""
        s, t = self.data.starts.shape
        n, observed = self.data.n_trials, int(self.observed.sum())
        lines = [
            f"({s}, {t}): subject × trial, or ({t}, {s}): trial × subject; one trial less if the first is left out",
            f"({n},): all trials in the data's order"
            + (f", or ({observed},): those with a response" if observed != n else ""),
            f"({s},): one value a subject",
            "(): one total",
        ]
        return "; ".join(lines)

    def placed(
        self, array: np.ndarray, what: str, rank: int = 0, layout: str | None = None
    ) -> tuple[str, np.ndarray]:
        """Return the level of an array, and the array as (subject × trial …), (subject, …) or (…).

        ``rank`` is the number of axes behind those of subjects and trials; ``layout`` is theirs, if labels tell.
        """
        lead = array.shape[: array.ndim - rank] if rank else array.shape
        tail = array.shape[len(lead) :]
        if len(lead) == 2:
            found = self._square(array, lead, what, layout or self.layout)
            if found is not None:
                return "trial", self._padded(found)
            if 1 in lead:  # a row or a column is a list
                return self.placed(array.reshape((-1, *tail)), what, rank, layout)
        if len(lead) == 1:
            flat = self._from_flat(array, lead[0])
            if flat is not None:
                return flat
        if len(lead) == 0 or (lead == (1,) and not rank):
            return "total", array.reshape(tail)
        raise DataError(f"{what} has shape {array.shape}. Understood are {self.shapes()}.")

    def _square(
        self, array: np.ndarray, lead: tuple[int, ...], what: str, layout: str | None
    ) -> np.ndarray | None:
        s, t = self.data.starts.shape
        by_subject, by_trial = lead in ((s, t), (s, t - 1)), lead in ((t, s), (t - 1, s))
        if by_subject and by_trial and s > 1 and layout is None:
            raise DataError(
                f"{what} has shape {array.shape}, which may be subject × trial or trial × subject. "
                "Say which: layout='subject_trial' or layout='trial_subject'."
            )
        if by_subject and (layout != "trial_subject" or not by_trial):
            return array
        return np.swapaxes(array, 0, 1) if by_trial else None

    def _padded(self, array: np.ndarray) -> np.ndarray:
        """Return values with an empty first trial where it was left out."""
        steps = self.data.n_steps
        if array.shape[1] == steps:
            return array
        found = np.full((len(array), steps, *array.shape[2:]), np.nan)
        found[:, 1:] = array
        return found

    def _from_flat(self, array: np.ndarray, length: int) -> tuple[str, np.ndarray] | None:
        data, cells = self.data, self.cells
        seen = self.observed[tuple(cells.T)]
        later = cells[:, 1] > 0
        choices = (np.ones(len(cells), bool), seen, later, seen & later)
        for keep in choices:
            if length == int(keep.sum()) and (length != data.n_subjects or data.n_steps == 1):
                found = np.full((*data.starts.shape, *array.shape[1:]), np.nan)
                found[tuple(cells[keep].T)] = array
                return "trial", found
        return ("subject", array) if length == data.n_subjects else None

    def trials_of(self, counts: np.ndarray) -> list[np.ndarray] | None:
        """Return to which trials so many numbers of each subject belong; None if they fit none."""
        later = np.arange(self.data.n_steps) > 0
        for keep in (self.data.valid, self.observed, self.data.valid & later, self.observed & later):
            if ((keep.sum(axis=1) == counts) | (counts == 0)).all():
                return [np.flatnonzero(row) for row in keep]
        return None

    # Numbers

    def oriented(self, value: Any, what: str) -> tuple[np.ndarray, str | None]:
        """Return what was given as float64, and which axis comes first where labels or lists tell."""
        dims = getattr(value, "dims", ())
        if "subject" in dims:  # of xarray
            labels = value.coords["subject"].values if "subject" in value.coords else ()
            if len(labels) and (order := self.order(labels)) is not None:
                value = value.isel(subject=order)
            value = value.transpose("subject", "trial", ...) if "trial" in dims else value.transpose("subject", ...)
            return self.numbers(value.values, what), "subject_trial"
        index = getattr(value, "index", None)
        if hasattr(value, "iloc") and index is not None and (order := self.order(index)) is not None:  # of pandas
            value = value.iloc[order]
        rows = self._ragged(value, what)
        return (self.numbers(value, what), None) if rows is None else (rows, "subject_trial")

    def numbers(self, value: Any, what: str) -> np.ndarray:
        """Return what was given as float64, NaN where it is masked."""
        if hasattr(value, "eval") and not hasattr(value, "__array__"):
            raise DataError(f"{what} is a symbolic {type(value).__name__}, expected numbers: compile it first.")
        if hasattr(value, "to_numpy") and str(getattr(value, "dtype", "")).startswith(("Float", "Int", "UInt")):
            value = value.astype(object).where(value.notna(), np.nan) if hasattr(value, "notna") else value
        if isinstance(value, list | tuple) and any(isinstance(row, np.ma.MaskedArray) for row in value):
            value = [_unmasked(row) for row in value]
        try:
            array = np.ma.asarray(value) if isinstance(value, np.ma.MaskedArray) else np.asarray(value)
        except Exception as error:
            raise DataError(f"{what} is {_short(value)}, expected numbers.") from error
        if array.dtype.kind == "O":
            try:
                array = np.asarray(array, dtype=np.float64)
            except (TypeError, ValueError):
                raise DataError(f"{what} is {_short(value)}, expected numbers.") from None
        if array.dtype.kind == "c":
            raise DataError(
                f"{what} holds complex numbers, expected real ones. A logarithm or a root of a negative number?"
            )
        if array.dtype.kind not in "biuf":
            raise DataError(f"{what} has dtype {array.dtype}, expected numbers.")
        if isinstance(array, np.ma.MaskedArray):
            return np.ma.filled(array.astype(np.float64), np.nan)
        return np.array(array, dtype=np.float64)

    def _ragged(self, value: Any, what: str) -> np.ndarray | None:
        """Return a list of one array a subject, as long as each one's trials, as subject × trial."""
        data = self.data
        if not isinstance(value, list | tuple) or len(value) != data.n_subjects:
            return None
        try:
            if not all(np.ndim(row) == 1 for row in value):
                return None
        except ValueError:  # rows that are ragged themselves
            return None
        if len({len(v) for v in value}) == 1 and not data.is_ragged and not isinstance(value, _Rows):
            return None
        found = np.full(data.starts.shape, np.nan)
        counts = np.array([len(row) for row in value])
        trials = self.trials_of(counts)
        if (counts == data.n_steps).all():
            trials = [np.arange(data.n_steps)] * len(value)
        if trials is None or not all(len(a) == n for a, n in zip(trials, counts, strict=True)):
            seen = self.observed.sum(axis=1)
            i = int(np.argmax(counts != data.lengths))
            raise DataError(
                f"{what}: the array of subject {data.subjects[i]} has {counts[i]} numbers; there are "
                f"{data.lengths[i]} trials" + (f", {seen[i]} with a response." if seen[i] != data.lengths[i] else ".")
            )
        for i, row in enumerate(value):
            found[i, trials[i]] = self.numbers(row, what)
        return found

    # What was given

    def read(self, value: Any, what: str) -> Given:
        """Return what the other gave, understood and checked."""
        notes: list[str] = []
        variables: dict[str, Any] = {}
        parts: Mapping[str, Any] = {"": value}
        if isinstance(value, Mapping):
            value, variables = self._named(value, what)
            parts = value if isinstance(value, Mapping) else {"": value}
        given = {}
        for name, array in parts.items():
            dtype = getattr(array, "dtype", None)
            if dtype is not None and str(dtype).endswith(("float32", "float16", "bfloat16")):
                kind = str(dtype).removeprefix("torch.")
                notes.append(f"your numbers are {kind}, which have about 7 digits or fewer")
            found, layout = self.oriented(array, _of(what, name))
            given[name] = self.placed(found, _of(what, name), layout=layout)
        levels = {level for level, _ in given.values()}
        if len(levels) > 1:
            raise DataError(f"{what}: responses have log-likelihoods by {listed(sorted(levels))}, expected all alike.")
        read = Given(
            levels.pop(), {name: array for name, (_, array) in given.items()},
            self._variables(variables, what), notes=tuple(dict.fromkeys(notes)),
        )  # fmt: skip
        self.check(read, what)
        return read

    def _named(self, value: Mapping[Any, Any], what: str) -> tuple[Any, dict[str, Any]]:
        """Return a dict's log-likelihood, or those of responses, and its other entries."""
        responses = self.model.responses
        if LIKELIHOOD in value:
            main = value[LIKELIHOOD]
            rest = {str(k): v for k, v in value.items() if k != LIKELIHOOD}
            if isinstance(main, Mapping):
                if not set(main) & set(responses) and (by_subject := self._by_subject(main)) is not None:
                    return by_subject, rest
                main = dict(main.items())
                self._all_responses(main, f"{what}['{LIKELIHOOD}']")
            return main, rest
        if set(responses) <= set(value):
            main = {name: value[name] for name in responses}
            return main, {str(k): v for k, v in value.items() if k not in responses}
        by_subject = self._by_subject(value)
        if by_subject is not None:
            return by_subject, {}
        said = f"a dict of {listed(list(value)[:8])}" if value else "an empty dict"
        raise DataError(
            f"{what} is {said}, expected the key '{LIKELIHOOD}' "
            f"(or {'the response' if len(responses) == 1 else 'the responses'} {listed(responses)})."
        )

    def _by_subject(self, value: Mapping[Any, Any]) -> list[Any] | None:
        known = {str(label): entry for label, entry in value.items()}
        labels = [str(label) for label in self.data.subjects]
        return _Rows(known[label] for label in labels) if set(known) == set(labels) else None

    def _all_responses(self, main: Mapping[Any, Any], what: str) -> None:
        responses = self.model.responses
        strange = [name for name in main if name not in responses]
        faults = [f"'{name}' is no response.{did_you_mean(str(name), responses)}" for name in strange]
        absent = [name for name in responses if name not in main]
        if absent:
            faults.append(f"there is nothing for {listed(absent)}.")
        if faults:
            raise DataError(f"{what}: {' '.join(faults)} The model's responses are {listed(responses)}.")

    def _variables(self, given: Mapping[str, Any], what: str) -> dict[str, np.ndarray]:
        found = {}
        for name, value in given.items():
            place = f"{what}['{name}']"
            array, layout = self.oriented(value, place)
            shape = self._shape_of(name)
            ranks = [len(shape)] if shape is not None else range(max(array.ndim - 2, 0), array.ndim)
            for rank in ranks:
                try:
                    level, placed = self.placed(array, place, rank, layout)
                except DataError:
                    continue
                if level == "trial" and (shape is None or placed.shape[2:] == shape):
                    found[name] = placed
                    break
            else:
                if shape is not None:
                    expected = " × ".join(["subject", "trial", *(axis.name or "entry" for axis in self._axes_of(name))])
                    s, t = self.data.starts.shape
                    raise DataError(f"{place} has shape {array.shape}, expected {expected}: {(s, t, *shape)}.")
        return found

    def _axes_of(self, name: str) -> Sequence[Any]:
        if name in self.model.states:
            return self.model.states[name].axes
        return self.model.records[name].axes if name in self.model.records else self.model.events[name].axes

    def _shape_of(self, name: str) -> tuple[int, ...] | None:
        if name not in (*self.model.states, *self.model.records, *self.model.events):
            return None
        return tuple(axis.size for axis in self._axes_of(name))

    def check(self, given: Given, what: str) -> None:
        """Raise ``DataError`` if a number is not finite where one is needed."""
        for name, values in given.values.items():
            where = _of(what, name)
            if given.level != "trial":
                wrong = ~np.isfinite(np.atleast_1d(values))
                if given.level == "subject":  # without a response there is no sum
                    wrong &= ~np.isnan(values) | self.observed.any(axis=1)
                if wrong.any():
                    bad = np.flatnonzero(wrong)
                    first = f" (subject {self.data.subjects[bad[0]]})" if given.level == "subject" else ""
                    raise DataError(
                        f"{where}: {len(bad)} of {np.size(values)} numbers are not finite, the first is "
                        f"{np.atleast_1d(values)[bad[0]]}{first}."
                    )
                continue
            seen = self.observed if name == "" else self.data.observed(name)
            wrong = seen & ~np.isfinite(values)
            if np.isnan(values[seen[:, 0], 0]).all():  # the first trial was left out
                wrong[:, 0] = False
            infinite = wrong & np.isinf(values)
            if wrong.any():
                subject, trial = min(map(tuple, np.argwhere(wrong)), key=lambda cell: (cell[1], cell[0]))
                hint = (
                    " log(0) is −inf: compute log-probabilities by log_softmax, not as the log of a softmax."
                    if infinite.any() else " Where there was no response NaN is fine; here there is one."
                )  # fmt: skip
                if not infinite.any() and (self.data.valid & ~seen & np.isfinite(values) & (values != 0)).any():
                    more = ", …" if self.data.n_subjects > 3 else ""
                    hint += (
                        " Yet there are numbers on trials without a response: perhaps yours are in another order. "
                        f"Without labels subjects are taken as {', '.join(map(str, self.data.subjects[:3]))}{more}"
                    )
                raise DataError(
                    f"{where}: {int(wrong.sum())} of {int(seen.sum())} numbers of trials with a response are not "
                    f"finite; the first is {values[subject, trial]} for subject {self.data.subjects[subject]}, "
                    f"trial {self.data.trial_numbers[subject, trial]}.{hint}"
                )


def _of(what: str, name: str) -> str:
    return f"{what} for '{name}'" if name else what


def _plain(text: str) -> str:
    """Return a whole number without leading zeros and decimals; any other label as it is."""
    return re.sub(r"^([+-]?)0*(\d+)(?:\.0*)?$", r"\1\2", text).lstrip("+")


def _unmasked(row: Any) -> Any:
    return np.ma.filled(row.astype(np.float64), np.nan) if isinstance(row, np.ma.MaskedArray) else row


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
