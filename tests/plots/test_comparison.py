"""What the picture of a comparison shows: each model's difference, and each subject's."""

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import SettingError
from rlbackends.inference.comparison import Comparison, CrossValidation
from rlbackends.plots import plot_comparison


def scores(name, values):
    n = len(values)
    return CrossValidation(
        name, "subject", "psis", tuple(range(n)), np.array(values), np.zeros(n), np.zeros(n), np.ones(n), 0.7,
        np.zeros(n, dtype=bool),
    )  # fmt: skip


def test_differences_and_subjects_of_fits():
    values = {"low": [-5.0, -9.0, -7.0], "high": [-4.0, -4.0, -5.0]}
    comparison = Comparison("subject", {name: scores(name, row) for name, row in values.items()}, "stacking")
    left, right = plot_comparison(comparison).axes
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["high", "low"]
    points = left.containers[0].lines[0]
    np.testing.assert_allclose(points.get_xdata(), [0.0, -8.0])
    (bars,) = left.containers[0].lines[2]
    error = comparison.table.loc["low", "difference_se"]
    np.testing.assert_allclose(bars.get_segments()[1][:, 0], [-8.0 - error, -8.0 + error])
    (shown,) = [line for line in right.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(shown.get_xdata(), [-5.0, -2.0, -1.0])
    assert "by subject" in left.get_xlabel() and "high" in right.get_xlabel()


def test_frequencies_of_a_selection():
    found = rl.select_models([[-10.0, -14.0], [-12.0, -15.0], [-11.0, -10.5]])
    left, right = plot_comparison(found).axes
    np.testing.assert_allclose([bar.get_width() for bar in left.patches], found.table["frequency"])
    assert [text.get_text() for text in left.texts] == [f"{x:.2f}" for x in found.table["protected"]]
    shown = [line for line in right.lines if line.get_marker() == "o"]
    for line, name in zip(shown, found.assigned, strict=True):
        np.testing.assert_allclose(line.get_xdata(), np.sort(found.assigned[name]))


def test_something_else_is_refused():
    with pytest.raises(SettingError, match=r"there is a dict, expected what rl\.compare"):
        plot_comparison({})
