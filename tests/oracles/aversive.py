"""Browning et al. (2015): one probability of two shapes; and the two values that hBayesDM calls alt_gamma."""

import math

from tests.oracles.play import Run, at, log_p


def _f(p, r):
    """F(r, γ) = max(min(γ (r − 0.5) + 0.5, 1), 0)."""
    return max(min(p["risk_preference"] * (r - 0.5) + 0.5, 1.0), 0.0)


def aversive_delta(trials, params):
    """r += A (o − r), from 0.5; g = (F(r) m0, F(1 − r) m1); p = softmax(−β g)."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            r = 0.5
        m, c, o = trial["punishment"], trial["choice"], trial["outcome"]
        if c is None:
            run.respond("choice", math.nan)
        else:
            g = [_f(p, r) * m[0], _f(p, 1 - r) * m[1]]
            run.respond("choice", log_p([-p["beta"] * value for value in g], c))
        before, error = r, math.nan
        if o is not None:
            error = o - r
            r = r + p["alpha"] * error
        run.note(belief=before, prediction_error=error)
    return run


def aversive_gamma(trials, params):
    """p = softmax(−β g), g from 0; then V[c] += A (s − V[c]), from 0, and g[c] = F(V[c]) m[c]."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            v, g = [0.0, 0.0], [0.0, 0.0]
        m, c, s = trial["punishment"], trial["choice"], trial["shock"]
        run.respond("choice", log_p([-p["beta"] * value for value in g], c))
        run.note(q=v, expected_shock=g)
        error = math.nan
        if c is not None and s is not None:
            error = s - v[c]
            v[c] = v[c] + p["alpha"] * error
            if m is not None and m[c] is not None:
                g[c] = _f(p, v[c]) * m[c]
        run.note(prediction_error=error)
    return run


ORACLES = {"aversive_delta": aversive_delta, "aversive_gamma": aversive_gamma}
