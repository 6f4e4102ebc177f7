"""What chains leave in a run's folder: draws, piece by piece, and the state from which they go on.

NumPy only: reading the draws of a run needs no backend. Files are written whole or not at all. The state is written
after the draws that belong to it and says how many they are, so that whatever else is there counts for nothing.
"""

from __future__ import annotations

import io
import json
import math
import operator
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.chains import ChainResults, tree_depth
from rlbackends.data.files import write_whole
from rlbackends.errors import DataError

if TYPE_CHECKING:
    from rlbackends.backends.runs import Run

COLUMNS = ("diverging", "n_steps", "acceptance_rate", "energy", "potential_energy", "step_size")
"""The statistics of a draw, in the order in which chains give them."""

_DRAWN = "drawn"  # in the state: how many draws belong to it


class _DamagedError(Exception):
    """What a file holds is not what was written."""


@dataclass(frozen=True)
class Form:
    """How the draws of a run are to be read.

    Attributes
    ----------
    sites : mapping of str to tuple of int
        Variables in the order of the flat vector, and their shapes.
    lanes : tuple of int
        For each folder of files, how many chains are in it: all of them advance together there.
    settings : mapping
        The sampler's.
    """

    sites: Mapping[str, tuple[int, ...]]
    lanes: tuple[int, ...]
    settings: Mapping[str, Any]

    def files(self, run: Run) -> list[ChainFiles]:
        """Return the files of each group of chains."""
        return [ChainFiles(run.folder / f"{i + 1}") for i in range(len(self.lanes))]

    def write(self, run: Run) -> None:
        """Write it to the run's folder."""
        said = {"sites": {name: list(shape) for name, shape in self.sites.items()}}
        text = json.dumps({**said, "lanes": list(self.lanes), "settings": dict(self.settings)}, indent=2)
        write_whole(run.folder / "form.json", lambda name: Path(name).write_text(text, encoding="utf-8"))

    @classmethod
    def read(cls, run: Run) -> Form | None:
        """Read what :meth:`write` wrote; None where there is nothing yet.

        Raises
        ------
        DataError
            If the file is damaged.
        """
        path = run.folder / "form.json"
        said = read_said(path)
        if said is None:
            return None
        try:
            sites = {name: tuple(operator.index(size) for size in shape) for name, shape in said["sites"].items()}
            return cls(sites, tuple(operator.index(lane) for lane in said["lanes"]), dict(said["settings"]))
        except (AttributeError, KeyError, TypeError, ValueError):
            raise DataError(damaged(path)) from None


@dataclass(frozen=True)
class Part:
    """The draws so far of chains that advance together.

    Attributes
    ----------
    values : numpy.ndarray
        (chains, draws, size).
    stats : numpy.ndarray
        (chains, draws, ``COLUMNS``).
    gradients : int
        How often the gradient was computed, tuning included.
    tune_seconds, draw_seconds, wall_seconds : float
        What it took; the last by the clock on the wall, from all processes that worked on it.
    """

    values: np.ndarray
    stats: np.ndarray
    gradients: int
    tune_seconds: float
    draw_seconds: float
    wall_seconds: float


class ChainFiles:
    """The files of one chain, or of chains that advance together, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._state = folder / "state.npz"

    def save(self, state: Mapping[str, Any], rows: Mapping[str, np.ndarray], first: int) -> None:
        """Add draws, the first of which has this number, and the state after them.

        Parameters
        ----------
        state : mapping of str to array
            All that it takes to go on.
        rows : mapping of str to array
            Of the new draws, which may be none: (draw, …).
        first : int
            How many draws were saved before.
        """
        count = len(next(iter(rows.values())))
        if count:
            _write(self._piece(first), rows)
        _write(self._state, {**state, _DRAWN: first + count})

    def read(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]] | None:
        """Return the last state and the draws that belong to it; None if there is none, or a file is damaged."""
        try:
            state = _read(self._state)
            drawn = int(state.pop(_DRAWN))
            pieces, first = [], 0
            while first < drawn:
                pieces.append(_read(self._piece(first)))
                first += len(next(iter(pieces[-1].values())))
            if first > drawn:
                return None
            rows = {name: np.concatenate([piece[name] for piece in pieces]) for name in (pieces[0] if pieces else ())}
        except (FileNotFoundError, _DamagedError, KeyError, ValueError):
            return None
        return state, rows

    def clear(self) -> None:
        """Remove what is there."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _piece(self, first: int) -> Path:
        # A piece whose state was never written is replaced by the one that begins where it does.
        return self.folder / f"draws-{first:010d}.npz"


def read_run(run: Run, layout: Any = None) -> ChainResults | None:
    """Return the draws that a run has left, of every chain as many as the shortest has; None if there are none.

    Parameters
    ----------
    run : Run
        Where chains were saved.
    layout : Layout, optional
        Not needed here: the files say what they hold.
    """
    form = Form.read(run)
    if form is None:
        return None
    parts = []
    for files in form.files(run):
        found = files.read()
        if found is None or not found[1]:
            return None
        parts.append(part_of(*found))
    size = sum(math.prod(shape) for shape in form.sites.values())
    if not parts or any(part.values.shape[-1] != size for part in parts):
        raise DataError(damaged(run.folder / "form.json"))
    return results_of(form, parts, compile_seconds=0.0)


def read_said(path: Path) -> dict[str, Any] | None:
    """Return what a JSON file beside the draws says; None where there is none, ``DataError`` where it is damaged."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise DataError(damaged(path))
    return said


def damaged(path: Path) -> str:
    """Return what is said of a damaged file without which draws can't be read."""
    return (
        f"'{path}' is damaged: it does not say how the draws beside it are to be read. Remove the run's folder and fit "
        "again, or bring the file back from a copy."
    )


def part_of(state: Mapping[str, np.ndarray], rows: Mapping[str, np.ndarray]) -> Part:
    """Return the draws that files hold."""
    numbers = [float(state[name]) for name in ("tune_seconds", "draw_seconds", "wall_seconds")]
    return Part(_by_chain(rows["values"]), _by_chain(rows["stats"]), int(state["gradients"]), *numbers)


def results_of(form: Form, parts: Sequence[Part], *, compile_seconds: float) -> ChainResults | None:
    """Return the draws of all chains under the names of everyone, of each as many as the shortest has; None if none."""
    draws = min(part.values.shape[1] for part in parts)
    if draws == 0:
        return None
    values = np.concatenate([part.values[:, :draws] for part in parts])
    stats = np.concatenate([part.stats[:, :draws] for part in parts])
    columns = {name: stats[..., i] for i, name in enumerate(COLUMNS)}
    n_steps = columns["n_steps"].astype(np.int64)
    return ChainResults(
        unconstrained=_split(values, form.sites),
        stats={
            "diverging": columns["diverging"] > 0,
            "n_steps": n_steps,
            "tree_depth": tree_depth(n_steps),
            "acceptance_rate": columns["acceptance_rate"].copy(),
            "energy": columns["energy"].copy(),
            "lp": -columns["potential_energy"],
            "step_size": columns["step_size"].copy(),
        },
        timing={
            "compile_seconds": compile_seconds,
            "sample_seconds": max(part.wall_seconds for part in parts),
            "tune_seconds": sum(part.tune_seconds for part in parts),
            "draw_seconds": sum(part.draw_seconds for part in parts),
        },
        settings=form.settings,
        work={"gradients": sum(part.gradients for part in parts)},
    )


def _by_chain(rows: np.ndarray) -> np.ndarray:
    """Return (chains, draws, columns) from what one chain, or several, left: (draws, [chains,] columns)."""
    return rows[None] if rows.ndim == 2 else rows.swapaxes(0, 1)


def _split(flat: np.ndarray, sites: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Return ``(chains, draws, size)`` as one array a site."""
    sizes = [int(np.prod(shape, dtype=int)) for shape in sites.values()]
    parts = np.split(flat, np.cumsum(sizes)[:-1], axis=-1)
    return {
        name: np.ascontiguousarray(part).reshape(*flat.shape[:-1], *shape)
        for (name, shape), part in zip(sites.items(), parts, strict=True)
    }


def _write(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays so that not even a power cut leaves a state without the draws that it counts."""

    def write(name: str) -> None:
        with open(name, "wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())

    write_whole(path, write)
    with suppress(PermissionError):  # Windows opens no folders
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _read(path: Path) -> dict[str, np.ndarray]:
    """Return a file's arrays; its checksums are compared on the way."""
    data = io.BytesIO(path.read_bytes())  # what can't be read just now is not damaged
    try:
        with np.load(data, allow_pickle=False) as archive:
            # NumPy writes no comments: one that is there has swallowed the names of arrays after it.
            if any(entry.comment for entry in archive.zip.infolist()):
                raise ValueError("names of arrays are lost")
            return {name: archive[name] for name in archive.files}
    except Exception as error:  # there is no end to what zipfile raises: a flipped bit may ask for a password
        raise _DamagedError(f"'{path}' is damaged: {error}") from error
