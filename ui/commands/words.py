"""How the commands speak of what went wrong: one sentence on stderr, no traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer


def say(sentence: str) -> None:
    """A sentence on stderr, in the program's name."""
    typer.echo(f"tracker: {sentence}", err=True)


@contextmanager
def user_errors() -> Iterator[None]:
    """Print a UserError and end with exit code 1."""
    from tracker.errors import UserError

    try:
        yield
    except UserError as error:
        say(str(error))
        raise typer.Exit(1) from error
