"""Posteriors of the guide's task without a sampler and without this library: sums over a grid of three parameters.

A subject has three parameters, so its likelihood fits on a grid; given a group's location and sd, subjects are
independent; so the six numbers of the group can be drawn with all subjects summed out. All is on the logit scale.
"""

from __future__ import annotations

import numpy as np

TAILS = (0.055, 0.945)  # of 89 % intervals
_FINE = np.linspace(-5.0, 5.0, 501)  # logits; where groups and intervals are looked at
Summary = tuple[np.ndarray, np.ndarray, np.ndarray]  # mean, low end, high end, by subject


def log_likelihoods(
    choices: np.ndarray, rewards: np.ndarray, alpha_pos: np.ndarray, alpha_neg: np.ndarray, temperature: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return each subject's log-likelihood, point × subject: of one choice a trial, and of five answers a trial."""
    q = np.full((rewards.shape[1], *np.broadcast_shapes(temperature.shape, (1, len(choices)))), 0.5)
    of_choice, of_answers = np.zeros(q.shape[1:]), np.zeros(q.shape[1:])
    everyone = np.arange(len(choices))
    for t, chosen in enumerate(choices.T):
        p = np.exp(q / temperature)
        p /= p.sum(axis=0)
        log_p = np.log(p[chosen, :, everyone]).T
        p[chosen, :, everyone] = 0.0
        of_choice += log_p
        with np.errstate(divide="ignore"):  # where a probability rounds to 1, what did not follow has none
            of_answers += log_p + np.log1p(-p).sum(axis=0)
        error = rewards[t, chosen] - q[chosen, :, everyone].T
        q[chosen, :, everyone] += (np.where(error > 0, alpha_pos, alpha_neg) * error).T
    return of_choice, of_answers


def log_likelihoods_on_grid(
    choices: np.ndarray, rewards: np.ndarray, sides: tuple[int, ...] = (9, 11, 17)
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Return a grid around each subject's posterior, and both log-likelihoods on it.

    Returns
    -------
    axes : numpy.ndarray
        Parameter × entry × subject, logits.
    log_likelihoods : two numpy.ndarray
        Entry × entry × entry × subject: of one choice, of five answers.
    """
    n = len(choices)
    centre, half = np.zeros((3, n)), np.full((3, n), 3.0)
    for side in sides:
        axes = centre[:, None] + half[:, None] * np.linspace(-1, 1, side)[:, None]
        at = np.indices((side, side, side)).reshape(3, -1)
        points = _natural(np.stack([axes[i][at[i]] for i in range(3)]))
        found = tuple(x.reshape(side, side, side, n) for x in log_likelihoods(choices, rewards, *points))
        for i, p in enumerate(_marginals(axes, found[0])):  # the next grid lies closer around
            mean = (p * axes[i]).sum(axis=0)
            sd = np.sqrt((p * (axes[i] - mean) ** 2).sum(axis=0))
            centre[i], half[i] = mean, 4.5 * np.maximum(sd, half[i] / (side - 1))
    return axes, found  # type: ignore[return-value]


def posteriors(axes: np.ndarray, log_likelihood: np.ndarray) -> list[Summary]:
    """Return each parameter's posterior, each subject alone under a Beta(5, 5) prior."""
    marginals = zip(axes, _marginals(axes, log_likelihood), strict=True)
    return [_summary(np.maximum(np.einsum("xks,ks->xs", _basis(axis), p), 0.0)) for axis, p in marginals]


def group_posteriors(
    axes: np.ndarray, log_likelihood: np.ndarray, location_sd: float, sd_sd: float, *, seed: int, sweeps: int = 80
) -> list[Summary]:
    """Return each parameter's posterior, subjects being normal around a group on the logit scale.

    Parameters
    ----------
    location_sd, sd_sd : float
        Of the normal prior of the group's location, and of the half-normal prior of its sd.
    seed, sweeps : int
        Each sweep draws location and sd of each parameter in turn, from their exact distribution on a grid given the
        other two parameters' groups, with all subjects summed out; a tenth is left out.
    """
    rng = np.random.default_rng(seed)
    location, sd = np.meshgrid(np.linspace(-1.4, 1.4, 57), np.linspace(0.02, 1.6, 40), indexing="ij")
    location, sd = location.ravel(), sd.ravel()
    log_prior = -0.5 * (location / location_sd) ** 2 - 0.5 * (sd / sd_sd) ** 2
    density = np.exp(-0.5 * ((_FINE - location[:, None]) / sd[:, None]) ** 2) / sd[:, None]  # group × fine
    # The likelihood between the grid's points is its cubic spline, so that groups may be narrower than the grid.
    bases = [_basis(axis) for axis in axes]
    weights = [np.tensordot(density, basis, axes=1) for basis in bases]  # group × entry × subject
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=(0, 1, 2)))
    now = [int(np.argmin((location - 0.0) ** 2 + (sd - 0.5) ** 2))] * 3
    total = [np.zeros((len(_FINE), axes.shape[2])) for _ in range(3)]
    for sweep in range(sweeps):
        for i, pattern in enumerate(("ijks,js,ks->is", "ijks,is,ks->js", "ijks,is,js->ks")):
            others = [weights[j][now[j]] for j in range(3) if j != i]
            left = np.einsum(pattern, likelihood, *others, optimize=True)  # entry × subject
            evidence = np.einsum("gks,ks->gs", weights[i], left, optimize=True)
            log_p = np.log(np.maximum(evidence, 1e-300)).sum(axis=1) + log_prior
            p = np.exp(log_p - log_p.max())
            now[i] = int(rng.choice(len(p), p=p / p.sum()))
            if sweep >= sweeps // 10:
                curve = density[now[i]][:, None] * np.maximum(np.einsum("xks,ks->xs", bases[i], left), 0.0)
                total[i] += curve / curve.sum(axis=0)
    return [_summary(curve) for curve in total]


def _natural(logit: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logit))


def _marginals(axes: np.ndarray, log_likelihood: np.ndarray) -> list[np.ndarray]:
    """Return each parameter's probabilities on its axis, entry × subject, under the Beta(5, 5) prior."""
    log_p = log_likelihood
    for i, shape in enumerate(((-1, 1, 1), (1, -1, 1), (1, 1, -1))):
        x = _natural(axes[i])
        log_p = log_p + 5 * np.log(x * (1 - x)).reshape(*shape, axes.shape[2])  # a density of the logit
    p = np.exp(log_p - log_p.max(axis=(0, 1, 2)))
    p /= p.sum(axis=(0, 1, 2))
    return [p.sum(axis=tuple({0, 1, 2} - {i})) for i in range(3)]


def _basis(axis: np.ndarray) -> np.ndarray:
    """Return the cubic spline of each unit vector on each subject's axis, fine × entry × subject; 0 outside."""
    from scipy.interpolate import CubicSpline

    side = len(axis)
    spline = CubicSpline(np.linspace(0, 1, side), np.eye(side))
    place = (_FINE[:, None] - axis[0]) / (axis[-1] - axis[0])  # fine × subject
    values = np.where(((place >= 0) & (place <= 1))[..., None], spline(np.clip(place, 0, 1)), 0.0)
    return np.ascontiguousarray(values.transpose(0, 2, 1))


def _summary(curve: np.ndarray) -> Summary:
    """Return mean and interval on the natural scale, from a density on the fine axis, fine × subject."""
    p = curve / curve.sum(axis=0)
    cdf = np.cumsum(p, axis=0) - p / 2
    low, high = (np.array([np.interp(tail, cdf[:, s], _FINE) for s in range(p.shape[1])]) for tail in TAILS)
    return (p * _natural(_FINE)[:, None]).sum(axis=0), _natural(low), _natural(high)
