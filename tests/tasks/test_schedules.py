"""What ready tasks draw beforehand: bounds, rounds, variances, and who shares what."""

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.tasks.schedules import decaying_walk, reflected_walk, reversed_after, runs, shuffled_rounds

RW = rl.catalogue.rescorla_wagner
PARAMS = {"alpha": 0.3, "beta": 2.0}


def world(task: rl.tasks.Task, name: str, *, blocks: int = 1, seed: int = 1, model: rl.Model | None = None):
    n_actions = task.sizes["action"]
    played = rl.simulate(model or RW(n_actions=n_actions), task, PARAMS, subjects=3, blocks=blocks, seed=seed,
                         backend="reference")  # fmt: skip
    return played.world[name].values


def test_rounds_have_each_item_once():
    order = shuffled_rounds(np.random.default_rng(1), 21, items=range(5))
    assert order.shape == (21,)
    for start in range(0, 20, 5):
        assert sorted(order[start : start + 5]) == [0, 1, 2, 3, 4]
    assert len({tuple(order[start : start + 5]) for start in range(0, 20, 5)}) > 1


def test_runs_come_in_rounds_and_none_follows_itself():
    order = runs(np.random.default_rng(2), 300, n_items=3, length=4)
    assert (order.reshape(-1, 4) == order[::4, None]).all()
    seasons = order[::4]
    assert (np.diff(seasons) != 0).all()
    assert all(sorted(seasons[start : start + 3]) == [0, 1, 2] for start in range(0, 75, 3))


def test_a_single_item_may_follow_itself():
    np.testing.assert_array_equal(runs(np.random.default_rng(2), 5, n_items=1, length=2), np.zeros(5))


def test_reversals_at_their_places():
    values = (0.9, 0.5, 0.1)
    np.testing.assert_array_equal(reversed_after(7, values=values, after=3)[:, 0], [0.9] * 3 + [0.1] * 3 + [0.5])
    np.testing.assert_array_equal(reversed_after(6, values=values, after=(1, 4))[:, 2], [0.1, 0.5, 0.5, 0.5, 0.9, 0.9])


@pytest.mark.parametrize("bounds", [(0.25, 0.75), (0.0, 1.0), (0.4, 0.45)])
def test_walks_stay_between_their_bounds(bounds):
    walk = reflected_walk(np.random.default_rng(3), 2000, shape=(2, 2), sd=0.2, bounds=bounds)
    assert walk.shape == (2000, 2, 2)
    assert walk.min() >= bounds[0] and walk.max() <= bounds[1]
    # A reflected walk is anywhere between its bounds, as often: its quarters are filled alike.
    quarters = np.histogram(walk, bins=4, range=bounds)[0] / walk.size
    np.testing.assert_allclose(quarters, 0.25, atol=0.05)


def test_a_reflected_walk_is_the_unfolded_one_where_it_meets_no_bound():
    walk = reflected_walk(np.random.default_rng(4), 50, shape=(1,), sd=0.001, bounds=(0.0, 1.0))
    rng = np.random.default_rng(4)
    steps = rng.normal(scale=0.001, size=(50, 1))
    start = rng.uniform(0, 1)
    np.testing.assert_allclose(walk[:, 0], start + np.cumsum(steps[:, 0]) - steps[0, 0], rtol=1e-12)


def test_steps_of_a_reflected_walk_have_their_size_away_from_the_bounds():
    walk = reflected_walk(np.random.default_rng(5), 20_000, shape=(1,), sd=0.01, bounds=(0.0, 1.0))[:, 0]
    inside = (walk[:-1] > 0.1) & (walk[:-1] < 0.9)
    # The sd of n normal steps is off by a share of 1/√(2n) = 0.006 or so.
    assert np.diff(walk)[inside].std() == pytest.approx(0.01, rel=0.03)


def test_a_decaying_walk_by_hand():
    rng = np.random.default_rng(6)
    walk = decaying_walk(rng, 40, n_walks=2, retention=0.9, center=50.0, sd=2.0, start=[10.0, 90.0])
    steps = np.random.default_rng(6).normal(scale=2.0, size=(40, 2))
    mean = [10.0, 90.0]
    for t in range(40):
        if t:
            mean = [0.9 * m + 0.1 * 50.0 + step for m, step in zip(mean, steps[t], strict=True)]
        np.testing.assert_allclose(walk[t], mean, rtol=1e-12)


def test_a_decaying_walk_begins_as_it_goes_on():
    walks = decaying_walk(np.random.default_rng(7), 60, n_walks=20_000, retention=0.9836, center=50.0, sd=2.8)
    spread = 2.8 / np.sqrt(1 - 0.9836**2)  # the variance v of the long run is 0.9836² v + 2.8²
    for trial in (0, 1, 59):
        assert walks[trial].mean() == pytest.approx(50.0, abs=5 * spread / np.sqrt(20_000))
        assert walks[trial].std() == pytest.approx(spread, rel=0.03)


def test_a_walk_that_does_not_decay_begins_at_the_center():
    walk = decaying_walk(np.random.default_rng(8), 3, n_walks=2, retention=1.0, center=5.0, sd=1.0)
    np.testing.assert_array_equal(walk[0], 5.0)


@pytest.mark.parametrize("make", [rl.tasks.restless_bandit, rl.tasks.restless_bernoulli_bandit])
def test_shared_is_shared_and_blocks_differ(make):
    name = "mean_payoff" if make is rl.tasks.restless_bandit else "probability"
    apart, shared = (world(make(n_trials=10, shared=how), name, blocks=2) for how in (False, True))
    assert (apart[0] != apart[1]).all()
    np.testing.assert_array_equal(shared[0], shared[2])
    assert (shared[0, :10] != shared[0, 10:]).all()


def test_walks_of_two_variables_differ():
    model = rl.catalogue.gain_loss_bandit()
    params = {"alpha_gain": 0.3, "alpha_loss": 0.3, "sensitivity_gain": 1.0, "sensitivity_loss": 1.0}
    hidden = rl.simulate(model, rl.tasks.gain_loss_bandit(shared=True), params, backend="reference").world
    assert (hidden["gain_probability"].values != hidden["loss_probability"].values).all()


def test_a_seed_says_everything():
    task = rl.tasks.restless_bandit(n_trials=12)
    again = world(rl.tasks.restless_bandit(n_trials=12), "mean_payoff")
    np.testing.assert_array_equal(world(task, "mean_payoff"), again)
    assert (world(task, "mean_payoff", seed=2) != again).all()


def events(task: rl.tasks.Task, model: rl.Model, params: dict[str, float], **design):
    return rl.simulate(model, task, params, backend="reference", **design).events


def test_pairs_and_their_order():
    model = rl.catalogue.probabilistic_selection_one_rate()
    task = rl.tasks.probabilistic_selection(n_trials=600)
    found = events(task, model, PARAMS, subjects=2)
    first, second = found["first"], found["second"]
    pair = first // 2
    np.testing.assert_array_equal(second // 2, pair)
    np.testing.assert_array_equal(first % 2, 1 - second % 2)
    assert (np.sort(pair.reshape(2, -1, 3), axis=-1) == [0, 1, 2]).all()
    # 1,200 tosses: a share beyond 0.5 ± 0.06 in one of 30,000 seeds.
    assert abs((first % 2).mean() - 0.5) < 0.06


def test_cues_are_balanced():
    cue = events(rl.tasks.go_no_go(), rl.catalogue.go_no_go(), {"lapse": 0.1, "alpha": 0.3, "sensitivity": 2.0},
                 subjects=2)["cue"]  # fmt: skip
    assert (np.sort(cue.reshape(2, 60, 4), axis=-1) == [0, 1, 2, 3]).all()
    assert (cue[0] != cue[1]).any()


def test_seasons_and_aliens_by_subject():
    params = {"alpha": 0.2, "beta": 1.0, "forgetting": 0.0}
    found = events(rl.tasks.aliens(n_trials=48, season_length=12), rl.catalogue.aliens(), params, subjects=4)
    assert (found["season"].reshape(4, 4, 12) == found["season"].reshape(4, 4, 12)[..., :1]).all()
    assert len({tuple(row) for row in found["season"]}) > 1
    assert (np.sort(found["alien"].reshape(4, 12, 4), axis=-1) == [0, 1, 2, 3]).all()


def test_seasons_that_call_for_one_task_set_pay_alike():
    task = rl.tasks.aliens(task_sets=(2, 0, 2))
    payoffs = task.scheduled["mean_payoff"].values[0]
    np.testing.assert_array_equal(payoffs[0], payoffs[2])
    assert (payoffs[0] != payoffs[1]).any()


def test_payoffs_of_aliens_are_not_below_the_lowest():
    params = {"alpha": 0.2, "beta": 0.1, "forgetting": 0.0}
    lowest = events(rl.tasks.aliens(sd=3.0), rl.catalogue.aliens(), params)["reward"].min()
    free = events(rl.tasks.aliens(sd=3.0, lowest=None), rl.catalogue.aliens(), params)["reward"].min()
    assert lowest == 0.0 and free < 0.0
    fixed = events(rl.tasks.aliens(sd=0.0), rl.catalogue.aliens(), params)["reward"]
    assert set(np.unique(fixed)) <= {1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0}


def test_aliens_pay_as_in_the_published_data(shared_data):
    """Means of the forum's 13,640 payoffs; the rarest cell has 137, so that ±0.17 is four standard errors."""
    tables = {name: np.genfromtxt(shared_data / "aliens" / f"{name}s.csv", delimiter=",", skip_header=1)
              for name in ("season", "alien", "action", "reward")}  # fmt: skip
    cells = tuple(tables[name].astype(int) for name in ("season", "alien", "action"))
    payoffs = rl.tasks.aliens().scheduled["mean_payoff"].values[0]
    for cell in np.ndindex(payoffs.shape):
        here = np.logical_and.reduce([index == entry for index, entry in zip(cells, cell, strict=True)])
        assert tables["reward"][here].mean() == pytest.approx(payoffs[cell], abs=0.17)
        assert tables["reward"][here].std() == pytest.approx(0.5, abs=0.1)


def test_decks_cost_what_the_paper_says():
    params = {"alpha": 0.0, "sensitivity": 0.5, "loss_aversion": 1.0, "consistency": 0.0}
    found = events(rl.tasks.gambling(n_trials=400), rl.catalogue.pvl_delta(), params, seed=3)
    for deck, (net, n_losses) in enumerate([(-250, 5), (-250, 1), (250, 5), (250, 1)]):
        chosen = found["choice"][0] == deck
        rounds = chosen.sum() // 10
        gain, loss = (found[name][0, chosen][: 10 * rounds].reshape(rounds, 10) for name in ("gain", "loss"))
        assert (gain.sum(axis=1) + loss.sum(axis=1) == net).all()
        assert ((loss < 0).sum(axis=1) == n_losses).all()
    np.testing.assert_array_equal(found["outcome"], (found["gain"] + found["loss"]) / 100)


def test_the_right_actions_are_drawn_for_each_block():
    task = rl.tasks.stimulus_action(n_trials=12)
    hidden = world(task, "correct", blocks=3, model=rl.catalogue.stimulus_action_learning())
    blocks = hidden.reshape(3, 3, 12, 6)
    assert (blocks == blocks[:, :, :1]).all()
    assert len({tuple(block[0]) for subject in blocks for block in subject}) > 5


def test_cards_are_all_combinations_before_any_comes_again():
    params = {"alpha_pos": 0.5, "alpha_neg": 0.5, "consistency": 1.0}
    match = events(rl.tasks.card_sorting(), rl.catalogue.card_sorting(), params, subjects=2)["match"]
    codes = match @ [16, 4, 1]
    assert (np.sort(codes.reshape(2, 2, 64), axis=-1) == np.arange(64)).all()
    assert (codes[0] != codes[1]).any()


def test_offers_follow_their_means():
    params = {"alpha": 0.2, "beta": 0.5, "envy": 1.0}
    task = rl.tasks.ultimatum(means=[4.0] * 500 + [8.0] * 500)
    offer = events(task, rl.catalogue.ultimatum_delta(), params)["offer"][0]
    assert (offer == np.rint(offer)).all() and offer.min() >= 0
    # The standard error of each mean is 1.5 / √500 = 0.07.
    assert offer[:500].mean() == pytest.approx(4.0, abs=0.3) and offer[500:].mean() == pytest.approx(8.0, abs=0.3)
    assert events(rl.tasks.ultimatum(19.0, 5.0), rl.catalogue.ultimatum_delta(), params)["offer"].max() == 20.0


def test_sizes_of_shocks():
    params = {"alpha": 0.2, "beta": 1.0, "risk_preference": 1.0}
    task = rl.tasks.aversive_learning(sizes=(2.0, 3.0))
    sizes = events(task, rl.catalogue.aversive_delta(), params)["punishment"]
    assert sizes.min() >= 2.0 and sizes.max() <= 3.0 and (sizes[..., 0] != sizes[..., 1]).all()
