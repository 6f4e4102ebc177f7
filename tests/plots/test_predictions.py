"""What the pictures of predictions show, is what the tables of summaries hold."""

import io

import numpy as np
import pytest
import xarray as xr

from rlbackends.errors import SettingError
from rlbackends.plots import (
    plot_calibration,
    plot_choice_proportions,
    plot_learning_curves,
    plot_win_stay_lose_shift,
)
from rlbackends.simulation.summaries import calibration_bins, choice_proportions, learning_curve, stay_probabilities

DRAWS, SUBJECTS, TRIALS = 8, 5, 60


def make_tree(group="posterior_predictive_forward", trials=TRIALS):
    """Return a tree of random choices, with a stimulus, two blocks, and a subject who stopped early."""
    rng = np.random.default_rng(0)
    blocks = np.tile(np.repeat([1, 2], trials // 2), (SUBJECTS, 1))
    blocks[0, -5:] = 0

    def dataset(*lead):
        shape = (*lead, SUBJECTS, trials)
        dims = ("chain", "draw", "subject", "trial")[-len(shape) :]
        events = {"choice": 3, "reward": 2, "stimulus": 2}
        values = {name: np.where(blocks > 0, rng.integers(0, n, shape), np.nan) for name, n in events.items()}
        return xr.Dataset(
            {name: (dims, array) for name, array in values.items()},
            coords={"block": (("subject", "trial"), blocks)},
        )

    return xr.DataTree.from_dict({group: dataset(2, DRAWS // 2), "observed_data": dataset()})


TREE = make_tree()


def legend_words(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes if axes.axison]


def png(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=50)
    return file.getvalue()


def of(table, source, **where):
    table = table[table["source"] == source]
    for column, value in where.items():
        table = table[table[column] == value]
    return table


def test_learning_curves_show_the_observed_means_and_the_band_of_the_draws():
    figure = plot_learning_curves(TREE, {"choice": 1})
    (axes,) = figure.axes
    table = learning_curve(TREE, {"choice": 1})
    predicted, observed = of(table, "predicted"), of(table, "observed")
    lines = [line for line in axes.lines if len(line.get_xdata()) == TRIALS // 2]
    shown = sorted((line.get_ydata().tolist() for line in lines), key=lambda y: y != observed["mean"].tolist())
    assert shown == [observed["mean"].tolist(), predicted["mean"].tolist()]
    (area,) = [found for found in axes.collections if len(found.get_facecolor())]
    band = area.get_paths()[0].vertices
    np.testing.assert_allclose(band[:, 1].min(), predicted["low"].min())
    np.testing.assert_allclose(band[:, 1].max(), predicted["high"].max())
    assert legend_words(figure) == [
        "simulated from the posterior (89 % of 8 draws)", "observed (± standard error, 5 subjects)"
    ]  # fmt: skip
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("trial in block", "share of choice = 1")
    assert axes.get_ylim() == (-0.02, 1.02)
    assert png(figure).startswith(b"\x89PNG")


def test_learning_curves_have_a_panel_a_condition_and_say_how_many_trials_make_a_point():
    figure = plot_learning_curves(TREE, "reward", by="stimulus", over="session", label="points")
    assert titles(figure) == ["stimulus 0", "stimulus 1"]
    # 60 trials would be too many points: 30 windows of 2
    assert [axes.get_xlabel() for axes in figure.axes] == ["trial (means of 2)"] * 2
    assert [axes.get_ylabel() for axes in figure.axes] == ["points", ""]
    one_block = make_tree("prior_predictive", trials=10)["prior_predictive"].to_dataset().assign_coords(
        block=(("subject", "trial"), np.ones((SUBJECTS, 10), dtype=int))
    )  # fmt: skip
    figure = plot_learning_curves(xr.DataTree.from_dict({"prior_predictive": one_block}), "reward")
    assert figure.axes[0].get_xlabel() == "trial"
    assert legend_words(figure) == ["simulated from the prior (89 % of 8 draws)"]


def test_panels_that_have_none_below_show_their_axis():
    figure = plot_learning_curves(TREE, "reward", by=lambda trial: trial % 5)
    assert titles(figure) == [f"condition {i}" for i in range(5)]
    assert [bool(axes.get_xlabel()) for axes in figure.axes[:5]] == [False, False, True, True, True]
    with pytest.raises(SettingError, match="by='condition' has 16 values, expected at most 12"):
        plot_learning_curves(TREE, "reward", by=lambda trial: trial // 2)


def test_choice_proportions_are_bars_and_points_at_the_shares():
    figure = plot_choice_proportions(TREE, by="stimulus")
    table = choice_proportions(TREE, by="stimulus")
    assert titles(figure) == ["stimulus 0", "stimulus 1"]
    for i, axes in enumerate(figure.axes):
        heights = [bar.get_height() for bar in axes.patches]
        np.testing.assert_array_equal(heights, of(table, "observed", stimulus=i)["mean"])
        (points,) = [line for line in axes.lines if len(line.get_xdata()) == 3]
        np.testing.assert_array_equal(points.get_ydata(), of(table, "predicted", stimulus=i)["mean"])
        assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0", "1", "2"]
        assert axes.get_ylim() == (0, 1)
    assert png(figure).startswith(b"\x89PNG")


def test_win_stay_lose_shift_has_a_bar_after_a_win_and_one_after_a_loss():
    figure = plot_win_stay_lose_shift(TREE, stimulus="stimulus")
    (axes,) = figure.axes
    expected = of(stay_probabilities(TREE, stimulus="stimulus"), "observed")
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["win", "loss"] == expected["after"].tolist()
    np.testing.assert_array_equal([bar.get_height() for bar in axes.patches], expected["mean"])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("last trial with\nthe same stimulus", "P(same choice)")
    reverse = plot_win_stay_lose_shift(TREE, stimulus="stimulus", win=lambda reward: reward == 0)
    np.testing.assert_array_equal([bar.get_height() for bar in reverse.axes[0].patches], expected["mean"][::-1])


def test_a_response_that_a_function_takes_is_called_as_the_function():
    def first_choice(choice):
        return choice

    (axes,) = plot_choice_proportions(TREE, first_choice).axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("first choice", "share of each first choice")
    (axes,) = plot_win_stay_lose_shift(TREE, first_choice).axes
    assert axes.get_ylabel() == "P(same first choice)"
    (axes,) = plot_win_stay_lose_shift(TREE, lambda choice: choice).axes
    assert axes.get_ylabel() == "P(same response)"


def calibration_tree():
    rng = np.random.default_rng(1)
    probability = rng.dirichlet(np.ones(3), (2, 4, SUBJECTS, TRIALS))
    predicted = xr.Dataset({"choice": (("chain", "draw", "subject", "trial", "action"), probability)})
    observed = xr.Dataset({"choice": (("subject", "trial"), rng.integers(0, 3, (SUBJECTS, TRIALS)).astype(float))})
    return xr.DataTree.from_dict({"predicted_probability": predicted, "observed_data": observed})


def test_calibration_shows_frequencies_over_mean_probabilities_and_all_cases():
    tree = calibration_tree()
    figure = plot_calibration(tree, bins=20)
    main, below = figure.axes
    table = calibration_bins(tree, bins=20)
    (points,) = [line for line in main.lines if line.get_marker() == "o"]
    np.testing.assert_array_equal(points.get_xdata(), table["predicted"])
    np.testing.assert_array_equal(points.get_ydata(), table["observed"])
    assert [bar.get_height() for bar in below.patches] == table["n"].tolist()
    assert table["n"].sum() == SUBJECTS * TRIALS * 3
    assert main.get_title(loc="left") == "choice: 900 cases"
    apart = plot_calibration(tree, by_action=True)
    legend = apart.axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["choice 0", "choice 1", "choice 2"]
    assert png(apart).startswith(b"\x89PNG")


def test_pictures_leave_matplotlib_as_it_was():
    import matplotlib as mpl
    from matplotlib import _pylab_helpers

    before = dict(mpl.rcParams)
    plot_learning_curves(TREE, "reward")
    plot_calibration(calibration_tree())
    assert dict(mpl.rcParams) == before
    assert not _pylab_helpers.Gcf.figs


def test_pictures_may_be_drawn_in_a_part_of_a_figure():
    from matplotlib.figure import Figure

    whole = Figure(figsize=(8, 4), layout="constrained")
    left, right = whole.subfigures(1, 2)
    assert plot_choice_proportions(TREE, figure=left) is left
    assert plot_win_stay_lose_shift(TREE, figure=right) is right
    assert png(whole).startswith(b"\x89PNG")


def test_what_is_not_there_is_said():
    with pytest.raises(SettingError, match=r"response needs 'chioce'.*Did you mean 'choice'\?"):
        plot_choice_proportions(TREE, "chioce")
    with pytest.raises(SettingError, match="no group of predictions in groups 'observed_data'"):
        plot_win_stay_lose_shift(xr.DataTree.from_dict({"observed_data": xr.Dataset()}))
    with pytest.raises(SettingError, match="no group 'predicted_probability'"):
        plot_calibration(TREE)
