"""A model or a task from the word on the command line: a ready one's name, or ``file.py:name``."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from rlbackends.errors import ModelError, RLBackendsError, did_you_mean, listed


@dataclass(frozen=True)
class Sort:
    """What a word may stand for.

    Attributes
    ----------
    kind : type
        Its class, called ``Model`` or ``Task``.
    ready : mapping
        Functions that make the ready ones, by name.
    where : str
        Where these are: a sentence up to the list of them.
    own : str
        How one of the user's own is given.
    option : str
        The program's option for the function's arguments.
    """

    kind: type
    ready: Mapping[str, Callable[..., Any]]
    where: str
    own: str
    option: str

    @property
    def title(self) -> str:
        """The class's name."""
        return self.kind.__name__

    @property
    def word(self) -> str:
        """The same in a sentence."""
        return self.title.lower()


def load(word: str, options: Mapping[str, Any], sort: Sort) -> Any:
    """Return what a word stands for.

    Raises
    ------
    ModelError
        If there is no such thing, the file fails, or the options don't fit.
    """
    path, _, name = word.rpartition(":")
    if word.endswith(".py"):
        path, name = word, ""
    if path.endswith(".py"):
        found = _from_file(Path(path), name, sort)
        if isinstance(found, sort.kind):
            return without_options(found, word, options, sort)
        made = _call(found, word, options, sort)
        if not isinstance(made, sort.kind):
            raise ModelError(f"{word}() returned {type(made).__name__}, expected a {sort.title}.")
        return made
    if word not in sort.ready:
        raise ModelError(
            f"there is no {sort.word} {word!r}.{did_you_mean(word, sort.ready)} A {sort.word} of your own is given as "
            f"{sort.own}. {sort.where} {listed(sort.ready)}."
        )
    return _call(sort.ready[word], word, options, sort)


def without_options(found: Any, word: str, options: Mapping[str, Any], sort: Sort) -> Any:
    """Return what was found, which takes no options."""
    if options:
        raise ModelError(
            f"'{word}' is a {sort.word}, not a function that makes one, so it takes no option {listed(options)}."
        )
    return found


def _from_file(path: Path, name: str, sort: Sort) -> Any:
    """Return what a file calls ``name``; without a name, the file's only model or task."""
    module = _run(path)
    if name:
        if not hasattr(module, name):
            public = [key for key in vars(module) if not key.startswith("_")]
            raise ModelError(f"'{path}' has no '{name}'.{did_you_mean(name, public)}")
        found = getattr(module, name)
        if not (isinstance(found, sort.kind) or callable(found)):
            raise ModelError(
                f"'{name}' of '{path}' is a {type(found).__name__}, expected a {sort.title} or a function that "
                "returns one."
            )
        return found
    objects = {key: value for key, value in vars(module).items() if isinstance(value, sort.kind)}
    if len(objects) != 1:
        which = f"has {listed(objects)}" if objects else f"holds no {sort.title}"
        raise ModelError(f"'{path}' {which}; say which object to take: {path}:name.")
    return next(iter(objects.values()))


def _run(path: Path) -> ModuleType:
    """Run a user's file as a module under its own folder, so that it may import its neighbours."""
    if not path.is_file():
        raise ModelError(f"there is no file '{path}'.")
    name = f"_rlbackends_file_{path.stem}"
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
        # No other process can import it by this name: its functions travel to workers by value.
        del sys.modules[name]
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


def _call(make: Callable[..., Any], word: str, options: Mapping[str, Any], sort: Sort) -> Any:
    """Call a function that makes something; an option that it does not have is an error with the nearest."""
    known = inspect.signature(make).parameters
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in known.values())
    unknown = [name for name in options if name not in known and not takes_any]
    lacking = [
        name
        for name, p in known.items()
        if p.default is p.empty and name not in options and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    ]
    faults = [f"'{word}' has no option '{n}'; it has {listed(known)}.{did_you_mean(n, known)}" for n in unknown]
    faults += [f"'{word}' needs the option '{n}': {sort.option} {n}=VALUE." for n in lacking]
    if faults:
        raise ModelError(" ".join(faults))
    try:
        return make(**options)
    except RLBackendsError:
        raise
    except Exception as error:
        given = ", ".join(f"{name}={value!r}" for name, value in options.items())
        raise ModelError(f"{word}({given}) failed: {type(error).__name__}: {error}.") from error
