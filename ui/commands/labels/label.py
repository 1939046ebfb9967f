"""The command `train label`; Qt is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ui.commands.words import say


def label(
    project: Annotated[Path, typer.Argument(metavar="DIR", help="The project's folder.")],
) -> None:
    """Label points, gestures and head pose in a window. Press ? there for its keys.

    Every action is on the disk at once; Ctrl+S writes the label files, and so does closing. A
    second window on the same project opens to look only.
    """
    from tracker.errors import UserError
    from ui.label.app import run

    try:
        code = run(project)
    except UserError as error:
        say(str(error), "train")
        raise typer.Exit(1) from error
    raise typer.Exit(code)
