"""Stand-ins for models, and small tables written to files."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from rlbackends.expressions.kinds import REAL, Axis, integer
from rlbackends.expressions.operations import FALSE
from rlbackends.model.parts import Event


def make_event(name, kind="real", size=2, *, axes=(), is_response=False, of=None):
    value = integer(0, size - 1) if kind == "int" else REAL
    return Event(name, value, tuple(Axis(axis, n) for axis, n in axes), is_response, of)


def make_model(*events, sizes=None):
    return SimpleNamespace(
        name="bandit",
        events={event.name: event for event in events},
        responses=tuple(event.name for event in events if event.is_response),
        sizes=sizes or {"action": 2},
        needs=lambda response: FALSE,
        updates={},
        records={},
        response_rules={},
    )


@pytest.fixture
def bandit():
    """A model with a choice of two and a reward."""
    return make_model(make_event("choice", "int", 2, is_response=True), make_event("reward"))


@pytest.fixture
def event():
    """Make an event."""
    return make_event


@pytest.fixture
def model():
    """Make a model of events."""
    return make_model


@pytest.fixture
def write(tmp_path):
    """Write lines (or bytes) to a file; spaces part the entries of a line, and become the given separator."""

    def write_file(name: str, *lines: str, separator: str | None = None) -> Path:
        sep = separator or ("," if name.endswith(".csv") else "\t")
        path = tmp_path / name
        path.write_text("".join(line.replace(" ", sep) + "\n" for line in lines), encoding="utf-8")
        return path

    return write_file


@pytest.fixture
def shared():
    """The folder of published data, beside the repository."""
    folder = Path(__file__).parents[2].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("published data are not there (../shared/data)")
    return folder
