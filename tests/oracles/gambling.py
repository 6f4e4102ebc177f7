"""The gambling task: Ahn et al. (2008), Worthy et al. (2013) and Haines et al. (2018)."""

import math

from tests.oracles.play import Run, at, log_p


def prospect(x, shape, loss_aversion):
    """Return u = x^α of a gain, −λ (−x)^α of a loss."""
    if x is None:
        return math.nan
    if x == 0:
        return 0.0
    return math.pow(x, shape) if x > 0 else -loss_aversion * math.pow(-x, shape)


def pvl_delta(trials, params, n_actions=4):
    """Q[c] += A (u − Q[c]); p = softmax((3^c − 1) Q)."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            ev = [0.0] * n_actions
        c, x = trial["choice"], trial["outcome"]
        theta = 3 ** p["consistency"] - 1
        run.respond("choice", log_p([theta * v for v in ev], c))
        before, u, error = list(ev), prospect(x, p["sensitivity"], p["loss_aversion"]), math.nan
        if c is not None and x is not None:
            error = u - before[c]
            ev[c] = before[c] + p["alpha"] * error
        run.note(q=before, utility=u, prediction_error=error)
    return run


def pvl_decay(trials, params, n_actions=4):
    """Q[j] = A Q[j] + u if j was chosen, A Q[j] if not; p = softmax((3^c − 1) Q)."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            ev = [0.0] * n_actions
        c, x = trial["choice"], trial["outcome"]
        theta = 3 ** p["consistency"] - 1
        run.respond("choice", log_p([theta * v for v in ev], c))
        before, u = list(ev), prospect(x, p["sensitivity"], p["loss_aversion"])
        if c is not None and x is not None:
            ev = [p["retention"] * v + (u if j == c else 0.0) for j, v in enumerate(before)]
        run.note(q=before, utility=u)
    return run


def vpp(trials, params, n_actions=4):
    """Q[c] += A (u − Q[c]); P[j] = K P[j], P[c] += ε⁺ or ε⁻; p = softmax((3^c − 1) (ω Q + (1 − ω) P))."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            ev, pers = [0.0] * n_actions, [0.0] * n_actions
        c, x = trial["choice"], trial["outcome"]
        theta, w = 3 ** p["consistency"] - 1, p["w"]
        run.respond("choice", log_p([theta * (w * ev[j] + (1 - w) * pers[j]) for j in range(n_actions)], c))
        ev0, pers0 = list(ev), list(pers)
        u, error = prospect(x, p["sensitivity"], p["loss_aversion"]), math.nan
        if c is not None and x is not None:
            error = u - ev0[c]
            ev[c] = ev0[c] + p["alpha"] * error
            pers = [p["retention"] * v for v in pers0]
            pers[c] += p["stay_neg"] if x < 0 else p["stay_pos"]
        run.note(q=ev0, perseverance=pers0, utility=u, prediction_error=error)
    return run


def orl(trials, params, n_actions=4):
    """EV[c] += A (x − EV[c]); EF[c] += A (s − EF[c]); EF[j] += A' (−s / (C − 1) − EF[j]) of the others.

    A is A_rew and A' is A_pun if x ≥ 0, the reverse if x < 0. PS = 1 / (1 + K) of the chosen, PS / (1 + K) of the
    others, K = 3^K' − 1. p = softmax(EV + β_F EF + β_P PS).
    """
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            ev, ef, ps = [0.0] * n_actions, [0.0] * n_actions, [0.0] * n_actions
        c, x = trial["choice"], trial["outcome"]
        v = [ev[j] + p["frequency_weight"] * ef[j] + p["perseverance_weight"] * ps[j] for j in range(n_actions)]
        run.respond("choice", log_p(v, c))
        run.note(q=list(ev), frequency=list(ef), perseverance=list(ps))
        value_error = frequency_error = math.nan
        if c is not None and x is not None:
            s = 0 if x == 0 else math.copysign(1, x)
            chosen, fictive = (p["alpha_pos"], p["alpha_neg"]) if x >= 0 else (p["alpha_neg"], p["alpha_pos"])
            value_error, frequency_error = x - ev[c], s - ef[c]
            ev[c] += chosen * value_error
            for j in range(n_actions):
                if j == c:
                    ef[j] += chosen * frequency_error
                else:
                    ef[j] += fictive * (-s / (n_actions - 1) - ef[j])
        if c is not None:
            k = 3 ** p["decay"] - 1
            ps = [(1.0 if j == c else ps[j]) / (1 + k) for j in range(n_actions)]
        run.note(prediction_error=value_error, frequency_prediction_error=frequency_error)
    return run


ORACLES = {"pvl_delta": pvl_delta, "pvl_decay": pvl_decay, "vpp": vpp, "orl": orl, "orl_3": orl}
