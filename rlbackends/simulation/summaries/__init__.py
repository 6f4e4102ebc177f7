"""The numbers behind pictures of predictions: learning curves, choice shares, stay probabilities, calibration, ranks.

Each takes what :meth:`Fit.simulate`, :meth:`Fit.predict` or :func:`rlbackends.prior_predictive` return, or a
:class:`Simulation`, and returns a tidy table.
"""

from rlbackends.simulation.summaries.calibration import calibration_bins
from rlbackends.simulation.summaries.curves import learning_curve
from rlbackends.simulation.summaries.proportions import choice_proportions
from rlbackends.simulation.summaries.ranks import rank_check, rank_curve
from rlbackends.simulation.summaries.stays import stay_probabilities

__all__ = [
    "calibration_bins",
    "choice_proportions",
    "learning_curve",
    "rank_check",
    "rank_curve",
    "stay_probabilities",
]
