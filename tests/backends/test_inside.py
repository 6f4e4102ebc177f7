"""``rl.pymc`` and ``rl.numpyro``, what they need, and what is the same for both."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.backends.other import at_shape, summed
from rlbackends.backends.registry import BACKENDS, backend_of
from rlbackends.errors import BackendMissingError, ParameterError


@pytest.mark.parametrize("name", ["numpyro", "pymc"])
def test_a_missing_package_comes_with_its_command(name, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda other, *rest: None if other == name else find(other, *rest))
    monkeypatch.delitem(vars(rl), name, raising=False)
    with pytest.raises(BackendMissingError, match=rf'pip install "rlbackends\[{name}\]"'):
        getattr(rl, name)


@pytest.mark.parametrize("name", ["numpyro", "pymc"])
def test_the_name_is_the_backend_s_package(name):
    pytest.importorskip(name)
    assert getattr(rl, name) is BACKENDS[name].load()
    assert {"observe", "likelihood", "log_density"} <= set(dir(getattr(rl, name)))
    assert name in dir(rl)


def test_a_star_imports_no_backend(run_python):
    code = "import sys\nfrom rlbackends import *\nprint(*{name.partition('.')[0] for name in sys.modules})"
    loaded = run_python(code)
    assert {"jax", "numpyro", "pymc", "pytensor"}.isdisjoint(loaded.split())


def test_a_misspelt_backend_is_told():
    with pytest.raises(AttributeError, match="Did you mean 'numpyro'"):
        rl.numpiro  # noqa: B018


def test_numbers_and_functions_are_of_no_backend():
    for thing in (None, 1.0, "pymc", np.zeros(3), [1.0], {}, len):
        assert backend_of(thing) is None


def test_values_in_the_shape_of_another_model():
    values = np.array([0.1, 0.2, 0.3])
    for shape in ((3,), (None,), (3, 1), (1, 3), (None, 1)):
        found = at_shape("here", "alpha", values, shape)
        assert found.size == 3 and found.ndim == len(shape)
    assert at_shape("here", "alpha", np.full(3, 0.2), ()) == 0.2
    assert at_shape("here", "alpha", 0.2, (2, 3)).shape == (2, 3)
    for shape in ((), (4,), (3, 2)):
        with pytest.raises(ParameterError, match="'alpha' has shape"):
            at_shape("here", "alpha", values, shape)


def test_terms_of_one_shape_are_added_up_and_others_to_a_total():
    np.testing.assert_array_equal(summed({"a": np.ones((2, 3)), "b": np.full((2, 3), 2.0)}), np.full((2, 3), 3.0))
    total = summed({"a": np.ones(3), "b": np.ones((2, 3))})
    assert total.shape == () and total == 9.0


def test_parameters_by_trial_stay_as_they_were_given():
    data = rl.Trials.from_arrays(choice=[[0, 1, 0], [1, 0, 0]], reward=np.ones((2, 3)), lengths=[3, 2])
    alpha = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 7.0]])
    alpha.flags.writeable = False
    found = rl.compile(rl.catalogue.rescorla_wagner(), data).read_params({"alpha": alpha, "beta": 1.0})["alpha"]
    assert alpha[1, 2] == 7.0 and found[1, 2] == 0.1
