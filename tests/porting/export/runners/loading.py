"""Programs as modules, by their paths."""

import importlib.util


def program(path):
    """Return a program as a module; it runs under another name than ``__main__``."""
    spec = importlib.util.spec_from_file_location("program", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
