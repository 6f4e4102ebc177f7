"""Gläscher et al. (2009), with one rate and with two, and den Ouden et al. (2013) after Camerer & Ho (1999)."""

import math

from tests.oracles.play import Run, at, log_p


def _log_p_logistic(v, p, indecision_point, choice):
    """p(0) = 1 / (1 + exp(β (α − (V0 − V1)))), and p(1) = 1 − p(0)."""
    if choice is None:
        return math.nan
    x = p["beta"] * ((p["indecision_point"] if indecision_point else 0.0) - (v[0] - v[1]))
    x = x if choice == 0 else -x
    return -math.log1p(math.exp(x))


def _fictitious(trials, params, indecision_point, rate):
    """V[c] += η (o − V[c]); V[other] += η (−o − V[other])."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            v = [0.0, 0.0]
        c, o = trial["choice"], trial["reward"]
        run.respond("choice", _log_p_logistic(v, p, indecision_point, c))
        before, error, fictitious = list(v), math.nan, math.nan
        if c is not None and o is not None:
            other = 1 if c == 0 else 0
            error = o - v[c]
            fictitious = -o - v[other]
            eta = rate(p, error)
            v[c], v[other] = v[c] + eta * error, v[other] + eta * fictitious
        run.note(q=before, prediction_error=error, fictitious_error=fictitious)
    return run


def fictitious_update(trials, params, indecision_point=True):
    """One rate η."""
    return _fictitious(trials, params, indecision_point, lambda p, error: p["alpha"])


def fictitious_update_two_rates(trials, params, indecision_point=True):
    """η⁺ for both actions if the chosen one's error is above 0, else η⁻ for both."""

    def rate(p, error):
        if error > 0:
            return p["alpha_pos"]
        return p["alpha_neg"]

    return _fictitious(trials, params, indecision_point, rate)


def experience_weighted_attraction(trials, params, initial_experience=0.0):
    """n_new = ρ n_old + 1; V[c] = (φ n_old V[c] + o) / n_new; p = softmax(β V)."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            v, n = [0.0, 0.0], [initial_experience, initial_experience]
        c, o = trial["choice"], trial["reward"]
        run.respond("choice", log_p([p["beta"] * value for value in v], c))
        run.note(q=v, experience=n)
        if c is not None:
            old = n[c]
            n[c] = p["experience_retention"] * old + 1
            if o is not None:
                v[c] = (p["payoff_retention"] * old * v[c] + o) / n[c]
    return run


ORACLES = {
    "fictitious_update": fictitious_update,
    "fictitious_update_without": fictitious_update,
    "fictitious_update_two_rates": fictitious_update_two_rates,
    "fictitious_update_two_rates_without": fictitious_update_two_rates,
    "experience_weighted_attraction": experience_weighted_attraction,
    "experience_weighted_attraction_from_1": experience_weighted_attraction,
}
