"""Card sorting: the sequential learning models of Bishara et al. (2010)."""

import math

from tests.oracles.play import Run, at


def card_sorting(trials, params, n_dimensions=3, n_decks=4, focus=1.0, floor=0.0):
    """a = (1 − r) a + r s after right, (1 − p) a + p s after wrong; P(k) = Σ_i m_ki a_i^d / Σ_j Σ_i m_ji a_i^d.

    m_ki is 1 if the card matches deck k on dimension i. After right s_i = m_ki a_i^f / Σ_h m_kh a_h^f of the chosen
    deck k; after wrong the same with 1 − m. ``focus=None``: f is a parameter. ``floor``: a and the P before they are
    normalised become floor + (1 − 2 floor) times what they are.
    """
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            a = [1 / n_dimensions] * n_dimensions
        match, c, outcome = trial["match"], trial["choice"], trial["outcome"]
        known = match is not None and None not in match
        m = [[1 if known and match[i] == k else 0 for i in range(n_dimensions)] for k in range(n_decks)]

        if c is None or not known:
            run.respond("choice", math.nan)
        else:
            weights = [sum(m[k][i] * a[i] ** p["consistency"] for i in range(n_dimensions)) for k in range(n_decks)]
            weights = [floor + (1 - 2 * floor) * weight for weight in weights]
            share = weights[c] / sum(weights)
            run.respond("choice", math.log(share) if share > 0 else -math.inf)

        before, signal = list(a), [math.nan] * n_dimensions
        if known and c is not None and outcome is not None:
            f = p["focus"] if focus is None else focus
            credit = [(m[c][i] if outcome == 1 else 1 - m[c][i]) * a[i] ** f for i in range(n_dimensions)]
            signal = [x / sum(credit) for x in credit] if any(credit) else before
            rate = p["alpha_pos"] if outcome == 1 else p["alpha_neg"]
            a = [(1 - rate) * x + rate * s for x, s in zip(before, signal, strict=True)]
            if floor > 0:
                total = sum(a)
                a = [floor + (1 - 2 * floor) * x / total for x in a]
        run.note(attention=before, signal=signal)
    return run


ORACLES = {"card_sorting": card_sorting, "card_sorting_focus": card_sorting, "card_sorting_floor": card_sorting}
