"""How far a study is: one bar in a terminal, plain lines in a log, or nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

# The same words and the same bars as those of a fit.
from rlbackends.backends.progress import duration, is_terminal, open_bars
from rlbackends.errors import SettingError


class StudyProgress:
    """Show how many jobs are done, and about how long the rest will take.

    Parameters
    ----------
    label
        What is running.
    total
        Number of jobs.
    found
        How many of them were done before.
    mode
        ``"auto"`` or ``"off"``.
    stream, interval, clock
        As for a fit's progress: standard error, seconds between plain lines, and a function that returns seconds.
    """

    def __init__(
        self,
        label: str,
        total: int,
        found: int,
        *,
        mode: str = "auto",
        stream: TextIO | None = None,
        interval: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if mode not in ("auto", "off"):
            raise SettingError(f"progress is {mode!r}, expected 'auto' or 'off'.")
        self._label, self._total, self._found, self._mode = label, total, found, mode
        self._stream = sys.stderr if stream is None else stream
        self._interval, self._clock = interval, clock
        self._started = clock()
        self._next_line = self._started + interval
        self._ended = self._failed = self._waiting = 0
        self._bars: Any = None
        self._task: Any = None

    def __enter__(self) -> StudyProgress:
        if self._mode == "off":
            return self
        if is_terminal(self._stream):
            self._bars = open_bars(self._stream)
        if self._bars is not None:
            self._task = self._bars.add_task(self._label, total=self._total, completed=self._found, note="")
        elif self._found:
            self._write(f"{self._label} · {self._found}/{self._total} were done before")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._bars is not None:
            self._draw()
            self._bars.stop()
        elif self._mode != "off":
            self._write(self._line(last=True, stopped=kind is not None))

    def update(self, ended: int, failed: int, waiting: int) -> None:
        """Take note of the jobs of this run that ended, those among them that failed, and those done elsewhere."""
        self._ended, self._failed, self._waiting = ended, failed, waiting
        if self._bars is not None:
            self._draw()
        elif self._mode != "off" and self._clock() >= self._next_line:
            self._write(self._line())
            self._next_line = self._clock() + self._interval

    def _line(self, *, last: bool = False, stopped: bool = False) -> str:
        done = self._found + self._ended
        elapsed = self._clock() - self._started
        when = duration(elapsed)
        if stopped:
            when = f"stopped after {when}"
        elif not last and self._ended:
            when += f", about {duration(elapsed * (self._total - done) / self._ended)} left"
        return " · ".join([self._label, f"{done}/{self._total}", *self._notes(), when])

    def _notes(self) -> list[str]:
        notes = [f"{self._failed} failed"] if self._failed else []
        # Of a killed run, or on a worker that the scheduler has lost sight of.
        return notes + ([f"waiting for {self._waiting} that another process computes"] if self._waiting else [])

    def _draw(self) -> None:
        self._bars.update(self._task, completed=self._found + self._ended, note=" · ".join(self._notes()))

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()
