"""Running a study: every job once, whatever dies meanwhile."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

from rlbackends.backends.locks import try_lock
from rlbackends.errors import SettingError
from rlbackends.studies.folder import Failure, Folder, check_key, unwritable
from rlbackends.studies.job import Result, SentJob, bundle_name, do_job, pickler, prepare_bundle
from rlbackends.studies.pools import Cluster, InThisProcess, Lost, Pool, Processes, check_workers
from rlbackends.studies.progress import StudyProgress

_MOST_DEATHS = 3  # workers that a job may cost before it is given up
_TICK = 0.5  # seconds between looks at the clock, and at jobs that another process computes


@dataclass(frozen=True)
class Job:
    """One result of a study.

    Attributes
    ----------
    key : str
        Names the result's file: letters, digits, ``-``, ``_`` and ``.``; for example ``"0007"``.
    payload : object
        What the work is given. All that decides the result is in it, its seed too; it can be pickled.
    """

    key: str
    payload: Any = None


@dataclass(frozen=True)
class Outcome:
    """What became of a study's jobs.

    Attributes
    ----------
    done : tuple of str
        The keys of the jobs that have a result, in the order of the jobs.
    failed : mapping of str to Failure
        The others, and why.
    """

    done: tuple[str, ...]
    failed: Mapping[str, Failure]


class Study:
    """A folder with one file for each finished job.

    Parameters
    ----------
    folder : path or None
        Created if need be. None: a temporary one, which is removed when the study's ``with`` block ends.
    manifest : mapping, optional
        What the study is, as plain data that JSON can say: its kind, the model, settings, the seed, the number of
        jobs; whatever makes results of another study wrong here. None: open what is there.
    suffix : str, default ".nc"
        The end of the results' file names.

    Raises
    ------
    SettingError
        If the folder holds another study (the error says what differs, key by key), or something else, or can't be
        written. It is left as it was.

    Notes
    -----
    The folder may be opened by any number of processes, and run by one at a time. It needs a file system with file
    locks (``flock``): any local one, NFS from version 4, GPFS, BeeGFS, Lustre mounted with ``flock``.

    Examples
    --------
    >>> def prepare(common):                  # once per process: compile, load
    ...     return {"add": common}
    >>> def work(state, payload, path):       # once per job
    ...     path.write_text(str(payload + state["add"]))
    >>> with Study(None, {"kind": "sums"}, suffix=".txt") as study:
    ...     outcome = study.run([Job("a", 1), Job("b", 2)], work, prepare=prepare, common=10, progress="off")
    ...     print({key: study.path(key).read_text() for key in outcome.done})
    {'a': '11', 'b': '12'}
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None,
        manifest: Mapping[str, Any] | None = None,
        *,
        suffix: str = ".nc",
    ) -> None:
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        if folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="rlbackends-study-")
            folder = self._temporary.name
        # Absolute: the same on the workers, and whatever the process's folder is later.
        self._folder = Folder(Path(folder).absolute(), suffix)
        try:
            said = self._folder.open(manifest)
        except BaseException:
            self.close()
            raise
        self._id: str = said["id"]
        self.manifest: Mapping[str, Any] = MappingProxyType(said["manifest"])

    def __enter__(self) -> Study:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the folder if it is a temporary one."""
        if self._temporary is not None:
            self._temporary.cleanup()

    @property
    def folder(self) -> Path:
        """The study's folder."""
        return self._folder.path

    def path(self, key: str) -> Path:
        """Return the file of a job's result, which is complete or not there."""
        return self._folder.fit(key)

    def failure(self, key: str) -> Failure | None:
        """Return why a job failed, or None."""
        return self._folder.read_failure(key)

    def run(
        self,
        jobs: Iterable[Job],
        work: Callable[[Any, Any, Path], None],
        *,
        prepare: Callable[[Any], Any] | None = None,
        common: Any = None,
        workers: Any = 1,
        progress: str = "auto",
        retry_failed: bool = False,
        label: str = "study",
    ) -> Outcome:
        """Do the jobs that are not done yet.

        Parameters
        ----------
        jobs : iterable of Job
            Each with a key of its own.
        work : callable
            ``work(state, payload, path)`` writes a job's result to the path: one new file, whose name ends in the
            suffix. It is moved to its place when the call has returned.
        prepare : callable, optional
            ``prepare(common)`` is called once in each process; ``work`` is given what it returns. None: ``common``
            itself. The state may keep what saves time, such as compiled functions, but nothing that changes a result.
        common : object, optional
            What all jobs share; it can be pickled.
        workers : int, str or distributed.Client, default 1
            1: in this process, in order. A number: processes of this machine. The address of a dask scheduler, such
            as ``"tcp://host:8786"``, or a client: its workers, which see the folder under the same path.
        progress : {"auto", "off"}
        retry_failed : bool, default False
            Whether jobs that failed in an earlier run are tried again.
        label : str
            What the progress calls the study.

        Returns
        -------
        Outcome

        Raises
        ------
        SettingError
            If another process runs the study, a file can't be written, the preparation fails, or the workers can't
            be used. Finished results stay, and the same call goes on from there.
        BackendMissingError
            If the workers need a package that is not installed.
        KeyboardInterrupt
            After Ctrl-C, with a message that says how far the study is.

        Notes
        -----
        A job that raises is recorded, and the others go on. A job whose worker dies is tried again, in the end on its
        own; with the third worker that it takes along it is recorded as failed. Where there are several workers, the
        first job runs before all others, because compile caches on disk are fragile while many processes fill them.
        """
        payloads = _checked(jobs)
        check_workers(workers)
        if progress not in ("auto", "off"):
            raise SettingError(f"progress is {progress!r}, expected 'auto' or 'off'.")
        try:
            with self._folder.driver_lock():
                self._run(payloads, (work, prepare, common), workers, progress, retry_failed, label)
        except OSError as error:
            raise unwritable(self.folder, error) from error
        failures = {key: self._folder.read_failure(key) for key in payloads}
        return Outcome(
            tuple(key for key in payloads if self._folder.fit(key).exists()),
            MappingProxyType({key: why for key, why in failures.items() if why is not None}),
        )

    def _run(
        self,
        payloads: Mapping[str, Any],
        parts: tuple[Any, Any, Any],
        workers: Any,
        progress: str,
        retry_failed: bool,
        label: str,
    ) -> None:
        """Run what is left, with the driver's lock."""
        folder = self._folder
        folder.tidy()
        done = folder.listed(folder.fits, folder.suffix)
        for key in folder.listed(folder.failed, ".json") & payloads.keys():
            if retry_failed or key in done:
                folder.failure(key).unlink(missing_ok=True)
            else:
                done.add(key)
        left = [key for key in payloads if key not in done]
        if not left:
            return
        pool: Pool | None = None
        is_over = False
        try:
            pool = self._pool(payloads, parts, workers)
            run = _Run(folder, pool, left)
            with StudyProgress(label, len(payloads), len(payloads) - len(left), mode=progress) as shown:
                run.all_jobs(shown)
            is_over = True
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"stopped: {self._how_far(payloads)}") from None
        except SettingError as error:
            raise SettingError(f"{str(error).rstrip('.')}. The study has stopped: {self._how_far(payloads)}") from error
        finally:
            if pool is not None:
                pool.close(kill=not is_over)
            with contextlib.suppress(OSError, SettingError):  # on a full disk: the next run does it
                folder.tidy()

    def _pool(self, payloads: Mapping[str, Any], parts: tuple[Any, Any, Any], workers: Any) -> Pool:
        folder, identity = self._folder, self._id
        if workers == 1 and isinstance(workers, int):
            ready: list[Any] = []

            def prepared() -> Any:
                if not ready:
                    ready.append(prepare_bundle(*parts))
                return ready[0]

            return InThisProcess(lambda key: do_job(folder, identity, key, lambda: payloads[key], prepared))

        from rlbackends import __version__

        bundle = _pickled(parts, "the work, its preparation, or what the jobs share")
        name = bundle_name(bundle)
        folder.write(folder.running / name, bundle)

        def task(key: str) -> SentJob:
            payload = _pickled(payloads[key], f"the payload of job '{key}'")
            host = socket.gethostname()
            return SentJob(str(folder.path), folder.suffix, identity, key, payload, name, __version__, host)

        return Processes(task, workers) if isinstance(workers, int) else Cluster(task, workers)

    def _how_far(self, payloads: Mapping[str, Any]) -> str:
        count = sum(self._folder.fit(key).exists() for key in payloads)
        text = f"{count} of {len(payloads)} jobs are done"
        if self._temporary is not None:
            return f"{text}, in a temporary folder. Give the study a folder of its own to go on after a stop."
        return f"{text} and stay in '{self.folder}'. The same call goes on from there."


@dataclass
class _Run:
    """The jobs of one run that are not done: to be started, computed by the pool, or by somebody else."""

    folder: Folder
    pool: Pool
    left: Iterable[str]
    todo: deque[str] = field(default_factory=deque)
    suspects: deque[str] = field(default_factory=deque)  # their worker died: in the end, one at a time
    elsewhere: dict[str, float] = field(default_factory=dict)  # key → when to look again
    flying: set[str] = field(default_factory=set)
    deaths: Counter[str] = field(default_factory=Counter)
    alone: str = ""  # the suspect that is being computed
    is_warm: bool = False  # a job has ended, so what compiles to disk has compiled
    ended: int = 0
    failed: int = 0

    def all_jobs(self, progress: StudyProgress) -> None:
        """Return when each job has a result or a recorded failure."""
        self.todo.extend(self.left)
        while self.todo or self.suspects or self.elsewhere or self.flying:
            self._start()
            for result in self.pool.poll(_TICK):
                self.flying.discard(result.key)
                if isinstance(result, Lost):
                    self._lost(result)
                else:
                    self._came_back(result)
            self._look_elsewhere()
            progress.update(self.ended, self.failed, len(self.elsewhere))

    def _start(self) -> None:
        """Give the pool what it may have now."""
        if self.alone in self.flying:
            return
        width = self.pool.width if self.is_warm else 1
        while self.todo and len(self.flying) < width:
            self._submit(self.todo.popleft())
        if self.suspects and not self.flying:
            self.alone = self.suspects.popleft()
            self._submit(self.alone)

    def _submit(self, key: str) -> None:
        self.flying.add(key)
        self.pool.submit(key)

    def _came_back(self, result: Result) -> None:
        if result.kind == "stop":
            raise SettingError(result.text)
        if result.kind == "busy":
            self.elsewhere[result.key] = time.monotonic() + _TICK
            return
        self.is_warm |= result.ran
        self._ended(result.key)

    def _ended(self, key: str) -> None:
        self.ended += 1
        self.failed += self.folder.failure(key).exists()

    def _lost(self, result: Lost) -> None:
        """Try a job again whose worker died, or give it up."""
        key = result.key
        self.deaths[key] += result.deaths
        was_alone = key == self.alone or not self.is_warm
        if self._is_over(key):  # it died with its work done
            self._ended(key)
        elif self.deaths[key] == 1 and not was_alone:
            self.todo.append(key)  # most likely another job's doing: loky ends all processes when one dies
        elif self.deaths[key] < _MOST_DEATHS or not was_alone:
            self.suspects.append(key)
        elif (lock := try_lock(self.folder.job_lock(key))) is None:
            self.elsewhere[key] = time.monotonic() + _TICK
        else:
            with lock:
                why = f"{result.text}. That happened {self.deaths[key]} times, at last when no other job was running."
                self.folder.record_failure(key, Failure("WorkerDied", why))
            self._ended(key)

    def _is_over(self, key: str) -> bool:
        return self.folder.fit(key).exists() or self.folder.failure(key).exists()

    def _look_elsewhere(self) -> None:
        """Take back the jobs that other processes computed, or left when they died."""
        now = time.monotonic()
        for key in [key for key, when in self.elsewhere.items() if when <= now]:
            lock = try_lock(self.folder.job_lock(key))
            if lock is None:
                self.elsewhere[key] = now + _TICK
                continue
            with lock:
                is_over = self._is_over(key)
            del self.elsewhere[key]
            if is_over:
                self._ended(key)
            else:
                self.todo.appendleft(key)


def _checked(jobs: Iterable[Job]) -> dict[str, Any]:
    """Return the jobs' payloads by key; ``SettingError`` lists all keys that can't be file names."""
    payloads: dict[str, Any] = {}
    faults: list[str] = []
    seen: dict[str, str] = {}
    for job in jobs:
        fault = check_key(job.key)
        if not fault and seen.setdefault(job.key.lower(), job.key) != job.key:  # one file on some systems
            fault = f"{job.key!r}: differs from {seen[job.key.lower()]!r} in upper and lower case alone"
        if not fault and job.key in payloads:
            fault = f"{job.key!r}: two jobs have it"
        if fault:
            faults.append(fault)
        else:
            payloads[job.key] = job.payload
    if faults:
        raise SettingError("jobs have keys that can't be used:\n  " + "\n  ".join(faults))
    return payloads


def _pickled(value: Any, what: str) -> bytes:
    try:
        data: bytes = pickler().dumps(value)
    except Exception as error:
        raise SettingError(
            f"{what} can't be sent to other processes: {type(error).__name__}: {error}. "
            "Leave out what can't be pickled (open files, compiled functions: make them in prepare), or use workers=1."
        ) from error
    return data
