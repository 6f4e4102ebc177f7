"""A whole comparison, each sampler in a process of its own: the wrong one is named, a dead one is a row, nothing is
computed twice.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import BackendError, DataError, SettingError
from rlbackends.studies.samplers.measure import memory
from tests.studies.samplers.fakes import BACKEND, DATA, MODEL, POPULATION

compare_module = importlib.import_module("rlbackends.studies.samplers.compare")
MODEL_WITH_CHOICES = rl.catalogue.rescorla_wagner()
RIGHT = {"backend": BACKEND, "sampler": "exact", "name": "right"}
NARROW = {"backend": BACKEND, "sampler": "exact", "name": "narrow", "sampler_settings": {"scale": 0.8, "seconds": 0.5}}
DEAD = {"backend": BACKEND, "sampler": "dies", "name": "dead"}
MODE = {"backend": BACKEND, "sampler": "mode", "name": "mode"}
NORMAL = {"backend": BACKEND, "sampler": "normal", "name": "shifted", "sampler_settings": {"shift": 0.5}}


def compare(samplers, **changes):
    given = {"population": POPULATION, "draws": 400, "tune": 100, "chains": 4, "progress": "off", **changes}
    return rl.compare_samplers(MODEL, DATA, samplers, **given)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("samplers") / "four"


@pytest.fixture(scope="module")
def found(folder):
    return compare([NARROW, RIGHT, DEAD, NORMAL, MODE], folder=folder)


def test_the_wrong_one_of_two_is_named(found):
    assert found.reference == "right"
    agrees = found.table["agrees"]
    assert (agrees["right"], agrees["narrow"], agrees["shifted"]) == (True, False, None)
    words = found.agreement_words()
    assert "narrow DISAGREES with right: the share of draws below mu[" in words
    assert "The density's own slope says that narrow is the wrong one" in words
    beside = found.agreement.loc["narrow"]
    assert beside["sd_low"] == pytest.approx(0.8, abs=0.05) and beside["sd_high"] == pytest.approx(0.8, abs=0.05)
    assert beside["width"] == pytest.approx(0.64, abs=0.08)
    assert found.agreement.loc["right", "width"] == pytest.approx(1.0, abs=0.15)
    # Twice as fast, and not recommended.
    assert found.table.loc["narrow", "ess_bulk_per_second"] > found.table.loc["right", "ess_bulk_per_second"]
    assert found.recommendation.startswith("Take right, the only one that is left")
    assert "narrow draws from something else" in found.recommendation


def test_a_death_is_a_row_with_its_reason(found):
    assert list(found.table.index) == ["narrow", "right", "dead", "shifted", "mode"]
    assert "ended by SIGKILL (out of memory?)" in found.table.loc["dead", "failure"]
    assert "dead failed: its process was ended by SIGKILL" in found.recommendation
    assert set(found.failed) == {"dead"} and set(found.fits) == {"narrow", "right", "shifted", "mode"}


def test_an_approximation_is_measured_against_the_reference(found):
    beside = found.agreement.loc["shifted"]
    assert beside["mean_sds"] == pytest.approx(0.5, abs=0.15) and beside["sd_low"] == pytest.approx(1.0, abs=0.1)
    said = found.recommendation.partition("Approximations:")[2]
    assert "shifted" in said and "mode" in said
    assert found.agreement.loc["mode", "mean_sds"] < 0.1
    assert np.isnan(found.table.loc["shifted", "ess_bulk_per_second"])


def test_what_is_measured(found):
    row = found.table.loc["right"]
    fit = found.fits["right"]
    assert fit.work == {"gradients": 3 * 4 * 500} and row["gradients"] == 6000
    assert row["ess_bulk"] == fit.diagnostics["ess_bulk_min"] and row["r_hat"] == fit.diagnostics["r_hat_max"]
    assert row["gradients_per_ess"] == pytest.approx(6000 / row["ess_bulk"])
    assert row["ess_bulk_per_second"] == pytest.approx(row["ess_bulk"] / 1.0)
    assert (row["compile_seconds"], row["sample_seconds"], row["saturated"]) == (2.0, 1.0, 0.0)
    assert row["ess_bulk_per_total_second"] == pytest.approx(row["ess_bulk"] / row["process_seconds"])
    assert row["share_of_draws"] == pytest.approx(400 / 500)
    assert row["e_bfmi"] == pytest.approx(2.0, abs=0.4)  # energies of independent draws
    if memory()[0] is not None:
        assert 0 < row["memory_before"] < row["memory_peak"]
        assert row["memory_added"] == pytest.approx(row["memory_peak"] - row["memory_before"])
    assert found.notes["right"]["cache"] == "warm"


def test_it_is_read_again_from_its_folder_and_samplers_can_be_added(found, folder):
    times = {path.name: path.stat().st_mtime_ns for path in (folder / "fits").iterdir()}
    assert len(times) == 4
    more = {**RIGHT, "name": "again", "sampler_settings": {"seconds": 3.0}}
    again = compare([RIGHT, NARROW, more], folder=folder)
    now = {path.name: path.stat().st_mtime_ns for path in (folder / "fits").iterdir()}
    assert len(now) == 5 and {name: now[name] for name in times} == times
    assert again.table.loc["right", "ess_bulk"] == found.table.loc["right", "ess_bulk"]
    assert again.table.loc["again", "agrees"] is True
    assert again.recommendation.startswith("right is the fastest sampler")


def test_another_comparison_is_refused_and_nothing_is_touched(found, folder):
    before = sorted(path.name for path in folder.rglob("*"))
    with pytest.raises(SettingError, match="holds another study") as caught:
        compare([RIGHT, NARROW], folder=folder, draws=500, seed=3)
    assert "settings.draws: the folder has 400, asked for was 500" in str(caught.value)
    assert "seed: the folder has 0, asked for was 3" in str(caught.value)
    assert sorted(path.name for path in folder.rglob("*")) == before


def test_covariates_tell_comparisons_apart(tmp_path, monkeypatch):
    """They are no part of the data's digest."""
    asked = []

    class Stopped(Exception):
        pass

    def study(folder, manifest):
        asked.append(manifest)
        raise Stopped

    monkeypatch.setattr(compare_module, "Study", study)
    for ages in ([20, 30, 40], [20, 30, 50], [20, 30, 50]):
        data = rl.Trials.from_arrays(
            choice=[[0, 1]] * 3, reward=[[1.0, 0.0]] * 3, age=[[age] * 2 for age in ages]
        ).bind(MODEL_WITH_CHOICES)
        with pytest.raises(Stopped):
            rl.compare_samplers(
                MODEL_WITH_CHOICES, data, [{**RIGHT}, {**RIGHT, "name": "again"}], progress="off",
                population=rl.Population(alpha="~ age"),
            )  # fmt: skip
    first, second, third = asked
    assert first["data"] == second["data"]
    assert first != second == third


@pytest.mark.slow
def test_the_limit_ends_a_sampler(tmp_path):
    sleeps = {"backend": BACKEND, "sampler": "sleeps"}
    with pytest.raises(BackendError, match="every sampler failed") as caught:
        fails = {**RIGHT, "sampler_settings": {"seconds": "x"}}
        compare([sleeps, fails], limit=60, cache="cold", folder=tmp_path / "a")
    text = str(caught.value)
    assert "fake:sleeps: it was not done after 60 seconds, the limit that was given" in text
    assert "right: ValueError:" in text
    failed = [json.loads(path.read_text()) for path in (tmp_path / "a" / "failed").iterdir()]
    assert any("in sample" in why["traceback"] for why in failed)  # the traceback is of the sampler's process
    assert not list((tmp_path / "a" / "running").iterdir())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"draws": 0}, "draws is 0, expected a whole number of at least 50: effective sample sizes"),
        ({"chains": 1, "tune": 0}, "tune is 0.*chains is 1, expected a whole number of at least 2, at most 64: one"),
        ({"chains": 65}, "chains is 65, expected a whole number of at least 2, at most 64"),
        ({"chains": 60, "draws": 50}, r"there are more chains \(60\) than draws of each \(50\)"),
        ({"cache": "hot", "limit": 0, "seed": -1}, "seed is -1.*cache is 'hot'.*limit is 0"),
        ({"rate": 2}, "rate is 2, expected how often right samplers may be told apart by chance"),
        ({"target_accept": 1.5}, "target_accept is 1.5"),
        ({"progress": "loud"}, "progress is 'loud'"),
    ],
)
def test_settings_out_of_range_are_told_before_anything_runs(tmp_path, changes, words):
    with pytest.raises(SettingError, match=words):
        compare([RIGHT, NARROW], folder=tmp_path / "a", **changes)
    assert not list(tmp_path.glob("a/fits/*"))


def test_a_folder_of_something_else_and_data_that_do_not_fit(tmp_path):
    (tmp_path / "a.txt").touch()
    with pytest.raises(SettingError, match=r"is not empty \(a.txt\) and holds no study"):
        compare([RIGHT, NARROW], folder=tmp_path)
    with pytest.raises(SettingError, match="there is one sampler"):
        compare([RIGHT], folder=tmp_path / "b")
    data = rl.Trials.from_arrays(subjects=["ann"], choice=[[0, 1]], reward=[[1.0, 0.0]])
    with pytest.raises(DataError):
        rl.compare_samplers(MODEL, data, [RIGHT, NARROW], population=POPULATION, folder=tmp_path / "b")
    assert not (tmp_path / "b").exists()


DRIVER = """
import sys
import rlbackends as rl
from tests.studies.samplers.fakes import BACKEND, DATA, MODEL, POPULATION

if __name__ == "__main__":
    samplers = [
        {"backend": BACKEND, "sampler": "exact", "name": "right"},
        {"backend": BACKEND, "sampler": "sleeps", "sampler_settings": {"note": sys.argv[2]}},
    ]
    rl.compare_samplers(MODEL, DATA, samplers, population=POPULATION, draws=400, tune=100, folder=sys.argv[1],
                        progress="off")
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_comparison_leaves_nobody_behind_and_goes_on(tmp_path, repository):
    (tmp_path / "driver.py").write_text(DRIVER)
    note = tmp_path / "note"
    driver = subprocess.Popen(
        [sys.executable, str(tmp_path / "driver.py"), str(tmp_path / "a"), str(note)],
        env={**os.environ, "PYTHONPATH": str(repository)},
    )  # fmt: skip
    try:
        sleeper = _wait_for(lambda: int(note.read_text()) if note.exists() and note.read_text() else 0)
    finally:
        driver.send_signal(signal.SIGKILL)
        driver.wait()
    assert _wait_for(lambda: not _is_alive(sleeper))
    (kept,) = (tmp_path / "a" / "fits").iterdir()
    before = kept.stat().st_mtime_ns
    found = compare([RIGHT, NARROW], folder=tmp_path / "a")
    assert kept.stat().st_mtime_ns == before and set(found.fits) == {"right", "narrow"}
    assert not list((tmp_path / "a" / "running").iterdir())


def _wait_for(look, seconds=120.0):
    until = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < until
        time.sleep(0.2)
    return seen


def _is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_two_variants_of_a_real_sampler(tmp_path):
    pytest.importorskip("numpyro")
    model = rl.catalogue.rescorla_wagner()
    data = rl.simulate(
        model, rl.tasks.bandit(n_trials=30), {"alpha": 0.3, "beta": 3.0}, subjects=3, backend="reference"
    ).data
    found = rl.compare_samplers(
        model, data, ["numpyro:nuts", "numpyro:nuts:dense_mass=true"], draws=150, tune=150, chains=4,
        folder=tmp_path / "a", progress="off",
    )  # fmt: skip
    table, names = found.table, ["numpyro:nuts", "numpyro:nuts:dense_mass=true"]
    assert list(table.index) == names and not found.failed
    assert list(table["agrees"]) == [True, True]
    assert (table[["gradients", "ess_bulk", "ess_bulk_group", "e_bfmi", "process_seconds"]] > 0).all(axis=None)
    assert (table["share_of_draws"] < 1).all() and (table["gradients_per_ess"] > 1).all()
    assert found.fits[names[1]].settings["dense_mass"] is True
    assert len(found.plot().axes) == 3
