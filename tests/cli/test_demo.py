"""The demo: its data, its numbers, what it refuses, and (slow) all of it on a small task."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.backends import registry
from rlbackends.cli import demo_numbers, demo_task
from rlbackends.cli.demo import next_steps, sampling_backends
from rlbackends.cli.output import seconds
from rlbackends.errors import BackendMissingError


def simulate(seed):
    return demo_task.simulate(demo_task.demo_model(), subjects=3, trials=30, seed=seed, backend="reference")


@pytest.fixture(scope="module")
def simulated():
    return simulate(4)


def test_the_task_is_the_same_each_time_and_as_announced(simulated):
    choice, reward = simulated.events["choice"], simulated.events["reward"]
    np.testing.assert_array_equal(simulate(4).events["choice"], choice)
    assert (simulate(5).events["choice"] != choice).any()
    assert choice.shape == (3, 30)
    assert set(np.unique(choice)) <= {0, 1, 2, 3, 4}
    assert set(np.unique(reward)) == {0, 1}
    for name in ("alpha_pos", "alpha_neg"):
        assert ((simulated.params[name] > 0) & (simulated.params[name] < 1)).all()
    assert (simulated.params["beta"] > 1).all()


def test_subjects_meet_the_same_payoffs(simulated):
    choice, reward = simulated.events["choice"], simulated.events["reward"]
    for trial in range(30):
        for action in range(5):
            assert len(set(reward[choice[:, trial] == action, trial])) < 2


def test_the_data_follow_from_the_seed_by_the_rules_written_out_here(simulated):
    rng = np.random.default_rng(4)
    alpha_pos, alpha_neg, temperature = rng.beta(5, 5, 3), rng.beta(5, 5, 3), rng.beta(5, 5, 3)
    payoffs = rng.binomial(1, demo_task.PROBABILITIES, (30, 5))
    uniforms = rng.random((3, 30))
    for s in range(3):
        q = np.full(5, 0.5)
        for t in range(30):
            odds = np.exp(q / temperature[s])
            choice = int(np.searchsorted(np.cumsum(odds / odds.sum()), uniforms[s, t], side="right"))
            assert simulated.events["choice"][s, t] == choice
            error = payoffs[t, choice] - q[choice]
            q[choice] += (alpha_pos if error > 0 else alpha_neg)[s] * error


def test_what_is_written_is_read_back(tmp_path):
    from rlbackends.cli import demo

    (tmp_path / "d").mkdir()
    simulated, data = demo._simulate(demo_task.demo_model(), 3, 30, 4, "reference", tmp_path / "d")
    bound = data.bind(demo_task.demo_model())
    np.testing.assert_array_equal(bound.values["choice"], simulated.events["choice"])
    np.testing.assert_array_equal(bound.values["reward"], simulated.events["reward"])
    with (tmp_path / "d" / "demo_truth.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["beta"]) for row in rows] == simulated.params["beta"].tolist()


def test_true_group_is_on_the_scale_of_the_links():
    truth = {"a": np.array([0.5, 0.8413447460685429]), "b": np.exp([1.0, 3.0])}
    found = demo_numbers.true_group(truth, {"a": "probit", "b": "log"})
    expected = {"a_location": 0.5, "a_sd": np.sqrt(0.5), "b_location": 2.0, "b_sd": np.sqrt(2.0)}
    assert found == pytest.approx(expected)


class FakeFit:
    """Draws under the name of a fit."""

    def __init__(self, **posterior):
        import xarray as xr

        data = {name: (("chain", "draw", "subject")[: np.ndim(values)], values) for name, values in posterior.items()}
        self.model = SimpleNamespace(parameters=["a"])
        self.tree = xr.DataTree.from_dict({"/posterior": xr.Dataset(data)})


def test_recovery_by_hand():
    # Draws 0, 1, …, 100 around each truth: the mean is 50 above it; the 89 % interval is 5.5 to 94.5 above.
    offsets = np.arange(101.0).reshape(1, 101, 1)
    truth = {"a": np.array([1.0, 2.0, 4.0])}
    found = demo_numbers.recoveries(FakeFit(a=truth["a"] + offsets), truth)["a"]
    assert found.correlation == pytest.approx(1)
    assert (found.bias, found.inside, found.subjects) == (50, 0, 3)
    assert demo_numbers.recoveries(FakeFit(a=truth["a"] + offsets - 90), truth)["a"].inside == 3
    assert demo_numbers.recoveries(FakeFit(a=truth["a"] + offsets - 96), truth)["a"].inside == 0


def test_marginals_of_independent_draws():
    rng = np.random.default_rng(0)
    draws = rng.normal(3.0, 2.0, (4, 500))
    found = demo_numbers.marginals(FakeFit(a_sd=draws, a_location=draws + 1, a=np.zeros((4, 500, 2))))
    assert list(found) == ["a_location", "a_sd"]
    one = found["a_sd"]
    assert one.mean == pytest.approx(draws.mean()) and one.sd == pytest.approx(draws.std(ddof=1))
    assert one.error == pytest.approx(2 / np.sqrt(2000), rel=0.2)
    assert one.r_hat < 1.01 and 1500 < one.ess < 2600
    assert demo_numbers.apart(found["a_location"], one) == pytest.approx(1 / np.hypot(one.error, one.error), rel=1e-6)


def test_seconds_are_words():
    assert [seconds(s) for s in (0.04, 3.21, 9.96, 48.4, 125.0)] == ["0.0 s", "3.2 s", "10 s", "48 s", "2 min 05 s"]


def installed(monkeypatch, *names):
    rows = {
        name: registry.Backend(name, row.module, () if name in names else ("surely_not_installed",), row.samplers)
        for name, row in registry.BACKENDS.items()
    }
    monkeypatch.setattr(registry, "BACKENDS", rows)


def test_with_one_backend_it_runs_with_that_and_says_how_to_get_the_other(monkeypatch):
    installed(monkeypatch, "reference", "pymc")
    chosen, hints = sampling_backends("")
    assert chosen == ["pymc"]
    (hint,) = hints
    assert 'pip install "rlbackends[numpyro]"' in hint


def test_without_a_backend_it_says_how_to_install_them(monkeypatch, program):
    installed(monkeypatch, "reference")
    ran = program("demo")
    assert ran.status == 2
    assert ran.err.startswith("error: demo: neither numpyro nor pymc is installed.")
    assert 'pip install "rlbackends[all]"' in ran.err
    with pytest.raises(BackendMissingError, match=r"backend 'numpyro' needs .*rlbackends\[numpyro\]"):
        sampling_backends("numpyro")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--backends", "reference"], "'reference' checks and explains"),
        (["--backends", "pymk"], "no backend 'pymk'. .*Did you mean 'pymc'"),
        (["--subjects", "1"], "--subjects is 1, expected at least 2"),
        (["--folder", "file.txt/demo"], "--folder 'file.txt/demo' can't be written"),
    ],
)
def test_what_can_not_be_done_is_said_at_once(program, tmp_path, arguments, words):
    import re

    (tmp_path / "file.txt").touch()
    ran = program("demo", *arguments)
    assert ran.status == 2 and ran.out == ""
    assert re.search(words, ran.err)


def test_next_steps_are_three_lines(tmp_path):
    steps = next_steps(tmp_path, "pymc")
    assert len(steps) == 3
    assert "rlbackends fit" in steps[1] and "--backend pymc" in steps[1]


@pytest.mark.slow
def test_the_whole_demo_on_a_small_task(program, tmp_path):
    ran = program(
        "demo", "--folder", "d", "--subjects", 4, "--trials", 25, "--draws", 100, "--tune", 100, "--chains", 2
    )
    assert ran.status == 0, ran.err
    assert "All agree." in ran.out and ran.out.count("Certificate:") == 2
    for words in ("1/7  Simulating", "7/7  Writing", "apart", "true values", "What to do next:"):
        assert words in ran.out
    written = {path.name for path in (tmp_path / "d").iterdir()}
    assert written == {"demo_data.csv", "demo_truth.csv", "demo.png", "demo_numpyro.nc", "demo_pymc.nc"}
    assert (tmp_path / "d" / "demo.png").read_bytes().startswith(b"\x89PNG")
    assert rl.load(tmp_path / "d" / "demo_pymc.nc").certificate.holds
