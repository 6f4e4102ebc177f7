"""The fits of a study: run, kept in files, read when they are asked for, and what is told of all of them."""

from __future__ import annotations

import json
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import BackendError, SettingError
from rlbackends.inference import Fit, load
from rlbackends.studies.bench import Bench, Draft, Setup, do_fit
from rlbackends.studies.folder import Failure
from rlbackends.studies.runner import Job, Outcome, Study

if TYPE_CHECKING:
    import pandas as pd

# --------------------------------------------------------------------------------------------------- where it is run


@contextmanager
def _told(folder: Any) -> Iterator[None]:
    """Say what to do if a folder's study was begun with other versions."""
    try:
        yield
    except SettingError as error:
        if "\n  versions." not in str(error):
            raise
        raise SettingError(
            f"{error}\nOther versions may draw other numbers, so its fits can't be mixed with new ones. To go on with "
            "it, install the versions that it was begun with; its finished fits can be read: "
            f"rl.load('{folder}/fits/…')."
        ) from error


def run_study(
    manifest: Mapping[str, Any], setup: Setup, drafts: Mapping[Any, Draft], keys: Mapping[Any, str], *,
    label: str, folder: Any, workers: Any, progress: str, retry_failed: bool,
) -> Fits:  # fmt: skip
    """Run the fits that are not done yet, and return them all.

    Raises
    ------
    BackendError
        If not one fit succeeded.
    """
    began = time.perf_counter()
    with _told(folder):
        study = Study(folder, manifest)
    try:
        outcome = study.run(
            [Job(keys[name], draft) for name, draft in drafts.items()], do_fit, prepare=Bench, common=setup,
            workers=workers, progress=progress, retry_failed=retry_failed, label=label,
        )  # fmt: skip
        if not outcome.done:
            first = next(iter(outcome.failed.values()))
            raise BackendError(f"{label}: all {len(keys)} fits failed; the first with {first.error}: {first.message}")
    except BaseException:
        study.close()
        raise
    return Fits(study, outcome, keys, time.perf_counter() - began)


@dataclass(frozen=True)
class Record:
    """A finished fit, as far as a study's tables need it."""

    notes: Mapping[str, Any]
    posterior: Any = field(repr=False)


class Fits(Mapping[Any, Fit]):
    """The fits of a study, each read from its file when it is asked for.

    Attributes
    ----------
    folder : pathlib.Path
        Where the files are. A temporary folder is removed with this object.
    failed : mapping to Failure
        Those that are not there, and why.
    seconds : float
        How long the call took.
    """

    def __init__(self, study: Study, outcome: Outcome, keys: Mapping[Any, str], seconds: float) -> None:
        done = set(outcome.done)
        self._study = study
        self._keys = {name: key for name, key in keys.items() if key in done}
        self.folder = study.folder
        self.failed: dict[Any, Failure] = {
            name: outcome.failed[key] for name, key in keys.items() if key in outcome.failed
        }
        self.seconds = seconds
        weakref.finalize(self, study.close)

    def __getitem__(self, name: Any) -> Fit:
        if name not in self._keys:
            why = self.failed.get(name)
            told = f"failed: {why.error}: {why.message}" if why else "is no fit of the study"
            raise KeyError(f"{name!r} {told}")
        return load(self.path(name))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"Fits({len(self)} in {self.folder}{f'; {len(self.failed)} failed' if self.failed else ''})"

    def path(self, name: Any) -> Path:
        """Return a fit's file."""
        return self._study.path(self._keys[name])

    def record(self, name: Any, group: str = "posterior") -> Record:
        """Return a fit's notes and one group of it, without the rest."""
        import xarray as xr

        with xr.open_dataset(self.path(name), engine="h5netcdf") as root:
            notes = json.loads(root.attrs["study"])
        with xr.open_dataset(self.path(name), group=group, engine="h5netcdf") as opened:
            return Record(notes, opened.load())


# ----------------------------------------------------------------------------------------------------- what is told


class StudyResult:
    """What is told of the fits of a study, whatever was studied.

    Attributes
    ----------
    backend : str
        What sampled.
    fits : mapping to Fit
        Each is read from its file when it is asked for.
    """

    names: tuple[str, ...] = ("data_set",)  # of what a fit is found by

    def __init__(self, backend: str, fits: Fits) -> None:
        self.backend = backend
        self.fits = fits

    @property
    def _notes(self) -> Mapping[Any, Mapping[str, Any]]:
        """What each fit's file says of itself."""
        raise NotImplementedError

    @property
    def failed(self) -> Mapping[Any, Failure]:
        """The fits that are not there, and why."""
        return self.fits.failed

    @property
    def diagnostics(self) -> pd.DataFrame:
        """A row a fit: divergences, largest R-hat, smallest effective sample sizes, and seconds."""
        import pandas as pd

        columns = ["divergences", "r_hat_max", "ess_bulk_min", "ess_tail_min", "fit_seconds"]
        table = pd.DataFrame([[note[name] for name in columns] for note in self._notes.values()], columns=columns)
        if len(self.names) > 1:
            table.index = pd.MultiIndex.from_tuples(list(self._notes), names=list(self.names))
        else:
            table.index = pd.Index(list(self._notes), name=self.names[0])
        return table

    @property
    def time(self) -> dict[str, float]:
        """Seconds: ``wall`` of the call, ``fits`` together, ``per_fit`` (median), ``compile`` in all ``processes``."""
        notes = self._notes.values()
        first = [note["fit_seconds"] for note in notes if note["nth_of_process"] == 1]
        later = [note["fit_seconds"] for note in notes if note["nth_of_process"] > 1]
        per_fit = float(np.median(later or first))
        return {
            "wall": self.fits.seconds,
            "fits": float(sum(first) + sum(later)),
            "per_fit": per_fit,
            "compile": float(sum(max(0.0, seconds - per_fit) for seconds in first)),
            "processes": float(len(first)),
        }

    def words(self) -> str:
        """Return a sentence about the diagnostics of all fits."""
        return convergence_words(self.diagnostics, len(self.failed))


def convergence_words(table: pd.DataFrame, failed: int) -> str:
    """Return a sentence about the diagnostics of all fits."""
    count = len(table)
    divergences, diverged = int(table["divergences"].sum()), int((table["divergences"] > 0).sum())
    words = [f"{count} {'fit' if count == 1 else 'fits'}"]
    words.append(f"{divergences} divergences in {diverged} of them" if divergences else "no divergences")
    if table["r_hat_max"].notna().any():
        high = int((table["r_hat_max"] > 1.01).sum())
        more = f" (above 1.01 in {high})" if high else ""
        words.append(f"largest R-hat {table['r_hat_max'].max():.3f}{more}")
    words.append(f"smallest ESS {table['ess_bulk_min'].min():.0f}")
    text = ", ".join(words)
    return f"{text}; {failed} more failed (see .failed)." if failed else f"{text}; none failed."
