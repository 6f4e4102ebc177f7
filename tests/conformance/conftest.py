"""PyTensor without a C compiler here: graphs that run once are not worth compiling."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_c_compiler():
    import pytensor

    with pytensor.config.change_flags(cxx=""):
        yield
