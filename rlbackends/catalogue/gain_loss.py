"""The models that learn gains and losses apart."""

from __future__ import annotations

__all__: list[str] = []
