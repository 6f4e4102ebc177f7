"""A few trials of the go/no-go task's models worked out on paper.

The unit of values is ρ = ln 16, so that odds are powers: with the weight of going f·ρ above that of not going, the
odds of going are 16^f = 2^(4f) to 1, twice that with a bias of ln 2. With a lapse of 1/5, odds of x to 1 make
p(go) = 4/5 · x/(x + 1) + 1/10. Every test states each trial's odds before its response.
"""

from math import log, nan

import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from tests.catalogue.by_hand.by_hand import assert_by_hand

RHO = log(16)
PARAMS = {"lapse": 1 / 5, "alpha": 1 / 2, "sensitivity": RHO}


def task(*trials):
    """Return trials from triples of cue, response and outcome."""
    return [{"cue": cue, "go": go, "outcome": outcome} for cue, go, outcome in trials]


def p_go(odds):
    """Return the probability of going at these odds to 1, with a lapse of 1/5."""
    return 4 / 5 * odds / (odds + 1) + 1 / 10


# Of these five, q in units of ρ:
# 1: cue 0. Go, outcome 1: q[0, go] = ½.
# 2: cue 0. No-go, outcome −1: q[0, no-go] = −½; going keeps its ½.
# 3: cue 1, of which nothing is known. Go, outcome −1: q[1, go] = −½.
# 4: cue 0. Go, outcome 0: q[0, go] = ½ + ½(0 − ½) = ¼.
# 5: cue 0.
TRIALS = task((0, 1, 1.0), (0, 0, -1.0), (1, 1, -1.0), (0, 1, 0.0), (0, 1, 1.0))
Q0 = [[0, 0], [0, 1 / 2], [-1 / 2, 1 / 2], [-1 / 2, 1 / 2], [-1 / 2, 1 / 4]]
Q1 = [[0, 0], [0, 0], [0, 0], [0, -1 / 2], [0, -1 / 2]]
Q = [[[RHO * value for value in cue] for cue in trial] for trial in zip(Q0, Q1, strict=True)]
# What was done fell short of the outcome by 1 − 0, −1 − 0, −1 − 0, 0 − ½, 1 − ¼.
ERRORS = [RHO * error for error in (1, -1, -1, -1 / 2, 3 / 4)]


def test_go_no_go():
    # The weight of going less that of not going: 0, ½, 0, ½ + ½ = 1, ¼ + ½ = ¾. Odds: 1, 4, 1, 16, 8 to 1.
    # p(go) = 1/2; 4/5 · 4/5 + 1/10 = 37/50, so that no-go has 13/50; 1/2; 4/5 · 16/17 + 1/10 = 29/34;
    # 4/5 · 8/9 + 1/10 = 73/90.
    expected = {"go": [1 / 2, 13 / 50, 1 / 2, 29 / 34, 73 / 90]}
    assert_by_hand("go_no_go", TRIALS, PARAMS, expected, {"q": Q, "prediction_error": ERRORS}, n_cues=2)


def test_go_no_go_bias():
    # Odds of the above, doubled by a bias of ln 2 that values know nothing of: 2, 8, 2, 32, 16 to 1.
    # p(go) = 4/5 · 2/3 + 1/10 = 19/30; 73/90, so that no-go has 17/90; 19/30; 4/5 · 32/33 + 1/10 = 289/330; 29/34.
    expected = {"go": [19 / 30, 17 / 90, 19 / 30, 289 / 330, 29 / 34]}
    params = {**PARAMS, "go_bias": log(2)}
    assert_by_hand("go_no_go_bias", TRIALS, params, expected, {"q": Q, "prediction_error": ERRORS}, n_cues=2)


def test_go_no_go_pavlovian():
    # b = ln 2, π = ½; q and v in units of ρ.
    # 1: odds 2. Go, outcome 1: q[0, go] = ½, v[0] = ½.
    # 2: ½ + ½·½ = ¾: odds 2 · 8 = 16; no-go has 1 − 29/34 = 5/34. No-go, outcome −1: q[0, no-go] = −½, and v[0] = ½
    #    + ½(−1 − ½) = −¼: the cue lost, though going did not.
    # 3: ½ − ½·¼ + ½ = ⅞: the response is missing, the outcome 1. q holds; v[0] = −¼ + ½(1 + ¼) = ⅜.
    # 4: ½ + ½·⅜ + ½ = 19/16: odds 2 · 2^(19/4) = 2^5.75. Go, outcome 0: q[0, go] = ¼, v[0] = 3/16.
    # 5: cue 1: odds 2.
    trials = task((0, 1, 1.0), (0, 0, -1.0), (0, None, 1.0), (0, 1, 0.0), (1, 1, 0.0))
    expected = {"go": [19 / 30, 5 / 34, nan, p_go(2**5.75), 19 / 30]}
    states = {
        "q": [
            [[RHO * no_go, RHO * go], [0, 0]]
            for no_go, go in [(0, 0), (0, 1 / 2), (-1 / 2, 1 / 2), (-1 / 2, 1 / 2), (-1 / 2, 1 / 4)]
        ],
        "v": [[RHO * v, 0] for v in (0, 1 / 2, -1 / 4, 3 / 8, 3 / 16)],
        "prediction_error": [RHO * error for error in (1, -1, nan, -1 / 2, 0)],
        "cue_prediction_error": [RHO * error for error in (1, -3 / 2, 5 / 4, -3 / 8, 0)],
    }
    params = {**PARAMS, "go_bias": log(2), "pavlovian_bias": 1 / 2}
    assert_by_hand("go_no_go_pavlovian", trials, params, expected, states, n_cues=2)


def test_go_no_go_pavlovian_two_sensitivities():
    # As before, but a punishment counts half, ρ of it ln 4 = ½ ln 16; q and v in units of ln 16.
    # 1: odds 2. Go, outcome 1, worth 1: q[go] = ½, v = ½.
    # 2: odds 16; no-go has 5/34. No-go, outcome −1, worth −½: q[no-go] = −¼, v = ½ + ½(−½ − ½) = 0.
    # 3: ½ + 0 + ¼ = ¾: odds 2 · 8 = 16; go has 29/34. Outcome 0 is worth 0: q[go] = ¼, v = 0.
    # 4: ¼ + 0 + ¼ = ½: odds 2 · 4 = 8; go has 73/90. Outcome −½ is worth −¼: q[go] = ¼ + ½(−¼ − ¼) = 0, v = −⅛.
    # 5: 0 − 1/16 + ¼ = 3/16: odds 2 · 2^¾ = 2^1.75.
    trials = task((0, 1, 1.0), (0, 0, -1.0), (0, 1, 0.0), (0, 1, -0.5), (0, 0, 0.0))
    expected = {"go": [19 / 30, 5 / 34, 29 / 34, 73 / 90, 1 - p_go(2**1.75)]}
    states = {
        "v": [[RHO * v] for v in (0, 1 / 2, 0, 0, -1 / 8)],
        "effective_outcome": [RHO * size for size in (1, -1 / 2, 0, -1 / 4, 0)],
        "prediction_error": [RHO * error for error in (1, -1 / 2, -1 / 2, -1 / 2, 1 / 4)],
    }
    params = {"lapse": 1 / 5, "alpha": 1 / 2, "sensitivity_reward": RHO, "sensitivity_punishment": log(4)}
    params.update(go_bias=log(2), pavlovian_bias=1 / 2)
    assert_by_hand("go_no_go_pavlovian_two_sensitivities", trials, params, expected, states, n_cues=1)


@pytest.mark.parametrize("name", rl.catalogue.pavlovian.__all__)
def test_a_task_without_cues_is_refused(name):
    with pytest.raises(ModelError, match=rf"model '{name}': axis 'cue' has size 0, expected a whole number from 1"):
        rl.catalogue.MODELS[name](n_cues=0)
