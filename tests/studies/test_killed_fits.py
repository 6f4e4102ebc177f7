"""A study of forty real fits, killed twice: the table in the end is that of a study which nobody disturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
COUNT = 40

DRIVER = """
import sys
import warnings

import rlbackends as rl

COUNT = 40

if __name__ == "__main__":
    folder, workers, table = sys.argv[1:]
    warnings.simplefilter("ignore")
    recovery = rl.recover(
        rl.catalogue.rescorla_wagner(), rl.tasks.bandit(n_trials=15), subjects=2, repeats=COUNT, backend="numpyro",
        truth={"alpha": rl.priors.Beta(4, 4), "beta": rl.priors.Gamma(8, 2)}, population=rl.Population("none"),
        draws=40, tune=40, chains=2, cores=1, certificate_points=1, folder=folder, seed=3, progress="off",
        workers=int(workers) if workers.isdigit() else workers,
    )
    recovery.table.to_csv(table, index=False, float_format="%.17g")
"""

CLUSTER = """
import os, sys
from pathlib import Path

if __name__ == "__main__":
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        Path(sys.argv[1] + ".part").write_text(cluster.scheduler_address)
        os.replace(sys.argv[1] + ".part", sys.argv[1])
        sys.stdin.read()
"""


class Stage:
    def __init__(self, folder, repository):
        self.folder = folder
        self.environment = {**os.environ, "PYTHONPATH": str(repository)}
        (folder / "driver.py").write_text(DRIVER)
        (folder / "cluster.py").write_text(CLUSTER)
        self.started = []

    def start(self, script, *arguments, **settings):
        with open(self.folder / "printed", "ab") as printed:
            process = subprocess.Popen(
                [sys.executable, str(self.folder / script), *map(str, arguments)],
                stdout=printed, stderr=printed, env=self.environment, start_new_session=True, **settings,
            )  # fmt: skip
        self.started.append(process)
        return process

    def driver(self, name, workers):
        return self.start("driver.py", self.folder / name, workers, self.folder / f"{name}.csv")

    def done(self, name):
        return len(list((self.folder / name / "fits").glob("*.nc")))

    def finish(self, name, workers):
        driver = self.driver(name, workers)
        assert driver.wait(1200) == 0, (self.folder / "printed").read_text(errors="replace")
        return pd.read_csv(self.folder / f"{name}.csv")

    def kill_at(self, name, workers, at_least, delay):
        """Start a driver and kill it once so many fits are done, a little later; return whether it was still alive."""
        driver = self.driver(name, workers)
        while self.done(name) < at_least and driver.poll() is None:
            time.sleep(0.02)
        time.sleep(delay)
        lived = driver.poll() is None
        driver.send_signal(signal.SIGKILL)
        driver.wait()
        return lived


@pytest.fixture(scope="module")
def calm(tmp_path_factory, repository):
    """Return the table of an undisturbed study in one process."""
    stage = Stage(tmp_path_factory.mktemp("calm"), repository)
    return stage.finish("calm", 1)


@pytest.fixture
def stage(tmp_path, repository):
    stage = Stage(tmp_path, repository)
    yield stage
    for process in stage.started:
        if process.poll() is None:
            process.kill()
            process.wait()


def killed_twice(stage, workers, seed):
    moments = random.Random(seed)
    early, late = sorted(moments.sample(range(1, COUNT - 8), 2))
    assert stage.kill_at("killed", workers, early, moments.uniform(0, 0.5))
    assert 0 < stage.done("killed") < COUNT
    times = {path.name: path.stat().st_mtime_ns for path in (stage.folder / "killed" / "fits").glob("*.nc")}
    assert stage.kill_at("killed", workers, late, moments.uniform(0, 0.5))
    table = stage.finish("killed", workers)
    after = {path.name: path.stat().st_mtime_ns for path in (stage.folder / "killed" / "fits").glob("*.nc")}
    assert len(after) == COUNT
    assert {name: after[name] for name in times} == times  # what was finished was left alone
    return table


@pytest.mark.parametrize("workers", [1, 2])
def test_joblib(stage, calm, workers):
    pd.testing.assert_frame_equal(killed_twice(stage, workers, seed=workers), calm, check_exact=True)


def test_dask(stage, calm):
    pytest.importorskip("distributed")
    address = stage.folder / "address"
    cluster = stage.start("cluster.py", address, stdin=subprocess.PIPE)
    while not address.exists():
        assert cluster.poll() is None, (stage.folder / "printed").read_text(errors="replace")
        time.sleep(0.05)
    found = killed_twice(stage, address.read_text(), seed=5)
    pd.testing.assert_frame_equal(found, calm, check_exact=True)
    cluster.stdin.close()
    cluster.wait(60)
