"""``rl.compare_likelihood``: is this old function the likelihood of this model?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.registry import Backend, backend_of, get_backend, installed_backends
from rlbackends.backends.registry import compile as compile_model
from rlbackends.backends.values import read_params
from rlbackends.data.given import bind_given
from rlbackends.errors import DataError, ParameterError, RLBackendsError, SettingError, did_you_mean, listed
from rlbackends.inference.agreement import prior_points
from rlbackends.porting.compare.parting import first_parting, variable_reports
from rlbackends.porting.compare.reading import LAYOUTS, Given, Reader
from rlbackends.porting.compare.report import LikelihoodReport
from rlbackends.porting.compare.search import search
from rlbackends.porting.compare.setup import Play, Setup
from rlbackends.porting.compare.tables import is_table, read_table
from rlbackends.porting.compare.target import Target, distance
from rlbackends.testing.tolerances import TOLERANCES

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials, Trials
    from rlbackends.model.model import Model

_WHERE = "compare_likelihood"
_POINTS, _DRAWS = 3, 5
_WHOLE = 0.5  # half of the last digit of whole numbers


def compare_likelihood(
    model: Model,
    data: Trials | BoundTrials,
    other: Any,
    params: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    *,
    tolerance: float | None = None,
    backend: str | Backend | None = None,
    seed: int = 0,
    layout: str | None = None,
    subject: str | None = None,
    trial: str | None = None,
) -> LikelihoodReport:
    """Compare an old likelihood with a model, and say which usual mistake explains what differs.

    Parameters
    ----------
    model : Model
        The specification.
    data : Trials or BoundTrials
        The trials that both are given.
    other : callable, array, dict, path or data frame
        The old likelihood. A function of one argument, parameter name → float64 (subject,), read-only; or a model of a
        backend's library, such as a ``pm.Model``; or its numbers, at ``params``: an array, or a table as R or MATLAB
        wrote it. Numbers are one log-likelihood per trial, (subject × trial), (trial × subject) or one after the other
        in the data's order; one per subject; or one in all. A dict has them under ``"log_likelihood"`` (several
        responses a trial: their sum, or a dict of them), and besides any states, records or other variables, which the
        report shows where the two part. NaN and masked entries are trials without a response.
    params : mapping or sequence of mappings, optional
        Where to compare: parameter → one value, or one per subject, on the natural scale; several of these are several
        points. Default: three points in the middle of the prior. Numbers and tables need it.
    tolerance : float, optional
        The largest difference that counts as the same, in units of the scale, ``max(1, largest log-likelihood)``.
        Default: that of ``"legacy"`` in `rlbackends.testing.tolerances.TOLERANCES`; numbers of a table may differ by
        half of the last digit that they were written with.
    backend : str or Backend, optional
        What computes our side; default: the first of numpyro, pymc and reference that is installed.
    seed : int, default 0
        Of the default points.
    layout : {"subject_trial", "trial_subject"}, optional
        Which axis comes first, where there are as many trials as subjects.
    subject, trial : str, optional
        The columns of a long table; by default those of the usual names.

    Returns
    -------
    LikelihoodReport
        Prints as the whole story; ``.same`` is its verdict.

    Raises
    ------
    DataError
        If numbers have a shape that is not understood, are not finite, or belong to unknown subjects or trials.
    SettingError
        If ``other`` is none of these, or raises an error, which is then the cause.
    ParameterError
        If ``params`` do not fit the model, or lack for numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import rlbackends as rl
    >>> choice, reward = np.array([[0, 1, 0, 0]]), np.array([[1.0, 0.0, 1.0, 0.0]])
    >>> def old(params):  # uses the values after the update
    ...     q, found = np.zeros(2), np.zeros((1, 4))
    ...     for t, (c, r) in enumerate(zip(choice[0], reward[0])):
    ...         q[c] += params["alpha"][0] * (r - q[c])
    ...         found[0, t] = params["beta"][0] * q[c] - np.log(np.exp(params["beta"][0] * q).sum())
    ...     return found
    >>> data = rl.Trials.from_arrays(choice=choice, reward=reward)
    >>> report = rl.compare_likelihood(rl.catalogue.rescorla_wagner(), data, old, backend="reference")
    >>> report.same, report.explanations[0].mistake
    (False, 'values after the update')
    """
    _check_settings(tolerance, layout, seed)
    bound = bind_given(_WHERE, model, data)
    function = _function(other)
    points, where = _points(model, bound, params, seed, needed=function is None)
    reader = Reader(model, bound, layout)
    if not reader.observed.any():
        raise DataError(f"{_WHERE}: the data have no response, so there is no log-likelihood to compare.")
    given = [_asked(reader, function, other, point, subject, trial) for point in points]
    _check_alike(given)
    row = get_backend(_default_backend() if backend is None else backend)
    settings = getattr(row.load(), "SIMULATION_SETTINGS", {})  # what is wanted once should be quick to compile
    compiled = compile_model(model, bound, row, **settings)
    ours = [{str(name): v.values for name, v in compiled.log_likelihood(point).items()} for point in points]
    return _report(model, bound, points, where, given, ours, tolerance)


def _default_backend() -> str:
    return next(name for name in ("numpyro", "pymc", "reference") if name in installed_backends())


# What was asked


def _check_settings(tolerance: Any, layout: Any, seed: Any) -> None:
    faults = []
    is_number = isinstance(tolerance, int | float) and not isinstance(tolerance, bool)
    if tolerance is not None and not (is_number and np.isfinite(tolerance) and tolerance >= 0):
        faults.append(f"tolerance is {tolerance!r}, expected a number of at least 0.")
    if layout is not None and layout not in LAYOUTS:
        faults.append(f"layout is {layout!r}, expected {listed(LAYOUTS)}.{did_you_mean(str(layout), LAYOUTS)}")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        faults.append(f"seed is {seed!r}, expected a whole number of at least 0.")
    if faults:
        raise SettingError(f"{_WHERE}: {' '.join(faults)}")


def _function(other: Any) -> Callable[[Mapping[str, np.ndarray]], Any] | None:
    """Return what is called with parameters; None for numbers and tables."""
    if isinstance(other, str) or is_table(other):
        return None
    row = None if isinstance(other, Mapping) else backend_of(other)
    is_array = hasattr(other, "__array__") or isinstance(other, list | tuple | Mapping | int | float | np.generic)
    if row is not None and not callable(other) and not is_array:
        made: Callable[[Mapping[str, np.ndarray]], Any] = row.load().likelihood(other)
        return made
    if callable(other) and not is_array:
        return other
    if is_array:
        return None
    raise SettingError(
        f"{_WHERE}: other is {_shown(other)}, expected a function of parameters that returns log-likelihoods, an array "
        "or a dict of them, a table (a path or a data frame), or a pm.Model. For a NumPyro model give "
        "rl.numpyro.likelihood(function, *its arguments)."
    )


def _points(
    model: Model, data: BoundTrials, params: Any, seed: int, *, needed: bool
) -> tuple[list[dict[str, np.ndarray]], str]:
    """Return the parameter values at which the two are compared, and where that is in words."""
    if params is None:
        if needed and model.parameters:
            raise ParameterError(
                f"{_WHERE}: other is numbers, so say at which parameter values they were computed: params={{"
                + ", ".join(f"'{name}': ..." for name in model.parameters) + "}."
            )  # fmt: skip
        if not model.parameters:
            return [{}], "its only point: there are no parameters"
        return _middle(model, data, seed), f"{_POINTS} points in the middle of the prior"
    if isinstance(params, Mapping):
        given = [params]
    elif isinstance(params, Iterable) and not isinstance(params, str) and all(isinstance(p, Mapping) for p in params):
        given = list(params)
    else:
        raise ParameterError(f"{_WHERE}: params is {params!r}, expected a mapping, or several of them.")
    if not given:
        raise ParameterError(f"{_WHERE}: params is empty, expected at least one mapping.")
    if needed and len(given) > 1:
        raise ParameterError(f"{_WHERE}: there are {len(given)} points, but numbers belong to one.")
    values = [read_params(model, data, point) for point in given]
    if len(given) > 1:
        return values, f"{len(given)} points"
    one = {name for name, value in given[0].items() if np.ndim(value) == 0 and not isinstance(value, Mapping)}
    shown = [f"{name} = {f'{value:g}' if name in one else '…'}" for name, value in given[0].items()]
    return values, ", ".join(shown) or "its only point"


def _middle(model: Model, data: BoundTrials, seed: int) -> list[dict[str, np.ndarray]]:
    """Return points of which each value is the median of a few draws from the prior, so that none is extreme."""
    draws = prior_points(compile_model(model, data, "reference"), _POINTS * _DRAWS, seed)
    return [
        {name: np.median([draw.params[name] for draw in draws[i::_POINTS]], axis=0) for name in model.parameters}
        for i in range(_POINTS)
    ]


def _asked(
    reader: Reader, function: Callable[..., Any] | None, other: Any, point: Mapping[str, np.ndarray],
    subject: str | None, trial: str | None,
) -> Given:  # fmt: skip
    """Return the other's numbers at a point."""
    what = "other"
    if function is not None:
        what = "what other returned"
        copies = {name: values.copy() for name, values in point.items()}
        for values in copies.values():
            values.flags.writeable = False
        try:
            other = function(copies)
        except RLBackendsError:
            raise
        except Exception as error:
            hint = ""
            if isinstance(error, ValueError) and "read-only" in str(error):
                hint = " The parameters are read-only: copy an array before you change it."
            elif isinstance(error, TypeError) and re.search(r"positional argument|unexpected keyword", str(error)):
                hint = (
                    " It is called with one argument, a dict from parameter to values. For a NumPyro model give "
                    "rl.numpyro.likelihood(function, *args)."
                )
            elif isinstance(error, KeyError) and error.args and (name := str(error.args[0])) not in point:
                hint = f" The parameters are {listed(point)}.{did_you_mean(name, point)}"
            said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise SettingError(
                f"{_WHERE}: other raised {said}. It was called with {_call(copies)}.{hint}"
            ) from error
        if other is None:
            raise DataError(f"{_WHERE}: other returned None; is its return missing?")
    if isinstance(other, str) or is_table(other):
        return read_table(reader, other, subject, trial)
    return reader.read(other, f"{_WHERE}: {what}")


def _call(point: Mapping[str, np.ndarray]) -> str:
    shown = ", ".join(f"'{name}': float64 array of shape {values.shape}" for name, values in point.items())
    return f"{{{shown}}}"


def _check_alike(given: Sequence[Given]) -> None:
    if len({item.level for item in given}) > 1 or len({tuple(item.values) for item in given}) > 1:
        raise DataError(f"{_WHERE}: other returned numbers of another form at another point.")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"a {type(value).__name__}"


# What was found


def _report(
    model: Model, data: BoundTrials, points: Sequence[Mapping[str, np.ndarray]], where: str, given: Sequence[Given],
    ours: Sequence[Mapping[str, np.ndarray]], tolerance: float | None,
) -> LikelihoodReport:  # fmt: skip
    setup = Setup.of(model, data, list(points))
    level, names = given[0].level, list(given[0].values)
    found = {name: np.stack([point[name] for point in ours]) for name in model.responses}
    there = {name: data.observed(name) for name in model.responses}
    # Where there is no response there is no number, and nothing to compare; a NaN elsewhere stays one.
    found = {name: np.where(there[name], values, 0.0) for name, values in found.items()}
    if names == [""]:
        found = {"": np.sum(list(found.values()), axis=0)}
    theirs = {name: np.stack([item.values[name] for item in given]) for name in names}
    theirs = {name: np.where(np.isnan(values), 0.0, values) for name, values in theirs.items()}
    probe = Target(level, theirs, {})
    here = probe.of({name: found[name] for name in names}, setup)
    relative = TOLERANCES["legacy"] if tolerance is None else float(tolerance)
    finite = [np.max(np.abs(v), where=np.isfinite(v), initial=0.0) for v in here.values()]
    allowed_by_scale = relative * max(1.0, *map(float, finite))
    allowed, notes = {}, [note for item in given for note in item.notes]
    for name in names:
        digits = np.stack(
            [np.broadcast_to(item.precision.get(name, np.zeros(())), item.values[name].shape) for item in given]
        )
        if tolerance is not None:
            digits = np.zeros(digits.shape)
        if level == "trial" and (digits >= _WHOLE).any() and digits[digits > 0].min() >= _WHOLE:
            raise DataError(
                f"{_WHERE}: the table's numbers have no digits behind the point, so they can't be told from others. "
                "Write them with all their digits, or pass tolerance."
            )
        allowed[name] = np.maximum(allowed_by_scale, 1.02 * digits)  # a number is rounded before it is written
        if (digits > allowed_by_scale).any():
            notes.append(
                f"the table's numbers are rounded, so differences of up to {float(digits.max()):.1g} can't be seen"
            )
    target = Target(level, theirs, allowed)
    gap = target.gap(here)
    apart = {name: distance(here[name], theirs[name]) > allowed[name] for name in names}
    is_same = gap.closed
    play = Play(setup)
    if tolerance is not None:
        given = [replace(item, variable_precision={}) for item in given]
    variables = variable_reports(model, data, play, given, relative)
    explanations, pairs = ([], 0) if is_same else search(setup, data, target)
    rows = _rows(data, setup, level, here, theirs)
    counted = [setup.observed] if names == [""] else list(there.values())
    n_compared = sum(int(c.sum()) for c in counted) * setup.n_points if level == "trial" else target.count
    return LikelihoodReport(
        same=is_same, model=model.name, data=_described(data), where=where, level=level,
        n_responses=sum(int(observed.sum()) for observed in there.values()),
        difference=gap.largest, tolerance=max(float(np.max(a)) for a in allowed.values()),
        n_different=sum(int(a.sum()) for a in apart.values()), n_compared=n_compared,
        sums=tuple(
            (float(sum(v[p].sum() for v in here.values())), float(sum(v[p].sum() for v in theirs.values())))
            for p in range(setup.n_points)
        ),
        parting=None if is_same else first_parting(model, data, play, level, here, theirs, apart, given),
        explanations=tuple(explanations), n_pairs=pairs, base_difference=gap.mean, variables=variables,
        notes=tuple(dict.fromkeys(notes)), _rows=rows,
    )  # fmt: skip


def _described(data: BoundTrials) -> str:
    shortest, longest = int(data.lengths.min()), int(data.lengths.max())
    trials = f"{longest}" if shortest == longest else f"{shortest}–{longest}"
    subjects = "1 subject" if data.n_subjects == 1 else f"{data.n_subjects} subjects"
    return f"{subjects} × {trials} {'trial' if longest == 1 else 'trials'}"


def _rows(
    data: BoundTrials, setup: Setup, level: str, here: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """Return the columns of the report's frame."""
    columns: dict[str, list[Any]] = {"point": [], "subject": [], "trial": [], "response": [], "here": [], "yours": []}
    labels = np.array(data.subjects, dtype=object)
    for name, ours in here.items():
        if level == "trial":
            cells = np.argwhere(np.broadcast_to(data.valid, setup.shape))
            columns["subject"].append(labels[cells[:, 1]])
            columns["trial"].append(data.trial_numbers[cells[:, 1], cells[:, 2]])
        elif level == "subject":
            cells = np.argwhere(np.ones(ours.shape, bool))
            columns["subject"].append(labels[cells[:, 1]])
        else:
            cells = np.arange(len(ours))[:, None]
        columns["point"].append(cells[:, 0])
        columns["response"].append(np.full(len(cells), name, dtype=object))
        columns["here"].append(ours[tuple(cells.T)])
        columns["yours"].append(theirs[name][tuple(cells.T)])
    if list(here) == [""]:
        columns.pop("response")
    return {name: np.concatenate(parts) for name, parts in columns.items() if parts}
