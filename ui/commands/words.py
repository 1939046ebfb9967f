"""How the commands speak: whatever they print goes through here, or through `console`.

What went wrong is one sentence on stderr, no traceback.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from tracker.printable import printable, printable_json


def say(sentence: str, program: str = "tracker") -> None:
    """A sentence on stderr, in the program's name."""
    typer.echo(printable(f"{program}: {sentence}"), err=True)


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
