"""What a backend does not do, said out loud: three words, each with the exception that shows it.

A gap is strict. Where one is declared the check must fail, by exactly that exception: a check that passes after all,
or that fails otherwise, is a failure of the suite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from rlbackends.errors import did_you_mean, listed

KINDS = ("notimpl", "notyet", "never")


@dataclass(frozen=True)
class Gap:
    """A check that a backend is known to fail. Made by :func:`notimpl`, :func:`notyet` and :func:`never`.

    Attributes
    ----------
    kind : {"notimpl", "notyet", "never"}
        We could but have not; it needs something upstream first; it can't be.
    check : str
        The check's name, that of the test without ``test_``.
    name : str
        What of the check: the test's name in brackets, or a pattern such as ``"*-messy"``.
    reason : str
        Why, in a sentence.
    raises : type of exception
        Exactly what is raised.
    """

    kind: str
    check: str
    name: str
    reason: str
    raises: type[BaseException]

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"a gap is one of {listed(KINDS)}, not {self.kind!r}.{did_you_mean(self.kind, KINDS)}")
        if not isinstance(self.reason, str) or not self.reason.strip():
            raise ValueError(f"{self}: the reason is {self.reason!r}, expected a sentence.")
        if not isinstance(self.raises, type) or not issubclass(self.raises, BaseException):
            raise ValueError(f"{self}: raises is {self.raises!r}, expected a class such as NotImplementedError.")

    def __str__(self) -> str:
        return f"{self.kind}({self.check!r}, {self.name!r})"

    def covers(self, check: str, name: str) -> bool:
        """Say whether the gap is of this check on this name."""
        return self.check == check and fnmatchcase(name, self.name)

    def hold(self, assertion: Callable[..., Any], *args: Any) -> str:
        """Call an assertion that must fail as the gap says; return the reason.

        Raises
        ------
        AssertionError
            If it does not fail, or if it raises anything but exactly ``raises``.
        """
        try:
            assertion(*args)
        except Exception as error:
            if type(error) is not self.raises:
                raise AssertionError(
                    f"{self} raised {type(error).__name__} ({error}), the gap says {self.raises.__name__}"
                ) from error
            return f"{self.kind}: {self.reason}"
        raise AssertionError(f"{self} no longer fails: take the gap away")


def notimpl(check: str, name: str, *, reason: str, raises: type[BaseException]) -> Gap:
    """Return a gap that could be closed here, but has not been.

    Parameters
    ----------
    check, name : str
        As in :class:`Gap`.
    reason : str
        Why.
    raises : type of exception
        Exactly what is raised.
    """
    return Gap("notimpl", check, name, reason, raises)


def notyet(check: str, name: str, *, reason: str, raises: type[BaseException]) -> Gap:
    """Return a gap that something upstream must close; the parameters are those of :func:`notimpl`."""
    return Gap("notyet", check, name, reason, raises)


def never(check: str, name: str, *, reason: str, raises: type[BaseException]) -> Gap:
    """Return a gap that can't be closed; the parameters are those of :func:`notimpl`."""
    return Gap("never", check, name, reason, raises)


def find_gap(gaps: Iterable[Gap], check: str, name: str) -> Gap | None:
    """Return the first gap of a check on a name."""
    return next((gap for gap in gaps if gap.covers(check, name)), None)


def check_gaps(gaps: Sequence[Gap], cells: Mapping[str, Sequence[str]], where: str) -> None:
    """Raise ``ValueError`` for what is no gap, or a gap that names no check: all at once.

    Parameters
    ----------
    gaps : sequence of Gap
        What was declared.
    cells : mapping of str to sequence of str
        Check → the names that it runs on.
    where : str
        Who declared them.
    """
    faults = []
    for gap in gaps:
        if not isinstance(gap, Gap):
            faults.append(f"{gap!r} is no gap; write notimpl(...), notyet(...) or never(...).")
        elif gap.check not in cells:
            faults.append(f"{gap}: there is no check {gap.check!r}, only {listed(cells)}."
                          f"{did_you_mean(gap.check, cells)}")  # fmt: skip
        elif not any(gap.covers(gap.check, name) for name in cells[gap.check]):
            faults.append(f"{gap}: the check has no {gap.name!r}.{did_you_mean(gap.name, cells[gap.check])}")
    if faults:
        raise ValueError(f"{where}: gaps: " + " ".join(faults))
