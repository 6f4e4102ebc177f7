"""Rescorla & Wagner (1972), with one rate and with two."""

import math

from tests.oracles.play import Run, at, log_p


def rescorla_wagner(trials, params, n_actions=2, initial=0.0):
    """Q[c] += α (r − Q[c]); p = softmax(β Q)."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            q = [initial] * n_actions
        c, r = trial["choice"], trial["reward"]
        run.respond("choice", log_p([p["beta"] * value for value in q], c))
        before, error = list(q), math.nan
        if c is not None and r is not None:
            error = r - before[c]
            q[c] = before[c] + p["alpha"] * error
        run.note(q=before, prediction_error=error)
    return run


def rescorla_wagner_two_rates(trials, params, n_actions=2, initial=0.0):
    """Q[c] += α⁺ δ if δ = r − Q[c] is above 0, else α⁻ δ; p = softmax(β Q)."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            q = [initial] * n_actions
        c, r = trial["choice"], trial["reward"]
        run.respond("choice", log_p([p["beta"] * value for value in q], c))
        before, error = list(q), math.nan
        if c is not None and r is not None:
            error = r - before[c]
            if error > 0:
                q[c] = before[c] + p["alpha_pos"] * error
            else:
                q[c] = before[c] + p["alpha_neg"] * error
        run.note(q=before, prediction_error=error)
    return run


ORACLES = {"rescorla_wagner": rescorla_wagner, "rescorla_wagner_3": rescorla_wagner, "rescorla_wagner_two_rates": rescorla_wagner_two_rates}
