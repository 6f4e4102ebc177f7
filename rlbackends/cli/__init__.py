"""The command line: the same as the Python calls, for people with a table of trials."""

from rlbackends.cli.app import main

__all__ = ["main"]
