"""The Iowa gambling task: four decks of cards, of which two pay more at once and cost more in the long run."""

from __future__ import annotations

from typing import Any

import numpy as np

import rlbackends as rl
from rlbackends.expressions.standin import as_expression
from rlbackends.tasks.settings import Settings
from rlbackends.tasks.task import Task

__all__ = ["gambling"]

# Losses on ten cards of each deck: often in the first and third, rarely in the second and fourth.
_LOSSES = (
    (0, 0, 0, 0, 0, -150, -200, -250, -300, -350),
    (0, 0, 0, 0, 0, 0, 0, 0, 0, -1250),
    (0, 0, 0, 0, 0, -25, -50, -50, -50, -75),
    (0, 0, 0, 0, 0, 0, 0, 0, 0, -250),
)


def gambling(
    gains: Any = (100, 100, 50, 50),
    losses: Any = _LOSSES,
    n_trials: int = 100,
    *,
    shuffled: bool = True,
    unit: float = 100.0,
) -> Task:
    """The Iowa gambling task: decks whose cards all win, and some of whose cards also lose.

    Parameters
    ----------
    gains : array, default (100, 100, 50, 50)
        What each card of a deck wins, by deck; or a table deck × card.
    losses : array, default: ten cards for each of four decks
        What each card loses, **0 or less**, deck × card.
    n_trials : int, default 100
        Trials of a block.
    shuffled : bool, default True
        Whether a deck's cards come in an order that is drawn; False takes them in the order given.
    unit : float, default 100.0
        What ``outcome`` is counted in.

    Returns
    -------
    Task
        Events: ``choice`` (the subject's, one of the decks), ``card`` (which card of the deck it was), ``gain`` (0 or
        more), ``loss`` (0 or less) and ``outcome`` (their sum in units). Hidden: the state ``left``, which is 1 for
        the cards that a deck still has, and 0 for the others.

    Raises
    ------
    ModelError
        If a loss is above 0, a gain below it, or sizes disagree; all faults at once.

    Notes
    -----
    A choice takes one of the cards that are left in that deck, each of them as likely, or the first of them. When a
    deck's last card is taken, all of its cards are put back. ``gain`` and ``loss`` are what the card says, and
    ``outcome = (gain + loss) / unit``.

    Ten cards of the first two decks, A and B, win 1,000 and lose 1,250, of the other two, C and D, win 500 and lose
    250; half of the cards of A and C lose, and one of ten of B and D. This is the scheme of the paper. Its decks
    have 40 cards in a fixed order: ``losses`` of 4 × 40 with ``shuffled=False`` plays these. Models of the task
    count outcomes in hundreds.

    References
    ----------
    Bechara, A., Damasio, A. R., Damasio, H., & Anderson, S. W. (1994). Insensitivity to future consequences
    following damage to human prefrontal cortex. *Cognition, 50*, 7–15.

    Examples
    --------
    >>> import rlbackends as rl
    >>> params = {"alpha": 0.2, "sensitivity": 0.5, "loss_aversion": 1.5, "consistency": 1.0}
    >>> played = rl.simulate(
    ...     rl.catalogue.pvl_delta(), rl.tasks.gambling(), params, subjects=3, backend="reference"
    ... )
    >>> played.data
    Trials(3 subjects × 100 trials; choice, card, gain, loss, outcome; from gambling)
    """
    settings = Settings("gambling")
    lost = settings.numbers("losses", losses, "deck", "card", hi=0.0)
    axes = ("deck", "card") if np.ndim(gains) == 2 else ("deck",)
    won = settings.numbers("gains", gains, *axes, lo=0.0)
    if not settings.faults.found and won.shape not in (lost.shape, lost.shape[:1]):
        settings.faults.add(
            f"gains has shape {won.shape} and losses has shape {lost.shape}, expected a gain of each deck, or as many "
            "cards in both."
        )
    n_trials = settings.trials(n_trials, 100)
    shuffled = settings.flag("shuffled", shuffled)
    unit = settings.number("unit", unit)
    if unit == 0:
        settings.faults.add("unit is 0, expected a number that outcomes can be divided by.")
    settings.report()
    n_decks, n_cards = lost.shape
    won = np.broadcast_to(won if won.ndim == 2 else won[:, None], lost.shape)
    below = np.tril(np.ones((n_cards, n_cards)))

    def card(choice, left, uniform):
        """Which of the deck's cards it was."""
        there = left[choice]
        if not shuffled:
            return rl.argmax(there)
        counted = rl.sum(there[None, :] * below, axis=-1)
        return rl.argmax(rl.where(uniform * rl.sum(there) < counted, 1.0, 0.0))

    def gain(choice, card):
        """What the card wins."""
        return as_expression(won)[choice, card]

    def loss(choice, card):
        """What the card loses, 0 or less."""
        return as_expression(lost)[choice, card]

    def outcome(gain, loss):
        """The trial's net outcome, in units."""
        return (gain + loss) / unit

    def update(choice, card, left):
        kept = left.at[choice, card].set(0.0)
        return {"left": kept.at[choice].set(rl.where(rl.sum(kept[choice]) > 0, kept[choice], 1.0))}

    return Task(
        "gambling",
        trial={
            "choice": rl.Index("action", description="the deck that was chosen"),
            "card": card,
            "gain": gain,
            "loss": loss,
            "outcome": outcome,
        },
        states={"left": rl.State("action", "cards", initial=1.0)},
        update=update,
        sizes={"action": n_decks, "cards": n_cards},
        n_trials=n_trials,
        description="Decks whose cards all win, and some of whose cards also lose.",
        reference="Bechara et al. (1994)",
    )
