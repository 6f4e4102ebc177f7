"""Fits that leave their work in a folder: the same call goes on, ``rl.load`` reads it, another fit is refused."""

from __future__ import annotations

import json
import os
import warnings

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.backends.chain_files import read_run
from rlbackends.backends.chains import ChainResults, Interrupted
from rlbackends.backends.registry import BACKENDS, Backend
from rlbackends.backends.runs import Run
from rlbackends.backends.samplers import Sampler
from rlbackends.errors import DataError, SettingError
from rlbackends.inference import checkpoint
from rlbackends.inference.checkpoint import InterruptedFitWarning
from rlbackends.inference.result import ConvergenceWarning

SETTINGS = {"backend": "numpyro", "draws": 30, "tune": 30, "chains": 2, "cores": 1, "progress": "off"}


def trials(seed=1, n_subjects=2, n_trials=12):
    rng = np.random.default_rng(seed)
    return rl.Trials.from_arrays(
        subjects=[f"{seed}-{s}" for s in range(n_subjects)], levels={"choice": [1, 2]},
        choice=rng.integers(1, 3, (n_subjects, n_trials)),
        reward=rng.integers(0, 2, (n_subjects, n_trials)).astype(float),
    )  # fmt: skip


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # far too short to tell anything but equality
        yield


@pytest.fixture(scope="module")
def model():
    return rl.catalogue.rescorla_wagner()


@pytest.fixture(scope="module")
def fitter(model):
    return rl.Fitter(model, **SETTINGS)


@pytest.fixture(scope="module")
def calm(fitter):
    """Return the fit that nobody disturbed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return fitter.fit(trials(), seed=1)


def test_a_run_that_ends_while_it_is_read(fitter, calm, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    fitter.fit(trials(), seed=1, checkpoint=folder)
    (folder / "fit.nc").rename(tmp_path / "later.nc")

    def ends(run):
        (tmp_path / "later.nc").rename(run.fit)
        raise FileNotFoundError("the sampler's files are removed")

    monkeypatch.setattr(checkpoint, "_fit_so_far", ends)
    assert_same_fit(rl.load(folder), calm)


class StoppedAt:
    """The sampler, but Ctrl-C comes when so many draws are there; the chains' files say so, too."""

    def __init__(self, monkeypatch, draws):
        import rlbackends.backends.numpyro.samplers.nuts as module

        self.real, self.draws, self.runs = module.sample, draws, []
        monkeypatch.setattr(module, "sample", self)

    def __call__(self, engine, *, draws, run, **settings):
        self.runs.append(run)
        if self.draws is None:
            raise Interrupted(None)
        results = self.real(engine, draws=self.draws, run=run, **settings)
        raise Interrupted(results)

    @property
    def __signature__(self):
        import inspect

        return inspect.signature(self.real)


def assert_same_fit(found, expected):
    for group in expected.tree.children:
        assert found.tree[group].to_dataset().identical(expected.tree[group].to_dataset()), group
    assert found.certificate == expected.certificate
    assert found.settings == expected.settings
    assert found.is_complete and expected.is_complete


def test_a_checkpoint_changes_no_draw_and_the_finished_fit_comes_at_once(fitter, calm, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    assert_same_fit(fitter.fit(trials(), seed=1, checkpoint=folder, checkpoint_seconds=1e-9), calm)
    assert sorted(os.listdir(folder)) == ["fit.nc", "run.json"]
    monkeypatch.setattr(type(fitter), "_sample", lambda *_: pytest.fail("it samples"))
    again = fitter.fit(trials(), seed=1, checkpoint=folder, output=tmp_path / "fit.nc")
    for found in (again, rl.load(folder), rl.load(tmp_path / "fit.nc")):
        assert_same_fit(found, calm)
    # The output is that of this run: the same call may write it again, others may not.
    fitter.fit(trials(), seed=1, checkpoint=folder, output=tmp_path / "fit.nc")
    with pytest.raises(SettingError, match=r"exists\. Choose another name"):
        fitter.fit(trials(), seed=1, checkpoint=tmp_path / "other", output=tmp_path / "fit.nc")


def test_ctrl_c_gives_the_draws_so_far_and_the_same_call_the_rest(fitter, calm, tmp_path, monkeypatch):
    folder, output = tmp_path / "run", tmp_path / "fit.nc"
    with monkeypatch.context() as patch:
        StoppedAt(patch, 11)
        with pytest.warns(InterruptedFitWarning, match=r"11 of 30 draws of each of 2 chains .*Ctrl-C") as told:
            part = fitter.fit(trials(), seed=1, checkpoint=folder, output=output, checkpoint_seconds=1e-9)
    assert "The same call again draws the rest" in str(told[0].message)
    assert str(output) in str(told[0].message)
    assert not part.is_complete
    for found in (part, rl.load(output)):
        assert not found.is_complete
        for name, values in calm.tree["posterior"].data_vars.items():
            drawn = found.tree["posterior"][name].values
            np.testing.assert_array_equal(drawn, values.values[:, :11], err_msg=str(name))
        assert found.certificate.holds and found.certificate.posterior is not None
        assert len(found.regressors()) == 24
    with pytest.warns(InterruptedFitWarning, match="11 of 30 draws"):
        loaded = rl.load(folder)
    assert loaded.tree["posterior"].to_dataset().identical(part.tree["posterior"].to_dataset())
    assert loaded.tree["log_likelihood"].to_dataset().identical(part.tree["log_likelihood"].to_dataset())
    assert not loaded.is_complete
    assert loaded.model == part.model and loaded.data.digest == part.data.digest
    assert loaded.data.levels["choice"] == (1, 2)
    assert loaded.settings["sampler"] == "numpyro.NUTS"
    assert "11 draws" in repr(loaded)
    loaded.save(tmp_path / "other.nc")
    assert not rl.load(tmp_path / "other.nc").is_complete
    # The folder was written by a call for 11 draws: there the chains are complete, here they go on.
    assert_same_fit(fitter.fit(trials(), seed=1, checkpoint=folder, output=output), calm)
    assert rl.load(output).is_complete


def test_a_fit_of_one_draw_can_be_read(fitter, tmp_path, monkeypatch):
    StoppedAt(monkeypatch, 1)
    with pytest.warns(InterruptedFitWarning, match="1 of 30 draws"):
        part = fitter.fit(trials(), seed=1, checkpoint=tmp_path / "run")
    assert "1 draws" in repr(part)
    with pytest.warns(InterruptedFitWarning, match="1 of 30 draws"):
        assert "1 draws" in repr(rl.load(tmp_path / "run"))


def test_ctrl_c_before_there_are_draws(fitter, tmp_path, monkeypatch):
    StoppedAt(monkeypatch, None)
    with pytest.raises(KeyboardInterrupt, match=r"before every chain had a draw\. What is done is kept in") as caught:
        fitter.fit(trials(), seed=1, checkpoint=tmp_path / "run", output=tmp_path / "fit.nc")
    assert not isinstance(caught.value, Interrupted)
    assert not (tmp_path / "fit.nc").exists()
    with pytest.raises(DataError, match="holds a run without draws"):
        rl.load(tmp_path / "run")
    with pytest.raises(KeyboardInterrupt, match=r"before every chain had a draw\.$"):
        fitter.fit(trials(), seed=1)


def test_a_study_s_fitter_stops(model, tmp_path, monkeypatch):
    strict = rl.Fitter(model, **SETTINGS, keep_interrupted=False)
    StoppedAt(monkeypatch, 11)
    with pytest.raises(Interrupted):
        strict.fit(trials(), seed=1, output=tmp_path / "fit.nc")
    assert not (tmp_path / "fit.nc").exists()


def test_a_study_never_keeps_a_short_fit(model, tmp_path, monkeypatch):
    StoppedAt(monkeypatch, 11)
    with pytest.raises(KeyboardInterrupt, match="stopped"):
        rl.recover(
            model, rl.tasks.bandit(n_trials=12), truth={"alpha": rl.priors.Beta(4, 4), "beta": rl.priors.Gamma(8, 2)},
            subjects=2, repeats=2, backend="numpyro", draws=30, tune=30, chains=2, folder=tmp_path / "study",
            progress="off", workers=1,
        )  # fmt: skip
    assert not list((tmp_path / "study" / "fits").iterdir())
    with pytest.raises(SettingError, match="'checkpoint' is not a setting of a study's single fits"):
        rl.recover(
            model, rl.tasks.bandit(n_trials=12), truth={"alpha": rl.priors.Beta(4, 4), "beta": rl.priors.Gamma(8, 2)},
            subjects=2, repeats=2, backend="numpyro", checkpoint="here",
        )  # fmt: skip


# What is refused


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"draws": 40}, "settings.draws: the folder has 30, asked for was 40"),
        ({"tune": 31}, "settings.tune: the folder has 30"),
        ({"seed": 2}, "seed: the folder has 1, asked for was 2"),
        ({"data": trials(2)}, "data.sha256: the folder has"),
        ({"population": rl.Population("none")}, "population.alpha"),
        ({"sampler_settings": {"dense_mass": True}}, "sampler_settings.dense_mass: the folder has false"),
        ({"gather": "one_hot"}, 'settings.gather: the folder has "auto"'),
        ({"log_likelihood": False}, "settings.log_likelihood: the folder has true"),
        ({"model": rl.catalogue.rescorla_wagner(initial=0.5)}, "model.sha256"),
    ],
)
def test_a_folder_of_another_fit(kept, monkeypatch, changes, words):
    monkeypatch.setattr(rl.Fitter, "_sample", lambda *_: pytest.fail("it samples"))
    given = {"model": rl.catalogue.rescorla_wagner(), "data": trials(), "seed": 1} | SETTINGS | changes
    with pytest.raises(SettingError, match="holds another fit than the one asked for") as caught:
        rl.fit(given.pop("model"), given.pop("data"), checkpoint=kept, **given)
    assert words in str(caught.value)


@pytest.fixture(scope="module")
def kept(fitter, tmp_path_factory):
    """Return the folder of a finished fit."""
    folder = tmp_path_factory.mktemp("kept") / "run"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitter.fit(trials(), seed=1, checkpoint=folder)
    return folder


def test_what_changes_no_draw_is_no_other_fit(kept, model, calm):
    found = rl.fit(
        model, trials(), seed=1, checkpoint=kept, checkpoint_seconds=5, sampler="nuts",
        sampler_settings={"dense_mass": False}, **SETTINGS | {"cores": 2},
    )  # fmt: skip
    assert_same_fit(found, calm)


def test_other_versions_are_another_fit(kept, fitter, tmp_path):
    said = json.loads((kept / "run.json").read_text(encoding="utf-8"))
    assert {"rlbackends", "numpy", "jax", "jaxlib", "numpyro"} == said["manifest"]["versions"].keys()
    said["manifest"]["versions"]["jax"] = "0.0.1"
    (tmp_path / "run.json").write_text(json.dumps(said), encoding="utf-8")
    with pytest.raises(SettingError, match=r'versions.jax: the folder has "0.0.1"'):
        fitter.fit(trials(), seed=1, checkpoint=tmp_path)


@pytest.mark.parametrize("seconds", [0, -3, float("nan"), "soon"])
def test_seconds_out_of_range(fitter, tmp_path, seconds):
    with pytest.raises(SettingError, match=r"checkpoint_seconds is .*, expected a number of seconds above 0"):
        fitter.fit(trials(), checkpoint=tmp_path / "run", checkpoint_seconds=seconds)
    assert not (tmp_path / "run").exists()


def test_folders_that_can_not_be_written(fitter, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingError, match="is a file, expected a folder"):
        fitter.fit(trials(), checkpoint=tmp_path / "file")
    with pytest.raises(SettingError, match="can't be written"):
        fitter.fit(trials(), checkpoint=tmp_path / "file" / "run")


def sample(engine, *, seed, chains, tune, draws, cores, target_accept, max_tree_depth, progress, run):
    """Leave half of the draws, as a sampler that can't go on, and die."""
    (run.folder / "half.txt").write_text(str(draws // 2), encoding="utf-8")
    raise MemoryError


def read_half(run, layout):
    half = int((run.folder / "half.txt").read_text(encoding="utf-8"))
    zeros = {latent.name: np.zeros((2, half, *layout.shape(latent))) for latent in layout.latents}
    stats = {"diverging": np.zeros((2, half), bool)}
    return ChainResults(zeros, stats, {}, {"sampler": "half"})


@pytest.fixture
def with_rows(monkeypatch):
    """Return a function that gives the NumPyro backend these samplers."""
    import types

    import rlbackends.backends.registry as registry

    module = types.ModuleType("half_a_sampler")
    module.sample, module.read_run = sample, read_half
    monkeypatch.setitem(__import__("sys").modules, "half_a_sampler", module)

    def give(*rows):
        row = BACKENDS["numpyro"]
        backend = Backend("numpyro", row.module, row.packages, rows)
        monkeypatch.setattr(registry, "BACKENDS", {**BACKENDS, "numpyro": backend})

    return give


def test_a_sampler_that_leaves_nothing_takes_no_checkpoint(model, tmp_path, with_rows, monkeypatch):
    with_rows(Sampler("map", "half_a_sampler:sample"), Sampler("nuts", "half_a_sampler:sample", keeps="state"))
    monkeypatch.setattr(rl.Fitter, "_compile", lambda *_: pytest.fail("it compiles"))
    with pytest.raises(SettingError, match=r"'map' on numpyro leaves nothing .* choose one that does: 'nuts'"):
        rl.fit(model, trials(), sampler="map", checkpoint=tmp_path / "run", **SETTINGS)
    assert not (tmp_path / "run").exists()


def test_a_sampler_that_can_not_go_on_says_so(model, tmp_path, with_rows):
    with_rows(Sampler("half", "half_a_sampler:sample", keeps="draws"))
    with pytest.raises(MemoryError):
        rl.fit(model, trials(), checkpoint=tmp_path / "run", **SETTINGS)
    with pytest.raises(SettingError, match=r"'half' can't go on from them.*rl\.load\(.*choose another folder"):
        rl.fit(model, trials(), checkpoint=tmp_path / "run", **SETTINGS)
    with pytest.warns(InterruptedFitWarning, match=r"15 of 30 draws .* sampler 'half' can't go on"):
        part = rl.load(tmp_path / "run")
    assert part.tree["posterior"].sizes["draw"] == 15
    (tmp_path / "run" / "chains" / "half.txt").write_text("0", encoding="utf-8")
    with pytest.raises(DataError, match="holds a run without draws"):
        rl.load(tmp_path / "run")
    with pytest.raises(MemoryError):  # nothing is lost if it starts anew
        rl.fit(model, trials(), checkpoint=tmp_path / "run", **SETTINGS)


# What is read


def test_folders_without_a_run(tmp_path):
    with pytest.raises(DataError, match=r"is a folder without a run of rlbackends: there is no run\.json"):
        rl.load(tmp_path)


def test_a_run_is_read_without_its_backend(fitter, tmp_path, monkeypatch):
    import rlbackends.backends.registry as registry
    from rlbackends.inference import result

    folder = tmp_path / "run"
    with monkeypatch.context() as patch, pytest.warns(InterruptedFitWarning):
        StoppedAt(patch, 11)
        part = fitter.fit(trials(), seed=1, checkpoint=folder)
    row = BACKENDS["numpyro"]
    lacking = {**BACKENDS, "numpyro": Backend("numpyro", row.module, ("surely_not_installed",), row.samplers)}
    monkeypatch.setattr(registry, "BACKENDS", lacking)
    monkeypatch.setattr(result, "BACKENDS", lacking)
    with pytest.warns(InterruptedFitWarning, match="11 of 30"):
        loaded = rl.load(folder)
    assert loaded.backend == "numpyro"
    assert loaded.tree["posterior"].to_dataset().identical(part.tree["posterior"].to_dataset())
    assert "log_likelihood" not in loaded.tree.children  # which takes the reference too long


def test_a_run_s_chains_say_what_they_are(fitter, tmp_path, monkeypatch):
    with monkeypatch.context() as patch, pytest.warns(InterruptedFitWarning):
        stopped = StoppedAt(patch, 11)
        fitter.fit(trials(), seed=1, checkpoint=tmp_path / "run", checkpoint_seconds=7)
    assert stopped.runs == [Run(tmp_path / "run" / "chains", 7.0)]
    assert read_run(stopped.runs[0]).stats["lp"].shape == (2, 11)
