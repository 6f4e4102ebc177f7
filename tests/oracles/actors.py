"""Actor–critics: Barto, Sutton & Anderson (1983), and the opponent actors of Collins & Frank (2014)."""

import math

from tests.oracles.play import Run, at, log_p


def actor_critic(trials, params, n_actions=2, n_stimuli=1, initial=0.0):
    """δ = r − V[s]; V[s] += α_C δ; W[s][a] += α_A δ; p = softmax(W[s])."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            v = [initial] * n_stimuli
            w = [[0.0] * n_actions for _ in range(n_stimuli)]
        s, a, r = trial.get("stimulus", 0), trial["choice"], trial["reward"]
        run.respond("choice", math.nan if a is None else log_p(w[s], a))
        before_v, before_w, error = list(v), [list(row) for row in w], math.nan
        if s is not None and r is not None:
            error = r - v[s]
            v[s] += p["alpha_critic"] * error
            if a is not None:
                w[s][a] += p["alpha_actor"] * error
        run.note(v=before_v, weight=before_w, prediction_error=error)
    return run


def opal(trials, params, n_actions=2, n_stimuli=1, initial=0.0, critic="stimulus", rectified=False):
    """V += α_C δ; G[a] += (α_G G[a]) δ; N[a] += (α_N N[a]) (−δ); p = softmax(β_G G − β_N N).

    The critic judges the stimulus, or the action at the stimulus. Rectified: no G or N below 0.
    """
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            # The critic of stimuli keeps one entry a stimulus, that of actions one an action, too.
            v = [[initial] * (n_actions if critic == "action" else 1) for _ in range(n_stimuli)]
            g = [[1.0] * n_actions for _ in range(n_stimuli)]
            n = [[1.0] * n_actions for _ in range(n_stimuli)]
        s, a, r = trial.get("stimulus", 0), trial["choice"], trial["reward"]
        if a is None:
            run.respond("choice", math.nan)
        else:
            act = [p["beta_go"] * g[s][k] - p["beta_no_go"] * n[s][k] for k in range(n_actions)]
            run.respond("choice", log_p(act, a))
        noted = {
            "v": [list(row) if critic == "action" else row[0] for row in v],
            "go": [list(row) for row in g],
            "no_go": [list(row) for row in n],
        }
        delta, entry = math.nan, a if critic == "action" else 0
        if None not in (s, r, entry):
            delta = r - v[s][entry]
            v[s][entry] += p["alpha_critic"] * delta
            if a is not None:
                g[s][a] += p["alpha_go"] * g[s][a] * delta
                n[s][a] += p["alpha_no_go"] * n[s][a] * -delta
                if rectified:
                    g[s][a], n[s][a] = max(g[s][a], 0.0), max(n[s][a], 0.0)
        run.note(**noted, prediction_error=delta)
    return run


ORACLES = {
    "actor_critic": actor_critic,
    "actor_critic_stimuli": actor_critic,
    "opal": opal,
    "opal_stimuli": opal,
    "opal_action_critic": opal,
    "opal_rectified": opal,
}
