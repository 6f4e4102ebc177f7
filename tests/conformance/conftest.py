"""What the suite runs by default; PyTensor without a C compiler, for graphs that run once are not worth compiling."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlbackends.testing.suite.suite import first_of_each_model

_BY_CASE = {
    "test_slope", "test_finite_at_limits", "test_limits", "test_varying_parameters", "test_trajectories",
    "test_log_likelihood", "test_gradient",
}  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a model's further settings the default run sees messy data only; the rest is slow."""
    first = set(first_of_each_model())
    for item in items:
        if item.path.parent != Path(__file__).parent or getattr(item, "originalname", "") not in _BY_CASE:
            continue
        given = item.callspec.params
        if given["case"] not in first and given.get("data") != "messy":
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def no_c_compiler():
    import pytensor

    with pytensor.config.change_flags(cxx=""):
        yield
