"""Links as curves: values, slopes, edges, and priors with their Jacobians."""

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.inference.estimates.scale import CURVES, Axis
from rlbackends.population.links import LINKS, family

SUPPORTS = [rl.UnitInterval(), rl.Interval(-2.0, 5.0), rl.Positive(), rl.RealLine()]
PAIRS = [(link, s) for link, (kind, _) in LINKS.items() for s in SUPPORTS if family(s) == kind]
Z = np.linspace(-3.0, 3.0, 13)


def test_every_link_has_its_curve():
    assert set(CURVES) == set(LINKS)


@pytest.mark.parametrize(("link", "support"), PAIRS, ids=str)
def test_slopes_are_those_of_the_values(link, support):
    axis, step = Axis("x", link, support, None), 1e-6
    assert np.allclose(axis.slope(Z), (axis.natural(Z + step) - axis.natural(Z - step)) / (2 * step), rtol=1e-8)
    log_slope, bend = CURVES[link].log_slope, CURVES[link].bend
    assert np.allclose(bend(Z), (log_slope(Z + step) - log_slope(Z - step)) / (2 * step), atol=1e-8)
    assert np.allclose(axis.linked(axis.natural(Z)), Z)


@pytest.mark.parametrize(("link", "support"), PAIRS, ids=str)
def test_edges_are_inside_the_support_and_finite_on_the_link_scale(link, support):
    lower, upper = Axis("x", link, support, None).edges
    assert np.isfinite([lower, upper]).all() and lower < -5 and upper > 5
    assert support.contains(Axis("x", link, support, None).natural(np.array([lower, upper]))).all()


@pytest.mark.parametrize(
    ("link", "support", "prior"),
    [
        ("probit", rl.UnitInterval(), None),
        ("probit", rl.UnitInterval(), rl.priors.Beta(1.2, 3.0)),
        ("logit", rl.Interval(-2.0, 5.0), rl.priors.Uniform(-2.0, 5.0)),
        ("log", rl.Positive(), rl.priors.Gamma(2.0, 0.5)),
        ("softplus", rl.Positive(), rl.priors.Exponential(0.7)),
        ("identity", rl.RealLine(), rl.priors.StudentT(5.0, 1.0, 2.0)),
    ],
    ids=str,
)
def test_priors_are_densities_on_the_link_scale(link, support, prior):
    axis = Axis("x", link, support, prior)
    grid = np.linspace(-60.0, 60.0, 120_001)
    value, _ = axis.log_prior(np.clip(grid, *axis.edges))
    inside = (grid > axis.edges[0]) & (grid < axis.edges[1])
    total = np.trapezoid(np.where(inside, np.exp(value), 0.0), grid)
    assert abs(total - 1) < 1e-4
    _, slope = axis.log_prior(Z)
    up, down = axis.log_prior(Z + 1e-6)[0], axis.log_prior(Z - 1e-6)[0]
    assert np.allclose(slope, (up - down) / 2e-6, atol=1e-7)
    drawn = axis.draw(np.random.default_rng(0), (4000,))
    # Four standard errors of a share.
    assert abs((drawn < 0.3).mean() - np.trapezoid(np.where(inside & (grid < 0.3), np.exp(value), 0), grid)) < 0.032
