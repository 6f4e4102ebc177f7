"""Data sets as the oracles read them: with the standard library's csv, and each column by hand."""

import csv


def _rows(path, delimiter):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def _by_subject(rows, column, trial):
    """Return each subject's trials in the order of the rows, the subjects by number; one block each."""
    found = {}
    for row in rows:
        found.setdefault(int(row[column]), []).append(trial(row))
    for trials in found.values():
        for t, one in enumerate(trials):
            one["start"] = t == 0
    return [found[label] for label in sorted(found)]


def reversal(folder):
    """prl.tsv: choices 1 and 2, outcomes 1 and −1."""
    return _by_subject(
        _rows(folder / "prl.tsv", "\t"),
        "subjID",
        lambda row: {"choice": int(row["choice"]) - 1, "reward": float(row["outcome"])},
    )


def four_armed(folder):
    """bandit4arm.tsv: choices 1 to 4; the reward is the gain less the size of the loss; losses are 0 or less."""
    return _by_subject(
        _rows(folder / "bandit4arm.tsv", "\t"),
        "subjID",
        lambda row: {
            "choice": int(row["choice"]) - 1,
            "gain": float(row["gain"]),
            "loss": -abs(float(row["loss"])),
            "reward": float(row["gain"]) - abs(float(row["loss"])),
        },
    )


def two_step(folder):
    """ts.tsv: second choices 1 and 2 are made in one state, 3 and 4 in the other."""
    return _by_subject(
        _rows(folder / "ts.tsv", "\t"),
        "subjID",
        lambda row: {
            "choice1": int(row["level1_choice"]) - 1,
            "state2": (int(row["level2_choice"]) - 1) // 2,
            "choice2": (int(row["level2_choice"]) - 1) % 2,
            "reward": float(row["reward"]),
        },
    )


def go_no_go(folder):
    """gng.tsv: cues 1 to 4; 1 is a key pressed, 0 none."""
    return _by_subject(
        _rows(folder / "gng.tsv", "\t"),
        "subjID",
        lambda row: {
            "cue": int(row["cue"]) - 1,
            "go": int(row["keyPressed"]),
            "outcome": float(row["outcome"]),
        },
    )


def aliens(folder):
    """aliens/*.csv: one column a subject, one row a trial."""
    files = {"season": "seasons", "alien": "aliens", "choice": "actions", "reward": "rewards"}
    tables = {event: _rows(folder / "aliens" / f"{name}.csv", ",") for event, name in files.items()}
    subjects = []
    for label in sorted(tables["season"][0], key=int):
        columns = {event: [float(row[label]) for row in rows] for event, rows in tables.items()}
        subjects.append(
            [
                {"start": t == 0, "season": int(s), "alien": int(x), "choice": int(c), "reward": r}
                for t, (s, x, c, r) in enumerate(zip(*columns.values(), strict=True))
            ]
        )
    return subjects


def small(path, events):
    """Return a committed data set's trials: a block starts where the column ``block`` changes; NA is missing.

    ``events``: name → how a cell is read (``int`` or ``float``), and its columns, more than one for an event that
    has an axis.
    """
    found, last = {}, None
    for row in _rows(path, ","):
        trials = found.setdefault(row["subject"], [])
        trial = {"start": not trials or row["block"] != last}
        for name, (number, columns) in events.items():
            entries = [None if row[column] == "NA" else number(row[column]) for column in columns]
            trial[name] = entries[0] if columns == [name] else None if set(entries) == {None} else entries
        trials.append(trial)
        last = row["block"]
    return [found[label] for label in sorted(found)]
