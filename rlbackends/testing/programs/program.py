"""A random program: a model, data and parameter values as Python source, which is what runs and what is printed."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

_HEAD = "import numpy as np\n\nimport rlbackends as rl\n\nnan = np.nan\n\n\n"


@dataclass(frozen=True)
class Loaded:
    """What the source of a program makes."""

    model: Any
    data: Any
    params: dict[str, Any]
    population: Any


@dataclass(frozen=True, repr=False)
class Program:
    """A random model with random data.

    Attributes
    ----------
    name : str
        What it is called in messages and files.
    model_text, data_text : str
        Source that defines ``model``; ``data``, ``params`` and ``population``.
    settings : dict
        Backend → its settings, such as ``gather``.
    draws : int
        At how many draws from the population's prior the joint density is compared too.
    made : tuple of int
        The decisions that lead to it; see :class:`Choices`.
    """

    name: str
    model_text: str
    data_text: str
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    draws: int = 0
    made: tuple[int, ...] = ()

    @cached_property
    def loaded(self) -> Loaded:
        """The model, the data and the values, made by running the source."""
        scope: dict[str, Any] = {}
        source = _HEAD + self.model_text + "\n" + self.data_text
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a subject without a response is wanted
            exec(compile(source, f"{self.name}.py", "exec"), scope)
            data = scope["data"].bind(scope["model"])
        return Loaded(scope["model"], data, scope["params"], scope["population"])

    def source(self, note: str = "") -> str:
        """Return a file that runs by itself: the program, and the assertion that backends agree on it.

        Parameters
        ----------
        note : str
            What was found, for the top of the file.
        """
        calls = []
        for backend, settings in self.settings.items():
            words = "".join(f", {key}={value!r}" for key, value in settings.items())
            calls.append(
                f'rl.testing.assert_backends_agree(\n    model, data, params, backends=["{backend}"], '
                f"points={self.draws}, population=population{words}\n)\n"
            )
        comment = "".join(f"# {line}".rstrip() + "\n" for line in note.splitlines())
        return comment + _HEAD + self.model_text + "\n" + self.data_text + "\n" + "".join(calls)

    def __str__(self) -> str:
        return self.source()

    def __repr__(self) -> str:
        return f"Program({self.name!r}, {len(self.made)} decisions)"
