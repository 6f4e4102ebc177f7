"""The models that learn nothing, or only from the last trial."""

from __future__ import annotations

__all__: list[str] = []
