"""``rl.select_models``: random-effects Bayesian model selection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import DataError, SettingError, listed
from rlbackends.inference.comparison.dirichlet import equal_frequencies, exceedance, variational_posterior

if TYPE_CHECKING:
    import pandas as pd

_WHERE = "select_models"
_SOURCES = {
    "given": "Log evidence: as given.",
    "laplace": "Log evidence: Laplace's approximation at each subject's estimate.",
    "left out": "Log evidence: how well each subject is predicted by a fit to the others (leave-one-subject-out).",
}


@dataclass(frozen=True, repr=False)
class ModelSelection:
    """How frequent models are among people: made by :func:`rlbackends.select_models`.

    Attributes
    ----------
    table : pandas.DataFrame
        A row a model: ``alpha``, the count of the Dirichlet posterior; ``frequency``, which share of people it is
        expected to describe; ``exceedance``, the probability that it is more frequent than every other model; and
        ``protected``, the same if models may also be equally frequent.
    assigned : pandas.DataFrame
        A row a subject, a column a model: with which probability the subject's data come from it.
    log_evidence : pandas.DataFrame
        What was given, in the same places.
    omnibus_risk : float
        The probability that all models are equally frequent, and differences between them chance (Bayesian omnibus
        risk).
    source : str
        Where the log evidence comes from.
    """

    table: pd.DataFrame
    assigned: pd.DataFrame
    log_evidence: pd.DataFrame
    omnibus_risk: float
    source: str

    def sentences(self) -> list[str]:
        """Return what the numbers say."""
        best = str(self.table["protected"].idxmax())
        row = self.table.loc[best]
        said = [
            f"{best} is expected to describe {100 * row['frequency']:.0f} % of people; that it is more frequent than "
            f"every other model has probability {row['exceedance']:.3f}, or {row['protected']:.3f} if models may be "
            "equally frequent.",
        ]
        if self.omnibus_risk > 0.25:
            said.append(
                f"With probability {self.omnibus_risk:.2f} all models are equally frequent: these data hardly tell "
                "them apart."
            )
        return [*said, _SOURCES[self.source]]

    def __repr__(self) -> str:
        import textwrap

        subjects, models = self.log_evidence.shape
        head = f"Random-effects model selection: {models} models, {subjects} subjects; "
        head += f"Bayesian omnibus risk {self.omnibus_risk:.3f}"
        text = self.table.rename_axis(None).to_string(float_format=lambda x: f"{x:.3f}")
        said = [textwrap.fill(sentence, 110, subsequent_indent="  ") for sentence in self.sentences()]
        return "\n".join([head, "", text, "", *said])


def select_models(log_evidence: Any, *, prior: float = 1.0, seed: int = 0) -> ModelSelection:
    """Ask how frequent each model is among people, when different people may follow different models.

    Parameters
    ----------
    log_evidence : array, pandas.DataFrame, or sequence or mapping of Estimates or Fits
        Each subject's log evidence of each model, subject × model. Estimates bring theirs (Laplace's approximation); of
        fits, the log predictive density of each subject given the others stands in (:func:`rlbackends.compare`
        with ``by="subject"``). ``-bic / 2`` is a rougher one.
    prior : float, default 1.0
        Count of the symmetric Dirichlet prior; 1 makes all frequencies equally likely.
    seed : int, default 0
        Of the points with which subjects of fits are integrated out.

    Returns
    -------
    ModelSelection

    Raises
    ------
    DataError
        If a log evidence is missing or infinite, or the models were fitted to different data.
    SettingError
        If there are fewer than two models, or no subject.

    Notes
    -----
    Frequencies *r* have a Dirichlet prior, a subject's model is drawn with these frequencies, and its data from that
    model. The posterior is approximated by a Dirichlet distribution (variational Bayes), which is surer than the exact
    one where the evidence is weak. Exceedance probabilities are integrated numerically. Protected ones are
    ``exceedance · (1 − risk) + risk / K``, where the risk compares the bound of the log evidence with that of equal
    frequencies.

    References
    ----------
    Stephan, K. E., Penny, W. D., Daunizeau, J., Moran, R. J., & Friston, K. J. (2009). Bayesian model selection for
    group studies. *NeuroImage, 46*, 1004–1017.

    Rigoux, L., Stephan, K. E., Friston, K. J., & Daunizeau, J. (2014). Bayesian model selection for group studies —
    revisited. *NeuroImage, 84*, 971–985.

    Examples
    --------
    >>> import rlbackends as rl
    >>> found = rl.select_models([[-10.0, -14.0], [-12.0, -15.0], [-11.0, -10.5], [-9.0, -13.0]])
    >>> found.table.round(2).values.tolist()
    [[4.75, 0.79, 0.95, 0.76], [1.25, 0.21, 0.05, 0.24]]
    """
    import pandas as pd

    if isinstance(prior, bool) or not isinstance(prior, int | float) or not 0 < prior < np.inf:
        raise SettingError(f"{_WHERE}: prior is {prior!r}, expected a number above 0.")
    frame, source = _read(log_evidence, seed)
    values = frame.to_numpy(dtype=float)
    if values.shape[1] < 2 or not len(values):
        raise SettingError(
            f"{_WHERE}: there are {values.shape[0]} subjects and {values.shape[1]} models, expected a row for each "
            "subject and a column for each of at least two models."
        )
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        s, m = (int(i) for i in wrong[0])
        raise DataError(
            f"{_WHERE}: {len(wrong)} of {values.size} log evidences can't be used. The first is {values[s, m]} for "
            f"subject {frame.index[s]} under '{frame.columns[m]}'. Leave such subjects out of all models."
        )
    found = variational_posterior(values, float(prior))
    risk = float(1.0 / (1.0 + np.exp(np.clip(found.bound - equal_frequencies(values), -700, 700))))
    chance = exceedance(found.alpha)
    table = pd.DataFrame(
        {
            "alpha": found.alpha,
            "frequency": found.alpha / found.alpha.sum(),
            "exceedance": chance,
            "protected": chance * (1 - risk) + risk / len(chance),
        },
        index=frame.columns,
    ).rename_axis("model")
    assigned = pd.DataFrame(found.assigned, index=frame.index, columns=frame.columns)
    return ModelSelection(table, assigned, frame, risk, source)


def _read(given: Any, seed: int) -> tuple[pd.DataFrame, str]:
    """Return log evidence by subject and model, and where it comes from."""
    import pandas as pd

    if isinstance(given, pd.DataFrame):
        try:
            return given.astype(float), "given"
        except (TypeError, ValueError) as error:
            raise DataError(f"{_WHERE}: the table holds something else than numbers: {error}.") from None
    items = list(given.values()) if isinstance(given, Mapping) else list(given) if _is_list(given) else []
    if items and all(hasattr(item, "model") for item in items):
        return _of_results(given, seed)
    try:
        array = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.ndim != 2:
        raise SettingError(
            f"{_WHERE}: there is a {type(given).__name__}, expected numbers, a row a subject and a column a model, or "
            "several estimates or fits."
        )
    return pd.DataFrame(
        array,
        index=pd.RangeIndex(1, len(array) + 1, name="subject"),
        columns=[f"model {i + 1}" for i in range(array.shape[1])],
    ), "given"


def _is_list(given: Any) -> bool:
    return isinstance(given, Sequence) and not isinstance(given, str)


def _of_results(given: Any, seed: int) -> tuple[pd.DataFrame, str]:
    import pandas as pd

    from rlbackends.inference.comparison.compare import compare, named_items
    from rlbackends.inference.comparison.points import check_same
    from rlbackends.inference.estimates import Estimates

    named = named_items(_WHERE, given)
    are_estimates = [isinstance(item, Estimates) for item in named.values()]
    if not any(are_estimates):
        comparison: Any = compare(named, by="subject", seed=seed)
        return comparison.pointwise[list(named)], "left out"
    if not all(are_estimates):
        raise SettingError(f"{_WHERE}: some of {listed(named)} are fits, others point estimates; give one kind.")
    check_same(_WHERE, named)
    lacking = [name for name, item in named.items() if item.log_evidence is None]
    if lacking:
        raise SettingError(
            f"{_WHERE}: {listed(lacking)} was estimated by maximum likelihood, which gives no log evidence. Use "
            "method='map' or 'em', or give a table of -bic / 2."
        )
    first = next(iter(named.values()))
    table = pd.DataFrame(
        {name: np.array(item.log_evidence) for name, item in named.items()},
        index=pd.Index(list(first.subjects), name="subject"),
    )
    return table[first.n_observations > 0], "laplace"
