"""``doctor``: it looks at each library in a process of its own, and survives what it finds."""

import json

import pytest

from rlbackends.backends import registry, samplers
from rlbackends.cli import environment

JAX = {"difference": 1e-16, "default": "float32", "devices": ["cpu:0 (cpu)"], "cache": None}
PYTENSOR = {
    "difference": 0.0, "default": "float64", "linker": "auto", "compiler": "", "compiledir": "/nowhere/c",
    "base": "/nowhere", "numba_cache": "", "threads": 2,
}  # fmt: skip


@pytest.fixture
def libraries(monkeypatch):
    """Answer probes from here: backend → what its probe gives; a backend with None is not installed."""

    def answer(**found):
        rows = dict(registry.BACKENDS)
        for name, given in found.items():
            packages = ("surely_not_installed",) if given is None else ()
            rows[name] = registry.Backend(name, rows[name].module, packages, rows[name].samplers)
        by_code = {environment._PROBES[name]: given for name, given in found.items()}
        monkeypatch.setattr(registry, "BACKENDS", rows)
        monkeypatch.setattr(environment, "probe", lambda code: by_code[code])

    return answer


def test_all_is_well(program, libraries):
    libraries(numpyro=(JAX, None), pymc=(PYTENSOR, None))
    ran = program("doctor")
    assert ran.status == 0, ran.err
    assert "works: 1e-16 from the reference" in ran.out
    assert "JAX computes in float32 by default here; rlbackends computes in float64 all the same." in ran.out
    assert "PyTensor computes in float64 by default here" in ran.out
    assert "JAX compilation cache: off" in ran.out and "/nowhere/c (empty)" in ran.out
    assert "Missing" not in ran.out
    assert "it checks and explains" in ran.out


def test_every_sampler_is_listed(program, libraries, monkeypatch):
    libraries(numpyro=(JAX, None), pymc=None)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(samplers.Sampler, "absent", lambda sampler: [name for name in sampler.packages])
    said = program("doctor").out
    rows = {tuple(line.split()[:2]): line for line in said.splitlines()}
    for backend in registry.BACKENDS.values():
        for sampler in backend.samplers:
            line = rows[backend.name, sampler.name]
            assert sampler.summary in line and sampler.kind in line
            is_there = backend.name == "numpyro" and not sampler.packages
            assert ("not installed" in line) is not is_there
            hint = f"sampler {sampler.name} on {backend.name}: pip install {' '.join(sampler.packages)}"
            assert (hint in said) is (backend.name == "numpyro" and not is_there)
    assert 'backend pymc lacks surely_not_installed: pip install "rlbackends[pymc]"' in said


def test_what_is_missing_comes_with_its_command(program, libraries):
    libraries(numpyro=None, pymc=(PYTENSOR, None))
    ran = program("doctor")
    assert ran.status == 0
    assert 'pip install "rlbackends[numpyro]"' in ran.out and "not installed" in ran.out


def test_what_is_broken_is_said(program, libraries):
    libraries(numpyro=(None, "ImportError: libcuda.so"), pymc=None)
    ran = program("doctor")
    assert ran.status == 1
    assert "does not work: ImportError: libcuda.so" in ran.out


def test_json(program, libraries):
    libraries(numpyro=(JAX, None), pymc=None)
    found = json.loads(program("doctor", "--json").out)
    assert found["backends"]["numpyro"]["probe"]["difference"] == 1e-16
    assert found["backends"]["pymc"]["installed"] is False
    (nutpie,) = (row for row in found["backends"]["numpyro"]["samplers"] if row["name"] == "nutpie")
    assert (nutpie["kind"], nutpie["keeps"]) == ("chains", "draws")
    assert ["numpy", environment.version("numpy"), "everything"] in found["packages"]


@pytest.mark.parametrize(
    ("code", "found", "words"),
    [
        ("print('noise'); print('{\"a\": 1}')", {"a": 1}, None),
        ("raise SystemExit(3)", None, "status 3"),
        ("import not_there_at_all", None, "ModuleNotFoundError: No module named 'not_there_at_all'"),
        ("print('no json')", None, "it printed 'no json'"),
    ],
)
def test_a_probe_runs_in_a_process_of_its_own(code, found, words):
    result, error = environment.probe(code)
    assert result == found
    assert (error is None) if words is None else (words in error)


def test_a_probe_does_not_wait_for_ever(monkeypatch):
    monkeypatch.setattr(environment, "_SECONDS", 0.2)
    result, error = environment.probe("import time; time.sleep(60)")
    assert result is None and "TimeoutExpired" in error


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numpyro", "pymc"])
def test_the_real_probes(backend):
    found, error = environment.probe(environment._PROBES[backend])
    assert error is None
    assert found["difference"] < 1e-12
    assert environment._WORDS[backend](found)["precision"]
