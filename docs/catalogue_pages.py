"""Writes the catalogue's pages from the catalogue itself: a page a family, and the table of all models."""

from __future__ import annotations

import inspect
import random
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import rlbackends as rl
from rlbackends.testing.cases import CASES, ModelCase
from rlbackends.testing.trials import as_trials, played_subjects

N_TRIALS = 60
# The equations' lines are long: the column of a page's headings leaves them its room.
WIDE = "---\nhtml_theme.sidebar_secondary.remove: true\n---\n"


def write_pages(folder: Path) -> None:
    """Write the pages into a folder, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for title, family in rl.catalogue.FAMILIES.items():
        models = [rl.catalogue.MODELS[name] for name in family.__all__]
        parts = [WIDE, f"# {title}\n", f"{inspect.getdoc(family)}\n", *(section(make, folder) for make in models)]
        (folder / page(family)).write_text("\n".join(parts), encoding="utf-8")
    (folder / "table.md").write_text(overview(), encoding="utf-8")


def page(family: ModuleType) -> str:
    """Return the name of a family's page."""
    return f"{family.__name__.rpartition('.')[2]}.md"


def overview() -> str:
    """Return the table of all models, with a link to each, and the pages in its order."""
    rows = ["| model | parameters | a trial | paper |", "|---|---|---|---|"]
    for title, family in rl.catalogue.FAMILIES.items():
        rows.append(f"| **[{title}](generated/catalogue/{page(family)})** | | | |")
        for key in family.__all__:
            model = rl.catalogue.MODELS[key]()
            parameters, events = map(words, (model.parameters, model.events))
            rows.append(f"| [`{key}`](#model-{key}) | {parameters} | {events} | {model.reference} |")
    pages = [f"generated/catalogue/{page(family).removesuffix('.md')}" for family in rl.catalogue.FAMILIES.values()]
    return "\n".join([*rows, "", "```{toctree}", ":hidden:", "", *pages, "```", ""])


def words(names: Iterable[str]) -> str:
    """Return names as code, side by side."""
    return ", ".join(f"`{name}`" for name in names)


def section(make: Callable[..., Any], folder: Path) -> str:
    """Return what there is to know about a model."""
    name, model = make.__name__, make()
    case = next(case for case in CASES.values() if case.make is make)
    # Drawn rather than typical: parameters that belong together, such as two rates, differ then.
    params = {key: round(values[0], 2) for key, values in case.draw_params(random.Random(53), 1).items()}
    picture(case, params, folder / f"{name}.png")
    return "\n".join(
        [
            f"(model-{name})=\n## `{name}`\n",
            f"```text\n{model.equations()}\n```\n",
            columns(model),
            population(model),
            f"```{{image}} {name}.png\n:alt: {name} on {N_TRIALS} trials that it played itself\n:width: 100%\n```\n",
            caption(case, params),
            f"```{{eval-rst}}\n.. autofunction:: rlbackends.catalogue.{name}\n```\n",
        ]
    )


def columns(model: Any) -> str:
    """Return the table of the columns that data need."""
    rows = ["| column that data need | holds |", "|---|---|"]
    return "\n".join(rows + [f"| `{name}` | {event.meaning} |" for name, event in model.events.items()]) + "\n"


def population(model: Any) -> str:
    """Return the table of how people differ by default."""
    rows = ["| parameter | link | location | sd |", "|---|---|---|---|"]
    for name, item in rl.Population().resolve(model, 1).items():
        rows.append(f"| `{name}` | {item.pooling.link} | {item.pooling.location} | {item.pooling.sd} |")
    return "\n".join(rows) + "\n"


def picture(case: ModelCase, params: Mapping[str, float], path: Path) -> None:
    """Draw the model at work on trials that it plays itself."""
    model = case.model()
    played = played_subjects(case, random.Random(1), {name: [value] for name, value in params.items()}, N_TRIALS)
    rl.plots.plot_model(rl.compile(model, as_trials(model, played)), params).savefig(path, dpi=110)


def caption(case: ModelCase, params: Mapping[str, float]) -> str:
    """Return what the picture shows."""
    values = ", ".join(f"`{name}` = {value:g}" for name, value in params.items())
    given = ", ".join(f"`{name}={value!r}`" for name, value in case.settings.items())
    return f"One subject of {N_TRIALS} trials, played by the model with {values}{f' ({given})' if given else ''}.\n"
