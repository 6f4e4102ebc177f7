"""Write the small data sets of tests/data_sets and what the oracles make of them.

    python -m tests.oracles.make_golden [CASE …]

Trials and parameters come from fixed seeds, the golden values from the oracles alone: no backend has a hand in them.
A row a trial; NA is missing; ``<case>.json`` holds one value per subject of each parameter, and what the oracle found,
null where there is nothing.
"""

import csv
import json
import math
import random
import sys
from pathlib import Path

from rlbackends.testing.cases import CASES
from rlbackends.testing.trials import random_subjects
from tests.oracles.cases import ORACLES
from tests.oracles.play import play_all

FOLDER = Path(__file__).resolve().parents[1] / "data_sets"


def columns(model):
    """Return each event's columns, and how a cell is read: what `tests.oracles.read.small` takes."""
    found = {}
    for name, event in model.events.items():
        n_entries = math.prod(axis.size for axis in event.axes)
        found[name] = (
            int if event.kind.name == "int" else float,
            [f"{name}_{i}" for i in range(n_entries)] if event.axes else [name],
        )
    return found


def write(name):
    """Write a case's two files."""
    case = CASES[name]
    rng = random.Random(f"rlbackends {name}")
    subjects = random_subjects(case, rng)
    params = {key: [round(value, 3) for value in values] for key, values in case.draw_params(rng, 3).items()}
    log_likelihood, trajectories = play_all(ORACLES[name], subjects, params, **case.settings)
    with open(FOLDER / f"{name}.csv", "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        events = columns(case.model())
        rows.writerow(["subject", "trial", "block", *(column for _, names in events.values() for column in names)])
        for s, trials in enumerate(subjects, 1):
            block = 0
            for t, trial in enumerate(trials, 1):
                block += trial["start"]
                cells = [cell for key, (_, names) in events.items() for cell in _cells(trial[key], len(names))]
                rows.writerow([s, t, block, *cells])
    values = {
        "model": case.make.__name__,
        "settings": dict(case.settings),
        "parameters": params,
        "log_likelihood": {key: _plain(value) for key, value in log_likelihood.items()},
        "trajectories": {key: _plain(value) for key, value in trajectories.items()},
    }
    (FOLDER / f"{name}.json").write_text(_text(values), encoding="utf-8")


def _cells(value, n):
    if value is None:
        return ["NA"] * n
    return ["NA" if entry is None else entry for entry in (value if isinstance(value, list) else [value])]


def _plain(array):
    if array.ndim:
        return [_plain(part) for part in array]
    return None if math.isnan(array) else float(array)


def _text(values):
    """Return JSON with an array a line, so that a changed value is seen where it is."""
    groups = []
    for key, value in values.items():
        if isinstance(value, dict) and value:
            rows = [f"  {json.dumps(name)}: {json.dumps(array)}" for name, array in value.items()]
            groups.append(f" {json.dumps(key)}: {{\n" + ",\n".join(rows) + "\n }")
        else:
            groups.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(groups) + "\n}\n"


if __name__ == "__main__":
    for case in sys.argv[1:] or CASES:
        write(case)
        print(FOLDER / f"{case}.csv")
