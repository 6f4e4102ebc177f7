"""Where jobs are computed: in this process, in processes of this machine (joblib's loky), or on a dask cluster."""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from rlbackends.errors import BackendMissingError, SettingError
from rlbackends.studies.job import Result, SentJob, run_task

_IDLE = 60.0  # seconds after which an idle process leaves; one is started again when it is needed
_IN_FLIGHT = 1000  # jobs that a dask scheduler is given at once: enough for it to see how much there is to do
# A process computes one job, so its libraries get one thread each. It is what dask's workers do, too, and so sums
# are added up in the same order on both.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True)
class Lost:
    """A job whose worker died before it answered.

    Attributes
    ----------
    key : str
    deaths : int
        How many workers the job may have cost.
    text : str
        What the pool says.
    """

    key: str
    deaths: int
    text: str


class Pool(Protocol):
    """Takes jobs, and gives back what became of them.

    Attributes
    ----------
    width : int
        How many jobs it is given at once.
    """

    width: int

    def submit(self, key: str) -> None:
        """Take a job; returns at once."""

    def poll(self, timeout: float) -> list[Result | Lost]:
        """Return the jobs that have ended; waits for one, but no longer than the timeout in seconds."""

    def close(self, *, kill: bool) -> None:
        """Let the workers go; with ``kill``, whatever they do."""


class InThisProcess:
    """One job after the other, here."""

    width = 1

    def __init__(self, do: Callable[[str], Result]) -> None:
        self._do = do
        self._next: list[str] = []

    def submit(self, key: str) -> None:
        self._next.append(key)

    def poll(self, timeout: float) -> list[Result | Lost]:
        if not self._next:
            time.sleep(timeout)
        return [self._do(self._next.pop(0))] if self._next else []

    def close(self, *, kill: bool) -> None:
        self._next.clear()


class Processes:
    """Processes of this machine. If one dies, loky ends them all, and new ones are started."""

    def __init__(self, task: Callable[[str], SentJob], workers: int) -> None:
        self.width = workers
        self._task = task
        self._executor: Any = None
        self._flying: dict[Any, str] = {}
        self._refused: list[str] = []
        self._ended: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def submit(self, key: str) -> None:
        if self._executor is None:
            settings = {name: "1" for name in _ONE_THREAD if name not in os.environ}
            self._executor = _loky().ProcessPoolExecutor(
                self.width, timeout=_IDLE, env=settings, initializer=_leave_with_parent, initargs=(os.getpid(),)
            )
        try:
            future = self._executor.submit(_run_undisturbed, self._task(key))
        except _broken():  # an idle process died: poll starts new ones
            self._refused.append(key)
            return
        self._flying[future] = key
        future.add_done_callback(self._ended.put)

    def poll(self, timeout: float) -> list[Result | Lost]:
        results: list[Result | Lost] = []
        broken = bool(self._refused)
        for future in _drain(self._ended, 0.0 if broken else timeout):
            result, is_broken = self._result(future, self._flying.pop(future))
            results.append(result)
            broken |= is_broken
        if broken:
            # The others get the same error, or their result if they were quicker.
            while self._flying:
                for future in _drain(self._ended, 1.0):
                    results.append(self._result(future, self._flying.pop(future))[0])
            refused = list(self._refused)
            self.close(kill=True)
            for key in refused:
                self.submit(key)
        return results

    def _result(self, future: Any, key: str) -> tuple[Result | Lost, bool]:
        error = future.exception()
        if error is None:
            return future.result(), False
        if isinstance(error, KeyboardInterrupt):  # Ctrl-C reaches the workers as well
            raise KeyboardInterrupt
        if isinstance(error, _broken()):
            return Lost(key, 1, "its process died (killed, out of memory, or crashed)"), True
        raise SettingError(f"the worker processes can't take jobs: {type(error).__name__}: {error}.") from error

    def close(self, *, kill: bool) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=kill)
        self._executor = None
        self._flying.clear()
        self._refused.clear()


class Cluster:
    """The workers of a dask scheduler. It starts a job again whose worker died, a limited number of times."""

    width = _IN_FLIGHT

    def __init__(self, task: Callable[[str], SentJob], workers: Any) -> None:
        self._task = task
        self._own = isinstance(workers, str)
        self._client = _connect(workers) if self._own else workers
        self._prefix = f"study-{secrets.token_hex(4)}"
        self._count = 0
        self._flying: dict[str, tuple[Any, str]] = {}  # dask's key → its future, which would be dropped, and ours
        self._ended: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def submit(self, key: str) -> None:
        self._count += 1  # a job that is tried again is another task to dask
        name = f"{self._prefix}-{self._count}-{key}"
        task = self._task(key)
        with _answering():
            future = self._client.submit(_run_undisturbed, task, key=name, pure=False)
        self._flying[future.key] = future, key
        future.add_done_callback(self._ended.put)

    def poll(self, timeout: float) -> list[Result | Lost]:
        ended = _drain(self._ended, timeout)
        with _answering():
            return [self._result(future, self._flying.pop(future.key)[1]) for future in ended]

    def _result(self, future: Any, key: str) -> Result | Lost:
        from distributed.scheduler import KilledWorker

        if future.status == "finished":
            result: Result = future.result()
            future.release()
            return result
        if future.status in ("cancelled", "lost"):
            if self._client.status != "running":
                raise ConnectionError("it has gone away")
            return Lost(key, 1, "the dask scheduler has dropped it")
        error = future.exception()
        if isinstance(error, KilledWorker):
            deaths = error.allowed_failures + 1
            return Lost(key, deaths, f"{deaths} dask workers died with it (killed, out of memory, or crashed)")
        raise SettingError(
            f"the dask workers can't take jobs: {type(error).__name__}: {error}. "
            "They need the Python packages that are installed here, in the same versions."
        )

    def close(self, *, kill: bool) -> None:
        if kill and self._client.status == "running":
            with contextlib.suppress(Exception):  # a scheduler that is gone has nothing to cancel
                self._client.cancel([future for future, _ in self._flying.values()], force=True)
        self._flying.clear()
        if self._own:
            with contextlib.suppress(OSError):
                self._client.close()


def check_workers(workers: Any) -> Any:
    """Return the workers if they can be understood: a number, a scheduler's address or a ``distributed.Client``.

    Raises
    ------
    SettingError
        If they are something else.
    BackendMissingError
        If they need a package that is not installed.
    """
    if isinstance(workers, int) and not isinstance(workers, bool) and workers >= 1:
        return workers
    if isinstance(workers, str) and "://" in workers:
        import importlib.util

        if importlib.util.find_spec("distributed") is None:
            raise BackendMissingError(
                f"workers={workers!r} needs 'distributed', not installed here. "
                'Install it with: pip install "rlbackends[cluster]"'
            )
        return workers
    if "distributed" in sys.modules and isinstance(workers, sys.modules["distributed"].Client):
        if workers.asynchronous:
            raise SettingError("workers is an asynchronous dask client, expected a plain one: Client(address).")
        return workers
    hint = f" Did you mean 'tcp://{workers}'?" if isinstance(workers, str) and ":" in workers else ""
    raise SettingError(
        f"workers is {workers!r}, expected a number of processes from 1, the address of a dask scheduler such as "
        f"'tcp://host:8786', or a distributed.Client.{hint}"
    )


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    """Turn a lost connection into the error that says so."""
    try:
        yield
    except OSError as error:
        raise SettingError(f"the dask scheduler does not answer: {error}.") from error


def _connect(address: str) -> Any:
    from distributed import Client

    try:
        return Client(address, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise SettingError(f"no dask scheduler answers at '{address}': {error}.") from error


def _loky() -> Any:
    try:
        from joblib.externals import loky
    except ImportError:  # distributions that part joblib from what it brings
        import loky
    return loky


def _broken() -> Any:
    return _loky().process_executor.BrokenProcessPool


def _drain(ended: queue.SimpleQueue[Any], timeout: float) -> list[Any]:
    """Return the futures that have ended; waits for the first."""
    futures = []
    with contextlib.suppress(queue.Empty):
        futures.append(ended.get(timeout=timeout))
        while True:
            futures.append(ended.get_nowait())
    return futures


# ----------------------------------------------------------------------------------------------- in a worker process

_computing = threading.Lock()  # a worker may have several threads, but what is prepared serves one job at a time


def _run_undisturbed(task: SentJob) -> Result:
    with _computing:
        return run_task(task)


def _leave_with_parent(parent: int) -> None:
    """End this process after its present job if the one that started it was killed; nobody else would."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        with _computing:
            os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
