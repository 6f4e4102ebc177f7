"""Li et al. (2011): the hybrid of Rescorla–Wagner and Pearce–Hall, for actions instead of cues."""

import math

from tests.oracles.play import Run, at, log_p


def pearce_hall(trials, params, n_actions=2, initial=0.0, initial_associability=1.0):
    """δ = r − V[c]; V[c] += κ A[c] δ; A[c] ← η |δ| + (1 − η) A[c]; V learns with A before; p = softmax(β V)."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            a0 = p["initial_associability"] if initial_associability is None else initial_associability
            v, a = [initial] * n_actions, [a0] * n_actions
        c, r = trial["choice"], trial["reward"]
        run.respond("choice", log_p([p["beta"] * value for value in v], c))
        v_before, a_before, delta = list(v), list(a), math.nan
        if c is not None and r is not None:
            kappa, eta = p["alpha"], p["alpha_associability"]
            delta = r - v[c]
            v[c] += kappa * a[c] * delta
            a[c] = eta * abs(delta) + (1 - eta) * a[c]
        run.note(q=v_before, associability=a_before, prediction_error=delta)
    return run


ORACLES = {"pearce_hall": pearce_hall, "pearce_hall_fitted_start": pearce_hall, "pearce_hall_3": pearce_hall}
