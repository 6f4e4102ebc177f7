"""Long fits: a folder from which a fit that was killed goes on, and fits of fewer draws than were asked for."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.chains import ChainResults
from rlbackends.backends.registry import Backend, get_backend
from rlbackends.backends.runs import Run, RunFolder, check_every
from rlbackends.backends.samplers import OURS, Sampler
from rlbackends.errors import DataError, SettingError, listed
from rlbackends.inference.certificate import Certificate, library_versions
from rlbackends.inference.result import Fit
from rlbackends.inference.storage import read_attributes, read_tree, save_tree
from rlbackends.inference.tree import posterior_tree

if TYPE_CHECKING:
    from rlbackends.backends.protocol import CompiledModel
    from rlbackends.population.layout import Layout

ASKED = "asked_draws"
"""The attribute of a fit's tree that says how many draws of each chain were asked for, if there are fewer."""


class InterruptedFitWarning(UserWarning):
    """A fit has fewer draws than were asked for: it was stopped, or still runs."""


class Checkpoint:
    """The folder of a fit that is sampled.

    Parameters
    ----------
    path : path
        The folder; nothing is touched before :meth:`open`.
    seconds : float
        How often chains are saved.
    backend, sampler
        What samples.

    Raises
    ------
    SettingError
        If the sampler leaves nothing to go on from, or the seconds are no such number.
    """

    def __init__(self, path: str | os.PathLike[str], seconds: Any, backend: Backend, sampler: Sampler) -> None:
        self.folder = RunFolder(path)
        self.sampler = sampler
        every = check_every(seconds)
        if not sampler.keeps:
            able = [row.name for row in backend.samplers if row.keeps]
            others = f"choose one that does: {listed(able)}" if able else "the backend has none that does"
            raise SettingError(
                f"fit: sampler '{sampler.name}' on {backend.name} leaves nothing behind while it runs, so there is "
                f"nothing to go on from. Leave out checkpoint, or {others}."
            )
        self.run = Run(self.folder.chains, every)
        self._lock: Any = None

    def open(self, manifest: Mapping[str, Any], layout: Layout) -> Fit | None:
        """Open the folder for this process; return the finished fit if it is there.

        Parameters
        ----------
        manifest : mapping
            Everything that decides the fit; see `manifest_of`.
        layout : Layout
            The population's latents.

        Raises
        ------
        SettingError
            If it holds another fit, or the draws of a dead run of a sampler that can't go on; see `RunFolder.open`.
        """
        folder = self.folder
        self._lock = folder.open(manifest)
        try:
            if folder.fit.exists():
                folder.remove_chains()
                return Fit(read_tree(folder.fit))
            if self.sampler.keeps == "draws" and folder.has_work:
                if _draws_of(self.sampler, self.run, layout) is not None:
                    raise SettingError(
                        f"checkpoint '{folder.path}' holds the draws of a run that has ended early, and sampler "
                        f"'{self.sampler.name}' can't go on from them. rl.load('{folder.path}') reads them; choose "
                        "another folder to start anew."
                    )
                folder.remove_chains()
            folder.chains.mkdir(exist_ok=True)
        except BaseException:
            self.close()
            raise
        return None

    def close(self) -> None:
        """Let other processes write to the folder."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @property
    def goes_on(self) -> bool:
        """Whether a sampler has left something to go on from."""
        return self.folder.has_work

    @property
    def id(self) -> str:
        """What tells this run from all others."""
        return str((self.folder.read() or {})["id"])

    def start(
        self, compiled: CompiledModel, certificate: Certificate, *, asked: int, with_log_likelihood: bool
    ) -> None:
        """Write what it takes to read the draws so far without the model, the data and the backend."""
        import xarray as xr

        layout = compiled.layout
        nothing = {name: np.zeros((1, 1, *np.shape(value))) for name, value in _centre(layout).items()}
        results = ChainResults(nothing, {"diverging": np.zeros((1, 1), bool)}, {}, {})
        whole = posterior_tree(compiled, nothing, results, certificate, with_log_likelihood=False)
        # Of the tree of a fit without draws, all that is no draw.
        kept = {f"/{name}": whole[name].to_dataset() for name in whole.children if "draw" not in whole[name].sizes}
        tree = xr.DataTree.from_dict(kept)
        tree.attrs = {
            **whole.attrs, "run": self.id, ASKED: asked, "sampler": self.sampler.name,
            "with_log_likelihood": int(with_log_likelihood),
        }  # fmt: skip
        save_tree(tree, self.folder.start)

    def finish(self, fit: Fit) -> None:
        """Write the finished fit, and remove what it was made of."""
        save_tree(fit.tree, self.folder.fit)
        self.folder.remove_chains()


def _centre(layout: Layout) -> dict[str, np.ndarray]:
    return {latent.name: np.zeros(layout.shape(latent)) for latent in layout.latents}


def manifest_of(
    compiled: CompiledModel, backend: Backend, sampler: Sampler, *, seed: int, settings: Mapping[str, Any],
    sampler_settings: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Return everything that decides a fit, as plain data.

    Parameters
    ----------
    compiled : CompiledModel
        Model, data and population.
    backend, sampler
        What samples.
    seed : int
        The seed.
    settings : mapping
        Those of the fit and of the backend.
    sampler_settings : mapping
        The sampler's own; defaults are filled in.
    """
    own = inspect.signature(sampler.load()).parameters.values()
    defaults = {p.name: p.default for p in own if p.kind is p.KEYWORD_ONLY and p.name not in OURS}
    data = compiled.data
    return {
        "model": {"name": compiled.model.name, "sha256": hashlib.sha256(compiled.model.to_json().encode()).hexdigest()},
        "data": {"subjects": data.n_subjects, "trials": data.n_trials, "sha256": data.digest},
        "population": dict(compiled.layout.description),
        "covariates": {"sha256": compiled.layout.digest},
        "backend": backend.name,
        "sampler": sampler.name,
        "seed": int(seed),
        "settings": json.loads(json.dumps(dict(settings), default=repr)),
        "sampler_settings": json.loads(json.dumps({**defaults, **sampler_settings}, default=repr)),
        "versions": library_versions((*backend.packages, *sampler.packages)),
    }


def is_of_run(output: str | os.PathLike[str], checkpoint: str | os.PathLike[str]) -> bool:
    """Say whether a file is the output of the run in a folder, such as a stopped call left it."""
    said = RunFolder(checkpoint).read()
    return said is not None and read_attributes(Path(output)).get("run") == said["id"]


def mark_short(fit: Fit, asked: int) -> bool:
    """Take note in a fit if it has fewer draws than were asked for; return whether it has."""
    is_short = fit.tree["posterior"].sizes["draw"] < asked
    if is_short:
        fit.tree.attrs[ASKED] = int(asked)
    return is_short


def warn_of_interruption(fit: Fit, then: str) -> None:
    """Warn that a fit has fewer draws than were asked for, and say what can be done."""
    sizes = fit.tree["posterior"].sizes
    warnings.warn(
        f"{fit.model.name} on {fit.backend}: {sizes['draw']} of {fit.tree.attrs[ASKED]} draws of each of "
        f"{sizes['chain']} chains are there. {then}",
        InterruptedFitWarning,
        stacklevel=3,
    )


def load_run(path: Path) -> Fit:
    """Return the fit in a checkpoint's folder: the finished one, or one of the draws so far, with a warning.

    Raises
    ------
    DataError
        If there is none.
    """
    folder = RunFolder(path)
    if folder.read() is None:
        raise DataError(f"'{path}' is a folder without a run of rlbackends: there is no run.json in it.")
    fit = None
    try:
        fit = None if folder.fit.exists() else _fit_so_far(folder)
    except Exception:
        if not folder.fit.exists():
            raise
    # A run that ends while it is read has its fit in place before anything is removed.
    if folder.fit.exists():
        return Fit(read_tree(folder.fit))
    if fit is None:
        raise DataError(
            f"'{path}' holds a run without draws: not every chain has one yet. The call that began it goes on from "
            "there."
        )
    sampler = _sampler_of(fit)
    warn_of_interruption(
        fit,
        "The call that began the run draws the rest."
        if sampler.keeps == "state"
        else f"If the run has ended, there will be no more: sampler '{sampler.name}' can't go on from them.",
    )
    return fit


def _draws_of(sampler: Sampler, run: Run, layout: Layout) -> ChainResults | None:
    """Return the draws that a run has left, or None if there is none."""
    results = sampler.read_run(run, layout)
    return results if results is not None and next(iter(results.stats.values())).size else None


def _sampler_of(fit: Fit) -> Sampler:
    return get_backend(fit.backend).sampler(fit.tree.attrs["sampler"])


def _fit_so_far(folder: RunFolder) -> Fit | None:
    """Return a fit of the draws that a run has left, or None."""
    try:
        start = Fit(read_tree(folder.start))
    except DataError:
        return None
    said = start.tree.attrs
    compiled = start._compiled
    results = _draws_of(_sampler_of(start), Run(folder.chains), compiled.layout)
    if results is None:
        return None
    z = {name: np.asarray(results.unconstrained[name], dtype=np.float64) for name in compiled.layout.names}
    # The reference would take hours for what a backend does in seconds.
    is_quick = compiled.backend == start.backend
    tree = posterior_tree(
        compiled, z, results, start.certificate, with_log_likelihood=bool(said["with_log_likelihood"]) and is_quick
    )
    tree.attrs |= {name: said[name] for name in ("backend", "population", "source", "reports", "run", "sampler")}
    fit = Fit(tree)
    mark_short(fit, int(said[ASKED]))
    return fit
