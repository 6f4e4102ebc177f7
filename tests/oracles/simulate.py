"""Random trials with what real data have: blocks, missing choices, missing rewards. No model plays them.

Everything is drawn from a `random.Random`, whose ``random`` gives the same numbers in every version of
Python.
"""


def _integer(rng, n):
    return int(rng.random() * n)


def _reward(rng):
    """Return a reward of two decimals, about as often below 0 as above 1."""
    return round(3 * rng.random() - 1, 2)


def _missing(rng, share=0.15):
    return rng.random() < share


def _starts(rng, t):
    return t == 0 or rng.random() < 0.15


def bandit(n_actions):
    """Trials with a choice and a reward, which are missing one without the other, too."""

    def simulate(rng, n_trials):
        return [
            {
                "start": _starts(rng, t),
                "choice": None if _missing(rng) else _integer(rng, n_actions),
                "reward": None if _missing(rng) else _reward(rng),
            }
            for t in range(n_trials)
        ]

    return simulate


def aliens(n_seasons, n_aliens, n_actions):
    """Trials with a season that changes seldom, an alien, a choice and a reward."""

    def simulate(rng, n_trials):
        trials, season = [], _integer(rng, n_seasons)
        for t in range(n_trials):
            if rng.random() < 0.2:
                season = _integer(rng, n_seasons)
            trial = {
                "start": _starts(rng, t),
                "season": None if _missing(rng, 0.1) else season,
                "alien": None if _missing(rng, 0.1) else _integer(rng, n_aliens),
                "choice": None if _missing(rng, 0.1) else _integer(rng, n_actions),
                "reward": None if _missing(rng, 0.1) else _reward(rng),
            }
            if None in (trial["season"], trial["alien"]):
                trial["choice"] = None  # it would need what it was made in
            trials.append(trial)
        return trials

    return simulate


def two_step():
    """Trials of two stages, of which the second, or a part of it, is missing at times, and the first, too."""

    def simulate(rng, n_trials):
        trials = []
        for t in range(n_trials):
            trial = {
                "start": _starts(rng, t),
                "choice1": None if _missing(rng) else _integer(rng, 2),
                "state2": None if _missing(rng, 0.1) else _integer(rng, 2),
                "choice2": None if _missing(rng, 0.1) else _integer(rng, 2),
                "reward": None if _missing(rng, 0.1) else _reward(rng),
            }
            if trial["state2"] is None:
                trial["choice2"] = None
            trials.append(trial)
        return trials

    return simulate
