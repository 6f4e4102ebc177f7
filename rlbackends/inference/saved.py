"""What every result has that is a tree and can be saved: how it was made, and on what."""

from __future__ import annotations

import json
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlbackends.data import BoundTrials
from rlbackends.inference.certificate import Certificate
from rlbackends.inference.storage import check_output, save_tree
from rlbackends.inference.tree import data_from_dataset
from rlbackends.model.model import Model

if TYPE_CHECKING:
    import xarray as xr


class Saved:
    """A result whose whole content is a tree.

    Attributes
    ----------
    tree : xarray.DataTree
        With a group ``constant_data``; everything that is no array is JSON in its attributes.
    """

    def __init__(self, tree: xr.DataTree) -> None:
        self.tree = tree

    @cached_property
    def model(self) -> Model:
        """The specification."""
        return Model.from_json(self.tree.attrs["model"])

    @property
    def backend(self) -> str:
        """The backend that computed."""
        return str(self.tree.attrs["backend"])

    @cached_property
    def data(self) -> BoundTrials:
        """The data, as the model saw them."""
        return data_from_dataset(
            self.tree["constant_data"].to_dataset(),
            self.model.events,
            json.loads(self.tree.attrs["levels"]),
            str(self.tree.attrs["source"]),
        )

    @cached_property
    def certificate(self) -> Certificate:
        """The reference against the backend that computed, on these data."""
        return Certificate.from_data(json.loads(self.tree.attrs["certificate"]))

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Every setting that decided what came out."""
        return dict(json.loads(self.tree.attrs["settings"]))

    @cached_property
    def timing(self) -> dict[str, float]:
        """Seconds that the parts of the work took."""
        return dict(json.loads(self.tree.attrs["timing"]))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write it to a netCDF file, from which :func:`rlbackends.load` reads it.

        Parameters
        ----------
        path : path
            A file that ends in ``.nc``.
        overwrite : bool, default False
            Whether it may replace a file.

        Returns
        -------
        pathlib.Path

        Raises
        ------
        SettingError
            If it can't be written, or is there.
        """
        target = check_output(path, overwrite=overwrite)
        save_tree(self.tree, target)
        return target
