"""How people differ: pooling, links and priors, apart from the model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rlbackends.errors import ModelError, did_you_mean, listed
from rlbackends.population import priors as p
from rlbackends.population.layout import Layout, make_layout
from rlbackends.population.links import check_link, default_link

if TYPE_CHECKING:
    from rlbackends.model.model import Model

PoolingKind = Literal["partial", "none", "complete"]
_KINDS = ("partial", "none", "complete")


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
    """

    kind: PoolingKind = "partial"
    link: str | None = None
    location: p.Prior | None = None
    sd: p.Prior | None = None
    prior: p.Prior | None = None
    centred: bool = False

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ModelError(
                f"Pooling: {self.kind!r} is none of {listed(_KINDS)}.{did_you_mean(str(self.kind), _KINDS)}"
            )
        for name, allowed in (("location", "partial complete"), ("sd", "partial"), ("prior", "none")):
            value = getattr(self, name)
            if value is not None and not isinstance(value, p.Prior):
                raise ModelError(f"Pooling: {name} is {value!r}, expected a prior such as rl.priors.Normal(0, 1).")
            if value is not None and self.kind not in allowed.split():
                raise ModelError(f"Pooling: {name} has no meaning with {self.kind!r} pooling.")
        if self.sd is not None and self.sd.bounds[0] < 0:
            raise ModelError(f"Pooling: the prior of sd is {self.sd}, expected one above 0 such as HalfNormal(0.2).")
        if self.centred and self.kind != "partial":
            raise ModelError(f"Pooling: centred has no meaning with {self.kind!r} pooling.")


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
        data |= {name: prior.to_data() for name in ("location", "sd", "prior") if (prior := getattr(g, name))}
        return data


class Population:
    """How the parameters vary over subjects.

    A subject's value is ``link⁻¹(location + sd · offset)``.

    Parameters
    ----------
    pooling : {"partial", "none", "complete"}, default "partial"
        For every parameter that is not named.
    **parameters : Pooling, str, float or sequence of float
        By name: a :class:`Pooling`, a pooling's word, or a fixed value (one for all, or one per subject).

    Examples
    --------
    >>> import rlbackends as rl
    >>> rl.Population(alpha=rl.Pooling("partial", link="logit"), beta="none", lapse=0.02)
    Population('partial', alpha=Pooling(partial, logit), beta=Pooling(none), lapse=0.02)
    """

    def __init__(self, pooling: PoolingKind = "partial", /, **parameters: Any) -> None:
        self._default = Pooling(pooling)
        given: dict[str, Pooling | tuple[float, ...]] = {}
        for name, value in parameters.items():
            given[name] = _read(name, value)
        self._given = MappingProxyType(given)

    def __getstate__(self) -> dict[str, Any]:
        return {"_default": self._default, "_given": dict(self._given)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._default, self._given = state["_default"], MappingProxyType(state["_given"])

    def __repr__(self) -> str:
        words = [repr(self._default.kind)]
        for name, value in self._given.items():
            if isinstance(value, Pooling):
                words.append(f"{name}=Pooling({', '.join(w for w in (value.kind, value.link) if w)})")
            else:
                words.append(f"{name}={value[0]:g}" if len(value) == 1 else f"{name}=<{len(value)} values>")
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

    def layout(self, model: Model, subjects: Sequence[Any]) -> Layout:
        """Return the latent variables and how parameters follow from them, for these subjects."""
        return make_layout(model, self.resolve(model, len(subjects)), len(subjects))


def _read(name: str, value: Any) -> Pooling | tuple[float, ...]:
    if isinstance(value, Pooling):
        return value
    if isinstance(value, str):
        try:
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
            "a number, or one number per subject."
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
    if given.kind == "complete":
        return Resolved(Pooling("complete", link, location))
    sd = given.sd or (p.HalfCauchy(1.0) if link == "identity" else p.HalfNormal(0.2))
    return Resolved(Pooling("partial", link, location, sd, centred=given.centred))


def pooling_from_data(name: str, data: Any) -> Pooling | tuple[float, ...]:
    """Read what :meth:`Resolved.to_data` wrote."""
    if isinstance(data, Mapping) and set(data) == {"fixed"} and isinstance(data["fixed"], list):
        return tuple(float(value) for value in data["fixed"])
    if not isinstance(data, Mapping) or not {"pooling", "link", "centred"} <= set(data):
        raise ModelError(f"population: '{name}' is {data!r}, which is no pooling.")
    priors = {key: p.prior_from_data(data[key]) for key in ("location", "sd", "prior") if key in data}
    return Pooling(data["pooling"], data["link"], centred=bool(data["centred"]), **priors)
