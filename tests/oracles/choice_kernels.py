"""Wilson & Collins (2019), their model 5: Rescorla–Wagner and a choice kernel."""

import math

from tests.oracles.play import Run, at, log_p


def perseveration(trials, params, n_actions=2, initial=0.0):
    """Q[c] += α (r − Q[c]); CK[k] += α_c (a_k − CK[k]), a_k = 1 if k = c, else 0; p = softmax(β Q + κ CK)."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            q = [initial] * n_actions
            ck = [0.0] * n_actions
        c, r = trial["choice"], trial["reward"]
        run.respond("choice", log_p([p["beta"] * q[k] + p["kappa"] * ck[k] for k in range(n_actions)], c))
        q_before, ck_before, error = list(q), list(ck), math.nan
        if c is not None:  # the kernel needs the choice only
            for k in range(n_actions):
                a_k = 1.0 if k == c else 0.0
                ck[k] = ck_before[k] + p["alpha_kernel"] * (a_k - ck_before[k])
        if c is not None and r is not None:
            error = r - q_before[c]
            q[c] = q_before[c] + p["alpha"] * error
        run.note(q=q_before, choice_kernel=ck_before, prediction_error=error)
    return run


ORACLES = {"perseveration": perseveration}
