"""A hierarchical model whose posterior, and every left-out predictive density, is known on a grid of two numbers.

Each response is normal around its subject's mean with a known sd; means are normal around the group's location. Given
location and sd of the group, a subject's responses are jointly normal, so their density is closed. What is left is an
integral over location and sd, a sum over a fine grid. Nothing here uses the package's own integration.
"""

from __future__ import annotations

import numpy as np
from scipy import stats
from scipy.special import logsumexp

import rlbackends as rl
from rlbackends.backends import Backend
from rlbackends.backends.chains import ChainResults
from rlbackends.backends.reference.engine import ReferenceEngine
from rlbackends.inference import Fit
from rlbackends.inference.certificate import certify
from rlbackends.inference.tree import posterior_tree

BACKEND = Backend("exact", "tests.inference.comparison.exact_group", ("numpy",), ("exact",))
NOISE = 1.0
_LOCATIONS = np.linspace(-3.0, 4.0, 281)
_SDS = np.linspace(0.005, 4.0, 400)


def population(centred=False):
    """Return the population: location Normal(0, 1), sd HalfNormal(1)."""
    location, sd = rl.priors.Normal(0.0, 1.0), rl.priors.HalfNormal(1.0)
    return rl.Population(mu=rl.Pooling("partial", location=location, sd=sd, centred=centred))


def normal_model(name="normal"):
    """Return the model: responses around a subject's own mean, with a known sd."""

    def response(mu):
        return rl.Normal(mean=mu, sd=NOISE)

    parameters = {"mu": rl.Parameter(rl.RealLine())}
    return rl.Model(name, parameters=parameters, states={}, trial={"y": response}, update=lambda: {})


def trials(seed=0, n_subjects=8, n_trials=5):
    """Return responses of subjects around 0.8."""
    rng = np.random.default_rng(seed)
    y = rng.normal(0.8, 0.7, (n_subjects, 1)) + rng.normal(0.0, NOISE, (n_subjects, n_trials))
    return rl.Trials.from_arrays(subjects=[f"s{i}" for i in range(n_subjects)], y=y)


def log_marginal(y, location, sd):
    """Return log p(y | location, sd) of one subject's responses, from the covariance of a normal vector."""
    n = len(y)
    # The covariance is NOISE² I + sd² 11ᵀ: its determinant and inverse are those of a rank-one update.
    total, squares = np.sum(y) - n * location, np.sum(y**2) - 2 * location * np.sum(y) + n * location**2
    inner = squares / NOISE**2 - sd**2 * total**2 / (NOISE**2 * (NOISE**2 + n * sd**2))
    log_determinant = 2 * n * np.log(NOISE) + np.log1p(n * sd**2 / NOISE**2)
    return -0.5 * (inner + log_determinant + n * np.log(2 * np.pi))


def grid_log_density(y, counts):
    """Return the log-density on the grid of location, sd and the responses that count (subject × trial)."""
    location, sd = np.meshgrid(_LOCATIONS, _SDS, indexing="ij")
    total = stats.norm.logpdf(location) + stats.halfnorm.logpdf(sd)
    for row, kept in zip(y, counts, strict=True):
        if kept.any():
            total = total + log_marginal(row[kept], location, sd)
    return total


def exact_left_out(y, mask):
    """Return log p(the masked responses | the others)."""
    everything = np.ones(y.shape, dtype=bool)
    return logsumexp(grid_log_density(y, everything)) - logsumexp(grid_log_density(y, ~mask))


class Engine(ReferenceEngine):
    """The reference, under another name."""

    name = "exact"


def draw(data, layout, count, seed):
    """Return independent draws of the posterior's latents, given the responses that count."""
    y = data.values["y"]
    counts = data.counts & data.observed("y")
    rng = np.random.default_rng(seed)
    log_p = grid_log_density(y, counts)
    chosen = rng.choice(log_p.size, count, p=np.exp(log_p - logsumexp(log_p)).ravel())
    i, j = np.unravel_index(chosen, log_p.shape)
    steps = _LOCATIONS[1] - _LOCATIONS[0], _SDS[1] - _SDS[0]
    location = _LOCATIONS[i] + steps[0] * (rng.random(count) - 0.5)
    sd = np.maximum(_SDS[j] + steps[1] * (rng.random(count) - 0.5), 1e-3)
    precision = 1 / sd[:, None] ** 2 + counts.sum(axis=1) / NOISE**2
    mean = (location[:, None] / sd[:, None] ** 2 + (y * counts).sum(axis=1) / NOISE**2) / precision
    mu = mean + rng.normal(size=mean.shape) / np.sqrt(precision)
    values = {"mu_location": location, "mu_sd": sd}
    own = {"mu_linear": mu, "mu_offset": (mu - location[:, None]) / sd[:, None]}
    return values | {name: own[name] for name in layout.names if name in own}


def sample(engine, *, seed, chains, tune, draws, cores, target_accept, max_tree_depth, progress, run=None):
    """Draw from the posterior, without a chain."""
    z = engine.layout.unconstrain(draw(engine.data, engine.layout, chains * draws, seed))
    z = {name: value.reshape(chains, draws, *value.shape[1:]) for name, value in z.items()}
    stats_ = {"diverging": np.zeros((chains, draws), dtype=bool)}
    return ChainResults(z, stats_, {"compile_seconds": 0.0, "sample_seconds": 0.0}, {})


def exact_fit(data, *, centred=False, count=4000, seed=0, log_likelihood=True, name="normal"):
    """Return a fit whose draws are independent and exact; NumPyro computes its log-likelihoods."""
    compiled = rl.compile(normal_model(name), data, "numpyro", population=population(centred))
    z = compiled.layout.unconstrain(draw(compiled.data, compiled.layout, count, seed))
    z = {key: value.reshape(4, count // 4, *value.shape[1:]) for key, value in z.items()}
    stats_ = {"diverging": np.zeros((4, count // 4), dtype=bool)}
    settings = {"sampler": "numpyro.NUTS", "seed": seed, "chains": 4, "tune": 1, "draws": count // 4}
    results = ChainResults(z, stats_, {"compile_seconds": 0.0, "sample_seconds": 0.0}, settings)
    certificate = certify(compiled, compiled, points=1, seed=0)
    return Fit(posterior_tree(compiled, z, results, certificate, with_log_likelihood=log_likelihood))
