"""What the pictures show, is what the fits hold; they need no display and leave matplotlib as it was."""

import io

import numpy as np
import pytest

from rlbackends.errors import SettingError
from rlbackends.plots import plot_posteriors, plot_recovery, plot_trajectory
from rlbackends.plots.posteriors import _density
from rlbackends.plots.style import named_fits

TRUTH = {"alpha": [0.2, 0.4, 0.6, 0.8], "beta": {"ann": 1.0, "bob": 1.5, "cem": 0.8, "dag": 1.2}}


def png(figure):
    """Return a figure as PNG bytes, laid out and drawn."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=60)
    return file.getvalue()


def legend_words(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_recovery_has_a_panel_a_parameter_and_points_at_the_posterior_means(fits):
    figure = plot_recovery(fits, TRUTH)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["alpha", "beta"]
    assert legend_words(figure) == ["one", "two", "estimate = truth"]
    points = {line.get_label(): line for line in figure.axes[1].lines}
    for label, fit in fits.items():
        expected = fit.tree["posterior"]["beta"].mean(("chain", "draw")).values
        np.testing.assert_array_equal(points[label].get_ydata(), expected)
        np.testing.assert_allclose(points[label].get_xdata(), [1.0, 1.5, 0.8, 1.2], atol=0.01)
    np.testing.assert_array_equal(*points["estimate = truth"].get_data())
    assert figure.axes[1].get_xlim() == figure.axes[1].get_ylim()
    assert png(figure).startswith(b"\x89PNG")


def test_recovery_draws_equal_tailed_intervals(fits):
    figure = plot_recovery(fits["one"], {"alpha": TRUTH["alpha"]}, interval=0.5)
    (bars,) = figure.axes[0].collections
    draws = fits["one"].tree["posterior"]["alpha"].values.reshape(-1, 4)
    for bar, column in zip(bars.get_segments(), draws.T, strict=True):
        np.testing.assert_allclose(bar[:, 1], np.quantile(column, [0.25, 0.75]))


@pytest.mark.parametrize(
    ("truth", "words"),
    [
        ({"alfa": [0.1] * 4}, "truth has 'alfa'.*'alpha' and 'beta'. Did you mean 'alpha'?"),
        ({}, "truth has none"),
        ({"alpha": [0.1, 0.2]}, r"'alpha' has shape \(2,\), expected one number a subject"),
        ({"alpha": {"ann": 0.1}}, "'alpha' has no value for subject bob"),
    ],
)
def test_recovery_refuses_a_truth_that_does_not_fit(fits, truth, words):
    with pytest.raises(SettingError, match=words):
        plot_recovery(fits, truth)


def test_posteriors_have_locations_above_sds_and_mark_the_truth(fits):
    figure = plot_posteriors(fits, truth={"beta_sd": 0.25}, truth_label="simulated")
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["alpha_location", "beta_location", "alpha_sd", "beta_sd"]
    assert [axes.get_xlabel() for axes in figure.axes] == ["probit scale", "log scale"] * 2
    assert [line.get_xdata()[0] for line in figure.axes[3].lines if line.get_label() == "simulated"] == [0.25]
    assert "simulated" in legend_words(figure)
    assert png(figure).startswith(b"\x89PNG")


def test_posteriors_refuse_what_is_not_of_the_group(fits):
    with pytest.raises(SettingError, match=r"'alpha_locaton' is no variable.*Did you mean 'alpha_location'"):
        plot_posteriors(fits, ["alpha_locaton"])
    with pytest.raises(SettingError, match="'alpha' is no variable of the group"):
        plot_posteriors(fits, ["alpha"])


@pytest.mark.parametrize("reflected", [False, True])
def test_a_density_has_area_one_also_at_zero(reflected):
    draws = np.abs(np.random.default_rng(0).normal(size=2000))
    x, density = _density(draws, reflected=reflected)
    area = np.trapezoid(density, x)
    assert abs(area - 1) < 0.02 or not reflected
    # half normal: 0.798 at 0; a density that is not reflected loses half of it
    at_zero = density[np.argmin(np.abs(x))]
    assert (at_zero > 0.7) == reflected


def test_trajectory_shows_the_values_before_each_trial_and_every_choice(fits):
    fit = fits["one"]
    figure = plot_trajectory(fit, "cem", outcome="reward")
    lines, rug = figure.axes
    expected = fit.trajectories()["q"].sel(subject="cem").values
    shown = {line.get_label(): line for line in lines.lines}
    for i, label in enumerate(["left", "middle", "right"]):
        np.testing.assert_array_equal(shown[label].get_ydata(), expected[:, i])
        np.testing.assert_array_equal(shown[label].get_xdata(), np.arange(1, 13))
    marks = sorted((int(x), int(y)) for line in rug.lines for x, y in zip(*line.get_data(), strict=True))
    assert marks == [(t + 1, int(code)) for t, code in enumerate(fit.data.values["choice"][2])]
    filled = [line for line in rug.lines if line.get_markerfacecolor() != "white"]
    paid = sorted(int(x) - 1 for line in filled for x in line.get_xdata())
    assert paid == np.flatnonzero(fit.data.values["reward"][2]).tolist()
    # the second block starts between trials 6 and 7
    assert [line.get_xdata()[0] for line in lines.lines if line.get_label().startswith("_")] == [6.5]
    assert png(figure).startswith(b"\x89PNG")


def test_trajectory_shows_the_spread_over_draws(fits):
    fit = fits["one"]
    figure = plot_trajectory(fit, "ann", draws=5)
    over = fit.trajectories(5)["q"].sel(subject="ann").transpose("sample", "trial", "action").values
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), over[..., 0].mean(axis=0))
    assert len(figure.axes[0].collections) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"subject": "bobb"}, "no subject 'bobb'.*Did you mean 'bob'"),
        ({"subject": "bob", "state": "qq"}, "state is 'qq'.*'q'"),
        ({"subject": "bob", "outcome": "rewrd"}, "outcome is 'rewrd', expected one of 'choice' and 'reward'"),
        ({"subject": "bob", "interval": 2}, "interval is 2, expected a number between 0 and 1"),
    ],
)
def test_trajectory_refuses_what_is_not_there(fits, arguments, words):
    with pytest.raises(SettingError, match=words):
        plot_trajectory(fits["one"], **arguments)


def test_fits_are_named_by_key_by_backend_or_by_number(fits):
    one, two = fits.values()
    assert list(named_fits(fits)) == ["one", "two"]
    assert list(named_fits(one)) == ["reference"]
    assert list(named_fits([one, two])) == ["reference 1", "reference 2"]
    with pytest.raises(SettingError, match="no fit to show"):
        named_fits({})


def test_pictures_leave_matplotlib_as_it_was(fits):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    plot_recovery(fits, {"alpha": TRUTH["alpha"]})
    plot_posteriors(fits)
    plot_trajectory(fits["one"], "ann")
    assert dict(mpl.rcParams) == before


def test_importing_the_pictures_imports_no_matplotlib_and_drawing_no_pyplot(run_python):
    output = run_python(
        "import sys, rlbackends.plots\n"
        "print('matplotlib' in sys.modules)\n"
        "from rlbackends.plots.style import new_figure\n"
        "new_figure(1, 1).subplots().plot([1, 2]); print('matplotlib.pyplot' in sys.modules)\n"
    )
    assert output.split() == ["False", "False"]
