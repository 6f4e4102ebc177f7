"""The conformance suite, for our backends and anyone's: ``rlbackends.testing.BackendSuite``. It needs pytest."""

from rlbackends.testing.suite.gaps import Gap, never, notimpl, notyet

__all__ = ["Gap", "never", "notimpl", "notyet"]
