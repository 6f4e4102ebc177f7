"""Estimates of learners, against brute force on a likelihood in a plain loop."""

import importlib.util

import numpy as np
import pytest

import rlbackends as rl

QUIET = {"progress": "off", "certificate_points": 1}


def by_brute_force(objective):
    """Return the highest point of a function of (alpha, beta): the best of a grid, then Nelder–Mead."""
    from scipy.optimize import minimize
    from scipy.special import ndtr, ndtri

    alpha, beta = np.meshgrid(np.linspace(0.01, 0.99, 50), np.exp(np.linspace(-2, 4, 61)), indexing="ij")
    values = objective(alpha, beta)
    best = np.unravel_index(np.argmax(values), values.shape)
    start = [ndtri(alpha[best]), np.log(beta[best])]
    found = minimize(
        lambda z: -float(objective(ndtr(z[0]), np.exp(z[1]))), start, method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000},
    )  # fmt: skip
    return ndtr(found.x[0]), np.exp(found.x[1]), -found.fun, found.x


def log_prior(alpha, beta):
    from scipy.special import ndtri

    return -0.5 * (ndtri(alpha) ** 2 + np.log(beta) ** 2) - np.log(2 * np.pi)


@pytest.mark.parametrize("method", ["ml", "map"])
def test_rescorla_wagner_against_a_grid_and_nelder_mead(few, method):
    found = rl.estimate(few.model, few.data, method=method, backend="reference", starts=3, **QUIET)
    for s in range(3):
        def objective(alpha, beta, s=s):
            value = few.log_likelihood(s, alpha, beta)
            return value if method == "ml" else value + log_prior(alpha, beta)

        alpha, beta, value, z = by_brute_force(objective)
        assert abs(found.params["alpha"][s] - alpha) < 1e-5 and abs(found.params["beta"][s] - beta) < 1e-4
        assert abs(found.log_likelihood[s] - few.log_likelihood(s, alpha, beta)) < 1e-6
        if method == "map":
            assert abs(found.tree["search"]["log_posterior"].values[s] - value) < 1e-8
            assert abs(found.log_evidence[s] - laplace(objective, z, value)) < 1e-4


def laplace(objective, z, value, step=1e-3):
    """Return Laplace's log evidence with a Hessian from differences of values."""
    from scipy.special import ndtr

    def at(*shift):
        return float(objective(ndtr(z[0] + shift[0]), np.exp(z[1] + shift[1])))

    hessian = np.empty((2, 2))
    eye = step * np.eye(2)
    for i in range(2):
        for j in range(2):
            corners = [sign * at(*(a * eye[i] + b * eye[j])) for a, b, sign in
                       ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))]  # fmt: skip
            hessian[i, j] = -sum(corners) / (4 * step**2)
    return value + np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(hessian)[1]


@pytest.mark.skipif(not importlib.util.find_spec("numpyro"), reason="needs numpyro")
def test_the_group_against_quadrature_of_the_marginal_likelihood(group):
    """All that EM adds to maximum marginal likelihood is Laplace's approximation, which 40 trials a subject bear."""
    from scipy.optimize import minimize
    from scipy.special import ndtr

    nodes = np.linspace(-6.0, 6.0, 801)
    by_subject = np.stack([group.log_likelihood(s, ndtr(nodes), 3.0) for s in range(14)])
    step = nodes[1] - nodes[0]

    def marginal(mean, log_sd):
        log_prior = -0.5 * ((nodes - mean) / np.exp(log_sd)) ** 2 - log_sd - 0.5 * np.log(2 * np.pi)
        top = (by_subject + log_prior).max(axis=1)
        return top + np.log(np.exp(by_subject + log_prior - top[:, None]).sum(axis=1) * step)

    exact = minimize(lambda x: -marginal(*x).sum(), [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-6}).x
    found = rl.estimate(
        group.model, group.data, method="em", backend="numpyro", population=rl.Population(beta=3.0), starts=4, **QUIET
    )
    fitted = found.group
    mean, log_sd = fitted.location["alpha"], np.log(fitted.sd["alpha"])
    assert fitted.converged
    # Found here: 0.04 and 0.004 apart on the link scale, for 0.02 of the log marginal likelihood.
    assert abs(mean - exact[0]) < 0.06 and abs(log_sd - exact[1]) < 0.05
    # It loses little of the marginal likelihood, and is well inside its own standard errors.
    assert marginal(*exact).sum() - marginal(mean, log_sd).sum() < 0.05
    assert abs(mean - exact[0]) < 0.5 * fitted.location_errors["alpha"]
    assert abs(np.exp(log_sd) - np.exp(exact[1])) < 0.5 * fitted.sd_errors["alpha"]
    assert np.abs(found.log_evidence - marginal(mean, log_sd)).max() < 0.15
    # Averaging over the group is exact but for its samples.
    assert abs(fitted.integrated_log_likelihood - marginal(mean, log_sd).sum()) < 4 * fitted.integrated_error
    assert found.params["beta"].tolist() == [3.0] * 14 and set(fitted.location) == {"alpha"}
    # The standard errors are those of the marginal likelihood's curvature.
    h = 0.02
    centre = marginal(mean, log_sd).sum()
    curve = -(marginal(mean + h, log_sd).sum() - 2 * centre + marginal(mean - h, log_sd).sum()) / h**2
    bend = -(marginal(mean, log_sd + h).sum() - 2 * centre + marginal(mean, log_sd - h).sum()) / h**2
    assert abs(fitted.location_errors["alpha"] * curve**0.5 - 1) < 0.05
    assert abs(fitted.sd_errors["alpha"] / np.exp(log_sd) * bend**0.5 - 1) < 0.05
