"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from rlbackends.errors import SettingError


def write_whole(path: str | os.PathLike[str], write: Callable[[str], object], *, overwrite: bool = True) -> Path:
    """Write a file beside its place, then move it there: an interruption leaves nothing half-written.

    Parameters
    ----------
    path : path
        The file; its folder is created if need be.
    write : callable
        Writes to the path that it is given.
    overwrite : bool, default True
        Whether a file of that name may be replaced.

    Raises
    ------
    SettingError
        If it can't be written, or is there and may not be replaced.
    """
    target = Path(path)
    if target.exists() and not overwrite:
        raise SettingError(f"'{target}' exists. Choose another name, remove it, or pass overwrite=True.")
    name = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        os.close(handle)
        write(name)
        os.chmod(name, 0o666 & ~_UMASK)  # mkstemp's files are for their owner alone
        os.replace(name, target)
    except OSError as error:
        raise SettingError(f"'{target}' can't be written: {error.strerror or error}.") from error
    finally:
        if name is not None:
            Path(name).unlink(missing_ok=True)
    return target


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


_UMASK = _umask()  # read once: asking changes it for a moment, for all threads
