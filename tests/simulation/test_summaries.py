"""Learning curves, shares, stays, calibration and ranks against tables made by hand."""

import numpy as np
import pytest
import xarray as xr

import rlbackends as rl
from rlbackends.errors import DataError, SettingError
from rlbackends.simulation.summaries import (
    calibration_bins,
    choice_proportions,
    learning_curve,
    rank_check,
    rank_curve,
    stay_probabilities,
)
from rlbackends.simulation.summaries.calibration import wilson
from rlbackends.simulation.summaries.played import position_in_block

NAN = np.nan


def group(blocks, **events):
    """Return a group of a tree; an array with three dimensions has draws."""
    variables = {}
    for name, values in events.items():
        array = np.array(values, dtype=float)
        if array.ndim == 2:
            variables[name] = (("subject", "trial"), array)
        else:
            variables[name] = (("chain", "draw", "subject", "trial", "action")[: array.ndim + 1], array[None])
    coords = {} if blocks is None else {"block": (("subject", "trial"), np.array(blocks))}
    return xr.Dataset(variables, coords=coords)


def tree(**groups):
    return xr.DataTree.from_dict(groups)


def rows(table, **where):
    """Return the rows where columns have these values."""
    for column, value in where.items():
        table = table[table[column] == value]
    return table


BLOCKS = [[1, 1, 1, 2, 2, 2], [1, 1, 2, 2, 0, 0]]
CHOICE = [[0, 1, NAN, 1, 1, 0], [1, 1, 0, 0, NAN, NAN]]
REWARD = [[1, 0, 1, 1, 0, 1], [0, 1, 1, 0, NAN, NAN]]
OBSERVED = group(BLOCKS, choice=CHOICE, reward=REWARD)
FORWARD = group(BLOCKS, choice=[CHOICE, [[1] * 6, [1] * 4 + [NAN] * 2]], reward=[REWARD, REWARD])
TREE = tree(posterior_predictive_forward=FORWARD, observed_data=OBSERVED)


def test_trials_are_counted_from_each_block_s_start():
    assert position_in_block(np.array(BLOCKS))[:, :4].tolist() == [[1, 2, 3, 1], [1, 2, 1, 2]]


def test_a_learning_curve_averages_within_subjects_first_and_leaves_missing_trials_out():
    table = rows(learning_curve(TREE, {"choice": 1}), source="observed")
    # trial 1: subject 1 has 0 and 1, subject 2 has 1 and 0; trial 2: (1, 1) and (1, 0); trial 3: missing and 0, nobody
    assert table["trial"].tolist() == [1, 2, 3]
    assert table["mean"].tolist() == [0.5, 0.75, 0.0]
    assert table["n_subjects"].tolist() == [2, 2, 1]
    # sd of (1, 0.5) is 0.3536, over the root of 2
    np.testing.assert_allclose(table["standard_error"], [0, 0.25, NAN])
    assert table[["low", "high"]].isna().all(axis=None)


def test_a_prediction_s_interval_is_over_draws_of_the_mean_over_subjects():
    table = rows(learning_curve(TREE, {"choice": 1}, interval=0.5), source="predicted")
    # draws have 0.5, 0.75, 0 and 1, 1, 1
    np.testing.assert_allclose(table["mean"], [0.75, 0.875, 0.5])
    np.testing.assert_allclose(table["low"], [0.625, 0.8125, 0.25])
    np.testing.assert_allclose(table["high"], [0.875, 0.9375, 0.75])
    assert table["standard_error"].isna().all()


def test_windows_and_sessions():
    table = rows(learning_curve(TREE, "reward", over="session", window=4), source="observed")
    # subject 1: (1+0+1+1)/4 and (0+1)/2; subject 2: (0+1+1+0)/4, and no more trials
    assert table["trial"].tolist() == [2.5, 6.5]
    assert table["mean"].tolist() == [0.625, 0.5]
    assert table["n_subjects"].tolist() == [2, 1]


def test_a_function_asks_for_events_and_trial_by_name_and_does_not_hide_what_is_missing():
    table = learning_curve(TREE, lambda choice, trial, scale=10: scale * (choice != 1) + trial, over="session")
    observed = rows(table, source="observed")
    # in the block: 1 2 (3) 1 2 3; missing at the third trial of subject 1
    np.testing.assert_allclose(observed["mean"], [(11 + 1) / 2, (2 + 2) / 2, 11, (1 + 12) / 2, 2, 13])
    assert observed["n_subjects"].tolist() == [2, 2, 1, 2, 1, 1]
    assert not table.attrs["is_share"]
    assert learning_curve(TREE, "reward").attrs["is_share"]


def test_conditions_and_occurrences():
    stimulus = [[0, 1, 0, 0, 0, 1], [1, 1, NAN, 0, NAN, NAN]]
    played = tree(prior_predictive=group(BLOCKS, reward=REWARD, stimulus=stimulus))
    table = learning_curve(played, "reward", by="stimulus", over="occurrence")
    first = rows(table, stimulus=0)
    # subject 1: stimulus 0 on trials 1, 3 | 4, 5; subject 2: | 4
    assert first["trial"].tolist() == [1, 2]
    np.testing.assert_allclose(first["mean"], [((1 + 1) / 2 + 0) / 2, (1 + 0) / 2])
    second = rows(table, stimulus=1)
    # subject 1: trial 2 | 6; subject 2: trials 1, 2
    np.testing.assert_allclose(second["mean"], [((0 + 1) / 2 + 0) / 2, 1])
    assert set(table["source"]) == {"predicted"}


def test_without_a_block_coordinate_there_is_one_block_up_to_the_last_value():
    table = learning_curve(tree(prior_predictive=group(None, reward=REWARD)), "reward")
    assert table["trial"].tolist() == [1, 2, 3, 4, 5, 6]
    assert table["n_subjects"].tolist() == [2, 2, 2, 2, 1, 1]


def test_choice_proportions_are_of_the_trials_with_a_choice():
    table = choice_proportions(TREE, by="block")
    observed = rows(table, source="observed")
    assert observed["block"].tolist() == [1, 1, 2, 2]
    assert observed["choice"].tolist() == [0, 1, 0, 1]
    np.testing.assert_allclose(observed["mean"], [(0.5 + 0) / 2, (0.5 + 1) / 2, (1 / 3 + 1) / 2, (2 / 3) / 2])
    np.testing.assert_allclose(rows(table, source="predicted", block=1)["mean"], [0.25 / 2, (0.75 + 1) / 2])


def test_labels_of_the_data_name_actions_that_nobody_chose():
    model = rl.catalogue.rescorla_wagner(n_actions=3)
    data = rl.Trials.from_arrays(
        choice=[["go", "stay", "go"]], reward=[[1.0, 0.0, 1.0]], levels={"choice": ["stay", "go", "leave"]}
    ).bind(model)
    forward = group([[1, 1, 1]], choice=[[[0, 0, 1]]], reward=[[[0, 0, 1]]])
    table = choice_proportions(tree(posterior_predictive_forward=forward), data=data)
    assert rows(table, source="observed")["choice"].tolist() == ["stay", "go", "leave"]
    np.testing.assert_allclose(rows(table, source="observed")["mean"], [1 / 3, 2 / 3, 0])
    np.testing.assert_allclose(rows(table, source="predicted")["mean"], [2 / 3, 1 / 3, 0])
    curve = learning_curve(tree(posterior_predictive_forward=forward), {"choice": "go"}, data=data)
    assert rows(curve, source="observed")["mean"].tolist() == [1, 0, 1]
    with pytest.raises(SettingError, match="choice = 'goo', expected a label of 'stay', 'go' and 'leave' or a number"):
        learning_curve(tree(posterior_predictive_forward=forward), {"choice": "goo"}, data=data)


def test_a_stay_crosses_no_block_and_no_missing_trial():
    table = rows(stay_probabilities(TREE), source="observed").set_index("after")
    # subject 1: 0→1 after a win: shift; 1→missing and missing→(new block) don't count; 1→1 after a win: stay;
    #   1→0 after a loss: shift. subject 2: 1→1 after a loss: stay; then a new block; 0→0 after a win: stay.
    assert table["mean"].to_dict() == {"win": (0.5 + 1) / 2, "loss": (0 + 1) / 2}
    assert table["n_subjects"].to_dict() == {"win": 2, "loss": 2}


def test_an_outcome_that_is_missing_is_neither_win_nor_loss():
    played = group([[1, 1, 1, 1]], choice=[[0, 0, 0, 1]], reward=[[1, NAN, -1, 1]])
    table = stay_probabilities(tree(prior_predictive=played)).set_index("after")
    # 0→0 won; then unknown; then 0→1 lost
    assert table["mean"].to_dict() == {"win": 1, "loss": 0}


def test_with_a_stimulus_the_last_trial_with_it_is_the_one_before():
    played = group(
        [[1, 1, 1, 1, 1, 1, 2]],
        choice=[[0, 1, 0, 1, NAN, 1, 0]],
        reward=[[1, 0, 0, 1, 1, 1, 1]],
        stimulus=[[5, 7, 5, 7, 7, 7, 5]],
    )
    table = stay_probabilities(tree(prior_predictive=played), stimulus="stimulus").set_index("after")
    # 5: 0 (won) → 0 stay; block 2 begins anew. 7: 1 (lost) → 1 stay; 1 → missing; missing → 1: don't count
    assert table["mean"].to_dict() == {"win": 1, "loss": 1}
    after = stay_probabilities(tree(prior_predictive=played), stimulus="stimulus", by="stimulus")
    assert list(zip(after["stimulus"], after["after"], strict=True)) == [(5, "win"), (7, "loss")]


def test_one_step_ahead_stays_with_what_was_observed():
    observed = group([[1, 1, 1]], choice=[[0, 1, 1]], reward=[[1, 0, 1]])
    predicted = group([[1, 1, 1]], choice=[[[1, 0, 0]]])
    table = stay_probabilities(tree(posterior_predictive=predicted, observed_data=observed))
    found = rows(table, source="predicted").set_index("after")["mean"].to_dict()
    # 0 was observed and won, 0 is predicted: stay; 1 was observed and lost, 0 is predicted: shift
    assert found == {"win": 1, "loss": 0}
    assert rows(table, source="observed").set_index("after")["mean"].to_dict() == {"win": 0, "loss": 1}


def test_a_win_is_what_one_says():
    played = group([[1, 1, 1]], choice=[[0, 0, 1]], gain=[[5, 1, 0]], loss=[[-1, -2, 0]])
    won = stay_probabilities(tree(prior_predictive=played), win=lambda gain, loss: gain > abs(loss)).set_index("after")
    assert won["mean"].to_dict() == {"win": 1, "loss": 0}
    with pytest.raises(SettingError, match=r"win needs 'reward', but the predicted trials have .*'gain' and 'loss'"):
        stay_probabilities(tree(prior_predictive=played))


def test_of_a_response_with_several_entries_a_function_takes_one_and_names_it():
    choice = [[[[0, 1], [0, 0], [1, 0]]]]  # draw × subject × trial × entry
    played = tree(prior_predictive=group([[1, 1, 1]], choice=choice, reward=[[[1, 0, 1]]]))

    def second_choice(choice):
        return choice[..., 1]

    shares = choice_proportions(played, second_choice)
    assert shares["second_choice"].tolist() == [0, 1]
    np.testing.assert_allclose(shares["mean"], [2 / 3, 1 / 3])
    assert shares.attrs["response"] == "second_choice"
    stays = stay_probabilities(played, second_choice)
    # 1→0 after a win: shift; 0→0 after a loss: stay
    assert stays.set_index("after")["mean"].to_dict() == {"win": 0, "loss": 1}
    assert stays.attrs["response"] == "second_choice"
    assert choice_proportions(played, lambda choice: choice[..., 0])["response"].tolist() == [0, 1]
    assert stay_probabilities(played, lambda choice: choice[..., 0]).attrs["response"] == "response"
    for summary in (choice_proportions, stay_probabilities):
        with pytest.raises(SettingError, match=r"response gives .* Take an entry of 'choice': lambda choice: choice\["):
            summary(played)


def test_columns_have_names_of_their_own():
    def mean(choice):
        return choice

    with pytest.raises(SettingError, match="by is called 'choice', as is another column"):
        choice_proportions(TREE, by="choice")
    with pytest.raises(SettingError, match="by is called 'trial', as is another column"):
        learning_curve(TREE, "reward", by="trial")
    with pytest.raises(SettingError, match="response is called 'mean', as is another column"):
        choice_proportions(TREE, mean)


def test_calibration_pools_actions_and_averages_draws():
    probability = np.zeros((2, 1, 4, 3))
    probability[0, 0, :, 0], probability[1, 0, :, 0] = 0.6, 0.8  # 0.7 on average
    probability[:, 0, :, 1] = 1 - probability[:, 0, :, 0]  # 0.3; the third action is not available
    dataset = xr.Dataset({"choice": (("chain", "draw", "subject", "trial", "action"), probability[None])})
    seen = group([[1, 1, 1, 1]], choice=[[0, 0, 1, NAN]])
    table = calibration_bins(tree(predicted_probability=dataset, observed_data=seen), bins=5)
    assert table["n"].tolist() == [3, 3]
    np.testing.assert_allclose(table[["bin_low", "bin_high"]], [[0.2, 0.4], [0.6, 0.8]])
    np.testing.assert_allclose(table["predicted"], [0.3, 0.7])
    np.testing.assert_allclose(table["observed"], [1 / 3, 2 / 3])
    apart = calibration_bins(tree(predicted_probability=dataset, observed_data=seen), bins=5, by_action=True)
    assert apart["choice"].tolist() == [0, 1]
    np.testing.assert_allclose(apart["observed"], [2 / 3, 1 / 3])


def test_calibration_of_binary_responses_and_of_what_has_no_probability():
    dataset = group(None, go=[[[0.2, 0.2, 1.0, 0.0]]])
    seen = group(None, go=[[0, 1, 1, 0]])
    table = calibration_bins(tree(predicted_probability=dataset, observed_data=seen), bins=2)
    # 0.0 in every draw is no case; 1.0 is in the last bin
    assert table["n"].tolist() == [2, 1]
    assert table["observed"].tolist() == [0.5, 1.0]
    with pytest.raises(SettingError, match="response 'go' is continuous"):
        calibration_bins(tree(predicted_probability=dataset * 5, observed_data=seen))
    with pytest.raises(SettingError, match=r"no group 'predicted_probability', only .*fit\.predict"):
        calibration_bins(tree(observed_data=seen))
    with pytest.raises(SettingError, match="response is 'og', expected one of 'go'"):
        calibration_bins(tree(predicted_probability=dataset, observed_data=seen), "og")


def test_wilson_intervals_are_those_of_the_books():
    from scipy.stats import binomtest

    low, high = wilson(np.array([0.0, 0.3, 1.0]), np.array([10, 10, 10]), 1.959963984540054)
    for i, k in enumerate((0, 3, 10)):
        expected = binomtest(k, 10).proportion_ci(0.95, method="wilson")
        np.testing.assert_allclose([low[i], high[i]], [expected.low, expected.high], atol=1e-12)


def test_a_simulation_is_told_from_data_and_knows_the_world():
    model, task = rl.catalogue.rescorla_wagner(), rl.tasks.bandit(probabilities=(0.1, 0.9))
    played = rl.simulate(
        model, task, {"alpha": 0.5, "beta": 3.0}, subjects=3, blocks=2, trials=[5, 4, 3], backend="reference"
    )
    better = learning_curve(played, lambda choice, probability: choice == probability.argmax(-1))
    assert set(better["source"]) == {"simulated"}
    frame = played.frame()
    frame["position"] = frame.groupby(["subject", "block"]).cumcount() + 1
    expected = frame.groupby(["position", "subject"])["choice"].mean().groupby("position").mean()
    found = learning_curve(played, {"choice": 1}, data=played.data.bind(model))
    for source in ("observed", "simulated"):
        np.testing.assert_allclose(rows(found, source=source)["mean"], expected)
    np.testing.assert_allclose(better["mean"], expected)


def test_a_simulation_is_read_and_not_changed():
    model, task = rl.catalogue.rescorla_wagner(), rl.tasks.bandit(probabilities=(0.1, 0.9))
    played = rl.simulate(model, task, {"alpha": 0.5, "beta": 3.0}, subjects=2, trials=[5, 3], backend="reference")
    played.events["reward"][1, 3:] = 7.0  # padding
    before = {name: array.copy() for name, array in played.events.items()}
    assert learning_curve(played, "reward")["n_subjects"].tolist() == [2, 2, 2, 1, 1]
    for name, array in before.items():
        np.testing.assert_array_equal(played.events[name], array)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"value": "rewad"}, "value needs 'rewad', but the observed trials have .* Did you mean 'reward'?"),
        ({"value": 3}, "value is 3, expected an event's name or a function"),
        ({"value": lambda choice: 1.0}, r"value gives observed values of shape \(\), expected one number a trial"),
        ({"window": 0}, "window is 0, expected a number of trials from 1"),
        ({"over": "day"}, "over is 'day', expected 'block', 'session' or 'occurrence'"),
        ({"over": "occurrence"}, "over='occurrence' counts trials of a condition"),
        ({"interval": 89}, "interval is 89, expected a number between 0 and 1"),
        ({"group": "posterior"}, "no group posterior in groups .*posterior_predictive_forward"),
        ({"data": 3}, "data is of type int, expected a Simulation, or trials that are bound"),
        ({"by": lambda reward: reward * np.nan}, "by='condition' has 0 different values"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, words):
    with pytest.raises(SettingError, match=words):
        learning_curve(TREE, **{"value": "reward", **arguments})


def test_other_trees_and_other_data_are_refused():
    with pytest.raises(SettingError, match="no group of predictions in groups 'posterior', expected a Simulation"):
        learning_curve(tree(posterior=xr.Dataset()), "reward")
    with pytest.raises(SettingError, match="in dict, expected a Simulation, or a DataTree"):
        learning_curve({}, "reward")
    with pytest.raises(SettingError, match="response 'reward' is continuous"):
        choice_proportions(tree(prior_predictive=group(None, reward=[[0.5, 1.0]])), "reward")
    one_step = tree(
        posterior_predictive=group(None, choice=[[[0, 1]]]), observed_data=group([[1, 1, 1]], choice=[[0, 1, 0]])
    )
    with pytest.raises(DataError, match=r"\(1, 3\), those predicted one step ahead \(1, 2\)"):
        stay_probabilities(one_step)


def test_ranks_that_are_uniform_pass_and_others_do_not():
    n = 100
    uniform = (np.arange(n) + 0.5) / n
    ranks = xr.Dataset(
        {
            "alpha": (("chain", "draw", "subject"), np.stack([uniform, uniform**2], axis=-1)[None]),
            "beta": (("chain", "draw"), uniform[None, ::-1]),
        },
        coords={"subject": ["ann", "bob"]},
    )
    table = rank_check(tree(prior_sbc=ranks))
    assert table["variable"].tolist() == ["alpha", "alpha", "beta"]
    assert table["subject"].tolist()[:2] == ["ann", "bob"]
    assert table["inside"].tolist() == [True, False, True]
    assert table["p_value"].iloc[1] < 1e-4 < 0.4 < table["p_value"].iloc[0]
    np.testing.assert_allclose(table["level"], 1 - 0.05 / 3)
    assert rank_check({"beta": uniform}, together=False)["level"].tolist() == [0.95]


def test_the_band_holds_most_uniform_curves_and_few_others():
    rng = np.random.default_rng(0)
    curve = rank_curve(rng.random(50))
    assert curve["position"].iloc[[0, -1]].tolist() == [0, 1]
    assert curve[["difference", "low", "high"]].iloc[-1].tolist() == [0, 0, 0]
    outside = sum(not rank_check({"x": rng.random(50)}, together=False)["inside"].all() for _ in range(20))
    assert outside <= 6  # each with 0.05; more by chance about once in 10,000 seeds
    with pytest.raises(SettingError, match=r"'x' has shape \(100,\) from 1 to 100, expected at least 5 normalised"):
        rank_check({"x": np.arange(1, 101)})
    with pytest.raises(SettingError, match="groups 'posterior', expected 'prior_sbc'"):
        rank_check(tree(posterior=xr.Dataset()))
