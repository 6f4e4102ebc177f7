"""Do the tests raise an alarm as often as they say, and do they see what they should?

The rates are of autocorrelated chains of which all is known. Each test here has a fixed seed; with another one it would
fail in less than one of a thousand cases.
"""

import numpy as np
import pytest
import xarray as xr

from rlbackends.studies.samplers.agreement import (
    Draws,
    compare_draws,
    effective,
    pooled_quantiles,
    quantities,
    threshold,
)
from rlbackends.studies.samplers.measure import density_statistics, e_bfmi, is_of_density

NAMES = ("a", "b", "c", "d", "e")


def autoregressive(rng, phi, chains=4, draws=500, count=5):
    """Return stationary AR(1) chains with mean 0 and variance 1."""
    noise = rng.normal(size=(draws, chains, count))
    values = np.empty_like(noise)
    values[0] = noise[0]
    for i in range(1, draws):
        values[i] = phi * values[i - 1] + np.sqrt(1 - phi**2) * noise[i]
    return values.swapaxes(0, 1)


def compared(rng, phi, other, rate, shift=0.0, scale=1.0):
    one = Draws(NAMES, shift + scale * autoregressive(rng, phi))
    return compare_draws(one, Draws(NAMES, autoregressive(rng, other)), rate)


@pytest.mark.parametrize(("phi", "other"), [(0.0, 0.0), (0.8, 0.5), (-0.4, 0.8)])
def test_right_samplers_are_told_apart_as_rarely_as_is_said(phi, other):
    rng, repeats = np.random.default_rng(1), 40
    found = [compared(rng, phi, other, 0.2) for _ in range(repeats)]
    means = sum(not one.means.holds for one in found)
    shares = sum(not one.shares.holds for one in found)
    # Of 40 at a rate of 0.1, more than 11 are seen once in 2,600 times. Shares of a quantity hang together, so their
    # alarms are rarer.
    assert means <= 11 and shares <= 11
    assert np.median([one.means.z for one in found]) == pytest.approx(found[0].means.expected, abs=0.4)


def test_the_same_chains_would_be_told_apart_if_draws_counted_for_independent():
    rng = np.random.default_rng(2)
    z = []
    for _ in range(20):
        one, other = autoregressive(rng, 0.8), autoregressive(rng, 0.8)
        error = np.sqrt(1 / one[..., 0].size + 1 / other[..., 0].size)
        z.append(np.abs(one.mean(axis=(0, 1)) - other.mean(axis=(0, 1))).max() / error)
    assert np.mean(np.array(z) > threshold(5, 0.01)) > 0.4


@pytest.mark.parametrize(
    ("changes", "kind"),
    [({"shift": 0.25}, "means"), ({"scale": 0.85}, "shares"), ({"scale": 1.2}, "shares")],
)
def test_an_error_of_known_size_is_seen(changes, kind):
    rng = np.random.default_rng(3)
    for _ in range(5):
        found = compared(rng, 0.3, 0.3, 0.01, **changes)
        assert not getattr(found, kind).holds and not found.agrees
        assert found.mean_sds == pytest.approx(changes.get("shift", 0.0), abs=0.15)
        assert found.sd_low <= changes.get("scale", 1.0) * 1.05 and found.sd_high >= changes.get("scale", 1.0) * 0.95


def test_one_quantity_of_many_is_named():
    rng = np.random.default_rng(4)
    one = autoregressive(rng, 0.3)
    one[..., 2] += 0.5
    found = compare_draws(Draws(NAMES, one), Draws(NAMES, autoregressive(rng, 0.3)), 0.01)
    assert found.means.where == found.mean_where == "c"
    assert found.shares.where.startswith("c at its ")


def test_thresholds_are_those_of_the_largest_of_independent_normals():
    assert threshold(1, 0.05) == pytest.approx(1.959964, abs=1e-6)
    # P(both below t) = 0.95 where P(one below t) = √0.95
    assert threshold(2, 0.05) == pytest.approx(2.236477, abs=1e-6)
    largest = np.abs(np.random.default_rng(5).normal(size=(20_000, 40))).max(axis=1)
    assert np.mean(largest > threshold(40, 0.01)) == pytest.approx(0.01, abs=0.003)


def test_both_samplers_weigh_the_same_in_the_pooled_quantiles():
    one, other = Draws(("a",), np.zeros((1, 10, 1))), Draws(("a",), np.arange(1.0, 101.0).reshape(1, 100, 1))
    points = pooled_quantiles(one, other)[:, 0]
    # Half of the mixture is at 0; the 75 % point is the middle of 1 to 100.
    np.testing.assert_array_equal(points[:3], 0.0)
    assert points[4] == pytest.approx(50, abs=1) and points[6] == pytest.approx(90, abs=1)


def test_effective_sizes_of_known_chains():
    rng = np.random.default_rng(6)
    # An AR(1) chain's draws are worth (1 − φ) / (1 + φ) of independent ones.
    assert effective(autoregressive(rng, 0.5, draws=4000))[0] == pytest.approx(16_000 / 3, rel=0.15)
    assert np.isnan(effective(np.ones((2, 100, 1))))


def test_quantities_are_the_groups_and_the_subjects_each_once():
    rng = np.random.default_rng(7)
    location, shared = rng.normal(size=(2, 50)), rng.normal(size=(2, 50))
    posterior = xr.Dataset(
        {
            "alpha_location": (("chain", "draw"), location), "alpha_sd": (("chain", "draw"), np.abs(location)),
            "alpha_offset": (("chain", "draw", "subject"), rng.normal(size=(2, 50, 2))),
            "alpha_group": (("chain", "draw"), location),
            "alpha": (("chain", "draw", "subject"), rng.normal(size=(2, 50, 2))),
            "beta": (("chain", "draw", "subject"), np.repeat(shared[..., None], 2, axis=2)),
            "lapse": (("chain", "draw", "subject"), np.full((2, 50, 2), 0.02)),
        },
        coords={"subject": ["ann", "bob"]},
    )  # fmt: skip
    latents = {"alpha_location": False, "alpha_sd": False, "alpha_offset": True}
    found = quantities(posterior, latents, ["alpha", "beta", "lapse"])
    assert found.names == ("alpha_location", "alpha_sd", "alpha[ann]", "alpha[bob]", "beta[ann]")
    np.testing.assert_array_equal(found.values[..., 4], shared)


# Against the density


def of_normal(rng, phi, shift=0.0, scale=1.0):
    """Return what the density of independent standard normals says of chains."""
    z = shift + scale * autoregressive(rng, phi, draws=150)
    return density_statistics(z, -z, z.mean(axis=1), list(NAMES))


def test_the_density_speaks_against_right_draws_as_rarely_as_is_said():
    rng = np.random.default_rng(8)
    alarms = sum(not is_of_density(of_normal(rng, phi), 0.1) for phi in (0.0, 0.5) for _ in range(40))
    assert alarms <= 18  # of 80 at a rate of 0.1: more are seen once in 3,500 times


def test_the_density_speaks_against_wrong_draws():
    rng = np.random.default_rng(9)
    narrow = [of_normal(rng, 0.3, scale=0.8) for _ in range(5)]
    assert np.mean([one["width"] for one in narrow]) == pytest.approx(0.64, abs=0.04)
    assert not any(is_of_density(one, 0.01) for one in narrow)
    shifted = [of_normal(rng, 0.3, shift=0.5) for _ in range(5)]
    assert np.mean([one["width"] for one in shifted]) == pytest.approx(1.0, abs=0.1)
    assert not any(is_of_density(one, 0.01) for one in shifted)
    assert is_of_density(None, 0.01) is None


def test_e_bfmi_by_hand():
    # Steps 1, 2, −3: mean square 14/3. Values 0, 1, 3, 0: variance (1 + 0 + 4 + 1) / 3 = 2.
    assert e_bfmi(np.array([[0.0, 1.0, 3.0, 0.0]])) == pytest.approx(14 / 3 / 2)
    assert e_bfmi(np.array([[0.0, 1.0, 3.0, 0.0], [0.0, 3.0, 0.0, 3.0]])) == pytest.approx(14 / 3 / 2)
    assert e_bfmi(np.ones((2, 5))) is None
