"""A folder in which a fit leaves its work while it runs, so that a run that dies is not lost.

::

    run.json      what is sampled: written first, compared whenever the folder is opened
    run.lock      held by the process that samples, while it does
    start.nc      model, data, population and certificate: what it takes to read the draws so far
    chains/       what the sampler leaves, in files of its own
    fit.nc        the finished fit; complete, or not there
"""

from __future__ import annotations

import json
import math
import numbers
import os
import secrets
import shutil
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlbackends.backends.locks import Lock, try_lock
from rlbackends.data.files import write_whole
from rlbackends.errors import SettingError

FORMAT = "rlbackends run"
VERSION = 1
_OURS = ("run.json", "run.lock", "start.nc", "chains", "fit.nc")


@dataclass(frozen=True)
class Run:
    """Where a sampler leaves its work while it runs.

    Attributes
    ----------
    folder : pathlib.Path
        Exists and can be written; all that is in it is the sampler's.
    every : float, default 30.0
        Seconds between two saves.
    """

    folder: Path
    every: float = 30.0


class RunFolder:
    """The folder of one run: its paths, what it says of itself, and who may write to it.

    Parameters
    ----------
    path : path
        The folder; nothing is touched before :meth:`open`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.said_path = self.path / "run.json"
        self.lock_path = self.path / "run.lock"
        self.start = self.path / "start.nc"
        self.chains = self.path / "chains"
        self.fit = self.path / "fit.nc"

    def read(self) -> dict[str, Any] | None:
        """Return what ``run.json`` says: an ``id`` and the ``manifest``; None where there is none.

        Raises
        ------
        SettingError
            If it is not ours, or can't be read.
        """
        try:
            said = json.loads(self.said_path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError:
            said = None
        except OSError as error:
            raise SettingError(f"'{self.said_path}' can't be read: {error.strerror or error}.") from error
        if not isinstance(said, dict) or said.get("format") != FORMAT or not {"id", "manifest"} <= said.keys():
            raise SettingError(f"'{self.said_path}' was not written by rlbackends. Choose another folder.")
        if said.get("version") != VERSION:
            raise SettingError(
                f"'{self.path}' is a run of version {said.get('version')}; this rlbackends reads version {VERSION}."
            )
        return said

    def open(self, manifest: Mapping[str, Any]) -> Lock:
        """Create the folder, or compare it with the manifest, and lock it for this process.

        Parameters
        ----------
        manifest : mapping
            Everything that decides the draws, as plain data.

        Returns
        -------
        Lock
            To be released when this process has done with the folder.

        Raises
        ------
        SettingError
            If it holds another run, or something else, can't be written, or another process samples there. Nothing is
            changed then.
        """
        wanted = json.loads(json.dumps(dict(manifest)))
        self._compare(self.read(), wanted)
        if self.path.exists() and not self.path.is_dir():
            raise SettingError(f"checkpoint '{self.path}' is a file, expected a folder. Choose another name.")
        try:
            if not self.said_path.exists():
                self._refuse_strangers()
            self.path.mkdir(parents=True, exist_ok=True)
            lock = try_lock(self.lock_path)
        except OSError as error:
            raise self._unwritable(error) from error
        if lock is None:
            raise SettingError(
                f"checkpoint '{self.path}' is being written already, by {self._holder()}. Wait for it, or stop it; "
                "the same call goes on from there."
            )
        try:
            lock.write(f"process {os.getpid()} on {socket.gethostname()}")
            self._compare(self.read(), wanted)  # another process may have been quicker
            self._clear_partials()
            if not self.said_path.exists():
                said = {"format": FORMAT, "version": VERSION, "id": secrets.token_hex(16), "manifest": wanted}
                text = json.dumps(said, indent=2)
                write_whole(self.said_path, lambda name: Path(name).write_text(text, encoding="utf-8"))
            return lock
        except BaseException as error:
            lock.release()
            if isinstance(error, OSError):
                raise self._unwritable(error) from error
            raise

    @property
    def has_work(self) -> bool:
        """Whether a sampler has left something."""
        return self.chains.is_dir() and any(self.chains.iterdir())

    def remove_chains(self) -> None:
        """Remove what the sampler left, once the finished fit is in its place."""
        shutil.rmtree(self.chains, ignore_errors=True)
        self.start.unlink(missing_ok=True)

    def _compare(self, said: Mapping[str, Any] | None, wanted: Any) -> None:
        faults = [] if said is None else differences(said["manifest"], wanted)
        if faults:
            raise SettingError(
                f"checkpoint '{self.path}' holds another fit than the one asked for:\n  "
                + "\n  ".join(faults)
                + "\nChoose another folder, or ask for the fit that is there."
            )

    def _refuse_strangers(self) -> None:
        names = os.listdir(self.path) if self.path.exists() else []
        strangers = sorted(name for name in names if name not in _OURS and not name.endswith(".part"))
        if strangers:
            more = f" and {len(strangers) - 3} more" if len(strangers) > 3 else ""
            raise SettingError(
                f"checkpoint '{self.path}' is not empty ({', '.join(strangers[:3])}{more}) and holds no run: there is "
                "no run.json in it. Choose a new or empty folder."
            )

    def _clear_partials(self) -> None:
        """Remove the unfinished files of a process that was killed."""
        for path in [*self.path.glob(".*.part"), *self.chains.glob("**/.*.part")]:
            path.unlink(missing_ok=True)

    def _holder(self) -> str:
        with suppress(OSError):
            return self.lock_path.read_text(encoding="utf-8") or "another process"
        return "another process"

    def _unwritable(self, error: OSError) -> SettingError:
        return SettingError(
            f"checkpoint '{self.path}' can't be written: {error.strerror or error}. Choose another folder."
        )


def check_every(seconds: Any) -> float:
    """Return the seconds between saves, or raise ``SettingError`` for what is no such number."""
    is_number = isinstance(seconds, numbers.Real) and not isinstance(seconds, bool)
    if not is_number or not 0 < seconds < math.inf:
        raise SettingError(f"checkpoint_seconds is {seconds!r}, expected a number of seconds above 0, such as 30.")
    return float(seconds)


def differences(has: Any, asked: Any, name: str = "") -> list[str]:
    """Return how a manifest differs from the one asked for, key by key."""
    if isinstance(has, dict) and isinstance(asked, dict):
        dotted = f"{name}." if name else ""
        keys = [*has, *(key for key in asked if key not in has)]
        pairs = [(has.get(key, _NOTHING), asked.get(key, _NOTHING), f"{dotted}{key}") for key in keys]
        return [line for pair in pairs for line in differences(*pair)]
    said, wanted = _said(has), _said(asked)
    return [] if said == wanted else [f"{name}: the folder has {_short(said)}, asked for was {_short(wanted)}"]


_NOTHING = object()


def _said(value: Any) -> str:
    # As text: NaN is the same as NaN, and 1 is not 1.0.
    return "nothing" if value is _NOTHING else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:60]} … ({len(text)} characters)"
