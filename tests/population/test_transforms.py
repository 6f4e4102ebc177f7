"""From the unconstrained line to where a prior lives and back, with the Jacobian."""

import math

import numpy as np
import pytest

from rlbackends.population.transforms import constrain, jacobian, log_jacobian, unconstrain

BOUNDS = [(-math.inf, math.inf), (0.0, math.inf), (0.0, 1.0), (-2.0, 5.0)]
Z = np.array([-30.0, -3.0, -0.5, 0.0, 0.7, 4.0])


@pytest.mark.parametrize("bounds", BOUNDS)
def test_values_lie_inside(bounds):
    x = constrain(Z, bounds)
    assert np.all(x >= bounds[0]) and np.all(x <= bounds[1])
    assert np.all(np.diff(x) > 0)


@pytest.mark.parametrize("bounds", BOUNDS)
def test_there_and_back(bounds):
    inner = Z[1:]
    np.testing.assert_allclose(unconstrain(constrain(inner, bounds), bounds), inner, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("bounds", BOUNDS)
def test_the_jacobian_is_the_slope(bounds):
    step = 1e-3
    for z in Z[1:]:
        weights = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}
        slope = sum(
            w * (constrain(z + k * step, bounds) - constrain(z - k * step, bounds)) / step for k, w in weights.items()
        )
        assert jacobian(z, bounds) == pytest.approx(slope, rel=1e-10)
        assert log_jacobian(z, bounds) == pytest.approx(math.log(slope), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("bounds", BOUNDS)
def test_far_out_the_jacobian_is_finite(bounds):
    assert np.all(np.isfinite(log_jacobian(np.array([-700.0, 700.0]), bounds)))


@pytest.mark.parametrize("bounds", BOUNDS)
def test_shapes(bounds):
    z = np.zeros((2, 3))
    for function in (constrain, unconstrain, jacobian, log_jacobian):
        start = constrain(z, bounds) if function is unconstrain else z
        assert np.shape(function(start, bounds)) == (2, 3)
