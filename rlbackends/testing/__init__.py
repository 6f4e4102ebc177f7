"""Checks of backends and models, for ours and for anyone's.

The conformance suite, `BackendSuite`, is imported when it is asked for, since it needs pytest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rlbackends.testing.agreement import assert_backends_agree
from rlbackends.testing.assertions import assert_close
from rlbackends.testing.tolerances import TOLERANCES, Difference, largest_difference

if TYPE_CHECKING:
    from rlbackends.testing.suite.gaps import Gap as Gap
    from rlbackends.testing.suite.gaps import never as never
    from rlbackends.testing.suite.gaps import notimpl as notimpl
    from rlbackends.testing.suite.gaps import notyet as notyet
    from rlbackends.testing.suite.suite import BackendSuite as BackendSuite

_LATER = {
    "BackendSuite": "rlbackends.testing.suite.suite",
    **dict.fromkeys(["Gap", "never", "notimpl", "notyet"], "rlbackends.testing.suite.gaps"),
}

__all__ = [
    "TOLERANCES", "BackendSuite", "Difference", "Gap", "assert_backends_agree", "assert_close", "largest_difference",
    "never", "notimpl", "notyet",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        from rlbackends.errors import did_you_mean

        raise AttributeError(f"rlbackends.testing has no '{name}'.{did_you_mean(name, __all__)}")
    import importlib
    import importlib.util

    if name == "BackendSuite" and importlib.util.find_spec("pytest") is None:
        from rlbackends.errors import BackendMissingError

        raise BackendMissingError("BackendSuite needs 'pytest', not installed here. Install it: pip install pytest")
    return getattr(importlib.import_module(_LATER[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
