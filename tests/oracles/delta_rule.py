"""Delta rules after Rescorla & Wagner (1972): one rate or two, with and without forgetting.

``lapse``: whether a share ξ of choices is a guess, p = (1 − ξ) softmax + ξ/K.
"""

import math

from tests.oracles.play import Run, at, log_p, log_p_lapsing


def respond(run, logits, choice, p, lapse):
    """Note the choice's log-likelihood."""
    run.respond("choice", log_p_lapsing(logits, choice, p["lapse"]) if lapse else log_p(logits, choice))


def rescorla_wagner(trials, params, n_actions=2, initial=0.0, lapse=False):
    """Q[c] += α (r − Q[c]); p = softmax(β Q)."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            q = [initial] * n_actions
        c, r = trial["choice"], trial["reward"]
        respond(run, [p["beta"] * value for value in q], c, p, lapse)
        before, error = list(q), math.nan
        if c is not None and r is not None:
            error = r - before[c]
            q[c] = before[c] + p["alpha"] * error
        run.note(q=before, prediction_error=error)
    return run


def rescorla_wagner_two_rates(trials, params, n_actions=2, initial=0.0, lapse=False):
    """Q[c] += α⁺ δ if δ = r − Q[c] is above 0, else α⁻ δ; p = softmax(β Q)."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            q = [initial] * n_actions
        c, r = trial["choice"], trial["reward"]
        respond(run, [p["beta"] * value for value in q], c, p, lapse)
        before, error = list(q), math.nan
        if c is not None and r is not None:
            error = r - before[c]
            if error > 0:
                q[c] = before[c] + p["alpha_pos"] * error
            else:
                q[c] = before[c] + p["alpha_neg"] * error
        run.note(q=before, prediction_error=error)
    return run


def rescorla_wagner_outcome_rates(trials, params, n_actions=2, initial=0.0, lapse=False):
    """Q[c] += α⁺ (r − Q[c]) after a reward, r > 0, and α⁻ (r − Q[c]) after anything else; p = softmax(β Q)."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            q = [initial] * n_actions
        c, r = trial["choice"], trial["reward"]
        respond(run, [p["beta"] * value for value in q], c, p, lapse)
        before, error = list(q), math.nan
        if c is not None and r is not None:
            error = r - before[c]
            if r > 0:
                q[c] = before[c] + p["alpha_pos"] * error
            else:
                q[c] = before[c] + p["alpha_neg"] * error
        run.note(q=before, prediction_error=error)
    return run


def rescorla_wagner_forgetting(trials, params, n_actions=2, initial=0.0, lapse=False):
    """Q ← Q + φ (Q0 − Q), every action; then Q[c] += α (r − Q[c]); p = softmax(β Q) before both."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            q = [initial] * n_actions
        c, r = trial["choice"], trial["reward"]
        respond(run, [p["beta"] * value for value in q], c, p, lapse)
        before, error = list(q), math.nan
        if c is not None and r is not None:
            for k in range(n_actions):
                q[k] = q[k] + p["forgetting"] * (initial - q[k])
            error = r - q[c]
            q[c] = q[c] + p["alpha"] * error
        run.note(q=before, prediction_error=error)
    return run


def rescorla_wagner_forgetting_unchosen(trials, params, n_actions=2, initial=0.0, lapse=False):
    """Q[c] += α (r − Q[c]); Q[k] += φ (Q0 − Q[k]) for k ≠ c; p = softmax(β Q)."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            q = [initial] * n_actions
        c, r = trial["choice"], trial["reward"]
        respond(run, [p["beta"] * value for value in q], c, p, lapse)
        before, error = list(q), math.nan
        if c is not None and r is not None:
            error = r - before[c]
            for k in range(n_actions):
                if k == c:
                    q[k] = before[k] + p["alpha"] * error
                else:
                    q[k] = before[k] + p["forgetting"] * (initial - before[k])
        run.note(q=before, prediction_error=error)
    return run


ORACLES = {
    "rescorla_wagner": rescorla_wagner,
    "rescorla_wagner_3": rescorla_wagner,
    "rescorla_wagner_lapse": rescorla_wagner,
    "rescorla_wagner_two_rates": rescorla_wagner_two_rates,
    "rescorla_wagner_two_rates_lapse": rescorla_wagner_two_rates,
    "rescorla_wagner_outcome_rates": rescorla_wagner_outcome_rates,
    "rescorla_wagner_outcome_rates_lapse": rescorla_wagner_outcome_rates,
    "rescorla_wagner_forgetting": rescorla_wagner_forgetting,
    "rescorla_wagner_forgetting_lapse": rescorla_wagner_forgetting,
    "rescorla_wagner_forgetting_unchosen": rescorla_wagner_forgetting_unchosen,
    "rescorla_wagner_forgetting_unchosen_lapse": rescorla_wagner_forgetting_unchosen,
}
