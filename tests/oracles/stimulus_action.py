"""The flat model of the aliens thread: a table of values, forgotten toward where they started."""

import math

import numpy as np

from tests.oracles.play import Run, at, log_p


def aliens(trials, params, n_seasons=3, n_aliens=4, n_actions=3, initial=0.12):
    """Q ← (1 − f) Q + f Q0 for all entries; then Q[s, x, c] += α (r − Q[s, x, c]); p = softmax(β Q[s, x])."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            q = np.full((n_seasons, n_aliens, n_actions), initial)
        s, x, c, r = trial["season"], trial["alien"], trial["choice"], trial["reward"]
        run.respond("choice", math.nan if c is None else log_p([p["beta"] * float(v) for v in q[s, x]], c))
        before, error = q, math.nan
        if None not in (s, x, c, r):  # else nothing is learnt and nothing forgotten
            q = (1 - p["forgetting"]) * before + p["forgetting"] * initial
            error = r - q[s, x, c]
            q[s, x, c] += p["alpha"] * error
        run.note(q=before, prediction_error=error)
    return run


ORACLES = {"aliens": aliens}
