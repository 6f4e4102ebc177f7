"""``rlbackends port lint``: what an old PyMC or Theano program needs to run today."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def lint(
    file: Annotated[Path, Parameter(help="The program: a Python file or a notebook. It is only read.")],
    /,
    *,
    json: Annotated[bool, Parameter(help="Print JSON for programs.")] = False,
    draft: Annotated[
        Path | None, Parameter(help="Write a skeleton of the model as a spec of rlbackends to this new file.")
    ] = None,
) -> int:
    """Say what an old PyMC or Theano program needs to run today: what changes silently, what breaks.

    Nothing is run, and nothing is rewritten. Exit status: 0, 1 if something changes silently or breaks, 2 if the
    file can't be read.
    """
    from rlbackends.cli.output import say, say_json
    from rlbackends.errors import DataError
    from rlbackends.porting.linting import lint as look

    report = look(file)
    if draft is not None:
        if not report.draft:
            raise DataError(
                f"{file}: no recursion over trials (pytensor.scan) was recognised, so there is nothing to draft."
            )
        try:
            with draft.open("x", encoding="utf-8") as stream:
                stream.write(report.draft)
        except FileExistsError:
            raise DataError(f"{draft}: it exists. Give the name of a new file.") from None
        except OSError as error:
            raise DataError(f"{draft}: it can't be written ({error.strerror or error}).") from None
    if json:
        say_json(report.to_data())
    else:
        say(report)
        if draft is not None:
            unread = report.draft.count("# not recognised")
            say(f"\nDraft of the model: {draft}{f', with {unread} places not recognised' if unread else ''}")
    return 0 if report.clean else 1
