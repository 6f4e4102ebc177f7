"""The models that track how uncertain they are."""

from __future__ import annotations

__all__: list[str] = []
