"""The shape of the package: small modules, and no folder that the import rules would overlook."""

from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "rlbackends"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 600


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_are_short(module):
    lines = len(module.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST, f"{module.relative_to(PACKAGE)} has {lines} lines: split it by what it does"


def test_every_folder_of_modules_is_a_package():
    # import-linter and the wheel see packages only: in a folder without __init__.py anything goes.
    folders = {module.parent for module in MODULES}
    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []
