"""What an export gives: a program's text, and the data that it reads."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlbackends.data.files import write_whole
from rlbackends.errors import SettingError

# Python looks for what a program imports beside the program first.
_TAKEN = ("arviz", "jax", "json", "nutpie", "numpy", "numpyro", "pymc", "pytensor", "scipy", "sys")


@dataclass(frozen=True)
class Export:
    """A stand-alone program.

    Attributes
    ----------
    target : str
        The word that was asked for.
    text : str
        The program, the document or the JSON.
    suffix : str
        How the name of its file ends, such as ``".py"``.
    data : dict or None
        What the program reads, as plain data for a JSON file; None without data.
    """

    target: str
    text: str
    suffix: str
    data: dict[str, Any] | None = None

    def __str__(self) -> str:
        return self.text

    def write(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> tuple[Path, ...]:
        """Write the program and, beside it, its data.

        Parameters
        ----------
        path : path
            Where the program goes; its ending is added if it has none. The data go to the same place with the ending
            ``.data.json``.
        overwrite : bool, default False
            Whether files of these names may be replaced. A file that holds these very data already, such as another
            target's, does not stand in the way.

        Returns
        -------
        tuple of pathlib.Path
            What was written: the program and, if there are data, their file.

        Raises
        ------
        SettingError
            If a file is there and may not be replaced, or can't be written; then nothing was.
        """
        program = Path(path)
        if program.name in ("", ".."):
            raise SettingError(f"'{path}' is a folder, expected the name of a file.")
        program = program if program.suffix else program.with_suffix(self.suffix)
        if program.suffix == ".py" and program.stem in _TAKEN:
            raise SettingError(
                f"'{program}' would be imported by the program in place of the library {program.stem}. Choose another "
                "name."
            )
        files = {program: self.text}
        if self.data is not None:
            files[program.with_suffix(".data.json")] = json.dumps(self.data)
        folders = [str(file) for file in files if file.is_dir()]
        if folders:
            raise SettingError(f"'{folders[0]}' is a folder, expected the name of a file.")
        there = [str(file) for file in files if file.exists() and (file == program or not self.data_are_in(file))]
        if there and not overwrite:
            raise SettingError(f"'{there[0]}' exists. Choose another name, remove it, or pass overwrite=True.")
        return tuple(
            write_whole(file, lambda name, text=text: Path(name).write_text(text, encoding="utf-8"))
            for file, text in files.items()
        )

    def data_are_in(self, path: str | os.PathLike[str]) -> bool:
        """Say whether a file holds these data already, as that of a program for another target does."""
        try:
            return Path(path).read_text(encoding="utf-8") == json.dumps(self.data)
        except (OSError, UnicodeDecodeError):
            return False
