"""The picture of samplers side by side shows the tables' numbers."""

import numpy as np
import pytest

from rlbackends.errors import SettingError
from rlbackends.plots import plot_samplers
from tests.studies.samplers.made_up import beside, comparison, row, tables

ROWS = {
    "a": row(), "b": row(compiled=40.0, sampled=2.0, total=60.0),
    "normal": row(
        kind="approximation", ess_bulk_per_second=None, ess_tail_per_second=None, agrees=None, converged=None
    ),
    "dead": {"kind": "chains", "failure": "it is dead"},
}  # fmt: skip
OTHERS = {"b": beside(z=6.0), "normal": beside(z=30.0, agrees=None, mean_sds=0.4)}


def points(panel, label):
    (line,) = [line for line in panel.lines if line.get_label() == label]
    return np.asarray(line.get_xdata(), dtype=float)


def test_each_panel_has_its_numbers():
    speed, time, agreement = plot_samplers(comparison(*tables(ROWS, OTHERS, "a"))).axes
    np.testing.assert_allclose(points(speed, "bulk ESS"), [100, 500, np.nan, np.nan])
    np.testing.assert_allclose(points(speed, "tail ESS"), [120, 600, np.nan, np.nan])
    assert [text.get_text() for text in speed.texts] == ["no chains", "failed"]
    widths = {group.get_label(): [bar.get_width() for bar in group] for group in time.containers}
    assert widths == {
        "start, checks": [10, 18, 10, 0], "compiling": [5, 40, 5, 0], "sampling": [10, 2, 10, 0],
    }  # fmt: skip
    np.testing.assert_allclose(points(agreement, "means"), [np.nan, 1.5, np.nan, np.nan])
    np.testing.assert_allclose(points(agreement, "shares below quantiles"), [np.nan, 2.5 / 4.5, np.nan, np.nan])
    assert [text.get_text() for text in agreement.texts] == ["reference", "off by 0.40 sd"]
    assert [tick.get_text() for tick in speed.get_yticklabels()] == list(ROWS)


def test_something_else_is_refused():
    with pytest.raises(SettingError, match=r"there is a int, expected what rl\.compare_samplers returns"):
        plot_samplers(5)
