"""Errors that are meant for the user: one sentence with the wish, the fact and the next step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path

import av


class UserError(Exception):
    """Something the user can act on; the command line prints it without a traceback."""


TELLING = (UserError, OSError, ValueError, RuntimeError)  # their words say what is the matter


def sentence(error: Exception) -> str:
    """An exception as one sentence for the screen: the class is named where no user is meant."""
    if isinstance(error, TELLING) and str(error):
        return str(error)
    return f"{type(error).__name__}: {error}".rstrip(": ")


def unforeseen(what: object, error: Exception) -> UserError:
    """For whatever else the work on one of many files raised, so that it stops no other."""
    fact = f"{type(error).__name__}: {error}".rstrip(": ").partition("\n")[0]
    return UserError(
        f"{what} failed in a way that was not foreseen ({fact}); please report it with the file"
    )


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failed write to `path` into a UserError; every other exception passes."""
    try:
        yield
    except (OSError, av.FFmpegError) as error:
        other = f"{error.strerror or error}; check the rights of its folder, or name another"
        raise UserError(f"{path} could not be written: {no_room(error) or other}") from error


def no_room(error: OSError | av.FFmpegError) -> str | None:
    """The fact and the next step where a write failed for want of room; None: for another fault."""
    if error.errno == ENOSPC or error.errno == EDQUOT:
        return "the disk is full; free some space and run this again"
    if error.errno == EFBIG:
        return "it grew over the largest size a file may have here; write to another disk"
    return None
