"""Backends: the registry, the protocol, and one package for each library."""

from rlbackends.backends.protocol import CompiledModel, Engine
from rlbackends.backends.registry import BACKENDS, Backend, backends, compile, get_backend

__all__ = ["BACKENDS", "Backend", "CompiledModel", "Engine", "backends", "compile", "get_backend"]
