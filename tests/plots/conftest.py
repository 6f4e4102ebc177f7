"""Two fits that no sampler made: draws around the truth, in the tree that a fit has."""

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.backends.chains import ChainResults
from rlbackends.inference import Fit
from rlbackends.inference.certificate import certify
from rlbackends.inference.tree import posterior_tree

CHAINS, DRAWS, SUBJECTS, TRIALS = 2, 50, 4, 12


def make_fit(seed: int) -> Fit:
    """Return a fit of three-action Rescorla–Wagner whose draws are normal noise."""
    model = rl.catalogue.rescorla_wagner(n_actions=3, initial=0.5)
    rng = np.random.default_rng(1)
    data = rl.Trials.from_arrays(
        subjects=["ann", "bob", "cem", "dag"],
        blocks=np.repeat([1, 2], TRIALS // 2),
        choice=rng.choice(["left", "middle", "right"], (SUBJECTS, TRIALS)),
        reward=rng.integers(0, 2, (SUBJECTS, TRIALS)).astype(float),
        levels={"choice": ["left", "middle", "right"]},
    )
    compiled = rl.compile(model, data)
    rng = np.random.default_rng(seed)
    z = {
        latent.name: 0.3 * rng.normal(size=(CHAINS, DRAWS, *compiled.layout.shape(latent)))
        for latent in compiled.layout.latents
    }
    stats = {"diverging": np.zeros((CHAINS, DRAWS), dtype=bool)}
    results = ChainResults(z, stats, {"compile_seconds": 1.5, "sample_seconds": 2.0}, {"seed": seed})
    certificate = certify(compiled, compiled, points=1, seed=0)
    return Fit(posterior_tree(compiled, z, results, certificate, with_log_likelihood=False))


@pytest.fixture(scope="session")
def fits():
    """Two fits by label."""
    return {"one": make_fit(0), "two": make_fit(1)}
