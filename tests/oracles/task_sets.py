"""Task sets in the aliens task (Eckstein & Collins, 2020): mixed, the best one, or inferred.

Tables are lists: ``low[ts][x][a]`` is what action a brings with alien x under task set ts, ``high[s][ts]`` what
task set ts brings in season s.
"""

import math

from tests.oracles.play import Run, at, log_p


def _table(n_task_sets, n_aliens, n_actions, value):
    return [[[value] * n_actions for _ in range(n_aliens)] for _ in range(n_task_sets)]


def _forgotten(table, rate, start):
    """Return x ← (1 − f) x + f x0 for every entry of a list of lists."""
    if isinstance(table, list):
        starts = start if isinstance(start, list) else [start] * len(table)
        return [_forgotten(entry, rate, to) for entry, to in zip(table, starts, strict=True)]
    return (1 - rate) * table + rate * start


def _softmax(values):
    top = max(values)
    parts = [math.exp(value - top) for value in values]
    return [part / sum(parts) for part in parts]


def _mixed(weights, low, x):
    """Return Σ_ts w[ts] low[ts][x][a] for each action."""
    return [sum(w * table[x][a] for w, table in zip(weights, low, strict=True)) for a in range(len(low[0][0]))]


def _own(n_seasons, n_task_sets, yes, no):
    """Return the start in which season s prefers task set s (counted round)."""
    return [[yes if ts == s % n_task_sets else no for ts in range(n_task_sets)] for s in range(n_seasons)]


def aliens_task_sets(
    trials, params, n_seasons=3, n_aliens=4, n_actions=3, n_task_sets=3, initial=0.12, initial_high=None
):
    """w = softmax(β' high[s]); p = softmax(β Σ w low[x]); both forget, then both learn, set ts by w[ts]."""
    run = Run()
    high0 = _own(n_seasons, n_task_sets, initial + 1, initial) if initial_high is None else initial_high
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            low, high = _table(n_task_sets, n_aliens, n_actions, initial), [list(row) for row in high0]
        s, x, c, r = trial["season"], trial["alien"], trial["choice"], trial["reward"]
        w = [math.nan] * n_task_sets if s is None else _softmax([p["beta_high"] * v for v in high[s]])
        found = math.nan if c is None else log_p([p["beta"] * v for v in _mixed(w, low, x)], c)
        run.respond("choice", found)
        run.note(q_low=low, q_high=high, weights=w)

        error = error_high = math.nan
        if None not in (s, r):
            high = _forgotten(high, p["forgetting_high"], high0)
            errors = [r - high[s][ts] for ts in range(n_task_sets)]
            error_high = sum(w[ts] * errors[ts] for ts in range(n_task_sets))
            for ts in range(n_task_sets):
                high[s][ts] += p["alpha_high"] * w[ts] * errors[ts]
        if None not in (s, x, c, r):
            low = _forgotten(low, p["forgetting"], initial)
            errors = [r - low[ts][x][c] for ts in range(n_task_sets)]
            error = sum(w[ts] * errors[ts] for ts in range(n_task_sets))
            for ts in range(n_task_sets):
                low[ts][x][c] += p["alpha"] * w[ts] * errors[ts]
        run.note(prediction_error=error, prediction_error_high=error_high)
    return run


def aliens_task_sets_argmax(
    trials, params, n_seasons=3, n_aliens=4, n_actions=3, n_task_sets=3, initial=0.12, initial_high=None
):
    """ts = the first of the largest high[s]; p = softmax(β low[ts][x]); both forget, then that set's entries learn.

    Kept is how far ``high`` is above its start, so that sets that are nearly forgotten do not tie by rounding.
    """
    run = Run()
    start = initial if initial_high is None else initial_high
    high0 = start if isinstance(start, list) else [[start] * n_task_sets for _ in range(n_seasons)]
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            low = _table(n_task_sets, n_aliens, n_actions, initial)
            above = [[0.0] * n_task_sets for _ in range(n_seasons)]
        s, x, c, r = trial["season"], trial["alien"], trial["choice"], trial["reward"]
        worth = None if s is None else [high0[s][k] + above[s][k] for k in range(n_task_sets)]
        ts = None if s is None else worth.index(max(worth))
        run.respond("choice", math.nan if c is None else log_p([p["beta"] * v for v in low[ts][x]], c))
        used = [math.nan if ts is None else float(k == ts) for k in range(n_task_sets)]
        run.note(q_low=low, above_start=above, weights=used)

        error = error_high = math.nan
        if None not in (s, r):
            above = [[(1 - p["forgetting_high"]) * value for value in row] for row in above]
            error_high = r - (high0[s][ts] + above[s][ts])
            above[s][ts] += p["alpha_high"] * error_high
        if None not in (s, x, c, r):
            low = _forgotten(low, p["forgetting"], initial)
            error = r - low[ts][x][c]
            low[ts][x][c] += p["alpha"] * error
        run.note(prediction_error=error, prediction_error_high=error_high)
    return run


def aliens_bayesian(
    trials, params, n_seasons=3, n_aliens=4, n_actions=3, n_task_sets=3, initial=0.12, initial_belief=None
):
    """p(ts | s) ∝ p(ts | s) N(r; low[ts][x][c], 1/precision); p = softmax(β Σ p(ts | s) low[x]).

    The tables forget first; the outcome is judged by what is left, and learnt from by the posterior.
    """
    run = Run()
    share = 1 / (n_task_sets + 1)
    prior = _own(n_seasons, n_task_sets, 2 * share, share) if initial_belief is None else initial_belief
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            low = _table(n_task_sets, n_aliens, n_actions, initial)
            belief = [[math.log(entry) for entry in row] for row in prior]
        s, x, c, r = trial["season"], trial["alien"], trial["choice"], trial["reward"]
        found = math.nan
        if c is not None:
            mixed = _mixed([math.exp(b) for b in belief[s]], low, x)
            found = log_p([p["beta"] * v for v in mixed], c)
        run.respond("choice", found)
        run.note(q_low=low, log_belief=belief)

        error, posterior = math.nan, [math.nan] * n_task_sets
        if None not in (s, x, c, r):
            before = [math.exp(b) for b in belief[s]]
            low = _forgotten(low, p["forgetting"], initial)
            errors = [r - low[ts][x][c] for ts in range(n_task_sets)]
            error = sum(before[ts] * errors[ts] for ts in range(n_task_sets))
            # The density's constant is the same for every set.
            joint = [belief[s][ts] - p["precision"] * errors[ts] ** 2 / 2 for ts in range(n_task_sets)]
            logs = [log_p(joint, ts) for ts in range(n_task_sets)]
            posterior = [math.exp(entry) for entry in logs]
            belief = [logs if season == s else row for season, row in enumerate(belief)]
            for ts in range(n_task_sets):
                low[ts][x][c] += p["alpha"] * posterior[ts] * errors[ts]
        run.note(prediction_error=error, posterior=posterior)
    return run


ORACLES = {
    "aliens_task_sets": aliens_task_sets,
    "aliens_task_sets_two": aliens_task_sets,
    "aliens_task_sets_argmax": aliens_task_sets_argmax,
    "aliens_task_sets_argmax_started": aliens_task_sets_argmax,
    "aliens_bayesian": aliens_bayesian,
    "aliens_bayesian_two": aliens_bayesian,
}
