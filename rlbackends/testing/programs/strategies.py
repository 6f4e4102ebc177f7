"""Random programs for Hypothesis, which makes a failing one smaller."""

from __future__ import annotations

from typing import Any

from rlbackends.testing.programs.choices import Choices
from rlbackends.testing.programs.draw import draw_program


def programs(**settings: Any) -> Any:
    """Return Hypothesis' strategy of random programs.

    Parameters
    ----------
    **settings
        As for :func:`draw_program`.

    Raises
    ------
    ImportError
        If Hypothesis is not installed.
    """
    try:
        from hypothesis import strategies as st
    except ImportError:
        raise ImportError(
            "random programs as a strategy need Hypothesis, which is not installed here. "
            "Install it with: pip install hypothesis"
        ) from None
    # Each number that the generator asks for is one that Hypothesis may make smaller.
    source = st.randoms(use_true_random=False)
    return source.map(lambda random: draw_program(Choices(random.randrange), **settings))
