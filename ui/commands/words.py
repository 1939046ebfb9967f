"""How the commands speak of what went wrong: one sentence on stderr, no traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer


def printable(text: str) -> str:
    """The text without what a terminal would obey: names of files are anybody's.

    Control characters, and letters that are no text at all, are written out as Python does.
    """
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text
    )


def say(sentence: str, program: str = "tracker") -> None:
    """A sentence on stderr, in the program's name."""
    typer.echo(printable(f"{program}: {sentence}"), err=True)


def tell(line: str) -> None:
    """A line on stdout."""
    typer.echo(printable(line))


@contextmanager
def user_errors() -> Iterator[None]:
    """Print a UserError and end with exit code 1."""
    from tracker.errors import UserError

    try:
        yield
    except UserError as error:
        say(str(error))
        raise typer.Exit(1) from error
