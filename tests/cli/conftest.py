"""How the tests run the program: in this process, with what it wrote captured."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from rlbackends.cli import main


class Ran(NamedTuple):
    """What a run of the program did."""

    status: int
    out: str
    err: str


@pytest.fixture
def program(capsys, monkeypatch, tmp_path) -> Callable[..., Ran]:
    """Return ``program("models", "--json")``; it runs in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: object) -> Ran:
        status = main([str(argument) for argument in arguments])
        return Ran(status, *capsys.readouterr())

    return run


@pytest.fixture
def table(tmp_path):
    """The path of a table of two subjects, five trials each, with columns under names of their own."""
    path = tmp_path / "prl.csv"
    rows = ["id,n,response,gain,loss"]
    for subject in ("s1", "s2"):
        rows += [f"{subject},{n},{'AB'[n % 2]},{n},{-n % 3}" for n in range(1, 6)]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


MODEL_FILE = """
import rlbackends as rl

def choice(q, beta):
    return rl.Categorical(logits=beta * q)

def learn(q, choice, reward, alpha):
    return {"q": q.at[choice].add(alpha * (reward - q[choice]))}

def make(n_actions, initial=0.0):
    return rl.Model(
        "mine",
        parameters={"alpha": rl.Parameter(rl.UnitInterval()), "beta": rl.Parameter(rl.Positive())},
        states={"q": rl.State("action", initial=initial)},
        trial={"choice": choice, "reward": rl.Real()},
        update=learn,
        sizes={"action": n_actions},
    )

two = make(2)
number = 7
"""


@pytest.fixture
def model_file(tmp_path):
    """The path of a file with a model, a function that makes models, and a number."""
    path = tmp_path / "my_models.py"
    path.write_text(MODEL_FILE, encoding="utf-8")
    return path
