"""``fit``: what it refuses before it samples; what it says afterwards."""

import functools

import pytest

import rlbackends as rl

COLUMNS = ["--subject", "id", "--trial", "n", "--column", "choice=response", "--column", "reward=gain"]


@pytest.fixture
def never_sampling(monkeypatch):
    """Make a call of ``rl.fit`` fail the test."""

    def fail(*_, **__):
        pytest.fail("it started to sample")

    monkeypatch.setattr(rl, "fit", fail)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--output", "fit.txt"], "output is 'fit.txt', expected a file that ends in .nc"),
        (["--output", "here.nc"], "--output 'here.nc' exists. Choose another name, remove it, or add --overwrite."),
        (["--regressors", "r.tsv"], "--regressors is 'r.tsv', expected a file that ends in .csv"),
        (["--regressors", "prl.csv"], "--regressors 'prl.csv' exists"),
        (["--regressors", "nowhere/r.csv"], "there is no folder 'nowhere'"),
        (["--fix", "beta"], "--fix is 'beta', expected --fix lapse=0.02"),
        (["--fix", "bta=1"], "no parameter 'bta'"),
        (["--fix", "alpha=2"], "'alpha' is fixed to a value outside its support"),
        (["--option", "n_actions=1"], "n_actions"),
    ],
)
@pytest.mark.usefixtures("never_sampling")
def test_what_can_not_be_done_is_said_before_sampling(program, table, tmp_path, arguments, words):
    (tmp_path / "here.nc").touch()
    ran = program("fit", "rescorla_wagner", table, "--backend", "numpyro", *COLUMNS, *arguments)
    assert ran.status == 2
    assert words in ran.err and "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--formula", "alpha ~ group", "--formula", "alpha ~ age"], "--formula is given twice for 'alpha'"),
        (["--formula", "alpha ~ groop"], "prl.csv' nor 'people.csv'. Did you mean 'group'?"),
        (["--formula", "alpha ~ n"], "prl.csv' and 'people.csv' both have a column 'n'"),
    ],
)
@pytest.mark.usefixtures("never_sampling")
def test_covariates_that_are_not_clear_are_refused(program, table, tmp_path, arguments, words):
    (tmp_path / "people.csv").write_text("id,group,age,n\n1,a,20,1\n2,b,30,2\n")
    people = ["--participants", "people.csv"]
    ran = program("fit", "rescorla_wagner", table, "--backend", "numpyro", *COLUMNS, *people, *arguments)
    assert ran.status == 2
    assert words in ran.err


@pytest.mark.usefixtures("never_sampling")
def test_a_covariate_with_the_name_of_an_option_is_read_under_another(program, table):
    ran = program("fit", "rescorla_wagner", table, "--backend", "numpyro", *COLUMNS, "--formula", "alpha ~ block")
    assert ran.status == 2
    assert "formulas read 'block', which can't be the name of a covariate" in ran.err
    assert '--column block_=block --formula "alpha ~ block_"' in ran.err


def test_settings_reach_the_call(program, table, monkeypatch):
    asked = {}

    class Stop(rl.errors.RLBackendsError):
        pass

    def record(model, data, **given):
        asked.update(given, model=model, data=data)
        raise Stop("enough")

    monkeypatch.setattr(rl, "fit", record)
    ran = program(
        "fit", "rescorla_wagner", table, "--backend", "pymc", *COLUMNS, "--pooling", "none", "--fix", "beta=1.5",
        "--draws", 7, "--tune", 8, "--chains", 3, "--cores", 1, "--seed", 9, "--target-accept", 0.9,
    )  # fmt: skip
    assert ran.err == "error: enough\n"
    assert "Equations" in ran.out
    assert repr(asked["population"]) == "Population('none', beta=1.5)"
    expected = {"backend": "pymc", "draws": 7, "tune": 8, "chains": 3, "cores": 1, "seed": 9, "target_accept": 0.9}
    assert {name: asked[name] for name in expected} == expected
    assert str(asked["output"]) == "rescorla_wagner-pymc.nc"


def test_a_stopped_fit_is_saved_and_said(program, table, tmp_path, monkeypatch):
    """Ctrl-C after a few draws, then the same command again."""
    import rlbackends.backends.numpyro.samplers.nuts as nuts
    from rlbackends.backends.chains import Interrupted

    real = nuts.sample

    @functools.wraps(real)
    def stopped(engine, *, draws, **settings):
        raise Interrupted(real(engine, draws=7, **settings))

    command = ["fit", "rescorla_wagner", table, "--backend", "numpyro", *COLUMNS, "--draws", 20, "--tune", 20,
               "--chains", 2, "--output", "fit.nc", "--checkpoint", "run"]  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(nuts, "sample", stopped)
        ran = program(*command, "--regressors", "r.csv")
    assert ran.status == 130
    said = "stopped: 7 of 20 draws of each chain are saved in 'fit.nc'. Give the same command again to go on."
    assert ran.err.splitlines()[-1] == said
    assert "warning: rescorla_wagner on numpyro: 7 of 20 draws of each of 2 chains are there." in ran.err
    assert not rl.load(tmp_path / "fit.nc").is_complete
    assert not (tmp_path / "r.csv").exists()
    ran = program(*command)
    assert ran.status == 0, ran.err
    assert "checkpoint 'run': goes on from what is there" in ran.err
    assert "Saved" in ran.out
    assert rl.load(tmp_path / "fit.nc").tree["posterior"].sizes["draw"] == 20


def test_a_fit_stopped_without_draws_says_so(program, table, tmp_path, monkeypatch):
    import rlbackends.backends.numpyro.samplers.nuts as nuts
    from rlbackends.backends.chains import Interrupted

    @functools.wraps(nuts.sample)
    def stopped(*_, **__):
        raise Interrupted(None)

    monkeypatch.setattr(nuts, "sample", stopped)
    ran = program("fit", "rescorla_wagner", table, "--backend", "numpyro", *COLUMNS, "--output", "fit.nc")
    assert ran.status == 130
    assert ran.err.splitlines()[-1] == "stopped before every chain had a draw."
    assert not (tmp_path / "fit.nc").exists()


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numpyro", "pymc"])
def test_a_fit_is_told_and_saved(program, table, tmp_path, backend):
    ran = program(
        "fit", "rescorla_wagner", table, "--backend", backend, *COLUMNS, "--draws", 30, "--tune", 30,
        "--chains", 2, "--output", "fit.nc", "--regressors", "r.csv",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    for words in ("agrees with the reference", "alpha_location", "largest R-hat", "Saved", "fit.nc", "r.csv"):
        assert words in ran.out
    assert rl.load(tmp_path / "fit.nc").backend == backend
    header, *rows = (tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()
    assert header.startswith("subject,trial,block,choice,reward") and len(rows) == 10
