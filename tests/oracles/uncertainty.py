"""Daw et al. (2006): a Kalman filter that tracks four payoffs, each of which wanders and decays to a centre."""

import math

from tests.oracles.play import Run, at, log_p


def kalman_filter(trials, params, n_actions=4, observation_sd=4.0):
    """Between trials μ ← λμ + (1 − λ)θ, σ² ← λ²σ² + σ_d²; of the chosen, first, the posterior of one payoff r:

    k = σ²/(σ² + σ_o²), μ += k (r − μ), σ² ← (1 − k) σ². p = softmax(β μ).
    """
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            mu = [p["initial_mean"]] * n_actions
            sigma2 = [p["initial_sd"] ** 2] * n_actions
        c, r = trial["choice"], trial["reward"]
        run.respond("choice", log_p([p["beta"] * value for value in mu], c))
        known = {"mean": list(mu), "variance": list(sigma2), "gain": math.nan, "prediction_error": math.nan}
        lam, theta = p["retention"], p["decay_center"]
        if c is not None:
            k = sigma2[c] / (sigma2[c] + observation_sd**2)
            known["gain"] = k
            if r is not None:  # how uncertain one is does not depend on what came
                known["prediction_error"] = r - mu[c]
                mu[c] = mu[c] + k * (r - mu[c])
                mu = [lam * value + (1 - lam) * theta for value in mu]
            sigma2[c] = (1 - k) * sigma2[c]
            sigma2 = [lam**2 * value + p["diffusion_sd"] ** 2 for value in sigma2]
        run.note(**known)
    return run


ORACLES = {"kalman_filter": kalman_filter, "kalman_filter_2": kalman_filter}
