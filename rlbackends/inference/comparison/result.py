"""What a comparison of fits gives: a table, pointwise values, weights, and sentences that say what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import SettingError, did_you_mean, listed
from rlbackends.inference.comparison.scores import QUESTIONS, CrossValidation, cell_index, standard_error
from rlbackends.inference.comparison.weights import model_weights

if TYPE_CHECKING:
    import pandas as pd

_SMALL = 4.0  # below such a difference the normal approximation of its error is poor (Sivula et al. 2025)
_FEW = 100  # cells, too


class Comparison:
    """Models side by side, by how well they predict what they did not see: made by :func:`rlbackends.compare`.

    Attributes
    ----------
    by : {"trial", "subject"}
        What was left out.
    scores : mapping of str to CrossValidation
        By model, best first; all have the same cells in the same order.
    """

    def __init__(self, by: str, scores: Mapping[str, CrossValidation], weighting: str) -> None:
        self.by = by
        self.scores = dict(sorted(scores.items(), key=lambda item: -item[1].elpd))
        self.weighting = weighting

    @cached_property
    def _matrix(self) -> np.ndarray:
        return np.column_stack([item.elpd_i for item in self.scores.values()])

    @property
    def best(self) -> str:
        """The model with the highest expected log predictive density."""
        return next(iter(self.scores))

    @cached_property
    def weights(self) -> pd.Series:
        """A weight for each model, with which to average predictions."""
        import pandas as pd

        return pd.Series(model_weights(self.weighting, self._matrix), index=list(self.scores), name="weight")

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row a model, best first.

        ``elpd`` is the expected log predictive density and ``se`` its standard error; ``difference`` that from the best
        model, with ``difference_se``, over the same cells; ``p`` the effective number of parameters; ``weight`` as in
        :attr:`weights`; ``best_for`` how many cells the model predicts best (ties count for each); ``bad_k`` how many
        cells' values can't be relied on; ``refitted`` how many come from fits without them.
        """
        import pandas as pd

        matrix = self._matrix
        is_best = matrix >= matrix.max(axis=1, keepdims=True) - 1e-12
        rows = {}
        for i, (name, item) in enumerate(self.scores.items()):
            apart = self.difference(name, self.best)
            rows[name] = {
                "elpd": item.elpd, "se": item.se, "difference": apart[0], "difference_se": apart[1], "p": item.p,
                "weight": float(self.weights[name]), "best_for": int(is_best[:, i].sum()),
                "bad_k": int(item.is_bad.sum()), "refitted": int(item.refitted.sum()),
            }  # fmt: skip
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")

    @cached_property
    def pointwise(self) -> pd.DataFrame:
        """Expected log predictive densities: a row a cell, a column a model."""
        import pandas as pd

        cells = next(iter(self.scores.values())).cells
        return pd.DataFrame(self._matrix, index=cell_index(self.by, cells), columns=list(self.scores))

    def difference(self, first: str, second: str) -> tuple[float, float]:
        """Return how much higher the first model's elpd is than the second's, and the standard error of that.

        Parameters
        ----------
        first, second : str
            Names of models.

        Returns
        -------
        difference, standard_error : float
            The standard error is that of a sum of paired differences over cells; 0 for a model and itself.
        """
        for name in (first, second):
            if name not in self.scores:
                raise SettingError(
                    f"difference: there is no model '{name}'. There are {listed(self.scores)}."
                    f"{did_you_mean(name, self.scores)}"
                )
        apart = self.scores[first].elpd_i - self.scores[second].elpd_i
        return float(apart.sum()), standard_error(apart) if first != second else 0.0

    def plot(self, *, figure: Any = None) -> Any:
        """Show the comparison (:func:`rlbackends.plots.plot_comparison`)."""
        import rlbackends

        return rlbackends.plots.plot_comparison(self, figure=figure)

    # In words

    @property
    def _things(self) -> tuple[str, str]:
        return ("response", "responses") if self.by == "trial" else ("subject", "subjects")

    def title(self) -> str:
        """Return what was compared and how."""
        n_cells, what = len(self._matrix), self._things[1]
        methods = {"leave-one-out" if item.method == "psis" else f"{item.n_fits}-fold" for item in self.scores.values()}
        people = ""
        if self.by == "trial":
            people = f" of {len({cell[0] for cell in next(iter(self.scores.values())).cells})} subjects"
        how = " and ".join(sorted(methods))
        return f"{len(self.scores)} models compared by {self.by}: {how} on {n_cells} {what}{people}"

    def sentences(self) -> list[str]:
        """Return what the table says, a sentence or two each, cautions included."""
        return [f"This asks {QUESTIONS[self.by]}.", *self._verdicts(), *self._cautions()]

    def _verdicts(self) -> list[str]:
        said = []
        unsure = []
        for name in list(self.scores)[1:]:
            apart, se = self.difference(self.best, name)
            if apart < _SMALL or apart < 2 * se:
                unsure.append((name, apart, se))
            else:
                errors = f", {apart / se:.1f} standard errors ({se:.1f})" if se > 1e-6 * apart else ""
                said.append(f"{self.best} predicts better than {name}: its elpd is {apart:.1f} higher{errors}.")
        for name, apart, se in unsure:
            why = "less than 4" if apart < _SMALL else "less than two standard errors"
            said.append(
                f"{self.best} and {name} can't be told apart: the difference is {apart:.1f} with a standard error of "
                f"{se:.1f}, and {why} is little."
            )
        return said

    def _cautions(self) -> list[str]:
        said = []
        one, many = self._things
        if len(self._matrix) < _FEW:
            said.append(f"With {len(self._matrix)} {many} the standard errors are themselves rough.")
        for name, item in self.scores.items():
            n_bad, n_refitted = int(item.is_bad.sum()), int(item.refitted.sum())
            if n_refitted and item.method == "psis":
                cells = [cell for cell, flag in zip(item.cells, item.refitted, strict=True) if flag]
                how = f"in {item.n_fits} fits, several at a time"
                if item.n_fits == n_refitted:
                    how = "each by a fit without it"
                said.append(
                    f"{name}: {n_refitted} {one if n_refitted == 1 else many} with a high Pareto k computed anew, "
                    f"{how} ({_cells(self.by, cells)})."
                )
            if n_bad:
                cells = [cell for cell, flag in zip(item.cells, item.is_bad, strict=True) if flag]
                said.append(
                    f"{name}: Pareto k is above {item.limit:.2f} for {n_bad} {one if n_bad == 1 else many}, whose "
                    f"values are rough ({_cells(self.by, cells)}). With refit on, they come from fits without them."
                )
            if item.integration_error * len(item.cells) > 1.0:
                said.append(
                    f"{name}: subjects' parameters are integrated out roughly; a subject's value may be "
                    f"{item.integration_error:.2g} off."
                )
        return said

    def __repr__(self) -> str:
        import textwrap

        table = self.table
        idle = [name for name in ("bad_k", "refitted") if not table[name].any()]
        shown = table.drop(columns=idle).dropna(axis=1, how="all")
        formats = {name: "{:.1f}".format for name in ("elpd", "se", "difference", "difference_se", "p")}
        text = shown.rename_axis(None).to_string(formatters={**formats, "weight": "{:.2f}".format})
        said = [textwrap.fill(sentence, 110, subsequent_indent="  ") for sentence in self.sentences()]
        return "\n".join([self.title(), "", text, "", *said])


def _cells(by: str, cells: list[Any]) -> str:
    """Return the first few cells in words."""
    words = [f"subject {cell}" if by == "subject" else f"subject {cell[0]}, trial {cell[1]}" for cell in cells[:3]]
    return "; ".join(words) + (f"; and {len(cells) - 3} more" if len(cells) > 3 else "")
