"""Supports: open intervals, equal by their bounds."""

import math

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from rlbackends.model.supports import Support, support_from_bounds


def test_bounds():
    assert (rl.UnitInterval().lo, rl.UnitInterval().hi) == (0.0, 1.0)
    assert (rl.Positive().lo, rl.Positive().hi) == (0.0, math.inf)
    assert (rl.RealLine().lo, rl.RealLine().hi) == (-math.inf, math.inf)
    assert (rl.Interval(-1, 2).lo, rl.Interval(-1, 2).hi) == (-1.0, 2.0)
    assert type(rl.Interval(np.int64(1), np.float32(2)).lo) is float


def test_equal_bounds_are_equal_supports():
    assert rl.Interval(0, 1) == rl.UnitInterval() and hash(rl.Interval(0, 1)) == hash(rl.UnitInterval())
    assert rl.Interval(0, 1) != rl.Interval(0, 2) and rl.UnitInterval() != rl.Positive() and rl.UnitInterval() != (0, 1)
    assert math.copysign(1.0, rl.Interval(-0.0, 1).lo) == 1.0


def test_what_lies_inside():
    assert rl.UnitInterval().contains([0, 0.5, 1, 1.1, -0.1, math.nan]).tolist() == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
    assert rl.Positive().contains([0.0, 1e300, math.inf, -1e-300]).tolist() == [True, True, False, False]
    assert rl.RealLine().contains([-1e308, math.inf, -math.inf]).tolist() == [True, False, False]
    assert bool(rl.Interval(2, 3).contains(2.5))


@pytest.mark.parametrize(
    "bounds",
    [
        (1, 0),
        (1, 1),
        (0, math.inf),
        (-math.inf, 0),
        (-math.inf, math.inf),
        (math.nan, 1),
        ("0", 1),
        (True, 2),
        (None, 1),
        (0, 1j),
        (0, 10**400),
    ],
)
def test_a_bad_interval(bounds):
    with pytest.raises(ModelError):
        rl.Interval(*bounds)


@pytest.mark.parametrize("bounds", [(1.0, math.inf), (-math.inf, 0.0)])
def test_half_lines_other_than_the_positive_are_refused(bounds):
    """A log link would ignore the bound: such a support would be silently wrong."""
    with pytest.raises(ModelError, match="Interval"):
        Support(*bounds)
    with pytest.raises(ModelError, match="finite bounds"):
        support_from_bounds(*bounds)


def test_named_supports_take_no_bounds():
    for named in (rl.UnitInterval, rl.Positive, rl.RealLine):
        with pytest.raises(TypeError):
            named(0.2, 0.5)


def test_named_supports_from_bounds():
    for support in (rl.UnitInterval(), rl.Positive(), rl.RealLine(), rl.Interval(-1, 2)):
        assert type(support_from_bounds(support.lo, support.hi)) is type(support)


@pytest.mark.parametrize(
    ("support", "words"),
    [
        (rl.UnitInterval(), "(0, 1)"),
        (rl.Positive(), "(0, inf)"),
        (rl.Interval(-0.5, 1 / 3), "(-0.5, 0.3333333333333333)"),
    ],
)
def test_in_words(support, words):
    assert str(support) == words


def test_frozen():
    with pytest.raises(AttributeError):
        rl.UnitInterval().lo = 0.5
