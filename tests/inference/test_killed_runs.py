"""A fit that is killed ten times, and one that Ctrl-C stops: the draws are those of a fit which nobody disturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.inference.checkpoint import InterruptedFitWarning
from rlbackends.inference.result import ConvergenceWarning

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(os.name == "nt", reason="signals"),
    pytest.mark.filterwarnings(f"ignore::{ConvergenceWarning.__module__}.{ConvergenceWarning.__qualname__}"),
]
TUNE, DRAWS = 4000, 12000

DRIVER = """
import sys
import warnings

import numpy as np

import rlbackends as rl

if __name__ == "__main__":
    folder, output, method, draws = sys.argv[1:]
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    data = rl.Trials.from_arrays(
        subjects=["a", "b", "c"], levels={"choice": [0, 1]}, choice=rng.integers(0, 2, (3, 30)),
        reward=rng.integers(0, 2, (3, 30)).astype(float),
    )
    rl.fit(
        rl.catalogue.rescorla_wagner(), data, backend="numpyro", tune=TUNE, draws=int(draws), chains=2, cores=2, seed=5,
        progress="off", certificate_points=1, log_likelihood=False, sampler_settings={"chain_method": method},
        checkpoint=folder or None, checkpoint_seconds=0.05, output=output,
    )
""".replace("TUNE", str(TUNE))


class Stage:
    def __init__(self, folder, repository, method):
        self.folder, self.method, self.draws = folder, method, DRAWS
        self.run, self.output = folder / "run", folder / "fit.nc"
        self.environment = {**os.environ, "PYTHONPATH": str(repository)}
        (folder / "driver.py").write_text(DRIVER)
        self.started = []

    def start(self, run, output):
        with open(self.folder / "printed", "ab") as printed:
            process = subprocess.Popen(
                [sys.executable, str(self.folder / "driver.py"), str(run), str(output), self.method,
                 str(self.draws)],
                stdout=printed, stderr=printed, env=self.environment,
            )  # fmt: skip
        self.started.append(process)
        return process

    def finish(self, run, output):
        process = self.start(run, output)
        assert process.wait(1500) == 0, (self.folder / "printed").read_text(errors="replace")
        return rl.load(output)

    def done(self):
        """Return how many iterations the chain that is furthest has saved."""
        return max((done_in(path) for path in (self.run / "chains").glob("*/state.npz")), default=0)

    def wait_for_a_moment(self, process, seconds):
        """Return after some seconds, or at the first save: on a fast machine tuning would be over before."""
        until = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < until and not self.done():
            time.sleep(0.005)

    def wait_for(self, process, iterations):
        while process.poll() is None and self.done() < iterations:
            time.sleep(0.005)

    def wait_for_a_save(self, process):
        """Return while a file is being written, or soon after."""
        until = time.monotonic() + 20
        chains = self.run / "chains"
        while process.poll() is None and time.monotonic() < until and not any(chains.glob("*/.*.part")):
            pass


def done_in(path):
    with open(path, "rb") as file, np.load(file) as state:
        return int(state["done"])


@pytest.fixture
def stage(tmp_path, repository, request):
    stage = Stage(tmp_path, repository, request.param)
    yield stage
    for process in stage.started:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.mark.parametrize("stage", ["parallel", "vectorized"], indirect=True)
def test_a_fit_that_is_killed_ten_times_draws_the_same(stage):
    calm = stage.finish("", stage.folder / "calm.nc")
    moments = random.Random(f"moments {stage.method}")
    total = TUNE + DRAWS
    # Where in the fit it dies: before anything is saved, then at iterations in all of tuning and drawing.
    early, late = moments.sample(range(1, TUNE // 2), 3), moments.sample(range(TUNE, total - 2000), 5)
    places = [0, 0, *sorted(early), *sorted(late)]
    seen = []
    for i, place in enumerate(places):
        process = stage.start(stage.run, stage.output)
        if place == 0:
            stage.wait_for_a_moment(process, moments.uniform(0.5, 8))
        else:
            stage.wait_for(process, place)
            if i % 2:
                stage.wait_for_a_save(process)
            else:
                time.sleep(moments.uniform(0, 0.2))
        assert process.poll() is None, (stage.folder / "printed").read_text(errors="replace")
        process.send_signal(signal.SIGKILL)
        process.wait()
        seen.append(stage.done())
        assert not stage.output.exists()
    assert seen == sorted(seen)
    assert sum(0 < done < TUNE for done in seen) >= 2
    assert sum(TUNE < done < total for done in seen) >= 4
    found = stage.finish(stage.run, stage.output)
    for group in ("posterior", "sample_stats"):
        assert found.tree[group].to_dataset().identical(calm.tree[group].to_dataset()), group
    assert found.certificate == calm.certificate
    assert found.is_complete


@pytest.mark.parametrize("stage", ["parallel"], indirect=True)
def test_ctrl_c_leaves_a_fit_that_can_be_read(stage):
    stage.draws = 1_000_000  # more than it will draw
    process = stage.start(stage.run, stage.output)
    stage.wait_for(process, TUNE + 500)
    with pytest.warns(InterruptedFitWarning, match=r"of 1000000 draws of each of 2 chains"):
        assert not rl.load(stage.run).is_complete  # while it runs
    process.send_signal(signal.SIGINT)
    assert process.wait(300) == 0, (stage.folder / "printed").read_text(errors="replace")
    found = rl.load(stage.output)
    assert not found.is_complete
    drawn = found.tree["posterior"].sizes["draw"]
    assert 0 < drawn < stage.draws
    with pytest.warns(InterruptedFitWarning, match=f"{drawn} of {stage.draws} draws"):
        assert rl.load(stage.run).tree["posterior"].to_dataset().identical(found.tree["posterior"].to_dataset())
