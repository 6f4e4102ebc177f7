"""The errors of rlbackends, and the words that they share."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RLBackendsError(Exception):
    """Base of every error that this package raises on purpose."""


class ModelError(RLBackendsError, ValueError):
    """A model, or one of its rules, does not say something that can be computed."""


class DataError(RLBackendsError, ValueError):
    """A table of trials can't be read, or does not fit the model."""


class ParameterError(RLBackendsError, ValueError):
    """Parameter values have the wrong names, shape or range."""


class BackendError(RLBackendsError, RuntimeError):
    """A backend can't do what was asked, or disagrees with the reference."""


class BackendMissingError(RLBackendsError, ImportError):
    """A backend's packages are not installed."""


class SettingError(RLBackendsError, ValueError):
    """A setting of a fit can't be used: an unknown sampler, a bad number, a folder that can't be written."""


def did_you_mean(name: str, options: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the option spelled nearest to ``name``, or an empty string."""
    near = difflib.get_close_matches(str(name), [str(option) for option in options], n=1, cutoff=0.5)
    return f" Did you mean '{near[0]}'?" if near else ""


def listed(names: Iterable[object]) -> str:
    """Return names as a quoted English list: ``'a', 'b' and 'c'``."""
    words = [f"'{name}'" for name in names]
    if len(words) < 2:
        return words[0] if words else "none"
    return f"{', '.join(words[:-1])} and {words[-1]}"
