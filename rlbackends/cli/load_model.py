"""A model from the word on the command line: a name of the catalogue, ``file.py:name``, or ``model.json``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlbackends.cli.load import Sort, load, without_options
from rlbackends.errors import ModelError

if TYPE_CHECKING:
    from rlbackends.model import Model


def load_model(word: str, options: Mapping[str, Any] | None = None) -> Model:
    """Return the model that a word stands for.

    Parameters
    ----------
    word : str
        A name of the catalogue, ``file.py:name`` (a Model, or a function that returns one), or
        ``model.json``.
    options : mapping, optional
        Arguments of the function.

    Raises
    ------
    ModelError
        If there is no such model, the file fails, or the options don't fit.
    """
    from rlbackends.catalogue import MODELS
    from rlbackends.model import Model

    options = dict(options or {})
    sort = Sort(Model, MODELS, "The catalogue has", "file.py:name or model.json", "--option")
    if word.endswith(".json"):
        found = Model.from_json(_read_text(Path(word)))
        return without_options(found, word, options, sort)
    return load(word, options, sort)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise ModelError(f"'{path}' can't be read: {reason}.") from None
