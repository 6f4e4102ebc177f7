"""Ready tasks, played again by loops in plain Python that are written from the papers and share no code with ours.

They get the numbers that were drawn before, the uniforms and the schedules, and must come to every choice and outcome.
"""

import math
from collections.abc import Iterator
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

import rlbackends as rl

NORMAL = NormalDist()
SUBJECTS, BLOCKS, TRIALS = 3, [1, 2, 3], [40, 25, 15]


def play(task: rl.tasks.Task, model: rl.Model, **params: Any) -> rl.Simulation:
    return rl.simulate(
        model, task, params, subjects=SUBJECTS, blocks=BLOCKS, trials=TRIALS, seed=5, backend="reference"
    )


def blocks(played: rl.Simulation) -> Iterator[tuple[int, range]]:
    """Yield each block: the subject, and its trials."""
    for subject in range(SUBJECTS):
        for block in range(BLOCKS[subject]):
            yield subject, range(block * TRIALS[subject], (block + 1) * TRIALS[subject])


def choose(logits: list[float], uniform: float) -> int:
    """Return the first action whose cumulative softmax probability is above the uniform number."""
    weights = [math.exp(value - max(logits)) for value in logits]
    reached = 0.0
    for action, weight in enumerate(weights):
        reached += weight / sum(weights)
        if uniform < reached:
            return action
    return len(weights) - 1


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def assert_played(played: rl.Simulation, expected: dict[str, dict[tuple[int, int], float]], *near: str) -> None:
    """Assert that events are as expected, exactly but for the continuous ones."""
    assert played.near_edge == 0
    for name, values in expected.items():
        assert len(values) == np.count_nonzero(played.blocks)
        cells = tuple(np.array(list(values)).T)
        wanted = np.array(list(values.values()))
        if name in near:
            np.testing.assert_allclose(played.events[name][cells], wanted, rtol=1e-9, atol=1e-9)
        else:
            np.testing.assert_array_equal(played.events[name][cells], wanted)
            assert len(set(wanted)) > 1


def rescorla_wagner(played: rl.Simulation, n_actions: int, alpha: float, beta: float, outcome: Any) -> dict[str, Any]:
    """Play Rescorla–Wagner; ``outcome(subject, trial, choice, uniform)`` is what the world does."""
    choices, rewards = {}, {}
    for subject, trials in blocks(played):
        q = [0.0] * n_actions
        for t in trials:
            choice = choose([beta * value for value in q], played.uniforms["choice"][subject, t])
            uniform = played.uniforms["reward"][subject, t] if "reward" in played.uniforms else None
            reward = outcome(subject, t, choice, uniform)
            q[choice] += alpha * (reward - q[choice])
            choices[subject, t], rewards[subject, t] = choice, reward
    return {"choice": choices, "reward": rewards}


def test_bandit():
    played = play(rl.tasks.bandit((0.1, 0.6, 0.7), win=1.0, loss=-0.5), rl.catalogue.rescorla_wagner(n_actions=3),
                  alpha=0.3, beta=3.0)  # fmt: skip

    def outcome(subject, t, choice, uniform):
        return 1.0 if uniform < (0.1, 0.6, 0.7)[choice] else -0.5

    assert_played(played, rescorla_wagner(played, 3, 0.3, 3.0, outcome))


def test_bandit_with_a_table():
    table = np.linspace(0.1, 0.9, 80).reshape(40, 2)
    played = play(rl.tasks.bandit(table), rl.catalogue.rescorla_wagner(), alpha=0.3, beta=3.0)

    def outcome(subject, t, choice, uniform):
        return 1.0 if uniform < table[t % TRIALS[subject], choice] else 0.0

    assert_played(played, rescorla_wagner(played, 2, 0.3, 3.0, outcome))


@pytest.mark.parametrize("sd", [0.5, (0.5, 2.0)])
def test_gaussian_bandit(sd):
    played = play(rl.tasks.gaussian_bandit((0.0, 1.0), sd), rl.catalogue.rescorla_wagner(), alpha=0.3, beta=1.0)

    def outcome(subject, t, choice, uniform):
        spread = sd[choice] if isinstance(sd, tuple) else sd
        return NormalDist((0.0, 1.0)[choice], spread).inv_cdf(uniform)

    assert_played(played, rescorla_wagner(played, 2, 0.3, 1.0, outcome), "reward")


def test_tabulated_bandit():
    payoffs = np.random.default_rng(1).normal(size=(40, 3)).round(2)
    played = play(rl.tasks.tabulated_bandit(payoffs), rl.catalogue.rescorla_wagner(n_actions=3), alpha=0.3, beta=2.0)
    assert "reward" not in played.uniforms

    def outcome(subject, t, choice, uniform):
        return payoffs[t % TRIALS[subject], choice]

    assert_played(played, rescorla_wagner(played, 3, 0.3, 2.0, outcome))


def test_restless_bandit():
    played = play(rl.tasks.restless_bandit(), rl.catalogue.rescorla_wagner(n_actions=4), alpha=0.5, beta=0.05)
    means = played.world["mean_payoff"].values

    def outcome(subject, t, choice, uniform):
        return means[subject, t, choice] + 4.0 * NORMAL.inv_cdf(uniform)

    assert_played(played, rescorla_wagner(played, 4, 0.5, 0.05, outcome), "reward")


def test_restless_bernoulli_bandit():
    played = play(rl.tasks.restless_bernoulli_bandit(sd=0.1), rl.catalogue.rescorla_wagner(), alpha=0.5, beta=3.0)
    probability = played.world["probability"].values

    def outcome(subject, t, choice, uniform):
        return 1.0 if uniform < probability[subject, t, choice] else 0.0

    assert_played(played, rescorla_wagner(played, 2, 0.5, 3.0, outcome))


def test_gain_loss_bandit():
    """Seymour et al. (2012): gains and losses come independently; values that are not chosen fade."""
    rates, sizes = (0.3, 0.2), (2.0, 3.0)
    played = play(rl.tasks.gain_loss_bandit(), rl.catalogue.gain_loss_bandit(), alpha_gain=rates[0],
                  alpha_loss=rates[1], sensitivity_gain=sizes[0], sensitivity_loss=sizes[1])  # fmt: skip
    hidden, uniforms = played.world, played.uniforms
    found: dict[str, Any] = {"choice": {}, "gain": {}, "loss": {}}
    for s, trials in blocks(played):
        gains, losses = [0.0] * 4, [0.0] * 4
        for t in trials:
            choice = choose([a + b for a, b in zip(gains, losses, strict=True)], uniforms["choice"][s, t])
            gain = 1.0 if uniforms["gain"][s, t] < hidden["gain_probability"].values[s, t, choice] else 0.0
            loss = -1.0 if uniforms["loss"][s, t] < hidden["loss_probability"].values[s, t, choice] else 0.0
            for action in range(4):
                chosen = action == choice
                gains[action] += rates[0] * (sizes[0] * gain * chosen - gains[action])
                losses[action] += rates[1] * (sizes[1] * loss * chosen - losses[action])
            for name, value in (("choice", choice), ("gain", gain), ("loss", loss)):
                found[name][s, t] = value
    assert_played(played, found)


def test_fixed_reversals():
    played = play(rl.tasks.reversal((0.9, 0.2), every=7), rl.catalogue.rescorla_wagner(), alpha=0.5, beta=2.0)

    def outcome(subject, t, choice, uniform):
        swapped = (t % TRIALS[subject]) // 7 % 2 == 1
        return 1.0 if uniform < ((0.2, 0.9) if swapped else (0.9, 0.2))[choice] else -1.0

    assert_played(played, rescorla_wagner(played, 2, 0.5, 2.0, outcome))


def test_reversals_after_given_trials():
    played = play(rl.tasks.reversal((0.9, 0.5, 0.1), every=(4, 20)), rl.catalogue.rescorla_wagner(n_actions=3),
                  alpha=0.5, beta=2.0)  # fmt: skip

    def outcome(subject, t, choice, uniform):
        t = t % TRIALS[subject]
        table = (0.9, 0.5, 0.1) if t < 4 else (0.1, 0.9, 0.5) if t < 20 else (0.5, 0.1, 0.9)
        return 1.0 if uniform < table[choice] else -1.0

    assert_played(played, rescorla_wagner(played, 3, 0.5, 2.0, outcome))


@pytest.mark.parametrize(("criterion", "window", "hazard"), [(3, None, 1.0), (3, None, 0.4), (3, 5, 1.0), (2, 2, 0.5)])
def test_reversals_by_criterion(criterion, window, hazard):
    """Hampton et al. (2006): a reversal may come once the better action was chosen often enough."""
    task = rl.tasks.reversal((0.8, 0.3), criterion=criterion, window=window, hazard=hazard)
    played = play(task, rl.catalogue.fictitious_update(indecision_point=False), alpha=0.6, beta=2.0)
    assert ("update" in played.uniforms) == (hazard < 1)
    found: dict[str, Any] = {"choice": {}, "reward": {}}
    n_reversals = 0
    for s, trials in blocks(played):
        q, good, history = [0.0, 0.0], 0, []
        for t in trials:
            choice = choose([2.0 * value for value in q], played.uniforms["choice"][s, t])
            reward = 1.0 if played.uniforms["reward"][s, t] < (0.8 if choice == good else 0.3) else -1.0
            q[choice] += 0.6 * (reward - q[choice])
            q[1 - choice] += 0.6 * (-reward - q[1 - choice])
            found["choice"][s, t], found["reward"][s, t] = choice, reward
            history.append(choice == good)
            last = history[-window:] if window else history[-criterion:]
            if sum(last) >= criterion and (hazard == 1 or played.uniforms["update"][s, t] < hazard):
                good, history, n_reversals = 1 - good, [], n_reversals + 1
    assert n_reversals > 3
    assert_played(played, found)


def test_aliens():
    """The forum's flat model, in the forum's payoffs."""
    payoffs = {
        (0, 0): (1, 6, 1), (0, 1): (1, 1, 4), (0, 2): (5, 1, 1), (0, 3): (10, 1, 1),
        (1, 0): (1, 1, 2), (1, 1): (1, 8, 1), (1, 2): (1, 1, 7), (1, 3): (1, 3, 1),
        (2, 0): (1, 1, 7), (2, 1): (3, 1, 1), (2, 2): (1, 3, 1), (2, 3): (2, 1, 1),
    }  # fmt: skip
    played = play(rl.tasks.aliens(season_length=6), rl.catalogue.aliens(), alpha=0.5, beta=0.8, forgetting=0.06)
    found: dict[str, Any] = {"choice": {}, "reward": {}}
    for s, trials in blocks(played):
        q = np.full((3, 4, 3), 0.12)
        for t in trials:
            season, alien = played.events["season"][s, t], played.events["alien"][s, t]
            choice = choose([0.8 * value for value in q[season, alien]], played.uniforms["choice"][s, t])
            drawn = NormalDist(payoffs[season, alien][choice], 0.5).inv_cdf(played.uniforms["reward"][s, t])
            reward = max(drawn, 0.0)
            q = 0.94 * q + 0.06 * 0.12
            q[season, alien, choice] += 0.5 * (reward - q[season, alien, choice])
            found["choice"][s, t], found["reward"][s, t] = choice, reward
    assert_played(played, found, "reward")


@pytest.mark.parametrize("validity", [1.0, 0.8])
def test_stimulus_action(validity):
    task = rl.tasks.stimulus_action(4, 3, set_sizes=(2, 4, 3), validity=validity)
    played = play(task, rl.catalogue.stimulus_action_learning(n_stimuli=4), alpha=0.4, beta=4.0)
    right = played.world["correct"].values
    found: dict[str, Any] = {"choice": {}, "reward": {}, "set_size": {}}
    for s, trials in blocks(played):
        q = np.full((4, 3), 1 / 3)
        size = (2, 4, 3)[(s + trials[0] // TRIALS[s]) % 3]
        for t in trials:
            stimulus = played.events["stimulus"][s, t]
            assert stimulus < size
            choice = choose([4.0 * value for value in q[stimulus]], played.uniforms["choice"][s, t])
            is_right = choice == right[s, t, stimulus]
            if validity < 1:
                is_right = played.uniforms["reward"][s, t] < (validity if is_right else 1 - validity)
            reward = 1.0 if is_right else 0.0
            q[stimulus, choice] += 0.4 * (reward - q[stimulus, choice])
            found["choice"][s, t], found["reward"][s, t], found["set_size"][s, t] = choice, reward, size
    assert_played(played, found)


def test_two_step():
    """Daw et al. (2011), with stay = beta1 · p and both model-free and model-based values."""
    b1, b2, a1, a2, lam, w, stay = 3.0, 2.5, 0.5, 0.4, 0.6, 0.5, 0.3
    played = play(rl.tasks.two_step(), rl.catalogue.two_step(), beta1=b1, beta2=b2, alpha1=a1, alpha2=a2,
                  eligibility=lam, w=w, stay=stay)  # fmt: skip
    probability, uniforms = played.world["probability"].values, played.uniforms
    found: dict[str, Any] = {"choice1": {}, "state2": {}, "choice2": {}, "reward": {}}
    for s, trials in blocks(played):
        mf, q2, last = [0.0, 0.0], [[0.0, 0.0], [0.0, 0.0]], None
        for t in trials:
            best = [max(values) for values in q2]
            mb = [0.7 * best[0] + 0.3 * best[1], 0.3 * best[0] + 0.7 * best[1]]
            logits = [b1 * (w * mb[a] + (1 - w) * mf[a]) + stay * (a == last) for a in (0, 1)]
            first = choose(logits, uniforms["choice1"][s, t])
            state = first if uniforms["state2"][s, t] < 0.7 else 1 - first
            second = choose([b2 * value for value in q2[state]], uniforms["choice2"][s, t])
            reward = 1.0 if uniforms["reward"][s, t] < probability[s, t, state, second] else 0.0
            error1, error2 = q2[state][second] - mf[first], reward - q2[state][second]
            mf[first] += a1 * error1 + a1 * lam * error2
            q2[state][second] += a2 * error2
            last = first
            for name, value in (("choice1", first), ("state2", state), ("choice2", second), ("reward", reward)):
                found[name][s, t] = value
    assert_played(played, found)


def test_two_step_with_given_probabilities():
    task = rl.tasks.two_step(20, transition=1.0, probabilities=[[0.0, 1.0], [1.0, 0.0]])
    params = {"beta": 2.0, "alpha": 0.5, "w": 0.5, "stay": 0.0}
    events = rl.simulate(rl.catalogue.two_step_four(), task, params, subjects=2, backend="reference").events
    np.testing.assert_array_equal(events["state2"], events["choice1"])
    np.testing.assert_array_equal(events["reward"], events["choice1"] != events["choice2"])


def test_go_no_go():
    """Guitart-Masip et al. (2012): cues 0 and 2 want a response, cues 0 and 1 can win, the others can lose."""
    played = play(rl.tasks.go_no_go(), rl.catalogue.go_no_go(), lapse=0.1, alpha=0.4, sensitivity=3.0)
    found: dict[str, Any] = {"go": {}, "outcome": {}}
    for s, trials in blocks(played):
        q = np.zeros((4, 2))
        for t in trials:
            cue = played.events["cue"][s, t]
            p_go = 0.9 * logistic(q[cue, 1] - q[cue, 0]) + 0.05
            go = int(played.uniforms["go"][s, t] < p_go)
            chance = 0.8 if go == (cue in (0, 2)) else 0.2
            lucky = played.uniforms["outcome"][s, t] < chance
            outcome = float(lucky) if cue < 2 else float(lucky) - 1.0
            q[cue, go] += 0.4 * (3.0 * outcome - q[cue, go])
            found["go"][s, t], found["outcome"][s, t] = go, outcome
    assert_played(played, found)


def test_probabilistic_selection():
    """Frank et al. (2004): AB 80/20, CD 70/30, EF 60/40; stimuli learn, not places."""
    played = play(rl.tasks.probabilistic_selection(), rl.catalogue.probabilistic_selection(), alpha_pos=0.4,
                  alpha_neg=0.2, beta=4.0)  # fmt: skip
    found: dict[str, Any] = {"first": {}, "second": {}, "choice": {}, "reward": {}}
    for s, trials in blocks(played):
        q = [0.5] * 6
        for t in trials:
            a, b = (int(2 * played.world["pair"].values[s, t] + place) for place in (0, 1))
            first, second = (b, a) if played.world["swapped"].values[s, t] else (a, b)
            choice = choose([4.0 * q[first], 4.0 * q[second]], played.uniforms["choice"][s, t])
            chosen = (first, second)[choice]
            reward = 1.0 if played.uniforms["reward"][s, t] < (0.8, 0.2, 0.7, 0.3, 0.6, 0.4)[chosen] else 0.0
            q[chosen] += (0.4 if reward > q[chosen] else 0.2) * (reward - q[chosen])
            for name, value in (("first", first), ("second", second), ("choice", choice), ("reward", reward)):
                found[name][s, t] = value
    assert_played(played, found)


@pytest.mark.parametrize("shuffled", [True, False])
def test_gambling(shuffled):
    """Bechara et al. (1994): ten cards a deck, the ones in hand are not drawn again; prospect utility learns."""
    cards = [
        [0, 0, 0, 0, 0, -150, -200, -250, -300, -350], [0] * 9 + [-1250],
        [0, 0, 0, 0, 0, -25, -50, -50, -50, -75], [0] * 9 + [-250],
    ]  # fmt: skip
    played = play(rl.tasks.gambling(shuffled=shuffled), rl.catalogue.pvl_delta(), alpha=0.2, sensitivity=0.5,
                  loss_aversion=1.0, consistency=0.3)  # fmt: skip
    found: dict[str, Any] = {"choice": {}, "gain": {}, "loss": {}, "outcome": {}}
    for s, trials in blocks(played):
        q, left = [0.0] * 4, [list(range(10)) for _ in range(4)]
        for t in trials:
            choice = choose([(3**0.3 - 1) * value for value in q], played.uniforms["choice"][s, t])
            place = int(played.uniforms["card"][s, t] * len(left[choice])) if shuffled else 0
            loss = cards[choice][left[choice].pop(place)]
            left[choice] = left[choice] or list(range(10))
            gain = (100, 100, 50, 50)[choice]
            outcome = (gain + loss) / 100
            felt = math.copysign(math.sqrt(abs(outcome)), outcome)
            q[choice] += 0.2 * (felt - q[choice])
            for name, value in (("choice", choice), ("gain", gain), ("loss", loss), ("outcome", outcome)):
                found[name][s, t] = value
    assert_played(played, found)


def test_conditioning():
    """A normal response to what each stimulus predicts; who is reinforced changes after 12 trials."""
    played = play(rl.tasks.conditioning((0.6, 0.1), reversal=12, size=2.0), rl.catalogue.conditioned_response(),
                  alpha=0.3, b0=0.1, b1=1.0, sigma=0.2)  # fmt: skip
    found: dict[str, Any] = {"response": {}, "outcome": {}}
    for s, trials in blocks(played):
        v = [0.0, 0.0]
        for t in trials:
            stimulus = played.events["stimulus"][s, t]
            found["response"][s, t] = 0.1 + v[stimulus] + 0.2 * NORMAL.inv_cdf(played.uniforms["response"][s, t])
            reinforced = stimulus if t % TRIALS[s] < 12 else 1 - stimulus
            outcome = 2.0 if played.uniforms["outcome"][s, t] < (0.6, 0.1)[reinforced] else 0.0
            v[stimulus] += 0.3 * (outcome - v[stimulus])
            found["outcome"][s, t] = outcome
    assert_played(played, found, "response")


def test_binary_prediction():
    """Mathys et al. (2011): the input's probability turns around; beliefs move by precision."""
    omega, beta = -2.0, 1.5
    played = play(rl.tasks.binary_prediction(0.9, every=10), rl.catalogue.hgf_two_levels(), omega2=omega, beta=beta)
    found: dict[str, Any] = {"choice": {}, "input": {}}
    for s, trials in blocks(played):
        mu, sigma = 0.0, 0.1
        for t in trials:
            choice = int(played.uniforms["choice"][s, t] < logistic(beta * mu))
            chance = 0.9 if t % TRIALS[s] // 10 % 2 == 0 else 1 - 0.9
            shown = int(played.uniforms["input"][s, t] < chance)
            guess = logistic(mu)
            sigma = 1 / (1 / (sigma + math.exp(omega)) + guess * (1 - guess))
            mu += sigma * (shown - guess)
            found["choice"][s, t], found["input"][s, t] = choice, shown
    assert_played(played, found)


def test_aversive_learning():
    """Browning et al. (2015): one belief about both shapes, times the sizes that are shown."""
    alpha, beta, gamma = 0.3, 6.0, 1.5
    played = play(rl.tasks.aversive_learning(0.8, every=(5, 20)), rl.catalogue.aversive_delta(), alpha=alpha, beta=beta,
                  risk_preference=gamma)  # fmt: skip
    found: dict[str, Any] = {"choice": {}, "outcome": {}, "shock": {}}
    for s, trials in blocks(played):
        belief = 0.5
        for t in trials:
            sizes = played.events["punishment"][s, t]
            bent = [min(max(gamma * (p - 0.5) + 0.5, 0.0), 1.0) for p in (belief, 1 - belief)]
            logits = [-beta * p * size for p, size in zip(bent, sizes, strict=True)]
            choice = choose(logits, played.uniforms["choice"][s, t])
            chance = 1 - 0.8 if 5 <= t % TRIALS[s] < 20 else 0.8
            first = int(played.uniforms["outcome"][s, t] < chance)
            belief += alpha * (first - belief)
            found["choice"][s, t], found["outcome"][s, t] = choice, first
            found["shock"][s, t] = first if choice == 0 else 1 - first
    assert_played(played, found)


def test_ultimatum():
    """Gu et al. (2015): offers below the norm are disliked, and the norm follows the offers."""
    played = play(rl.tasks.ultimatum(9.0, 3.0), rl.catalogue.ultimatum_delta(), alpha=0.3, beta=0.6, envy=5.0)
    found: dict[str, Any] = {"accept": {}}
    for s, trials in blocks(played):
        norm = 10.0
        for t in trials:
            offer = played.events["offer"][s, t]
            worth = offer - 5.0 * max(norm - offer, 0.0)
            found["accept"][s, t] = int(played.uniforms["accept"][s, t] < logistic(0.6 * worth))
            norm += 0.3 * (offer - norm)
    assert_played(played, found)


def test_card_sorting():
    """Bishara et al. (2010) with f = 1; the rule changes after two cards in a row were sorted right."""
    played = play(rl.tasks.card_sorting(criterion=2), rl.catalogue.card_sorting(), alpha_pos=0.6, alpha_neg=0.4,
                  consistency=2.0)  # fmt: skip
    found: dict[str, Any] = {"choice": {}, "outcome": {}}
    changes = 0
    for s, trials in blocks(played):
        attention, rule, run = [1 / 3] * 3, 0, 0
        for t in trials:
            match = played.events["match"][s, t].tolist()
            strength = [sum(a**2.0 for a, deck in zip(attention, match, strict=True) if deck == d) for d in range(4)]
            logits = [math.log(x) if x else -math.inf for x in strength]
            choice = choose(logits, played.uniforms["choice"][s, t])
            right = match[rule] == choice
            about = [(deck == choice) == right for deck in match]
            total = sum(a for a, on in zip(attention, about, strict=True) if on)
            if total:
                rate = 0.6 if right else 0.4
                attention = [(1 - rate) * a + rate * a * on / total for a, on in zip(attention, about, strict=True)]
            run = run + 1 if right else 0
            if run == 2:
                rule, run, changes = (rule + 1) % 3, 0, changes + 1
            found["choice"][s, t], found["outcome"][s, t] = choice, int(right)
    assert changes > 3
    assert_played(played, found)
