"""The ultimatum game: Gu et al. (2015) and Xiang et al. (2013)."""

import math

from tests.oracles.play import Run, at


def log_logistic(x, accept):
    """Return the logarithm of 1 / (1 + exp(−x)) of a yes, of 1 / (1 + exp(x)) of a no."""
    if accept is None:
        return math.nan
    x = x if accept == 1 else -x
    return -math.log1p(math.exp(-x)) if x > 0 else x - math.log1p(math.exp(x))


def ultimatum_delta(trials, params, initial=10.0):
    """U = s − α max(f − s, 0), p = logistic(τ U); then f += ε (s − f)."""
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            f = initial
        s, before, error = trial["offer"], f, math.nan
        if s is None:
            run.respond("accept", math.nan)
        else:
            u = s - p["envy"] * max(f - s, 0.0)
            run.respond("accept", log_logistic(p["beta"] * u, trial["accept"]))
            error = s - f
            f = f + p["alpha"] * error
        run.note(norm=before, prediction_error=error)
    return run


def ultimatum_bayesian(trials, params, initial=10.0, n_mean=4.0, variance=4.0, n_variance=10.0):
    """Gelman et al.'s conjugate update of (μ, k, σ², ν) by the offer; then U by the new μ, p = logistic(τ U).

    k' = k + 1, ν' = ν + 1, μ' = (k μ + s) / k', ν' σ²' = ν σ² + (k / k') (s − μ)².
    U = s − α max(μ' − s, 0) − β max(s − μ', 0).
    """
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            mu, k, sigma2, nu = initial, n_mean, variance, n_variance
        s = trial["offer"]
        run.note(norm=mu, n=k, norm_variance=sigma2, prediction_error=math.nan if s is None else s - mu)
        if s is None:
            run.respond("accept", math.nan)
            continue
        k_new, nu_new = k + 1, nu + 1
        mu_new = k / k_new * mu + 1 / k_new * s
        sigma2 = (nu * sigma2 + k / k_new * (s - mu) ** 2) / nu_new
        mu, k, nu = mu_new, k_new, nu_new
        u = s - p["envy"] * max(mu - s, 0.0) - p["guilt"] * max(s - mu, 0.0)
        run.respond("accept", log_logistic(p["beta"] * u, trial["accept"]))
    return run


ORACLES = {
    "ultimatum_delta": ultimatum_delta,
    "ultimatum_bayesian": ultimatum_bayesian,
    "ultimatum_bayesian_prior": ultimatum_bayesian,
}
