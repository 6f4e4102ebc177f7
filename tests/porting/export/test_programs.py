"""What is written: stable text, words for awkward names, refusals, files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import ModelError, SettingError
from rlbackends.porting.export.lines import WIDTH, statement
from tests.porting.export.harness import Problem, assert_same_densities, catalogue_problem, formula_problem, long_lines

GOLDEN = Path(__file__).parent / "golden"
PROGRAMS = ("numpy", "numpyro")


@pytest.mark.parametrize("target", PROGRAMS)
def test_the_text_is_stable(target):
    text = rl.export(rl.catalogue.rescorla_wagner(), target).text
    golden = GOLDEN / f"rescorla_wagner_{target}.txt"
    assert re.sub(r"rlbackends \d+\.\d+\.\d+\w*", "rlbackends VERSION", text) == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("target", PROGRAMS)
def test_names_become_words_of_the_language(target, tmp_path):
    model = awkward_model()
    data = rl.Trials.from_arrays(
        subjects=["a", "b"], levels={"range": range(2)}, range=[[0, 1, 1], [1, 1, 0]],
        data=[[0.5, 1.0, 0.0], [1.0, 1.5, float("nan")]],
    )  # fmt: skip
    problem = Problem("awkward", model, data.bind(model), rl.Population())
    text = rl.export(problem.model, target, data=problem.data).text
    assert "np_ = " in text and "data_ = " in text
    compile(text, "program.py", "exec")
    if target == "numpy":
        assert_same_densities(target, [problem], tmp_path)


def awkward_model():
    """Return a model of which every name means something else in a program."""

    def answer(np, z, special):
        return rl.Categorical(logits=z * np + special)

    def learn(np, data, new_np, states, special):
        a = rl.exp(special * new_np)
        return {"np": np + a * (data - np), "new_np": new_np + a, "logits": data - np[0], "states": states + np[1]}

    return rl.Model(
        "import",
        parameters={"special": rl.Parameter(rl.RealLine()), "z": rl.Parameter(rl.Positive())},
        states={
            "np": rl.State("action", initial="special"),
            "new_np": rl.State(initial=0.0),
            "states": rl.State(initial=0.0),
        },
        trial={"range": answer, "data": rl.Real()},
        update=learn,
        records=["logits"],
        sizes={"action": 2},
    )


def test_a_model_without_a_description_is_named_once():
    text = rl.export(awkward_model(), "numpy").text
    assert text.startswith('"""The model import, written by rlbackends') and text.count("The model import") == 1


def test_columns_with_spaces_and_quotes_become_words():
    problem = formula_problem("between")
    found = rl.export(problem.model, "numpy", data=problem.data, population=problem.population)
    assert all(key.isidentifier() for key in found.data)
    assert any(key.startswith("alpha_group_it_s_old") for key in found.data)


def test_an_unknown_target_is_refused():
    with pytest.raises(SettingError, match=r"there is no target 'numpyr'.*Did you mean 'numpyro'\?"):
        rl.export(rl.catalogue.rescorla_wagner(), "numpyr")


def test_held_out_cells_are_refused():
    data = catalogue_problem("rescorla_wagner", "plain").data
    held = np.zeros(data.starts.shape, dtype=bool)
    held[0, 1] = True
    with pytest.raises(SettingError, match="held out"):
        rl.export(rl.catalogue.rescorla_wagner(), "numpy", data=data.holding_out(held))


def test_a_formula_needs_data():
    with pytest.raises(ModelError, match="export: without data, "):
        population = rl.Population(alpha=rl.Pooling(formula="~ group"))
        rl.export(rl.catalogue.rescorla_wagner(), "numpy", population=population)


def test_what_is_no_model_and_no_data_is_said():
    with pytest.raises(SettingError, match=r"model is 'x', expected .* data is a str, .* population is 1, expected"):
        rl.export("x", "numpy", data="trials.csv", population=1)


def test_an_existing_file_is_not_replaced(tmp_path):
    problem = catalogue_problem("rescorla_wagner", "plain")
    written = rl.export(problem.model, "numpy", data=problem.data)
    (tmp_path / "mine.data.json").write_text("mine")
    with pytest.raises(SettingError, match="exists"):
        written.write(tmp_path / "mine")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.data.json"]
    assert written.write(tmp_path / "mine", overwrite=True)[0].read_text() == written.text
    assert json.loads((tmp_path / "mine.data.json").read_text()) == written.data


def test_nothing_is_written_in_half(tmp_path):
    problem = catalogue_problem("rescorla_wagner", "plain")
    written = rl.export(problem.model, "numpy", data=problem.data)
    (tmp_path / "mine.data.json").mkdir()
    with pytest.raises(SettingError, match="is a folder"):
        written.write(tmp_path / "mine.py", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.data.json"]


def test_a_missing_folder_is_made(tmp_path):
    program, *rest = rl.export(rl.catalogue.rescorla_wagner(), "numpy").write(tmp_path / "new" / "mine")
    assert program == tmp_path / "new" / "mine.py" and not rest
    assert program.read_text().endswith("    main()\n")


def test_a_program_does_not_take_the_name_of_a_library(tmp_path):
    with pytest.raises(SettingError, match="in place of the library numpy"):
        rl.export(rl.catalogue.rescorla_wagner(), "numpy").write(tmp_path / "numpy")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_no_folder_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingError, match="can't be written"):
        rl.export(rl.catalogue.rescorla_wagner(), "numpy").write(tmp_path / "file" / "mine")


@pytest.mark.parametrize(
    "expression",
    [
        "alpha_of_the_subject * (reward_of_the_trial - values_of_actions[choice_of_the_subject]) + forgetting * bias",
        "np.log((1.0 - lapse_rate) * special.softmax(inverse_temperature * q_values) + lapse_rate / number_of_actions)",
        "one_long_name if another_long_name_that_is_a_condition > 0.0 else the_third_long_name_of_this_expression + 1",
        'x["a name (with = brackets"] * f(x, axis=-1) + y["another, with a comma"] * g(long_name_one, long_name_two)',
        "np.array([[0.6931471805599453, -1.3862943611198906, -1.3862943611198906], [0.6931471805599453, 1.0, 2.0]])",
        "values_of_actions.at[choice_of_the_subject].add(alpha * prediction_error).at[other].add(beta * surprise)",
        "a_table_of_values[the_first_index_of_the_table_that_is_long, the_second_index_of_it, and_the_third_of_it]",
    ],
)
def test_long_lines_are_folded_and_mean_the_same(expression):
    import ast

    lines = statement("    result = ".strip() + " ", expression, 4)
    assert len(lines) > 1 and all(len(line) <= WIDTH for line in lines)
    folded = ast.parse("\n".join(line[4:] for line in lines))
    assert ast.dump(folded) == ast.dump(ast.parse(f"result = {expression}"))


@pytest.mark.slow
def test_every_program_of_the_suite_is_short_of_the_margin():
    from tests.porting.export.harness import FORMULAS

    for target in PROGRAMS:
        for name in FORMULAS:
            problem = formula_problem(name)
            text = rl.export(problem.model, target, data=problem.data, population=problem.population).text
            assert long_lines(text) == []


@pytest.mark.slow
def test_programs_run_where_rlbackends_is_not_installed(tmp_path):
    problem = catalogue_problem("rescorla_wagner", "messy")
    for target in PROGRAMS:
        rl.export(problem.model, target, data=problem.data).write(tmp_path / f"in_{target}")
    home = tmp_path / "environment"
    venv.create(home, with_pip=True)
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    installed = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "numpy", "scipy", "jax", "numpyro"], capture_output=True, text=True
    )
    if installed.returncode:
        pytest.skip(f"packages can't be installed here: {installed.stderr[-300:]}")
    bare = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def run(*arguments):
        return subprocess.run(
            [python, *arguments], cwd=tmp_path, env=bare, capture_output=True, text=True, timeout=500
        )

    assert run("-c", "import rlbackends").returncode != 0
    told = run("in_numpy.py", "in_numpy.data.json")
    assert told.returncode == 0, told.stderr
    assert "log-likelihood of subject 0: " in told.stdout and "log-density of the whole: " in told.stdout
    code = "import in_numpyro; in_numpyro.main('in_numpyro.data.json', num_warmup=20, num_samples=20, num_chains=1)"
    told = run("-c", code)
    assert told.returncode == 0, told.stderr
    assert "alpha_location" in told.stdout


def test_the_numpy_program_prints_something(tmp_path):
    problem = catalogue_problem("rescorla_wagner", "plain")
    program, data = rl.export(problem.model, "numpy", data=problem.data).write(tmp_path / "loops")
    told = subprocess.run([sys.executable, program, data], capture_output=True, text=True, check=True).stdout
    z = {latent.name: np.zeros(problem.layout.shape(latent)) for latent in problem.layout.latents}
    expected = rl.compile(problem.model, problem.data, "reference").log_density(z)
    assert f"log-density of the whole: {expected:.6f}" in told
