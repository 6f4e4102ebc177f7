"""Guitart-Masip et al. (2012) and Cavanagh et al. (2013): go/no-go."""

import math

from tests.oracles.play import Run, at


def log_p_go(weight, lapse, go):
    """Return the log-probability of going or not: (1 − ξ) / (1 + e^−w) + ξ / 2 is that of going."""
    if go is None:
        return math.nan
    going, not_going = 1.0 / (1.0 + math.exp(-weight)), 1.0 / (1.0 + math.exp(weight))
    return math.log((1.0 - lapse) * (going if go == 1 else not_going) + lapse / 2.0)


def go_no_go(trials, params, n_cues=4):
    """Q[cue, a] += ε (ρ o − Q[cue, a]); W(go) = Q[cue, go], W(no-go) = Q[cue, no-go]."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            q_no, q_go = [0.0] * n_cues, [0.0] * n_cues
        k, go, o = trial["cue"], trial["go"], trial["outcome"]
        run.respond("go", math.nan if go is None else log_p_go(q_go[k] - q_no[k], p["lapse"], go))
        before, error = list(zip(q_no, q_go, strict=True)), math.nan
        if None not in (k, go, o):
            table = q_go if go == 1 else q_no
            error = p["sensitivity"] * o - table[k]
            table[k] = table[k] + p["alpha"] * error
        run.note(q=before, prediction_error=error)
    return run


def go_no_go_bias(trials, params, n_cues=4):
    """As above, with W(go) = Q[cue, go] + b."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            q_no, q_go = [0.0] * n_cues, [0.0] * n_cues
        k, go, o = trial["cue"], trial["go"], trial["outcome"]
        weight = math.nan if k is None else q_go[k] + p["go_bias"] - q_no[k]
        run.respond("go", log_p_go(weight, p["lapse"], go))
        before, error = list(zip(q_no, q_go, strict=True)), math.nan
        if None not in (k, go, o):
            table = q_go if go == 1 else q_no
            error = p["sensitivity"] * o - table[k]
            table[k] = table[k] + p["alpha"] * error
        run.note(q=before, prediction_error=error)
    return run


def go_no_go_pavlovian(trials, params, n_cues=4):
    """W(go) = Q[cue, go] + b + π V[cue], and V[cue] += ε (ρ o − V[cue]) whatever the response."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            q_no, q_go, v = [0.0] * n_cues, [0.0] * n_cues, [0.0] * n_cues
        k, go, o = trial["cue"], trial["go"], trial["outcome"]
        weight = math.nan if k is None else q_go[k] + p["go_bias"] + p["pavlovian_bias"] * v[k] - q_no[k]
        run.respond("go", log_p_go(weight, p["lapse"], go))
        before, before_v, error, error_v = list(zip(q_no, q_go, strict=True)), list(v), math.nan, math.nan
        if k is not None and o is not None:
            error_v = p["sensitivity"] * o - v[k]
            v[k] = v[k] + p["alpha"] * error_v
            if go is not None:
                table = q_go if go == 1 else q_no
                error = p["sensitivity"] * o - table[k]
                table[k] = table[k] + p["alpha"] * error
        run.note(q=before, v=before_v, prediction_error=error, cue_prediction_error=error_v)
    return run


def go_no_go_pavlovian_two_sensitivities(trials, params, n_cues=4):
    """The same with ρ_rew of outcomes from 0 up, and ρ_pun of those below 0."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            q_no, q_go, v = [0.0] * n_cues, [0.0] * n_cues, [0.0] * n_cues
        k, go, o = trial["cue"], trial["go"], trial["outcome"]
        weight = math.nan if k is None else q_go[k] + p["go_bias"] + p["pavlovian_bias"] * v[k] - q_no[k]
        run.respond("go", log_p_go(weight, p["lapse"], go))
        before, before_v = list(zip(q_no, q_go, strict=True)), list(v)
        size = error = error_v = math.nan
        if o is not None:
            size = o * p["sensitivity_punishment"] if o < 0 else o * p["sensitivity_reward"]
            if k is not None:
                error_v = size - v[k]
                v[k] = v[k] + p["alpha"] * error_v
                if go is not None:
                    table = q_go if go == 1 else q_no
                    error = size - table[k]
                    table[k] = table[k] + p["alpha"] * error
        run.note(q=before, v=before_v, effective_outcome=size, prediction_error=error, cue_prediction_error=error_v)
    return run


ORACLES = {
    "go_no_go": go_no_go,
    "go_no_go_three_cues": go_no_go,
    "go_no_go_bias": go_no_go_bias,
    "go_no_go_pavlovian": go_no_go_pavlovian,
    "go_no_go_pavlovian_two_sensitivities": go_no_go_pavlovian_two_sensitivities,
}
