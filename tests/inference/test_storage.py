"""Files that are no fits."""

from __future__ import annotations

import pytest
import xarray as xr

import rlbackends as rl


def test_no_such_file(tmp_path):
    with pytest.raises(rl.errors.DataError, match="there is no file"):
        rl.load(tmp_path / "none.nc")


def test_not_netcdf(tmp_path):
    path = tmp_path / "text.nc"
    path.write_text("subject,trial\n")
    with pytest.raises(rl.errors.DataError, match="no netCDF file"):
        rl.load(path)


def test_another_netcdf_file(tmp_path):
    path = tmp_path / "other.nc"
    xr.DataTree(xr.Dataset({"a": ("x", [1.0])})).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(rl.errors.DataError, match="holds no fit"):
        rl.load(path)


def test_a_failed_save_leaves_what_was_there(tmp_path, monkeypatch):
    from rlbackends.inference import storage

    path = tmp_path / "fit.nc"
    path.write_text("precious")

    class Tree:
        def to_netcdf(self, name, engine):
            with open(name, "w") as file:
                file.write("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(rl.errors.SettingError, match="can't be written: No space left"):
        storage.save_tree(Tree(), path)
    assert path.read_text() == "precious"
    assert [p.name for p in tmp_path.iterdir()] == ["fit.nc"]


def test_others_may_read_what_is_saved(tmp_path):
    from rlbackends.inference.storage import save_tree

    plain, saved = tmp_path / "plain", tmp_path / "fit.nc"
    plain.write_text("")
    save_tree(xr.DataTree(xr.Dataset({"a": ("x", [1.0])})), saved)
    assert saved.stat().st_mode == plain.stat().st_mode
