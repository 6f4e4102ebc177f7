"""LaTeX documents and JSON files of models."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from rlbackends.testing.cases import CASES
from tests.porting.export.harness import FORMULAS, formula_problem


def latex(model, data=None, population=None):
    return rl.export(model, "latex", data=data, population=population).text


def assert_balanced(text):
    """Assert that environments, braces and ``\\left``s close."""
    open_ones: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", text):
        if kind == "begin":
            open_ones.append(name)
        else:
            assert open_ones.pop() == name
    assert not open_ones
    bare = re.sub(r"\\[{}%]", "", re.sub(r"(?<!\\)%.*", "", text))
    depth = 0
    for letter in bare:
        depth += (letter == "{") - (letter == "}")
        assert depth >= 0
    assert depth == 0
    body = text.partition(r"\begin{document}")[2]
    assert len(re.findall(r"\\left[(\[|]", body)) == len(re.findall(r"\\right[)\]|]", body))
    assert body.replace(r"\$", "").count("$") % 2 == 0


@pytest.mark.parametrize("name", CASES)
def test_every_model_has_a_document(name):
    model = CASES[name].model()
    text = latex(model)
    assert_balanced(text)
    for section in ("Parameters", "Events", "A trial", "Subjects", "Priors"):
        assert rf"\subsection*{{{section}}}" in text or not model.parameters
    declared = re.findall(r"DeclareUnicodeCharacter\{(\w+)\}", text)
    foreign = {f"{ord(letter):04X}" for letter in text.partition(r"\begin{document}")[2] if ord(letter) > 0x17F}
    assert foreign - {"2013", "2014", "2018", "2019", "201C", "201D"} <= set(declared)


def test_the_document_of_a_simple_model():
    text = latex(rl.catalogue.rescorla_wagner(), population=rl.Population(beta=rl.Pooling(centred=True)))
    for line in (
        r"Reference: Rescorla \& Wagner (1972)",
        r"$\alpha$ & learning rate & $(0, 1)$ & probit \\",
        r"\equationline{q_{\mathrm{choice}} \leftarrow q_{\mathrm{choice}} + \alpha \, \mathrm{prediction\ error}}",
        r"\equationline{\alpha_{\mathrm{sd}} \sim \operatorname{HalfNormal}\left(\text{sd} = 0.2\right)}",
        r"\equationline{\beta^{(s)} = \exp\left(\beta_{\mathrm{linear}}^{(s)}\right)}",
    ):
        assert line in text
    assert r"\text{mean }" in text  # of the centred parameter: its parents


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_have_documents(name):
    problem = formula_problem(name)
    text = latex(problem.model, problem.data, problem.population)
    assert_balanced(text)
    assert (r"\rho_{\alpha,\,\beta} = 2 \, u_{\alpha,\,\beta} - 1" in text) == (name == "correlated")


def test_words_that_mean_something_in_latex():
    def choice(q, beta):
        """100 % of {it} costs $5 & a_b #1 ~ x^2, says 'he' at 3 × α."""
        return rl.Bernoulli(logits=beta * q)

    model = rl.Model(
        "a_b", parameters={"beta": rl.Parameter(rl.Positive())}, states={"q": rl.State()},
        trial={"choice": choice}, update=lambda q, choice: {"q": q + 1.0}, description="50 % & more_",
    )  # fmt: skip
    text = latex(model)
    assert_balanced(text)
    assert r"100 \% of \{it\} costs \$5 \& a\_b \#1 \textasciitilde{} x\textasciicircum{}2, says `he' at 3 × α" in text
    assert r"\DeclareUnicodeCharacter{00D7}" in text and r"\DeclareUnicodeCharacter{03B1}" in text


def test_numbers_that_count_up_are_dotted():
    text = latex(CASES["balloon_mean_variance"].model())
    assert r"\left(1,\ 2,\ \dots,\ 12\right)" in text and r"3,\ 4" not in text


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex here")
def test_documents_compile(tmp_path):
    texts = {name: latex(CASES[name].model()) for name in CASES}
    for name in FORMULAS:
        problem = formula_problem(name)
        texts[f"formula_{name}"] = latex(problem.model, problem.data, problem.population)
    faults = []
    for name, text in texts.items():
        (tmp_path / f"{name}.tex").write_text(text, encoding="utf-8")
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"{name}.tex"], cwd=tmp_path,
            capture_output=True, text=True, errors="replace",
        )  # fmt: skip
        told = re.findall(r"^!.*|^Overfull.*|^Missing character.*", done.stdout, flags=re.M)
        if done.returncode or told:
            faults.append(f"{name}: {told[:3]}")
    assert faults == []


@pytest.mark.parametrize("name", ["rescorla_wagner", "two_step", "aliens_task_sets"])
def test_json_is_the_model(name):
    model = CASES[name].model()
    written = rl.export(model, "json")
    assert rl.Model.from_json(written.text) == model
    assert written.data is None and written.suffix == ".json"


def test_json_takes_no_population():
    with pytest.raises(ModelError, match=r"how its parameters vary over subjects\. Leave population away"):
        rl.export(rl.catalogue.rescorla_wagner(), "json", population=rl.Population("none"))
    assert rl.export(rl.catalogue.rescorla_wagner(), "json", population=rl.Population()).text
