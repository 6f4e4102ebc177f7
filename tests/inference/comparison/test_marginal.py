"""A subject's marginal likelihood in any population, against the density of a normal vector."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import rlbackends as rl
from rlbackends.inference.comparison.marginal import SubjectIntegral
from rlbackends.inference.comparison.offsets import Offsets

SUBJECTS, TRIALS, DRAWS = 4, 6, 200


def response(mu, nu, x):
    return rl.Normal(mean=mu + nu * x, sd=1.0)


MODEL = rl.Model(
    "line", parameters={"mu": rl.Parameter(rl.RealLine()), "nu": rl.Parameter(rl.RealLine())}, states={},
    trial={"x": rl.Real(), "y": response}, update=lambda: {},
)  # fmt: skip


def spread(**more):
    return rl.Pooling("partial", sd=rl.priors.HalfNormal(0.7), **more)


# Population → mean and covariance of each subject's (mu, nu) at every trial, from draws of the group's latents.
CASES = {
    "apart": rl.Population(mu=spread(), nu=spread()),
    "centred": rl.Population(mu=spread(centred=True), nu=spread()),
    "shared": rl.Population(mu=spread(), nu="complete"),
    "fixed": rl.Population(mu=spread(), nu=0.3),
    "half alone": rl.Population(mu=spread(), nu=rl.Pooling("none", prior=rl.priors.Normal(0.4, 1.3))),
    "correlated": rl.Population(mu=spread(), nu=spread(), correlated=["mu", "nu"]),
    "all shared": rl.Population("complete"),
    "slopes": rl.Population(mu=spread(formula="~ session", slopes="~ session"), nu=spread()),
    "shifted": rl.Population(mu=spread(formula="~ session"), nu=spread()),
}


def trials():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, SUBJECTS, TRIALS))
    session = np.tile(np.repeat([0.0, 1.0], TRIALS // 2), (SUBJECTS, 1))
    return rl.Trials.from_arrays(subjects=["a", "b", "c", "d"], x=x, y=2 * y, session=session)


def parts(case, group, d):
    """Return what each trial's mean is made of: a constant in nu, and (prior mean, sd) of what differs by subject."""
    nu_mean, nu_sd = 0.0, 0.0
    if case in ("shared", "all shared"):
        nu_mean = group["nu_location"][d]
    elif case == "fixed":
        nu_mean = 0.3
    elif case == "half alone":
        nu_mean, nu_sd = 0.4, 1.3
    else:
        nu_mean, nu_sd = group["nu_location"][d], group["nu_sd"][d]
    return group["mu_location"][d], 0.0 if case == "all shared" else group["mu_sd"][d], nu_mean, nu_sd


def given_the_data(compiled, draws):
    """Return draws in which subjects' latents follow their own data, given the group's: what a posterior is near to.

    They only tell the integral where to look.
    """
    layout, data = compiled.layout, compiled.data
    offsets = Offsets.of(layout, draws)
    n = len(offsets.latents)
    if not n:
        return draws
    group = {latent.name: draws[latent.name] for latent in layout.latents if not latent.per_subject}

    def means(z):
        params = layout.parameters(offsets.values(group, z), leading=1)
        mu, nu = (value if value.ndim == 3 else value[..., None] for value in (params["mu"], params["nu"]))
        return mu + nu * data.values["x"]

    zero = np.zeros((DRAWS, SUBJECTS, n))
    start = means(zero)
    slope = np.stack([means(zero + np.eye(n)[i]) - start for i in range(n)], axis=-1)
    back = np.swapaxes(slope, -1, -2)
    covariance = np.linalg.inv(np.eye(n) + back @ slope)
    mean = covariance @ (back @ (data.values["y"] - start)[..., None])
    noise = np.random.default_rng(2).normal(size=(*zero.shape, 1))
    z = (mean + np.linalg.cholesky(covariance) @ noise)[..., 0]
    return offsets.values(group, z)


@pytest.mark.parametrize("case", CASES)
def test_the_marginal_is_that_of_a_normal_vector(case):
    compiled = rl.compile(MODEL, trials(), "numpyro", population=CASES[case])
    layout, data = compiled.layout, compiled.data
    rng = np.random.default_rng(1)
    drawn = [layout.draw(rng) for _ in range(DRAWS)]
    draws = {name: np.array([one[name] for one in drawn]) for name in layout.names}
    draws = given_the_data(compiled, draws)
    found = SubjectIntegral(compiled, draws).at(draws, points=64, seed=0)
    correlation = layout.group(draws).get("correlation[mu,nu]", np.zeros(DRAWS))
    session = np.repeat([0.0, 1.0], TRIALS // 2)
    exact = np.empty((DRAWS, SUBJECTS))
    for d, s in np.ndindex(DRAWS, SUBJECTS):
        mu, mu_sd, nu, nu_sd = parts(case, draws, d)
        x, one = data.values["x"][s], np.ones(TRIALS)
        mean = mu * one + nu * x
        covariance = np.eye(TRIALS) + mu_sd**2 * np.outer(one, one) + nu_sd**2 * np.outer(x, x)
        covariance += correlation[d] * mu_sd * nu_sd * (np.outer(one, x) + np.outer(x, one))
        if case in ("slopes", "shifted"):
            mean = mean + draws["mu_coefficient[session]"][d] * session
        if case == "slopes":
            covariance += draws["mu_slope_sd[session]"][d] ** 2 * np.outer(session, session)
        exact[d, s] = stats.multivariate_normal.logpdf(data.values["y"][s], mean, covariance)
    error = np.abs(found.log_p - exact)
    if case == "all shared":
        assert error.max() < 1e-9
    else:
        # 64 points, of which 40 at least are worth something: relative errors of about 0.01, of 800 at most 0.06.
        assert found.ess.min() > 30 and error.max() < 0.1 and error.mean() < 0.02
