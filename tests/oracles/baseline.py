"""Wilson & Collins (2019), their models 1 and 2: random responding, and noisy win-stay-lose-shift."""

import math

from tests.oracles.play import Run, at


def biased_responding(trials, params):
    """p(0) = b; p(1) = 1 − b."""
    run = Run()
    for t, trial in enumerate(trials):
        b, c = at(params, t)["bias"], trial["choice"]
        run.respond("choice", math.nan if c is None else math.log(b if c == 0 else 1 - b))
    return run


def win_stay_lose_shift(trials, params, n_actions=2, win_above=0.0):
    """With probability 1 − ε the rule, with ε any action: of two, the one that the rule says has 1 − ε/2.

    The rule: after a win the same action again; after a loss another one, each other one alike.
    """
    run = Run()
    for t, trial in enumerate(trials):
        epsilon = at(params, t)["lapse"]
        if trial["start"]:
            last = None  # the last choice of the block whose outcome is known, and whether it won
        rule = []
        for k in range(n_actions):
            if last is None:
                rule.append(1 / n_actions)
            elif last[1]:
                rule.append(1.0 if k == last[0] else 0.0)
            else:
                rule.append(0.0 if k == last[0] else 1 / (n_actions - 1))
        c, r = trial["choice"], trial["reward"]
        run.respond("choice", math.nan if c is None else math.log((1 - epsilon) * rule[c] + epsilon / n_actions))
        run.note(favoured=rule)
        if c is not None and r is not None:
            last = (c, r > win_above)
    return run


ORACLES = {
    "biased_responding": biased_responding,
    "win_stay_lose_shift": win_stay_lose_shift,
    "win_stay_lose_shift_4": win_stay_lose_shift,
}
