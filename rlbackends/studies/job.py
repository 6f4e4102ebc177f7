"""One job, in the process that computes it: locked, looked up, computed, and put in its place."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rlbackends.backends.locks import try_lock
from rlbackends.errors import SettingError
from rlbackends.studies.folder import Failure, Folder

Kind = Literal["done", "failed", "busy", "stop"]


@dataclass(frozen=True)
class Result:
    """What became of a job.

    Attributes
    ----------
    key : str
    kind : {"done", "failed", "busy", "stop"}
        ``"busy"``: another process computes it. ``"stop"``: no job can be done here.
    text : str, default ""
        Why the study stops.
    ran : bool, default False
        Whether it was computed now, rather than found.
    """

    key: str
    kind: Kind
    text: str = ""
    ran: bool = False


@dataclass(frozen=True)
class SentJob:
    """A job as it is sent to another process: all plain values.

    The work, its preparation and what the jobs share are in one file of the folder, ``bundle``, which each process
    reads once: no part of them travels with a job, and none is lost with a worker.
    """

    folder: str
    suffix: str
    study: str
    key: str
    payload: bytes
    bundle: str
    version: str
    host: str


Prepared = Callable[[], tuple[Callable[..., None], Any]]


def do_job(folder: Folder, study: str, key: str, payload: Callable[[], Any], prepared: Prepared) -> Result:
    """Do a job unless it is done, has failed, or is being done.

    The lock is held until the result is in its place, so whoever gets it after looks at what is there.
    """
    try:
        lock = try_lock(folder.job_lock(key))
    except FileNotFoundError:
        return _not_here(folder, key)
    except (OSError, SettingError) as error:
        return Result(key, "stop", _unwritable(error))
    if lock is None:
        return Result(key, "busy")
    with lock:
        if not folder.is_study(study):
            return _not_here(folder, key)
        if folder.fit(key).exists():
            return Result(key, "done")
        if folder.failure(key).exists():
            return Result(key, "failed")
        try:
            return _compute(folder, study, key, payload, prepared)
        except OSError as error:  # of the folder: those of the work are caught where it is called
            return Result(key, "stop", _unwritable(error))
        finally:
            with contextlib.suppress(OSError):
                folder.remove_partials(key)


def _compute(folder: Folder, study: str, key: str, payload: Callable[[], Any], prepared: Prepared) -> Result:
    folder.remove_partials(key)
    try:
        work, state = prepared()
    except Exception as error:
        return Result(key, "stop", f"preparing for the jobs failed on {_here()}: {_said(error)}")
    partial = folder.partial(key, folder.suffix)
    try:
        work(state, payload(), partial)
        if not partial.is_file():
            raise RuntimeError("the work ended without writing a file to the path that it was given")
    except (Exception, SystemExit) as error:
        why = folder.fault(error)
        if why:
            return Result(key, "stop", _unwritable(why))
        folder.record_failure(key, failure_of(error))
        return Result(key, "failed", ran=True)
    if not folder.is_study(study):
        return _not_here(folder, key)
    folder.publish(partial, folder.fit(key))
    return Result(key, "done", ran=True)


def failure_of(error: BaseException) -> Failure:
    """Return an error as it is recorded."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return Failure(name, str(error), "".join(traceback.format_exception(error)), socket.gethostname())


# ------------------------------------------------------------------------------------------------- in other processes

_preparing = threading.Lock()  # a dask worker may have several threads
_bundles: dict[str, tuple[Callable[..., None], Any]] = {}  # at most one: a prepared study may be large


def run_task(task: SentJob) -> Result:
    """Do a job in a worker process."""
    folder = Folder(Path(task.folder), task.suffix)

    def payload() -> Any:
        return pickler().loads(task.payload)

    def prepared() -> tuple[Callable[..., None], Any]:
        with _preparing:
            if task.bundle not in _bundles:
                _check_worker(folder, task)
                data = (folder.running / task.bundle).read_bytes()
                if bundle_name(data) != task.bundle:
                    raise SettingError(f"'{folder.running / task.bundle}' was changed.")
                _bundles.clear()
                _bundles[task.bundle] = prepare_bundle(*pickler().loads(data))
            return _bundles[task.bundle]

    return do_job(folder, task.study, task.key, payload, prepared)


def prepare_bundle(
    work: Callable[..., None], prepare: Callable[[Any], Any] | None, common: Any
) -> tuple[Callable[..., None], Any]:
    """Return the work and the state that it is given."""
    return work, common if prepare is None else prepare(common)


def bundle_name(data: bytes) -> str:
    """Return the name of the file of what the jobs share."""
    return f"~bundle-{hashlib.sha256(data).hexdigest()}"


def pickler() -> Any:
    """Return cloudpickle, which also pickles what a script or notebook defines."""
    try:
        from joblib.externals import cloudpickle
    except ImportError:  # distributions that part joblib from what it brings
        import cloudpickle
    return cloudpickle


def _check_worker(folder: Folder, task: SentJob) -> None:
    """Raise ``SettingError`` if results of this process could differ, or its locks mean nothing."""
    from rlbackends import __version__

    if task.version != __version__:
        raise SettingError(f"rlbackends {__version__} is installed there, but the study is run by {task.version}.")
    if task.host != socket.gethostname() and not folder.is_being_run():
        raise SettingError(
            f"the lock that is held on {task.host} is not seen there: file locks (flock) of '{folder.path}' don't "
            "reach from one machine to another, so a fit could be computed twice. Choose a folder on another file "
            "system (on Lustre the mount option is 'flock')."
        )


def _not_here(folder: Folder, key: str) -> Result:
    return Result(
        key,
        "stop",
        f"{_here()} does not see the study in '{folder.path}'. All workers need the folder under the same path: "
        "put it on a file system that they share",
    )


def _unwritable(error: BaseException | str) -> str:
    return f"a file can't be written on {_here()}: {error}. Make room, or see to the permissions"


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _here() -> str:
    return f"{socket.gethostname()} (process {os.getpid()})"
