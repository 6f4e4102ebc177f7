"""Files that a command will write: what is wrong with them is told before the work."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from rlbackends.errors import SettingError


def check_tables(files: Sequence[tuple[str, str]], *, overwrite: bool) -> None:
    """Raise ``SettingError`` unless every one of the tables, by its option, can be written."""
    for option, name in files:
        path = Path(name)
        if path.suffix != ".csv":
            raise SettingError(f"{option} is '{name}', expected a file that ends in .csv.")
        check_file(option, name, overwrite=overwrite)
    paths = [Path(name).resolve() for _, name in files]
    if len(set(paths)) < len(paths):
        raise SettingError(f"{' and '.join(option for option, _ in files)} are the same file '{files[0][1]}'.")


def check_file(option: str, name: str, *, overwrite: bool) -> None:
    """Raise ``SettingError`` unless a file can be written; nothing is left behind."""
    check_new(option, name, overwrite=overwrite)
    path = Path(name)
    if path.is_dir():
        raise SettingError(f"{option} '{name}' is a folder, expected a file.")
    if not path.parent.is_dir():
        raise SettingError(f"{option} '{name}' can't be written: there is no folder '{path.parent}'.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise SettingError(f"{option} '{name}' can't be written: {error.strerror or error}.") from None


def check_new(option: str, name: str, *, overwrite: bool) -> None:
    """Refuse to replace a file unasked."""
    if Path(name).exists() and not overwrite:
        raise SettingError(f"{option} '{name}' exists. Choose another name, remove it, or add --overwrite.")
