"""The language of rules: a closed set of operations, traced from ordinary functions into a typed graph."""

from rlbackends.expressions.kinds import BOOL, REAL, Axis, Kind, integer
from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import OPERATIONS, build, constant
from rlbackends.expressions.standin import Expression

__all__ = [
    "BOOL",
    "OPERATIONS",
    "REAL",
    "Axis",
    "Expression",
    "Kind",
    "Node",
    "build",
    "constant",
    "integer",
    "walk",
]
