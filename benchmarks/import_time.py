"""How long `import rlbackends` takes, beside `import numpy`: the fastest of several fresh processes each.

Run as ``python benchmarks/import_time.py [REPEATS]`` from the repository's root.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
CLOCK = "from time import perf_counter as t; a = t(); import {module}; print(t() - a)"


def seconds(module: str) -> float:
    """Return what one import takes in one fresh process, without the interpreter's own start."""
    command = [sys.executable, "-c", CLOCK.format(module=module)]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def main(repeats: int = 7) -> None:
    """Measure both imports in turns, so that a busy moment of the machine hits both, and print the result."""
    modules = ("numpy", "rlbackends")
    for module in modules:
        seconds(module)  # writes the byte code and warms the disk cache
    times = {module: [] for module in modules}
    for _ in range(repeats):
        for module in modules:
            times[module].append(seconds(module))
    base, ours = (min(times[module]) for module in modules)
    print(f"fastest of {repeats} fresh processes each")
    print(f"import numpy       {base:7.3f} s")
    print(f"import rlbackends  {ours:7.3f} s")
    print(f"difference         {ours - base:7.3f} s")
    print(f"ratio              {ours / base:7.2f}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
