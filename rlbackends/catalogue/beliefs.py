"""The hierarchical Gaussian filters."""

from __future__ import annotations

__all__: list[str] = []
