"""The Wisconsin card sorting task: cards are sorted by a rule that is not told, and that changes."""

from __future__ import annotations

from functools import partial
from itertools import product

import numpy as np

import rlbackends as rl
from rlbackends.tasks.scheduled import Scheduled
from rlbackends.tasks.settings import Settings
from rlbackends.tasks.task import Task

__all__ = ["card_sorting"]


def card_sorting(n_dimensions: int = 3, n_decks: int = 4, n_trials: int = 128, *, criterion: int = 10) -> Task:
    """The Wisconsin card sorting task: the right deck matches the card on the dimension that counts at the moment.

    Parameters
    ----------
    n_dimensions, n_decks : int, default 3, 4
        Number of dimensions of a card (colour, form, number), and of decks that it may be sorted to.
    n_trials : int, default 128
        Trials of a block.
    criterion : int, default 10
        The rule changes once so many cards in a row were sorted right.

    Returns
    -------
    Task
        Events: ``match`` (what is shown: for each dimension, the deck that the card matches on it), ``choice`` (the
        subject's, one of the decks) and ``outcome`` (1 if that was right, 0 if wrong). Hidden states: ``rule``, 1 at
        the dimension that counts, and ``run``, how many cards in a row were right.

    Raises
    ------
    ModelError
        If a number makes no sense; all faults at once.

    Notes
    -----
    ``outcome = 1`` if ``match[rule] = choice``. The first dimension counts first, then the second, and so on, and
    after the last the first again. Every combination of matches is one card: 64 with three dimensions and four decks;
    they are shuffled for each subject and block, and again when all have come. The criterion and the numbers are
    those of the task as it is usually given.

    References
    ----------
    Bishara, A. J., Kruschke, J. K., Stout, J. C., Bechara, A., McCabe, D. P., & Busemeyer, J. R. (2010). Sequential
    learning models for the Wisconsin card sort task: Assessing processes in substance dependent individuals.
    *Journal of Mathematical Psychology, 54*, 5–13.

    Examples
    --------
    >>> import rlbackends as rl
    >>> params = {"alpha_pos": 0.5, "alpha_neg": 0.4, "consistency": 2.0}
    >>> played = rl.simulate(
    ...     rl.catalogue.card_sorting(), rl.tasks.card_sorting(), params, subjects=3, backend="reference"
    ... )
    >>> played.data
    Trials(3 subjects × 128 trials; match, choice, outcome; from card_sorting)
    """
    settings = Settings("card_sorting")
    n_dimensions, n_decks = settings.whole("n_dimensions", n_dimensions), settings.whole("n_decks", n_decks, 2)
    if n_decks**n_dimensions > 100_000:
        settings.faults.add(
            f"{n_decks} decks and {n_dimensions} dimensions make too many cards, expected 100,000 at most."
        )
    n_trials = settings.trials(n_trials, 128)
    criterion = settings.whole("criterion", criterion)
    settings.report()

    def outcome(match, choice, rule):
        """Whether the card was sorted right."""
        return rl.sum(rl.where(match == choice, rule, 0.0)) > 0

    def update(outcome, rule, run):
        counted = rl.where(outcome == 1, run + 1, 0.0)
        following = rl.stack(*(rule[(i - 1) % n_dimensions] for i in range(n_dimensions)))
        learnt = counted >= criterion
        return {"rule": rl.where(learnt, following, rule), "run": rl.where(learnt, 0.0, counted)}

    return Task(
        "card_sorting",
        trial={
            "match": Scheduled(
                rl.Index("deck", "dimension", description="for each dimension, the deck that the card matches on it"),
                partial(_cards, n_dimensions=n_dimensions, n_decks=n_decks),
            ),
            "choice": rl.Index("deck", description="the deck that the card was sorted to"),
            "outcome": outcome,
        },
        states={"rule": rl.State("dimension", initial=np.eye(n_dimensions)[0]), "run": rl.State()},
        update=update,
        sizes={"deck": n_decks, "dimension": n_dimensions},
        n_trials=n_trials,
        description="Cards are sorted by a rule that is not told, and that changes once it was learnt.",
        reference="Bishara et al. (2010)",
    )


def _cards(rng: np.random.Generator, n_trials: int, *, n_dimensions: int, n_decks: int) -> np.ndarray:
    cards = np.array(list(product(range(n_decks), repeat=n_dimensions)))
    order = np.concatenate([rng.permutation(len(cards)) for _ in range(-(-n_trials // len(cards)))])
    return cards[order[:n_trials]]
