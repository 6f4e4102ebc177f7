"""Comparing point estimates: information criteria and, with log evidence, random-effects model selection."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import SettingError
from rlbackends.inference.comparison.same_data import same_cells

if TYPE_CHECKING:
    import pandas as pd

    from rlbackends.inference.comparison.selection import ModelSelection
    from rlbackends.inference.estimates import Estimates

_STRONG = 10.0  # a difference of BIC beyond which the evidence is called very strong (Raftery 1995)


class EstimateComparison:
    """Models side by side, by information criteria: made by :func:`rlbackends.compare` of estimates.

    Attributes
    ----------
    estimates : mapping of str to Estimates
        What was compared, in the order in which it was given.
    """

    def __init__(self, estimates: Mapping[str, Estimates]) -> None:
        self.estimates = dict(estimates)

    @cached_property
    def pointwise(self) -> pd.DataFrame:
        """A row a subject; columns ``(criterion, model)``: ``log_likelihood``, ``aic``, ``bic``, ``log_evidence``."""
        import pandas as pd

        columns: dict[tuple[str, str], np.ndarray] = {}
        for name, item in self.estimates.items():
            columns["log_likelihood", name] = item.log_likelihood
            columns["aic", name] = item.aic("subject")
            columns["bic", name] = item.bic("subject")
            if item.log_evidence is not None:
                columns["log_evidence", name] = item.log_evidence
        first = next(iter(self.estimates.values()))
        frame = pd.DataFrame(columns, index=pd.Index(list(first.subjects), name="subject"))
        frame.columns = pd.MultiIndex.from_tuples(list(columns), names=["criterion", "model"])
        return frame.sort_index(axis=1, level="criterion", sort_remaining=False)

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row a model, the lowest BIC first.

        ``log_likelihood`` is summed over subjects, ``n_parameters`` are those of a subject; ``aic`` and ``bic`` are
        sums over subjects, with the difference from the lowest; ``lowest_aic`` and ``lowest_bic`` count the subjects
        for which the model has the lowest; ``log_evidence`` is a sum, if all have it; ``integrated_bic`` is of groups
        found by ``method="em"``.
        """
        import pandas as pd

        rows = {}
        wins = {key: self._lowest(key) for key in ("aic", "bic")}
        for name, item in self.estimates.items():
            rows[name] = {
                "log_likelihood": float(np.nansum(item.log_likelihood)), "n_parameters": len(item.link_scale),
                "aic": item.aic(), "aic_difference": 0.0, "bic": item.bic(), "bic_difference": 0.0,
                "lowest_aic": wins["aic"][name], "lowest_bic": wins["bic"][name],
            }  # fmt: skip
            if self._have("log_evidence"):
                rows[name]["log_evidence"] = float(np.nansum(item.log_evidence))  # type: ignore[arg-type]
            if self._have("group"):
                rows[name]["integrated_bic"] = item.group.integrated_bic  # type: ignore[union-attr]
        frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")
        for key in ("aic", "bic"):
            frame[f"{key}_difference"] = frame[key] - frame[key].min()
        return frame.sort_values("bic", kind="stable")

    def _have(self, attribute: str) -> bool:
        return all(getattr(item, attribute) is not None for item in self.estimates.values())

    def _lowest(self, criterion: str) -> dict[str, int]:
        frame = self.pointwise[criterion].dropna()
        is_lowest = frame.le(frame.min(axis=1) + 1e-9, axis=0)
        return {str(name): int(count) for name, count in is_lowest.sum().items()}

    @cached_property
    def weights(self) -> pd.DataFrame:
        """Each subject's weights of the models by AIC and BIC: columns ``(criterion, model)``, rows that sum to 1."""
        import pandas as pd

        parts = {}
        for key in ("aic", "bic"):
            values = self.pointwise[key]
            share = np.exp(-0.5 * values.sub(values.min(axis=1), axis=0))
            parts[key] = share.div(share.sum(axis=1), axis=0)
        return pd.concat(parts, axis=1, names=["criterion", "model"])

    @cached_property
    def selection(self) -> ModelSelection | None:
        """Random-effects model selection, if all estimates have log evidence; else None."""
        from rlbackends.inference.comparison.selection import select_models

        return select_models(self.estimates) if self._have("log_evidence") else None

    def plot(self, *, figure: Any = None) -> Any:
        """Show the comparison (:func:`rlbackends.plots.plot_comparison`)."""
        import rlbackends

        return rlbackends.plots.plot_comparison(self, figure=figure)

    def title(self) -> str:
        """Return what was compared and how."""
        n_subjects = int((next(iter(self.estimates.values())).n_observations > 0).sum())
        return f"{len(self.estimates)} models compared by information criteria, on estimates of {n_subjects} subjects"

    def sentences(self) -> list[str]:
        """Return what the table says."""
        table = self.table
        best, second = table.index[0], table.index[1]
        said = [
            f"{best} has the lowest BIC, {table['bic_difference'].iloc[1]:.1f} below {second}; it is the lowest for "
            f"{table['lowest_bic'].iloc[0]} of {len(self.pointwise.dropna())} subjects."
        ]
        by_aic = str(table["aic"].idxmin())
        if by_aic != best:
            said.append(f"By AIC it is {by_aic}: BIC charges more for a parameter.")
        if table["bic_difference"].iloc[1] < _STRONG:
            said.append("A difference of less than 10 is no strong evidence.")
        for name, item in self.estimates.items():
            lost = int((~item.converged & (item.n_observations > 0)).sum())
            if lost:
                said.append(f"{name}: {lost} subjects' searches did not converge, so that its criteria are too high.")
        return said

    def __repr__(self) -> str:
        import textwrap

        text = self.table.rename_axis(None).to_string(float_format=lambda x: f"{x:.1f}")
        said = [textwrap.fill(sentence, 110, subsequent_indent="  ") for sentence in self.sentences()]
        parts = [self.title(), "", text, "", *said]
        if self.selection is not None:
            parts += ["", repr(self.selection)]
        return "\n".join(parts)


def check_same(where: str, named: Mapping[str, Estimates]) -> None:
    """Raise ``DataError`` unless estimates are of the same responses."""
    same_cells(where, {name: (item.data, item.model.responses) for name, item in named.items()})


def compare_estimates(where: str, named: Mapping[str, Estimates]) -> EstimateComparison:
    """Return the comparison of point estimates of the same responses."""
    check_same(where, named)
    for name, item in named.items():
        if item.data.held_out is not None:
            raise SettingError(f"{where}: '{name}' does not count all responses; compare estimates that do.")
    return EstimateComparison(named)
