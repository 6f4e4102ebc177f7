"""``python -m rlbackends`` is the command line."""

from rlbackends.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
