"""For a user's own model: assert that the backends agree with the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rlbackends.backends import Backend


def assert_backends_agree(
    model: Any,
    data: Any,
    params: Mapping[str, Any] | None = None,
    *,
    backends: Sequence[str | Backend] | None = None,
    points: int = 1,
    seed: int = 0,
    **settings: Any,
) -> None:
    """Assert that backends give the reference's trajectories, log-likelihood, gradient and joint density.

    Parameters
    ----------
    model, data
        A model and trials that fit it.
    params : mapping, optional
        Parameter values to compare at, besides points drawn from the prior.
    backends : sequence of str or Backend, optional
        Which; default: all that are installed.
    points : int, default 1
        Number of prior draws.
    seed : int, default 0
        For these draws.
    **settings
        As for :func:`rlbackends.check`.

    Raises
    ------
    AssertionError
        With the table of differences and the first subject and trial where they part; also if there is no backend to
        compare with.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(subjects=["ann"], choice=[[0, 1, 0]], reward=[[1.0, 0.0, 1.0]])
    >>> rl.testing.assert_backends_agree(rl.catalogue.rescorla_wagner(), data)
    """
    from rlbackends.inference.check import check

    report = check(model, data, params, backends=backends, points=points, seed=seed, **settings)
    if not report.comparisons:
        raise AssertionError("no backend but the reference is installed, so nothing was compared")
    if not report.agrees:
        raise AssertionError(str(report))
