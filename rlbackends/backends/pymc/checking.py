"""The same graphs for values that are wanted once: all of a point's values from one compilation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.pymc.engine import Engine

if TYPE_CHECKING:
    from rlbackends.backends.protocol import Arrays


class CheckingEngine(Engine):
    """A model lowered to PyTensor as :class:`Engine` does it; one function gives all that is compared at a point.

    Callers ask for several quantities at the same values, so the last ones are kept.
    """

    _last: tuple[Any, list[np.ndarray]] | None = None

    def for_checking(self) -> Engine:
        """Return itself."""
        return self

    def log_likelihood(self, params: Arrays) -> dict[str, np.ndarray]:
        """Return each response's log-likelihood, (subject, trial); NaN where nothing was observed."""
        return self._by_response(self._at(params)[: len(self.model.responses)])

    def trajectories(self, params: Arrays) -> dict[str, np.ndarray]:
        """Return states before each trial's update, and records: (subject, trial, *axes)."""
        first = len(self.model.responses)
        return dict(zip(self._played, self._at(params)[first : first + len(self._played)], strict=True))

    def value_and_gradient(self, params: Arrays) -> tuple[float, dict[str, np.ndarray]]:
        """Return the summed log-likelihood and its gradient, of the parameters' own shapes."""
        value, *slopes = self._at(params)[len(self.model.responses) + len(self._played) :]
        return float(value), dict(zip(self.model.parameters, slopes, strict=True))

    def _at(self, params: Arrays) -> list[np.ndarray]:
        key = tuple((name, value.shape, value.tobytes()) for name, value in sorted(params.items()))
        if self._last is None or self._last[0] != key:
            self._last = (key, self._call("everything", params))
        return self._last[1]

    def _outputs(self, which: str, inputs: Mapping[str, Any]) -> list[Any]:
        arguments, played = self._loop.both(inputs)
        log_p = self._log_probabilities(arguments)
        return [*log_p, *(played[name] for name in self._played), *self._total_and_slopes(log_p, inputs)]
