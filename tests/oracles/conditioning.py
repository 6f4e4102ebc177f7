"""Conditioned responses: Rescorla & Wagner (1972), and the hybrid of Li et al. (2011)."""

import math

from tests.oracles.play import Run, at


def _log_normal(x, mean, sd):
    if x is None:
        return math.nan
    return -((x - mean) ** 2) / (2 * sd**2) - math.log(sd * math.sqrt(2 * math.pi))


def conditioned_response(trials, params, n_stimuli=2, initial=0.0):
    """response ~ N(b0 + b1 V[s], σ); then V[s] += α (outcome − V[s])."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            v = [initial] * n_stimuli
        s, x, o = trial["stimulus"], trial["response"], trial["outcome"]
        run.respond("response", math.nan if x is None else _log_normal(x, p["b0"] + p["b1"] * v[s], p["sigma"]))
        before, error = list(v), math.nan
        if s is not None and o is not None:
            error = o - before[s]
            v[s] = before[s] + p["alpha"] * error
        run.note(v=before, prediction_error=error)
    return run


def conditioned_response_pearce_hall(
    trials, params, n_stimuli=2, initial=0.0, initial_associability=1.0, predictor="associability"
):
    """V[s] += κ α[s] δ; α[s] = η |δ| + (1 − η) α[s], both from α before; response ~ N(b0 + b1 α[s] or V[s], σ)."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            v, a = [initial] * n_stimuli, [initial_associability] * n_stimuli
        s, x, o = trial["stimulus"], trial["response"], trial["outcome"]
        if x is None:
            run.respond("response", math.nan)
        else:
            seen = a[s] if predictor == "associability" else v[s]
            run.respond("response", _log_normal(x, p["b0"] + p["b1"] * seen, p["sigma"]))
        old_v, old_a, error = list(v), list(a), math.nan
        if s is not None and o is not None:
            error = o - old_v[s]
            v[s] = old_v[s] + p["alpha"] * old_a[s] * error
            a[s] = p["alpha_associability"] * abs(error) + (1 - p["alpha_associability"]) * old_a[s]
        run.note(v=old_v, associability=old_a, prediction_error=error)
    return run


ORACLES = {
    "conditioned_response": conditioned_response,
    "conditioned_response_pearce_hall": conditioned_response_pearce_hall,
    "conditioned_response_pearce_hall_value": conditioned_response_pearce_hall,
}
