"""The command `train label`. The window is in `ui/`, which is loaded by its name."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated, cast

import typer


def label(
    project: Annotated[Path, typer.Argument(metavar="DIR", help="The project's folder.")],
) -> None:
    """Label points, gestures and head pose in a window. Press ? there for its keys.

    Every action is on the disk at once; Ctrl+S writes the label files, and so does closing. A
    second window on the same project opens to look only.
    """
    from tracker.errors import UserError

    try:
        code = cast(int, import_module("ui.label_app").run(project))
    except UserError as error:
        typer.echo(f"train: {error}", err=True)
        raise typer.Exit(1) from error
    raise typer.Exit(code)
