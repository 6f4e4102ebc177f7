"""Run exported programs where there is no rlbackends: ``python run.py TARGET JOBS.json FOUND.json``.

``JOBS.json`` is a list of ``{"name", "program", "data", "points", "words"}``: two paths; unconstrained values of the
latent variables, by name; what the program calls them. ``TARGET_runner.py``, beside this file, has a function
``densities(program, data, points, words)`` that returns the log-density at each point.
"""

import importlib
import json
import sys
import traceback

sys.modules["rlbackends"] = None  # from here on its import fails


def main(target, jobs_path, found_path):
    densities = importlib.import_module(f"{target}_runner").densities
    with open(jobs_path) as file:
        jobs = json.load(file)
    found = {}
    for job in jobs:
        try:
            values = densities(job["program"], job["data"], job["points"], job["words"])
            found[job["name"]] = [float(value) for value in values]
        except Exception:
            found[job["name"]] = traceback.format_exc()
    with open(found_path, "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
