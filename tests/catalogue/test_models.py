"""What the catalogue's functions return, what they refuse, and the examples in their docstrings."""

import doctest
import random
import sys
from dataclasses import replace

import pytest

import rlbackends as rl
from rlbackends.errors import DataError, ModelError
from rlbackends.testing.cases import CASES
from rlbackends.testing.trials import as_trials, random_subjects

MODELS = sorted(rl.catalogue.MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_each_says_what_it_is(name):
    model = rl.catalogue.MODELS[name]()
    assert model.name == name
    assert model.description
    assert model.reference
    assert all(parameter.description for parameter in model.parameters.values())
    assert [event.name for event in model.events.values() if not event.description] == []


@pytest.mark.parametrize("name", MODELS)
def test_an_absent_column_is_named_with_what_it_means(name):
    model = rl.catalogue.MODELS[name]()
    case = next(case for case in CASES.values() if case.make.__name__ == name)
    trials = as_trials(case.model(), random_subjects(case, random.Random(1), (3,), missing=0.0, blocks=0.0))
    for absent in model.events.values():
        present = {key: column for key, column in trials.events.items() if key != absent.name}
        with pytest.raises(DataError) as fault:
            replace(trials, events={**present, "spare": next(iter(trials.events.values()))}).bind(model)
        told = str(fault.value)
        assert f"model '{name}' needs more events" in told
        assert f"'{absent.name}' ({absent.description}: " in told


@pytest.mark.parametrize("title", rl.catalogue.FAMILIES)
def test_a_family_says_what_it_is(title):
    family = rl.catalogue.FAMILIES[title]
    assert family.__doc__ and family.__all__


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_the_same_each_time(name):
    make = rl.catalogue.MODELS[name]
    assert make() == make()
    assert rl.Model.from_json(make().to_json()) == make()


@pytest.mark.parametrize("name", MODELS)
def test_docstring(name):
    make = rl.catalogue.MODELS[name]
    module = sys.modules[make.__module__]
    examples = doctest.DocTestFinder(recurse=False).find(make, name, module=module, globs={})
    outcome = [doctest.DocTestRunner(verbose=False).run(example) for example in examples]
    assert sum(result.attempted for result in outcome) >= 3
    assert sum(result.failed for result in outcome) == 0


def test_exported():
    assert set(rl.catalogue.__all__) == {"FAMILIES", "MODELS", *rl.catalogue.MODELS}


def test_two_step_refuses_what_is_no_probability():
    with pytest.raises(ModelError, match=r"transition is 1\.5, expected a probability"):
        rl.catalogue.two_step(transition=1.5)


def test_two_step_refuses_an_unknown_last_step():
    with pytest.raises(ModelError, match="last_step is 'later', expected 'before' or 'after'"):
        rl.catalogue.two_step(last_step="later")


def test_two_step_variants_differ():
    assert rl.catalogue.two_step(last_step="after") != rl.catalogue.two_step(last_step="before")


def test_a_stimulus_may_be_called_as_the_axis_that_it_counts_along():
    model = rl.catalogue.aliens()
    assert model.events["season"].of == "season"
    assert model.states["q"].shape == (3, 4, 3)
