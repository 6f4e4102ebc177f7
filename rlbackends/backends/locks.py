"""Locks that the operating system lets go of when their holder dies, however it dies."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from types import TracebackType

from rlbackends.errors import SettingError

_HELD_BY_ANOTHER = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}


class Lock:
    """A held lock on a file; leaving its block removes the file and lets go."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path, self._descriptor = path, descriptor

    def __enter__(self) -> Lock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def write(self, text: str) -> None:
        """Say in the file who holds it."""
        os.truncate(self._descriptor, 0)
        os.write(self._descriptor, text.encode())

    def release(self) -> None:
        """Remove the file, then let go; a lock that is not held any more is left alone."""
        if self._descriptor >= 0:
            # Removed while it is held: whoever opened this file before sees in try_lock that it is gone.
            with contextlib.suppress(OSError):
                self.path.unlink()
            os.close(self._descriptor)
            self._descriptor = -1


def try_lock(path: Path) -> Lock | None:
    """Lock a file, which is created if need be, and return the lock; None while another process holds it."""
    while True:
        # Not inherited by programs that the holder starts, so that they don't hold it after it has died.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
        try:
            if not _lock(descriptor, path):
                os.close(descriptor)
                return None
            if _is_at(descriptor, path):
                return Lock(path, descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Say whether a process, of this machine or another, holds the lock; nothing is created or removed."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _lock(descriptor, path)
    finally:
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    """Say whether an open file is still the one at the path."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _lock(descriptor: int, path: Path) -> bool:
    """Take the lock of an open file if it is free."""
    try:
        _lock_now(descriptor)
    except OSError as error:
        if error.errno in _HELD_BY_ANOTHER:
            return False
        raise SettingError(
            f"'{path.parent}' is on a file system without file locks (flock: {error.strerror}), which keep a fit from "
            "being computed twice. Choose a folder on another one; on Lustre the mount option is 'flock'."
        ) from error
    return True


try:
    import fcntl
except ImportError:  # Windows
    import msvcrt

    def _lock_now(descriptor: int) -> None:
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)  # far behind the text: what is locked there can't be read
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
else:

    def _lock_now(descriptor: int) -> None:
        # flock rather than POSIX locks: these belong to a process, so that closing any other descriptor of the
        # file lets go, and two threads of a process both get it.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
