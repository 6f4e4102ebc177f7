"""A few trials of the models that learn gains and losses apart worked out on paper.

Values are in units of ln 2, so that an action of total value x weighs 2^x: a sensitivity of 2 is written 2 ln 2. Every
test states each trial's values before its choice, and the weights of the actions.
"""

from math import log

import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from tests.catalogue.by_hand.by_hand import assert_by_hand

UNIT = log(2)
RATES = {"alpha_gain": 0.5, "alpha_loss": 0.25}
SENSITIVITIES = {"sensitivity_gain": 2 * UNIT, "sensitivity_loss": 4 * UNIT}


def bandit(*trials):
    """Return trials from triples of choice, gain and loss."""
    return [{"choice": choice, "gain": gain, "loss": loss} for choice, gain, loss in trials]


def lapsing(chances):
    """Return chances of which one in five is a guess among four."""
    return [4 / 5 * chance + 1 / 20 for chance in chances]


# A of gains 1/2, A of losses 1/4, R = 2, P = 4.
# 1: all 0; choice 0 has 1/4. Gain 1, loss 0: gains (½·2, 0, 0, 0) = (1, 0, 0, 0), losses all 0.
# 2: weights 2, 1, 1, 1; choice 0 has 2/5. Gain 1, loss −1: gains 1 + ½(2 − 1) = 3/2, losses ¼·(−4) = −1.
# 3: weights 2^½, 1, 1, 1; choice 1 has 1/(2^½ + 3). Gain 0, loss −1: action 1 has gains 0, losses −1; action 0 fades to
#    gains ½·3/2 = ¾, losses ¾·(−1) = −¾.
# 4: totals 0, −1, 0, 0: weights 1, ½, 1, 1; choice 2 has 1/3.5. Gain 1: gains (⅜, 0, 1, 0). No loss is known: losses
#    hold, all of them.
# 5: totals ⅜ − ¾ = −⅜, −1, 1, 0; choice 0 has 2^−⅜/(2^−⅜ + ½ + 2 + 1).
TRIALS = bandit((0, 1.0, 0.0), (0, 1.0, -1.0), (1, 0.0, -1.0), (2, 1.0, None), (0, 0.0, 0.0))
CHANCES = [1 / 4, 2 / 5, 1 / (2**0.5 + 3), 2 / 7, 2**-0.375 / (2**-0.375 + 3.5)]
GAINS = [[0, 0, 0, 0], [1, 0, 0, 0], [3 / 2, 0, 0, 0], [3 / 4, 0, 0, 0], [3 / 8, 0, 1, 0]]
LOSSES = [[0, 0, 0, 0], [0, 0, 0, 0], [-1, 0, 0, 0], [-3 / 4, -1, 0, 0], [-3 / 4, -1, 0, 0]]
STATES = {
    "q_gain": [[UNIT * value for value in row] for row in GAINS],
    "q_loss": [[UNIT * value for value in row] for row in LOSSES],
}


def test_gain_loss_bandit():
    assert_by_hand("gain_loss_bandit", TRIALS, {**RATES, **SENSITIVITIES}, {"choice": CHANCES}, STATES)


def test_gain_loss_lapse():
    params = {**RATES, **SENSITIVITIES, "lapse": 0.2}
    assert_by_hand("gain_loss_lapse", TRIALS, params, {"choice": lapsing(CHANCES)}, STATES)


def test_gain_loss_unit_sensitivity():
    # With R = P = 1, outcomes of 2 ln 2 and −4 ln 2 are worth what 1 and −1 were.
    trials = [{**t, "gain": 2 * UNIT * t["gain"], "loss": t["loss"] and 4 * UNIT * t["loss"]} for t in TRIALS]
    assert_by_hand("gain_loss_unit_sensitivity", trials, {**RATES, "lapse": 0.2}, {"choice": lapsing(CHANCES)}, STATES)


def test_gain_loss_lapse_decay():
    # d = 3/4. 1 and 2 as above: the chosen action does not decay, and nothing else has a value.
    # 3: choice 1 has 1/(2^½ + 3). Gain 0, loss −1: action 1 has 0 and −1; action 0 keeps a quarter, 3/8 and −1/4.
    # 4: totals ⅛, −1, 0, 0; choice 2 has 1/(2^⅛ + ½ + 2).
    params = {**RATES, **SENSITIVITIES, "forgetting": 0.75, "lapse": 0.2}
    expected = {"choice": lapsing([1 / 4, 2 / 5, 1 / (2**0.5 + 3), 1 / (2**0.125 + 2.5)])}
    assert_by_hand("gain_loss_lapse_decay", TRIALS[:4], params, expected)


def test_gain_loss_single_rate():
    # A = 1/2. 2: weights 2, 1, 1, 1 as above; gain 1, loss −1: gains 3/2, losses ½·(−4) = −2.
    # 3: weights 2^−½, 1, 1, 1; choice 1 has 1/(2^−½ + 3). Gain 0, loss −1: action 1 has 0 and −2; action 0 ¾ and −1.
    # 4: totals −¼, −2, 0, 0; choice 2 has 1/(2^−¼ + ¼ + 2).
    params = {"alpha": 0.5, **SENSITIVITIES, "lapse": 0.2}
    expected = {"choice": lapsing([1 / 4, 2 / 5, 1 / (2**-0.5 + 3), 1 / (2**-0.25 + 2.25)])}
    assert_by_hand("gain_loss_single_rate", TRIALS[:4], params, expected)


def test_two_actions():
    # As the first two trials, with two actions: choice 0 has 1/2, then 2/3, then 2^½/(2^½ + 1).
    trials = bandit((0, 1.0, 0.0), (0, 1.0, -1.0), (0, 0.0, 0.0))
    expected = {"choice": [1 / 2, 2 / 3, 2**0.5 / (2**0.5 + 1)]}
    assert_by_hand("gain_loss_bandit", trials, {**RATES, **SENSITIVITIES}, expected, n_actions=2)


@pytest.mark.parametrize("name", rl.catalogue.FAMILIES["Gains and losses"].__all__)
def test_the_number_of_actions_is_a_number(name):
    with pytest.raises(ModelError, match="axis 'action' has size 0"):
        rl.catalogue.MODELS[name](n_actions=0)
