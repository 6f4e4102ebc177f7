"""``rlbackends tasks``: the ready tasks, and what happens in one of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rlbackends.cli.arguments import TASK_HELP, TaskOptionPairs, task_options

if TYPE_CHECKING:
    from rlbackends.tasks import Task
    from rlbackends.tasks.scheduled import Variable
    from rlbackends.tasks.task import TaskEvent

_SOURCES = {"subject": "the subject", "rule": "the world", "schedule": "fixed beforehand"}


def tasks(
    task: Annotated[str | None, Parameter(help=f"One to be told more about. {TASK_HELP}")] = None,
    /,
    *,
    task_option: TaskOptionPairs = (),
    json: Annotated[bool, Parameter(help="Print JSON for programs.")] = False,
) -> None:
    """List the ready tasks, or tell about one: what happens on a trial, what is hidden, its options, who plays it."""
    from rlbackends.cli.load_task import load_task
    from rlbackends.cli.output import say_json
    from rlbackends.errors import SettingError
    from rlbackends.tasks import TASKS

    if task is None:
        if task_option:
            raise SettingError("--task-option says something about one task: rlbackends tasks TASK -t NAME=VALUE.")
        if json:
            say_json([describe(name, make, _made(make)) for name, make in TASKS.items()])
        else:
            _list()
        return
    if task in TASKS and not task_option and _made(TASKS[task]) is None:
        made = None  # it can't be made without its options, but told about
    else:
        made = load_task(task, task_options(task_option))
    if json:
        say_json(describe(task, TASKS.get(task), made))
    else:
        _tell(task, TASKS.get(task), made)


def describe(name: str, make: Callable[..., Any] | None, made: Task | None) -> dict[str, Any]:
    """Return what there is to know about a task as plain data; ``events`` and more are null where options decide."""
    known: dict[str, Any] = {"name": name, "options": {} if make is None else _options(make)}
    if made is None:
        return known | {"description": _first_line(make), "reference": "", "events": None, "hidden": None,
                        "sizes": None, "n_trials": None}  # fmt: skip
    return known | {
        "description": made.description,
        "reference": made.reference,
        "events": {
            name: {"holds": _holds(event), "source": event.source, "description": event.description}
            for name, event in made.events.items()
        },
        "hidden": {name: {"holds": _holds(v), "drawn": _drawn(v)} for name, v in _hidden(made).items()},
        "sizes": dict(made.sizes),
        "n_trials": made.n_trials,
    }


def _list() -> None:
    from rlbackends.cli.output import say, table
    from rlbackends.tasks import TASKS

    rows: list[tuple[str, ...]] = []
    for name, make in TASKS.items():
        if rows and make.__module__ != TASKS[rows[-1][0]].__module__:
            rows.append(())  # a line between families
        made = _made(make)
        if made is None:
            needs = ", ".join(f"-t {option}=…" for option, default in _options(make).items() if default is None)
            rows.append((name, f"needs {needs}", "", ""))
        else:
            rows.append((name, ", ".join(made.events), str(made.n_trials), made.reference))
    table(("task", "a trial", "trials", "reference"), rows)
    say(f"\n{len(TASKS)} tasks. More about one: rlbackends tasks bandit")


def _tell(name: str, make: Callable[..., Any] | None, made: Task | None) -> None:
    from textwrap import fill

    from rlbackends.cli.output import console, heading, say, table
    from rlbackends.cli.show import sections

    say(f"{name}: {_first_line(make) if made is None else made.description or made.name}")
    if made is not None:
        size = ", ".join(f"{axis} {n}" for axis, n in made.sizes.items())
        say(f"{made.n_trials} trials a block; sizes: {size or 'none'}")
        heading("What happens on a trial, in order")
        rows = [(n, _SOURCES[e.source], _holds(e), e.description) for n, e in made.events.items()]
        table(("event", "by", "holds", ""), rows, indent=2)
        hidden = [(n, _holds(v), _drawn(v)) for n, v in _hidden(made).items()]
        hidden += [(n, "a real number", "changes with what happens") for n in made.states]
        if hidden:
            heading("Hidden from the subject")
            table(("variable", "holds", ""), hidden, indent=2)
    for title, lines in sections(make, "Parameters", "Notes", "References").items():
        heading("Options (-t NAME=VALUE)" if title == "Parameters" else title)
        say("\n".join(f"  {line}".rstrip() for line in lines))
    if made is not None:
        heading("Models of the catalogue that play it as they are")
        players = ", ".join(_players(made)) or "none: a model needs the task's events, in its sizes"
        say(fill(players, console().width - 2, initial_indent="  ", subsequent_indent="  "))


def _players(task: Task) -> list[str]:
    """Return the models of the catalogue that can play a task with their options' defaults."""
    from rlbackends.catalogue import MODELS
    from rlbackends.errors import ModelError
    from rlbackends.simulation.compose import check_fit

    found = []
    for name, make in MODELS.items():
        try:
            check_fit(make(), task)
        except ModelError:
            continue
        found.append(name)
    return found


def _made(make: Callable[..., Any]) -> Task | None:
    """Return a ready task with its options' defaults, or None if it needs some."""
    asked = inspect.signature(make).parameters.values()
    return None if any(p.default is p.empty for p in asked) else make()


def _options(make: Callable[..., Any]) -> dict[str, Any]:
    """Return options and their defaults; those without one have None."""
    return {
        name: None if parameter.default is parameter.empty else parameter.default
        for name, parameter in inspect.signature(make).parameters.items()
    }


def _hidden(task: Task) -> dict[str, Variable]:
    return {name: variable for name, variable in task.scheduled.items() if name not in task.events}


def _holds(item: TaskEvent | Variable) -> str:
    """Say what a value is: ``0 to 3``, ``a real number``, one for each entry of its axes."""
    what = f"{item.kind.lo} to {item.kind.hi}" if item.kind.name == "int" else "a real number"
    return what if not item.axes else f"{what} for each {' × '.join(axis.name or str(axis.size) for axis in item.axes)}"


def _drawn(variable: Variable) -> str:
    if not variable.is_drawn:
        return "the same on all trials" if len(variable.values) == 1 else "fixed trial by trial"
    return "drawn for each subject and block" if variable.by_subject else "trial by trial, the same for all subjects"


def _first_line(make: Callable[..., Any] | None) -> str:
    return (inspect.getdoc(make) or "").partition("\n")[0]
