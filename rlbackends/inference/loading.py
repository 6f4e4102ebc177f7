"""Reading what was saved."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rlbackends.inference.result import Fit
from rlbackends.inference.storage import read_tree

if TYPE_CHECKING:
    from rlbackends.inference.estimates.result import Estimates


def load(path: str | os.PathLike[str]) -> Fit | Estimates:
    """Read a fit or estimates that were saved, or the draws so far from the folder of one that runs or was stopped.

    Parameters
    ----------
    path : path
        A file that :meth:`Fit.save` or :meth:`Estimates.save` wrote; no backend is needed. Or the folder that was
        given as ``checkpoint``: of each chain as many draws as the shortest has, with an `InterruptedFitWarning`
        unless all are there.

    Returns
    -------
    Fit or Estimates

    Raises
    ------
    DataError
        If there is no such file, or it holds neither.
    """
    if Path(path).is_dir():
        from rlbackends.inference.checkpoint import load_run

        return load_run(Path(path))
    tree = read_tree(Path(path))
    if tree.attrs.get("kind") == "estimates":
        from rlbackends.inference.estimates.result import Estimates

        return Estimates(tree)
    return Fit(tree)
