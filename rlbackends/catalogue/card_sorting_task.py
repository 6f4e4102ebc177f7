"""Models of the Wisconsin card sorting task: cards are sorted by a rule that is not told, and that changes."""

from __future__ import annotations

import rlbackends as rl
from rlbackends import components
from rlbackends.errors import ModelError
from rlbackends.model import Model

__all__ = ["card_sorting"]


def card_sorting(n_dimensions: int = 3, n_decks: int = 4, focus: float | None = 1.0, floor: float = 0.0) -> Model:
    """Sequential learning in card sorting: attention moves between dimensions as sortings are right or wrong.

    Parameters
    ----------
    n_dimensions, n_decks : int, default 3, 4
        Number of dimensions of a card (colour, form, number), and of decks that it may be sorted to.
    focus : float, optional
        How much feedback is credited to what is attended most (f): 0 credits all dimensions that it may be about
        alike, 1 (the default) by their attention. None makes it a parameter.
    floor : float, default 0.0
        Keeps attention and probabilities away from 0: see Notes.

    Returns
    -------
    Model
        Columns that the data need: ``match`` (for each dimension, the deck that the card matches on it),
        ``choice`` (the deck that the card was sorted to) and ``outcome`` (1 if that was right, 0 if wrong).
        Parameters: ``alpha_pos`` and ``alpha_neg`` (how far attention moves after right and wrong, r and p),
        ``consistency`` (of choices with attention, d, from 0 to 5) and, if it is None above, ``focus`` (f, from 0
        to 5). Record: ``signal``, what attention moved toward.

    Raises
    ------
    ModelError
        If a size is no whole number above 0, ``focus`` is below 0 or no number, or ``floor`` is not from 0 to below
        ``1 / n_dimensions``.

    Notes
    -----
    Attention a is one number per dimension; they sum to 1 and are equal at the start of each block. A deck is chosen
    with a probability proportional to the sum of ``a^consistency`` over the dimensions on which the card matches it,
    so that one that matches on none is never chosen. Feedback is about the dimensions on which the chosen deck
    matches if it was right, about the others if it was wrong, and shares out a signal among these:
    ``signal[i] = a[i]^focus / Σ a[j]^focus``, the sum over the same dimensions, 0 elsewhere. Attention moves
    toward it, ``a ← (1 − rate) · a + rate · signal``, with the rate ``alpha_pos`` after right and ``alpha_neg``
    after wrong. Where there is no such dimension, or all of them have lost all attention (0/0), attention stays and
    is its own signal.

    Bishara et al. compare versions in which some of the four parameters are fixed or the same; the default is the one
    of three parameters with ``focus=1``. A deck without a match has probability 0, and a fit of data in which one was
    chosen does not start: leave these choices out, or set ``floor``. Then attention is ``floor + (1 − 2 · floor) · a /
    Σ a`` after each trial, and the probability of a deck is proportional to ``floor + (1 − 2 · floor) · Σ
    a^consistency``. hBayesDM fits ``focus=1`` and ``floor=0.0001``, but leaves the floor out of a subject's first
    choice.

    References
    ----------
    Bishara, A. J., Kruschke, J. K., Stout, J. C., Bechara, A., McCabe, D. P., & Busemeyer, J. R. (2010). Sequential
    learning models for the Wisconsin card sort task: Assessing processes in substance dependent individuals.
    *Journal of Mathematical Psychology, 54*, 5–13.

    Examples
    --------
    >>> import rlbackends as rl
    >>> match = [[[0, 1, 2], [3, 1, 1], [2, 0, 3]]]
    >>> data = rl.Trials.from_arrays(match=match, choice=[[1, 1, 0]], outcome=[[0, 1, 1]])
    >>> compiled = rl.compile(rl.catalogue.card_sorting(), data)
    >>> params = {"alpha_pos": 0.5, "alpha_neg": 0.5, "consistency": 2.0}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-1.099, -0.622, -2.092]])

    A table with a column for each dimension is read by

    >>> data = rl.read_trials(  # doctest: +SKIP
    ...     "sorting.csv",
    ...     subject="subject",
    ...     trial="trial",
    ...     match=["colour", "form", "number"],
    ...     choice="deck",
    ...     outcome="correct",
    ...     levels={"match": [1, 2, 3, 4], "choice": [1, 2, 3, 4]},
    ... )
    """
    for name, size in (("n_dimensions", n_dimensions), ("n_decks", n_decks)):
        if type(size) is not int or size < 1:
            raise ModelError(f"card_sorting: {name} is {size!r}, expected a whole number above 0.")
    number = isinstance(focus, int | float) and not isinstance(focus, bool) and 0 <= focus < float("inf")
    if focus is not None and not number:
        raise ModelError(f"card_sorting: focus is {focus!r}, expected a number of 0 or more, or None.")
    if not isinstance(floor, int | float) or not 0 <= floor < 1 / n_dimensions:
        raise ModelError(f"card_sorting: floor is {floor!r}, expected a number from 0 to below 1 / {n_dimensions}.")

    fixed_focus = focus

    def above_floor(shares):
        return floor + (1 - 2 * floor) * shares

    def choice(attention, match, consistency):
        """The deck that the card was sorted to."""
        decks = components.along("deck", range(n_decks))[:, None]
        weight = rl.sum(rl.where(match == decks, attention**consistency, 0.0), axis=-1)
        if floor:
            return rl.Categorical(logits=rl.log(above_floor(weight)))
        return rl.Categorical(logits=rl.log(weight), available=weight > 0)

    def attend(attention, match, choice, outcome, alpha_pos, alpha_neg, focus):
        about = rl.where(outcome == 1, match == choice, match != choice)
        credit = rl.where(about, attention if fixed_focus == 1 else attention**focus, 0.0)
        total = rl.sum(credit)
        signal = rl.where(total > 0, credit / total, attention)
        moved = components.decay(attention, rl.where(outcome == 1, alpha_pos, alpha_neg), toward=signal)
        return {"attention": above_floor(moved / rl.sum(moved)) if floor else moved, "signal": signal}

    def attend_as_set(attention, match, choice, outcome, alpha_pos, alpha_neg):
        return attend(attention, match, choice, outcome, alpha_pos, alpha_neg, fixed_focus)

    parameters = {
        "alpha_pos": rl.Parameter(rl.UnitInterval(), "how far attention moves after a right sorting"),
        "alpha_neg": rl.Parameter(rl.UnitInterval(), "how far attention moves after a wrong sorting"),
        "consistency": rl.Parameter(rl.Interval(0, 5), "how consistently choices follow attention"),
    }
    if focus is None:
        parameters["focus"] = rl.Parameter(rl.Interval(0, 5), "how much feedback is credited to what is attended most")
    return Model(
        "card_sorting",
        parameters=parameters,
        states={"attention": rl.State("dimension", initial=1 / n_dimensions)},
        trial={
            "match": rl.Index("deck", "dimension", description="the deck that the card matches on each dimension"),
            "choice": choice,
            "outcome": rl.Binary(description="whether the sorting was right"),
        },
        update=attend if focus is None else attend_as_set,
        records=["signal"],
        sizes={"dimension": n_dimensions, "deck": n_decks},
        description="Attention to dimensions of cards, moved by right and wrong sortings.",
        reference="Bishara et al. (2010)",
    )
