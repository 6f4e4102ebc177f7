"""Fits on disk: one netCDF file, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlbackends.errors import DataError, SettingError
from rlbackends.inference.tree import FORMAT, VERSION

if TYPE_CHECKING:
    from rlbackends.inference.result import Fit

_ENGINE = "h5netcdf"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def save_tree(tree: Any, path: Path) -> None:
    """Write a DataTree beside its place, then move it there: an interrupted save leaves nothing half-written."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    try:
        tree.to_netcdf(name, engine=_ENGINE)
        os.chmod(name, 0o666 & ~_umask())  # mkstemp's files are for their owner alone
        os.replace(name, path)
    except OSError as error:
        raise SettingError(f"'{path}' can't be written: {error.strerror or error}.") from error
    finally:
        Path(name).unlink(missing_ok=True)


def load(path: str | os.PathLike[str]) -> Fit:
    """Read a fit that was saved; no backend is needed.

    Parameters
    ----------
    path : path
        A file that :meth:`Fit.save` wrote.

    Returns
    -------
    Fit

    Raises
    ------
    DataError
        If there is no such file, or it holds no fit.
    """
    import xarray as xr

    from rlbackends.inference.result import Fit

    path = Path(path)
    if not path.is_file():
        raise DataError(f"there is no file '{path}'.")
    try:
        with xr.open_datatree(path, engine=_ENGINE) as opened:
            tree = opened.load()
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"'{path}' is no netCDF file that can be read: {error}.") from error
    if tree.attrs.get("format") != FORMAT:
        raise DataError(f"'{path}' holds no fit of rlbackends: its attribute 'format' is not '{FORMAT}'.")
    if int(tree.attrs.get("format_version", 0)) != VERSION:
        raise DataError(
            f"'{path}' is a fit of version {tree.attrs.get('format_version')}; this rlbackends reads version {VERSION}."
        )
    return Fit(tree)
