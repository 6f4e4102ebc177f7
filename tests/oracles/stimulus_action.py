"""Models with a value for each action in each situation: tables, a working memory, pairs of stimuli."""

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


def stimulus_action_learning(trials, params, n_stimuli=6, n_actions=3, initial=None):
    """Q[s, c] += α (r − Q[s, c]); p = softmax(β Q[s]); Q starts at one over the number of actions."""
    run = Run()
    q0 = 1 / n_actions if initial is None else initial
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            q = [[q0] * n_actions for _ in range(n_stimuli)]
        s, c, r = trial["stimulus"], trial["choice"], trial["reward"]
        run.respond("choice", math.nan if c is None else log_p([p["beta"] * value for value in q[s]], c))
        run.note(q=q)
        error = math.nan
        if None not in (s, c, r):
            error = r - q[s][c]
            q[s][c] += p["alpha"] * error
        run.note(prediction_error=error)
    return run


def rl_working_memory(trials, params, n_stimuli=6, n_actions=3, beta_wm=None):
    """A slow table and a fast one, mixed (Collins et al., 2014).

    w = ρ min(1, C/n); p = (1 − ε) (w softmax(β WM[s]) + (1 − w) softmax(β Q[s])) + ε/K.
    Q[s, c] += α (r − Q[s, c]); WM ← WM + φ (1/K − WM) for all entries, then WM[s, c] ← r.
    """
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            q = [[1 / n_actions] * n_actions for _ in range(n_stimuli)]
            wm = [[1 / n_actions] * n_actions for _ in range(n_stimuli)]
        n, s, c, r = trial["set_size"], trial["stimulus"], trial["choice"], trial["reward"]
        weight = math.nan if n is None else p["rho"] * min(1.0, p["capacity"] / n)
        found = math.nan
        if c is not None:
            sharp = p["beta"] if beta_wm is None else beta_wm
            remembered = math.exp(log_p([sharp * value for value in wm[s]], c))
            learnt = math.exp(log_p([p["beta"] * value for value in q[s]], c))
            mixed = weight * remembered + (1 - weight) * learnt
            found = math.log((1 - p["lapse"]) * mixed + p["lapse"] / n_actions)
        run.respond("choice", found)
        run.note(q=q, wm=wm, wm_weight=weight)
        error = math.nan
        if None not in (s, c, r):
            error = r - q[s][c]
            q[s][c] += p["alpha"] * error
            wm = [[value + p["forgetting"] * (1 / n_actions - value) for value in row] for row in wm]
            wm[s][c] = r
        run.note(prediction_error=error)
    return run


def probabilistic_selection(trials, params, n_stimuli=6, initial=0.5):
    """Frank et al. (2007): Q[i] += α⁺ [r − Q[i]]₊ + α⁻ [r − Q[i]]₋ of the chosen stimulus i; p = softmax(β Q)."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            q = [initial] * n_stimuli
        pair, c, r = (trial["first"], trial["second"]), trial["choice"], trial["reward"]
        found = math.nan
        if c is not None:
            chosen, other = q[pair[c]], q[pair[1 - c]]
            found = -math.log1p(math.exp(-p["beta"] * (chosen - other)))
        run.respond("choice", found)
        run.note(q=q)
        error = math.nan
        if c is not None and r is not None and pair[c] is not None:
            error = r - q[pair[c]]
            q[pair[c]] += p["alpha_pos"] * max(error, 0.0) + p["alpha_neg"] * min(error, 0.0)
        run.note(prediction_error=error)
    return run


def probabilistic_selection_one_rate(trials, params, n_stimuli=6, initial=0.5):
    """The same with α⁺ = α⁻ = α."""
    both = {"alpha_pos": params["alpha"], "alpha_neg": params["alpha"], "beta": params["beta"]}
    return probabilistic_selection(trials, both, n_stimuli, initial)


ORACLES = {
    "aliens": aliens,
    "stimulus_action_learning": stimulus_action_learning,
    "rl_working_memory": rl_working_memory,
    "rl_working_memory_beta_wm": rl_working_memory,
    "probabilistic_selection": probabilistic_selection,
    "probabilistic_selection_one_rate": probabilistic_selection_one_rate,
}
