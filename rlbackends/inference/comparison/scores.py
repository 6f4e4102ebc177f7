"""How well a fit predicts what was left out, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.inference.comparison.psis import HARMLESS

if TYPE_CHECKING:
    import pandas as pd

QUESTIONS = {
    "trial": (
        "how well one more response of a known person is predicted, from that person's other trials, before and after"
    ),
    "subject": "how well the responses of a new person are predicted, of whom nothing is known",
}
"""Which question leaving out a trial, or a subject, answers."""


@dataclass(frozen=True)
class CrossValidation:
    """How well a fit predicts cells that were left out: made by :func:`rlbackends.kfold`, and part of a comparison.

    Attributes
    ----------
    name : str
        The model's.
    by : {"trial", "subject"}
        What a cell is: a response, or all responses of a subject.
    method : str
        How it was found: ``"psis"`` or ``"kfold"``.
    cells : tuple
        A cell's key: (subject, trial, response), or the subject.
    elpd_i : numpy.ndarray
        (cell,) expected log predictive density.
    p_i : numpy.ndarray
        (cell,) how much better a cell is predicted when it is not left out: summed, the effective number of parameters.
    pareto_k : numpy.ndarray
        (cell,) how heavy the tail of the importance weights is; NaN where there was no need of weights.
    span : numpy.ndarray
        (cell,) range of the log-likelihood over draws.
    limit : float
        The Pareto k up to which the draws suffice.
    refitted : numpy.ndarray
        (cell,) whether it was left out of a fit of its own, or together with others.
    n_fits : int
        How many fits that took.
    integration_error : float
        By subject: how far off a subject's value may be at most, on average, because its parameters are integrated out
        with finitely many points.
    """

    name: str
    by: str
    method: str
    cells: tuple[Any, ...]
    elpd_i: np.ndarray
    p_i: np.ndarray
    pareto_k: np.ndarray
    span: np.ndarray
    limit: float
    refitted: np.ndarray
    n_fits: int = 0
    integration_error: float = field(default=0.0)

    def __post_init__(self) -> None:
        for name in ("elpd_i", "p_i", "pareto_k", "span", "refitted"):
            array = np.array(getattr(self, name))
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def elpd(self) -> float:
        """Expected log predictive density, summed over cells."""
        return float(self.elpd_i.sum())

    @property
    def se(self) -> float:
        """Its standard error over cells."""
        return standard_error(self.elpd_i)

    @property
    def p(self) -> float:
        """Effective number of parameters."""
        return float(self.p_i.sum())

    @property
    def is_bad(self) -> np.ndarray:
        """(cell,) whether its value can't be relied on: a high Pareto k where it matters, and no refit.

        Where a log-likelihood spans less than 0.05 over all draws, no weights could move it further.
        """
        with np.errstate(invalid="ignore"):
            return (self.pareto_k > self.limit) & (self.span > HARMLESS) & ~self.refitted

    @property
    def table(self) -> pd.DataFrame:
        """A row a cell."""
        import pandas as pd

        frame = pd.DataFrame(index=cell_index(self.by, self.cells))
        frame["elpd"] = self.elpd_i
        frame["pareto_k"] = self.pareto_k
        frame["refitted"] = self.refitted
        return frame

    def ordered(self, cells: tuple[Any, ...]) -> CrossValidation:
        """Return the same in another order of the same cells."""
        place = {cell: i for i, cell in enumerate(self.cells)}
        order = [place[cell] for cell in cells]
        arrays = {name: getattr(self, name)[order] for name in ("elpd_i", "p_i", "pareto_k", "span", "refitted")}
        return replace(self, cells=tuple(cells), **arrays)

    def __repr__(self) -> str:
        what = "responses" if self.by == "trial" else "subjects"
        how = "leave-one-out (PSIS)" if self.method == "psis" else f"{self.n_fits}-fold"
        bad = int(self.is_bad.sum())
        lines = [
            f"CrossValidation({self.name}: {how} by {self.by}, {len(self.cells)} {what})",
            f"elpd {self.elpd:.1f} (standard error {self.se:.1f}), effective number of parameters {self.p:.1f}",
            f"It says {QUESTIONS[self.by]}.",
        ]
        if bad:
            lines.append(f"Pareto k is above {self.limit:.2f} for {bad} {what}: their values are rough.")
        return "\n".join(lines)


def standard_error(values: np.ndarray) -> float:
    """Return the standard error of a sum of cells' values; NaN of a single cell."""
    return float(np.sqrt(values.size) * np.std(values, ddof=1)) if values.size > 1 else float("nan")


def cell_index(by: str, cells: tuple[Any, ...]) -> Any:
    """Return the index of a table of cells."""
    import pandas as pd

    if by == "subject":
        return pd.Index(list(cells), name="subject")
    return pd.MultiIndex.from_tuples(cells, names=["subject", "trial", "response"])
