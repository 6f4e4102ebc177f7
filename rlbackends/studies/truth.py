"""True parameters: as a user gives them, checked before anything is simulated, and drawn for each data set."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import ParameterError, did_you_mean, listed
from rlbackends.population.priors import Prior
from rlbackends.simulation.design import stream

if TYPE_CHECKING:
    from rlbackends.model.model import Model
    from rlbackends.population.layout import Layout

Draw = Callable[[np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Truth:
    """The true values of one data set.

    Attributes
    ----------
    params : mapping of str to numpy.ndarray
        Each parameter's values on the natural scale, one per subject.
    group : mapping of str to float
        The group's locations and standard deviations on the link scales, where the population's prior gave them.
    """

    params: Mapping[str, np.ndarray]
    group: Mapping[str, float] = field(default_factory=dict)

    def digest_into(self, digest: Any) -> None:
        """Add all values to a hash."""
        for name, values in {**self.params, **self.group}.items():
            digest.update(name.encode() + np.ascontiguousarray(values, dtype=np.float64).tobytes())


def digest_of(truths: Sequence[Truth]) -> str:
    """Return a sha256 of true values."""
    digest = hashlib.sha256()
    for truth in truths:
        truth.digest_into(digest)
    return digest.hexdigest()


def prior_truth(layout: Layout, seed: tuple[int, ...]) -> Truth:
    """Draw a group and its subjects from the population's prior."""
    values = layout.draw(stream(seed, "truth"))
    params = {name: np.array(value) for name, value in layout.parameters(values).items()}
    group = {latent.name: float(values[latent.name]) for latent in layout.latents if not latent.per_subject}
    return Truth(params, group)


class TruthReader:
    """What a user said of the true parameters, checked; drawn anew for each data set.

    Parameters
    ----------
    where : str
        Who asks, for errors.
    model : Model
        Whose parameters they are.
    given : mapping
        Parameter name → number, one per subject (in order, or labelled), a prior, or a function of ``rng`` and
        ``n_subjects``.
    subjects : sequence
        Labels.
    some : bool, default False
        Whether parameters may be left out.

    Raises
    ------
    ParameterError
        With every fault at once.
    """

    def __init__(self, where: str, model: Model, given: Any, subjects: Sequence[Any], *, some: bool = False) -> None:
        self._where, self._model, self._subjects = where, model, tuple(subjects)
        self._sources: dict[str, Draw] = {}
        if not isinstance(given, Mapping):
            raise ParameterError(
                f"{where}: truth is {given!r}, expected a mapping from parameter to values, such as "
                "{'alpha': 0.3, 'beta': rl.priors.Gamma(3, 1)}."
            )
        faults = [
            f"'{name}' is no parameter of model '{model.name}', which has {listed(model.parameters)}."
            f"{did_you_mean(str(name), model.parameters)}"
            for name in given
            if name not in model.parameters
        ]
        absent = [name for name in model.parameters if name not in given]
        if absent and (not some or len(absent) == len(model.parameters)):
            has = listed(model.parameters)
            faults.append(f"there is no value for {listed(absent)}; model '{model.name}' has {has}.")
        for name in model.parameters:
            if name in given:
                try:
                    self._sources[name] = self._read(name, given[name])
                except ParameterError as error:
                    faults.append(str(error))
        self._report(faults)

    def draw(self, seed: tuple[int, ...]) -> Truth:
        """Return the values for a data set; a parameter's do not depend on what the others are.

        Raises
        ------
        ParameterError
            If a value lies outside its parameter's support, or a function returns something else.
        """
        params, faults = {}, []
        for name, source in self._sources.items():
            try:
                params[name] = self._checked(name, source(stream(seed, "truth", name)))
            except ParameterError as error:
                faults.append(str(error))
        self._report(faults)
        return Truth(params)

    def _report(self, faults: list[str]) -> None:
        if faults:
            raise ParameterError(f"{self._where}: truth: {' '.join(faults)}")

    def _read(self, name: str, given: Any) -> Draw:
        n = len(self._subjects)
        if isinstance(given, Prior):
            return lambda rng: given.draw(rng, (n,))
        if callable(given):
            return lambda rng: self._shaped(name, _call(name, given, rng, n))
        if hasattr(given, "items"):
            lookup = {str(label): value for label, value in given.items()}
            absent = [label for label in self._subjects if str(label) not in lookup]
            if absent:
                raise ParameterError(f"'{name}' has no value for subject {listed(absent[:5])}; give every subject one.")
            given = [lookup[str(label)] for label in self._subjects]
        values = self._checked(name, self._shaped(name, given))
        return lambda rng: values

    def _shaped(self, name: str, given: Any) -> np.ndarray:
        n = len(self._subjects)
        try:
            array = np.asarray(given, dtype=np.float64)
        except (TypeError, ValueError):
            raise ParameterError(
                f"'{name}' is {given!r}, expected a number, one per subject, a prior such as rl.priors.Beta(5, 5), or "
                "a function of rng and n_subjects."
            ) from None
        if array.shape not in ((), (n,)):
            raise ParameterError(f"'{name}' has shape {array.shape}, expected one number, or one per subject ({n},).")
        return np.broadcast_to(array, (n,)).copy()

    def _checked(self, name: str, values: np.ndarray) -> np.ndarray:
        support = self._model.parameters[name].support
        outside = np.flatnonzero(~np.asarray(support.contains(values)))
        if len(outside):
            i = int(outside[0])
            raise ParameterError(
                f"'{name}' is {values[i]:g} for subject {self._subjects[i]}, which is outside its support {support}."
            )
        values.flags.writeable = False
        return values


def _call(name: str, function: Any, rng: np.random.Generator, n_subjects: int) -> Any:
    """Call a user's function with what it asks for by name."""
    known = {"rng": rng, "n_subjects": n_subjects}
    asked = [p.name for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    unknown = [word for word in asked if word not in known]
    if unknown:
        raise ParameterError(f"the function of '{name}' asks for {listed(unknown)}; there are {listed(known)}.")
    return function(**{word: known[word] for word in asked})
