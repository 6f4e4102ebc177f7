"""A few trials of the aversive learning task's models worked out on paper.

β = ln 16: an expected shock of g weighs 16^−g = 2^−4g. Every test states each trial's expected shocks before its
choice.
"""

from math import log, nan

from tests.catalogue.by_hand.by_hand import assert_by_hand


def test_aversive_delta():
    # A = 1/2, γ = 2: f(p) = 2(p − ½) + ½, cut at 0 and 1.
    # 1: belief ½, f = (½, ½), sizes (½, 1): expected (¼, ½), weights ½ and ¼; choice 0 has 2/3. The first shape led to
    #    the shock: belief ½ + ½·½ = ¾.
    # 2: f = (1, 0), just not cut; sizes (¾, 1): (¾, 0), weights ⅛ and 1; choice 1 has 8/9. The first led to it again,
    #    which was not chosen: belief ⅞.
    # 3: f would be (5/4, −1/4), cut to (1, 0); sizes (½, ½): (½, 0), weights ¼ and 1; choice 0 has 1/5. The second led
    #    to it: belief 7/16.
    # 4: f = (⅜, ⅝); sizes (1, ½): (⅜, 5/16), weights 2^−1.5 and 2^−1.25; choice 0 has 1/(1 + 2^¼). Nothing is known of
    #    the outcome: hold.
    # 5: a size is missing, and no choice was made; the second led to the shock: belief 7/32.
    # 6: f would be (−1/16, 17/16), cut to (0, 1); sizes (1, ¼): (0, ¼), weights 1 and ½; choice 1 has 1/3.
    trials = [
        {"punishment": sizes, "choice": choice, "outcome": outcome}
        for sizes, choice, outcome in [
            ([0.5, 1.0], 0, 1), ([0.75, 1.0], 1, 1), ([0.5, 0.5], 0, 0), ([1.0, 0.5], 0, None), ([1.0, None], None, 0),
            ([1.0, 0.25], 1, 1),
        ]
    ]  # fmt: skip
    expected = {"choice": [2 / 3, 8 / 9, 1 / 5, 1 / (1 + 2**0.25), nan, 1 / 3]}
    states = {
        "belief": [1 / 2, 3 / 4, 7 / 8, 7 / 16, 7 / 16, 7 / 32],
        "prediction_error": [1 / 2, 1 / 4, -7 / 8, nan, -7 / 16, 25 / 32],
    }
    params = {"alpha": 0.5, "beta": log(16), "risk_preference": 2.0}
    assert_by_hand("aversive_delta", trials, params, expected, states)


def test_aversive_gamma():
    # A = 1/2, γ = 1/2: f(q) = ½(q − ½) + ½ = q/2 + ¼.
    # 1: expected (0, 0), whatever the sizes: choice 1 has 1/2. No shock: q1 = 0, f = ¼, size 1: expected ¼.
    # 2: (0, ¼), weights 1 and ½; choice 0 has 2/3. A shock: q0 = ½, f = ½, size 1: expected ½.
    # 3: (½, ¼), weights ¼ and ½; choice 1 has 2/3. A shock: q1 = ½, f = ½, size 1: expected ½.
    # 4: (½, ½); choice 0 has 1/2. No shock: q0 = ¼. Its size is missing: the expected shocks hold, the value does not.
    # 5: (½, ½) again; choice 0 has 1/2. A shock: q0 = ⅝, f = 9/16, size ½: expected 9/32. The other's size is not
    #    needed.
    # 6: (9/32, ½), weights 2^−9/8 and 2^−2; choice 1 has 1/(1 + 2^⅞).
    trials = [
        {"punishment": sizes, "choice": choice, "shock": shock}
        for sizes, choice, shock in [
            ([0.5, 1.0], 1, 0), ([1.0, 0.25], 0, 1), ([0.1, 1.0], 1, 1), ([None, 0.5], 0, 0), ([0.5, None], 0, 1),
            ([1.0, 1.0], 1, 1),
        ]
    ]  # fmt: skip
    expected = {"choice": [1 / 2, 2 / 3, 2 / 3, 1 / 2, 1 / 2, 1 / (1 + 2**0.875)]}
    states = {
        "q": [[0, 0], [0, 0], [1 / 2, 0], [1 / 2, 1 / 2], [1 / 4, 1 / 2], [5 / 8, 1 / 2]],
        "expected_shock": [[0, 0], [0, 1 / 4], [1 / 2, 1 / 4], [1 / 2, 1 / 2], [1 / 2, 1 / 2], [9 / 32, 1 / 2]],
    }
    params = {"alpha": 0.5, "beta": log(16), "risk_preference": 0.5}
    assert_by_hand("aversive_gamma", trials, params, expected, states)
