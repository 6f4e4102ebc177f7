"""A model from the word on the command line: a name of the catalogue, ``file.py:name``, or ``model.json``."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from rlbackends.errors import ModelError, RLBackendsError, did_you_mean, listed

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
    from rlbackends.model import Model

    options = dict(options or {})
    path, _, name = word.rpartition(":")
    if word.endswith(".json"):
        return _without_options(Model.from_json(_read_text(Path(word))), word, options)
    if word.endswith(".py"):
        path, name = word, ""
    if path.endswith(".py"):
        found = _from_file(Path(path), name)
        if isinstance(found, Model):
            return _without_options(found, word, options)
        model = _call(found, word, options)
        if not isinstance(model, Model):
            raise ModelError(f"{word}() returned {type(model).__name__}, expected a Model.")
        return model
    from rlbackends.catalogue import MODELS

    if word not in MODELS:
        raise ModelError(
            f"there is no model {word!r} in the catalogue, which has {listed(MODELS)}."
            f"{did_you_mean(word, MODELS)} A model of your own is given as file.py:name or model.json."
        )
    return _call(MODELS[word], word, options)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise ModelError(f"'{path}' can't be read: {reason}.") from None


def _without_options(model: Model, word: str, options: Mapping[str, Any]) -> Model:
    if options:
        raise ModelError(
            f"'{word}' is a model, not a function that makes one, so it takes no option {listed(options)}."
        )
    return model


def _from_file(path: Path, name: str) -> Any:
    """Return what a file calls ``name``; without a name, the file's only model."""
    from rlbackends.model import Model

    module = _run(path)
    if name:
        if not hasattr(module, name):
            public = [key for key in vars(module) if not key.startswith("_")]
            raise ModelError(f"'{path}' has no '{name}'.{did_you_mean(name, public)}")
        found = getattr(module, name)
        if not (isinstance(found, Model) or callable(found)):
            raise ModelError(
                f"'{name}' of '{path}' is a {type(found).__name__}, expected a Model or a function that returns one."
            )
        return found
    models = {key: value for key, value in vars(module).items() if isinstance(value, Model)}
    if len(models) != 1:
        which = f"has {listed(models)}" if models else "holds no Model"
        raise ModelError(f"'{path}' {which}; say which object to take: {path}:name.")
    return next(iter(models.values()))


def _run(path: Path) -> ModuleType:
    """Import a user's file under its own folder, so that it may import its neighbours."""
    if not path.is_file():
        raise ModelError(f"there is no file '{path}'.")
    name = f"_rlbackends_model_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModelError(f"'{path}' can't be imported.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except RLBackendsError:
        raise
    except Exception as error:
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ModelError(f"{_where(error, path)}: {type(error).__name__}: {said}.") from error
    finally:
        sys.path.remove(str(path.resolve().parent))
    return module


def _where(error: BaseException, path: Path) -> str:
    """Return ``file.py:line`` of the last line of the user's file that an error passed."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}"
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path.absolute()
    ]
    lines += [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)


def _call(make: Callable[..., Any], word: str, options: Mapping[str, Any]) -> Any:
    """Call a function that makes a model; an option that it does not have is an error with the nearest."""
    known = inspect.signature(make).parameters
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in known.values())
    unknown = [name for name in options if name not in known and not takes_any]
    lacking = [
        name
        for name, p in known.items()
        if p.default is p.empty and name not in options and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    ]
    faults = [f"'{word}' has no option '{n}'; it has {listed(known)}.{did_you_mean(n, known)}" for n in unknown]
    faults += [f"'{word}' needs the option '{n}': --option {n}=VALUE." for n in lacking]
    if faults:
        raise ModelError(" ".join(faults))
    try:
        return make(**options)
    except RLBackendsError:
        raise
    except Exception as error:
        given = ", ".join(f"{name}={value!r}" for name, value in options.items())
        raise ModelError(f"{word}({given}) failed: {type(error).__name__}: {error}.") from error
