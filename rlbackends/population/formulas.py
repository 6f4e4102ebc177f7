"""Formulas: from what is known of subjects and conditions to the columns that coefficients multiply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import ModelError, did_you_mean, listed
from rlbackends.natural_order import natural_key

if TYPE_CHECKING:
    import pandas as pd

MOST_CONDITIONS = 64
"""How many different conditions within subjects there may be; each is a value of a parameter for every subject."""

_INTERCEPT = "Intercept"
_TAKEN = ("source", "subject", "trial", "block", "levels", "derive")


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
    seen : bool array (subject, condition) or None
        Which subject had which condition; None where no covariate changes within subjects.
    """

    subjects: tuple[Any, ...]
    columns: Mapping[str, np.ndarray]
    within: Mapping[str, np.ndarray]
    orders: Mapping[str, tuple[Any, ...]]
    index: np.ndarray | None
    seen: np.ndarray | None = None

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

    from formulaic.transforms import TRANSFORMS

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
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in TRANSFORMS:
                    called.add(id(node.value))  # the np of np.log
            for node in ast.walk(tree):
                if isinstance(node, ast.Name) and id(node) not in called:
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
        if not isinstance(parsed, formulaic.SimpleFormula):
            raise ValueError("it has several parts; expected one, without '|'.")
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
    if not hasattr(data, "covariates"):
        raise ModelError(
            f"{where}: formulas read {listed(names)}, and nothing but the subjects' labels is known here. A population "
            "with formulas goes with data that have these columns (rl.fit, rl.check, rl.compile); where parameters are "
            "drawn for simulated subjects, leave formulas out."
        )
    faults, columns, changing, orders = [], {}, {}, {}
    for name in names:
        if name not in there:
            has = f"The data have {listed(there)}." if there else "The data have no columns besides the model's."
            read = f"with rl.read_trials(..., {name}='{name}')"
            if name in _TAKEN:  # arguments of read_trials, which can't name a column as well
                read = f"under another name, with rl.read_trials(..., {name}_='{name}') and '{name}_' in the formula"
            faults.append(
                f"formulas read '{name}', which is no column of the data.{did_you_mean(name, there)} {has} Read it "
                f"{read}, or add it with data.join(table, subject=...)."
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
            labels = [str(label) for label in given or sorted(distinct, key=natural_key)]
            strangers = [label for label in distinct if label not in labels]
            if strangers:
                faults.append(
                    f"'{name}' is {listed(strangers)} somewhere, which is none of its levels {listed(labels)}."
                    f"{did_you_mean(strangers[0], labels)} Give all of them in levels=."
                )
                continue
            orders[name] = tuple(labels)
        first = values[:, :1]
        if np.all((values == first) | ~valid):
            columns[name] = first[:, 0]
        else:
            changing[name] = values
    if faults:
        raise ModelError(f"{where}: {' '.join(faults)}")
    if not changing:
        return Known(subjects, columns, {}, orders, None)
    within, index = _conditions(changing, orders, data, where)
    seen = np.zeros((len(subjects), index.max() + 1), dtype=bool)
    seen[np.nonzero(data.valid)[0], index[data.valid]] = True
    seen.flags.writeable = False
    return Known(subjects, columns, within, orders, index, seen)


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
        Names of the columns but the intercept: ``"group=patient"``, ``"age"``, ``"group=patient:age"``. They become
        names of variables, in which a file can't have a ``/``; it is written ``|``.
    has_intercept : bool
        Whether there is an intercept.
    is_within : bool
        Whether columns are by subject and condition, or by subject.
    names : tuple of str
        The covariates that it reads.
    known : Known
        Where their values are.
    spec : formulaic.ModelSpec
        What makes the columns again, of the same or of other values.
    terms_of : mapping of str to str
        Each of its columns' term.
    """

    formula: str
    terms: tuple[str, ...]
    has_intercept: bool
    is_within: bool
    names: tuple[str, ...]
    known: Known
    spec: Any
    terms_of: Mapping[str, str]

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
        columns = [str(name) for name in matrix.columns]
        named = _terms(matrix.model_spec)
        terms = tuple(named[name] for name in columns if name != _INTERCEPT)
        twice = [term for term in terms if terms.count(term) > 1]
        if twice:
            raise ModelError(
                f"{where}: the formula {formula!r} has two columns called '{twice[0]}'. Give the labels other names."
            )
        is_within = any(name in known.within for name in names)
        rows = np.asarray(matrix, dtype=float)
        if is_within and known.seen is not None:
            rows = rows[known.seen.ravel()]  # a subject's conditions that are in no trial tell nothing apart
        _check_columns(rows, [named.get(name, name) for name in columns], formula, where)
        return cls(formula, terms, _INTERCEPT in columns, is_within, names, known, matrix.model_spec, named)

    def columns(self, given: Mapping[str, Any] | None = None) -> dict[str, np.ndarray]:
        """Return each term's column, (subject,) or (subject, condition); ``given`` as in :meth:`Known.frame`.

        Raises
        ------
        ModelError
            If the formula has no value at those that are given.
        """
        import warnings

        from formulaic.errors import DataMismatchWarning

        if not self.terms:
            return {}
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("error", DataMismatchWarning)  # it would take an unknown category for the first
                matrix = self.spec.get_model_matrix(self.known.frame(self.names, given), context={})
        except Exception as error:  # whatever a formula's own functions raise
            said = " ".join(str(error).split())
            raise ModelError(f"the formula {self.formula!r} can't be computed there: {said}") from None
        if not np.isfinite(np.asarray(matrix, dtype=float)).all():
            raise ModelError(f"the formula {self.formula!r} is not finite there.")
        n = len(self.known.subjects)
        result = {}
        for name in matrix.columns:
            if name != _INTERCEPT:
                values = np.asarray(matrix[name], dtype=np.float64)
                result[self.terms_of[str(name)]] = values.reshape(n, -1) if self.is_within else values
        return result


def _terms(spec: Any) -> dict[str, str]:
    """Return the columns' names as people write them: ``group[T.patient]`` is ``group=patient``."""
    import re

    found = {}
    for row in spec.structure:
        # A column has some of its term's factors, in their order; names and labels may hold brackets and colons.
        parts = (rf"(?:({re.escape(factor.expr)})(?:\[(?:T\.)?(.*?)\])?(?::|$))?" for factor in row.term.factors)
        pattern = re.compile("".join(parts), re.DOTALL)
        for column in row.columns:
            match = pattern.fullmatch(str(column))
            said = match.groups() if match else (str(column), None)
            pairs = [(name, label) for name, label in zip(said[::2], said[1::2], strict=True) if name]
            words = [name if label is None else f"{name}={label}" for name, label in pairs]
            found[str(column)] = variable_name(":".join(words))
    return found


def variable_name(text: str) -> str:
    """Return text as a part of a variable's name: files take a ``/`` for the way to a group."""
    return text.replace("/", "|")


def _check_columns(matrix: np.ndarray, columns: Sequence[str], formula: str, where: str) -> None:
    if not np.isfinite(matrix).all():
        bad = [name for i, name in enumerate(columns) if not np.isfinite(matrix[:, i]).all()]
        raise ModelError(f"{where}: the formula {formula!r} is not finite in {listed(bad)}.")
    for i, name in enumerate(columns):
        if name != _INTERCEPT and np.ptp(matrix[:, i]) == 0:
            raise ModelError(
                f"{where}: column '{name}' of the formula {formula!r} is {matrix[0, i]:g} everywhere, so "
                "nothing can be learnt of its coefficient. Leave it out, or the level that nobody has."
            )
    scale = np.linalg.norm(matrix, axis=0)
    scaled = matrix / np.where(scale > 0, scale, 1.0)
    for i in range(1, len(columns) + 1):
        if np.linalg.matrix_rank(scaled[:, :i], tol=1e-9) < i:
            others, *_ = np.linalg.lstsq(scaled[:, : i - 1], scaled[:, i - 1], rcond=None)
            of = [columns[j] for j in range(i - 1) if abs(others[j]) > 1e-6]
            raise ModelError(
                f"{where}: column '{columns[i - 1]}' of the formula {formula!r} follows from {listed(of)}: the "
                f"design is collinear ({len(matrix)} rows), and their coefficients can't be told apart. Leave one out."
            )
