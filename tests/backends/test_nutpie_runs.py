"""What both backends share of nutpie, on a funnel with a wall in NumPy: it diverges, and nothing is compiled."""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.backends import nutpie_runs
from rlbackends.backends.chains import STATISTICS, Interrupted
from rlbackends.backends.progress import Progress
from rlbackends.backends.runs import Run
from rlbackends.errors import BackendError, BackendMissingError, SettingError

pytest.importorskip("nutpie")
pytest.importorskip("zarr")

SETTINGS = {"seed": 1, "chains": 2, "tune": 100, "draws": 150, "cores": 2, "target_accept": 0.6, "max_tree_depth": 8}
SIZE = 10  # draws are no multiple of a file's 16


def funnel(position):
    """The log-density of v ~ N(0, 3) below 3, x ~ N(0, exp(v / 2)), and its gradient."""
    v, x = position[0], position[1:]
    precision = np.exp(-v)
    squares = precision * (x @ x)
    value = -(v**2) / 18 - 0.5 * squares - 0.5 * len(x) * v
    value = value if v < 3 else -np.inf
    return value, np.concatenate([[-v / 9 + 0.5 * squares - 0.5 * len(x)], -precision * x])


def expanded(position):
    v, x = np.array(position[0]), position[1:]
    return {"v": v, "x": x, "low": np.array(v < 0)}


def task(density=funnel, starts=None, **settings):
    from nutpie.compiled_pyfunc import from_pyfunc

    compiled = from_pyfunc(
        SIZE,
        make_logp_fn=lambda: density,
        make_expand_fn=lambda *_: expanded,
        expanded_dtypes=["float64", "float64", "bool"],
        expanded_shapes=[(), (SIZE - 1,), ()],
        expanded_names=["v", "x", "low"],
        make_initial_point_fn=starts,
    )
    return nutpie_runs.Task(compiled, {"v": "v", "all": "x"}, SETTINGS | settings, 0.5, ("low",))


def run_task(*, run=None, progress=None, **settings):
    chosen = SETTINGS | settings
    total = chosen["tune"] + chosen["draws"]
    with progress or Progress("", total, chosen["chains"], mode="off") as reporter:
        return nutpie_runs.sample(task(**settings), reporter, run)


def assert_same(left, right, draws=None):
    """The same draws, or the same as the first so many."""
    for what in ("unconstrained", "constrained", "stats"):
        found, expected = getattr(left, what), getattr(right, what)
        assert found.keys() == expected.keys()
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name], array[:, :draws], err_msg=name)
            assert found[name].dtype == array.dtype


@pytest.fixture(scope="module")
def calm():
    """Return the draws of a run that nobody disturbs and nothing saves."""
    return run_task()


def test_results(calm):
    assert {name: array.shape for name, array in calm.unconstrained.items()} == {"v": (2, 150), "all": (2, 150, 9)}
    assert {name: array.dtype for name, array in calm.stats.items()} == dict(STATISTICS)
    np.testing.assert_array_equal(calm.constrained["low"], calm.unconstrained["v"] < 0)
    assert calm.stats["diverging"].any()
    assert calm.stats["n_steps"].min() > 0
    v, x = calm.unconstrained["v"][1, 7], calm.unconstrained["all"][1, 7]
    assert calm.stats["lp"][1, 7] == funnel(np.concatenate([[v], x]))[0]
    assert calm.timing["compile_seconds"] == 0.5


def test_what_is_saved_is_what_is_sampled(calm, tmp_path):
    run = Run(tmp_path)
    saved = run_task(run=run)
    assert_same(saved, calm)
    assert dict(saved.settings) == dict(calm.settings)
    # Counted by nutpie's reports in one, by the saved statistics in the other.
    assert saved.work == calm.work
    assert saved.work["gradients"] > saved.stats["n_steps"].sum()
    again = nutpie_runs.read_run(run)
    assert_same(again, calm)
    assert dict(again.timing) == dict(saved.timing)
    # The next run in the folder replaces it.
    assert_same(run_task(run=run, draws=20, seed=2), run_task(draws=20, seed=2))


class Pressing(Progress):
    """Presses Ctrl-C once a chain has done so many iterations."""

    def __init__(self, at):
        super().__init__("", 2_000_000, 2, mode="off")
        self.at = at

    def update(self, chain, done, *, phase, divergences=0):
        super().update(chain, done, phase=phase, divergences=divergences)
        if self.at is not None and done >= self.at:
            self.at = None
            os.kill(os.getpid(), signal.SIGINT)


needs_signals = pytest.mark.skipif(os.name == "nt", reason="os.kill ends the process on Windows")


@needs_signals
@pytest.mark.parametrize("saves", [False, True])
def test_ctrl_c_gives_the_draws_so_far(calm, tmp_path, saves):
    run = Run(tmp_path) if saves else None
    with pytest.raises(Interrupted) as caught:
        run_task(run=run, draws=1_000_000, progress=Pressing(400))
    part = caught.value.results
    drawn = part.stats["lp"].shape[1]
    assert 0 < drawn < 1_000_000
    assert all(np.isfinite(array).all() for array in (*part.unconstrained.values(), part.stats["lp"]))
    assert part.work["gradients"] >= part.stats["n_steps"].sum()
    both = min(drawn, 150)  # how many draws come after tuning changes none
    for name, array in calm.unconstrained.items():
        np.testing.assert_array_equal(part.unconstrained[name][:, :both], array[:, :both])
    if saves:
        assert_same(nutpie_runs.read_run(run), part)


@needs_signals
@pytest.mark.parametrize("saves", [False, True])
@pytest.mark.parametrize("settings", [{"tune": 1_000_000}, {"cores": 1, "draws": 1_000_000}])
def test_ctrl_c_before_every_chain_has_a_draw(tmp_path, saves, settings):
    with pytest.raises(Interrupted) as caught:
        run_task(run=Run(tmp_path) if saves else None, progress=Pressing(200), **settings)
    assert caught.value.results is None


def test_a_density_that_fails(tmp_path):
    def broken(position):
        raise ValueError("no such thing")

    with pytest.raises(BackendError, match=r"nutpie could not sample the model\. It says: .*no such thing"):
        run_task(density=broken, run=Run(tmp_path))
    assert nutpie_runs.read_run(Run(tmp_path)) is None


def test_a_chain_that_fails_waits_for_the_others():
    """Threads that still call Python or JAX at the interpreter's end crash it."""
    numbers, calls, ended = itertools.count(), [], []

    def start(seed):
        calls.append(seed)
        if next(numbers) == 0:
            raise ValueError("no such thing")
        time.sleep(0.5)
        ended.append(seed)
        return np.ones(SIZE)

    with pytest.raises(BackendError, match="no such thing"), Progress("", 250, 3, mode="off") as reporter:
        nutpie_runs.sample(task(starts=start, chains=3, cores=3), reporter)
    assert len(ended) == len(calls) - 1


def test_an_empty_folder_holds_no_draws(tmp_path):
    assert nutpie_runs.read_run(Run(tmp_path)) is None
    assert nutpie_runs.read_run(Run(tmp_path / "nowhere")) is None
    with pytest.raises(SettingError, match="can't be written"):
        run_task(run=Run(tmp_path / "nowhere" / "at all"))


def test_without_zarr_nothing_is_sampled(monkeypatch, tmp_path):
    monkeypatch.setattr(nutpie_runs.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BackendMissingError, match="pip install zarr"):
        nutpie_runs.check_can_save(Run(tmp_path))
    nutpie_runs.check_can_save(None)


def test_reading_needs_zarr_and_no_backend(tmp_path, calm, run_python):
    run_task(run=Run(tmp_path))
    printed = run_python(
        "import sys\nfrom pathlib import Path\n"
        "from rlbackends.backends.nutpie_runs import read_run\nfrom rlbackends.backends.runs import Run\n"
        f"results = read_run(Run(Path({str(tmp_path)!r})))\n"
        "print(repr(float(results.unconstrained['v'].sum())))\n"
        "print(*sorted({'jax', 'pymc', 'pytensor', 'nutpie', 'numpyro', 'numba'} & set(sys.modules)))\n"
    ).splitlines()
    assert float(printed[0]) == calm.unconstrained["v"].sum()
    assert printed[1:] in ([], [""])


DRIVER = """
import sys; sys.path.insert(0, {tests!r})
from pathlib import Path
import test_nutpie_runs as t
t.run_task(run=t.Run(Path(sys.argv[1])), draws=t.MANY)
"""
MANY = 3000


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_what_a_killed_process_leaves(tmp_path, repository):
    """Killed at many moments, what is there is what an undisturbed run draws first, to the last bit."""
    calm = run_task(draws=MANY)
    assert calm.stats["diverging"].mean() > 0.01
    moments, left = random.Random(4), []
    for i in range(6):
        folder = tmp_path / str(i)
        folder.mkdir()
        target = moments.randint(0, MANY)
        process = subprocess.Popen(
            [sys.executable, "-c", DRIVER.format(tests=os.path.dirname(__file__)), str(folder)],
            env={**os.environ, "PYTHONPATH": str(repository)}, start_new_session=True,
        )  # fmt: skip
        file = folder / "draws.zarr" / "sample_stats" / "logp" / "c" / "1" / str(target // 16)
        while process.poll() is None and not file.exists():
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.01))
        process.send_signal(signal.SIGKILL)
        process.wait()
        found = nutpie_runs.read_run(Run(folder))
        there = 0 if found is None else found.stats["lp"].shape[1]
        left.append((target, there))
        if found is not None:
            assert_same(found, calm, there)
    assert sum(0 < there < MANY for _, there in left) >= 3, left


FIT = """
import sys, warnings
import rlbackends as rl

def fit(folder, backend, **settings):
    own = {"compile_backend": "jax"} if backend == "pymc" else {}
    settings = {"checkpoint": folder, "seed": 5} | settings
    data = rl.Trials.from_arrays(choice=[[0, 1, 1, 0, 1]] * 2, reward=[[1.0, 0.0, 1.0, 0.0, 1.0]] * 2)
    return rl.fit(
        rl.catalogue.rescorla_wagner(), data, backend=backend, sampler="nutpie", sampler_settings=own, tune=100,
        draws=1500, chains=2, cores=2, progress="off", certificate_points=1, log_likelihood=False, **settings,
    )

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    fit(*sys.argv[1:])
"""


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
@pytest.mark.parametrize("backend", ["numpyro", "pymc"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_killed_fit_keeps_its_draws(backend, tmp_path, repository):
    """The fit of the draws that it has left is the beginning of the one that nobody killed."""
    pytest.importorskip(backend)
    script = tmp_path / "fit.py"
    script.write_text(FIT)
    scope = {"__name__": "script"}
    exec(FIT, scope)
    calm = scope["fit"](None, backend).tree
    for i, moment in enumerate(random.Random(7).sample(range(5, 80), 2)):
        folder = tmp_path / str(i)
        process = subprocess.Popen(
            [sys.executable, str(script), str(folder), backend],
            env={**os.environ, "PYTHONPATH": str(repository)}, start_new_session=True,
        )  # fmt: skip
        file = folder / "chains" / "draws.zarr" / "sample_stats" / "logp" / "c" / "1" / str(moment)
        while process.poll() is None and not file.exists():
            time.sleep(0.005)
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        found = rl.load(folder)
        drawn = found.tree["posterior"].sizes["draw"]
        assert 0 < drawn < 1500 and not found.is_complete
        for group in ("posterior", "sample_stats"):
            for name, array in found.tree[group].data_vars.items():
                np.testing.assert_array_equal(array, calm[group][name][:, :drawn], err_msg=name)
        with pytest.raises(SettingError, match="can't go on"):
            scope["fit"](folder, backend)
