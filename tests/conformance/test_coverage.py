"""The suite's coverage may only grow: what was covered stays so, and what is new is written down."""

import copy

import pytest

from rlbackends.testing import BackendSuite, notyet
from tests.conformance.coverage import COMMAND, FILE, from_text, gained, lost, suites, table_of, to_text


@pytest.fixture(scope="module")
def now():
    return table_of(suites())


@pytest.fixture(scope="module")
def before():
    return from_text(FILE.read_text(encoding="utf-8"))


def test_nothing_that_was_covered_is_lost(before, now):
    assert not lost(before, now), f"if that is meant, say so by {COMMAND}"


def test_what_is_new_is_written_down(before, now):
    assert not gained(before, now), f"write it down: {COMMAND}"


def test_every_backend_of_the_package_is_there(now):
    assert set(now) == {"reference", "numpyro", "pymc"}


def test_a_test_that_goes_away_is_named(now):
    less = copy.deepcopy(now)
    del less["pymc"]["operation"]["max"]
    assert lost(now, less) == ["pymc × operation × max was covered, now it is not there"]
    assert gained(less, now) == ["pymc × operation × max is covered"]
    assert not gained(now, less)


def test_a_gap_that_is_declared_is_named(now):
    class TestPyMC(BackendSuite):
        backend = "pymc"
        gaps = (notyet("operation", "ndtri", reason="to see it", raises=NotImplementedError),)

    table = {**now, **table_of([TestPyMC])}
    assert lost(now, table) == ["pymc × operation × ndtri was covered, now it is notyet"]
    assert gained(now, table) == ["pymc × operation × ndtri is notyet"]


def test_the_file_is_read_as_it_was_written(now):
    assert from_text(to_text(now)) == now
