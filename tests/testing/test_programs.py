"""Random programs: the backends agree on them, and a fault that is put in comes out small, as source that runs."""

from __future__ import annotations

import gc
import importlib.util
import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

import rlbackends as rl
from rlbackends.backends.reference import Engine
from rlbackends.backends.registry import get_backend
from rlbackends.expressions.operations import OPERATIONS
from rlbackends.inference.agreement import Point, compute
from rlbackends.testing import assert_close
from rlbackends.testing.programs import (
    Choices,
    assert_program_agrees,
    draw_program,
    extended_values,
    judge,
    judging,
    operations_of,
    programs,
)
from rlbackends.testing.programs.campaign import Campaign, Settings
from rlbackends.testing.programs.choices import shrink
from rlbackends.testing.programs.program import Program

INSTALLED = [name for name in ("numpyro", "pymc") if name in rl.installed_backends()]
SOON = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example, HealthCheck.filter_too_much]
needs_pymc = pytest.mark.skipif("pymc" not in INSTALLED, reason="needs pymc")
needs_mpmath = pytest.mark.skipif(not importlib.util.find_spec("mpmath"), reason="needs mpmath")


@pytest.fixture
def hold():
    """Hold backends to the reference on some programs, the same each time; a failing one is made smaller."""
    gc.disable()  # compilers make so many objects that looking for garbage takes a fifth of the time
    yield _hold
    gc.enable()


def _hold(part, count, backends, **how):
    for name in backends:
        get_backend(name).load()  # PyTensor changes the recursion limit, which Hypothesis watches

    @seed(part)
    # A program compiles for a second: what Hypothesis makes smaller it explains no further.
    @settings(max_examples=count, database=None, deadline=None, suppress_health_check=SOON,
              phases=[Phase.generate, Phase.shrink])  # fmt: skip
    @given(programs(**how))
    def run(program):
        assert_program_agrees(program, backends)

    run()


@needs_mpmath
@pytest.mark.skipif(not INSTALLED, reason="needs a backend")
@pytest.mark.parametrize("part", [*range(2), *(pytest.param(part, marks=pytest.mark.slow) for part in range(2, 10))])
def test_backends_agree_on_random_programs(part, hold):
    hold(part, 10, INSTALLED)


@needs_mpmath
@needs_pymc
@pytest.mark.parametrize("part", [*range(2), *(pytest.param(part, marks=pytest.mark.slow) for part in range(2, 5))])
def test_numba_agrees_on_random_programs(part, hold):
    hold(part, 2, ["pymc"], tiny=True, mode="NUMBA")


# What is drawn


@pytest.fixture(scope="module")
def many():
    """A few hundred programs by number; nothing is compiled."""
    return [draw_program(Choices.numbered(number), f"program_{number}") for number in range(300)]


def test_every_operation_and_every_family_is_drawn(many):
    operations, families = Counter(), Counter()
    for program in many:
        model = program.loaded.model
        operations.update(set(operations_of(model)))
        families.update({rule.family for rule in model.response_rules.values()})
    assert set(operations) == set(OPERATIONS)
    assert min(operations.values()) >= 5, operations
    assert set(families) == {"categorical", "bernoulli", "normal"}
    assert min(families.values()) >= 60


def test_every_function_of_the_language_is_drawn(many):
    from rlbackends.expressions.functions import FUNCTIONS

    text = "".join(program.model_text for program in many)
    assert [name for name in FUNCTIONS if f"rl.{name}(" not in text] == []
    assert all(word in text for word in (".at[", "].add(", "].set(", "None]", "[:, ", "[..., "))
    assert all(word in text for word in ("available=", "where=", "log_probs=", "rl.Interval", 'reset="never"'))


def test_the_data_are_ragged_blocked_and_gappy(many):
    seen = Counter()
    for program in many:
        loaded = program.loaded
        data = loaded.data
        values = [np.ndim(value) for value in loaded.params.values()]
        seen["ragged"] += data.is_ragged
        seen["blocks"] += bool(data.starts[:, 1:].any())
        seen["gaps"] += any((flags & data.valid.reshape(data.valid.shape + (1,) * (flags.ndim - 2))).any()
                            for flags in data.missing.values())  # fmt: skip
        seen["one trial"] += data.n_steps == 1
        seen["by trial"] += 2 in values
        seen["by subject"] += 1 in values
        seen["density"] += program.draws > 0
        seen["axes"] += any(len(state.axes) == 2 for state in loaded.model.states.values())
    assert min(seen.values()) >= 10, seen


def test_states_stay_between_minus_1_and_1(many):
    # Then rounding can't grow: new values are contractions within that range.
    for program in many[:100]:
        loaded = program.loaded
        compiled = rl.compile(loaded.model, loaded.data)
        played = compiled.trajectories(loaded.params)
        for name in loaded.model.states:
            assert np.nanmax(np.abs(played[name].values)) <= 1.0 + 1e-12, program.source()


def test_a_number_is_a_program_and_decisions_can_be_taken_again():
    one = draw_program(Choices.numbered(3, seed=1), "p")
    assert one.source() == draw_program(Choices.numbered(3, seed=1), "p").source()
    assert one.source() == draw_program(Choices.replayed(one.made), "p").source()
    assert one.source() != draw_program(Choices.numbered(4, seed=1), "p").source()
    assert one.source() != draw_program(Choices.numbered(3, seed=2), "p").source()


def test_the_simplest_program_is_short():
    assert len(draw_program(Choices.replayed([])).source().splitlines()) < 60


@pytest.mark.skipif(not INSTALLED, reason="needs a backend")
def test_the_source_runs_by_itself(tmp_path, run_python):
    program = draw_program(Choices.numbered(2), "by_itself", tiny=True)
    program = replace(program, settings={name: program.settings[name] for name in INSTALLED[:1]})
    path = tmp_path / "by_itself.py"
    path.write_text(program.source("what was found\nin two lines"), encoding="utf-8")
    assert path.read_text(encoding="utf-8").startswith("# what was found\n# in two lines\n")
    run_python(f"import runpy\nrunpy.run_path({str(path)!r})\n")


# What comes of a fault


class WrongSlope(Engine):
    """The reference with a wrong derivative wherever a rule takes a largest entry's place."""

    name = "broken"

    def value_and_gradient(self, params):
        value, gradient = super().value_and_gradient(params)
        factor = 1.001 if "argmax" in operations_of(self.model) else 1.0
        return value, {name: slope * factor for name, slope in gradient.items()}


@pytest.fixture
def broken(monkeypatch):
    """Put in a backend ``"broken"``."""
    compile_model = judging.compile_model

    def compile_one(model, data, backend="reference", *, population=None, **given):
        compiled = compile_model(model, data, population=population)
        if backend == "broken":
            engine = WrongSlope(model, data, compiled.layout)
            return type(compiled)(model, data, compiled.layout, engine)
        return compiled

    monkeypatch.setattr(judging, "compile_model", compile_one)


@pytest.mark.slow
@needs_mpmath
def test_a_fault_comes_out_small_with_the_table_and_the_source(broken):
    @seed(0)
    @settings(max_examples=200, database=None, deadline=None, suppress_health_check=SOON,
              phases=[Phase.generate, Phase.shrink])  # fmt: skip
    @given(programs())
    def run(program):
        assert_program_agrees(program, ["broken"])

    with pytest.raises(AssertionError) as caught:
        run()
    message = str(caught.value)
    assert "broken and the reference differ: gradient" in message
    assert "The reference agrees with fifty digits." in message
    source = message.partition("The program:\n\n")[2]
    assert "argmax" in source
    assert len(source.splitlines()) < 75


@needs_mpmath
def test_an_error_is_a_fault(monkeypatch):
    program = Program("bad", "model = rl.Model('bad', parameters={})\n", "")
    verdict = judge(program, [])
    assert verdict.outcome == "error"
    assert "missing" in verdict.text
    assert verdict.is_fault


CHAOS = """\
def choice(x):
    return rl.Categorical(logits=rl.stack(x, 0.0))


model = rl.Model(
    "chaos",
    parameters={"start": rl.Parameter(rl.UnitInterval())},
    states={"x": rl.State(initial="start")},
    trial={"choice": choice},
    update=lambda x: {"x": 4.0 * x * (1.0 - x)},
)
"""


@needs_mpmath
def test_what_rounding_decides_is_no_fault():
    # Each trial doubles an error of the last bit, so after 60 trials nothing is left of the digits.
    data = (
        "data = rl.Trials.from_arrays(choice=[[0] * 60], levels={'choice': [0, 1]})\n"
        "params = {'start': 0.3}\npopulation = None\n"
    )
    verdict = judge(Program("chaos", CHAOS, data), [])
    assert verdict.outcome == "ill-conditioned"
    assert "The reference is" in verdict.text
    assert "moves the reference's" in verdict.text
    assert not verdict.is_fault
    assert judge(Program("calm", CHAOS, data.replace("60", "10")), []).outcome == "agrees"


@needs_mpmath
def test_a_wrong_reference_is_a_fault(monkeypatch):
    from rlbackends.expressions import numpy_table

    monkeypatch.setitem(numpy_table.ELEMENTWISE, "tanh", lambda x: np.tanh(x) * (1 + 1e-9))
    program = next(
        p for p in (draw_program(Choices.numbered(n)) for n in range(50)) if "tanh" in operations_of(p.loaded.model)
    )
    verdict = judge(program, [])
    assert verdict.outcome == "differs"
    assert "from fifty digits" in verdict.text


# Fifty digits


@needs_mpmath
def test_fifty_digits_agree_with_the_reference_on_the_catalogue(catalogue_case):
    model, data, params = catalogue_case
    reference = rl.compile(model, data)
    point = Point(reference.read_params(params))
    found = compute(reference, point)
    right = extended_values(model, reference.data, point.params)
    for quantity, values in right.items():
        assert_close(found[quantity], values, quantity)


def catalogue_cases():
    from rlbackends.testing.cases import CASES

    return sorted(CASES)


@pytest.fixture(params=catalogue_cases())
def catalogue_case(request):
    """A catalogue model, random trials with gaps and blocks, and its usual values."""
    import random

    from rlbackends.testing.cases import CASES
    from rlbackends.testing.trials import as_trials, random_subjects

    case = CASES[request.param]
    model = case.model()
    return model, as_trials(model, random_subjects(case, random.Random(5), (9, 6))), case.params


@needs_mpmath
def test_fifty_digits_by_hand():
    # q: 0 → 1/2 → 1/2 + 1/4 (0 − 1/2) = 3/8 with alpha = 1/2, then 1/4; a max, whose slope at a tie is the first's.
    model = rl.Model(
        "by_hand",
        parameters={"alpha": rl.Parameter(rl.UnitInterval()), "bias": rl.Parameter(rl.RealLine())},
        states={"q": rl.State("action")},
        trial={"answer": lambda q, bias: rl.Normal(mean=rl.max(rl.stack(bias, 0.0)) + rl.max(q), sd=1.0),
               "reward": rl.Real()},
        update=lambda q, reward, alpha: {"q": q.at[0].add(alpha * (reward - q[0]))},
        sizes={"action": 2},
    )  # fmt: skip
    data = rl.Trials.from_arrays(answer=[[1.0, 2.0, np.nan]], reward=[[1.0, 0.0, 0.0]]).bind(model)
    found = extended_values(model, data, {"alpha": np.array([[0.5, 0.25, 0.0]]), "bias": np.array([0.0])})
    assert found["trajectories"]["q"][0].tolist() == [[0.0, 0.0], [0.5, 0.0], [0.375, 0.0]]
    constant = -0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(found["log_likelihood"]["answer"][0, :2], [constant - 0.5, constant - 1.125], rtol=1e-15)
    assert np.isnan(found["log_likelihood"]["answer"][0, 2])
    # d/d bias: the tie of bias and 0 goes to bias, so (1 − 0) + (2 − 1/2); d/d alpha on trial 1: (2 − 1/2) · 1.
    np.testing.assert_allclose(found["gradient"]["bias"], [2.5], rtol=1e-15)
    np.testing.assert_allclose(found["gradient"]["alpha"], [[1.5, 0.0, 0.0]], rtol=1e-15)


@needs_mpmath
def test_what_is_equal_in_theory_ties_at_fifty_digits():
    # Each row of a softmax sums to 1, whatever the last digits say, so the largest sum is the first.
    rows = np.array([[0.1, 0.9], [0.3, 1.7], [0.2, 0.7], [1.1, 1.9]])
    model = rl.Model(
        "ties",
        parameters={"alpha": rl.Parameter(rl.UnitInterval())},
        states={"place": rl.State()},
        trial={"answer": lambda place: rl.Normal(mean=place, sd=1.0)},
        update=lambda alpha: {"place": rl.to_float(rl.argmax(rl.sum(rl.softmax(alpha * rows), axis=-1)))},
    )
    data = rl.Trials.from_arrays(answer=[[0.0, 0.0, 0.0]]).bind(model)
    for alpha in (0.1, 0.23, 0.3, 0.7):
        found = extended_values(model, data, {"alpha": np.array([alpha])})
        assert found["trajectories"]["place"].tolist() == [[0.0, 0.0, 0.0]]


@needs_mpmath
def test_fifty_digits_leave_mpmath_as_it_was():
    import mpmath

    before = mpmath.mp.dps
    program = draw_program(Choices.numbered(1))
    loaded = program.loaded
    extended_values(loaded.model, loaded.data, rl.compile(loaded.model, loaded.data).read_params(loaded.params))
    assert mpmath.mp.dps == before


# Many programs


def test_decisions_are_made_fewer_and_simpler():
    tried = []

    def still_fails(made):
        tried.append(made)
        return sum(made) >= 7

    assert shrink([1, 0, 7, 3, 0, 9, 2], still_fails, 100) in ([7], [9])
    assert len(tried) <= 100
    assert shrink([1, 2], lambda made: True, 0) == [1, 2]


@needs_mpmath
def test_a_campaign_goes_on_where_it_was_stopped(tmp_path, capsys):
    campaign = Campaign(tmp_path, Settings(4, backends=()))
    assert campaign.run(2) == 2
    with campaign.log.open("a") as file:
        file.write('{"number": 2, "se')  # killed while it wrote
    again = Campaign(tmp_path, Settings(4, backends=()))
    assert again.left() == [2, 3]
    assert again.run(300) == 0
    assert [row["number"] for row in again.rows()] == [0, 1, 2, 3]
    assert {row["outcome"] for row in again.rows()} == {"agrees"}
    assert Campaign(tmp_path, Settings(4, seed=1, backends=())).left() == [0, 1, 2, 3]
    report = again.report()
    assert "4 programs" in report
    assert "differs          0" in report
    assert "no program had" in report


@needs_mpmath
def test_a_campaign_keeps_what_failed_and_makes_it_small(tmp_path, broken):
    campaign = Campaign(tmp_path, Settings(50, backends=("broken",), numba_share=0.0))
    number = next(n for n in range(50) if campaign.one(n).outcome == "differs")
    whole = (tmp_path / "failures" / f"{number}.py").read_text()
    small = (tmp_path / "failures" / f"{number}.small.py").read_text()
    assert len(small) < len(whole)
    for text in (whole, small):
        assert "broken and the reference differ: gradient" in text
        compile(text, "failure.py", "exec")
    assert f"failures, in {tmp_path / 'failures'}: {number}" in campaign.report()


@needs_mpmath
def test_a_program_that_ends_the_process_is_tried_twice(tmp_path):
    campaign = Campaign(tmp_path, Settings(4, backends=()))
    campaign.running.write_text("1 1")
    assert campaign.one(1).outcome == "agrees"
    campaign.running.write_text("2 2")
    assert campaign.one(2).outcome == "error"
    assert "died twice" in (tmp_path / "failures" / "2.py").read_text()


@needs_mpmath
def test_the_command(tmp_path, run_python):
    command = (
        "import sys\nfrom rlbackends.testing.programs.__main__ import main\n"
        f"sys.argv = ['programs', '--folder', {str(tmp_path)!r}, '--backends', '', '--count', '2'] + {{more}}\n"
        "print(main())\n"
    )
    ran = run_python(command.format(more=[]))
    assert "2 programs" in ran and ran.splitlines()[-1] == "0"
    assert len([json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]) == 2
    assert run_python(command.format(more=["--report"])) == ran


def test_nothing_heavy_is_imported_before_it_is_needed(run_python):
    loaded = run_python(
        "import sys\nimport rlbackends.testing.programs\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} "
        "& {'mpmath', 'hypothesis', 'jax', 'pymc', 'scipy', 'pytest'}))\n"
    )
    assert loaded.split() == []
