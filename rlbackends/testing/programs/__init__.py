"""Random programs: whole models of the language, with random data, on which all backends must agree.

:func:`draw_program` writes a program as Python source; :func:`judge` runs it on the backends and, at fifty digits, on
an evaluator of its own; ``python -m rlbackends.testing.programs`` does so thousands of times.
"""

from rlbackends.testing.programs.choices import Choices
from rlbackends.testing.programs.draw import draw_program
from rlbackends.testing.programs.extended import extended_values
from rlbackends.testing.programs.judging import Verdict, assert_program_agrees, judge, operations_of
from rlbackends.testing.programs.program import Program
from rlbackends.testing.programs.strategies import programs

__all__ = [
    "Choices",
    "Program",
    "Verdict",
    "assert_program_agrees",
    "draw_program",
    "extended_values",
    "judge",
    "operations_of",
    "programs",
]
