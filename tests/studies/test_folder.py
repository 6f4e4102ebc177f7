"""The folder of a study: what it refuses, what it says, and what becomes of files that killed processes left."""

import errno
import json
import os

import pytest

from rlbackends.backends.locks import is_held, try_lock
from rlbackends.backends.runs import differences
from rlbackends.errors import SettingError
from rlbackends.studies import Study, folder
from rlbackends.studies.folder import Folder, check_key

MANIFEST = {"kind": "recovery", "model": "5f2c", "settings": {"draws": 500, "sizes": (2, 3)}, "seed": 1}


def contents(path):
    """Return every file below a folder, with its bytes."""
    return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}


def test_a_new_folder_says_what_it_is(tmp_path):
    study = Study(tmp_path / "deep" / "study", MANIFEST)
    said = json.loads((study.folder / "study.json").read_text())
    assert said["format"] == "rlbackends study" and said["version"] == 1
    assert said["manifest"] == {**MANIFEST, "settings": {"draws": 500, "sizes": [2, 3]}} == study.manifest
    assert study.path("0007") == study.folder / "fits" / "0007.nc"
    assert contents(study.folder).keys() == {"study.json"}


def test_the_same_study_opens_again_and_so_does_one_that_is_not_described(tmp_path):
    first = Study(tmp_path / "study", {**MANIFEST, "threshold": float("nan")}, suffix=".txt")
    before = contents(first.folder)
    Study(tmp_path / "study", {**MANIFEST, "threshold": float("nan")}, suffix=".txt")
    found = Study(tmp_path / "study", suffix=".nc")
    assert found.manifest["seed"] == 1 and found.path("a").name == "a.txt"
    assert contents(first.folder) == before


def test_another_study_is_refused_key_by_key_and_nothing_is_touched(tmp_path):
    Study(tmp_path / "study", MANIFEST)
    before = contents(tmp_path)
    other = {"kind": "recovery", "model": "5f2c", "settings": {"draws": 1000, "sizes": (2, 3)}, "subjects": 40}
    with pytest.raises(SettingError) as caught:
        Study(tmp_path / "study", other, suffix=".csv")
    assert str(caught.value).splitlines()[1:] == [
        "  settings.draws: the folder has 500, asked for was 1000",
        "  seed: the folder has 1, asked for was nothing",
        "  subjects: the folder has nothing, asked for was 40",
        "  suffix: the folder has '.nc', asked for was '.csv'",
        "Choose another folder, or ask for the study that is there.",
    ]
    assert contents(tmp_path) == before


def test_whole_numbers_are_not_floats_and_long_values_are_shortened():
    assert differences({"a": 1}, {"a": 1.0}) == ["a: the folder has 1, asked for was 1.0"]
    (line,) = differences({"a": "x" * 500}, {"a": None})
    assert len(line) < 140 and "(502 characters)" in line


@pytest.mark.parametrize("name", ["notes.txt", "fits/0001.nc"])
def test_a_folder_that_holds_something_else_is_refused(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(SettingError, match=r"is not empty \((notes.txt|fits)\) and holds no study"):
        Study(tmp_path, MANIFEST)
    assert contents(tmp_path) == {name: b"mine"}


def test_a_study_that_was_killed_while_it_was_created_is_created(tmp_path):
    for name in ("fits", "failed", "running"):
        (tmp_path / name).mkdir()
    (tmp_path / ".study.json~").write_text('{"for')
    (tmp_path / "study.lock").write_text("process 1")
    assert Study(tmp_path, MANIFEST).manifest["seed"] == 1
    assert contents(tmp_path).keys() == {"study.json"}


def test_what_is_no_study_is_not_opened(tmp_path):
    with pytest.raises(SettingError, match="holds no study"):
        Study(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match="is a file, expected a folder"):
        Study(tmp_path / "file", MANIFEST)
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "study.json").write_text('{"format": "a thesis"}')
    with pytest.raises(SettingError, match="was not written by rlbackends"):
        Study(tmp_path / "strange", MANIFEST)
    study = Study(tmp_path / "new", MANIFEST)
    said = json.loads((study.folder / "study.json").read_text())
    (study.folder / "study.json").write_text(json.dumps({**said, "version": 2}))
    with pytest.raises(SettingError, match="is a study of version 2; this rlbackends reads version 1"):
        Study(tmp_path / "new", MANIFEST)


def test_a_manifest_that_json_can_not_say_is_refused(tmp_path):
    with pytest.raises(SettingError, match=r"can't be written as JSON: .*set"):
        Study(tmp_path / "study", {"sizes": {1, 2}})
    assert not (tmp_path / "study").exists()


def test_a_folder_that_can_not_be_written_is_found_when_it_is_opened(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(SettingError, match=r"study' can't be written: Permission denied\. .* choose another folder"):
        Study(tmp_path / "study", MANIFEST)
    assert contents(tmp_path) == {}


def test_a_temporary_folder_goes_with_its_block():
    with Study(None, MANIFEST) as study:
        assert (study.folder / "study.json").exists()
    assert not study.folder.exists()


def test_keys_are_file_names():
    assert [check_key(key) for key in ("0007", "a", "A.b_c-1", "0" * 100)] == [""] * 4
    assert all(check_key(key) for key in ("", ".a", "-a", "a/b", "a b", "a~b", "é", "a\n", "0" * 101, 7, None))


def test_a_lock_is_held_by_one_and_goes_with_it(tmp_path):
    path = tmp_path / "lock"
    assert not is_held(path) and not path.exists()
    with try_lock(path) as lock:
        lock.write("process 1")
        assert is_held(path) and try_lock(path) is None and path.read_text() == "process 1"
    assert not is_held(path) and not path.exists()


def test_a_lock_on_a_file_that_was_removed_is_not_taken_for_one(tmp_path, monkeypatch):
    path = tmp_path / "lock"
    first = try_lock(path)
    opened = os.open

    def open_late(*arguments):
        # The holder leaves, and takes the file along, between our opening and our locking it.
        descriptor = opened(*arguments)
        first.release()
        return descriptor

    monkeypatch.setattr(os, "open", open_late)
    with try_lock(path):
        monkeypatch.undo()
        assert path.exists() and is_held(path)


def test_two_processes_can_not_run_one_study(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "_GRACE", 0.0)
    study = Study(tmp_path / "study", MANIFEST)
    place = Folder(study.folder, ".nc")
    with place.driver_lock():
        assert place.is_being_run()
        with pytest.raises(SettingError, match=rf"is being run already, by process {os.getpid()} on "):
            study.run([], print)
    assert not place.is_being_run()
    study.run([], print)


def test_what_killed_processes_left_is_removed_and_what_living_ones_hold_is_not(tmp_path):
    study = Study(tmp_path / "study", MANIFEST)
    place = Folder(study.folder, ".nc")
    for name in ("0001~lock", "0001~8c.nc", ".0001~8c.nc.tmp.part", "0002~77.nc", "~bundle-12", "0003.b~1.nc"):
        (place.running / name).write_text("half")
    (place.running / "0001~folder").mkdir()
    with try_lock(place.job_lock("0002")):
        place.tidy()
        assert contents(place.running).keys() == {"0002~77.nc", "0002~lock"}
    place.tidy()
    assert list(place.running.iterdir()) == []
