"""A few trials of card sorting worked out on paper, the attention to colour, form and number before each."""

import math

import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from rlbackends.testing.trials import as_trials
from tests.catalogue.by_hand.by_hand import assert_by_hand

_RATES = {"alpha_pos": 0.5, "alpha_neg": 0.5}


def sortings(*trials):
    """Return trials from the deck of each dimension, the choice and the outcome."""
    return [{"match": match, "choice": choice, "outcome": outcome} for match, choice, outcome in trials]


# The decks 0, 1, 2 match on one dimension each, then deck 3 on colour and deck 1 on the others, and so on.
_FIRST = sortings(([0, 1, 2], 1, 0), ([3, 1, 1], 1, 1), ([2, 0, 3], 0, None))


def test_card_sorting():
    # r = p = 1/2, d = 2.
    # 1: a = (⅓, ⅓, ⅓): each of the decks 0, 1, 2 has 1/3. Deck 1 is wrong, and it is not form: s = (½, 0, ½), a =
    #    (1/6 + ¼, 1/6, 1/6 + ¼) = (5, 2, 5)/12.
    # 2: deck 3 weighs 25, deck 1 2² + 5² = 29; it has 29/54. It is right, by form or number: s = (0, 2, 5)/7, a =
    #    (5/24, 1/12 + 1/7, 5/24 + 5/14) = (35, 38, 95)/168.
    # 3: deck 0 has 38²/(35² + 38² + 95²) = 1444/11694. The outcome is not known: attention stays.
    # 4: deck 1 matches on all: it has 1. To be wrong it would have to match on none: attention stays.
    # 5: deck 2 weighs 35² + 38², deck 1 95²; deck 1 has 9025/11694.
    trials = [*_FIRST, *sortings(([1, 1, 1], 1, 0), ([2, 2, 1], 1, 1))]
    last = [35 / 168, 38 / 168, 95 / 168]
    trajectories = {
        "attention": [[1 / 3] * 3, [5 / 12, 2 / 12, 5 / 12], last, last, last],
        "signal": [[1 / 2, 0, 1 / 2], [0, 2 / 7, 5 / 7], [math.nan] * 3, last, [0, 0, 1]],
    }
    expected = {"choice": [1 / 3, 29 / 54, 1444 / 11694, 1, 9025 / 11694]}
    assert_by_hand("card_sorting", trials, {**_RATES, "consistency": 2.0}, expected, trajectories)


def test_right_and_wrong_have_rates_of_their_own():
    # p = 3/4: a = (1/12 + 3/8, 1/12, 1/12 + 3/8) = (11, 2, 11)/24. r = 1/4, s = (0, 2, 11)/13: a = (11/32, 1/16 +
    # 1/26, 11/32 + 11/52).
    trajectories = {
        "attention": [
            [1 / 3] * 3, [11 / 24, 2 / 24, 11 / 24], [11 / 32, 1 / 16 + 1 / 26, 11 / 32 + 11 / 52],
        ]
    }  # fmt: skip
    params = {"alpha_pos": 0.25, "alpha_neg": 0.75, "consistency": 1.0}
    trials = _FIRST[:2] + sortings(([0, 0, 0], 0, 1))
    assert_by_hand("card_sorting", trials, params, {"choice": [1 / 3, 13 / 24, 1]}, trajectories)


def test_focus():
    # f = 0 shares the signal out evenly: after 2, s = (0, ½, ½) and a = (5/24, 1/12 + ¼, 5/24 + ¼) = (5, 8, 11)/24.
    # 3: deck 0 has 64/(25 + 64 + 121) = 32/105.
    params = {**_RATES, "consistency": 2.0}
    expected = {"choice": [1 / 3, 29 / 54, 32 / 105]}
    assert_by_hand("card_sorting", _FIRST, params, expected, focus=0.0)
    assert_by_hand("card_sorting", _FIRST, {**params, "focus": 0.0}, expected, focus=None)
    # f = 2 squares it: after 2, s = (0, 4, 25)/29 and a = (5/24, 1/12 + 2/29, 5/24 + 25/58) = (145, 106, 445)/696.
    expected = {"choice": [1 / 3, 29 / 54, 106**2 / (145**2 + 106**2 + 445**2)]}
    assert_by_hand("card_sorting", _FIRST, {**params, "focus": 2.0}, expected, focus=None)


def test_floor():
    # floor = 1/8, so that shares x become 1/8 + ¾x; r = p = 1/2, d = 1.
    # 1: a = (⅓, ⅓, ⅓): the decks 0, 1, 2 weigh 1/8 + ¼ = 3/8, deck 3 1/8: without a match it has 1/10. It is wrong,
    #    which says nothing about the dimensions: s = a, and a = 1/8 + ¾·⅓ = 3/8 each.
    # 2: deck 0 weighs 1/8 + ¾·6/8 = 22/32, deck 1 1/8 + ¾·3/8 = 13/32, the others 4/32; deck 0 has 22/43. It is right:
    #    s = (½, ½, 0), ½a + ½s = (7, 7, 3)/16, which are 7/17, 7/17, 3/17 of their sum: a = (59, 59, 35)/136.
    # 3: the decks 0 and 1 weigh 1/8 + ¾·59/136 = 245/544, deck 2 173/544, deck 3 68/544; deck 2 has 173/731.
    trials = sortings(([0, 1, 2], 3, 0), ([0, 0, 1], 0, 1), ([0, 1, 2], 2, 1))
    trajectories = {"attention": [[1 / 3] * 3, [3 / 8] * 3, [59 / 136, 59 / 136, 35 / 136]]}
    expected = {"choice": [1 / 10, 22 / 43, 173 / 731]}
    assert_by_hand("card_sorting", trials, {**_RATES, "consistency": 1.0}, expected, trajectories, floor=0.125)


def test_a_deck_without_a_match_is_never_chosen_but_for_the_floor():
    trials = [[{"start": True, "match": [0, 1, 2], "choice": 3, "outcome": 0}]]
    model = rl.catalogue.card_sorting()
    compiled = rl.compile(model, as_trials(model, trials))
    assert compiled.log_likelihood({**_RATES, "consistency": 2.0})["choice"].values.tolist() == [[-math.inf]]


@pytest.mark.parametrize("focus", [-1, "1", True])
def test_a_focus_that_is_no_number_is_refused(focus):
    with pytest.raises(ModelError, match=r"card_sorting: focus is .*, expected a number of 0 or more, or None"):
        rl.catalogue.card_sorting(focus=focus)


@pytest.mark.parametrize("size", ["n_dimensions", "n_decks"])
def test_a_size_that_is_no_whole_number_is_refused(size):
    with pytest.raises(ModelError, match=f"card_sorting: {size} is 0, expected a whole number above 0"):
        rl.catalogue.card_sorting(**{size: 0})


@pytest.mark.parametrize("floor", [-0.1, 0.34, "0"])
def test_a_floor_out_of_range_is_refused(floor):
    with pytest.raises(ModelError, match=r"card_sorting: floor is .*, expected a number from 0 to below 1 / 3"):
        rl.catalogue.card_sorting(floor=floor)


def test_the_columns_of_a_table(tmp_path):
    table = tmp_path / "sorting.csv"
    rows = ["subject,trial,colour,form,number,deck,correct", "1,1,1,2,3,2,0", "1,2,4,2,2,2,1"]
    table.write_text("\n".join(rows), encoding="utf-8")
    data = rl.read_trials(
        table, subject="subject", trial="trial", match=["colour", "form", "number"], choice="deck", outcome="correct",
        levels={"match": [1, 2, 3, 4], "choice": [1, 2, 3, 4]},
    ).bind(rl.catalogue.card_sorting())  # fmt: skip
    assert data.values["match"].tolist() == [[[0, 1, 2], [3, 1, 1]]]
    assert data.values["choice"].tolist() == [[1, 1]]
