"""The recovery of a public tutorial with this library, and how honest its intervals are.

    python benchmarks/guide.py [--backend numpyro|pymc] [--figure PATH] [--exact N] [--replicates N]

The tutorial is "Model fitting using MCMC" of the Wise Lab's wiki (wiki.thewiselab.org), called the guide here: 40
subjects × 200 trials × 5 actions, two learning rates and a temperature, simulated in JAX and fitted with a hierarchical
NumPyro model. It scores a choice as five independent Bernoullis; ``bernoullis`` below does the same, ``categorical``
scores it as the one choice it is. How often 89 % intervals hold the truth is seen on fresh data sets: with ``--exact``
posteriors are summed over a grid, under the subjects' true prior, the guide's hierarchical ones and wide ones (seconds
a data set); with ``--replicates`` they are sampled, under the latter two (four fits a data set, minutes).
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

import rlbackends as rl

SUBJECTS, TRIALS, ACTIONS = 40, 200, 5
REWARD_PROBABILITIES = (0.2, 0.4, 0.8, 0.1, 0.5)
NAMES = ("alpha_pos", "alpha_neg", "temperature")
TAILS = (0.055, 0.945)  # of 89 % intervals


# The guide's data


def guide_data() -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return the choices of the guide's simulated subjects, the rewards on offer, and the true parameters.

    Returns
    -------
    choices : numpy.ndarray
        Subject × trial, 0 to 4.
    rewards : numpy.ndarray
        Trial × action, 0 or 1: what each action would have paid. It is the same for all subjects.
    truth : dict of str to numpy.ndarray
        ``alpha_pos``, ``alpha_neg`` and ``temperature`` of each subject.

    Notes
    -----
    Two features of the guide are kept. Every subject has the same random key, so on each trial all of them meet the
    same random number; and parameters and rewards come from generators of the same seed. It runs in 32 bits. The guide
    draws with a function of its authors' package; another version of that function draws with a key split off the one
    given, and so yields other choices.
    """
    import jax
    import jax.numpy as jnp

    truth = draw_truth(np.random.default_rng(0))
    probabilities = np.asarray(REWARD_PROBABILITIES, dtype=np.float32)  # as JAX stores them
    rewards = np.random.default_rng(0).binomial(1, probabilities, size=(TRIALS, ACTIONS))

    def play(alpha_pos, alpha_neg, temperature):
        def trial(q, given):
            paid, key = given
            p = jax.nn.softmax(q / temperature)
            choice = jax.random.choice(key, ACTIONS, p=p + 1e-6 / p.sum())
            error = paid[choice] - q[choice]
            return q.at[choice].add(jnp.where(error > 0, alpha_pos, alpha_neg) * error), choice

        keys = jax.random.split(jax.random.PRNGKey(0), TRIALS)
        start = jnp.full(ACTIONS, 0.5)
        return jax.lax.scan(trial, start, (jnp.asarray(rewards, dtype=start.dtype), keys))[1]

    with jax.enable_x64(False):
        arrays = [jnp.asarray(truth[name], dtype=jnp.float32) for name in NAMES]
        choices = jax.jit(jax.vmap(play))(*arrays)
    return np.asarray(choices).astype(np.int64), rewards.astype(np.int64), truth


def draw_truth(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return parameters of new subjects, each from the guide's Beta(5, 5)."""
    return {name: rng.beta(5, 5, size=SUBJECTS) for name in NAMES}


def fresh_data(seed: int, *, shared: bool = False) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return a new data set of the guide's task, as :func:`guide_data` does.

    Parameters
    ----------
    seed : int
        Of everything that is random.
    shared : bool, default False
        Whether all subjects meet the same random number on each trial, as in the guide; otherwise each has its own.
    """
    rng = np.random.default_rng([2026, seed])
    truth = draw_truth(rng)
    rewards = rng.binomial(1, REWARD_PROBABILITIES, size=(TRIALS, ACTIONS))
    uniforms = rng.random((1 if shared else SUBJECTS, TRIALS))
    uniforms = np.broadcast_to(uniforms, (SUBJECTS, TRIALS))
    everyone, q = np.arange(SUBJECTS), np.full((SUBJECTS, ACTIONS), 0.5)
    choices = np.empty((SUBJECTS, TRIALS), dtype=np.int64)
    for t in range(TRIALS):
        weights = np.exp(q / truth["temperature"][:, None])
        edges = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
        choices[:, t] = choice = (uniforms[:, t, None] >= edges[:, :-1]).sum(axis=1)
        error = rewards[t, choice] - q[everyone, choice]
        q[everyone, choice] += np.where(error > 0, truth["alpha_pos"], truth["alpha_neg"]) * error
    return choices, rewards, truth


# Two models: they differ in how a choice is scored


def one_choice(q, temperature):
    """One of five actions."""
    return rl.Categorical(logits=q / temperature)


def five_bits(q, temperature):
    """Five independent yes-or-no answers, one an action, each yes with its softmax probability."""
    logits = q / temperature
    others = rl.where(np.eye(ACTIONS) == 1, -np.inf, logits[None, :])
    return rl.Bernoulli(logits=logits - rl.logsumexp(others))  # log p − log(1 − p), with no cancellation


def learn(q, choice, reward, alpha_pos, alpha_neg):
    """Move the chosen action's value toward what it paid; ``choice`` is a number."""
    error = reward - q[choice]
    return {"q": q.at[choice].add(rl.where(error > 0, alpha_pos, alpha_neg) * error)}


def learn_one_hot(q, choice, reward, alpha_pos, alpha_neg):
    """Do the same; ``choice`` is a row of zeros and a one."""
    error = rl.to_float(choice) * (reward - q)
    return {"q": q + rl.where(error > 0, alpha_pos, alpha_neg) * error}


def _model(name: str, choose: Any, update: Any) -> Any:
    return rl.Model(
        name,
        parameters={parameter: rl.Parameter(rl.UnitInterval()) for parameter in NAMES},
        states={"q": rl.State("action", initial=0.5)},
        trial={"choice": choose, "reward": rl.Real()},
        update=update,
        sizes={"action": ACTIONS},
    )


categorical = _model("categorical", one_choice, learn)
bernoullis = _model("bernoullis", five_bits, learn_one_hot)
MODELS = {"Categorical": categorical, "Bernoullis": bernoullis}


def population(location_sd: float, sd: float) -> Any:
    """Return a group that is normal on the logit scale, from the sds of the priors of its location and its sd.

    Temperatures are sampled themselves, not as offsets: the data say much about each. The posterior is the same.
    """
    priors = {"location": rl.priors.Normal(0.0, location_sd), "sd": rl.priors.HalfNormal(sd)}
    return rl.Population(
        **{name: rl.Pooling("partial", link="logit", centred=name == "temperature", **priors) for name in NAMES}
    )


# The guide multiplies sd ~ HalfNormal(0.5) by offsets ~ Normal(0, 0.5). Offsets here have sd 1, so sd takes the half.
PRIOR_SDS = {"the guide's": (0.5, 0.25), "wide": (1.0, 1.0)}
PRIORS = {name: population(*sds) for name, sds in PRIOR_SDS.items()}


def trials_for(model: Any, choices: np.ndarray, rewards: np.ndarray) -> rl.Trials:
    """Return the trials in the form that a model asks for: the choice as a number, or as zeros and a one."""
    obtained = rewards[np.arange(TRIALS), choices].astype(float)
    if model is bernoullis:
        return rl.Trials.from_arrays(choice=np.eye(ACTIONS, dtype=int)[choices], reward=obtained)
    return rl.Trials.from_arrays(choice=choices, reward=obtained, levels={"choice": range(ACTIONS)})


# What comes back


Row = dict[str, float]


def recovery(fit: Any, truth: Mapping[str, np.ndarray]) -> dict[str, Row]:
    """Return how each parameter came back: ``r``, ``bias``, ``coverage`` and ``width`` over subjects."""
    rows = {}
    for name in NAMES:
        draws = fit.tree["posterior"][name].values.reshape(-1, SUBJECTS)
        low, high = np.quantile(draws, TAILS, axis=0)
        rows[name] = _row(truth[name], draws.mean(axis=0), low, high)
    return rows


def _row(true: np.ndarray, mean: np.ndarray, low: np.ndarray, high: np.ndarray) -> Row:
    return {
        "r": float(np.corrcoef(true, mean)[0, 1]),
        "bias": float((mean - true).mean()),
        "coverage": float(((low <= true) & (true <= high)).mean()),
        "width": float((high - low).mean()),
    }


def fit_guide(backend: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Fit both models to the guide's data with the guide's priors; print a row a parameter."""
    choices, rewards, truth = guide_data()
    print(f"The guide's data and priors, on {backend}: 2 chains × 1000 draws")
    print(f"  {'likelihood':12}{'parameter':14}{'r':>6}{'bias':>8}{'in 89 %':>9}{'width':>7}")
    fits = {}
    for label, model in MODELS.items():
        fit = fits[label] = rl.fit(
            model, trials_for(model, choices, rewards), backend=backend, population=PRIORS["the guide's"],
            chains=2, tune=500, draws=1000, seed=1, log_likelihood=False, progress="off",
        )  # fmt: skip
        for name, row in recovery(fit, truth).items():
            print(
                f"  {label:12}{name:14}{row['r']:6.2f}{row['bias']:+8.3f}{row['coverage']:9.3f}{row['width']:7.3f}",
                flush=True,
            )
        print(f"  {fit!r}")
    return fits, truth


# How often an interval holds the truth


def fit_replicates(backend: str, replicates: int) -> None:
    """Fit fresh data sets as the guide's were fitted, and with wide priors; print averages over data sets."""
    found: dict[str, list[dict[str, Row]]] = {}
    for seed in range(replicates):
        choices, rewards, truth = fresh_data(seed)
        for label, model in MODELS.items():
            for priors, people in PRIORS.items():
                fit = rl.fit(
                    model, trials_for(model, choices, rewards), backend=backend, population=people, chains=2, tune=250,
                    draws=300, seed=seed, log_likelihood=False, progress="off", certificate_points=1,
                )  # fmt: skip
                found.setdefault(f"{label}, {priors} priors", []).append(recovery(fit, truth))
        print(f"data set {seed + 1} of {replicates} is fitted", file=sys.stderr, flush=True)
    _print_means(f"Fresh data sets, fitted on {backend}", found)


def exact_replicates(replicates: int) -> None:
    """Compute the posteriors of fresh data sets on a grid, without a sampler; print averages over data sets."""
    from guide_exact import group_posteriors, log_likelihoods_on_grid, posteriors  # beside this file

    for shared, words in ((False, "own"), (True, "shared")):
        found: dict[str, list[dict[str, Row]]] = {}
        for seed in range(replicates):
            choices, rewards, truth = fresh_data(seed, shared=shared)
            axes, scores = log_likelihoods_on_grid(choices, rewards)
            for label, log_likelihood in zip(MODELS, scores, strict=True):
                summaries = {"true": posteriors(axes, log_likelihood)}
                for priors, sds in PRIOR_SDS.items():
                    summaries[priors] = group_posteriors(axes, log_likelihood, *sds, seed=seed)
                for priors, summary in summaries.items():
                    rows = {name: _row(truth[name], *summary[i]) for i, name in enumerate(NAMES)}
                    found.setdefault(f"{label}, {priors} priors", []).append(rows)
        _print_means(f"Fresh data sets, subjects with {words} random numbers, on a grid", found)


def _print_means(title: str, found: Mapping[str, list[dict[str, Row]]]) -> None:
    print(f"\n{title}: mean over data sets ± its standard error (sd over data sets)")
    for label, rows in found.items():
        print(f"  {label}, {len(rows)} data sets of {SUBJECTS} subjects")
        for name in NAMES:
            words = []
            for column in ("r", "bias", "coverage", "width"):
                values = np.array([row[name][column] for row in rows])
                sd = values.std(ddof=1) if len(values) > 1 else np.nan
                words.append(f"{column} {values.mean():.3f} ± {sd / np.sqrt(len(values)):.3f} ({sd:.3f})")
            print(f"    {name:13}{'   '.join(words)}", flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Print the recovery; draw it; repeat it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--backend", choices=["numpyro", "pymc"], default="numpyro")
    parser.add_argument("--replicates", type=int, default=0, metavar="N", help="fit N fresh data sets as well")
    parser.add_argument("--figure", metavar="PATH", help="where to save the picture of both fits")
    parser.add_argument("--exact", type=int, default=0, metavar="N", help="N fresh data sets by summing over a grid")
    asked = parser.parse_args(arguments)
    fits, truth = fit_guide(asked.backend)
    if asked.figure:
        rl.plots.plot_recovery(fits, truth).savefig(asked.figure, dpi=110)
    if asked.exact:
        exact_replicates(asked.exact)
    if asked.replicates:
        warnings.simplefilter("ignore")  # three hundred draws are few for the group's sd, and enough for an interval
        fit_replicates(asked.backend, asked.replicates)


if __name__ == "__main__":
    main()
