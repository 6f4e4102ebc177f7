"""Compile programs in Stan and compare their log-densities with the reference's.

    python stan_job.py FOLDER [NAME ...]

``FOLDER`` is what ``stan_programs.py`` wrote. This file needs PyStan 3 and nothing of ours, so it runs in an
environment of its own. PyStan keeps what it compiled. Exits with 1 if any program differs.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import sys
from pathlib import Path

TOLERANCE = 1e-10  # of the density's scale
TRIES = 4


def difference(found: float, expected: float) -> float:
    """Return the difference of two log-densities, of the scale of the second; the same infinity is no difference."""
    if not (math.isfinite(found) and math.isfinite(expected)):
        return 0.0 if found == expected or (math.isnan(found) and math.isnan(expected)) else math.inf
    return abs(found - expected) / max(1.0, abs(expected))


def log_densities(folder: Path, job: dict) -> list[float]:
    """Return the log-density that Stan gives at each point."""
    import stan

    data = json.loads((folder / job["data"]).read_text(encoding="utf-8"))
    text = (folder / job["program"]).read_text(encoding="utf-8")
    for attempt in range(TRIES):
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # how far it has come
                built = stan.build(text, data=data)
            break
        except Exception:
            # PyStan gives Stan's translator one second, which a busy machine may not have.
            if attempt == TRIES - 1:
                raise
    return [float(built.log_prob(point)) for point in job["points"]]


def main() -> int:
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    rows = []
    for job in json.loads((folder / "jobs.json").read_text(encoding="utf-8")):
        if names and job["name"] not in names:
            continue
        try:
            found = log_densities(folder, job)
            largest = max(difference(a, b) for a, b in zip(found, job["expected"], strict=True))
            word = f"{largest:.1e}"
        except Exception as error:  # a program that fails is a line of the table
            largest, word = math.inf, str(error).strip().splitlines()[0][:60]
        rows.append((job["name"], word, "" if largest <= TOLERANCE else "differs"))
        print(f"{rows[-1][0]:<60} {rows[-1][1]:<12} {rows[-1][2]}", flush=True)
    differ = sum(bool(row[2]) for row in rows)
    print(f"{len(rows)} programs, {differ} differ.")
    return int(differ > 0 or not rows)


if __name__ == "__main__":
    sys.exit(main())
