"""``rl.compare_density``: the joint density of an old program beside ours."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rlbackends.backends.registry import compile as compile_model
from rlbackends.data.given import bind_given
from rlbackends.errors import BackendError, SettingError
from rlbackends.porting.density.legacy import SCALES, Legacy
from rlbackends.porting.density.ours import Ours
from rlbackends.porting.density.parting import moved_alone
from rlbackends.porting.density.report import DensityReport
from rlbackends.porting.density.search import Explanation, explain, judge
from rlbackends.testing.tolerances import TOLERANCES

if TYPE_CHECKING:
    from rlbackends.backends.protocol import CompiledModel
    from rlbackends.backends.registry import Backend
    from rlbackends.population.population import Population

_WHERE = "compare_density"
_LEAST = 4
_SINGLE = 1e-5  # of scale: what sums of 32 bits lose
_REPEATED = 1e-10  # relative: sums on a GPU may run in another order each time
_FARTHEST = 6.0  # of unconstrained values: beyond, differences drown in huge terms
_TRIES = 200


def compare_density(
    model: Any,
    data: Any,
    other: Any,
    *,
    population: Population | None = None,
    points: int = 8,
    seed: int = 0,
    scale: Literal["unconstrained", "natural"] = "unconstrained",
    names: Mapping[str, str] | None = None,
    tolerance: float | None = None,
    backend: str | Backend | None = None,
) -> DensityReport:
    """Compare the joint log-density of an old program, priors and all, with ours; say which mistake explains it.

    The likelihood may be right and the posterior still another: a Jacobian is left out, a prior is counted once per
    subject, an sd is taken for a variance. Each usual mistake is tried at every point, alone and with another.

    Parameters
    ----------
    model : Model
        The specification.
    data : Trials or BoundTrials
        The trials.
    other : callable or pm.Model
        From a mapping of the population's latents (``alpha_location``, ``alpha_sd``, ``alpha_offset`` …; one number, or
        one per subject in the order of ``data.subjects``) to the log-density of data and latents, one number. For a
        NumPyro model give ``rl.numpyro.log_density(function, ...)``.
    population : Population, optional
        The latents, their priors, and how subjects' parameters follow from them; default: that of :func:`fit`.
    points : int, default 8
        At how many draws from the prior both are computed; at least 4.
    seed : int, default 0
        Where the draws come from.
    scale : {"unconstrained", "natural"}, default "unconstrained"
        Of which values it is the density. Unconstrained: those that samplers work on (the logarithm of a positive
        latent, the log odds of one between bounds), with Jacobians. Natural: without.
    names : mapping, optional
        Our latent → what the old program calls it, where that differs.
    tolerance : float, optional
        The largest difference allowed, in units of the sum of the sizes of our terms (at least 1); default 1e-9.
    backend : str or Backend, optional
        Which backend computes our likelihood; default: NumPy, all points at once.

    Returns
    -------
    DensityReport
        ``.same``, ``.constant``, ``.explanations``, ``.terms``; it prints as text.

    Raises
    ------
    BackendError
        If ``other`` raises, or returns what is no finite number.
    ParameterError, SettingError
        If ``names``, ``points``, ``scale``, ``seed`` or ``tolerance`` can't be used.

    Examples
    --------
    An old program that forgot a Jacobian:

    >>> import numpy as np
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 1, 1]], reward=[[1.0, 0.0, 1.0]])
    >>> model = rl.catalogue.rescorla_wagner()
    >>> people = rl.Population(alpha=0.5, beta=rl.Pooling("none", prior=rl.priors.Gamma(4, 2)))
    >>> right = rl.compile(model, data, population=people).log_density
    >>> rl.compare_density(model, data, right, population=people).same
    True
    >>> wrong = rl.compare_density(model, data, lambda z: right(z) - z["beta"].sum(), population=people)
    >>> wrong.explanations[0].words
    ('Jacobian missing',)
    """
    within = _checked(points, scale, tolerance, seed)
    bound = bind_given(_WHERE, model, data)
    compiled = compile_model(model, bound, "reference" if backend is None else backend, population=population)
    if not compiled.layout.latents:
        raise SettingError(f"{_WHERE}: the population fixes every parameter, so there is no density to compare.")
    legacy = Legacy(other, compiled.layout, scale, names)
    ours = Ours(
        compiled, _draws(compiled, points, seed), has_jacobians=scale == "unconstrained", by_engine=backend is not None
    )
    try:
        found = np.array([legacy(z, f"at point {i + 1} of {points}") for i, z in enumerate(ours.points)])
    except BackendError as error:
        for explanation in _of_another_scale(ours, legacy, within):
            raise BackendError(f"{error} {' '.join((*explanation.sentences, *explanation.fixes))}") from error
        raise
    again = legacy(ours.points[0], f"at point 1 of {points}, a second time")
    if not math.isclose(again, found[0], rel_tol=_REPEATED):
        raise BackendError(
            f"{_WHERE}: the other density gave {found[0]!r} and then {again!r} at the same point. It must be a "
            "function of its latents: draw nothing in it, and keep nothing from one call to the next."
        )
    difference = found - ours.total
    # What was computed in 32 bits is not the same, and yet its mistakes can be found.
    rounding = _SINGLE if legacy.is_float32 and within < _SINGLE else 0.0
    same = bool(judge(difference[None], ours.scale, within).is_same[0])
    verdict = judge(difference[None], ours.scale, max(within, rounding))
    constant = 0.0 if same else float(verdict.constant[0]) if verdict.is_constant[0] else None
    explanations: tuple[Explanation, ...] = ()
    moved: dict[str, tuple[float, float, float]] = {}
    if not verdict.is_same[0]:
        wide = max(within, rounding)
        explanations = _of_another_scale(ours, legacy, wide) or explain(ours, difference, wide)
        if not explanations and constant is None:
            moved = moved_alone(ours, legacy, found)
    return DensityReport(
        model=model.name,
        data=f"{_counted(bound.n_subjects, 'subject')}, {_counted(bound.n_trials, 'trial')}",
        scale=scale,
        tolerance=within,
        same=same,
        constant=constant,
        difference=float(np.max(np.abs(difference) / ours.scale)),
        explanations=explanations,
        terms=ours.terms,
        ours=ours.total,
        other=found,
        points=tuple(ours.values),
        moved=moved,
        rounding=rounding,
    )


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _checked(points: Any, scale: Any, tolerance: Any, seed: Any) -> float:
    """Return the tolerance; raise for what can't be used, all faults at once."""
    faults = []
    if isinstance(points, bool) or not isinstance(points, numbers.Integral) or points < _LEAST:
        faults.append(f"points is {points!r}, expected a whole number of at least {_LEAST}.")
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or seed < 0:
        faults.append(f"seed is {seed!r}, expected a whole number of at least 0.")
    if scale not in SCALES:
        faults.append(f"scale is {scale!r}, expected 'unconstrained' or 'natural'.")
    if tolerance is not None:
        is_number = isinstance(tolerance, numbers.Real) and not isinstance(tolerance, bool)
        if not (is_number and 0 < float(tolerance) < math.inf):
            faults.append(f"tolerance is {tolerance!r}, expected a number above 0, such as 1e-6.")
    if faults:
        raise SettingError(f"{_WHERE}: {' '.join(faults)}")
    return TOLERANCES["legacy"] if tolerance is None else float(tolerance)


def _draws(compiled: CompiledModel, count: int, seed: int) -> list[dict[str, np.ndarray]]:
    """Return unconstrained draws from the prior at which our density is finite, none of them extreme."""
    layout, rng = compiled.layout, np.random.default_rng(seed)
    found: list[dict[str, np.ndarray]] = []
    for _ in range(_TRIES):
        with np.errstate(all="ignore"):
            drawn = [layout.unconstrain(layout.draw(rng)) for _ in range(count)]
        near = [z for z in drawn if all(np.all(np.abs(value) <= _FARTHEST) for value in z.values())]
        if near:
            is_finite = np.isfinite(Ours(compiled, near, has_jacobians=True).total)
            found += [z for z, fine in zip(near, is_finite, strict=True) if fine]
        if len(found) >= count:
            return found[:count]
    raise BackendError(
        f"{_WHERE}: our own density is not finite at nearly all draws from the prior. Look at the priors, and at the "
        "data for responses of probability 0; rl.check(model, data) says more."
    )


def _of_another_scale(ours: Ours, legacy: Legacy, tolerance: float) -> tuple[Explanation, ...]:
    """Return the explanation that the other takes values of the other scale, if it does."""
    if not legacy.is_function or not ours.log_jacobian:  # without bounds the two scales are one
        return ()
    natural = not legacy.takes_natural
    there = Ours(ours.compiled, ours.points, has_jacobians=not natural, by_engine=ours.by_engine)
    found = np.array([legacy.at(v if natural else z) for v, z in zip(ours.values, ours.points, strict=True)])
    if not np.isfinite(found).all():
        return ()
    verdict = judge((found - there.total)[None], there.scale, tolerance)
    if not (verdict.is_same[0] or verdict.is_constant[0]):
        return ()
    name = "natural" if natural else "unconstrained"
    return (
        Explanation(
            ("another scale",),
            (f"It takes values on the {name} scale: given these, it is ours on that scale.",),
            (f"Pass scale='{name}'.",),
            float(verdict.constant[0]),
            float(verdict.remaining[0]),
        ),
    )
