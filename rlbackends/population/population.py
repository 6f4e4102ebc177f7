"""How people differ: pooling, links and priors, apart from the model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rlbackends.errors import ModelError, did_you_mean, listed
from rlbackends.population import priors as p
from rlbackends.population.build import make_layout, pooling_covariates
from rlbackends.population.layout import CORRELATED, Layout
from rlbackends.population.links import check_link, default_link

if TYPE_CHECKING:
    from rlbackends.model.model import Model

PoolingKind = Literal["partial", "none", "complete"]
_KINDS = ("partial", "none", "complete")
_PRIORS = ("location", "sd", "prior", "coefficient")
_EXAMPLES = {"formula": "~ group", "sd_by": "group", "slopes": "~ session"}


@dataclass(frozen=True)
class Pooling:
    """How one parameter varies over subjects.

    Parameters
    ----------
    kind : {"partial", "none", "complete"}
        ``"partial"``: subjects come from a group whose location and sd are estimated. ``"none"``: each
        subject alone. ``"complete"``: one value for all.
    link : str, optional
        ``"probit"`` or ``"logit"`` into an interval, ``"log"`` or ``"softplus"`` above 0, ``"identity"``. The
        default follows from the support: probit, log, identity.
    location : Prior, optional
        Prior of the group's location on the link scale; default ``Normal(0, 1)``. Not for ``"none"``.
    sd : Prior, optional
        Prior of the group's standard deviation on the link scale; default ``HalfNormal(0.2)``, for an
        unbounded parameter ``HalfCauchy(1)``. Only for ``"partial"``.
    prior : Prior, optional
        Only for ``"none"``: each subject's prior on the natural scale; its bounds must be the parameter's.
        Default: a standard normal on the link scale, which a probit makes uniform.
    centred : bool, default False
        Only for ``"partial"``: sample the subject's value itself rather than its offset from the group.
    formula : str, optional
        How the location depends on covariates of the data, such as ``"~ group * scale(age)"`` or, within subjects,
        ``"~ session"``: the intercept is the location, each other column has a coefficient. Not for ``"none"``.
        A formula instead of a pooling, ``alpha="~ group"``, says this and leaves the rest as it is.
    coefficient : Prior, optional
        Prior of each coefficient on the link scale; default ``Normal(0, 1)``.
    sd_by : str, optional
        Only for ``"partial"``: a covariate in text; each of its groups has an sd of its own.
    slopes : str, optional
        Only for ``"partial"``: a formula of covariates that change within subjects. Each subject has an own deviation
        from the coefficient of each of its columns, with an sd of its own (whose prior is that of ``sd``).
    """

    kind: PoolingKind = "partial"
    link: str | None = None
    location: p.Prior | None = None
    sd: p.Prior | None = None
    prior: p.Prior | None = None
    centred: bool = False
    formula: str | None = None
    coefficient: p.Prior | None = None
    sd_by: str | None = None
    slopes: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ModelError(
                f"Pooling: {self.kind!r} is none of {listed(_KINDS)}.{did_you_mean(str(self.kind), _KINDS)}"
            )
        priors = (("location", "partial complete"), ("sd", "partial"), ("prior", "none"))
        for name, allowed in (*priors, ("coefficient", "partial complete")):
            value = getattr(self, name)
            if value is not None and not isinstance(value, p.Prior):
                raise ModelError(f"Pooling: {name} is {value!r}, expected a prior such as rl.priors.Normal(0, 1).")
            if value is not None and self.kind not in allowed.split():
                raise ModelError(f"Pooling: {name} has no meaning with {self.kind!r} pooling.")
        if self.sd is not None and self.sd.bounds[0] < 0:
            raise ModelError(f"Pooling: the prior of sd is {self.sd}, expected one above 0 such as HalfNormal(0.2).")
        if self.centred and self.kind != "partial":
            raise ModelError(f"Pooling: centred has no meaning with {self.kind!r} pooling.")
        self._check_formulas()

    def _check_formulas(self) -> None:
        for name, allowed in (("formula", "partial complete"), ("sd_by", "partial"), ("slopes", "partial")):
            value = getattr(self, name)
            if value is None:
                continue
            if not isinstance(value, str):
                raise ModelError(f"Pooling: {name} is {value!r}, expected text such as {_EXAMPLES[name]!r}.")
            if self.kind not in allowed.split():
                raise ModelError(f"Pooling: {name} has no meaning with {self.kind!r} pooling.")
            if self.centred:
                raise ModelError(f"Pooling: {name} goes with offsets only; leave centred out.")
        if self.coefficient is not None:
            if self.formula is None:
                raise ModelError("Pooling: coefficient is the prior of a formula's coefficients; there is no formula.")
            if self.coefficient.bounds != (-math.inf, math.inf):
                raise ModelError(
                    f"Pooling: the prior of coefficient is {self.coefficient}, expected one of any sign such as "
                    "Normal(0, 1)."
                )


@dataclass(frozen=True)
class Resolved:
    """A parameter's pooling with every default filled in, or its fixed value."""

    pooling: Pooling | None
    fixed: tuple[float, ...] | None = None

    def to_data(self) -> dict[str, Any]:
        """Return it as plain data."""
        if self.pooling is None:
            return {"fixed": list(self.fixed or ())}
        g = self.pooling
        data: dict[str, Any] = {"pooling": g.kind, "link": g.link, "centred": g.centred}
        data |= {name: prior.to_data() for name in _PRIORS if (prior := getattr(g, name))}
        return data | {name: words for name in _EXAMPLES if (words := getattr(g, name)) is not None}


class Population:
    """How the parameters vary over subjects.

    A subject's value is ``link⁻¹(location + covariates · coefficients + sd · offset)``.

    Parameters
    ----------
    pooling : {"partial", "none", "complete"} or Pooling, default "partial"
        For every parameter that is not named.
    correlated : sequence of str, or True
        Parameters, or all that are partially pooled, whose offsets are correlated over subjects.
    lkj : float, default 2.0
        Concentration of the LKJ prior of their correlations; 1 is uniform over correlation matrices, above it small
        correlations are likelier (Lewandowski, Kurowicka & Joe 2009).
    **parameters : Pooling, str, float or sequence of float
        By name: a :class:`Pooling`, a pooling's word, a formula such as ``"~ group"``, or a fixed value (one for all,
        or one per subject).

    Examples
    --------
    >>> import rlbackends as rl
    >>> rl.Population(alpha=rl.Pooling("partial", link="logit"), beta="none", lapse=0.02)
    Population('partial', alpha=Pooling(partial, logit), beta=Pooling(none), lapse=0.02)
    >>> rl.Population(alpha="~ group", correlated=["alpha", "beta"])
    Population('partial', alpha=Pooling(partial, ~ group), correlated=['alpha', 'beta'])
    """

    def __init__(
        self,
        pooling: PoolingKind | Pooling = "partial",
        /,
        *,
        correlated: Sequence[str] | bool = (),
        lkj: float = 2.0,
        **parameters: Any,
    ) -> None:
        self._default = pooling if isinstance(pooling, Pooling) else Pooling(pooling)
        given: dict[str, Pooling | tuple[float, ...]] = {}
        for name, value in parameters.items():
            given[name] = _read(name, value, self._default)
        self._given = MappingProxyType(given)
        self._correlated = _read_correlated(correlated)
        if isinstance(lkj, bool) or not isinstance(lkj, int | float | np.number) or not 0 < lkj < math.inf:
            raise ModelError(f"population: lkj is {lkj!r}, expected a number above 0, such as 2.0.")
        self._lkj = float(lkj)

    @property
    def fixed(self) -> frozenset[str]:
        """The names of the parameters that are fixed."""
        return frozenset(name for name, value in self._given.items() if not isinstance(value, Pooling))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_given": dict(self._given)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({**state, "_given": MappingProxyType(state["_given"])})

    def __repr__(self) -> str:
        words = [repr(self._default.kind)]
        for name, value in self._given.items():
            if isinstance(value, Pooling):
                said = [w for w in (value.kind, value.link, value.formula) if w]
                said += [f"{key}={text!r}" for key in ("sd_by", "slopes") if (text := getattr(value, key))]
                words.append(f"{name}=Pooling({', '.join(said)})")
            else:
                words.append(f"{name}={value[0]:g}" if len(value) == 1 else f"{name}=<{len(value)} values>")
        if self._correlated != ():
            words.append(f"correlated={True if self._correlated is None else list(self._correlated)!r}")
        return f"Population({', '.join(words)})"

    def resolve(self, model: Model, n_subjects: int) -> dict[str, Resolved]:
        """Return every parameter's pooling with the defaults filled in.

        Raises
        ------
        ModelError
            If a name is no parameter of the model, a link or a prior does not fit the support, or a fixed
            value lies outside it.
        """
        faults = [
            f"there is no parameter '{name}' in model '{model.name}', which has {listed(model.parameters)}."
            f"{did_you_mean(name, model.parameters)}"
            for name in self._given
            if name not in model.parameters
        ]
        resolved = {}
        for name, parameter in model.parameters.items():
            try:
                resolved[name] = _resolve(name, self._given.get(name, self._default), parameter.support, n_subjects)
            except ModelError as error:
                faults.append(str(error))
        if faults:
            raise ModelError("population: " + " ".join(fault.removeprefix("population: ") for fault in faults))
        return resolved

    def layout(self, model: Model, data: Any) -> Layout:
        """Return the latent variables and how parameters follow from them.

        Parameters
        ----------
        model : Model
            The specification.
        data : BoundTrials, or sequence of labels
            The data, whose covariates formulas read; the subjects suffice where there is no formula.
        """
        subjects = getattr(data, "subjects", data)
        resolved = self.resolve(model, len(subjects))
        return make_layout(model, resolved, data, self._correlations(resolved))

    def covariates(self, model: Model) -> tuple[str, ...]:
        """Return the names of the covariates that its formulas read."""
        named = set(self._given) & set(model.parameters)
        rows = [self._given[name] for name in model.parameters if name in named]
        rows += [self._default] if len(named) < len(model.parameters) else []
        found: list[str] = []
        for row in rows:
            if isinstance(row, Pooling):
                found += pooling_covariates(row, "population")
        return tuple(dict.fromkeys(found))

    def _correlations(self, resolved: Mapping[str, Resolved]) -> tuple[tuple[str, ...], float]:
        """Return which parameters are correlated, and the concentration of the prior of their correlations."""
        pooled = [
            name for name, item in resolved.items()
            if item.pooling is not None and item.pooling.kind == "partial" and not item.pooling.centred
        ]  # fmt: skip
        names = tuple(pooled) if self._correlated is None else self._correlated
        if self._correlated is not None:
            wrong = [name for name in names if name not in pooled]
            if wrong:
                raise ModelError(
                    f"population: {listed(wrong)} can't be correlated: only parameters that are partially pooled and "
                    f"not centred can, here {listed(pooled) or 'none'}.{did_you_mean(wrong[0], pooled)}"
                )
        if self._correlated != () and len(names) < 2:
            given = listed(names) or "nothing"
            raise ModelError(f"population: correlated is {given}, expected at least two parameters.")
        return names, self._lkj


def _read_correlated(given: Any) -> tuple[str, ...] | None:
    """Return names, or None for all that are partially pooled."""
    if isinstance(given, bool):
        return None if given else ()
    names = tuple(given) if isinstance(given, list | tuple) else (None,)
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise ModelError(
            f"population: correlated is {given!r}, expected names of parameters, each once, such as "
            "['alpha', 'beta'], or True for all that are partially pooled."
        )
    return names


def _read(name: str, value: Any, default: Pooling) -> Pooling | tuple[float, ...]:
    if isinstance(value, Pooling):
        return value
    if isinstance(value, str):
        try:
            if "~" in value:
                return replace(default, formula=value)
            return Pooling(value)  # type: ignore[arg-type]
        except ModelError as error:
            raise ModelError(f"population: '{name}': {error}") from None
    try:
        array = np.atleast_1d(np.asarray(value, dtype=float))
    except (TypeError, ValueError):
        array = np.array([math.nan])
    if isinstance(value, bool) or array.ndim != 1 or not np.isfinite(array).all():
        raise ModelError(
            f"population: '{name}' is {value!r}, expected rl.Pooling(...), 'partial', 'none', 'complete', "
            "a formula such as '~ group', a number, or one number per subject."
        )
    return tuple(float(x) for x in array)


def _resolve(name: str, given: Pooling | tuple[float, ...], support: Any, n_subjects: int) -> Resolved:
    if not isinstance(given, Pooling):
        if len(given) not in (1, n_subjects):
            raise ModelError(f"'{name}' is fixed to {len(given)} values, expected 1 or {n_subjects}, one per subject.")
        if not np.all(support.contains(given)):
            raise ModelError(f"'{name}' is fixed to a value outside its support {support}.")
        return Resolved(None, given)
    link = check_link(given.link or default_link(support), support, name)
    if given.kind == "none":
        if given.prior is not None and given.prior.bounds != (support.lo, support.hi):
            raise ModelError(
                f"the prior of '{name}' is {given.prior}, whose values lie in {given.prior.bounds}; the "
                f"parameter's lie in {support}."
            )
        return Resolved(Pooling("none", link, prior=given.prior))
    location = given.location or p.Normal(0.0, 1.0)
    coefficient = None if given.formula is None else given.coefficient or p.Normal(0.0, 1.0)
    if given.kind == "complete":
        return Resolved(Pooling("complete", link, location, formula=given.formula, coefficient=coefficient))
    sd = given.sd or (p.HalfCauchy(1.0) if link == "identity" else p.HalfNormal(0.2))
    return Resolved(replace(given, link=link, location=location, sd=sd, coefficient=coefficient))


def pooling_from_data(name: str, data: Any) -> Pooling | tuple[float, ...]:
    """Read what :meth:`Resolved.to_data` wrote."""
    if isinstance(data, Mapping) and set(data) == {"fixed"} and isinstance(data["fixed"], list):
        return tuple(float(value) for value in data["fixed"])
    if not isinstance(data, Mapping) or not {"pooling", "link", "centred"} <= set(data):
        raise ModelError(f"population: '{name}' is {data!r}, which is no pooling.")
    given: dict[str, Any] = {key: p.prior_from_data(data[key]) for key in _PRIORS if key in data}
    given |= {key: str(data[key]) for key in _EXAMPLES if key in data}
    return Pooling(data["pooling"], data["link"], centred=bool(data["centred"]), **given)


def population_from_data(description: Mapping[str, Any]) -> Population:
    """Return the population that a layout's description says."""
    rows = dict(description)
    given: dict[str, Any] = dict(rows.pop(CORRELATED, {}))
    given |= {name: pooling_from_data(name, data) for name, data in rows.items()}
    return Population(**given)
