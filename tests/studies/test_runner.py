"""Running a study: every job once, with errors recorded, full disks found, and the same files from any workers."""

import errno
import functools
import io
import os
import threading
from pathlib import Path

import pytest

from rlbackends.backends.locks import try_lock
from rlbackends.errors import BackendMissingError, SettingError
from rlbackends.studies import Job, Study, job
from rlbackends.studies.folder import Folder
from rlbackends.studies.job import SentJob, run_task
from rlbackends.studies.progress import StudyProgress

MANIFEST = {"kind": "sums"}
JOBS = [Job(f"{number:02d}", number) for number in range(5)]


def note(path, text):
    """Append a line at once, from whatever process."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.write(descriptor, f"{text}\n".encode())
    os.close(descriptor)


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def add(state, payload, path):
    """Write a sum; note in the state's log what is done."""
    if state is not None:
        note(state, f"start {payload}")
    path.write_text(f"{payload + 0.1!r}")
    if state is not None:
        note(state, f"end {payload}")


def divide(state, payload, path):
    """Write a quotient, which 0 has not."""
    path.write_text("half a resu")
    path.write_text(f"{1 / payload!r}")


def prepare_log(common):
    note(common, f"prepared {os.getpid()}")
    return common


def table(study, outcome):
    return {key: study.path(key).read_text() for key in outcome.done}


def assert_at_rest(study):
    assert list((study.folder / "running").iterdir()) == []
    assert not (study.folder / "study.lock").exists()


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path / "study", MANIFEST, suffix=".txt")


@pytest.fixture
def run(study):
    """Return ``study.run`` without its progress."""
    return functools.partial(study.run, progress="off")


@pytest.mark.parametrize("workers", [1, 2])
def test_each_job_has_its_file(study, run, tmp_path, workers):
    log = tmp_path / "log"
    outcome = run(JOBS, add, common=log, workers=workers)
    assert outcome.done == ("00", "01", "02", "03", "04") and not outcome.failed
    assert table(study, outcome) == {f"{n:02d}": repr(n + 0.1) for n in range(5)}
    assert sorted(lines(log)) == sorted(f"{word} {n}" for word in ("start", "end") for n in range(5))
    assert lines(log)[:2] == ["start 0", "end 0"]  # the first one alone, wherever it is computed
    assert_at_rest(study)
    assert run(JOBS, add, common=log, workers=workers) == outcome
    assert len(lines(log)) == 10


@pytest.mark.parametrize("workers", [1, 2])
def test_more_jobs_are_added_to_those_that_are_done(study, run, tmp_path, workers):
    run(JOBS[:2], add)
    outcome = run(JOBS, add, common=tmp_path / "log", workers=workers)
    assert len(outcome.done) == 5
    assert sorted(line for line in lines(tmp_path / "log") if line.startswith("end")) == ["end 2", "end 3", "end 4"]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_preparation_is_done_once_a_process(run, tmp_path, workers):
    log = tmp_path / "log"
    run(JOBS, add, prepare=prepare_log, common=log, workers=workers)
    prepared = [line for line in lines(log) if line.startswith("prepared")]
    assert 1 <= len(prepared) == len(set(prepared)) <= workers


def test_jobs_of_this_process_need_no_pickling(study, run):
    with threading.Lock() as unpicklable:
        assert unpicklable
    lock = threading.Lock()

    def work(state, payload, path):
        with lock, payload:
            path.write_text("locked")

    assert run([Job("a", threading.Lock())], work).done == ("a",)
    with pytest.raises(SettingError, match=r"the payload of job 'b' can't be sent to other processes.* workers=1"):
        run([Job("b", lock)], add, workers=2)
    with pytest.raises(SettingError, match=r"the work, its preparation, or what the jobs share can't be sent"):
        run([Job("b", 1)], work, workers=2)
    assert_at_rest(study)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_job_that_raises_is_recorded_and_tried_again_only_when_asked(study, run, workers):
    outcome = run(JOBS, divide, workers=workers)
    assert outcome.done == ("01", "02", "03", "04") and list(outcome.failed) == ["00"]
    failure = outcome.failed["00"]
    assert (failure.error, failure.message) == ("ZeroDivisionError", "division by zero")
    assert "in divide" in failure.traceback and failure.host
    assert study.failure("00") == failure and study.failure("01") is None
    assert not study.path("00").exists()
    assert_at_rest(study)
    assert run(JOBS, add, workers=workers) == outcome
    again = run(JOBS, add, workers=workers, retry_failed=True)
    assert len(again.done) == 5 and not again.failed
    assert study.path("00").read_text() == "0.1" and study.path("02").read_text() == "0.5"


def test_leaving_python_or_writing_nothing_is_a_failure_of_the_job(run):
    def leave(state, payload, path):
        if payload == 0:
            raise SystemExit(3)

    failed = run(JOBS[:2], leave).failed
    assert failed["00"].error == "SystemExit"
    assert failed["01"].message == "the work ended without writing a file to the path that it was given"


def test_an_unreadable_file_of_the_job_is_its_own_failure(run, tmp_path):
    def work(state, payload, path):
        if payload == 1:
            raise PermissionError(errno.EACCES, "Permission denied", "/a/file/of/the/user")
        path.write_text("fine")

    outcome = run(JOBS[:3], work)
    assert outcome.done == ("00", "02") and outcome.failed["01"].error == "PermissionError"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_preparation_that_fails_stops_the_study(study, run, workers):
    def prepare(common):
        raise ImportError("no module named jax")

    with pytest.raises(SettingError, match=r"preparing .* failed on .*: ImportError: no module named jax.* 0 of 5"):
        run(JOBS, add, prepare=prepare, workers=workers)
    assert_at_rest(study)
    assert len(run(JOBS, add).done) == 5


# ------------------------------------------------------------------------------------------------- disks and folders


def fill(state, payload, path):
    """Write a sum; from the third job on to a disk that is full, if the state says so."""
    if payload >= 2 and state.exists():
        with open("/dev/full", "w") as file:
            file.write("0" * 100_000)
    path.write_text(f"{payload + 0.1!r}")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_stops_the_study_and_it_goes_on_later(study, run, tmp_path, workers):
    full = tmp_path / "full"
    full.touch()
    with pytest.raises(SettingError, match=r"can't be written on .*No space left.*stay in '.*The same call goes on"):
        run(JOBS, fill, common=full, workers=workers)
    assert study.path("00").read_text() == "0.1" and not any(study.path(f"0{n}").exists() for n in (2, 3, 4))
    assert list((study.folder / "failed").iterdir()) == []
    assert_at_rest(study)
    before = study.path("00").stat().st_mtime_ns
    full.unlink()
    outcome = run(JOBS, fill, common=full, workers=workers)
    assert table(study, outcome) == {f"{n:02d}": repr(n + 0.1) for n in range(5)}
    assert study.path("00").stat().st_mtime_ns == before


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EIO])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_an_error_in_moving_a_file_to_its_place_stops_the_study(study, run, monkeypatch, call, code):
    real, count = getattr(os, call), 0

    def refuse(*arguments):
        nonlocal count
        count += 1
        if count > 4:
            raise OSError(code, os.strerror(code))
        return real(*arguments)

    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(SettingError, match=os.strerror(code)):
        run(JOBS, add)
    monkeypatch.undo()
    assert all(path.read_text() == repr(int(path.stem) + 0.1) for path in (study.folder / "fits").iterdir())
    assert 0 < len(list((study.folder / "fits").iterdir())) < 5
    assert list((study.folder / "failed").iterdir()) == []
    assert_at_rest(study)
    assert len(run(JOBS, add).done) == 5


def test_an_error_of_hdf5_that_quotes_a_full_disk_is_one(run):
    def work(state, payload, path):
        try:
            raise RuntimeError("unable to write (error message = 'No space left on device')")
        except RuntimeError as error:
            raise SettingError("the fit can't be saved") from error

    with pytest.raises(SettingError, match="No space left on device"):
        run(JOBS, work)


def test_a_failure_that_can_not_be_recorded_stops_the_study(study, run, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(SettingError, match="No space left"):
        run(JOBS[:1], divide)
    monkeypatch.undo()
    assert list((study.folder / "failed").iterdir()) == []
    assert_at_rest(study)


def test_a_folder_that_was_removed_is_noticed(study, run):
    import shutil

    def work(state, payload, path):
        if payload == 2:
            shutil.rmtree(study.folder)
        path.write_text("")

    with pytest.raises(SettingError, match="study"):
        run(JOBS, work)


# ------------------------------------------------------------------------------------------------- other processes


@pytest.mark.parametrize("workers", [1, 2])
def test_a_job_that_a_process_of_a_killed_run_computes_is_waited_for(study, run, tmp_path, workers):
    place = Folder(study.folder, ".txt")
    held = try_lock(place.job_lock("01"))

    def finish():
        study.path("01").write_text("of the other process")
        held.release()

    # It ends when all others are done: nobody waits for it before.
    watcher = threading.Thread(target=_when, args=(lambda: study.path("04").exists(), finish))
    watcher.start()
    outcome = run(JOBS, add, common=tmp_path / "log", workers=workers)
    watcher.join()
    assert len(outcome.done) == 5 and study.path("01").read_text() == "of the other process"
    assert "start 1" not in lines(tmp_path / "log")
    assert_at_rest(study)


def test_a_job_whose_process_dies_after_all_is_computed(study, run, tmp_path):
    held = try_lock(Folder(study.folder, ".txt").job_lock("01"))
    watcher = threading.Thread(target=_when, args=(lambda: study.path("04").exists(), held.release))
    watcher.start()
    outcome = run(JOBS, add, common=tmp_path / "log")
    watcher.join()
    assert len(outcome.done) == 5
    assert lines(tmp_path / "log")[-1] == "end 1" and lines(tmp_path / "log").count("start 1") == 1


def _when(condition, action):
    import time

    while not condition():
        time.sleep(0.01)
    action()


def die(state, payload, path):
    """Kill this process in one job, each time; note every start."""
    note(state, f"start {payload}")
    if payload == 3:
        os.kill(os.getpid(), 9)
    path.write_text("alive")


def test_a_job_that_kills_its_worker_three_times_is_recorded_as_failed(study, run, tmp_path):
    log = tmp_path / "log"
    outcome = run(JOBS, die, common=log, workers=2)
    assert outcome.done == ("00", "01", "02", "04") and outcome.failed["03"].error == "WorkerDied"
    assert "3 times, at last when no other job was running" in outcome.failed["03"].message
    assert lines(log).count("start 3") == 3
    assert_at_rest(study)


def die_once(state, payload, path):
    """Kill this process in one job, the first time."""
    if payload == 3 and not state.exists():
        state.touch()
        os.kill(os.getpid(), 9)
    path.write_text("alive")


def test_a_job_whose_worker_dies_once_is_done_by_another(run, tmp_path):
    outcome = run(JOBS, die_once, common=tmp_path / "once", workers=2)
    assert len(outcome.done) == 5 and not outcome.failed


def task_for(study, /, **changes):
    """Return a task as a worker gets it."""
    from rlbackends import __version__

    data = job.pickler().dumps((add, None, None))
    name = job.bundle_name(data)
    (study.folder / "running" / name).write_bytes(data)
    said = Folder(study.folder, ".txt").read_manifest()
    values = {
        "folder": str(study.folder), "suffix": ".txt", "study": said["id"], "key": "00",
        "payload": job.pickler().dumps(0), "bundle": name, "version": __version__, "host": os.uname().nodename,
    }  # fmt: skip
    return SentJob(**{**values, **changes})


@pytest.fixture
def _fresh_worker(monkeypatch):
    monkeypatch.setattr(job, "_bundles", {})


@pytest.mark.usefixtures("_fresh_worker")
@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"version": "0.0.1"}, "the study is run by 0.0.1"),
        ({"host": "elsewhere"}, "the lock that is held on elsewhere is not seen there: file locks"),
        ({"study": "another"}, "does not see the study in"),
        ({"folder": "/nowhere"}, "does not see the study in '/nowhere'"),
        ({"bundle": "~bundle-lost"}, "No such file"),
    ],
)
def test_a_worker_that_can_not_work_says_why(study, changes, text):
    result = run_task(task_for(study, **changes))
    assert result.kind == "stop" and text in result.text
    assert not study.path("00").exists()


@pytest.mark.usefixtures("_fresh_worker")
def test_a_worker_on_another_host_works_while_the_driver_is_seen(study):
    with Folder(study.folder, ".txt").driver_lock():
        assert run_task(task_for(study, host="elsewhere")).kind == "done"
    assert study.path("00").read_text() == "0.1"


@pytest.mark.usefixtures("_fresh_worker")
def test_a_folder_that_was_made_again_gets_nothing_of_the_old_study(study, tmp_path):
    old = task_for(study)
    study.folder.rename(tmp_path / "old")
    new = Study(study.folder, {"kind": "other sums"}, suffix=".txt")
    assert run_task(old).kind == "stop"
    assert list((new.folder / "fits").iterdir()) == []


# ------------------------------------------------------------------------------------------------- arguments, Ctrl-C


def test_bad_keys_are_all_reported(run):
    with pytest.raises(SettingError) as caught:
        run([Job("a"), Job("a"), Job("b/c"), Job("A"), Job(7)], add)
    assert [line.split(":")[0].strip() for line in str(caught.value).splitlines()[1:]] == ["'a'", "'b/c'", "'A'", "7"]


@pytest.mark.parametrize("workers", [0, -1, True, 1.5, None, "many"])
def test_bad_workers_are_refused(run, workers):
    with pytest.raises(SettingError, match="expected a number of processes from 1, the address of a dask scheduler"):
        run(JOBS, add, workers=workers)


def test_an_address_needs_its_protocol(run):
    with pytest.raises(SettingError, match=r"Did you mean 'tcp://login1:8786'\?"):
        run(JOBS, add, workers="login1:8786")


def test_a_missing_package_comes_with_its_command(run, monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BackendMissingError, match=r'pip install "rlbackends\[cluster\]"'):
        run(JOBS, add, workers="tcp://login1:8786")


def test_an_unknown_progress_is_refused(study):
    with pytest.raises(SettingError, match="expected 'auto' or 'off'"):
        study.run(JOBS, add, progress="on")


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(study, run):
    def work(state, payload, path):
        path.write_text("begun")
        if payload == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"stopped: 2 of 5 jobs are done and stay in '.*'\. The same call"):
        run(JOBS, work)
    assert_at_rest(study)
    assert len(run(JOBS, add).done) == 5


def test_a_temporary_study_does_not_promise_to_go_on():
    def work(state, payload, path):
        raise KeyboardInterrupt

    with Study(None, MANIFEST) as study, pytest.raises(KeyboardInterrupt, match="Give the study a folder of its own"):
        study.run(JOBS, work, progress="off")


# ------------------------------------------------------------------------------------------------- progress


def test_lines_of_progress_come_at_intervals_with_the_time_left():
    seconds = [0.0]
    stream = io.StringIO()
    with StudyProgress("recovery", 20, 10, stream=stream, clock=lambda: seconds[-1]) as progress:
        for now, *counts in ((10.0, 1, 0, 0), (40.0, 2, 0, 1), (50.0, 3, 0, 0), (80.0, 8, 1, 0), (95.0, 10, 1, 0)):
            seconds.append(now)
            progress.update(*counts)
    assert stream.getvalue() == (
        "recovery · 10/20 were done before\n"
        "recovery · 12/20 · waiting for 1 that another process computes · 40 s, about 3 min left\n"
        "recovery · 18/20 · 1 failed · 80 s, about 20 s left\n"
        "recovery · 20/20 · 1 failed · 95 s\n"
    )


def test_a_stop_is_said_and_off_is_silent():
    stream = io.StringIO()
    for mode in ("auto", "off"):
        progress = StudyProgress("recovery", 3, 0, mode=mode, stream=stream, clock=lambda: 1.0)
        with pytest.raises(KeyboardInterrupt), progress:
            progress.update(1, 0, 0)
            raise KeyboardInterrupt
    assert stream.getvalue() == "recovery · 1/3 · stopped after 0 s\n"


def test_a_terminal_shows_a_bar(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with StudyProgress("recovery", 20, 10, stream=stream) as progress:
        progress.update(5, 1, 2)
    assert "15/20" in stream.getvalue() and "1 failed · waiting for 2" in stream.getvalue()
