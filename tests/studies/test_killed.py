"""Killed studies: whatever is killed, and whenever, the same files in the end and no job done twice.

The moments are random, with a fixed seed, but nothing that is asserted depends on them.
"""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from rlbackends.studies import Study

COUNT = 14

# The jobs report on a clipboard of their own, so that it is not the runner's word that is tested.
DRIVER = """
import fcntl, os, random, sys, time
from pathlib import Path

from rlbackends.studies import Job, Study


def note(base, text):
    descriptor = os.open(base / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.write(descriptor, (text + "\\n").encode())
    os.close(descriptor)


def prepare(common):
    return {"offset": common}


def work(state, payload, path):
    number, base, seconds, final = payload
    guard = os.open(base / f"guard-{number}", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        note(base, f"OVERLAP {number} {os.getpid()}")
    if final.exists():
        note(base, f"AGAIN {number} {os.getpid()}")
    note(base, f"START {number} {os.getpid()}")
    with open(path, "w") as file:
        file.write("half")
        file.flush()
        time.sleep(seconds)
        file.seek(0)
        file.write(repr(random.Random(number).random() + state["offset"]))
    note(base, f"END {number} {os.getpid()}")
    os.close(guard)


if __name__ == "__main__":
    base, count, longest, workers = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
    study = Study(base / "study", {"kind": "random numbers", "count": count}, suffix=".txt")
    moments = random.Random(7)
    jobs = [
        Job(f"{n:04d}", (n, base, longest * moments.uniform(0.3, 1.0), study.path(f"{n:04d}"))) for n in range(count)
    ]
    workers = int(workers) if workers.isdigit() else workers
    outcome = study.run(jobs, work, prepare=prepare, common=1.5, workers=workers)
    sys.exit(len(outcome.failed) or len(outcome.done) != count)
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


class Theatre:
    """A folder with a driver's script, the log of its jobs, and who was started."""

    def __init__(self, folder, repository):
        self.folder, self._repository = folder, repository
        (folder / "driver.py").write_text(DRIVER)
        (folder / "cluster.py").write_text(CLUSTER)
        self.started = []

    def start(self, script, *arguments, **settings):
        """Start a script in a session of its own; what it prints goes to a file."""
        environment = {**os.environ, "PYTHONPATH": str(self._repository)}
        with open(self.folder / "printed", "ab") as printed:
            process = subprocess.Popen(
                [sys.executable, str(self.folder / script), *map(str, arguments)],
                stdout=printed, stderr=printed, env=environment, start_new_session=True, **settings,
            )  # fmt: skip
        self.started.append(process)
        return process

    def driver(self, workers, folder=None, longest=0.3):
        return self.start("driver.py", folder or self.folder, COUNT, longest, workers)

    def printed(self):
        return (self.folder / "printed").read_text(errors="replace")

    def log(self, word):
        """Return the jobs and processes that a word was noted for, in order."""
        path = self.folder / "log"
        entries = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return [(int(number), int(process)) for said, number, process in entries if said == word]

    def wait_for_starts(self, count, driver):
        """Wait until so many jobs have started, or the driver is at its end."""
        while len(self.log("START")) < count and driver.poll() is None:
            time.sleep(0.01)

    def assert_finished(self, driver):
        assert driver.wait(120) == 0, self.printed()

    def assert_undisturbed(self):
        """Assert that the files are those of a study that nobody disturbed, and that no job met itself."""
        calm = self.folder / "calm"
        calm.mkdir()
        self.assert_finished(self.driver(1, calm, longest=0.0))
        fits = [folder / "study" / "fits" for folder in (calm, self.folder)]
        tables = [{path.name: path.read_text() for path in folder.iterdir()} for folder in fits]
        assert len(tables[0]) == COUNT and tables[0] == tables[1]
        assert self.log("OVERLAP") == [] and self.log("AGAIN") == []
        study = Study(self.folder / "study")
        assert list((study.folder / "running").iterdir()) == [] and list((study.folder / "failed").iterdir()) == []

    def assert_each_ended_once(self):
        assert sorted(number for number, _ in self.log("END")) == list(range(COUNT))


@pytest.fixture
def theatre(tmp_path, repository):
    theatre = Theatre(tmp_path, repository)
    yield theatre
    for process in theatre.started:
        # Sessions of their own: nobody else is in them.
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        if process.stdin:
            process.stdin.close()


@pytest.fixture
def cluster(theatre):
    """Return the address of a dask scheduler with two workers, in processes that outlive the driver."""
    pytest.importorskip("distributed")
    address = theatre.folder / "address"
    process = theatre.start("cluster.py", address, stdin=subprocess.PIPE)
    while not address.exists():
        assert process.poll() is None, theatre.printed()
        time.sleep(0.05)
    return address.read_text()


def kill_drivers(theatre, workers, seed):
    """Run a study whose driver is killed twice, each time at a random moment after jobs have started."""
    moments = random.Random(seed)
    for _ in range(2):
        before = len(theatre.log("START"))
        driver = theatre.driver(workers)
        theatre.wait_for_starts(before + moments.randint(1, 4), driver)
        time.sleep(moments.uniform(0.0, 0.3))
        driver.kill()
        driver.wait()
    theatre.assert_finished(theatre.driver(workers))
    theatre.assert_undisturbed()


def kill_workers(theatre, workers, seed):
    """Run a study of whose workers one is killed at each of two random moments."""
    moments = random.Random(seed)
    driver = theatre.driver(workers)
    for _ in range(2):
        theatre.wait_for_starts(len(theatre.log("START")) + moments.randint(1, 3), driver)
        time.sleep(moments.uniform(0.0, 0.2))
        _, process = theatre.log("START")[-1]
        if driver.poll() is None:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:  # left with another that was killed
                pass
    theatre.assert_finished(driver)
    theatre.assert_undisturbed()


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_a_driver_that_computes_itself_is_killed(theatre, seed):
    kill_drivers(theatre, 1, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_driver_is_killed_and_its_processes_go_on_for_a_while(theatre, seed):
    kill_drivers(theatre, 2, seed)
    theatre.assert_each_ended_once()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_driver_is_killed_and_the_cluster_lives(theatre, cluster, seed):
    kill_drivers(theatre, cluster, seed)
    theatre.assert_each_ended_once()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_process_is_killed(theatre, seed):
    kill_workers(theatre, 2, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_worker_of_a_cluster_is_killed(theatre, cluster, seed):
    kill_workers(theatre, cluster, seed)


@pytest.mark.slow
def test_all_processes_and_the_driver_are_killed_at_once(theatre):
    driver = theatre.driver(2)
    theatre.wait_for_starts(4, driver)
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()
    theatre.assert_finished(theatre.driver(2))
    theatre.assert_undisturbed()


@pytest.mark.slow
def test_the_scheduler_dies_and_another_goes_on(theatre, cluster):
    driver = theatre.driver(cluster)
    theatre.wait_for_starts(4, driver)
    os.killpg(theatre.started[0].pid, signal.SIGKILL)
    assert driver.wait(120) == 1
    assert "The same call goes on from there" in theatre.printed()
    theatre.assert_finished(theatre.driver(2))
    theatre.assert_undisturbed()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_stops_driver_and_processes(theatre, workers):
    driver = theatre.driver(workers)
    theatre.wait_for_starts(4, driver)
    os.killpg(driver.pid, signal.SIGINT)  # as a terminal does: everybody gets it
    assert driver.wait(60) != 0
    assert "KeyboardInterrupt: stopped: " in theatre.printed() and "The same call goes on" in theatre.printed()
    assert list((theatre.folder / "study" / "running").iterdir()) == []
    theatre.assert_finished(theatre.driver(workers))
    theatre.assert_undisturbed()


@pytest.mark.slow
def test_a_client_is_used_and_left_open(theatre, cluster, run_python):
    code = f"""
import sys
sys.path.insert(0, {str(theatre.folder)!r})
from distributed import Client
from rlbackends.studies import Job, Study

def work(state, payload, path):
    if payload == 3:
        raise ValueError("three")
    path.write_text(str(payload))

with Client({cluster!r}) as client:
    study = Study({str(theatre.folder / "study")!r}, {{}}, suffix=".txt")
    outcome = study.run([Job(str(n), n) for n in range(5)], work, workers=client, progress="off")
    print(outcome.done, {{key: why.error for key, why in outcome.failed.items()}}, client.submit(abs, -1).result())
"""
    assert run_python(code).strip() == "('0', '1', '2', '4') {'3': 'ValueError'} 1"
