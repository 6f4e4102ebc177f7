"""The models that learn which set of rules a context calls for."""

from __future__ import annotations

__all__: list[str] = []
