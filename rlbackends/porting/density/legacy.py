"""The old program's joint density: how it is called, and what is said of answers that are no density."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rlbackends.errors import BackendError, ParameterError, SettingError, did_you_mean, listed
from rlbackends.population.layout import Layout

SCALES = ("unconstrained", "natural")
_WHERE = "compare_density"


class Legacy:
    """A log-density of latents that was written elsewhere.

    Parameters
    ----------
    other
        A callable of a mapping from latent to value, or a model of a backend's library.
    layout : Layout
        Our latents.
    scale : str
        One of `SCALES`.
    names : mapping, optional
        Our latent → the name that the old program has for it.

    Attributes
    ----------
    is_function : bool
        Whether it is a function, not a model of a library.
    takes_natural : bool
        Whether it is given natural values.
    is_float32 : bool
        Whether it has returned a number of 32 bits.
    """

    def __init__(self, other: Any, layout: Layout, scale: str, names: Mapping[str, str] | None) -> None:
        self.layout = layout
        self.is_float32 = False
        self.takes_natural = scale == "natural"
        self._names = _checked_names(names, layout)
        self.is_function = callable(other)
        if self.is_function:
            self._function: Callable[[dict[str, Any]], Any] = other
        else:
            self._function = _from_backend(other, self._names, jacobian=scale == "unconstrained")
            # Such a function has our names, and is one of unconstrained values on either scale.
            self._names, self.takes_natural = {}, False

    def __call__(self, z: Mapping[str, np.ndarray], where: str) -> float:
        """Return its value at unconstrained values of our latents; ``where`` says in errors at which."""
        values = self.layout.constrain(z) if self.takes_natural else z
        given = self._given(values)
        try:
            found = self._function(given)
        except Exception as error:
            raise BackendError(self._raised(error, where)) from error
        return self._number(found, z, where)

    def at(self, values: Mapping[str, np.ndarray]) -> float:
        """Return its value at these very values, NaN where it has none: to see whether it means another scale."""
        try:
            return float(np.asarray(self._function(self._given(values)), dtype=float).item())
        except Exception:  # whatever another program does with values that it was not made for
            return float("nan")

    def _given(self, values: Mapping[str, np.ndarray]) -> dict[str, Any]:
        # Copies: what it does to them stays its own.
        return {
            self._names.get(name, name): np.array(value, dtype=np.float64)[()] for name, value in values.items()
        }

    def _raised(self, error: Exception, where: str) -> str:
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        text = f"{_WHERE}: the other density raised {said} ({where})."
        theirs = [self._names.get(name, name) for name in self.layout.names]
        text += f" It was given one mapping with {listed(theirs)}, on the "
        text += "natural scale." if self.takes_natural else "unconstrained scale."
        if isinstance(error, KeyError) and error.args and error.args[0] not in theirs:
            asked = str(error.args[0])
            near = did_you_mean(asked, theirs)
            text += f" It asks for '{asked}'.{near} Where names differ give names={{our name: its name}}."
        return text

    def _number(self, found: Any, z: Mapping[str, np.ndarray], where: str) -> float:
        try:
            array = np.asarray(found)
            is_number = array.dtype.kind in "iuf"
        except Exception:  # arrays of other libraries may refuse
            array, is_number = np.array(None), False
        if found is None:
            raise BackendError(f"{_WHERE}: the other density returned None ({where}); is its return missing?")
        if not is_number:
            raise BackendError(
                f"{_WHERE}: the other density returned {_shown(found)} ({where}), expected one number, the log-density "
                "of all data and latents."
            )
        if array.size != 1:
            raise BackendError(
                f"{_WHERE}: the other density returned an array of shape {array.shape} ({where}), expected one number, "
                "the log-density of all data and latents. Return its sum. (For log-likelihoods by trial or subject "
                "there is rl.compare_likelihood.)"
            )
        self.is_float32 |= array.dtype in (np.dtype(np.float32), np.dtype(np.float16))
        value = float(array.reshape(()))
        if not np.isfinite(value):
            raise BackendError(
                f"{_WHERE}: the other density is {value} ({where}), where ours is finite: {self._listing(z)}. "
                + (
                    "It holds these values for impossible: look for bounds of its priors that are narrower than ours, "
                    "or a response of probability 0."
                    if value == -np.inf
                    else "Look for a logarithm or root of what is negative there, an overflow, or values taken for "
                    "those of another scale (scale=)."
                )
            )
        return value

    def _listing(self, z: Mapping[str, np.ndarray]) -> str:
        values = self.layout.constrain(z)
        return ", ".join(f"{name} = {_few(value)}" for name, value in values.items()) + " (natural scale)"


def _few(value: np.ndarray) -> str:
    """Return a value for people; of many the ends."""
    flat = np.ravel(value)
    if np.ndim(value) == 0:
        return f"{float(value):.4g}"
    shown = [f"{x:.4g}" for x in flat[:3]]
    return f"[{', '.join([*shown, '…'] if flat.size > 3 else shown)}]"


def _shown(found: Any) -> str:
    text = repr(found)
    if found is None:
        return text
    return f"{type(found).__name__} {text if len(text) <= 60 else text[:57] + '...'}"


def _checked_names(names: Mapping[str, str] | None, layout: Layout) -> dict[str, str]:
    if names is None:
        return {}
    if not isinstance(names, Mapping):
        raise ParameterError(f"{_WHERE}: names is {names!r}, expected a mapping from our latent to the other's name.")
    ours = layout.names
    faults = [
        f"names has {name!r}, which is none of our latents {listed(ours)}.{did_you_mean(str(name), ours)}"
        for name in names
        if name not in ours
    ]
    theirs = [names.get(name, name) for name in layout.names]
    twice = sorted({name for name in theirs if theirs.count(name) > 1})
    if twice:
        faults.append(f"names calls two latents {listed(twice)}.")
    if faults:
        raise ParameterError(f"{_WHERE}: {' '.join(faults)}")
    return dict(names)


def _from_backend(other: Any, names: Mapping[str, str], *, jacobian: bool) -> Callable[[dict[str, Any]], Any]:
    """Return the density of a model that is written in the library of one of our backends."""
    from rlbackends.backends.registry import backend_of

    row = backend_of(other)
    if row is None:
        raise SettingError(
            f"{_WHERE}: other is {_shown(other)}, expected a function of the latents that returns their log-density, "
            "or a pm.Model. For a NumPyro model give rl.numpyro.log_density(function, *its arguments)."
        )
    return row.load().log_density(other, names=names or None, jacobian=jacobian)
