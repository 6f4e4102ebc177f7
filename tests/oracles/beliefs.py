"""The hierarchical Gaussian filter of Mathys et al. (2011), written with variances."""

import math

from tests.oracles.play import Run, at


def _log_p(logit, choice):
    if choice is None:
        return math.nan
    against = -logit if choice == 1 else logit
    return -max(against, 0.0) - math.log1p(math.exp(-abs(against)))


def _s(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def hgf_two_levels(trials, params, initial_mu2=0.0, initial_sigma2=0.1):
    """σ̂2 = σ2 + e^ω; σ2 = 1 / (1/σ̂2 + μ̂1 (1 − μ̂1)); μ2 += σ2 (u − μ̂1); p(choice 1) = s(ζ μ2)."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            mu2, sigma2 = initial_mu2, initial_sigma2
        u = trial["input"]
        run.respond("choice", _log_p(p["beta"] * mu2, trial["choice"]))
        mu1 = _s(mu2)
        run.note(mu2=mu2, pi2=1 / sigma2, prediction=mu1, prediction_error=math.nan if u is None else u - mu1)
        if u is not None:
            wide = sigma2 + math.exp(p["omega2"])
            sigma2 = 1 / (1 / wide + mu1 * (1 - mu1))
            mu2 = mu2 + sigma2 * (u - mu1)
    return run


def hgf_three_levels(
    trials, params, initial_mu2=0.0, initial_sigma2=0.1, initial_mu3=1.0, initial_sigma3=1.0
):
    """Level 2 as above with e^(κ μ3 + ω); π3 = π̂3 + κ²/2 w2 (w2 + r2 δ2); μ3 += κ/2 σ3 w2 δ2.

    w2 = e^(κ μ3 + ω) / σ̂2, r2 = (e^(κ μ3 + ω) − σ2) / σ̂2 with σ2 from before, δ2 = (σ2 + (μ2 − μ̂2)²) / σ̂2 − 1
    with σ2 and μ2 from after the input, π̂3 = 1 / (σ3 + ϑ), and ϑ = e^ω3.
    """
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            mu2, sigma2, mu3, sigma3 = initial_mu2, initial_sigma2, initial_mu3, initial_sigma3
        u = trial["input"]
        run.respond("choice", _log_p(p["beta"] * mu2, trial["choice"]))
        mu1 = _s(mu2)
        run.note(mu2=mu2, pi2=1 / sigma2, mu3=mu3, pi3=1 / sigma3, prediction=mu1)
        if u is None:
            run.note(prediction_error=math.nan, volatility_prediction_error=math.nan)
            continue
        volatility = math.exp(p["coupling"] * mu3 + p["omega2"])
        old2, wide = sigma2, sigma2 + volatility
        sigma2 = 1 / (1 / wide + mu1 * (1 - mu1))
        moved = sigma2 * (u - mu1)
        mu2 += moved
        w2, r2 = volatility / wide, (volatility - old2) / wide
        delta2 = (sigma2 + moved**2) / wide - 1
        precision3 = 1 / (sigma3 + math.exp(p["omega3"])) + p["coupling"] ** 2 / 2 * w2 * (w2 + r2 * delta2)
        sigma3 = 1 / precision3
        mu3 += p["coupling"] / 2 * sigma3 * w2 * delta2
        run.note(prediction_error=u - mu1, volatility_prediction_error=delta2)
    return run


ORACLES = {
    "hgf_two_levels": hgf_two_levels,
    "hgf_two_levels_started": hgf_two_levels,
    "hgf_three_levels": hgf_three_levels,
    "hgf_three_levels_started": hgf_three_levels,
}
