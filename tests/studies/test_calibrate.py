"""Calibration: ranks are counted right, uniform for posteriors that are right, and not for those that are wrong.

Posteriors are those of a normal mean with a normal prior, known on paper, so nothing here waits for a Markov chain. The
seeds are fixed; with another one a right posterior fails a band of 95 % once in twenty times.
"""

import io
import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import rlbackends as rl
from rlbackends.errors import SettingError
from rlbackends.studies.calibrate import LIKELIHOOD, Calibration, rank_among, ranked_names, thin
from rlbackends.studies.fits import Record
from rlbackends.studies.folder import Failure
from rlbackends.studies.truth import prior_truth
from tests.studies.exact_sampler import BACKEND, POPULATION, TASK, normal_model, posterior

MODEL = normal_model()
EXACT = dict(
    backend=BACKEND, population=POPULATION, subjects=2, trials=3, thinned=19, draws=30, tune=1, chains=2,
    progress="off", certificate_points=1,
)  # fmt: skip


# Ranks


def test_a_rank_is_how_many_draws_are_below():
    draws = np.array([[1.0, 5.0], [2.0, 6.0], [3.0, 7.0]])
    ranks, normalised = rank_among(draws, np.array([2.5, 9.0]), np.random.default_rng(0))
    assert ranks.tolist() == [2, 3]
    assert ((ranks / 4 <= normalised) & (normalised < (ranks + 1) / 4)).all()


def test_ties_are_broken_by_chance():
    draws = np.zeros((4, 2000))
    ranks, _ = rank_among(draws, np.zeros(2000), np.random.default_rng(0))
    counts = np.bincount(ranks, minlength=5)
    assert counts.shape == (5,) and abs(counts - 400).max() < 80  # four standard deviations


def test_thinning_spreads_evenly_over_all_draws():
    assert thin(10, 10).tolist() == list(range(10))
    assert thin(1000, 4).tolist() == [125, 375, 625, 875]
    kept = thin(1000, 99)
    assert len(set(kept)) == 99 and kept.max() < 1000 and set(np.diff(kept)) == {10, 11}


class Posteriors(dict):
    """Fits of which nothing is known but draws; the sampler may be too narrow, or blind for the data."""

    seconds = 1.0

    def __init__(self, n, thinned, scale=1.0, shift=0.0, blind=False, stickiness=0.0, draws=200):
        super().__init__(dict.fromkeys(range(1, n + 1)))
        self.failed = {}
        layout = POPULATION.layout(MODEL, [1, 2])
        self.truths = {number: prior_truth(layout, (0, number)) for number in self}
        self._settings = (thinned, scale, shift, blind, stickiness, draws)

    def record(self, number):
        thinned, scale, shift, blind, stickiness, n_draws = self._settings
        rng = np.random.default_rng(number)
        mu = self.truths[number].params["mu"]
        y = rng.normal(mu[:, None], 1.0, (2, 3))
        mean, sd = (np.zeros(2), 1.0) if blind else posterior(y)
        noise = rng.normal(size=(1, n_draws, 2))
        for step in range(1, n_draws):
            noise[:, step] = stickiness * noise[:, step - 1] + (1 - stickiness**2) ** 0.5 * noise[:, step]
        draws = mean + shift + scale * sd * noise
        kept = draws[0, thin(n_draws, thinned)]
        notes = {
            "log_likelihood_draws": [self.log_likelihood(y, at) for at in kept],
            "log_likelihood_true": self.log_likelihood(y, mu),
            "divergences": 0, "r_hat_max": 1.0, "ess_bulk_min": 150.0, "ess_tail_min": 150.0, "fit_seconds": 0.5,
            "nth_of_process": number, "process": 1,
        }  # fmt: skip
        return Record(notes, xr.Dataset({"mu": (("chain", "draw", "subject"), draws)}, coords={"subject": [1, 2]}))

    @staticmethod
    def log_likelihood(y, mu):
        return float(-0.5 * ((y - mu[:, None]) ** 2).sum())


def calibrated(n=150, thinned=39, **settings):
    """Return a calibration of made-up posteriors."""
    fits = Posteriors(n, thinned, **settings)
    return Calibration(MODEL, "exact", fits, fits.truths, (1, 2), ["mu", LIKELIHOOD], thinned, 0)


def failing(calibration):
    """Return the quantities that leave their band, with their subject."""
    table = calibration.summary()
    return [(row.variable, None if pd.isna(row.subject) else row.subject) for row in table[~table.inside].itertuples()]


def test_right_posteriors_have_uniform_ranks():
    found = calibrated()
    table = found.summary()
    assert list(table.variable) == ["mu", "mu", LIKELIHOOD] and (table.n == 150).all()
    assert table.inside.all() and (table.p_value > 0.05).all()
    assert table.level.tolist() == pytest.approx([1 - 0.05 / 3] * 3)
    assert "3 of 3 quantities lie within the band" in repr(found)


@pytest.mark.parametrize("wrong", [{"scale": 0.5}, {"scale": 2.0}, {"shift": 0.4}])
def test_wrong_posteriors_are_found_out(wrong):
    found = calibrated(**wrong)
    assert {("mu", 1), ("mu", 2)} <= set(failing(found))
    assert f"{3 - len(failing(found))} of 3 quantities" in repr(found)


def test_draws_from_the_prior_are_found_out_by_the_likelihood_alone():
    # Over data sets the truth is a draw from the prior, too: no rank of a parameter can tell.
    assert failing(calibrated(blind=True)) == [(LIKELIHOOD, None)]


def test_ranks_among_neighbours_of_a_chain_are_not_uniform_and_thinned_ones_are():
    # 400 draws that are worth four independent ones: all of them, and four.
    sticky = dict(stickiness=0.98, draws=400)
    assert failing(calibrated(thinned=400, **sticky))
    assert not failing(calibrated(thinned=4, **sticky))


def test_the_tree_is_laid_out_as_arviz_reads_it():
    found = calibrated(n=30)
    tree = found.ranks
    assert set(tree.children) == {"prior_sbc", "sbc_ranks"} and tree.attrs["n_draws"] == 39
    ranks, normalised = tree["sbc_ranks"].to_dataset(), tree["prior_sbc"].to_dataset()
    assert normalised["mu"].dims == ("chain", "draw", "subject") and normalised["mu"].shape == (1, 30, 2)
    assert normalised[LIKELIHOOD].dims == ("chain", "draw")
    assert ranks["mu"].dtype == np.int64 and int(ranks["mu"].max()) <= 39
    for name in ("mu", LIKELIHOOD):
        np.testing.assert_array_equal(np.floor(normalised[name] * 40), ranks[name])
    record = found.fits.record(7)
    kept = record.posterior["mu"].values[0, thin(200, 39)]
    expected = (kept < found.fits.truths[7].params["mu"]).sum(axis=0)
    np.testing.assert_array_equal(ranks["mu"].sel(draw=7, chain=0), expected)


def test_the_picture_shows_each_quantity():
    figure = calibrated(n=30).plot()
    titles = {axes.get_title(loc="left") or axes.get_title() for axes in figure.axes}
    assert {"mu", LIKELIHOOD} <= titles
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=50)
    assert file.getvalue().startswith(b"\x89PNG")


def test_what_is_told_of_the_fits():
    found = calibrated(n=30)
    found.fits.failed = {31: Failure("RuntimeError", "no")}
    assert "31 data sets, 39 draws of each posterior" in repr(found) and "1 more failed" in repr(found)
    assert found.time == {"wall": 1.0, "fits": 15.0, "per_fit": 0.5, "compile": 0.0, "processes": 1.0}
    few = calibrated(n=30, thinned=160, draws=200)
    assert "In 30 fits a variable has fewer than 160 effective draws" in repr(few)


# From end to end


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Return a calibration of the exact sampler."""
    return rl.calibrate(MODEL, TASK, datasets=20, folder=tmp_path_factory.mktemp("studies") / "sbc", **EXACT)


def test_an_exact_sampler_is_calibrated_from_end_to_end(found):
    table = found.summary()
    assert list(table.variable) == ["mu", "mu", LIKELIHOOD] and (table.n == 20).all() and table.inside.all()
    layout = POPULATION.layout(MODEL, [1, 2])
    for number in (1, 20):
        truth = prior_truth(layout, (0, number)).params["mu"]
        fit = found.fits[number]
        played = rl.simulate(MODEL, TASK, {"mu": truth}, trials=3, seed=(0, number), backend="reference")
        np.testing.assert_allclose(fit.data.values["y"], played.events["y"])
        draws = fit.tree["posterior"]["mu"].values.reshape(60, 2)[thin(60, 19)]
        ranks = found.ranks["sbc_ranks"]
        np.testing.assert_array_equal(ranks["mu"].sel(draw=number, chain=0), (draws < truth).sum(axis=0))
        notes = json.loads(fit.tree.attrs["study"])
        expected = rl.compile(MODEL, fit.data).log_likelihood({"mu": truth})["y"].sum()
        assert notes["log_likelihood_true"] == pytest.approx(float(expected), rel=1e-12)
        at = rl.compile(MODEL, fit.data).log_likelihood({"mu": draws[3]})["y"].sum()
        assert notes["log_likelihood_draws"][3] == pytest.approx(float(at), rel=1e-12)


def test_a_calibration_that_is_done_is_read_again(found):
    again = rl.calibrate(MODEL, TASK, datasets=20, folder=found.fits.folder, **EXACT)
    assert again.ranks.identical(found.ranks)


def test_a_blind_sampler_is_found_out_from_end_to_end():
    settings = EXACT | {"trials": 6, "thinned": 9, "sampler_settings": {"blind": True}}
    blind = rl.calibrate(MODEL, TASK, datasets=20, **settings)
    assert failing(blind) == [(LIKELIHOOD, None)]


def test_ranked_are_the_group_and_each_subjects_own_parameters():
    def names(population):
        return ranked_names(population.layout(rl.catalogue.rescorla_wagner(), [1, 2]))

    assert names(rl.Population()) == ["alpha_location", "alpha_sd", "beta_location", "beta_sd", "alpha", "beta"]
    # A parameter that all share has the rank of its location, and a fixed one has none.
    assert names(rl.Population("complete", beta=2.0)) == ["alpha_location"]
    centred = rl.Pooling("partial", centred=True)
    assert names(rl.Population("none", beta=centred)) == ["beta_location", "beta_sd", "alpha", "beta"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"datasets": 10}, "datasets is 10, expected a whole number of at least 20"),
        ({"thinned": 61}, "thinned is 61, but 2 chains × 30 draws are only 60"),
        ({"thinned": 1}, "thinned is 1"),
        ({"seed": 0.5}, "seed is"),
        ({"draw": 10}, "no setting 'draw'"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, words, tmp_path):
    with pytest.raises(SettingError, match=words):
        rl.calibrate(MODEL, TASK, **{"folder": tmp_path / "study", "datasets": 20, **EXACT, **changes})
    assert not (tmp_path / "study").exists()


@pytest.mark.slow
def test_the_ranks_are_the_same_whatever_the_workers():
    one, two = (
        rl.calibrate(
            rl.catalogue.rescorla_wagner(), rl.tasks.bandit(), backend="numpyro", datasets=20, subjects=3, trials=15,
            draws=60, tune=60, chains=2, progress="off", certificate_points=1, workers=workers,
        )
        for workers in (1, 2)
    )  # fmt: skip
    assert one.ranks.identical(two.ranks)
    assert {"alpha_location", "alpha_sd", "beta_location", "beta_sd", "alpha", "beta", LIKELIHOOD} == set(
        one.ranks["prior_sbc"].data_vars
    )
