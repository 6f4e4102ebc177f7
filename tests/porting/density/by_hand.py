"""Two joint densities as an old script may have them: NumPy and the formulas, nothing of ours.

Each returns its terms, so that a test can leave one out, count it twice, or put another in its place.
"""

import math

import numpy as np

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
LENGTHS = (9, 12, 10)
_RNG = np.random.default_rng(20)
CHOICES = [_RNG.integers(0, 2, n) for n in LENGTHS]
REWARDS = [np.round(_RNG.normal(0.3, 1.0, n), 2) for n in LENGTHS]
RATINGS = [np.round(_RNG.normal(0.2, 0.8, n), 2) for n in LENGTHS]
N = len(LENGTHS)


def phi(x):
    return np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in np.ravel(x)]).reshape(np.shape(x))


def logistic(x):
    return 1 / (1 + np.exp(-np.asarray(x)))


def normal(x, mean, sd):
    return -0.5 * ((x - mean) / sd) ** 2 - np.log(sd) - HALF_LOG_2PI


def half_normal(x, sd):
    return math.log(2) + normal(x, 0.0, sd)


def half_cauchy(x, scale):
    return math.log(2 / math.pi) - math.log(scale) - np.log1p((x / scale) ** 2)


def gamma(x, shape, rate):
    return shape * math.log(rate) - math.lgamma(shape) + (shape - 1) * np.log(x) - rate * x


def beta(x, a, b):
    return math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + (a - 1) * np.log(x) + (b - 1) * np.log1p(-x)


def choices(alpha, beta):
    """Return each trial's log-probability of a two-armed bandit with a delta rule and a softmax."""
    found = []
    for s in range(N):
        q, own = [0.0, 0.0], []
        for c, r in zip(CHOICES[s], REWARDS[s], strict=True):
            own.append(beta[s] * q[c] - math.log(sum(math.exp(beta[s] * v) for v in q)))
            q[c] += alpha[s] * (r - q[c])
        found.append(np.array(own))
    return found


def ratings(alpha, noise, start):
    """Return each trial's log-density of a rating that is normal around what is expected."""
    found = []
    for s in range(N):
        v, own = start[s], []
        for rating, r in zip(RATINGS[s], REWARDS[s], strict=True):
            own.append(normal(rating, v, noise[s]))
            v += alpha[s] * (r - v)
        found.append(np.array(own))
    return found


def bandit(z, *, location=None, link=phi, positive=np.exp, alpha=None, beta=None):
    """Return the terms of the bandit with the default population: probit and log, offsets.

    Parameters
    ----------
    z
        Unconstrained.
    location
        From (location, sd, offset) to the value on the link scale.
    """
    location = location or (lambda m, s, o: m + s * o)
    alpha_sd, beta_sd = np.exp(z["alpha_sd"]), np.exp(z["beta_sd"])
    if alpha is None:
        alpha = link(location(z["alpha_location"], alpha_sd, z["alpha_offset"]))
    if beta is None:
        beta = positive(location(z["beta_location"], beta_sd, z["beta_offset"]))
    return {
        "trials": choices(alpha, beta),
        "alpha_location": normal(z["alpha_location"], 0, 1),
        "alpha_sd": half_normal(alpha_sd, 0.2),
        "alpha_sd jacobian": z["alpha_sd"],
        "alpha_offset": normal(z["alpha_offset"], 0, 1),
        "beta_location": normal(z["beta_location"], 0, 1),
        "beta_sd": half_normal(beta_sd, 0.2),
        "beta_sd jacobian": z["beta_sd"],
        "beta_offset": normal(z["beta_offset"], 0, 1),
    }


def rater(z, *, centred=None, spread=None):
    """Return the terms of the rater: alpha one for all with a beta prior, noise each alone, start centred.

    Here ``alpha`` is ``complete`` with a logit link, ``noise`` has its own Gamma(3, 4), and ``start`` is normal around
    its group with Normal(0.2, 0.5) and Exponential(2).
    """
    start_sd = np.exp(z["start_sd"])
    noise = np.exp(z["noise"])
    start = z["start_linear"] if centred is None else centred(z["start_location"], start_sd, z["start_linear"])
    around = start_sd if spread is None else spread(start_sd)
    return {
        "trials": ratings(np.full(N, logistic(z["alpha_location"])), noise, start),
        "alpha_location": normal(z["alpha_location"], -0.5, 0.7),
        "noise": gamma(noise, 3, 4),
        "noise jacobian": z["noise"],
        "start_location": normal(z["start_location"], 0.2, 0.5),
        "start_sd": math.log(2) - 2 * start_sd,
        "start_sd jacobian": z["start_sd"],
        "start_linear": normal(z["start_linear"], z["start_location"], around),
    }


def total(terms, *without, **instead):
    """Return the sum of terms, without some, with others put in their place."""
    terms = {name: value for name, value in terms.items() if name not in without} | instead
    trials = terms.pop("trials", [])
    return float(sum(np.sum(value) for value in [*trials, *terms.values()]))
