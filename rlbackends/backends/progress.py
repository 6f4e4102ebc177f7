"""How far the chains are: bars in a terminal, plain lines in a log, or nothing."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TextIO

from rlbackends.errors import SettingError

_FIRST_LINE_SECONDS = 5.0
_MOST_CHAINS_LISTED = 8
_LEAST_SHARE = 0.01  # done before an estimate of the time left means anything


class Progress:
    """Show how far the chains of a sampler are; safe to update from any thread.

    Parameters
    ----------
    label
        What is running, for example the backend's name.
    total_per_chain
        Iterations of one chain, tuning and draws together.
    chains
        Number of chains.
    mode
        ``"auto"``: one bar a chain where the stream is a terminal (and rich is installed), otherwise plain
        lines, for log files and notebooks. ``"off"``: nothing.
    stream
        Where to write; standard error by default.
    interval
        Seconds between plain lines. The first one comes after 5 seconds at the latest, and there is always
        a last one.
    clock
        A function that returns seconds, for tests.

    Examples
    --------
    >>> import sys
    >>> with Progress("demo", 100, chains=1, stream=sys.stdout, clock=lambda: 0.0) as progress:
    ...     progress.update(0, 100, phase="draw", divergences=2)
    demo · chain 1: 100/100 · 2 divergences · 0 s
    """

    def __init__(
        self,
        label: str,
        total_per_chain: int,
        chains: int,
        *,
        mode: str = "auto",
        stream: TextIO | None = None,
        interval: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if mode not in ("auto", "off"):
            raise SettingError(f"progress is {mode!r}, expected 'auto' or 'off'.")
        self._label, self._total, self._mode = label, int(total_per_chain), mode
        self._stream = sys.stderr if stream is None else stream
        self._interval, self._clock = float(interval), clock
        self._done = [0] * chains
        self._phases = [""] * chains
        self._divergences = [0] * chains
        self._started: float | None = None
        self._next_line = 0.0
        self._bars: Any = None
        self._tasks: list[Any] = []
        self._waiting: Any = None
        self._is_open = False
        self._lock = threading.RLock()

    def __enter__(self) -> Progress:
        with self._lock:
            self._is_open = True
            if self._mode != "off" and is_terminal(self._stream):
                self._bars = open_bars(self._stream)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._lock:
            if not self._is_open:
                return
            self._is_open = False
            if self._bars is not None:
                self._draw_bars()
                self._bars.stop()
            elif self._mode != "off" and self._started is not None:
                self._write(self._line(last=True, stopped=kind is not None))

    def stage(self, text: str) -> None:
        """Say what is being done before the chains start, such as compiling."""
        with self._lock:
            if self._mode == "off" or not self._is_open:
                return
            if self._bars is None:
                self._write(f"{self._label} · {text}")
                return
            if self._waiting is None:
                self._waiting = self._bars.add_task("", total=None, note="")
            self._bars.update(self._waiting, description=f"{self._label} · {text}")

    def update(self, chain: int, done: int, *, phase: str, divergences: int = 0) -> None:
        """Take note of a chain (counted from 0): iterations done, ``"tune"`` or ``"draw"``, divergences."""
        with self._lock:
            self._done[chain], self._phases[chain] = int(done), phase
            self._divergences[chain] = int(divergences)
            if self._started is None:
                self._started = self._clock()
                self._next_line = self._started + min(_FIRST_LINE_SECONDS, self._interval)
            self.tick()

    def tick(self) -> None:
        """Show what is due by now: drivers call it while they wait, so a slow chain is not a silent one."""
        with self._lock:
            if self._mode == "off" or not self._is_open or self._started is None:
                return
            if self._bars is not None:
                self._draw_bars()
            elif self._clock() >= self._next_line and sum(self._done) < self._total * len(self._done):
                self._write(self._line())
                self._next_line = self._clock() + self._interval

    def _line(self, *, last: bool = False, stopped: bool = False) -> str:
        """Return one plain line on all chains."""
        chains, done = len(self._done), sum(self._done)
        whole = self._total * chains
        if chains > _MOST_CHAINS_LISTED:
            where = f"{chains} chains: {done}/{whole}, slowest {min(self._done)}/{self._total}"
        else:
            where = ", ".join(f"chain {i}: {n}/{self._total}" for i, n in enumerate(self._done, start=1))
        elapsed = self._clock() - self._started if self._started is not None else 0.0
        when = duration(elapsed)
        if stopped:
            when = f"stopped after {when}"
        elif not last and _LEAST_SHARE * whole <= done < whole:
            when += f", about {duration(elapsed * (whole - done) / done)} left"
        return f"{self._label} · {where} · {_counted(sum(self._divergences))} · {when}"

    def _write(self, line: str) -> None:
        # A line at a time and flushed, never a carriage return: this is read in log files.
        self._stream.write(line + "\n")
        self._stream.flush()

    def _draw_bars(self) -> None:
        if self._waiting is not None and self._started is not None:
            self._bars.remove_task(self._waiting)
            self._waiting = None
        if not self._tasks and self._started is not None:
            self._tasks = [
                self._bars.add_task(f"{self._label} · chain {i + 1}", total=self._total, note="", start=False)
                for i in range(len(self._done))
            ]
        words = {"tune": "tuning", "draw": "drawing"}
        for task, done, phase, divergences in zip(
            self._tasks, self._done, self._phases, self._divergences, strict=True
        ):
            # A chain that waits for a core has no rate yet.
            if phase and not self._bars.tasks[self._bars.task_ids.index(task)].started:
                self._bars.start_task(task)
            note = f"{words.get(phase, phase)} · {_counted(divergences)}" if phase else "waiting"
            self._bars.update(task, completed=done, note=note)


def is_terminal(stream: TextIO) -> bool:
    """Say whether a stream is a terminal."""
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty())


def open_bars(stream: TextIO) -> Any:
    """Return a started rich display, or None where rich is missing or the terminal can't move its cursor."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars
    except ImportError:
        return None
    console = Console(file=stream)
    if console.is_dumb_terminal:
        return None
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    bars = Bars(*columns, console=console)
    bars.start()
    return bars


def _counted(divergences: int) -> str:
    return f"{divergences} divergence{'' if divergences == 1 else 's'}"


def duration(seconds: float) -> str:
    """Return seconds as people read them: ``35 s``, ``4 min``, ``2 h 05 min``."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"
