"""Pictures of models, fits, predictions and studies, each a matplotlib Figure that can be saved without a display; no
global state.
"""

from rlbackends.plots.calibration import plot_calibration
from rlbackends.plots.comparison import plot_comparison
from rlbackends.plots.confusion import plot_confusion
from rlbackends.plots.model import plot_model
from rlbackends.plots.posteriors import plot_posteriors
from rlbackends.plots.predictions import plot_choice_proportions, plot_learning_curves, plot_win_stay_lose_shift
from rlbackends.plots.ranks import plot_ranks
from rlbackends.plots.recovery import plot_recovery
from rlbackends.plots.samplers import plot_samplers
from rlbackends.plots.trajectory import plot_trajectory

__all__ = [
    "plot_calibration",
    "plot_choice_proportions",
    "plot_comparison",
    "plot_confusion",
    "plot_learning_curves",
    "plot_model",
    "plot_posteriors",
    "plot_ranks",
    "plot_recovery",
    "plot_samplers",
    "plot_trajectory",
    "plot_win_stay_lose_shift",
]
