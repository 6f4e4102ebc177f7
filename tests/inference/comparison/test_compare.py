"""What a comparison of fits says: cells in their places, differences, weights, words; and what it refuses."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.backends.chains import ChainResults
from rlbackends.errors import DataError, SettingError
from rlbackends.inference import Fit
from rlbackends.inference.certificate import certify
from rlbackends.inference.comparison import Comparison, CrossValidation
from rlbackends.inference.comparison.weights import pseudo_bma, stacking
from rlbackends.inference.tree import posterior_tree
from tests.inference.comparison import exact_group
from tests.inference.comparison.exact_group import BACKEND, exact_fit

SUBJECTS, TRIALS = ["ann", "bob", "cem"], 10


def said(comparison):
    """Return a comparison's words without its line breaks."""
    return repr(comparison).replace("\n  ", " ")


def trials(seed=0, subjects=SUBJECTS, n_trials=TRIALS, levels=(1, 2)):
    """Return choices, one of them missing, and rewards."""
    rng = np.random.default_rng(seed)
    choice = rng.integers(1, 3, (len(subjects), n_trials)).astype(float)
    choice[1, 4] = np.nan
    reward = rng.integers(0, 2, choice.shape).astype(float)
    return rl.Trials.from_arrays(subjects=subjects, levels={"choice": list(levels)}, choice=choice, reward=reward)


def biased():
    """Return a model whose first choice depends on a parameter, too."""

    def choice(q, beta, bias):
        return rl.Categorical(logits=beta * q + bias * rl.one_hot(1, 2))

    def learn(q, choice, reward, alpha):
        return {"q": q.at[choice].add(alpha * (reward - q[choice]))}

    return rl.Model(
        "biased",
        parameters={
            "alpha": rl.Parameter(rl.UnitInterval()), "beta": rl.Parameter(rl.Positive()),
            "bias": rl.Parameter(rl.RealLine()),
        },
        states={"q": rl.State("action", initial=0.0)},
        trial={"choice": choice, "reward": rl.Real()}, update=learn, sizes={"action": 2},
    )  # fmt: skip


def noise_fit(model, data, seed=0, log_likelihood=True, spread=0.3, settings=None):
    """Return a fit that no sampler made: its draws are noise around the prior's middle."""
    compiled = rl.compile(model, data)
    rng = np.random.default_rng(seed)
    z = {v.name: spread * rng.normal(size=(2, 100, *compiled.layout.shape(v))) for v in compiled.layout.latents}
    results = ChainResults(
        z, {"diverging": np.zeros((2, 100), dtype=bool)}, {"compile_seconds": 0.0, "sample_seconds": 0.0},
        {"sampler": "numpyro.NUTS", **(settings or {})},
    )  # fmt: skip
    certificate = certify(compiled, compiled, points=1, seed=0)
    return Fit(posterior_tree(compiled, z, results, certificate, with_log_likelihood=log_likelihood))


@pytest.fixture(scope="module")
def fits():
    data = trials()
    return noise_fit(rl.catalogue.rescorla_wagner(), data), noise_fit(biased(), data)


def test_cells_are_joined_though_others_are_constant(fits):
    plain, with_bias = fits
    groups = [fit.tree["log_likelihood_constant"] for fit in fits]
    fixed = [set(zip(g["subject"].values.tolist(), g["trial"].values.tolist(), strict=True)) for g in groups]
    assert len(fixed[0]) >= 3 and not fixed[1]  # the first choice of each, and no choice at all
    comparison = rl.compare(fits, refit=False)
    frame = comparison.pointwise
    assert frame.shape == (29, 2) and frame.index.names == ["subject", "trial", "response"]
    assert ("bob", 5, "choice") not in frame.index
    assert list(frame.index[:2]) == [("ann", 1, "choice"), ("ann", 2, "choice")]
    for name, fit in (("rescorla_wagner", plain), ("biased", with_bias)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            loo = fit.loo()
        group = fit.tree["log_likelihood"]
        for i in (0, 5, -1):
            cell = tuple(group[key].values[i].item() for key in ("subject", "trial", "response"))
            assert frame.loc[cell, name] == loo.elpd_i.values[i]
        assert frame[name].sum() == pytest.approx(loo.elpd)
    for subject, trial in fixed[0]:
        assert frame.loc[(subject, trial, "choice"), "rescorla_wagner"] == pytest.approx(np.log(0.5))
    apart = frame["biased"] - frame["rescorla_wagner"]
    found = comparison.difference("biased", "rescorla_wagner")
    assert found == pytest.approx((apart.sum(), np.sqrt(29) * apart.std()))
    assert comparison.difference("biased", "biased") == (0.0, 0.0)


def test_a_table_tells_the_models_apart(fits):
    comparison = rl.compare({"one": fits[0], "two": fits[1]}, refit=False)
    table = comparison.table
    assert list(table.index) == list(comparison.scores) and table["elpd"].is_monotonic_decreasing
    assert table["difference"].iloc[0] == 0.0 and table["difference"].iloc[1] < 0
    assert table["weight"].sum() == pytest.approx(1.0) and table["best_for"].sum() >= 29
    assert comparison.best == table.index[0]
    with pytest.raises(SettingError, match=r"no model 'on'.*Did you mean 'one'"):
        comparison.difference("on", "two")


def scores(name, values, k=None, by="subject"):
    values = np.asarray(values, dtype=float)
    k = np.full(len(values), np.nan) if k is None else np.asarray(k)
    return CrossValidation(
        name, by, "psis", tuple(range(len(values))), values, np.zeros(len(values)), k, np.ones(len(values)), 0.7,
        np.zeros(len(values), dtype=bool),
    )  # fmt: skip


def test_words_say_what_a_difference_is_worth():
    rng = np.random.default_rng(0)
    base = rng.normal(-50, 5, 150)
    clear = Comparison("subject", {"a": scores("a", base), "b": scores("b", base - 1)}, "stacking")
    assert "a predicts better than b: its elpd is 150.0 higher" in repr(clear)
    assert "rough" not in repr(clear)
    close = Comparison("subject", {"a": scores("a", base), "b": scores("b", base - 0.01)}, "stacking")
    assert "can't be told apart" in repr(close) and "less than 4 is little" in repr(close)
    other = base + rng.normal(0, 5, 150) - 0.1
    noisy = Comparison("subject", {"a": scores("a", base), "b": scores("b", other)}, "stacking")
    assert "less than two standard errors is little" in said(noisy)
    few = Comparison("subject", {"a": scores("a", base[:9]), "b": scores("b", base[:9] - 9)}, "stacking")
    assert "With 9 subjects the standard errors are themselves rough." in repr(few)
    bad = Comparison("subject", {"a": scores("a", base[:9], [0.9] + [0.1] * 8), "b": scores("b", base[:9])}, "stacking")
    assert "Pareto k is above 0.70 for 1 subject" in repr(bad) and "new person" in repr(bad)


def test_weights_are_those_of_the_best_mixture():
    rng = np.random.default_rng(1)
    a, b = rng.normal(-2, 1, 400), rng.normal(-2, 1, 400)
    # The score of a mixture of two, on a grid.
    grid = np.linspace(0, 1, 2001)[:, None]
    score = np.log(grid * np.exp(a) + (1 - grid) * np.exp(b)).sum(axis=1)
    found = stacking(np.column_stack([a, b]))
    assert found[0] == pytest.approx(float(grid[score.argmax(), 0]), abs=1e-3)
    low = np.column_stack([a, b]) - 5000.0  # a whole subject's: its exponential is 0
    np.testing.assert_allclose(stacking(low), found, atol=1e-6)
    np.testing.assert_allclose(stacking(np.column_stack([a, a - 1])), [1, 0], atol=1e-4)
    assert pseudo_bma(np.column_stack([a, a]))[0] == pytest.approx(0.5)
    assert pseudo_bma(np.column_stack([a, a - 0.1]))[0] > 0.99


def test_labels_count_not_codes(fits):
    """The same choices under another order of levels are the same choices."""
    turned = noise_fit(rl.catalogue.rescorla_wagner(), trials(levels=(2, 1)))
    assert rl.compare({"a": fits[0], "b": turned}, refit=False).table["elpd"].notna().all()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (trials(1), r"'choice' of subject ann on trial \d+ is [12] in 'a' and [12] in 'b'"),
        (trials(subjects=["ann", "bob", "dag"]), r"subject 'cem' is in 'a' and not in 'b'"),
        (trials(n_trials=8), r"'a' has 29 observed responses, 'b' has 23: 'choice' of subject"),
    ],
)  # fmt: skip
def test_fits_of_different_responses_are_refused(fits, data, said):
    other = noise_fit(rl.catalogue.rescorla_wagner(), data)
    with pytest.raises(DataError, match=said):
        rl.compare({"a": fits[0], "b": other})


def test_what_can_not_be_compared_is_refused(fits):
    plain, _ = fits
    with pytest.raises(SettingError, match="at least two models"):
        rl.compare([plain])
    with pytest.raises(SettingError, match=r"'rescorla_wagner' is the name of several"):
        rl.compare([plain, plain])
    with pytest.raises(SettingError, match=r"by is 'subjects'.*Did you mean 'subject'"):
        rl.compare(fits, by="subjects")
    with pytest.raises(SettingError, match=r"refit is 'yes'.*max_refits is 0.*weights is 'waic'"):
        rl.compare(fits, refit="yes", max_refits=0, weights="waic")
    with pytest.raises(SettingError, match="'b' is a int"):
        rl.compare({"a": plain, "b": 3})
    with pytest.raises(SettingError, match="there is a Fit"):
        rl.compare(plain)
    blind = noise_fit(biased(), trials(), log_likelihood=False)
    with pytest.raises(SettingError, match=r"'biased' was fitted with log_likelihood=False.*by='subject'"):
        rl.compare([plain, blind], refit=False)
    point = noise_fit(biased(), trials(), settings={"kind": "point"})
    with pytest.raises(SettingError, match="'biased' is a point"):
        rl.compare([plain, point])
    part = noise_fit(biased(), trials().bind(biased()).holding_out(np.array([True, False, False])))
    with pytest.raises(SettingError, match="'biased' is a fit that does not count all responses"):
        rl.compare([plain, part])
    with pytest.raises(SettingError, match="by is 'person'"):
        plain.loo(by="person")
    with pytest.raises(SettingError, match="folds is 99, expected a whole number from 2 to 3"):
        rl.kfold(plain, folds=99)


def test_high_pareto_k_is_answered_by_refits():
    """Few draws, and an outlier: importance sampling fails for some, and fits without them are right."""
    y = exact_group.trials(seed=3).events["y"].values.copy()
    y[2, 1] = 9.0
    data = rl.Trials.from_arrays(subjects=[f"s{i}" for i in range(8)], y=y)
    fits = {"a": exact_fit(data, count=400), "b": exact_fit(data, count=400, seed=1)}
    rough = rl.compare(fits, refit=False)
    cell = ("s2", 2, "y")
    assert rough.scores["a"].table.loc[cell, "pareto_k"] > rough.scores["a"].limit
    settings = {"backend": BACKEND, "draws": 1000}
    found = rl.compare(fits, refit_settings=settings, progress="off")
    mask = np.zeros((8, 5), dtype=bool)
    mask[2, 1] = True
    exact = exact_group.exact_left_out(fits["a"].data.values["y"], mask)
    for name in fits:
        n_bad = int(rough.scores[name].is_bad.sum())
        assert found.table.loc[name, "refitted"] == n_bad and found.table.loc[name, "bad_k"] == 0
        assert found.scores[name].n_fits == n_bad and found.scores[name].table.loc[cell, "refitted"]
        # The density lies in a tail of 4,000 draws: a relative error of about 0.1.
        assert found.pointwise.loc[cell, name] == pytest.approx(exact, abs=0.4)
    assert "with a high Pareto k computed anew, each by a fit without it (subject s2, trial 2" in said(found)


def test_many_cells_are_left_out_together():
    data = exact_group.trials(seed=3)
    fits = {"a": exact_fit(data, count=40), "b": exact_fit(data, count=40, seed=1)}  # 40 draws: the limit is low
    rough = rl.compare(fits, refit=False)
    assert rough.table["bad_k"].min() > 2
    settings = {"backend": BACKEND, "draws": 250}
    found = rl.compare(fits, refit=True, max_refits=2, refit_settings=settings, progress="off")
    assert (found.table["refitted"] == rough.table["bad_k"][found.table.index]).all()
    assert all(item.n_fits == 2 for item in found.scores.values())
    assert "in 2 fits, several at a time" in said(found)
    assert rl.compare(fits, max_refits=2, refit_settings=settings).table["refitted"].sum() == 0  # "auto": they are many


def test_cross_validations_are_compared():
    fit = exact_fit(exact_group.trials(), count=400)
    settings = {"backend": BACKEND, "draws": 250}
    settings = {"folds": 2, "refit_settings": settings, "progress": "off"}
    ran = [rl.kfold(fit, name=name, seed=i, **settings) for i, name in enumerate("ab")]
    comparison = rl.compare(ran, by="subject")
    assert "2-fold on 8 subjects" in repr(comparison) and sorted(comparison.table.index) == ["a", "b"]
    with pytest.raises(SettingError, match="'a' is cross-validated by subject; give by='subject'"):
        rl.compare(ran)
