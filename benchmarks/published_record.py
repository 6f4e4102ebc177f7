"""Published likelihoods beside ours, on real data: what each gets wrong, by how much, and what that does to estimates.

    python benchmarks/published_record.py --data ../shared/data [--only N ...] [--output PATH]

Four likelihoods that were published with a mistake, or with a choice of their own, are re-expressed from their
descriptions in plain NumPy (``published_likelihoods.py``, beside this file). For each: the log-likelihood at usual
parameters, ours and theirs; subjects' estimates under both, with the same priors; what the mistake does to a
conclusion; and what ``rl.compare_likelihood`` says of it when it is given the published one as a function.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import rlbackends as rl

sys.path.insert(0, str(Path(__file__).parent))
import published_likelihoods as published
import published_thread as thread
from published_search import Arrays, Likelihood, Search, search

ALIENS = {"season": "seasons", "alien": "aliens", "choice": "actions", "reward": "rewards"}
FILES = ("prl.tsv", "bandit4arm.tsv", "ts.tsv", *(f"aliens/{name}.csv" for name in ALIENS.values()))


# What is compared


@dataclass(frozen=True)
class Comparison:
    """Our model and a published likelihood of the same parameters, on one data set.

    Attributes
    ----------
    words : str
        What is compared, in a line.
    model, data
        Ours.
    usual : dict of str to float
        Parameters at which both are compared.
    by_hand : function
        Our model's log-likelihood in plain NumPy; it checks the search.
    theirs : function
        The published one.
    """

    words: str
    model: Any
    data: Any
    usual: Mapping[str, float]
    by_hand: Likelihood
    theirs: Likelihood

    def events(self) -> dict[str, np.ndarray]:
        """Return the events as arrays (subject, trial); responses that are not there are −1."""
        bound = self.data.bind(self.model)
        return {
            name: np.where(bound.missing[name], -1, values) if self.model.events[name].is_response else values
            for name, values in bound.values.items()
        }

    def usual_params(self) -> dict[str, np.ndarray]:
        """Return the usual parameters, the same for every subject."""
        return {name: np.full(len(self.data.subjects), value) for name, value in self.usual.items()}


def four_armed(folder: Path) -> Comparison:
    """Return independent answers, one an action, on the four-armed bandit."""
    data = rl.read_trials(
        folder / "bandit4arm.tsv", subject="subjID", choice="choice", derive={"reward": "gain - abs(loss)"}
    )
    return Comparison(
        "four answers a choice, bandit4arm.tsv",
        rl.catalogue.rescorla_wagner_two_rates(n_actions=4), data, {"alpha_pos": 0.3, "alpha_neg": 0.3, "beta": 1.5},
        partial(published.two_rates, score="one choice", n_actions=4),
        partial(published.two_rates, score="answers", n_actions=4),
    )  # fmt: skip


def reversal(folder: Path) -> Any:
    """Return the trials of the reversal task."""
    return rl.read_trials(folder / "prl.tsv", subject="subjID", trial="trial", choice="choice", reward="outcome")


def two_answers(folder: Path) -> Comparison:
    """Return the same on the reversal task, which has two actions."""
    return Comparison(
        "two answers a choice, prl.tsv",
        rl.catalogue.rescorla_wagner_two_rates(), reversal(folder), {"alpha_pos": 0.4, "alpha_neg": 0.2, "beta": 2.0},
        partial(published.two_rates, score="one choice", n_actions=2),
        partial(published.two_rates, score="answers", n_actions=2),
    )  # fmt: skip


def summed(folder: Path, *, mended: bool = False) -> Comparison:
    """Return the probabilities summed over actions; ``mended``: the chosen one's, with the values still too new."""
    rule = partial(published.delta_rule, n_actions=2, initial=0.5)
    theirs = partial(rule, score="one choice" if mended else "sum", values="after")
    return Comparison(
        "the chosen action's probability, after the update, prl.tsv" if mended else "the sum over actions, prl.tsv",
        rl.catalogue.rescorla_wagner(initial=0.5), reversal(folder), {"alpha": 0.3, "beta": 2.0},
        partial(rule, score="one choice", values="before"), theirs,
    )  # fmt: skip


def shifted(folder: Path) -> Comparison:
    """Return choices that meet the previous stimulus's values."""
    data = rl.read_trials({event: folder / "aliens" / f"{name}.csv" for event, name in ALIENS.items()})
    return Comparison(
        "the previous stimulus's values, aliens/*.csv",
        rl.catalogue.aliens(), data, {"alpha": 0.15, "beta": 1.25, "forgetting": 0.06},
        partial(published.aliens, row="shown"), partial(published.aliens, row="previous"),
    )  # fmt: skip


def last_step(folder: Path, *, four: bool = False) -> Comparison:
    """Return the two-step task's last step from the updated value; ``four``: with four parameters."""
    derive = {
        "state2": "where(level2_choice > 2, 1, 0)",
        "choice2": "where(level2_choice > 2, level2_choice - 3, level2_choice - 1)",
    }
    data = rl.read_trials(
        folder / "ts.tsv", subject="subjID", trial="trial", choice1="level1_choice", reward="reward", derive=derive
    )
    shared = {"w": 0.4, "stay": 0.2}
    seven = {"beta1": 2.0, "beta2": 3.0, "alpha1": 0.4, "alpha2": 0.5, "eligibility": 0.6}
    return Comparison(
        f"the last step after the update, {'four' if four else 'seven'} parameters, ts.tsv",
        rl.catalogue.two_step_four() if four else rl.catalogue.two_step(), data,
        ({"beta": 2.5, "alpha": 0.5} if four else seven) | shared,
        partial(published.two_step, last_step="before"), partial(published.two_step, last_step="after"),
    )  # fmt: skip


def estimate(model: Any, data: Any, method: str = "map") -> Any:
    """Return our estimates; what they warn of is not this script's question."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return rl.estimate(model, data, method=method, seed=0, progress="off")


# What is printed


Say = Callable[[str], None]


def at_usual_values(comparison: Comparison, say: Say) -> None:
    """Say both log-likelihoods at usual parameters, and where a trial differs most."""
    events, params = comparison.events(), comparison.usual_params()
    ours, theirs = comparison.by_hand(events, params), comparison.theirs(events, params)
    compiled = rl.compile(comparison.model, comparison.data).log_likelihood(params)
    from_library = sum(np.nan_to_num(compiled[name].values) for name in comparison.model.responses)
    gap = np.abs(ours - theirs)
    subject, trial = np.unravel_index(gap.argmax(), gap.shape)
    say(f"{comparison.words}: {len(ours)} subjects, {int((events[comparison.model.responses[0]] >= 0).sum()):,} trials")
    say("  at " + ", ".join(f"{name} {value:g}" for name, value in comparison.usual.items()))
    say(f"    log-likelihood: ours {_sum(ours)}, published {_sum(theirs)}; blind choice {chance(comparison):,.1f}")
    say(
        f"    largest difference of a trial: {gap.max():.3f} (subject {comparison.data.subjects[subject]}, its trial "
        f"{trial + 1}: ours {ours[subject, trial]:.3f}, published {theirs[subject, trial]:.3f})"
    )
    say(f"    ours in NumPy against the library: at most {np.abs(ours - from_library).max():.1g} a trial")


def chance(comparison: Comparison) -> float:
    """Return the log-likelihood of choosing blindly."""
    bound = comparison.data.bind(comparison.model)
    found = 0.0
    for name in comparison.model.responses:
        found -= float((~bound.missing[name]).sum()) * np.log(comparison.model.events[name].kind.hi + 1)
    return found


def fitted(comparison: Comparison, say: Say) -> tuple[Any, Search]:
    """Say the estimates of both, and return them."""
    ours = estimate(comparison.model, comparison.data)
    theirs, check = search(comparison.theirs, comparison, near=ours), search(comparison.by_hand, comparison, near=ours)
    off = max(float(np.abs(check.params[name] - ours.params[name]).max()) for name in comparison.usual)
    say("  maximum a posteriori, each subject by itself, a standard normal prior on the link scale for both")
    say(f"    {'':12}{'mean (sd) ours':>18}{'published':>18}{'r':>7}{'largest':>10}{'beyond 1 se':>13}{'se ratio':>10}")
    for name in comparison.usual:
        a, b, error = ours.params[name], theirs.params[name], ours.standard_errors[name]
        r = np.corrcoef(a, b)[0, 1] if b.std() > 1e-6 else np.nan
        far = float((np.abs(a - b) > error).mean())
        say(
            f"    {name:12}{_mean(a):>18}{_mean(b):>18}{_number(r, '.2f'):>7}{np.abs(a - b).max():>10.3f}{far:>12.0%} "
            f"{np.nanmedian(theirs.standard_errors[name] / error):>9.2f}"
        )
    own = ours.log_likelihood.sum()
    swapped = comparison.by_hand(comparison.events(), theirs.params).sum()
    say(f"    ours at our estimates {own:,.1f}; at the published likelihood's {swapped:,.1f}")
    say(f"    published at its own estimates {_sum(theirs.log_likelihood)}")
    say(f"    the same search on our likelihood ends within {off:.1g} of rl.estimate")
    return ours, theirs


def _sum(values: np.ndarray) -> str:
    return f"{round(float(values.sum()), 1) + 0.0:,.1f}"  # 0, not minus 0


def _mean(values: np.ndarray) -> str:
    return f"{values.mean():.3f} ({values.std(ddof=1):.3f})"


def _number(value: float, how: str) -> str:
    return f"{value:{how}}" if np.isfinite(value) else "–"


def reported(comparison: Comparison, say: Say, *, at_usual: bool = True) -> None:
    """Say what the library says, given our model, the data and the published likelihood as a function.

    Without ``at_usual`` it chooses the points itself, where parameters differ by subject.
    """
    events = comparison.events()

    def other(params: Arrays) -> np.ndarray:
        return comparison.theirs(events, params)

    report = rl.compare_likelihood(comparison.model, comparison.data, other, comparison.usual if at_usual else None)
    say("  rl.compare_likelihood:")
    for line in str(report).splitlines():
        say(f"    {line}".rstrip())


# The four


def answers(folder: Path, say: Say) -> None:
    """One choice scored as independent answers; it counts evidence more than once."""
    for make, one in (
        (four_armed, rl.catalogue.rescorla_wagner(n_actions=4)), (two_answers, rl.catalogue.rescorla_wagner()),
    ):  # fmt: skip
        comparison = make(folder)
        at_usual_values(comparison, say)
        fitted(comparison, say)
        two_rates_or_one(comparison, one, say)
        reported(comparison, say)
        say("")


def two_rates_or_one(comparison: Comparison, one_rate: Any, say: Say) -> None:
    """Say for how many subjects a likelihood-ratio test asks for a second rate."""

    def tied(likelihood: Likelihood) -> Likelihood:
        def scored(events: Arrays, params: Arrays) -> np.ndarray:
            return likelihood(events, {name: params[name.partition("_")[0]] for name in comparison.usual})

        return scored

    single = replace(comparison, model=one_rate, usual={"alpha": 0.3, "beta": 1.5})
    two, one = (estimate(model, comparison.data, "ml") for model in (comparison.model, one_rate))
    their_two = search(comparison.theirs, comparison, method="ml", near=two)
    their_one = search(tied(comparison.theirs), single, method="ml", near=one)
    ratios = {
        "ours": 2 * (two.log_likelihood - one.log_likelihood),
        "published": 2 * (their_two.log_likelihood - their_one.log_likelihood),
    }
    say("  two learning rates rather than one? Twice the gain in log-likelihood, maximum likelihood")
    for who, ratio in ratios.items():
        say(
            f"    {who:10} sum {ratio.sum():7.1f}; beyond 3.84 (5 %) in {(ratio > 3.84).sum()} of {len(ratio)}, "
            f"two rates by AIC in {(ratio > 2).sum()}"
        )


def sums(folder: Path, say: Say) -> None:
    """Score the sum over actions, which is 1 whatever was chosen; then what is left once the chosen one is picked."""
    for comparison in (summed(folder), summed(folder, mended=True)):
        at_usual_values(comparison, say)
        fitted(comparison, say)
        reported(comparison, say)
        say("")


def stimuli(folder: Path, say: Say) -> None:
    """Each choice meets the values of the stimulus before; then the forum's own program, which does not."""
    comparison = shifted(folder)
    at_usual_values(comparison, say)
    ours, theirs = fitted(comparison, say)
    blind = chance(comparison) / len(ours.log_likelihood)
    better = [int((found.log_likelihood > blind).sum()) for found in (ours, theirs)]
    n = len(ours.subjects)
    say(f"    subjects explained better than by blind choice: ours {better[0]} of {n}, published {better[1]} of {n}")
    reported(comparison, say)
    say("")
    events, params = comparison.events(), comparison.usual_params()
    thread.tell(events, params, comparison.by_hand(events, params), folder, say)


def steps(folder: Path, say: Say) -> None:
    """The two-step task's last step, after the update; it is another unit of λ, with a ceiling."""
    for four in (False, True):
        comparison = last_step(folder, four=four)
        at_usual_values(comparison, say)
        ours, theirs = fitted(comparison, say)
        if not four:
            events, params = comparison.events(), comparison.usual_params()
            scaled = params | {"eligibility": params["eligibility"] * (1 - params["alpha2"])}
            gap = np.abs(comparison.theirs(events, params) - comparison.by_hand(events, scaled)).max()
            say(f"    published at λ against ours at λ (1 − alpha2): at most {gap:.0e} a trial")
            beyond = ours.params["eligibility"] > 1 - ours.params["alpha2"]
            say(f"    our λ is above the published ceiling, 1 − alpha2, in {beyond.sum()} of {len(beyond)} subjects")
            mapped = theirs.params["eligibility"] * (1 - theirs.params["alpha2"])
            say(f"    published λ in our unit, λ (1 − alpha2): {_mean(mapped)}")
        else:
            events = comparison.events()
            fitted_one = comparison.theirs(events, theirs.params)
            stored = published.two_step(events, theirs.params, last_step="after", first_steps=2)
            say(
                f"    with the first step taken twice a trial, at the published estimates: {_sum(stored)}, instead of "
                f"{_sum(fitted_one)}; up to {np.abs(stored - fitted_one).max():.2f} on a trial"
            )
        reported(comparison, say, at_usual=False)
        say("")


RECORD: dict[int, tuple[str, Callable[[Path, Say], None]]] = {
    1: ("One choice as independent yes-or-no answers (a JAX guide)", answers),
    2: ("Probabilities summed over actions (a PyTensor notebook)", sums),
    3: ("The previous stimulus's values (a PyMC3 notebook)", stimuli),
    4: ("The last step after the update (hBayesDM's two-step models)", steps),
}


def main(arguments: list[str] | None = None) -> int:
    """Print the record; return 2 where data are not there."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the published data sets")
    parser.add_argument("--only", type=int, nargs="+", choices=RECORD, default=list(RECORD), metavar="N", help="1 to 4")
    parser.add_argument("--output", type=Path, metavar="PATH", help="write there what is printed, too")
    asked = parser.parse_args(arguments)
    absent = [name for name in FILES if not (asked.data / name).is_file()]
    if absent:
        print(
            f"published_record.py: {asked.data} has no {rl.errors.listed(absent)}. Give the folder with --data; "
            "docs/published-record.md says what the files are.", file=sys.stderr,
        )  # fmt: skip
        return 2
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    for number in asked.only:
        title, run = RECORD[number]
        began = time.perf_counter()
        say(f"{number}. {title}\n")
        run(asked.data, say)
        print(f"[{time.perf_counter() - began:.0f} s]", file=sys.stderr, flush=True)
    if asked.output:
        asked.output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
