"""Pictures of models and of fits, each a matplotlib Figure that can be saved without a display; no global state."""

from rlbackends.plots.model import plot_model
from rlbackends.plots.posteriors import plot_posteriors
from rlbackends.plots.recovery import plot_recovery
from rlbackends.plots.trajectory import plot_trajectory

__all__ = ["plot_model", "plot_posteriors", "plot_recovery", "plot_trajectory"]
