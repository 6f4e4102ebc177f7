"""Compare one subject's trials, worked out on paper, with the oracle and with the reference backend."""

import numpy as np

import rlbackends as rl
from rlbackends.testing import assert_close
from rlbackends.testing.trials import as_trials
from tests.oracles.cases import ORACLES
from tests.oracles.play import play_all


def assert_by_hand(name, trials, params, expected, trajectories=None, **settings):
    """Assert that the oracle and the reference backend both give what was worked out.

    Parameters
    ----------
    name : str
        The model.
    trials : list of dict
        One block of one subject: event → value, or None.
    params : dict
        Parameter → number.
    expected : dict
        Response → its probability (its density, of a continuous one) on each trial; NaN where it is missing.
    trajectories : dict, optional
        State or record → its value on each trial, for those that were worked out.
    **settings
        Of the model.
    """
    subjects = [[{"start": t == 0, **trial} for t, trial in enumerate(trials)]]
    wanted = {response: np.log([p]) for response, p in expected.items()}
    states = {key: np.array([values], dtype=float) for key, values in (trajectories or {}).items()}
    log_likelihood, played = play_all(ORACLES[name], subjects, params, **settings)
    assert_close(log_likelihood, wanted, "log_likelihood")
    assert_close({key: played[key] for key in states}, states, "trajectories")
    model = rl.catalogue.MODELS[name](**settings)
    compiled = rl.compile(model, as_trials(model, subjects))
    assert_close(compiled.log_likelihood(params), wanted, "log_likelihood")
    found = compiled.trajectories(params)
    assert_close({key: found[key] for key in states}, states, "trajectories")


def bandit(*trials):
    """Return trials from pairs of choice and reward."""
    return [{"choice": choice, "reward": reward} for choice, reward in trials]
