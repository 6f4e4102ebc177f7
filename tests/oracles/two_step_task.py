"""Daw et al. (2011): model-based and model-free values mixed."""

import math

from tests.oracles.play import Run, at, log_p


def two_step(trials, params, transition=0.7, last_step="before"):
    """Q1[a1] += α1 (Q2[s,a2] − Q1[a1]); Q2[s,a2] += α2 (r − Q2[s,a2]); Q1[a1] += λ α1 (r − Q2[s,a2]).

    p1 = softmax(β1 (w MB + (1 − w) Q1) + π rep), MB[a] = Σ_s P(s|a) max Q2[s], p2 = softmax(β2 Q2[s]). The
    last step takes the Q2 from before the second ("before") or from after it ("after").
    """
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            q1, q2, repeat = [0.0, 0.0], [[0.0, 0.0], [0.0, 0.0]], [0.0, 0.0]
        a1, s, a2, r = trial["choice1"], trial["state2"], trial["choice2"], trial["reward"]

        best = [max(q2[0]), max(q2[1])]
        mb = [
            transition * best[0] + (1 - transition) * best[1],
            (1 - transition) * best[0] + transition * best[1],
        ]
        net = [p["w"] * mb[k] + (1 - p["w"]) * q1[k] for k in (0, 1)]
        run.respond("choice1", log_p([p["beta1"] * net[k] + p["stay"] * repeat[k] for k in (0, 1)], a1))
        run.respond("choice2", math.nan if a2 is None else log_p([p["beta2"] * v for v in q2[s]], a2))

        now = {"q1": list(q1), "q2": [list(row) for row in q2], "previous": list(repeat)}
        error1 = error2 = math.nan
        if None not in (s, a2, r):
            old = q2[s][a2]
            error2 = r - old
            q2[s][a2] = old + p["alpha2"] * error2
            if a1 is not None:
                last = old if last_step == "before" else q2[s][a2]
                q1[a1] = q1[a1] + p["alpha1"] * (old - q1[a1])
                q1[a1] = q1[a1] + p["eligibility"] * p["alpha1"] * (r - last)
        if None not in (a1, s, a2):
            error1 = now["q2"][s][a2] - now["q1"][a1]
        if a1 is not None:
            repeat = [1.0, 0.0] if a1 == 0 else [0.0, 1.0]
        run.note(**now, prediction_error1=error1, prediction_error2=error2)
    return run


ORACLES = {"two_step": two_step, "two_step_after": two_step}
