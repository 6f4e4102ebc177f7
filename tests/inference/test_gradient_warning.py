"""A word before sampling where no gradient arrives; and that what it foretells comes to pass."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.inference import GradientWarning
from rlbackends.inference.gradients import describe_gaps, warn_of_gaps
from rlbackends.inference.result import ConvergenceWarning

TRUTH = {"alpha": 0.3, "beta": 1.5, "forgetting": 0.05, "alpha_high": 0.3, "forgetting_high": 0.05}
STUCK = ("alpha_high", "forgetting_high")


def stuck():
    # From 1.2 wrong answers end the use of a task set, so that all are used.
    return rl.catalogue.aliens_task_sets_argmax(initial=1.2)


@pytest.fixture(scope="module")
def aliens():
    return rl.simulate(stuck(), rl.tasks.aliens(season_length=20), TRUTH, subjects=2, trials=60, seed=4).data


def test_it_names_rule_line_expression_parameters_and_what_to_write():
    said = describe_gaps(stuck())
    assert said.startswith("model 'aliens_task_sets_argmax', task_sets.py:")
    assert "the rule of 'choice' and update: 'argmax((1.2 + above_start)[season])'" in said
    assert "the gradients of 'alpha_high' and 'forgetting_high'" in said
    assert "the likelihood is flat in them" in said and "rl.softmax(beta * " in said
    for name in set(TRUTH) - set(STUCK):
        assert f"'{name}'" not in said


def test_other_models_have_no_such_word():
    assert describe_gaps(rl.catalogue.aliens_task_sets()) == describe_gaps(rl.catalogue.aliens_bayesian()) == ""
    warn_of_gaps(rl.catalogue.rescorla_wagner_two_rates())  # a warning is an error here


def test_what_is_fixed_is_not_spoken_of():
    said = describe_gaps(stuck(), rl.Population(alpha_high=0.2))
    assert "'forgetting_high'" in said and "'alpha_high'" not in said
    assert describe_gaps(stuck(), rl.Population(alpha_high=0.2, forgetting_high=0.05)) == ""


def test_fit_warns_once_at_the_users_line():
    with pytest.warns(GradientWarning, match="'alpha_high' and 'forgetting_high'") as caught:
        rl.Fitter(stuck(), backend="numpyro")
    assert len(caught) == 1 and caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rl.Fitter(stuck(), backend="numpyro", population=rl.Population(alpha_high=0.2, forgetting_high=0.05))


def test_check_says_it_in_its_report(aliens):
    report = rl.check(stuck(), aliens, backends=["numpyro"], points=1)
    assert report.agrees and report.gradients == describe_gaps(stuck())
    assert str(report).endswith(f"Before you fit it: {report.gradients}")
    soft = rl.check(rl.catalogue.aliens_task_sets(), aliens, backends=[], points=1)
    assert soft.gradients == "" and "Before you fit" not in str(soft)


def test_show_says_it(capsys):
    from rlbackends.cli.show import show

    show("aliens_task_sets_argmax")
    said = capsys.readouterr().out
    assert "Where the gradient stops" in said and "task_sets.py:" in said
    show("aliens_task_sets")
    assert "Where the gradient stops" not in capsys.readouterr().out


def test_the_density_is_that_of_the_priors_between_jumps(aliens):
    # What a sampler sees of these parameters: their priors' slopes, to the last bit.
    compiled = rl.compile(stuck(), aliens, "numpyro", population=rl.Population("none"))
    rng = np.random.default_rng(0)
    z = {name: rng.normal(size=2) for name in compiled.layout.names}
    _, slopes = compiled.log_density_and_gradient(z)
    for name in TRUTH:
        of_prior = -z[f"{name}_offset"]
        assert np.array_equal(slopes[f"{name}_offset"], of_prior) == (name in STUCK)
    soft = rl.compile(rl.catalogue.aliens_task_sets(initial=1.2), aliens, "numpyro", population=rl.Population("none"))
    z = {name: rng.normal(size=2) for name in soft.layout.names}
    _, slopes = soft.log_density_and_gradient(z)
    assert all((np.abs(slopes[name] + z[name]) > 1e-3).all() for name in slopes)


@pytest.mark.slow
def test_chains_stick_as_foretold_and_move_with_weights(aliens):
    settings = dict(backend="numpyro", population=rl.Population("none"), draws=300, tune=300, chains=4, cores=2, seed=1,
                    max_tree_depth=8, progress="off", log_likelihood=False)  # fmt: skip
    with pytest.warns(GradientWarning), pytest.warns(ConvergenceWarning):
        hard = rl.fit(stuck(), aliens, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        soft = rl.fit(rl.catalogue.aliens_task_sets(initial=1.2), aliens, **settings)
    assert hard.diagnostics["r_hat_max"] > 1.3 and hard.diagnostics["ess_bulk_min"] < 40
    assert soft.diagnostics["r_hat_max"] < 1.05 and soft.diagnostics["ess_bulk_min"] > 200
    # Chains of the one have means far apart, in what the warning named.
    spread = {name: np.ptp(hard.tree["posterior"][name].mean("draw").values, axis=0).max() for name in STUCK}
    assert max(spread.values()) > 0.2
    assert np.ptp(soft.tree["posterior"]["alpha_high"].mean("draw").values, axis=0).max() < 0.2
