"""The models of conditioned responses."""

from __future__ import annotations

__all__: list[str] = []
