"""Formulas: from what is known of subjects and conditions to the columns that coefficients multiply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import ModelError, did_you_mean, listed

if TYPE_CHECKING:
    import pandas as pd

MOST_CONDITIONS = 64
"""How many different conditions within subjects there may be; each is a value of a parameter for every subject."""

_INTERCEPT = "Intercept"


@dataclass(frozen=True)
class Known:
    """What formulas can read: the covariates of the data, by subject and condition.

    Attributes
    ----------
    subjects : tuple
        Labels.
    columns : mapping of str to array
        Covariates that don't change within subjects, (subject,): numbers or text.
    within : mapping of str to array
        Covariates that do, (condition,).
    orders : mapping of str to tuple
        The labels of covariates in text, in order; the first one is what the others are compared with.
    index : int array (subject, trial) or None
        Each trial's condition; None where no covariate changes within subjects.
    """

    subjects: tuple[Any, ...]
    columns: Mapping[str, np.ndarray]
    within: Mapping[str, np.ndarray]
    orders: Mapping[str, tuple[Any, ...]]
    index: np.ndarray | None

    @property
    def n_conditions(self) -> int:
        """How many conditions there are, 1 if none change within subjects."""
        return len(next(iter(self.within.values()))) if self.within else 1

    @property
    def labels(self) -> tuple[Any, ...]:
        """The conditions: the one covariate's values, or ``"session=1, drug=placebo"``."""
        values = {name: [_plain(value) for value in array] for name, array in self.within.items()}
        if len(values) == 1:
            return tuple(next(iter(values.values())))
        return tuple(
            ", ".join(f"{name}={column[i]}" for name, column in values.items()) for i in range(self.n_conditions)
        )

    def frame(self, names: Iterable[str], given: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Return covariates as a table: a row a subject or, where one of them needs it, a row a subject and condition.

        Parameters
        ----------
        names : iterable of str
            Which covariates.
        given : mapping, optional
            Values that stand in for the observed ones, in all rows.
        """
        import pandas as pd

        names, given = list(names), given or {}
        # A covariate that is given is the same in all rows, but rows stay those of the design.
        repeats = self.n_conditions if any(name in self.within for name in names) else 1
        table = {}
        for name in names:
            if name in self.within:
                values = np.tile(self.within[name], len(self.subjects))
            else:
                values = np.repeat(self.columns[name], repeats)
            if name in given:
                values = np.full(len(values), given[name], dtype=values.dtype)
            if name in self.orders:
                table[name] = pd.Categorical(values, categories=list(self.orders[name]))
            else:
                table[name] = values
        return pd.DataFrame(table)


def _plain(value: Any) -> Any:
    """Return a covariate's value as a label: whole numbers without their point."""
    if isinstance(value, float | np.floating):
        return int(value) if float(value).is_integer() else float(value)
    return str(value)


def variables(formula: str, where: str) -> tuple[str, ...]:
    """Return the names of the covariates that a formula reads."""
    return _variables(_parsed(formula, where))


def _variables(parsed: Any) -> tuple[str, ...]:
    """Return the names that a formula's factors read; formulaic's own list leaves out those within its transforms."""
    import ast

    names: set[str] = set()
    for term in parsed:
        for factor in term.factors:
            if factor.eval_method.value == "lookup":
                names.add(str(factor.expr))
                continue
            if factor.eval_method.value != "python":
                continue
            tree = ast.parse(str(factor.expr), mode="eval")
            called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
            roots = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
            for node in ast.walk(tree):
                if isinstance(node, ast.Name) and id(node) not in called | roots:
                    names.add(node.id)
    return tuple(sorted(names))


def _parsed(formula: str, where: str) -> Any:
    import formulaic
    from formulaic.errors import FormulaicError

    left, tilde, right = str(formula).partition("~")
    if not tilde or left.strip():
        fix = f" Write '~{right}'." if tilde else f" Write '~ {formula}'."
        raise ModelError(f"{where}: the formula is {formula!r}, expected its right side only, after a '~'.{fix}")
    try:
        parsed = formulaic.Formula(f"~{right}")
        _variables(parsed)
    except (FormulaicError, SyntaxError, ValueError) as error:
        said = (str(error).splitlines() or [""])[0]  # what follows points at the place, in a terminal's colours
        raise ModelError(f"{where}: the formula {formula!r} can't be read: {said}") from None
    return parsed


def known_covariates(names: Iterable[str], data: Any, where: str) -> Known:
    """Return the covariates that formulas read, from the columns of bound data; all faults at once."""
    names = tuple(dict.fromkeys(names))
    subjects = tuple(getattr(data, "subjects", data))
    if not names:
        return Known(subjects, {}, {}, {}, None)
    there: Mapping[str, Any] = getattr(data, "covariates", {})
    faults, columns, changing, orders = [], {}, {}, {}
    for name in names:
        if name not in there:
            has = f"The data have {listed(there)}." if there else "The data have no columns besides the model's."
            faults.append(
                f"formulas read '{name}', which is no column of the data.{did_you_mean(name, there)} {has} Read it "
                f"with rl.read_trials(..., {name}='{name}'), or add it with data.join(table, subject=...)."
            )
            continue
        column, valid = there[name], data.valid
        lacking = sorted({str(subjects[s]) for s in np.nonzero(column.missing & valid)[0]})
        if lacking:
            who = listed(lacking[:5])
            faults.append(f"'{name}' is missing for subject {who}; a covariate must be known everywhere.")
            continue
        values = column.values
        distinct = np.unique(values[valid])
        if len(distinct) == 1:
            faults.append(
                f"'{name}' is {distinct[0]!s} everywhere: a covariate that does not vary explains nothing. Leave it "
                "out."
            )
            continue
        if not column.is_numeric:
            given = getattr(data, "levels", {}).get(name)
            orders[name] = tuple(str(label) for label in given) if given else _natural(distinct)
        first = values[:, :1]
        if np.all((values == first) | ~valid):
            columns[name] = first[:, 0]
        else:
            changing[name] = values
    if faults:
        raise ModelError(f"{where}: {' '.join(faults)}")
    within, index = _conditions(changing, orders, data, where) if changing else ({}, None)
    return Known(subjects, columns, within, orders, index)


def _natural(labels: Any) -> tuple[str, ...]:
    import re

    def key(label: str) -> tuple[Any, ...]:
        parts = [part for part in re.split(r"(\d+)", label) if part]
        return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)

    return tuple(sorted((str(label) for label in labels), key=key))


def _conditions(
    changing: Mapping[str, np.ndarray], orders: Mapping[str, tuple[Any, ...]], data: Any, where: str
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the combinations of covariates that change within subjects, and each trial's."""
    codes = []
    for name, values in changing.items():
        order = np.array(orders[name], dtype=object) if name in orders else np.unique(values[data.valid])
        place = {value: i for i, value in enumerate(order.tolist())}
        codes.append(np.vectorize(lambda value, place=place: place.get(value, 0), otypes=[np.int64])(values))
    stacked = np.stack(codes, axis=-1)
    stacked[~data.valid] = stacked[data.valid][0]  # padding is in some condition, and nobody sees it
    rows, index = np.unique(stacked.reshape(-1, len(codes)), axis=0, return_inverse=True)
    if len(rows) > MOST_CONDITIONS:
        raise ModelError(
            f"{where}: {listed(changing)} {'has' if len(changing) == 1 else 'have'} {len(rows)} different values "
            f"within subjects, expected at most {MOST_CONDITIONS}, such as sessions or conditions. Put its values into "
            "a few bins."
        )
    within = {}
    for i, (name, values) in enumerate(changing.items()):
        order = np.array(orders[name], dtype=object) if name in orders else np.unique(values[data.valid])
        within[name] = order[rows[:, i]]
    index = index.reshape(stacked.shape[:2]).astype(np.int64)
    index.flags.writeable = False
    return within, index


@dataclass(frozen=True)
class Design:
    """A formula and the columns that it makes of the covariates.

    Attributes
    ----------
    formula : str
        As it was given.
    terms : tuple of str
        Names of the columns but the intercept: ``"group=patient"``, ``"age"``, ``"group=patient:age"``.
    has_intercept : bool
        Whether there is an intercept.
    is_within : bool
        Whether columns are by subject and condition, or by subject.
    names : tuple of str
        The covariates that it reads.
    """

    formula: str
    terms: tuple[str, ...]
    has_intercept: bool
    is_within: bool
    names: tuple[str, ...]
    known: Known
    spec: Any

    @classmethod
    def of(cls, formula: str, known: Known, where: str) -> Design:
        """Make the columns, or raise ``ModelError`` where they can't be told apart."""
        parsed = _parsed(formula, where)
        names = _variables(parsed)
        frame = known.frame(names) if names else None
        try:
            import formulaic

            if frame is None:
                import pandas as pd

                frame = pd.DataFrame(index=range(len(known.subjects)))
            with np.errstate(all="ignore"):  # what is not finite is told below
                matrix = formulaic.model_matrix(parsed, frame, na_action="ignore", context={})
        except Exception as error:  # whatever a formula's own functions raise
            said = " ".join(str(error).split())
            raise ModelError(f"{where}: the formula {formula!r} can't be computed: {said}") from None
        columns = list(matrix.columns)
        _check_columns(np.asarray(matrix, dtype=float), columns, formula, where)
        is_within = any(name in known.within for name in names)
        terms = tuple(_term(name) for name in columns if name != _INTERCEPT)
        return cls(formula, terms, _INTERCEPT in columns, is_within, names, known, matrix.model_spec)

    def columns(self, given: Mapping[str, Any] | None = None) -> dict[str, np.ndarray]:
        """Return each term's column, (subject,) or (subject, condition); ``given`` as in :meth:`Known.frame`."""
        if not self.terms:
            return {}
        matrix = self.spec.get_model_matrix(self.known.frame(self.names, given), context={})
        n = len(self.known.subjects)
        result = {}
        for name in matrix.columns:
            if name != _INTERCEPT:
                values = np.asarray(matrix[name], dtype=np.float64)
                result[_term(name)] = values.reshape(n, -1) if self.is_within else values
        return result


def _term(name: Any) -> str:
    """Return a column's name as people write it: ``group[T.patient]`` is ``group=patient``."""
    return ":".join(part.replace("[T.", "=").replace("[", "=").replace("]", "") for part in str(name).split(":"))


def _check_columns(matrix: np.ndarray, columns: Sequence[Any], formula: str, where: str) -> None:
    if not np.isfinite(matrix).all():
        bad = [_term(name) for i, name in enumerate(columns) if not np.isfinite(matrix[:, i]).all()]
        raise ModelError(f"{where}: the formula {formula!r} is not finite in {listed(bad)}.")
    for i, name in enumerate(columns):
        if name != _INTERCEPT and np.ptp(matrix[:, i]) == 0:
            raise ModelError(
                f"{where}: column '{_term(name)}' of the formula {formula!r} is {matrix[0, i]:g} everywhere, so "
                "nothing can be learnt of its coefficient. Leave it out, or the level that nobody has."
            )
    scale = np.linalg.norm(matrix, axis=0)
    scaled = matrix / np.where(scale > 0, scale, 1.0)
    for i in range(1, len(columns) + 1):
        if np.linalg.matrix_rank(scaled[:, :i], tol=1e-9) < i:
            others, *_ = np.linalg.lstsq(scaled[:, : i - 1], scaled[:, i - 1], rcond=None)
            of = [_term(columns[j]) for j in range(i - 1) if abs(others[j]) > 1e-6]
            raise ModelError(
                f"{where}: column '{_term(columns[i - 1])}' of the formula {formula!r} follows from {listed(of)}: the "
                f"design is collinear ({len(matrix)} rows), and their coefficients can't be told apart. Leave one out."
            )
