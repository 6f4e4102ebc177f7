"""Tidy tables of trials, and how they become the padded arrays that a model runs on.

`read_trials` makes `Trials` (raw columns, no model in sight); `Trials.bind` makes `BoundTrials` (the events
of one model, recoded and checked).
"""

from rlbackends.data.bound import BoundTrials
from rlbackends.data.faults import DataWarning
from rlbackends.data.read import read_trials
from rlbackends.data.trials import Trials

__all__ = ["BoundTrials", "DataWarning", "Trials", "read_trials"]
