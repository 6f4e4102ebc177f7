"""A model from a word: a name of the catalogue, file.py:name, model.json; and what is said when there is none."""

import sys

import pytest

import rlbackends as rl
from rlbackends.cli.arguments import model_options
from rlbackends.cli.load_model import load_model
from rlbackends.errors import ModelError


def test_a_name_of_the_catalogue(model_file):
    assert load_model("rescorla_wagner") == rl.catalogue.rescorla_wagner()
    assert load_model("rescorla_wagner", {"n_actions": 4}) == rl.catalogue.rescorla_wagner(n_actions=4)


def test_a_model_or_a_function_in_a_file(model_file):
    assert load_model(f"{model_file}:two").sizes == {"action": 2}
    assert load_model(f"{model_file}:make", {"n_actions": 3, "initial": 0.5}).sizes == {"action": 3}
    assert load_model(str(model_file)).name == "mine"


def test_a_file_may_import_its_neighbours(tmp_path, model_file):
    (tmp_path / "other.py").write_text("from my_models import two\n", encoding="utf-8")
    before = list(sys.path)
    assert load_model(f"{tmp_path / 'other.py'}:two").name == "mine"
    assert sys.path == before


def test_json(tmp_path):
    path = tmp_path / "m.json"
    path.write_text(rl.catalogue.aliens().to_json(), encoding="utf-8")
    assert load_model(str(path)) == rl.catalogue.aliens()


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("tow", {}, "has no 'tow'. Did you mean 'two'?"),
        ("number", {}, "'number' of .* is a int, expected a Model or a function"),
        ("make", {}, "needs the option 'n_actions': --option n_actions=VALUE"),
        ("make", {"n_actions": 2, "intial": 1}, "has no option 'intial'; .*Did you mean 'initial'?"),
        ("two", {"n_actions": 2}, "is a model, not a function .* takes no option 'n_actions'"),
        ("make", {"n_actions": "x"}, "axis 'action' has size 'x'"),
    ],
)
def test_a_file_without_what_was_asked_for(model_file, name, options, words):
    with pytest.raises(ModelError, match=words):
        load_model(f"{model_file}:{name}", options)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\ny = x / 0\n", r"broken.py:2: ZeroDivisionError: division by zero"),
        ("def f(:\n", r"broken.py:1: SyntaxError: invalid syntax"),
        ("import not_there_at_all\n", r"broken.py:1: ModuleNotFoundError"),
        ("x = 1\n", r"broken.py' holds no Model; say which object"),
    ],
)
def test_a_file_that_fails_says_its_line(tmp_path, text, words):
    path = tmp_path / "broken.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=words):
        load_model(str(path))


def test_a_function_that_fails_says_how_it_was_called(tmp_path):
    path = tmp_path / "f.py"
    path.write_text("def f(a):\n    return [][a]\ndef g():\n    return 3\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"f.py:f\(a=1\) failed: IndexError"):
        load_model(f"{path}:f", {"a": 1})
    with pytest.raises(ModelError, match=r"f.py:g\(\) returned int, expected a Model"):
        load_model(f"{path}:g")


@pytest.mark.parametrize("word", ["rescorla", "nope.json", "nope.py", "nope.py:model"])
def test_nothing_there(word, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"there is no model|can't be read|there is no file"):
        load_model(word)


def test_the_nearest_name_comes_before_the_list():
    with pytest.raises(ModelError, match=r"rescorla_wagnr'\. Did you mean 'rescorla_wagner'\?.* The catalogue has"):
        load_model("rescorla_wagnr")


def test_options_are_numbers_where_they_can_be():
    given = ["n_actions=5", "initial=0.5", "name=go", "flag=true"]
    assert model_options(given) == {"n_actions": 5, "initial": 0.5, "name": "go", "flag": True}
