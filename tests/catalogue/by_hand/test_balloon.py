"""A few balloons worked out on paper.

β is a logarithm, so that the odds of each pump are a power: the n-th pump of which the odds are o is made with the
probability o / (1 + o), and refused with 1 / (1 + o).
"""

from math import log

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from tests.catalogue.by_hand.by_hand import assert_by_hand


def balloon(opportunities, pump, pumps, explosion):
    return {"opportunities": opportunities, "pump": pump, "pumps": pumps, "explosion": explosion}


def test_four_parameters():
    # φ = ½, η = 1, γ = 2 ln 2, β = ln 2, at most 3 pumps. With the belief q = 1 − p_burst = 2^−k the pumps aimed at
    # are ω = 2 ln 2 / (k ln 2) = 2/k, and pump l has the odds 2^(ω − l).
    # 1: q = φ = ½, ω = 2, odds 2, 1, ½. The first pump bursts the balloon: 2/3; there was nothing else to decide.
    #    1 pump, no success: q = (½ + 0)/(1 + 1) = ¼.
    # 2: ω = 1, odds 1, ½, ¼. One pump, then left: ½ · 1/(1 + ½) = 1/3. 2 pumps, 1 success: q = (½ + 1)/(1 + 2) = ½.
    # 3: ω = 2. It is not known whether the second pump was made, nor how many: (2/3) · (1 − 1/3) = 4/9, and the
    #    belief stays. The explosion alone counts for nothing.
    # 4: ω = 2. All three pumps, no fourth to decide on: 2/3 · 1/2 · 1/3 = 1/9. 5 pumps, 4 successes: q = 4.5/6 = ¾.
    # 5: ω = −2 ln 2 / ln ¾ = 2 ln 2 / ln(4/3); left at once: 1 / (1 + 2^(ω − 1)).
    trials = [
        balloon(1, [1, 0, 0], 1, 1),
        balloon(2, [1, 0, 0], 1, 0),
        balloon(3, [1, None, 0], None, 1),
        balloon(3, [1, 1, 1], 3, 0),
        balloon(1, [0, 0, 0], 0, 0),
    ]
    omega = 2 * log(2) / log(4 / 3)
    expected = {"pump": [2 / 3, 1 / 3, 4 / 9, 1 / 9, 1 / (1 + 2 ** (omega - 1))]}
    trajectories = {
        "p_burst": [1 / 2, 3 / 4, 1 / 2, 1 / 2, 1 / 4],
        "total_pumps": [0, 1, 2, 2, 5],
        "total_bursts": [0, 1, 1, 1, 1],
    }
    params = {"phi": 0.5, "eta": 1.0, "gamma": 2 * log(2), "beta": log(2)}
    assert_by_hand("balloon_four_parameters", trials, params, expected, trajectories, n_pumps=3)


def test_four_parameters_start_with_the_belief_in_success():
    # As above with φ = ¼. 1: q = ¼, ω = 1, odds 1, ½. One pump, then left: ½ · 1/(1 + ½) = 1/3 (were φ the belief in a
    #    burst, ω would be 2 ln 2 / ln(4/3)). 1 pump, 1 success: q = (¼ + 1)/(1 + 1) = ⅝.
    # 2: ω = 2 ln 2 / ln(8/5); left at once: 1 / (1 + 2^(ω − 1)).
    trials = [balloon(2, [1, 0, 0], 1, 0), balloon(1, [0, 0, 0], 0, 0)]
    expected = {"pump": [1 / 3, 1 / (1 + 2 ** (2 * log(2) / log(8 / 5) - 1))]}
    params = {"phi": 0.25, "eta": 1.0, "gamma": 2 * log(2), "beta": log(2)}
    trajectories = {"p_burst": [3 / 4, 3 / 8]}
    assert_by_hand("balloon_four_parameters", trials, params, expected, trajectories, n_pumps=3)


def test_mean_variance():
    # φ = ¼, η = ln 2, ρ = ⅓, λ = 2, β = 2 ln 2, gain 1: pump l risks 2(l − 1) and has the odds 4^U, with
    # U = (1 − p) − p · 2(l − 1) + ⅓ p(1 − p)(1 + 2(l − 1))².
    # 1: no pump yet, p = ¼. U1 = ¾ + ⅓ · 3/16 = 13/16. U2 = ¾ − ½ + ⅓ · 3/16 · 9 = 13/16. The second pump bursts the
    #    balloon: both odds are 2^(13/8). 2 pumps, 1 burst: weight exp(−2 ln 2) = ¼, p = ¼ · ¼ + ¾ · ½ = 7/16.
    # 2: U1 = 9/16 + ⅓ · 63/256 = 165/256; left at once: 1 / (1 + 2^(165/128)). Nothing is learnt from no pump.
    # 3: it is missing whether the balloon burst: of the first decision 1 − the last one's, and p stays.
    # 4: U2 = 9/16 − 14/16 + ⅓ · 63/256 · 9 = −5/16 + 189/256 = 109/256. One pump, then left.
    trials = [
        balloon(2, [1, 1, 0, 0], 2, 1),
        balloon(1, [0, 0, 0, 0], 0, 0),
        balloon(1, [1, 0, 0, 0], 1, None),
        balloon(2, [1, 0, 0, 0], 1, 0),
    ]
    odds, first, second = 2 ** (13 / 8), 2 ** (165 / 128), 2 ** (109 / 128)
    made = first / (1 + first)
    expected = {"pump": [(odds / (1 + odds)) ** 2, 1 - made, made, made / (1 + second)]}
    trajectories = {
        "p_burst": [1 / 4, 7 / 16, 7 / 16, 7 / 16],
        "total_pumps": [0, 2, 2, 2],
        "total_bursts": [0, 1, 1, 1],
    }
    params = {"phi": 0.25, "eta": log(2), "rho": 1 / 3, "loss_aversion": 2.0, "beta": 2 * log(2)}
    assert_by_hand("balloon_mean_variance", trials, params, expected, trajectories, n_pumps=4)


def test_mean_variance_by_what_a_pump_earns():
    # As the first balloon above with a gain of 4: U1 = ¾ · 4 + ⅓ · 3/16 · 16 = 4; U2 = 3 − ¼ · 8 + ⅓ · 3/16 · 12² =
    # 10. With β = ln 2 / 2 the odds are 4 and 32; the second pump is refused.
    params = {"phi": 0.25, "eta": log(2), "rho": 1 / 3, "loss_aversion": 2.0, "beta": log(2) / 2}
    expected = {"pump": [4 / 5 / 33]}
    assert_by_hand("balloon_mean_variance", [balloon(2, [1, 0], 1, 0)], params, expected, n_pumps=2, gain=4.0)


@pytest.mark.parametrize("name", ["balloon_four_parameters", "balloon_mean_variance"])
def test_a_table_of_pumps_and_explosions(name, tmp_path):
    table = tmp_path / "bart.tsv"
    table.write_text("subjID\tpumps\texplosion\n1\t3\t0\n1\t5\t1\n1\t12\t0\n1\tNA\tNA\n1\t0\t0\n")
    data = rl.read_trials(
        table,
        subject="subjID",
        pumps="pumps",
        explosion="explosion",
        derive={
            "opportunities": "minimum(pumps + 1 - explosion, 12)",
            "pump": [f"pumps >= {number}" for number in range(1, 13)],
        },
    ).bind(rl.catalogue.MODELS[name]())
    assert data.values["opportunities"].tolist() == [[4, 5, 12, 0, 1]]
    assert data.missing["opportunities"].tolist() == [[False, False, False, True, False]]
    assert data.values["pump"].sum(axis=-1).tolist() == [[3, 5, 12, 0, 0]]
    assert np.array_equal(data.values["pump"][0, 0], [1] * 3 + [0] * 9)


@pytest.mark.parametrize("n_pumps", [0, 2.0, True, "12"])
@pytest.mark.parametrize("name", ["balloon_four_parameters", "balloon_mean_variance"])
def test_refuses_a_number_of_pumps(name, n_pumps):
    with pytest.raises(ModelError, match=f"{name}: n_pumps is {n_pumps!r}, expected a whole number from 1"):
        rl.catalogue.MODELS[name](n_pumps=n_pumps)


@pytest.mark.parametrize("gain", [0, -1.0, float("nan"), float("inf"), "1"])
def test_refuses_a_gain(gain):
    with pytest.raises(ModelError, match=f"gain is {gain!r}, expected a number above 0"):
        rl.catalogue.balloon_mean_variance(gain=gain)
