"""The balloon task: Wallsten et al. (2005) as van Ravenzwaaij et al. (2011) fit it, and Park et al. (2021)."""

import math

from tests.oracles.play import Run, at


def _log_p_pumps(logits, made, opportunities):
    """Return the log-probability of the decisions that there were, or NaN if none of them is known."""
    if made is None or all(value is None for value in made):
        return math.nan
    total = 0.0
    for number, (logit, value) in enumerate(zip(logits, made, strict=True), 1):
        if value is not None and number <= opportunities:
            odds_against = -logit if value == 1 else logit
            total -= max(odds_against, 0.0) + math.log1p(math.exp(-abs(odds_against)))
    return total


def balloon_four_parameters(trials, params, n_pumps=12):
    """p_burst = 1 − (φ + η Σ success) / (1 + η Σ pumps); ω = −γ / ln(1 − p_burst); p(pump l) = 1 / (1 + e^(β (l − ω))).

    A success is a pump that did not burst the balloon: of a balloon that burst, all pumps but the last.
    """
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            pumps, bursts, p_burst = 0.0, 0.0, 1 - p["phi"]
        omega = -p["gamma"] / math.log(1 - p_burst)
        logits = [p["beta"] * (omega - number) for number in range(1, n_pumps + 1)]
        run.respond("pump", _log_p_pumps(logits, trial["pump"], trial["opportunities"]))
        run.note(total_pumps=pumps, total_bursts=bursts, p_burst=p_burst)
        made, burst = trial["pumps"], trial["explosion"]
        if made is not None and burst is not None:
            pumps += made
            bursts += burst
            p_burst = 1 - (p["phi"] + p["eta"] * (pumps - bursts)) / (1 + p["eta"] * pumps)
    return run


def balloon_mean_variance(trials, params, n_pumps=12, gain=1.0):
    """U(l) = (1 − p) r − p λ (l − 1) r + ρ p (1 − p) (r + λ (l − 1) r)²; p(pump l) = 1 / (1 + exp(−τ U(l))).

    p = exp(−ξ N) ψ + (1 − exp(−ξ N)) · (bursts / N) after N pumps.
    """
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            pumps, bursts, p_burst = 0.0, 0.0, p["phi"]
        logits = []
        for number in range(1, n_pumps + 1):
            at_risk = p["loss_aversion"] * (number - 1) * gain
            mean = (1 - p_burst) * gain - p_burst * at_risk
            logits.append(p["beta"] * (mean + p["rho"] * p_burst * (1 - p_burst) * (gain + at_risk) ** 2))
        run.respond("pump", _log_p_pumps(logits, trial["pump"], trial["opportunities"]))
        run.note(total_pumps=pumps, total_bursts=bursts, p_burst=p_burst)
        made, burst = trial["pumps"], trial["explosion"]
        if made is not None and burst is not None:
            pumps += made
            bursts += burst
            prior = math.exp(-p["eta"] * pumps)
            p_burst = prior * p["phi"]
            if pumps > 0:
                p_burst += (1 - prior) * (bursts / pumps)
    return run


ORACLES = {
    "balloon_four_parameters": balloon_four_parameters,
    "balloon_four_parameters_5": balloon_four_parameters,
    "balloon_mean_variance": balloon_mean_variance,
    "balloon_mean_variance_5": balloon_mean_variance,
}
