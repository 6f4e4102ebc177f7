"""``rl.compare``: which model predicts better, or explains better for its number of parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rlbackends.errors import SettingError, did_you_mean, listed
from rlbackends.inference.comparison.by_subject import subject_scores
from rlbackends.inference.comparison.by_trial import trial_scores
from rlbackends.inference.comparison.refits import BY, Refits, answer_high_k, can_refit, check_can_compare
from rlbackends.inference.comparison.result import Comparison
from rlbackends.inference.comparison.same_data import same_cells
from rlbackends.inference.comparison.scores import CrossValidation
from rlbackends.inference.comparison.weights import METHODS

if TYPE_CHECKING:
    from rlbackends.inference.comparison.points import EstimateComparison

_WHERE = "compare"


def compare(
    fits: Sequence[Any] | Mapping[str, Any],
    *,
    by: str = "trial",
    refit: bool | str = "auto",
    max_refits: int = 10,
    weights: str = "stacking",
    seed: int = 0,
    refit_settings: Mapping[str, Any] | None = None,
    progress: str = "auto",
) -> Comparison | EstimateComparison:
    """Compare models that were fitted to the same responses.

    Fits are compared by how well they predict what was left out, responses or whole subjects; point estimates by
    information criteria and, where they have log evidence, by random-effects model selection.

    Parameters
    ----------
    fits : sequence, or mapping of str
        Two or more fits, results of :func:`rlbackends.kfold`, or estimates. In a sequence each goes by its model's
        name.
    by : {"trial", "subject"}, default "trial"
        What is left out: one response, given the other trials of the same subject, before and after; or all responses
        of one subject, who is then a new person, with its parameters integrated out. These are different questions.
    refit : {"auto", True, False}, default "auto"
        What is done about cells for which importance sampling fails (a high Pareto k): ``"auto"`` fits the model again
        without each of them if they are at most ``max_refits``; True does it always, several at a time if they are
        more; False never.
    max_refits : int, default 10
        How many fits that may take, for each model.
    weights : {"stacking", "pseudo-bma"}, default "stacking"
        How models are weighted.
    seed : int, default 0
        Of the refits, and of the points with which subjects' parameters are integrated out.
    refit_settings : mapping, optional
        Settings of :class:`rlbackends.Fitter` that replace those of the fits in refits.
    progress : {"auto", "off"}, default "auto"
        Whether each refit is told on standard error.

    Returns
    -------
    Comparison or EstimateComparison

    Raises
    ------
    DataError
        If the models were fitted to different responses; it says which differ first.
    SettingError
        If there are fewer than two, two of one name, fits mixed with estimates, or a fit that can't be compared.

    Notes
    -----
    **By trial**: Pareto-smoothed importance sampling on each response's log-likelihood. Responses whose log-likelihood
    does not depend on the draw, such as a first choice among equal values, count with that value, in every model.

    **By subject**: the marginal likelihood of a subject given the group, ``∫ p(y_s | θ) p(θ | group) dθ``, is found by
    importance sampling at 1,000 draws of the group, and Pareto-smoothed importance sampling over these draws leaves
    the subject out.

    In a refit the responses that are left out still drive learning. A trial's responses are left out together.

    References
    ----------
    Vehtari, A., Gelman, A., & Gabry, J. (2017). Practical Bayesian model evaluation using leave-one-out
    cross-validation and WAIC. *Statistics and Computing, 27*, 1413–1432.

    Yao, Y., Vehtari, A., Simpson, D., & Gelman, A. (2018). Using stacking to average Bayesian predictive
    distributions. *Bayesian Analysis, 13*, 917–1007.

    Sivula, T., Magnusson, M., Matamoros, A. A., & Vehtari, A. (2025). Uncertainty in Bayesian leave-one-out
    cross-validation based model comparison. *Bayesian Analysis*.

    Examples
    --------
    >>> import rlbackends as rl
    >>> comparison = rl.compare([rl.load("one.nc"), rl.load("two.nc")], by="subject")  # doctest: +SKIP
    >>> comparison.table  # doctest: +SKIP
    """
    _check(by, refit, max_refits, weights)
    named = named_items(_WHERE, fits)
    kinds = {_kind(name, item) for name, item in named.items()}
    if kinds == {"estimates"}:
        from rlbackends.inference.comparison.points import compare_estimates

        return compare_estimates(_WHERE, named)
    if "estimates" in kinds:
        raise SettingError(
            f"{_WHERE}: some of {listed(named)} are fits, others point estimates; compare one with its like."
        )
    sampled = {name: item for name, item in named.items() if not isinstance(item, CrossValidation)}
    for name, item in sampled.items():
        check_can_compare(_WHERE, name, item)
    cells: tuple[Any, ...] = ()
    if sampled:
        shared = same_cells(_WHERE, {name: (item.data, item.model.responses) for name, item in sampled.items()})
        cells = shared.subjects if by == "subject" else tuple(shared.values)
    scores = {}
    for name, item in named.items():
        if isinstance(item, CrossValidation):
            scores[name] = item
            continue
        found = trial_scores(_WHERE, name, item) if by == "trial" else subject_scores(name, item, seed=seed)
        n_bad = int(found.is_bad.sum())
        settings = refit_settings or {}
        wanted = refit is True or (refit == "auto" and n_bad <= max_refits and can_refit(item, settings))
        if n_bad and wanted:
            found = answer_high_k(found, Refits(_WHERE, name, item, settings, seed, progress), max_refits)
        scores[name] = found
    return Comparison(by, _aligned(by, scores, cells), weights)


def _check(by: Any, refit: Any, max_refits: Any, weights: Any) -> None:
    faults = []
    if by not in BY:
        faults.append(f"by is {by!r}, expected {listed(BY)}.{did_you_mean(str(by), BY)}")
    if not isinstance(refit, bool) and refit != "auto":
        faults.append(f"refit is {refit!r}, expected 'auto', True or False.")
    if isinstance(max_refits, bool) or not isinstance(max_refits, int) or max_refits < 2:
        faults.append(f"max_refits is {max_refits!r}, expected a whole number of at least 2.")
    if weights not in METHODS:
        faults.append(f"weights is {weights!r}, expected {listed(METHODS)}.{did_you_mean(str(weights), METHODS)}")
    if faults:
        raise SettingError(f"{_WHERE}: {' '.join(faults)}")


def named_items(where: str, given: Any) -> dict[str, Any]:
    """Return what is compared by name: two or more."""
    if isinstance(given, Mapping):
        pairs = [(str(name), item) for name, item in given.items()]
    elif isinstance(given, Sequence) and not isinstance(given, str):
        pairs = [(_name(item), item) for item in given]
    else:
        raise SettingError(
            f"{where}: there is a {type(given).__name__}, expected a list or a dict of what is compared."
        )
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SettingError(
            f"{where}: {listed(twice)} is the name of several. Name them yourself: {{'one': ..., 'two': ...}}."
        )
    if len(pairs) < 2:
        raise SettingError(f"{where}: there is {listed(names)}, expected at least two models.")
    return dict(pairs)


def _name(item: Any) -> str:
    named = item if isinstance(item, CrossValidation) else getattr(item, "model", None)
    return str(getattr(named, "name", "?"))


def _kind(name: str, item: Any) -> str:
    from rlbackends.inference.estimates import Estimates
    from rlbackends.inference.result import Fit

    if isinstance(item, Fit | CrossValidation):
        return "fit"
    if isinstance(item, Estimates):
        return "estimates"
    raise SettingError(
        f"{_WHERE}: '{name}' is a {type(item).__name__}, expected what rl.fit, rl.load, rl.kfold or "
        "rl.estimate returns."
    )


def _aligned(by: str, scores: Mapping[str, CrossValidation], cells: tuple[Any, ...]) -> dict[str, CrossValidation]:
    """Return scores with their cells in one order: that of ``cells``, if there are any."""
    first = next(iter(scores.values()))
    for name, item in scores.items():
        if item.by != by:
            raise SettingError(f"{_WHERE}: '{name}' is cross-validated by {item.by}; give by={item.by!r}.")
        if set(item.cells) != set(first.cells):
            other = next(iter(set(item.cells) ^ set(first.cells)))
            raise SettingError(f"{_WHERE}: '{name}' and '{first.name}' are of different cells: {other} is in one only.")
    return {name: item.ordered(cells or first.cells) for name, item in scores.items()}
