"""One short fit a family on each backend: it ends, everything is finite, and R-hat is computed."""

from __future__ import annotations

import random

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.testing.cases import CASES
from rlbackends.testing.trials import as_trials, played_subjects

FIRST = {title: family.__all__[0] for title, family in rl.catalogue.FAMILIES.items()}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::rlbackends.inference.result.ConvergenceWarning")  # so few draws do not converge
@pytest.mark.parametrize("backend", ["numpyro", "pymc"])
@pytest.mark.parametrize("family", FIRST)
def test_a_short_fit(family, backend):
    case = next(case for case in CASES.values() if case.make.__name__ == FIRST[family])
    rng, model = random.Random(7), case.model()
    data = as_trials(model, played_subjects(case, rng, case.draw_params(rng, 6), 50))
    fit = rl.fit(model, data, backend=backend, draws=150, tune=150, chains=2, seed=1, progress="off")
    assert fit.certificate.holds
    for name, values in fit.tree["posterior"].data_vars.items():
        assert np.isfinite(values).all(), name
    summary = fit.summary()
    assert np.isfinite(summary["r_hat"].astype(float)).all()
    assert np.isfinite(fit.diagnostics["r_hat_max"])
