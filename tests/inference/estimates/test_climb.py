"""The searches: known maxima, edges, holes without a value, and many at once."""

import numpy as np
import pytest

from rlbackends.inference.estimates.climb import climb
from rlbackends.inference.estimates.objective import curvature

NO_EDGES = (np.full(2, -np.inf), np.full(2, np.inf))


def banana(z, _):
    """Minus Rosenbrock's function: its maximum is 0, at (1, 1), at the end of a bent ridge."""
    x, y = z[..., 0], z[..., 1]
    value = -((1 - x) ** 2) - 100 * (y - x**2) ** 2
    return value, np.stack([2 * (1 - x) + 400 * x * (y - x**2), -200 * (y - x**2)], axis=-1)


def bowl(z, _):
    return -0.5 * (z**2).sum(axis=-1) + z.sum(axis=-1), 1 - z


def starts(count, seed=0):
    return np.random.default_rng(seed).normal(0.0, 2.0, (count, 3, 2))


def test_a_bent_ridge_is_climbed_from_everywhere():
    found = climb(banana, starts(20), NO_EDGES)
    assert found.converged.all()
    assert np.abs(found.z - 1).max() < 1e-5
    assert np.abs(curvature(banana, found.z) - [[802.0, -400.0], [-400.0, 200.0]]).max() < 1e-2


def test_searches_are_the_same_alone_and_together():
    together = climb(banana, starts(5), NO_EDGES)
    alone = [climb(banana, starts(5)[i : i + 1], NO_EDGES).z for i in range(5)]
    assert np.abs(np.concatenate(alone) - together.z).max() == 0


def test_searches_stop_at_edges():
    edges = (np.array([-3.0, -3.0]), np.array([0.5, 3.0]))
    found = climb(bowl, starts(6), edges)
    assert found.converged.all() and np.allclose(found.z, [0.5, 1.0])


@pytest.mark.parametrize("hole", [np.nan, -np.inf, np.inf])
def test_holes_are_walked_around(hole):
    def with_hole(z, _):
        value, gradient = bowl(z, _)
        inside = (z > 2.0).any(axis=-1)
        return np.where(inside, hole, value), np.where(inside[..., None], np.nan, gradient)

    found = climb(with_hole, starts(10), NO_EDGES)
    assert found.converged.all() and np.allclose(found.z, 1.0)


def test_a_search_that_finds_no_value_says_so():
    def nothing(z, _):
        return np.full(z.shape[:-1], np.nan), np.full(z.shape, np.nan)

    found = climb(nothing, starts(2), NO_EDGES)
    assert not found.converged.any() and np.isneginf(found.value).all()


def test_a_flat_place_is_an_end():
    found = climb(lambda z, _: (np.zeros(z.shape[:-1]), np.zeros(z.shape)), starts(2), NO_EDGES)
    assert found.converged.all() and (found.z == starts(2)).all()


def test_too_few_rounds_are_not_convergence():
    assert not climb(banana, starts(4), NO_EDGES, rounds=3).converged.any()


def test_each_point_comes_with_the_number_of_its_search():
    def shifted(z, searches):
        centre = searches[..., None].astype(float)
        return -0.5 * ((z - centre) ** 2).sum(axis=-1), centre - z

    found = climb(shifted, starts(7), NO_EDGES)
    assert np.allclose(found.z, np.arange(7)[:, None, None])
