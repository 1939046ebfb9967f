"""`train suggest`: which frames to label next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ui.commands.words import tell, tell_json, waiting

if TYPE_CHECKING:
    from train.suggest.suggest import Suggestion


def suggest(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The project.")],
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="How many frames.")] = 12,
    model: Annotated[
        Path | None, typer.Option(help="Model to ask: an .onnx file or a project; else its own.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="A JSON list on standard output.")] = False,
) -> None:
    """Name the frames from which the network would learn most, best first, with reasons.

    Ctrl-C ranks what was looked at so far.
    """
    from tracker.errors import UserError
    from tracker.stop import stop_on_signal
    from train.project.journal import read_labels
    from train.project.layout import open_project
    from train.suggest.prelabel import current_model
    from train.suggest.suggest import suggest as rank
    from train.suggest.suggest import teaching_clips, to_rows

    project = open_project(folder)
    if not teaching_clips(project):
        raise UserError(
            f"{folder} has no clip and no picture yet; add some with "
            f"'train add CLIP --project {folder}'"
        )
    used = current_model(project, model)
    labels = read_labels(project)
    with stop_on_signal() as stopped, waiting("looking at frames") as report:
        found = rank(project, labels, used, count, report, stopped)
    if json_:
        tell_json(to_rows(found), 1)
    elif not found:
        tell("every frame that was looked at is labelled; add clips with 'train add'")
    else:
        show(found)
        tell(f"next: train label {folder} (Space goes to the next suggested frame)")


def show(found: Sequence[Suggestion]) -> None:
    """The table on standard output."""
    from rich.table import Table

    from ui.commands.console import console

    table = Table("clip", "frame", "seconds", "disagreement", "why", box=None)
    for s in found:
        amount = "-" if s.disagreement is None else f"{s.disagreement:.2f} %"
        table.add_row(s.clip, str(s.frame), "-" if s.t is None else f"{s.t:.2f}", amount, s.why)
    console().print(table)
