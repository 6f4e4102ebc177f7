"""``rlbackends doctor``: what is installed here, in which precision it computes, where its caches are."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter


def doctor(*, json: Annotated[bool, Parameter(help="Print JSON for programs.")] = False) -> int:
    """Look at this environment: versions, precision, devices, caches, samplers, and what is missing.

    Each installed backend is tried on a small model in a process of its own. Exit status: 0, or 1 if a
    backend that is installed does not work.
    """
    from rlbackends.cli.environment import examine
    from rlbackends.cli.output import say_json

    found = examine()
    if json:
        say_json(found)
    else:
        _tell(found)
    return int(any(backend["installed"] and not backend["works"] for backend in found["backends"].values()))


def _tell(found: dict[str, Any]) -> None:
    from rlbackends.cli.output import heading, say, table

    say(
        f"rlbackends {found['rlbackends']} · Python {found['python']} · {found['platform']} · "
        f"{found['processors']} processors"
    )
    heading("Packages")
    rows = [(name, version or "not installed", use) for name, version, use in found["packages"]]
    table(("package", "version", "needed for"), rows, indent=2)
    heading("Backends")
    table(("backend", "status"), [(name, _status(backend)) for name, backend in found["backends"].items()], indent=2)
    heading("Samplers")
    samplers = [(name, sampler) for name, backend in found["backends"].items() for sampler in backend["samplers"]]
    table(
        ("backend", "sampler", "what it is", "kind", "status"),
        [(name, one["name"], one["summary"], one["kind"], "installed" if one["installed"] else "not installed")
         for name, one in samplers],
        indent=2,
    )  # fmt: skip
    probed = {name: b["probe"] for name, b in found["backends"].items() if b.get("probe")}
    for title, key in (("Precision", "precision"), ("Devices", "devices"), ("Caches", "caches")):
        lines = [line for probe in probed.values() for line in probe[key]]
        if lines:
            heading(title)
            for line in lines:
                say(f"  {line}")
    hints = [b["install"] for b in found["backends"].values() if b["install"]]
    hints += [
        f"sampler {one['name']} on {name}: {one['install']}"
        for name, one in samplers
        if one["install"] and found["backends"][name]["installed"]
    ]
    if hints:
        heading("Missing")
        for hint in hints:
            say(f"  {hint}")


def _status(backend: dict[str, Any]) -> str:
    if not backend["installed"]:
        return "not installed"
    if not backend["works"]:
        return f"does not work: {backend['error']}"
    if not backend["samplers"]:
        return "works; it checks and explains, and does not sample"
    if backend.get("probe"):
        return f"works: {backend['probe']['difference']:.0e} from the reference on a small model"
    return "works"
