"""Wilson & Collins (2019), their models 4 and 5: a choice kernel, alone and with Rescorla–Wagner."""

import math

from tests.oracles.play import Run, at, log_p, log_p_lapsing


def choice_kernel(trials, params, n_actions=2):
    """CK[k] += α_c (a_k − CK[k]), a_k = 1 if k = c, else 0; p = softmax(β_c CK)."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            ck = [0.0] * n_actions
        c = trial["choice"]
        run.respond("choice", log_p([p["kappa"] * value for value in ck], c))
        run.note(choice_kernel=list(ck))
        if c is not None:
            ck = [ck[k] + p["alpha_kernel"] * ((1.0 if k == c else 0.0) - ck[k]) for k in range(n_actions)]
    return run


def perseveration(trials, params, n_actions=2, initial=0.0, lapse=False):
    """Q[c] += α (r − Q[c]); CK[k] += α_c (a_k − CK[k]), a_k = 1 if k = c, else 0; p = softmax(β Q + κ CK).

    With lapses p = (1 − ξ) softmax(β Q + κ CK) + ξ/K.
    """
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            q = [initial] * n_actions
            ck = [0.0] * n_actions
        c, r = trial["choice"], trial["reward"]
        logits = [p["beta"] * q[k] + p["kappa"] * ck[k] for k in range(n_actions)]
        run.respond("choice", log_p_lapsing(logits, c, p["lapse"]) if lapse else log_p(logits, c))
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


ORACLES = {
    "choice_kernel": choice_kernel,
    "perseveration": perseveration,
    "perseveration_lapse": perseveration,
}
