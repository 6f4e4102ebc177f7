"""Old likelihoods, as plain loops from the papers' equations, each with a mistake that can be switched on.

They share nothing with the language: what the comparison names is found without having seen them.
"""

from __future__ import annotations

import numpy as np

import rlbackends as rl
from rlbackends import components

# Model 1: a bandit with three arms, two learning rates, forgetting toward 0, blocks.


def bandit_model():
    def choice(q, beta):
        return rl.Categorical(logits=beta * q)

    def update(q, choice, reward, alpha_pos, alpha_neg, forgetting):
        kept = components.decay(q, forgetting)
        prediction_error = reward - kept[choice]
        rate = components.rate_by_sign(prediction_error, alpha_pos, alpha_neg)
        return {"q": kept.at[choice].add(rate * prediction_error), "prediction_error": prediction_error}

    unit = rl.Parameter(rl.UnitInterval())
    return rl.Model(
        "forgetful_bandit",
        parameters={"alpha_pos": unit, "alpha_neg": unit, "beta": rl.Parameter(rl.Positive()), "forgetting": unit},
        states={"q": rl.State("action", initial=0.5)},
        trial={"choice": choice, "reward": rl.Real()},
        update=update,
        records=["prediction_error"],
        sizes={"action": 3},
    )


BANDIT_SUBJECTS = (8, 9, 10, 11, 12)  # in the alphabet 10, 11, 12, 8, 9


def bandit_arrays(seed=1, trials=24):
    rng = np.random.default_rng(seed)
    shape = (len(BANDIT_SUBJECTS), trials)
    choice, reward = rng.integers(0, 3, shape), np.round(rng.normal(1.0, 1.5, shape), 1)
    block = np.repeat([[0, 1]], trials // 2, axis=1).reshape(1, -1).repeat(shape[0], axis=0)
    return choice, reward, block


def bandit_data(choice, reward, block):
    return rl.Trials.from_arrays(subjects=BANDIT_SUBJECTS, blocks=block, choice=choice, reward=reward)


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / e.sum()


def bandit(choice, reward, block, mistake=""):
    """Return an old likelihood, a function of parameters."""

    def old(params):
        found, states = np.zeros(choice.shape), np.zeros((*choice.shape, 3))
        carried = np.full(3, 0.5)
        for s in range(choice.shape[0]):
            q = carried if mistake == "carried over" else np.full(3, {"starts at 0.2": 0.2}.get(mistake, 0.5))
            a_pos, a_neg = params["alpha_pos"][s], params["alpha_neg"][s]
            beta, f = params["beta"][s], params["forgetting"][s]
            if mistake == "rates swapped":
                a_pos, a_neg = a_neg, a_pos
            if mistake == "temperature":
                beta = 1 / beta
            if mistake == "kept":
                f = 1 - f
            if mistake == "first person's":
                beta = params["beta"][0]
            if mistake == "hard-coded":
                f = 0.37
            before = q.copy()
            for t in range(choice.shape[1]):
                c, r = choice[s, t], reward[s, t]
                if t > 0 and block[s, t] != block[s, t - 1] and mistake not in ("blocks ignored", "carried over"):
                    q = np.full(3, {"starts at 0.2": 0.2}.get(mistake, 0.5))
                if mistake == "cast":
                    r = int(r)
                if mistake == "rounded":
                    r = np.round(r)
                if mistake == "previous reward" and t > 0:
                    r = reward[s, t - 1]
                states[s, t] = q
                old_q = q.copy()
                seen = c
                if mistake == "from one":
                    seen = (c + 1) % 3
                if mistake == "from one, clamped, in learning":
                    c = min(c + 1, 2)
                learns = c
                if mistake == "learning first":
                    e = r - q[learns]
                    q = q.copy()
                    q[learns] += (a_pos if e > 0 else a_neg) * e
                    q = (1 - f) * q
                elif mistake == "only the others":
                    e = r - q[learns]
                    new = (1 - f) * q
                    new[learns] = q[learns] + (a_pos if e > 0 else a_neg) * e
                    q = new
                elif mistake == "undecayed error":
                    e = r - q[learns]
                    q = (1 - f) * q
                    q[learns] += (a_pos if e > 0 else a_neg) * e
                else:
                    q = (1 - f) * q
                    e = r - q[learns]
                    q[learns] += (a_pos if e > 0 else a_neg) * e
                if mistake == "first row eaten" and t == 0:
                    q = np.full(3, 0.5)
                values = {"after": q, "too old": before}.get(mistake, old_q)
                before = old_q
                p = softmax(beta * values)
                one_hot = np.eye(3)[seen]
                if mistake == "bernoulli":
                    found[s, t] = np.sum(one_hot * np.log(p) + (1 - one_hot) * np.log(1 - p))
                elif mistake == "no index":
                    found[s, t] = np.log(p.sum())
                else:
                    found[s, t] = np.log(p[seen])
                if mistake in ("first trial dropped", "first row eaten") and t == 0:
                    found[s, t] = 0.0
            carried = q
        if mistake == "over subjects":
            logits = params["beta"][:, None, None] * states
            e = np.exp(logits)
            p = e / e.sum(axis=0, keepdims=True)
            found = np.log(np.take_along_axis(p, choice[..., None], 2)[..., 0])
        if mistake == "whole array":
            e = np.exp(params["beta"][:, None, None] * states)
            found = np.log(np.take_along_axis(e / e.sum(), choice[..., None], 2)[..., 0])
        if mistake == "negative":
            found = -found
        if mistake == "probabilities":
            found = np.exp(found)
        if mistake == "base 10":
            found = found / np.log(10)
        if mistake == "alphabetical":
            found = found[sorted(range(5), key=lambda i: str(BANDIT_SUBJECTS[i]))]
        if mistake == "subject means":
            found = found.mean(axis=1)
        return found

    return old


BANDIT_MISTAKES = {
    "after": "values after the update",
    "too old": "values one trial too old",
    "first trial dropped": "a trial dropped",
    "first row eaten": "a trial dropped",
    "cast": "rewards as whole numbers",
    "rounded": "rewards as whole numbers",
    "previous reward": "another trial's outcome",
    "bernoulli": "Bernoullis on one-hot choices",
    "no index": "no index by the choice",
    "over subjects": "softmax over something else",
    "whole array": "softmax over something else",
    "from one": "codes shifted by one",
    "from one, clamped, in learning": "codes shifted by one",
    "temperature": "temperature for inverse temperature",
    "kept": "kept for forgotten",
    "rates swapped": "parameters swapped",
    "first person's": "somebody else's parameters",
    "learning first": "order of forgetting and learning",
    "only the others": "order of forgetting and learning",
    "undecayed error": "order of forgetting and learning",
    "blocks ignored": "start of values",
    "carried over": "start of values",
    "starts at 0.2": "another initial value",
    "hard-coded": "a parameter that is not used",
    "negative": "sign or factor",
    "probabilities": "probabilities or another base",
    "base 10": "probabilities or another base",
    "alphabetical": "order of subjects",
    "subject means": "means for sums",
}

# Model 2: two stages, each with its own choice; the second stage has a stimulus.


def two_stage_model():
    def choice1(q1, beta):
        return rl.Categorical(logits=beta * q1)

    def choice2(q2, state2, beta):
        return rl.Categorical(logits=beta * q2[state2])

    def update(q1, q2, choice1, state2, choice2, reward, alpha, lamda):
        error1 = q2[state2, choice2] - q1[choice1]
        error2 = reward - q2[state2, choice2]
        return {
            "q1": q1.at[choice1].add(alpha * error1 + alpha * lamda * error2),
            "q2": q2.at[state2, choice2].add(alpha * error2),
        }

    return rl.Model(
        "two_stages",
        parameters={
            "alpha": rl.Parameter(rl.UnitInterval()),
            "beta": rl.Parameter(rl.Positive()),
            "lamda": rl.Parameter(rl.UnitInterval()),
        },
        states={"q1": rl.State("action"), "q2": rl.State("stage", "option")},
        trial={"choice1": choice1, "state2": rl.Index("stage"), "choice2": choice2, "reward": rl.Real()},
        update=update,
        sizes={"action": 2, "stage": 3, "option": 2},
    )


def two_stage_arrays(seed=2, subjects=4, trials=30):
    rng = np.random.default_rng(seed)
    shape = (subjects, trials)
    return {
        "choice1": rng.integers(0, 2, shape), "state2": rng.integers(0, 3, shape),
        "choice2": rng.integers(0, 2, shape), "reward": np.round(rng.uniform(0, 1, shape), 2),
    }  # fmt: skip


def two_stages(choice1, state2, choice2, reward, mistake="", apart=False):
    """Return an old likelihood, a function of parameters: the sum over both choices, or each one apart."""

    def old(params):
        subjects, trials = choice1.shape
        first, second = np.zeros((subjects, trials)), np.zeros((subjects, trials))
        for s in range(subjects):
            q1, q2 = np.zeros(2), np.zeros((3, 2))
            alpha, beta, lamda = params["alpha"][s], params["beta"][s], params["lamda"][s]
            for t in range(trials):
                c1, m, c2, r = choice1[s, t], state2[s, t], choice2[s, t], reward[s, t]
                shown = state2[s, t - 1] if mistake == "previous stimulus" and t > 0 else m
                first[s, t] = np.log(softmax(beta * q1)[c1])
                table = np.exp(beta * q2)
                if mistake == "over stages":
                    second[s, t] = np.log((table / table.sum(axis=0))[m, c2])
                elif mistake == "whole table":
                    second[s, t] = np.log((table / table.sum())[m, c2])
                else:
                    second[s, t] = np.log(softmax(beta * q2[shown])[c2])
                error2 = r - q2[m, c2]
                if mistake == "in turn":
                    q2[m, c2] += alpha * error2
                error1 = q2[m, c2] - q1[c1]
                q1[c1] += alpha * error1 + alpha * lamda * error2
                if mistake not in ("in turn", "second stage never learns"):
                    q2[m, c2] += alpha * error2
        if apart:
            return {"log_likelihood": {"choice1": first, "choice2": second}}
        return first + second

    return old


TWO_STAGE_MISTAKES = {
    "previous stimulus": "another trial's stimulus",
    "over stages": "softmax over something else",
    "whole table": "softmax over something else",
    "in turn": "states learn one after the other",
    "second stage never learns": "a state that never changes",
}

# Model 3: aliens in seasons, a table of values forgotten toward 0.12, blocks.


def season_arrays(seed=3, subjects=4, trials=36):
    rng = np.random.default_rng(seed)
    shape = (subjects, trials)
    return {
        "season": rng.integers(0, 3, shape), "alien": rng.integers(0, 4, shape), "choice": rng.integers(0, 3, shape),
        "reward": np.round(rng.uniform(0, 9, shape), 1),
        "block": np.repeat([[0, 1]], trials // 2, axis=1).reshape(1, -1).repeat(subjects, axis=0),
    }  # fmt: skip


def season_data(season, alien, choice, reward, block):
    return rl.Trials.from_arrays(blocks=block, season=season, alien=alien, choice=choice, reward=reward)


def seasons(season, alien, choice, reward, block, mistake=""):
    """Return an old likelihood, a function of parameters."""

    def old(params):
        found = np.zeros(choice.shape)
        for s in range(choice.shape[0]):
            q = np.full((3, 4, 3), 0.12)
            alpha, beta, f = (params[name][s] for name in ("alpha", "beta", "forgetting"))
            if mistake == "temperature":
                beta = 1 / beta
            for t in range(choice.shape[1]):
                m, a, c, r = season[s, t], alien[s, t], choice[s, t], reward[s, t]
                if t > 0 and block[s, t] != block[s, t - 1] and mistake != "blocks ignored":
                    q = np.full((3, 4, 3), 0.12)
                if mistake == "cast":
                    r = int(r)
                before = q
                if mistake == "learning first":
                    q = q.copy()
                    q[m, a, c] += alpha * (r - q[m, a, c])
                    q = (1 - f) * q + f * 0.12
                else:
                    q = (1 - f) * q + f * 0.12
                    q[m, a, c] += alpha * (r - q[m, a, c])
                if mistake == "first row eaten" and t == 0:
                    q = np.full((3, 4, 3), 0.12)
                values = q if mistake == "after" else before
                shown = (season[s, t - 1], alien[s, t - 1]) if mistake == "previous stimulus" and t > 0 else (m, a)
                p = softmax(beta * values[shown])
                one_hot = np.eye(3)[c]
                if mistake == "bernoulli":
                    found[s, t] = np.sum(one_hot * np.log(p) + (1 - one_hot) * np.log(1 - p))
                elif mistake == "no index":
                    found[s, t] = np.log(p.sum())
                elif mistake == "from one":
                    found[s, t] = np.log(p[(c + 1) % 3])
                elif mistake == "over aliens":
                    table = np.exp(beta * values[m])
                    found[s, t] = np.log((table / table.sum(axis=0))[a, c])
                else:
                    found[s, t] = np.log(p[c])
                if mistake in ("first trial dropped", "first row eaten") and t == 0:
                    found[s, t] = 0.0
        return found

    return old


SEASON_MISTAKES = {
    "after": "values after the update",
    "previous stimulus": "another trial's stimulus",
    "first trial dropped": "a trial dropped",
    "first row eaten": "a trial dropped",
    "cast": "rewards as whole numbers",
    "bernoulli": "Bernoullis on one-hot choices",
    "from one": "codes shifted by one",
    "temperature": "temperature for inverse temperature",
    "over aliens": "softmax over something else",
    "no index": "no index by the choice",
    "learning first": "order of forgetting and learning",
    "blocks ignored": "start of values",
}
