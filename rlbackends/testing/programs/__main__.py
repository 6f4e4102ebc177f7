"""``python -m rlbackends.testing.programs``: thousands of random programs; it may be stopped and started again."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from rlbackends.testing.programs.campaign import Campaign, Settings

_A_PROCESS = 300  # programs; then it starts anew, because compilers keep some of what they made


def main() -> int:
    """Run what is left of a folder's programs, or report on it; 1 if a program failed."""
    parser = argparse.ArgumentParser(prog="python -m rlbackends.testing.programs", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where finished programs are written down")
    parser.add_argument("--count", type=int, default=1000, help="programs 0 to COUNT - 1 (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another one gives other programs")
    parser.add_argument("--backends", default="numpyro,pymc", help="names with commas (default %(default)s)")
    parser.add_argument("--numba-share", type=float, default=0.01, help="share that PyTensor compiles with Numba")
    parser.add_argument("--small-share", type=float, default=0.0, help="share with one state and short rules")
    parser.add_argument("--report", action="store_true", help="say what was found so far, and run nothing")
    given = parser.parse_args()
    backends = tuple(name for name in given.backends.split(",") if name)
    settings = Settings(given.count, given.seed, backends, given.numba_share, small_share=given.small_share)
    campaign = Campaign(given.folder, settings)
    if not given.report:
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        if campaign.run(_A_PROCESS):
            sys.stdout.flush()
            os.execv(sys.executable, [sys.executable, "-m", "rlbackends.testing.programs", *sys.argv[1:]])
    print(campaign.report())
    return int(any(row["outcome"] in ("differs", "error") for row in campaign.rows()))


if __name__ == "__main__":
    sys.exit(main())
