"""A task from the word on the command line, and whether a model can play it, in the program's words."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rlbackends.cli.arguments import pairs
from rlbackends.cli.load import Sort, load
from rlbackends.errors import ModelError

if TYPE_CHECKING:
    from rlbackends.model import Model
    from rlbackends.tasks import Task


def load_task(word: str, options: Mapping[str, Any] | None = None, rename: Iterable[str] = ()) -> Task:
    """Return the task that a word stands for.

    Parameters
    ----------
    word : str
        The name of a ready task, or ``file.py:name`` (a Task, or a function that returns one).
    options : mapping, optional
        Arguments of the function.
    rename : iterable of str, optional
        ``event=name`` texts: how the task's events are called.

    Raises
    ------
    ModelError
        If there is no such task, the file fails, the options don't fit, or an event is not there.
    """
    from rlbackends.tasks import TASKS, Task

    sort = Sort(Task, TASKS, "The ready ones are", "file.py:name", "--task-option")
    task: Task = load(word, dict(options or {}), sort)
    names = dict(pairs("--rename", rename, "EVENT=NAME, such as --rename reward=outcome"))
    return task.rename(**names) if names else task


@contextmanager
def program_words(model: Model, task: Task, words: tuple[str, str]) -> Iterator[None]:
    """Let an error about a model and a task say which options of the program to pass.

    Parameters
    ----------
    model, task
        The two.
    words : (str, str)
        What they were called on the command line.
    """
    try:
        yield
    except ModelError as error:
        text = re.sub(r"task\.rename\((\w+)='(\w+)'\)", r"--rename \1=\2", str(error))
        raise ModelError(" ".join([text, *_size_hints(model, task, words)])) from None


def _size_hints(model: Model, task: Task, words: tuple[str, str]) -> list[str]:
    """Return a sentence for each axis of which the two have different sizes."""
    from rlbackends.catalogue import MODELS
    from rlbackends.tasks import TASKS

    hints = []
    for axis, size in model.sizes.items():
        other = task.sizes.get(axis, size)
        if other == size:
            continue
        ways = _way(MODELS.get(words[0]), "-o", axis, other) + _way(TASKS.get(words[1]), "-t", axis, size)
        pass_ = f"pass {' or '.join(ways)}" if ways else "give one of them the other's"
        hints.append(f"The axis '{axis}' has size {size} in the model and {other} in the task: {pass_}.")
    return hints


def _way(make: Callable[..., Any] | None, option: str, axis: str, size: int) -> list[str]:
    """Return the option that gives an axis a size, if a ready model or task has one."""
    name = f"n_{axis}s"
    return [f"{option} {name}={size}"] if make is not None and name in inspect.signature(make).parameters else []
