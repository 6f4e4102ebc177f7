"""The folder of a run: who may write to it, and that what a killed process leaves is read whole or not at all."""

import itertools
import json
import os

import numpy as np
import pytest

from rlbackends.backends.chain_files import COLUMNS, ChainFiles, Form, read_run
from rlbackends.backends.runs import Run, RunFolder, check_every
from rlbackends.errors import DataError, SettingError

MANIFEST = {"seed": 3, "settings": {"draws": 100, "tune": 50}, "data": {"sha256": "a" * 64}}


# The folder


def test_a_run_is_told_from_others_and_opened_again(tmp_path):
    folder = RunFolder(tmp_path / "deep" / "run")
    assert folder.read() is None
    with folder.open(MANIFEST):
        first = folder.read()["id"]
    with RunFolder(folder.path).open(MANIFEST):
        assert folder.read()["id"] == first
    with RunFolder(tmp_path / "other").open(MANIFEST):
        pass
    assert RunFolder(tmp_path / "other").read()["id"] != first
    assert sorted(os.listdir(folder.path)) == ["run.json"]


def test_another_fit_is_refused_by_all_that_differs(tmp_path):
    folder = RunFolder(tmp_path / "run")
    with folder.open(MANIFEST):
        pass
    before = folder.said_path.read_bytes()
    other = {"seed": 4, "settings": {"draws": 100, "tune": 60}, "data": {"sha256": "b" * 64}}
    with pytest.raises(SettingError) as caught:
        folder.open(other)
    message = str(caught.value)
    for words in ("seed: the folder has 3, asked for was 4", "settings.tune: the folder has 50", "data.sha256"):
        assert words in message
    assert "draws" not in message
    assert folder.said_path.read_bytes() == before
    assert not folder.lock_path.exists()


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(SettingError, match=r"is not empty \(thesis.tex\) and holds no run"):
        RunFolder(tmp_path).open(MANIFEST)
    assert os.listdir(tmp_path) == ["thesis.tex"]
    for said in ("{", "[]", '{"format": "rlbackends study", "id": 1, "manifest": {}}'):
        (tmp_path / "run.json").write_text(said, encoding="utf-8")
        with pytest.raises(SettingError, match="was not written by rlbackends"):
            RunFolder(tmp_path).open(MANIFEST)
    (tmp_path / "run.json").write_text(
        json.dumps({"format": "rlbackends run", "version": 9, "id": "x", "manifest": MANIFEST}), encoding="utf-8"
    )
    with pytest.raises(SettingError, match="is a run of version 9"):
        RunFolder(tmp_path).open(MANIFEST)


def test_a_folder_that_can_not_be_written_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingError, match="is a file, expected a folder"):
        RunFolder(tmp_path / "file").open(MANIFEST)
    with pytest.raises(SettingError, match="can't be written"):
        RunFolder(tmp_path / "file" / "run").open(MANIFEST)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_said(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(SettingError, match=r"can't be written: Permission denied. Choose another folder"):
        RunFolder(tmp_path / "closed").open(MANIFEST)


def test_one_process_at_a_time(tmp_path):
    folder = RunFolder(tmp_path / "run")
    with folder.open(MANIFEST), pytest.raises(SettingError, match=rf"already, by process {os.getpid()} on "):
        RunFolder(tmp_path / "run").open(MANIFEST)
    with folder.open(MANIFEST):
        pass


def test_a_process_that_died_leaves_no_lock_and_no_partial_files(tmp_path, run_python):
    folder = RunFolder(tmp_path / "run")
    (folder.chains / "1").mkdir(parents=True)
    for path in (folder.path / ".run.json.x.part", folder.chains / "1" / ".state.npz.x.part"):
        path.touch()
    code = f"""
import os
from pathlib import Path
from rlbackends.backends.locks import try_lock
lock = try_lock(Path({str(folder.lock_path)!r}))
os._exit(0)
"""
    run_python(code)
    assert folder.lock_path.exists()
    with folder.open(MANIFEST):
        pass
    assert sorted(os.listdir(folder.path)) == ["chains", "run.json"]
    assert os.listdir(folder.chains / "1") == []


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), True, "30", None])
def test_seconds_between_saves_are_a_number_above_0(seconds):
    with pytest.raises(SettingError, match=r"checkpoint_seconds is .*expected a number of seconds above 0"):
        check_every(seconds)


# A chain's files


def rows(first, count):
    return {"values": np.arange(first, first + count)[:, None] + np.zeros(3), "stats": np.full((count, 6), first * 1.0)}


def state(done):
    return {"done": done, "z": np.full(3, done / 7), "key": np.arange(2, dtype=np.uint32)}


def assert_holds(files, done):
    found, draws = files.read()
    assert int(found["done"]) == done
    np.testing.assert_array_equal(found["z"], state(done)["z"])
    assert found["key"].dtype == np.uint32
    if done:
        np.testing.assert_array_equal(draws["values"][:, 0], np.arange(done))
    else:
        assert draws == {}


def test_pieces_add_up(tmp_path):
    files = ChainFiles(tmp_path / "chain")
    assert files.read() is None
    files.save(state(0), rows(0, 0), 0)  # while it tunes there are no draws
    assert_holds(files, 0)
    for first, count in [(0, 4), (4, 1), (5, 0), (5, 7)]:
        files.save(state(first + count), rows(first, count), first)
        assert_holds(ChainFiles(tmp_path / "chain"), first + count)


class Killed(BaseException):
    pass


def test_a_kill_between_any_two_steps_leaves_the_state_before_or_after(tmp_path, monkeypatch):
    """Die at each of the moments at which something on the disk changes, then go on from what is there."""
    real = os.replace
    for moment in itertools.count(1):
        files, steps = ChainFiles(tmp_path / f"{moment}"), itertools.count(1)

        def replace(source, target, steps=steps, moment=moment):
            if next(steps) == moment:
                raise Killed
            real(source, target)

        monkeypatch.setattr(os, "replace", replace)
        done, died = 0, False
        try:
            while done < 12:
                files.save(state(done + 3), rows(done, 3), done)
                done += 3
        except Killed:
            died = True
        monkeypatch.setattr(os, "replace", real)
        if not died:
            break
        if done:
            assert_holds(files, done)
        else:
            assert files.read() is None
        # The next process saves at other moments; a piece without its state is not in its way.
        while done < 12:
            files.save(state(done + 2), rows(done, 2), done)
            done += 2
            assert_holds(files, done)
    assert moment > 8


@pytest.mark.parametrize("harm", ["cut", "flip", "empty", "gone"])
@pytest.mark.parametrize("name", ["state.npz", "draws-0000000004.npz"])
def test_a_damaged_file_is_never_read(tmp_path, name, harm):
    files = ChainFiles(tmp_path)
    files.save(state(4), rows(0, 4), 0)
    files.save(state(9), rows(4, 5), 4)
    path = tmp_path / name
    content = bytearray(path.read_bytes())
    if harm == "gone":
        path.unlink()
    elif harm == "empty":
        path.write_bytes(b"")
    elif harm == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        place = content.index(np.float64(4.0 if name.startswith("draws") else 9 / 7).tobytes())
        content[place] ^= 1
        path.write_bytes(content)
    assert files.read() is None


def test_no_flipped_bit_raises_anything(tmp_path):
    """Not even one in the parts of the archive that no checksum covers: zipfile then asks for passwords, and more."""
    files = ChainFiles(tmp_path)
    files.save(state(2), rows(0, 2), 0)
    whole = files.read()
    path = tmp_path / "state.npz"
    content = path.read_bytes()
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        found = files.read()
        assert found is None or all(np.array_equal(found[0][name], value) for name, value in whole[0].items())


def test_a_lost_name_of_an_array_is_damage(tmp_path):
    """A flipped bit in the length of a comment, in the directory of the archive, hides the array that comes next."""
    files = ChainFiles(tmp_path)
    files.save(state(2), rows(0, 2), 0)
    path = tmp_path / "draws-0000000000.npz"
    content = path.read_bytes()
    directory = content.index(b"PK\x01\x02")
    for bit in range(16):
        harmed = bytearray(content)
        harmed[directory + 32 + bit // 8] ^= 1 << bit % 8
        path.write_bytes(harmed)
        found = files.read()
        assert found is None or set(found[1]) == set(rows(0, 2))
    path.write_bytes(content)
    assert_holds(files, 2)


# The draws that a run has left


HARMS = {
    "cut": lambda text: text[: len(text) // 2],
    "no JSON": lambda text: text.replace(":", ";"),
    "a list": lambda text: "[1]",
    "a name": lambda text: text.replace('"sites"', '"sitez"'),
    "a size": lambda text: text.replace("2", "3", 1),
    "no number": lambda text: text.replace("2", '"2"', 1),
    "no chains": lambda text: '{"sites": {"a": [2]}, "lanes": [], "settings": {}}',
}


@pytest.mark.parametrize("harm", HARMS.values(), ids=list(HARMS))
def test_a_damaged_form_is_told_with_its_path(tmp_path, harm):
    run = Run(tmp_path)
    form = Form({"a": (2,), "b": ()}, (1,), {"sampler": "x", "draws": 9})
    form.write(run)
    numbers = {"gradients": 5, "tune_seconds": 1.0, "draw_seconds": 2.0, "wall_seconds": 3.0}
    form.files(run)[0].save(numbers, rows(0, 6), 0)
    assert read_run(run) is not None
    path = tmp_path / "form.json"
    path.write_text(harm(path.read_text()))
    with pytest.raises(DataError, match=r"form\.json' is damaged"):
        read_run(run)


def test_chains_are_cut_to_the_shortest(tmp_path):
    run = Run(tmp_path)
    assert read_run(run) is None
    form = Form({"a": (2,), "b": ()}, (1, 1), {"sampler": "x", "draws": 9})
    form.write(run)
    numbers = {"gradients": 5, "tune_seconds": 1.0, "draw_seconds": 2.0, "wall_seconds": 3.0}
    one, two = form.files(run)
    one.save(numbers, rows(0, 6), 0)
    assert read_run(run) is None  # a chain has nothing yet
    two.save(numbers, rows(0, 0), 0)
    assert read_run(run) is None
    two.save(numbers, rows(0, 4), 0)
    found = read_run(run)
    assert {name: array.shape for name, array in found.unconstrained.items()} == {"a": (2, 4, 2), "b": (2, 4)}
    np.testing.assert_array_equal(found.unconstrained["b"], [[0, 1, 2, 3]] * 2)
    assert found.stats["lp"].shape == (2, 4)
    assert found.work == {"gradients": 10}
    assert found.timing["sample_seconds"] == 3.0
    assert dict(found.settings) == {"sampler": "x", "draws": 9}


def test_chains_that_advance_together_are_told_apart(tmp_path):
    run = Run(tmp_path)
    form = Form({"a": ()}, (3,), {})
    form.write(run)
    values = np.arange(12.0).reshape(4, 3, 1)
    numbers = {"gradients": 5, "tune_seconds": 1.0, "draw_seconds": 2.0, "wall_seconds": 3.0}
    form.files(run)[0].save(numbers, {"values": values, "stats": np.zeros((4, 3, len(COLUMNS)))}, 0)
    np.testing.assert_array_equal(read_run(run).unconstrained["a"], values[..., 0].T)


def test_reading_needs_no_backend(run_python):
    run_python("import sys, rlbackends.backends.chain_files as c; c.read_run; assert 'jax' not in sys.modules")


