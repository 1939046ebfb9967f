"""How the commands speak: whatever they print goes through here, or through `console`.

What went wrong is one sentence on stderr, no traceback.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import tracker
from tracker.printable import printable, printable_json
from tracker.progress import Report

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

NAME = "landmark-tracker"  # of the distribution


def say(sentence: str, program: str = "tracker") -> None:
    """A sentence on stderr, in the program's name; its hints name what was typed to start it."""
    if program == "tracker" and started_as() != program:
        program, sentence = NAME, sentence.replace("'tracker ", f"'{NAME} ")
    typer.echo(printable(f"{program}: {sentence}"), err=True)


def started_as() -> str:
    """'landmark-tracker' where uvx or pipx run it, else 'tracker': both are the same program."""
    return NAME if Path(sys.argv[0]).stem == NAME else "tracker"


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{NAME} {tracker.__version__}")
        raise typer.Exit


Mirror = Annotated[
    bool,
    typer.Option(
        "--mirror/--no-mirror",
        help="The camera faces the person: a swipe to their own left is 'swipe_left', as in a "
        "mirror. --no-mirror: one to the picture's left. The picture stays as it is.",
    ),
]
Version = Annotated[
    bool,
    typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell it, and end."),
]


def tell(line: str) -> None:
    """A line on stdout."""
    typer.echo(printable(line))


def tell_json(value: object, indent: int = 2) -> None:
    """A value on stdout, for machines."""
    typer.echo(printable_json(json.dumps(value, ensure_ascii=False, indent=indent)))


def count_up(line: str) -> None:
    """A line on stderr that the next one takes the place of."""
    typer.echo(f"\r{printable(line)}\r", err=True, nl=False)


@contextmanager
def user_errors() -> Iterator[None]:
    """Print a UserError and end with exit code 1."""
    from tracker.errors import UserError

    try:
        yield
    except UserError as error:
        say(str(error))
        raise typer.Exit(1) from error


@contextmanager
def printing(program: str = "tracker") -> Iterator[None]:
    """Where what is printed goes to a full disk, say so and end with exit code 1."""
    try:
        yield
    except OSError as error:
        from tracker.errors import no_room

        fact = no_room(error)
        if fact is None:
            raise
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  (no flush fails)
        say(f"the output could not be written: {fact}", program)
        raise SystemExit(1) from error


@contextmanager
def waiting(sentence: str) -> Iterator[Report]:
    """Inside, a terminal shows the sentence, that it goes on, and for how long; it goes then.

    Call what it gives with (done, of), where that is known: a bar, the share and the time left.
    """
    from rich.progress import BarColumn, TaskProgressColumn, TimeRemainingColumn

    from ui.commands.console import described

    with _going_on(sentence) as (progress, task):

        def count(done: int, of: int) -> None:
            if progress.tasks[task].total is None:
                share = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
                progress.columns = (described(), *share)
            progress.update(task, completed=done, total=of)

        yield count


@contextmanager
def stages(first: str) -> Iterator[Callable[[str], None]]:
    """As `waiting`, for work whose length nobody knows: call what it gives as a stage begins."""
    with _going_on(first) as (progress, task):
        yield lambda sentence: progress.update(task, description=sentence, refresh=True)


@contextmanager
def _going_on(sentence: str) -> Iterator[tuple[Progress, TaskID]]:
    from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn

    from ui.commands.console import console, described

    aside = console(aside=True)
    columns = (SpinnerColumn(), described(), TimeElapsedColumn())
    with Progress(
        *columns, console=aside, transient=True, disable=not aside.is_terminal,
        refresh_per_second=2,  # what is measured inside should not feel it
    ) as progress:  # fmt: skip
        yield progress, progress.add_task(sentence, total=None)
