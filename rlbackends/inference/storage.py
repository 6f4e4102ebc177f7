"""Fits on disk: one netCDF file, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from rlbackends.data.files import write_whole
from rlbackends.errors import DataError, SettingError
from rlbackends.inference.tree import FORMAT, VERSION

_ENGINE = "h5netcdf"


def save_tree(tree: Any, path: Path) -> None:
    """Write a DataTree; an interrupted save leaves nothing half-written."""
    write_whole(path, lambda name: tree.to_netcdf(name, engine=_ENGINE))


def check_output(output: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Return the output's path, or raise ``SettingError`` if a file can't be written there.

    The folder is created if need be, and a file is written to it and removed.
    """
    path = Path(output)
    if path.suffix != ".nc":
        raise SettingError(
            f"output is '{path}', expected a file that ends in .nc, such as '{path.with_suffix('.nc')}'."
        )
    if path.exists() and not overwrite:
        raise SettingError(f"output '{path}' exists. Choose another name, remove it, or pass overwrite=True.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise SettingError(f"output '{path}' can't be written: {error.strerror or error}.") from None
    return path


def read_tree(path: Path) -> Any:
    """Return the DataTree that a saved fit's file holds, in memory, or raise ``DataError``."""
    import xarray as xr

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
    return tree


def read_attributes(path: Path) -> dict[str, Any]:
    """Return the attributes of a saved fit's file; none if it is no such file."""
    import xarray as xr

    try:
        with xr.open_dataset(path, engine=_ENGINE) as opened:
            return dict(opened.attrs)
    except (OSError, ValueError, KeyError):
        return {}
