"""What the pictures of studies show: who is taken for whom, and whether ranks are uniform."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from rlbackends.errors import SettingError
from rlbackends.plots import plot_confusion, plot_ranks

NAMES = ["one_rate", "two_rates"]
COUNTS = pd.DataFrame([[18, 2], [5, 15]], index=NAMES, columns=NAMES)


def test_confusion_writes_each_number_into_its_cell():
    inversion = COUNTS / COUNTS.sum()
    figure = plot_confusion(COUNTS, inversion)
    first, second = figure.axes
    assert [(text.get_position(), text.get_text()) for text in first.texts] == [
        ((0, 0), "18"), ((1, 0), "2"), ((0, 1), "5"), ((1, 1), "15"),
    ]  # fmt: skip
    assert [text.get_text() for text in second.texts] == ["0.78", "0.12", "0.22", "0.88"]
    np.testing.assert_allclose(first.images[0].get_array(), [[0.9, 0.1], [0.25, 0.75]])
    np.testing.assert_allclose(second.images[0].get_array(), inversion)
    assert [tick.get_text() for tick in first.get_yticklabels()] == NAMES
    assert [axes.get_title() for axes in figure.axes] == ["data sets", "P(simulated | fits best)"]
    assert (first.get_xlabel(), first.get_ylabel()) == ("fits best", "simulated")


def test_confusion_of_shares_and_of_a_model_that_never_wins():
    figure = plot_confusion(COUNTS / 20, pd.DataFrame([[0.5, np.nan], [0.5, np.nan]], index=NAMES, columns=NAMES))
    assert figure.axes[0].get_title() == "P(fits best | simulated)"
    assert [text.get_text() for text in figure.axes[0].texts] == ["0.90", "0.10", "0.25", "0.75"]
    assert [text.get_text() for text in figure.axes[1].texts] == ["0.50", "–", "0.50", "–"]


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ([[[1, 2]]], "there is a list, expected a pandas DataFrame"),
        ([COUNTS - 10], r"shape \(2, 2\) is empty or holds something else than counts or shares"),
        ([COUNTS.astype(str) + "x"], "holds something else"),
        ([COUNTS.iloc[:0]], r"shape \(0, 2\) is empty"),
        ([COUNTS, COUNTS.iloc[:1]], r"inversion has shape \(1, 2\), expected that of confusion, \(2, 2\)"),
    ],
)
def test_confusion_refuses_what_is_no_table_of_numbers(tables, words):
    with pytest.raises(SettingError, match=words):
        plot_confusion(*tables)


N = 60
UNIFORM = (np.arange(N) + 0.5) / N


def rank_tree():
    subjects = np.stack([UNIFORM, UNIFORM[::-1], UNIFORM**3], axis=-1)
    dataset = xr.Dataset(
        {"alpha_location": (("chain", "draw"), UNIFORM[None]), "alpha": (("chain", "draw", "subject"), subjects[None])}
    )
    return xr.DataTree.from_dict({"prior_sbc": dataset})


def curves(axes):
    return [line for line in axes.lines if line.get_drawstyle() == "steps-post"]


def test_ranks_have_a_panel_a_variable_and_a_curve_an_entry():
    figure = plot_ranks(rank_tree())
    location, alpha = figure.axes
    assert location.get_title(loc="left") == "alpha_location"
    assert alpha.get_title(loc="right") == "1 of 3 outside"
    (line,) = curves(location)
    # at k/60 the ECDF of the middles of 60 cells is k/60
    np.testing.assert_allclose(line.get_ydata(), 0, atol=1e-12)
    assert [line.get_label() for line in curves(alpha)] == ["ranks", "ranks", "ranks outside the band"]
    third = curves(alpha)[2]
    position = np.asarray(third.get_xdata())
    expected = np.mean(UNIFORM[:, None] ** 3 <= position, axis=0) - position
    np.testing.assert_allclose(third.get_ydata(), expected)
    assert location.get_xlabel() == "normalised rank of the truth\n(60 simulations)"
    words = {text.get_text() for text in figure.legends[0].get_texts()}
    assert words == {"95 % band of all curves together", "ranks", "ranks outside the band"}


def test_ranks_of_some_variables_and_from_plain_arrays():
    assert len(plot_ranks(rank_tree(), "alpha", together=False).axes) == 1
    (axes,) = plot_ranks({"x": UNIFORM}).axes
    assert len(curves(axes)) == 1
    with pytest.raises(SettingError, match=r"no variable 'alfa', only .* Did you mean 'alpha'\?"):
        plot_ranks(rank_tree(), "alfa")
    with pytest.raises(SettingError, match="probability is 95, expected"):
        plot_ranks(rank_tree(), probability=95)
    with pytest.raises(SettingError, match="expected at least 5 normalised ranks"):
        plot_ranks({"x": np.arange(100)})


def test_arviz_reads_the_same_ranks():
    import arviz_stats  # noqa: F401

    dataset = rank_tree()["prior_sbc"].to_dataset()
    p_values = dataset.azstats.uniformity_test(dim=["chain", "draw"])[0]
    assert p_values["alpha_location"] > 0.4
    assert p_values["alpha"].values[2] < 1e-4
