"""``models`` and ``show``: the catalogue and one model."""

import json

import rlbackends as rl


def test_models_has_a_row_a_model(program):
    ran = program("models")
    assert ran.status == 0
    for name, make in rl.catalogue.MODELS.items():
        assert name in ran.out
        assert all(parameter in ran.out for parameter in make().parameters)


def test_models_as_json_says_what_there_is(program):
    found = {model["name"]: model for model in json.loads(program("models", "--json").out)}
    assert list(found) == list(rl.catalogue.MODELS)
    two_rates = found["rescorla_wagner_two_rates"]
    assert two_rates["parameters"]["alpha_pos"]["support"] == "(0, 1)"
    assert two_rates["events"]["choice"]["response"] is True
    assert two_rates["options"] == {"n_actions": 2, "initial": 0.0, "lapse": False}
    assert two_rates["records"] == ["prediction_error"]


def test_show_has_equations_columns_population_and_options(program):
    ran = program("show", "rescorla_wagner", "-o", "n_actions=5", "--option", "initial=0.25")
    model = rl.catalogue.rescorla_wagner(n_actions=5, initial=0.25)
    assert ran.status == 0
    assert model.equations() in ran.out
    assert "one of 5 labels" in ran.out
    lines = [line.split() for line in ran.out.splitlines()]
    assert ["alpha", "probit", "~", "Normal(mean=0,", "sd=1)", "~", "HalfNormal(sd=0.2)"] in lines
    assert ["beta", "log", "~", "Normal(mean=0,", "sd=1)", "~", "HalfNormal(sd=0.2)"] in lines
    assert "n_actions=2, initial=0.0" in ran.out


def test_show_as_latex_is_the_equations_alone(program):
    assert program("show", "aliens", "--latex").out == rl.catalogue.aliens().equations(latex=True) + "\n"


def test_show_as_json_can_be_used_as_a_model(program, tmp_path):
    saved = tmp_path / "two_step.json"
    saved.write_text(program("show", "two_step", "--json").out, encoding="utf-8")
    assert rl.Model.from_json(saved.read_text(encoding="utf-8")) == rl.catalogue.two_step()
    assert program("show", saved, "--json").out == saved.read_text(encoding="utf-8")
