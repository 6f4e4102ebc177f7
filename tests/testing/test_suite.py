"""The shipped suite's own parts: gaps, the table of operations, populations, differences, and how it is imported."""

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.backends import Backend, get_backend
from rlbackends.errors import BackendError, BackendMissingError
from rlbackends.expressions.operations import OPERATIONS
from rlbackends.population.links import LINKS
from rlbackends.population.population import Pooling
from rlbackends.population.priors import PRIORS
from rlbackends.testing import BackendSuite, Gap, assert_backends_agree, never, notimpl, notyet
from rlbackends.testing.cases import CASES
from rlbackends.testing.suite import benches, invariances, populations
from rlbackends.testing.suite.differences import slope
from rlbackends.testing.suite.gaps import check_gaps
from rlbackends.testing.suite.rows import Row
from rlbackends.testing.suite.tryout import tryout
from rlbackends.testing.suite.under_test import UnderTest

GAP = notimpl("operation", "ndtri", reason="no inverse there", raises=NotImplementedError)


def fails_with(error):
    def assertion():
        raise error

    return assertion


def test_a_gap_holds_if_exactly_that_is_raised():
    assert GAP.hold(fails_with(NotImplementedError("ndtri"))) == "notimpl: no inverse there"


class Near(NotImplementedError):
    """A subclass of what the gap says."""


@pytest.mark.parametrize("error", [AssertionError("far off"), RuntimeError(), Near()])
def test_a_gap_does_not_cover_another_exception_nor_a_subclass(error):
    with pytest.raises(AssertionError, match=rf"raised {type(error).__name__} .*, the gap says NotImplementedError"):
        GAP.hold(fails_with(error))


def test_a_gap_that_no_longer_fails_must_go():
    with pytest.raises(AssertionError, match=r"notimpl\('operation', 'ndtri'\) no longer fails: take the gap away"):
        GAP.hold(lambda: None)


@pytest.mark.parametrize(("make", "kind"), [(notimpl, "notimpl"), (notyet, "notyet"), (never, "never")])
def test_there_are_three_words(make, kind):
    assert make("order", "*", reason="so", raises=KeyError) == Gap(kind, "order", "*", "so", KeyError)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "notyett"}, "Did you mean 'notyet'"),
        ({"reason": " "}, "expected a sentence"),
        ({"raises": "KeyError"}, "expected a class"),
    ],
)
def test_a_gap_is_whole(change, message):
    with pytest.raises(ValueError, match=message):
        Gap(**{"kind": "never", "check": "order", "name": "*", "reason": "so", "raises": KeyError, **change})


def test_a_gap_of_nothing_is_an_error_when_the_class_is_made():
    with pytest.raises(ValueError, match=r"TestMine: gaps: .*no check 'operatoin'.*Did you mean 'operation'"):

        class TestMine(BackendSuite):
            gaps = (notimpl("operatoin", "ndtri", reason="so", raises=KeyError),)


def test_every_fault_of_the_gaps_is_told_at_once():
    with pytest.raises(ValueError, match=r"has no 'ndtr2'.*'x' is no gap"):
        check_gaps([notimpl("operation", "ndtr2", reason="so", raises=KeyError), "x"], {"operation": ["ndtr"]}, "here")


def test_every_operation_has_a_row():
    assert set(benches.ROWS) == set(OPERATIONS)


def test_every_pooling_link_and_prior_has_a_population():
    on = tryout(populations.CASE, "messy")
    n_subjects = on.data.n_subjects
    found = [
        item
        for population in populations.POPULATIONS.values()
        for item in population.layout(on.model, range(n_subjects)).description.values()
    ]
    assert {item["link"] for item in found if "link" in item} == set(LINKS)
    assert {item.get("pooling", "fixed") for item in found} == {"partial", "none", "complete", "fixed"}
    assert {item.get("centred") for item in found} >= {True, False}
    priors = {item[key]["prior"] for item in found for key in ("location", "sd", "prior") if key in item}
    assert priors == set(PRIORS)
    assert Pooling().kind == "partial"


def test_the_named_cases_are_there():
    assert set(invariances.REPRESENTATIVES) | set(invariances.SYMMETRIC) <= set(CASES)


@pytest.mark.parametrize("kind", ["plain", "messy"])
def test_the_trials_are_what_their_name_says(kind):
    data = tryout(CASES["two_step"], kind).data
    gaps = any(missing[data.valid].any() for missing in data.missing.values())
    assert (data.is_ragged, gaps, bool(data.starts[:, 1:].any())) == ((kind == "messy"),) * 3
    silent = [s for s in range(data.n_subjects) if data.missing["choice1"][s].all()]
    assert silent == ([3] if kind == "messy" else [])
    assert (1 in data.lengths) == (kind == "messy")


def test_differences_are_exact_to_ten_digits():
    found, is_smooth = slope(lambda by: np.array([np.exp(0.3 + by), np.tanh(2.0 + by), 5.0]), 1e-3)
    np.testing.assert_allclose(found, [np.exp(0.3), 1 - np.tanh(2.0) ** 2, 0.0], rtol=1e-10)
    assert is_smooth.all()


def test_differences_say_where_a_kink_is():
    _, is_smooth = slope(lambda by: np.array([abs(by + 1e-5), abs(by + 1.0)]), 1e-3)
    assert is_smooth.tolist() == [False, True]


@pytest.mark.parametrize(("value", "expected"), [(lambda x: x**3, 12.0), (lambda x: np.exp(2 * x), 2 * np.exp(4))])
def test_a_row_without_a_slope_by_hand_takes_a_complex_step(value, expected):
    row = Row("pow", lambda x: x, ({"x": 2.0},), value)
    assert row.derivative({"x": 2.0}, {"x": np.array(1.0)}) == pytest.approx(expected, rel=1e-14)


def test_an_operation_that_is_not_there_fails_alone(monkeypatch):
    from rlbackends.expressions import numpy_table

    def absent(x):
        raise NotImplementedError("ndtri")

    monkeypatch.setitem(numpy_table.ELEMENTWISE, "ndtri", absent)
    tested = UnderTest("reference")
    with pytest.raises(NotImplementedError):
        benches.assert_operation(tested, "ndtri")
    benches.assert_operation(tested, "tanh")


def test_what_was_compiled_is_kept_and_the_oldest_forgotten():
    tested, made = UnderTest("reference"), []
    for key in [*range(12), 11, 0]:
        tested.once(key, lambda key=key: made.append(key))
    assert made == [*range(12), 0]


def test_importing_the_checks_imports_no_pytest(run_python):
    code = "import sys, rlbackends.testing; print('pytest' in sys.modules, 'scipy' in sys.modules)"
    assert run_python(code).split() == ["False", "False"]


def test_without_pytest_the_suite_says_what_to_install(monkeypatch):
    import importlib.util

    import rlbackends.testing

    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pytest" else found(name))
    with pytest.raises(BackendMissingError, match="pip install pytest"):
        _ = rlbackends.testing.BackendSuite


def test_an_unknown_name_has_a_neighbour():
    import rlbackends.testing

    with pytest.raises(AttributeError, match="Did you mean 'BackendSuite'"):
        _ = rlbackends.testing.BackendSuit


def test_a_backend_of_ones_own_is_given_wherever_a_name_is():
    own = Backend("mine", "rlbackends.backends.reference")
    model = rl.catalogue.rescorla_wagner()
    data = rl.Trials.from_arrays(choice=[[0, 1, 0]], reward=[[1.0, 0.0, 1.0]], levels={"choice": [0, 1]})
    assert get_backend(own) is own
    assert rl.compile(model, data, own).log_density_and_gradient
    assert len(rl.check(model, data, backends=[own]).comparisons) == 1
    assert_backends_agree(model, data, backends=[own])


def test_a_backend_of_ones_own_names_the_packages_that_it_lacks():
    own = Backend("numpyro", "my_package.engine", packages=("no_such_library",))
    with pytest.raises(BackendMissingError, match="Install it with: pip install no_such_library"):
        own.require()


@pytest.mark.parametrize("given", ["numpyrro", 3, None])
def test_what_is_no_backend_is_refused(given):
    with pytest.raises(BackendError, match="There are 'reference', 'numpyro' and 'pymc'"):
        get_backend(given)
