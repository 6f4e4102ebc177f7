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


def two_step_six(trials, params, transition=0.7, last_step="before"):
    """λ = 1: Q1[a1] += α1 (Q2[s,a2] − Q1[a1]); Q2[s,a2] += α2 (r − Q2[s,a2]); Q1[a1] += α1 (r − Q2[s,a2])."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            left, right, q2, last = 0.0, 0.0, {(j, k): 0.0 for j in (0, 1) for k in (0, 1)}, None
        a1, s, a2, r = trial["choice1"], trial["state2"], trial["choice2"], trial["reward"]

        top0, top1 = max(q2[0, 0], q2[0, 1]), max(q2[1, 0], q2[1, 1])
        value0 = p["w"] * (transition * top0 + (1 - transition) * top1) + (1 - p["w"]) * left
        value1 = p["w"] * ((1 - transition) * top0 + transition * top1) + (1 - p["w"]) * right
        stay0, stay1 = p["stay"] * (last == 0), p["stay"] * (last == 1)
        run.respond("choice1", log_p([p["beta1"] * value0 + stay0, p["beta1"] * value1 + stay1], a1))
        run.respond("choice2", math.nan if a2 is None else log_p([p["beta2"] * q2[s, k] for k in (0, 1)], a2))

        run.note(q1=[left, right], q2=[[q2[0, 0], q2[0, 1]], [q2[1, 0], q2[1, 1]]])
        run.note(previous=[float(last == 0), float(last == 1)])
        reached = None if s is None or a2 is None else q2[s, a2]
        mine = right if a1 == 1 else left
        error1 = math.nan if a1 is None or reached is None else reached - mine
        error2 = math.nan if r is None or reached is None else r - reached
        run.note(prediction_error1=error1, prediction_error2=error2)
        if r is not None and reached is not None:
            q2[s, a2] = reached + p["alpha2"] * error2
            if a1 is not None:
                mine = mine + p["alpha1"] * error1
                mine = mine + p["alpha1"] * (r - (reached if last_step == "before" else q2[s, a2]))
                left, right = (left, mine) if a1 == 1 else (mine, right)
        last = last if a1 is None else a1
    return run


def two_step_four(trials, params, transition=0.7, last_step="before"):
    """λ = 1, α1 = α2 = α and β1 = β2 = β."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            q, last = {}, None  # values of a1, and of (s, a2); those not yet tried are 0
        a1, s, a2, r = trial["choice1"], trial["state2"], trial["choice2"], trial["reward"]
        first = [q.get(k, 0.0) for k in (0, 1)]
        second = [[q.get((j, k), 0.0) for k in (0, 1)] for j in (0, 1)]

        logits = []
        for k in (0, 1):
            mb = sum((transition if j == k else 1 - transition) * max(second[j]) for j in (0, 1))
            net = p["w"] * mb + (1 - p["w"]) * first[k]
            logits.append(p["beta"] * net + (p["stay"] if last == k else 0.0))
        run.respond("choice1", log_p(logits, a1))
        run.respond("choice2", math.nan if a2 is None else log_p([p["beta"] * x for x in second[s]], a2))

        error1 = error2 = math.nan
        if None not in (s, a2, r):
            error2 = r - second[s][a2]
            q[s, a2] = second[s][a2] + p["alpha"] * error2
            if a1 is not None:
                target = second[s][a2] if last_step == "before" else q[s, a2]
                q[a1] = first[a1] + p["alpha"] * (second[s][a2] - first[a1]) + p["alpha"] * (r - target)
        if None not in (a1, s, a2):
            error1 = second[s][a2] - first[a1]
        repeat = [1.0 if last == k else 0.0 for k in (0, 1)]
        run.note(q1=first, q2=second, previous=repeat, prediction_error1=error1, prediction_error2=error2)
        if a1 is not None:
            last = a1
    return run


ORACLES = {
    "two_step": two_step,
    "two_step_after": two_step,
    "two_step_six": two_step_six,
    "two_step_six_after": two_step_six,
    "two_step_four": two_step_four,
    "two_step_four_after": two_step_four,
}
