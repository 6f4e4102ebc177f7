"""Many fits, on one core, on all of them, or on a cluster: a folder, and the jobs that fill it.

A :class:`Study` knows nothing of models. It is a folder; a :class:`Job` is a key and a payload; a function
that can be pickled turns the payload into one file. A study that was killed goes on where it was. On it stand
:func:`recover`, :func:`recover_models` and :func:`calibrate`.
"""

from __future__ import annotations

from rlbackends.studies.calibrate import Calibration, calibrate
from rlbackends.studies.folder import Failure
from rlbackends.studies.models import ModelRecovery, recover_models
from rlbackends.studies.recover import Recovery, recover
from rlbackends.studies.runner import Job, Outcome, Study

__all__ = [
    "Calibration", "Failure", "Job", "ModelRecovery", "Outcome", "Recovery", "Study", "calibrate", "recover",
    "recover_models",
]  # fmt: skip
