"""The process of one sampler: ``python -m rlbackends.studies.samplers ASKED RESULT TOLD STARTED``."""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from pathlib import Path

from rlbackends.studies.job import pickler
from rlbackends.studies.samplers.measure import measured_fit


def main(asked: str, result: str, told: str, started: str) -> int:
    """Fit what a file asks for and save it; what is raised is left in another file."""
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    try:
        setup, entry = pickler().loads(Path(asked).read_bytes())
        measured_fit(setup, entry, float(started)).save(result)
    except Exception as error:
        said = {"error": type(error).__name__, "message": str(error), "traceback": traceback.format_exc()}
        Path(told).write_text(json.dumps(said), encoding="utf-8")
        return 1
    return 0


def _leave_with_parent() -> None:
    """End this process when the one that started it has ended, however it did: its end of the pipe closes."""
    while os.read(0, 1024):  # not sys.stdin, whose lock Python would wait for at its end
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
