"""A plain line now and then on how far a long estimation is."""

from __future__ import annotations

import sys
import time

from rlbackends.backends.progress import duration
from rlbackends.errors import SettingError

_FIRST_SECONDS, _EVERY_SECONDS = 5.0, 30.0


class Teller:
    """Writes a line to standard error every 30 seconds, the first after 5; nothing if ``mode`` is ``"off"``."""

    def __init__(self, label: str, mode: str) -> None:
        if mode not in ("auto", "off"):
            raise SettingError(f"estimate: progress is {mode!r}, expected 'auto' or 'off'.")
        self._label, self._mode = label, mode
        self._started = time.monotonic()
        self._next = self._started + _FIRST_SECONDS

    def __call__(self, text: str) -> None:
        now = time.monotonic()
        if self._mode == "off" or now < self._next:
            return
        self._next = now + _EVERY_SECONDS
        print(f"{self._label} · {text} · {duration(now - self._started)}", file=sys.stderr, flush=True)

    def report(self, text: str) -> None:
        """Write a line at once."""
        if self._mode != "off":
            print(text, file=sys.stderr, flush=True)
