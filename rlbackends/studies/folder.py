"""The folder of a study: what is in it, who may touch it, and how a file gets there whole or not at all.

::

    study.json           what the study is: written first, compared whenever the folder is opened
    study.lock           held by the process that runs the study, while it runs
    fits/0007.nc         a finished job: complete, or not there
    failed/0008.json     a job that raised: the error's class, message and traceback
    running/             locks and unfinished files of the jobs that are being computed; empty at rest
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rlbackends.backends.locks import Lock, is_held, try_lock
from rlbackends.backends.runs import differences
from rlbackends.errors import SettingError

FORMAT = "rlbackends study"
VERSION = 1

_PARTS = {"version", "id", "suffix", "manifest"}  # of study.json
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_APART = "~"  # parts a key from the rest of a name in running/; no key has it
_PROBE = 1 << 16  # bytes
_GRACE = 3.0  # seconds: who looks whether the study is being run holds its lock for an instant


@dataclass(frozen=True)
class Failure:
    """Why a job has no result.

    Attributes
    ----------
    error : str
        The error's class.
    message : str
        What it said.
    traceback : str
        Where it was raised, as text; empty for a job whose worker died.
    host : str
        The machine.
    """

    error: str
    message: str
    traceback: str = ""
    host: str = ""


class Folder:
    """The paths of a study's folder, and what is done with them."""

    def __init__(self, path: Path, suffix: str) -> None:
        self.path, self.suffix = path, suffix
        self.manifest_path = path / "study.json"
        self.lock_path = path / "study.lock"
        self.fits, self.failed, self.running = path / "fits", path / "failed", path / "running"

    def fit(self, key: str) -> Path:
        """Return where a job's result is, or will be."""
        return self.fits / f"{key}{self.suffix}"

    def failure(self, key: str) -> Path:
        """Return where a job's failure is recorded."""
        return self.failed / f"{key}.json"

    def job_lock(self, key: str) -> Path:
        """Return the file that is locked by the process that computes a job."""
        return self.running / f"{key}{_APART}lock"

    def partial(self, key: str, suffix: str = "") -> Path:
        """Return a new name for an unfinished file: on the same file system as its final place."""
        return self.running / f"{key}{_APART}{secrets.token_hex(4)}{suffix}"

    # ------------------------------------------------------------------------------------------------ what it is

    def open(self, manifest: Mapping[str, Any] | None) -> dict[str, Any]:
        """Create the folder, or compare it with the manifest; return what ``study.json`` says.

        Raises
        ------
        SettingError
            If it holds another study, or something else, or can't be written. Nothing is touched then.
        """
        wanted = None if manifest is None else _plain(manifest)
        try:
            if not self.manifest_path.exists():
                if wanted is None:
                    raise SettingError(f"'{self.path}' holds no study: there is no study.json in it.")
                self._create(wanted)
            said = self.read_manifest()
        except OSError as error:
            raise unwritable(self.path, error) from error
        if wanted is not None:
            faults = differences(said["manifest"], wanted)
            if said["suffix"] != self.suffix:
                faults.append(f"suffix: the folder has {said['suffix']!r}, asked for was {self.suffix!r}")
            if faults:
                raise SettingError(
                    f"'{self.path}' holds another study than the one asked for:\n  "
                    + "\n  ".join(faults)
                    + "\nChoose another folder, or ask for the study that is there."
                )
        self.suffix = said["suffix"]
        return said

    def _create(self, manifest: dict[str, Any]) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise SettingError(f"'{self.path}' is a file, expected a folder. Choose another name.")
        _refuse_strangers(self.path)
        self.path.mkdir(parents=True, exist_ok=True)
        with self.driver_lock():
            if self.manifest_path.exists():  # another process was quicker
                return
            _refuse_strangers(self.path)
            for folder in (self.fits, self.failed, self.running):
                folder.mkdir(exist_ok=True)
            text = {
                "format": FORMAT,
                "version": VERSION,
                "id": secrets.token_hex(16),  # tells a folder that was removed and made again from the first one
                "suffix": self.suffix,
                "manifest": manifest,
            }
            self.write(self.manifest_path, json.dumps(text, indent=2).encode())

    def read_manifest(self) -> dict[str, Any]:
        """Return what ``study.json`` says; raises ``FileNotFoundError``, or ``SettingError`` if it is not ours."""
        text = self.manifest_path.read_text(encoding="utf-8")
        try:
            said = json.loads(text)
        except ValueError:
            said = None
        if not isinstance(said, dict) or said.get("format") != FORMAT or not _PARTS <= said.keys():
            raise SettingError(f"'{self.manifest_path}' was not written by rlbackends. Choose another folder.")
        if said.get("version") != VERSION:
            raise SettingError(
                f"'{self.path}' is a study of version {said.get('version')}; this rlbackends reads version {VERSION}."
            )
        return said

    def is_study(self, identity: str) -> bool:
        """Say whether this is still the study that a job was made for."""
        try:
            return self.read_manifest()["id"] == identity
        except (OSError, SettingError):
            return False

    # ------------------------------------------------------------------------------------------------ who runs it

    def driver_lock(self) -> Lock:
        """Lock the study for the process that runs it, or say who does."""
        until = time.monotonic() + _GRACE
        while (lock := try_lock(self.lock_path)) is None:
            if time.monotonic() > until:
                raise SettingError(
                    f"the study in '{self.path}' is being run already, by {self._holder()}. "
                    "Wait for it, or stop it; its finished fits stay."
                )
            time.sleep(0.05)
        lock.write(f"process {os.getpid()} on {socket.gethostname()}")
        return lock

    def is_being_run(self) -> bool:
        """Say whether a process holds the driver's lock, as seen from this machine."""
        return is_held(self.lock_path)

    def _holder(self) -> str:
        with contextlib.suppress(OSError):
            return self.lock_path.read_text(encoding="utf-8") or "another process"
        return "another process"

    def tidy(self) -> None:
        """Remove what killed processes left behind; whatever a living one holds stays.

        Only for the holder of the driver's lock.
        """
        left: dict[str, list[Path]] = {}
        for path in self.running.iterdir():
            left.setdefault(path.name.lstrip(".").split(_APART)[0], []).append(path)
        for key, paths in left.items():
            if not key:  # no job's: written by a process that held the driver's lock
                _remove(paths)
            elif (lock := try_lock(self.job_lock(key))) is not None:
                with lock:
                    _remove(path for path in paths if path != lock.path)
        _remove(self.path.glob(".study.json*"))

    def remove_partials(self, key: str) -> None:
        """Remove a job's unfinished files; only for the holder of its lock."""
        starts = (f"{key}{_APART}", f".{key}{_APART}")
        lock = self.job_lock(key)
        _remove(path for path in self.running.iterdir() if path.name.startswith(starts) and path != lock)

    # ------------------------------------------------------------------------------------------------ files

    def write(self, target: Path, data: bytes, key: str = "") -> None:
        """Write a small file whole or not at all."""
        partial = self.partial(key) if target.parent != self.path else self.path / f".{target.name}{_APART}"
        try:
            partial.write_bytes(data)
            self.publish(partial, target)
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)

    def publish(self, partial: Path, target: Path) -> None:
        """Move a complete file to its place, so that not even a power cut leaves half of it there."""
        with open(partial, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, target)
        with contextlib.suppress(PermissionError):  # Windows opens no folders
            descriptor = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def record_failure(self, key: str, failure: Failure) -> None:
        """Record a job that failed."""
        self.write(self.failure(key), json.dumps({"key": key, **asdict(failure)}, indent=2).encode(), key)

    def read_failure(self, key: str) -> Failure | None:
        """Return a job's recorded failure, or None."""
        try:
            said = json.loads(self.failure(key).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return Failure(**{name: said.get(name, "") for name in ("error", "message", "traceback", "host")})

    def listed(self, folder: Path, suffix: str) -> set[str]:
        """Return the keys that have a file in a folder."""
        return {name.removesuffix(suffix) for name in os.listdir(folder) if name.endswith(suffix)}

    def fault(self, error: BaseException) -> str:
        """Return why nothing more can be written here, judging by an error; empty if it is the job's own."""
        seen: BaseException | None = error
        while seen is not None:
            # HDF5's errors are not always OSErrors, but they quote what the system said.
            if getattr(seen, "errno", None) in _FULL or any(os.strerror(code) in str(seen) for code in _FULL):
                return str(seen)
            seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
        partial = self.partial("")
        try:
            partial.write_bytes(bytes(_PROBE))
            with open(partial, "rb+") as file:
                os.fsync(file.fileno())
        except OSError as found:
            return str(found)
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
        return ""


_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EROFS}


def check_key(key: object) -> str:
    """Return what is wrong with a job's key, or an empty string."""
    if isinstance(key, str) and _KEY.fullmatch(key):
        return ""
    return f"{key!r}: expected at most 100 letters, digits, '-', '_' and '.', with a letter or digit first"


def unwritable(path: Path, error: BaseException | str) -> SettingError:
    """Return the error for a folder that can't be written."""
    why = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    return SettingError(f"the study's folder '{path}' can't be written: {why}. Make room or choose another folder.")


def _plain(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest as it will be read back."""
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(manifest)))
    except (TypeError, ValueError) as error:
        raise SettingError(f"the study's manifest can't be written as JSON: {error}.") from error
    return plain


def _refuse_strangers(path: Path) -> None:
    """Raise ``SettingError`` if a folder holds something, but no study."""
    strangers = sorted(
        name
        for name in (os.listdir(path) if path.exists() else [])
        # What is left where a study was killed while it was being created.
        if name not in ("study.json", "study.lock", "fits", "failed", "running") and not name.startswith(".study.json")
    )
    for name in ("fits", "failed", "running"):
        if not (path / "study.json").exists() and (path / name).exists() and any((path / name).iterdir()):
            strangers.append(name)
    if strangers:
        more = f" and {len(strangers) - 3} more" if len(strangers) > 3 else ""
        raise SettingError(
            f"'{path}' is not empty ({', '.join(strangers[:3])}{more}) and holds no study: there is no study.json "
            "in it. Choose a new or empty folder."
        )


def _remove(paths: Any) -> None:
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
