"""What the catalogue's functions return, what they refuse, and the examples in their docstrings."""

import doctest
import sys

import pytest

import rlbackends as rl
from rlbackends.errors import ModelError

MODELS = sorted(rl.catalogue.MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_each_says_what_it_is(name):
    model = rl.catalogue.MODELS[name]()
    assert model.name == name
    assert model.description
    assert model.reference
    assert all(parameter.description for parameter in model.parameters.values())


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
