"""The suite as test classes: subclass one, say which backend, and pytest collects all of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import pytest

from rlbackends.backends.registry import Backend
from rlbackends.testing.cases import CASES
from rlbackends.testing.suite import against_reference, benches, independent, invariances, populations
from rlbackends.testing.suite.cells import PREFIX, cells_of
from rlbackends.testing.suite.gaps import Gap, check_gaps, find_gap
from rlbackends.testing.suite.tryout import KINDS
from rlbackends.testing.suite.under_test import UnderTest


def first_of_each_model() -> tuple[str, ...]:
    """Return one case a model: settings change the likelihood, which the joint density takes as it is."""
    return tuple({case.make: name for name, case in reversed(CASES.items())}.values())[::-1]


# Of class scope, so that pytest runs all that is asked of one case in a row, while it is compiled.
of_cases = pytest.mark.parametrize("case", tuple(CASES), scope="class")
on_data = pytest.mark.parametrize("data", KINDS)
of_models = pytest.mark.parametrize("case", first_of_each_model(), scope="class")
of_operations = pytest.mark.parametrize("operation", tuple(benches.ROWS))
of_representatives = pytest.mark.parametrize("case", invariances.REPRESENTATIVES, scope="class")


class Independent:
    """What a backend must hold by itself: checks whose expected values share no code with the graph."""

    backend: ClassVar[Any] = None
    settings: ClassVar[Any] = {}
    gaps: ClassVar[Sequence[Gap]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        check_gaps(cls.gaps, cells_of(cls), cls.__name__)

    @pytest.fixture(scope="class")
    @classmethod
    def _tested_before(cls) -> dict[Any, UnderTest]:
        return {}

    @pytest.fixture
    def tested(self, request: pytest.FixtureRequest, _tested_before: dict[Any, UnderTest]) -> UnderTest:
        """The backend under test: the class's ``backend`` and ``settings``, which may be fixtures."""
        backend, settings = self.backend, self.settings
        if not isinstance(backend, str | Backend):
            try:
                backend = request.getfixturevalue("backend")
            except pytest.FixtureLookupError:
                pytest.fail(
                    f"{type(self).__name__}: which backend? Say backend = 'name' or backend = Backend(...) in the "
                    "class, or define a fixture called 'backend'.",
                    pytrace=False,
                )
        if not isinstance(settings, Mapping):
            settings = request.getfixturevalue("settings")
        # What was compiled is kept with it, from one test of the class to the next.
        return _tested_before.setdefault((backend, repr(settings)), UnderTest(backend, settings))

    @pytest.fixture
    def holds(self, request: pytest.FixtureRequest) -> Callable[..., None]:
        """Call an assertion, which must fail where the class declares a gap."""
        check = request.node.originalname.removeprefix(PREFIX)
        name = request.node.callspec.id if hasattr(request.node, "callspec") else ""
        gap = find_gap(self.gaps, check, name)

        def call(assertion: Callable[..., None], *args: Any) -> None:
            if gap is None:
                assertion(*args)
            else:
                pytest.xfail(gap.hold(assertion, *args))

        return call

    @of_operations
    def test_operation(self, tested, holds, operation):
        holds(benches.assert_operation, tested, operation)

    @pytest.mark.parametrize("operation", benches.UNREAD)
    def test_unread_operation(self, tested, holds, operation):
        holds(benches.assert_unread_operation, tested, operation)

    @of_cases
    def test_slope(self, tested, holds, case):
        holds(independent.assert_gradient_is_the_slope, tested, CASES[case])

    @of_cases
    def test_finite_at_limits(self, tested, holds, case):
        holds(independent.assert_finite_at_limits, tested, CASES[case])

    @of_models
    def test_joint_density(self, tested, holds, case):
        holds(populations.assert_joint_density, tested, CASES[case])

    @pytest.mark.parametrize("population", tuple(populations.POPULATIONS))
    def test_population(self, tested, holds, population):
        holds(populations.assert_population, tested, population)

    @of_representatives
    def test_padding(self, tested, holds, case):
        holds(invariances.assert_padding_is_invisible, tested, CASES[case])

    @of_representatives
    def test_order(self, tested, holds, case):
        holds(invariances.assert_order_does_not_matter, tested, CASES[case])

    @of_representatives
    def test_parts(self, tested, holds, case):
        holds(invariances.assert_parts_are_the_whole, tested, CASES[case])

    @of_representatives
    def test_empty_trials(self, tested, holds, case):
        holds(invariances.assert_empty_trials_say_nothing, tested, CASES[case])

    @of_representatives
    def test_silence(self, tested, holds, case):
        holds(invariances.assert_silence_says_nothing, tested, CASES[case])

    @of_representatives
    def test_json(self, tested, holds, case):
        holds(invariances.assert_json_keeps_the_model, tested, CASES[case])

    @pytest.mark.parametrize("case", tuple(invariances.SYMMETRIC), scope="class")
    def test_labels(self, tested, holds, case):
        holds(invariances.assert_labels_do_not_matter, tested, CASES[case])


class BackendSuite(Independent):
    """The conformance suite: every check that a backend must pass, collected whole by pytest.

    Subclass it in a test file and say which backend; nothing else is needed.

    Attributes
    ----------
    backend : str or Backend
        The backend under test; or leave it out and define a fixture called ``backend`` that returns it.
    settings : mapping, optional
        The backend's own settings; or a fixture called ``settings``, defined in the class.
    gaps : sequence of Gap, optional
        What the backend is known not to do, as `notimpl`, `notyet` or `never` make it.

    Examples
    --------
    A whole test file:

    >>> from rlbackends.backends import Backend
    >>> from rlbackends.testing import BackendSuite
    >>> class TestMine(BackendSuite):
    ...     backend = Backend("mine", "my_package.engine", packages=("mylib",))
    """

    @on_data
    @of_cases
    def test_trajectories(self, tested, holds, case, data):
        holds(against_reference.assert_trajectories, tested, CASES[case], data)

    @on_data
    @of_cases
    def test_log_likelihood(self, tested, holds, case, data):
        holds(against_reference.assert_log_likelihood, tested, CASES[case], data)

    @on_data
    @of_cases
    def test_gradient(self, tested, holds, case, data):
        holds(against_reference.assert_gradient, tested, CASES[case], data)

    @of_cases
    def test_varying_parameters(self, tested, holds, case):
        holds(against_reference.assert_varying_parameters, tested, CASES[case])

    @of_cases
    def test_limits(self, tested, holds, case):
        holds(against_reference.assert_agrees_at_limits, tested, CASES[case])
