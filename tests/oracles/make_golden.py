"""Write the small data sets of tests/data_sets and what the oracles make of them.

    python -m tests.oracles.make_golden

The trials and the parameters come from fixed seeds, the golden values from the oracles alone: nothing that is
tested has a hand in them. A row a trial; NA is missing; ``<case>.json`` holds one value per subject of each
parameter, and what the oracle found, null where there is nothing.
"""

import csv
import json
import math
import random
from pathlib import Path

from tests.oracles.cases import CASES
from tests.oracles.play import play_all

FOLDER = Path(__file__).resolve().parents[1] / "data_sets"


def golden(name):
    """Return a case's trials by subject, and its golden values as plain data."""
    case = CASES[name]
    rng = random.Random(f"rlbackends {name}")
    subjects = case.subjects(rng)
    params = {key: [round(value, 3) for value in values] for key, values in case.params(rng).items()}
    log_likelihood, trajectories = play_all(case.oracle, subjects, params, **case.settings)
    return subjects, {
        "model": case.model,
        "settings": case.settings,
        "parameters": params,
        "log_likelihood": {key: _plain(value) for key, value in log_likelihood.items()},
        "trajectories": {key: _plain(value) for key, value in trajectories.items()},
    }


def _plain(array):
    if array.ndim:
        return [_plain(part) for part in array]
    return None if math.isnan(array) else float(array)


def write(name):
    """Write a case's two files."""
    subjects, values = golden(name)
    events = [key for key in subjects[0][0] if key != "start"]
    with open(FOLDER / f"{name}.csv", "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["subject", "trial", "block", *events])
        for s, trials in enumerate(subjects, 1):
            block = 0
            for t, trial in enumerate(trials, 1):
                block += trial["start"]
                rows.writerow([s, t, block, *("NA" if trial[key] is None else trial[key] for key in events)])
    (FOLDER / f"{name}.json").write_text(_text(values), encoding="utf-8")


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
    for case in CASES:
        write(case)
        print(FOLDER / f"{case}.csv")
