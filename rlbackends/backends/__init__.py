"""Backends: the registry, the protocol, and one package for each library."""

from rlbackends.backends.protocol import CompiledModel, Engine
from rlbackends.backends.registry import BACKENDS, Backend, compile, get_backend, installed_backends

__all__ = ["BACKENDS", "Backend", "CompiledModel", "Engine", "compile", "get_backend", "installed_backends"]
