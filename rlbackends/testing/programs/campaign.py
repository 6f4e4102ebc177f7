"""Many numbered programs, one after the other: what is done is written down, so that it can be stopped at any time."""

from __future__ import annotations

import gc
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlbackends.expressions.operations import OPERATIONS
from rlbackends.testing.programs.choices import Choices, shrink
from rlbackends.testing.programs.draw import draw_program
from rlbackends.testing.programs.judging import Coverage, Verdict, judge
from rlbackends.testing.programs.program import Program

_ATTEMPTS = 60  # at making a failing program smaller


@dataclass(frozen=True)
class Settings:
    """What a folder of programs is about.

    Attributes
    ----------
    count : int
        Programs 0 to ``count - 1``.
    seed : int
        Another one gives other programs.
    backends : tuple of str
        Which backends.
    numba_share : float
        Share of the programs, small ones, that PyTensor compiles with Numba instead.
    full_share : float
        Share of the programs of which each quantity is compiled by itself.
    small_share : float
        Share of the programs that have one state and one response, with short rules.
    """

    count: int
    seed: int = 0
    backends: tuple[str, ...] = ("numpyro", "pymc")
    numba_share: float = 0.01
    full_share: float = 0.1
    small_share: float = 0.0


def numbered_program(number: int, settings: Settings) -> tuple[Program, bool, bool]:
    """Return a program by its number, whether each quantity is compiled by itself, and whether it is small."""
    choose = Choices.numbered(number, settings.seed)
    share = Choices.numbered(number, settings.seed + 1).below(10_000) / 10_000
    is_numba = share < settings.numba_share and "pymc" in settings.backends
    tiny = is_numba or Choices.numbered(number, settings.seed + 2).below(10_000) / 10_000 < settings.small_share
    program = draw_program(choose, f"program_{number}", tiny=tiny, mode="NUMBA" if is_numba else "FAST_COMPILE")
    return program, not is_numba and share > 1 - settings.full_share, tiny


class Campaign:
    """A folder in which finished programs are written down.

    Parameters
    ----------
    folder : Path
        Holds ``log.jsonl``, a line a finished program, and ``failures/``, a file a program that failed.
    settings : Settings
        Which programs, on which backends.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings
        self.log = folder / "log.jsonl"
        self.running = folder / "running"
        (folder / "failures").mkdir(parents=True, exist_ok=True)
        self._mend()

    def _mend(self) -> None:
        """Cut off half a line that a killed process left."""
        if self.log.exists():
            text = self.log.read_bytes()
            if text and not text.endswith(b"\n"):
                with self.log.open("r+b") as file:
                    file.truncate(text.rfind(b"\n") + 1)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield what was written down of each finished program."""
        if self.log.exists():
            with self.log.open(encoding="utf-8") as file:
                yield from map(json.loads, file)

    def left(self) -> list[int]:
        """Return the numbers of the programs that are still to be run."""
        done = {row["number"] for row in self.rows() if row["seed"] == self.settings.seed}
        return [number for number in range(self.settings.count) if number not in done]

    def run(self, at_most: int, say_every: float = 60.0) -> int:
        """Run programs that are left; return how many there still are.

        Parameters
        ----------
        at_most : int
            How many to run.
        say_every : float
            Seconds between lines that say how far it is.
        """
        left = self.left()
        started = said = time.monotonic()
        gc.collect()
        gc.freeze()  # compilers make so many objects that looking through the libraries' own costs a tenth of the time
        for done, number in enumerate(left[:at_most]):
            if time.monotonic() - said > say_every:
                said = time.monotonic()
                each, count = (said - started) / done, self.settings.count
                hours = each * (len(left) - done) / 3600
                print(f"{count - len(left) + done} of {count} programs, {each:.2f} s each, about {hours:.1f} h left",
                      flush=True)  # fmt: skip
            self.one(number)
        return max(0, len(left) - at_most)

    def one(self, number: int) -> Verdict:
        """Run a program and write down what came of it."""
        start = time.monotonic()
        verdict = self._died_twice(number)
        if verdict is None:
            program, full, tiny = numbered_program(number, self.settings)
            verdict = judge(program, self.settings.backends, full=full)
            if verdict.is_fault:
                self._keep(number, program, verdict, full, tiny)
        row = {
            "number": number, "seed": self.settings.seed, "outcome": verdict.outcome,
            "seconds": round(time.monotonic() - start, 3), "families": verdict.families,
            "operations": verdict.operations,
        }  # fmt: skip
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.running.unlink(missing_ok=True)
        return verdict

    def _died_twice(self, number: int) -> Verdict | None:
        """Note that a program runs; one during which the process ended before, twice, is not tried again."""
        times = 0
        if self.running.exists():
            before, count = (int(word) for word in self.running.read_text().split())
            times = count if before == number else 0
        self.running.write_text(f"{number} {times + 1}")
        if times < 2:
            return None
        verdict = Verdict("error", f"The process died twice while it ran program {number}.")
        (self.folder / "failures" / f"{number}.py").write_text(f"# {verdict.text}\n", encoding="utf-8")
        return verdict

    def _keep(self, number: int, program: Program, verdict: Verdict, full: bool, tiny: bool) -> None:
        """Write a failure's source, as it is and made smaller."""
        path = self.folder / "failures" / f"{number}.py"
        path.write_text(program.source(verdict.text), encoding="utf-8")
        mode = program.settings["pymc"]["mode"]

        def again(made: Sequence[int]) -> tuple[Program, Verdict] | None:
            try:
                smaller = draw_program(Choices.replayed(made), program.name, tiny=tiny, mode=mode)
            except Exception:  # these decisions make no program
                return None
            return smaller, judge(smaller, self.settings.backends, full=full)

        def still_fails(made: list[int]) -> bool:
            found = again(made)
            return found is not None and found[1].outcome == verdict.outcome

        found = again(shrink(program.made, still_fails, _ATTEMPTS))
        if found is not None and found[1].outcome == verdict.outcome:
            path.with_suffix(".small.py").write_text(found[0].source(found[1].text), encoding="utf-8")

    def report(self) -> str:
        """Return how many programs ran, what they used and what came of them."""
        coverage, seconds, failed = Coverage(), 0.0, []
        for row in self.rows():
            coverage.add(row["outcome"], row["operations"], row["families"])
            seconds += row["seconds"]
            if row["outcome"] in ("differs", "error"):
                failed.append(row["number"])
        ran = coverage.outcomes.total()
        lines = [f"{ran} programs on {', '.join(self.settings.backends)}, {seconds / max(1, ran):.2f} s each"]
        for outcome in ("agrees", "ill-conditioned", "differs", "error"):
            lines.append(f"  {outcome:16} {coverage.outcomes[outcome]}")
        lines.append("  programs with a response of " + _counts(coverage.families))
        lines.append("  programs with the operation " + _counts(coverage.operations))
        absent = sorted(set(OPERATIONS) - set(coverage.operations))
        if absent:
            lines.append(f"  no program had {', '.join(absent)}")
        if failed:
            lines.append(f"  failures, in {self.folder / 'failures'}: {', '.join(map(str, failed))}")
        return "\n".join(lines)


def _counts(counter: Any) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items()))
