"""The models whose learning rate is itself learnt."""

from __future__ import annotations

__all__: list[str] = []
