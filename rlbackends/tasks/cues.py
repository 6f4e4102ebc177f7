"""Tasks in which a cue says what may come: go/no-go learning and conditioning."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import rlbackends as rl
from rlbackends.tasks.scheduled import Scheduled
from rlbackends.tasks.schedules import reversed_after, shuffled_rounds
from rlbackends.tasks.settings import Settings
from rlbackends.tasks.task import Task

__all__ = ["go_no_go", "conditioning"]


def go_no_go(
    n_trials: int = 240,
    *,
    validity: float = 0.8,
    win: float = 1.0,
    loss: float = -1.0,
    neutral: float = 0.0,
) -> Task:
    """Go/no-go learning: at two cues going is right, at two not going; it wins at one of each, and avoids a loss.

    Parameters
    ----------
    n_trials : int, default 240
        Trials of a block.
    validity : float, default 0.8
        Probability that the right response brings the better of the cue's outcomes, and the wrong one the worse.
    win, loss, neutral : float, default 1.0, −1.0, 0.0
        The three outcomes.

    Returns
    -------
    Task
        Events: ``cue`` (0: go to win, 1: no-go to win, 2: go to avoid a loss, 3: no-go to avoid a loss), ``go`` (the
        subject's: 1 for go) and ``outcome`` (``win`` or ``neutral`` at the first two cues, ``neutral`` or ``loss`` at
        the others). Hidden: ``right``, ``better`` and ``worse``, by cue.

    Raises
    ------
    ModelError
        If a number makes no sense; all faults at once.

    Notes
    -----
    ``outcome = better[cue]`` if ``uniform < p``, else ``worse[cue]``, with ``p = validity`` if ``go = right[cue]``
    and ``1 − validity`` if not. Cues come in shuffled rounds, drawn for each subject and block. The validity, the
    four cues and the number of trials are the paper's. There, subjects go by pressing the side on which a target
    appears; pressing the wrong side is left out here.

    References
    ----------
    Guitart-Masip, M., Huys, Q. J. M., Fuentemilla, L., Dayan, P., Duzel, E., & Dolan, R. J. (2012). Go and no-go
    learning in reward and punishment: Interactions between affect and effect. *NeuroImage, 62*, 154–166.

    Examples
    --------
    >>> import rlbackends as rl
    >>> task = rl.tasks.go_no_go(n_trials=80)
    >>> params = {"lapse": 0.05, "alpha": 0.3, "sensitivity": 5.0}
    >>> rl.simulate(rl.catalogue.go_no_go(), task, params, subjects=3, backend="reference").data
    Trials(3 subjects × 80 trials; cue, go, outcome; from go_no_go)
    """
    settings = Settings("go_no_go")
    n_trials = settings.trials(n_trials, 240)
    validity = settings.probability("validity", validity)
    win, loss = settings.number("win", win), settings.number("loss", loss)
    neutral = settings.number("neutral", neutral)
    settings.report()

    def outcome(cue, go, right, better, worse, uniform):
        """What came of it."""
        chance = rl.where(go == right[cue], validity, 1 - validity)
        return rl.where(uniform < chance, better[cue], worse[cue])

    return Task(
        "go_no_go",
        trial={
            "cue": Scheduled(
                rl.Index("cue", description="the cue that is shown"), partial(shuffled_rounds, items=range(4))
            ),
            "go": rl.Binary(description="whether the subject responded (1) or not (0)"),
            "outcome": outcome,
        },
        schedule={
            "right": Scheduled(rl.Binary("cue"), [1, 0, 1, 0]),
            "better": Scheduled(rl.Real("cue"), [win, win, neutral, neutral]),
            "worse": Scheduled(rl.Real("cue"), [neutral, neutral, loss, loss]),
        },
        sizes={"cue": 4},
        n_trials=n_trials,
        description="At two cues going is right, at two not going; at one of each it wins, at the other it avoids.",
        reference="Guitart-Masip et al. (2012)",
    )


def conditioning(
    probabilities: Any = (0.5, 0.0),
    n_trials: int | None = None,
    *,
    reversal: int | Sequence[int] | None = None,
    size: float = 1.0,
) -> Task:
    """Stimuli that are followed by an outcome, each with its probability, whatever the subject does.

    Parameters
    ----------
    probabilities : array, default (0.5, 0.0)
        Probability of the outcome after each stimulus: how often the CS+ and the CS− are reinforced; or a table
        trial × stimulus, the same for all subjects and blocks.
    n_trials : int, optional
        Trials of a block; default: as many as the table has, or else 80.
    reversal : int or sequence of int, optional
        The number of trials after which the stimuli change their probabilities, once; or several such numbers.
    size : float, default 1.0
        The outcome, where it comes; 0 where it does not.

    Returns
    -------
    Task
        Events: ``stimulus`` (what is shown), ``response`` (the subject's, a number, before the outcome) and
        ``outcome`` (``size`` or 0). Hidden: ``probability``.

    Raises
    ------
    ModelError
        If a probability is none, or a number makes no sense; all faults at once.

    Notes
    -----
    ``outcome = size`` if ``uniform < probability[stimulus]``, else 0. Stimuli come in shuffled rounds, drawn for
    each subject and block. At a reversal each stimulus gets the probability of the one before it, and the first
    that of the last.

    References
    ----------
    Li, J., Schiller, D., Schoenbaum, G., Phelps, E. A., & Daw, N. D. (2011). Differential roles of human striatum
    and amygdala in associative learning. *Nature Neuroscience, 14*, 1250–1252.

    Examples
    --------
    >>> import rlbackends as rl
    >>> task = rl.tasks.conditioning(probabilities=(0.4, 0.0), reversal=40)
    >>> params = {"alpha": 0.2, "b0": 0.1, "b1": 1.0, "sigma": 0.3}
    >>> played = rl.simulate(rl.catalogue.conditioned_response(), task, params, subjects=3, backend="reference")
    >>> played.world["probability"][0, [39, 40]].values
    array([[0.4, 0. ],
           [0. , 0.4]])
    """
    settings = Settings("conditioning")
    table = settings.probabilities("probabilities", probabilities, "stimulus", trials=True)
    n_trials = settings.trials(n_trials, 80, "probabilities", table if table.ndim == 2 else None)
    size = settings.number("size", size)
    values: Any = table
    if reversal is not None:
        after = settings.places("reversal", reversal)
        if table.ndim == 2:
            settings.faults.add("reversal is given, but probabilities has its trials already; leave reversal out.")
        else:
            values = partial(reversed_after, values=table.tolist(), after=(after,) if isinstance(after, int) else after)
    settings.report()

    def outcome(stimulus, probability, uniform):
        """What followed the stimulus."""
        return rl.where(uniform < probability[stimulus], size, 0.0)

    n_stimuli = table.shape[-1]
    return Task(
        "conditioning",
        trial={
            "stimulus": Scheduled(
                rl.Index("stimulus", description="the stimulus that is shown"),
                partial(shuffled_rounds, items=range(n_stimuli)),
            ),
            "response": rl.Real(description="how strong the response to the stimulus was, before the outcome"),
            "outcome": outcome,
        },
        schedule={"probability": Scheduled(rl.Real("stimulus"), values)},
        sizes={"stimulus": n_stimuli},
        n_trials=n_trials,
        description="Stimuli that are followed by an outcome, each with its probability.",
        reference="Li et al. (2011)",
    )
