"""A few trials of the gambling task's models worked out on paper.

Inverse temperatures are logarithms, so that the softmax's weights are powers: with 3^c − 1 = ln b a deck of value
q weighs b^q. Every test states each trial's values before its choice, and the weights of the decks A, B, C, D.
"""

from math import log, nan

import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from tests.catalogue.by_hand.by_hand import assert_by_hand


def gamble(*trials):
    """Return trials from pairs of choice and outcome."""
    return [{"choice": choice, "outcome": outcome} for choice, outcome in trials]


def consistency(b):
    """Return the c of 3^c − 1 = ln b."""
    return log(1 + log(b), 3)


def test_pvl_delta():
    # A = α = 1/2, λ = 2, 3^c − 1 = ln 16: a deck of value q weighs 16^q = 2^(4q).
    # 1: all 0; A has 1/4. Outcome 1: u = √1 = 1, q_A = ½.
    # 2: weights 4, 1, 1, 1; A has 4/7. Outcome −¼: u = −2·√¼ = −1, q_A = ½ + ½(−1 − ½) = −¼.
    # 3: weights ½, 1, 1, 1; B has 2/7. Outcome 0: u = 0, q_B = 0.
    # 4: as 3. Outcome 4: u = 2, q_B = 1.
    # 5: weights ½, 16, 1, 1; A has 1/37.
    params = {"alpha": 0.5, "sensitivity": 0.5, "loss_aversion": 2.0, "consistency": consistency(16)}
    trajectories = {
        "q": [[0, 0, 0, 0], [1 / 2, 0, 0, 0], [-1 / 4, 0, 0, 0], [-1 / 4, 0, 0, 0], [-1 / 4, 1, 0, 0]],
        "utility": [1, -1, 0, 2, 0],
        "prediction_error": [1, -3 / 2, 0, 2, 1 / 4],
    }
    trials = gamble((0, 1.0), (0, -0.25), (1, 0.0), (1, 4.0), (0, 0.0))
    expected = {"choice": [1 / 4, 4 / 7, 2 / 7, 2 / 7, 1 / 37]}
    assert_by_hand("pvl_delta", trials, params, expected, trajectories)


def test_pvl_decay():
    # A = α = 1/2, λ = 2, 3^c − 1 = ln 4: a deck of value q weighs 4^q = 2^(2q).
    # 1: all 0; A has 1/4. Outcome 1: u = 1, and all of it is added: q_A = 1 (the delta rule would have ½).
    # 2: weights 4, 1, 1, 1; B has 1/7. Outcome −¼: u = −1. A fades though B was chosen: q = (½, −1, 0, 0).
    # 3: weights 2, ¼, 1, 1; A has 2/(17/4) = 8/17. Outcome 1: q = (¼ + 1, −½, 0, 0).
    # 4: weights 2^(5/2), ½, 1, 1; B has ½/(2^(5/2) + 5/2). The outcome is not known: nothing fades.
    # 5: as 4; C has 1/(2^(5/2) + 5/2).
    params = {"retention": 0.5, "sensitivity": 0.5, "loss_aversion": 2.0, "consistency": consistency(4)}
    trajectories = {
        "q": [[0, 0, 0, 0], [1, 0, 0, 0], [1 / 2, -1, 0, 0], [5 / 4, -1 / 2, 0, 0], [5 / 4, -1 / 2, 0, 0]],
        "utility": [1, -1, 1, nan, 0],
    }
    trials = gamble((0, 1.0), (1, -0.25), (0, 1.0), (1, None), (2, 0.0))
    expected = {"choice": [1 / 4, 1 / 7, 8 / 17, 0.5 / (2**2.5 + 2.5), 1 / (2**2.5 + 2.5)]}
    assert_by_hand("pvl_decay", trials, params, expected, trajectories)


def test_pvl_decay_keeps_its_share():
    # As above with A = 1/4. 1: outcome 1: q_A = 1. 2: weights 4, 1, 1, 1; B has 1/7. Outcome 0: q = (¼, 0, 0, 0).
    # 3: weights 4^¼ = 2^½, 1, 1, 1; A has 2^½/(2^½ + 3).
    params = {"retention": 0.25, "sensitivity": 0.5, "loss_aversion": 2.0, "consistency": consistency(4)}
    expected = {"choice": [1 / 4, 1 / 7, 2**0.5 / (2**0.5 + 3)]}
    assert_by_hand("pvl_decay", gamble((0, 1.0), (1, 0.0), (0, 1.0)), params, expected)


def test_vpp():
    # A = α = K = ω = 1/2, λ = 2, ε⁺ = 1, ε⁻ = −½, 3^c − 1 = ln 16: a deck weighs 16^((q + p)/2) = 2^(2(q + p)).
    # 1: all 0; A has 1/4. Outcome 1: u = 1, q_A = ½, p_A = 1.
    # 2: weights 2^3, 1, 1, 1; A has 8/11. Outcome −¼: u = −1, q_A = ½ + ½(−1 − ½) = −¼, p_A = ½·1 − ½ = 0.
    # 3: weights 2^(−½), 1, 1, 1; B has 1/(2^(−½) + 3). Outcome 0 is no loss: q_B = 0, p_B = 1.
    # 4: weights 2^(−½), 4, 1, 1; B has 4/(2^(−½) + 6). The outcome is not known: nothing moves, nothing fades.
    # 5: as 4; C has 1/(2^(−½) + 6). Outcome 1: q_C = ½, p = (0, ½, 1, 0).
    # 6: weights 2^(−½), 2, 2^3, 1; D has 1/(2^(−½) + 11).
    params = {"alpha": 0.5, "sensitivity": 0.5, "loss_aversion": 2.0, "consistency": consistency(16)}
    params |= {"retention": 0.5, "stay_pos": 1.0, "stay_neg": -0.5, "w": 0.5}
    trajectories = {
        "q": [[0, 0, 0, 0], [0.5, 0, 0, 0], *[[-0.25, 0, 0, 0]] * 3, [-0.25, 0, 0.5, 0]],
        "perseverance": [[0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 0.5, 1, 0]],
    }
    trials = gamble((0, 1.0), (0, -0.25), (1, 0.0), (1, None), (2, 1.0), (3, 0.0))
    a = 2**-0.5
    expected = {"choice": [1 / 4, 8 / 11, 1 / (a + 3), 4 / (a + 6), 1 / (a + 6), 1 / (a + 11)]}
    assert_by_hand("vpp", trials, params, expected, trajectories)


def test_vpp_weighs_values_by_w():
    # As above with K = ω = 1/4: a deck weighs 16^(q/4 + 3p/4) = 2^(q + 3p).
    # 1: outcome 1: q_A = ½, p_A = 1.
    # 2: weights 2^3.5, 1, 1, 1; B has 1/(2^3.5 + 3). Outcome 0: q_B = 0, p = (¼, 1, 0, 0).
    # 3: weights 2^(½ + ¾), 2^3, 1, 1; A has 2^1.25/(2^1.25 + 10).
    params = {"alpha": 0.5, "sensitivity": 0.5, "loss_aversion": 2.0, "consistency": consistency(16)}
    params |= {"retention": 0.25, "stay_pos": 1.0, "stay_neg": -0.5, "w": 0.25}
    expected = {"choice": [1 / 4, 1 / (2**3.5 + 3), 2**1.25 / (2**1.25 + 10)]}
    assert_by_hand("vpp", gamble((0, 1.0), (1, 0.0), (0, 0.0)), params, expected)


def test_orl():
    # A_rew = 1/2, A_pun = 1/4, K' = 1 (perseverance is divided by 3), β_F = 12 ln 2, β_P = 3 ln 2, outcomes in units
    # of ln 2: a deck weighs 2^(q/ln 2 + 12 f + 3 p).
    # 1: all 0; A has 1/4. Outcome 2: q_A = 1. Sign 1: f_A = ½, the others a quarter of the way to −⅓: −1/12.
    #    p = (⅓, 0, 0, 0).
    # 2: weights 2^(1 + 6 + 1) = 2^8, and 2^(−1) three times; B has ½/(2^8 + 3/2) = 1/515. Outcome −4: q_B = −1.
    #    Sign −1: f_B = −1/12 + ¼(−1 + 1/12) = −5/16; the others half of the way to +⅓: f_A = ½(½ + ⅓) = 5/12, f_C =
    #    f_D = ½(−1/12 + ⅓) = 1/8. p = (1/9, ⅓, 0, 0).
    # 3: powers 1 + 5 + ⅓ = 19/3, −1 − 15/4 + 1 = −15/4, 3/2, 3/2; C is chosen. Outcome 0 has the rates of a gain and
    #    the sign 0: q_C = 0, f_C = 1/16; the others lose a quarter: f = (5/16, −15/64, 1/16, 3/32). p = (1/27, 1/9,
    #    ⅓, 0).
    # 4: powers 1 + 15/4 + 1/9, −1 − 45/16 + ⅓, ¾ + 1, 9/8; D is chosen, its outcome not known: p alone moves.
    # 5: p = (1/81, 1/27, 1/9, ⅓): powers 1 + 15/4 + 1/27, −1 − 45/16 + 1/9, ¾ + ⅓, 9/8 + 1; A is chosen.
    unit = log(2)
    params = {"alpha_pos": 0.5, "alpha_neg": 0.25, "decay": 1.0}
    params |= {"frequency_weight": 12 * unit, "perseverance_weight": 3 * unit}
    trials = gamble((0, 2 * unit), (1, -4 * unit), (2, 0.0), (3, None), (0, unit))
    a, b, c, d = 2 ** (1 + 15 / 4 + 1 / 9), 2 ** (-1 - 45 / 16 + 1 / 3), 2 ** (7 / 4), 2 ** (9 / 8)
    third = 2**1.5 / (2 ** (19 / 3) + 2 ** (-15 / 4) + 2 * 2**1.5)
    e, f, g, h = 2 ** (1 + 15 / 4 + 1 / 27), 2 ** (-1 - 45 / 16 + 1 / 9), 2 ** (13 / 12), 2 ** (17 / 8)
    expected = {"choice": [1 / 4, 1 / 515, third, d / (a + b + c + d), e / (e + f + g + h)]}
    last = [5 / 16, -15 / 64, 1 / 16, 3 / 32]
    trajectories = {
        "q": [[0, 0, 0, 0], [unit, 0, 0, 0], *[[unit, -unit, 0, 0]] * 3],
        "frequency": [[0, 0, 0, 0], [1 / 2, *[-1 / 12] * 3], [5 / 12, -5 / 16, 1 / 8, 1 / 8], last, last],
        "perseverance": [
            [0, 0, 0, 0], [1 / 3, 0, 0, 0], [1 / 9, 1 / 3, 0, 0], [1 / 27, 1 / 9, 1 / 3, 0],
            [1 / 81, 1 / 27, 1 / 9, 1 / 3],
        ],
    }  # fmt: skip
    assert_by_hand("orl", trials, params, expected, trajectories)


def test_orl_with_three_decks():
    # As above; with three decks those not chosen go toward −½: after a gain f = (½, −⅛, −⅛), p = (⅓, 0, 0), and with
    # β_F = 8 ln 2 the powers are 4 + 1, −1, −1; B has ½/(2^5 + 1) = 1/66.
    params = {"alpha_pos": 0.5, "alpha_neg": 0.25, "decay": 1.0}
    params |= {"frequency_weight": 8 * log(2), "perseverance_weight": 3 * log(2)}
    trials = [{"choice": 0, "outcome": 1e-300}, {"choice": 1, "outcome": 0.0}]
    trajectories = {"frequency": [[0, 0, 0], [1 / 2, -1 / 8, -1 / 8]]}
    assert_by_hand("orl", trials, params, {"choice": [1 / 3, 1 / 66]}, trajectories, n_actions=3)


def test_orl_refuses_a_single_deck():
    with pytest.raises(ModelError, match="orl: n_actions is 1, expected 2 or more decks"):
        rl.catalogue.orl(n_actions=1)


def test_outcomes_come_from_gains_and_losses(tmp_path):
    # A loss with either sign: 1 − 2.5 = −1.5, 0.5 − 0.25 = 0.25, 1 − 0 = 1, and one that is not known.
    table = tmp_path / "igt.tsv"
    rows = ["trial choice gain loss subjID", "1 A 100 -250 1", "2 C 50 25 1", "3 B 100 0 1", "4 D 50 NA 1"]
    table.write_text("\n".join(rows).replace(" ", "\t"), encoding="utf-8")
    data = rl.read_trials(
        table, subject="subjID", trial="trial", choice="choice", derive={"outcome": "(gain - abs(loss)) / 100"}
    ).bind(rl.catalogue.pvl_delta())
    assert data.levels["choice"] == ("A", "B", "C", "D")
    assert data.values["outcome"].tolist() == [[-1.5, 0.25, 1.0, 0.0]]
    assert data.missing["outcome"].tolist() == [[False, False, False, True]]
