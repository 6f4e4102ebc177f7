"""NumPy's words for graphs: of arrays, and of one trial of one subject, in which most values are numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import is_total
from rlbackends.expressions.printing import ATOM
from rlbackends.porting.export.python import Printer

_TERNARY, _OR, _AND, _NOT = -4, -3, -2, -1


class Arrays(Printer):
    """Values are arrays."""

    functions: ClassVar[Mapping[str, str]] = {
        "sigmoid": "special.expit", "ndtr": "special.ndtr", "log_ndtr": "special.log_ndtr", "ndtri": "special.ndtri",
        "softmax": "special.softmax", "log_softmax": "special.log_softmax", "logsumexp": "special.logsumexp",
    }  # fmt: skip

    def op_softplus(self, node: Node) -> tuple[str, int]:
        """Return the logarithm of 1 + exp(x)."""
        return self.call("np.logaddexp", "0.0", self.write(node.args[0])[0])


class Scalars(Arrays):
    """A node without axes is a number, and is written as Python writes numbers."""

    def op_where(self, node: Node) -> tuple[str, int]:
        """Return a choice: of one condition as Python's own, which computes nothing but the branch that is taken."""
        condition, yes, no = node.args
        if condition.axes or not yes.shape == no.shape == node.shape:
            return self.call("np.where", *(self.write(arg)[0] for arg in node.args))
        chosen = f"{self.inside(yes, _OR)} if {self.inside(condition, _OR)} else {self.inside(no, _TERNARY)}"
        return chosen, _TERNARY

    def op_and(self, node: Node) -> tuple[str, int]:
        """Return whether both hold."""
        return self.infix(node) if node.axes else self._joined(node, "and", _AND)

    def op_or(self, node: Node) -> tuple[str, int]:
        """Return whether one holds."""
        return self.infix(node) if node.axes else self._joined(node, "or", _OR)

    def _joined(self, node: Node, word: str, binds: int) -> tuple[str, int]:
        first, second = node.args
        return f"{self.inside(first, binds)} {word} {self.inside(second, binds + 1)}", binds

    def op_not(self, node: Node) -> tuple[str, int]:
        """Return a negation."""
        argument = node.args[0]
        if node.axes or (argument.op == "eq" and argument not in self.names):
            return super().op_not(node)
        return f"not {self.inside(argument, _NOT)}", _NOT

    def op_abs(self, node: Node) -> tuple[str, int]:
        """Return the size of a number."""
        return self.call("abs", self.write(node.args[0])[0])

    def op_maximum(self, node: Node) -> tuple[str, int]:
        """Return the larger of two."""
        return self.call("np.maximum" if node.axes else "max", *(self.write(arg)[0] for arg in node.args))

    def op_minimum(self, node: Node) -> tuple[str, int]:
        """Return the smaller of two."""
        inner = node.args[0]
        if node.axes or (inner.op == "maximum" and inner not in self.names):
            return super().op_minimum(node)
        return self.call("min", *(self.write(arg)[0] for arg in node.args))

    def op_to_real(self, node: Node) -> tuple[str, int]:
        """Return an integer as a real number, where arithmetic does not make it one."""
        is_array = node.axes or node.args[0].op == "const"
        return super().op_to_real(node) if is_array else (f"float({self.write(node.args[0])[0]})", ATOM)


def is_bounded(*roots: Node) -> bool:
    """Say whether no operation may be undefined where its value is not used."""
    nodes = list(walk(*roots))
    return not any(node.op == "where" for node in nodes) or all(is_total(node) for node in nodes)
