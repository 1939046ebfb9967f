"""Output files appear whole or not at all: written beside their final name, renamed at the end.

`LiveFile` is the exception: what is recorded live stays under its name, whatever happens.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from tracker.errors import UserError, writing
from tracker.whole_files import dead_parts_of, hold, part_of, put_in_place

OVERWRITE = "add --overwrite or choose another name"
ANOTHER = "choose another name: what is live is written over nothing"
BLOCK = 1 << 16  # bytes that are looked at in one go


class Target(Protocol):
    """A file in the making."""

    path: Path  # its final name
    temp: Path  # where to write

    def commit(self) -> None:
        """It is complete."""
        ...

    def discard(self) -> None:
        """It is given up; harmless after `commit`."""
        ...


class OutFile:
    """A file being written at `temp`, in the folder of `path`; `commit` gives it its name.

    Raises UserError before anything is written when `path` is one of `inputs` (also through a
    link), exists already without `overwrite`, or lies in no folder.
    """

    def __init__(self, path: Path, inputs: Iterable[Path] = (), overwrite: bool = False) -> None:
        """Check the name and claim the temporary one."""
        refuse_bad_output(path, inputs, overwrite)
        self.path = path
        self.temp = part_of(path)
        self._overwrite = overwrite
        with writing(path):
            self._held: BinaryIO = self.temp.open("wb")
        hold(self._held)

    def commit(self) -> None:
        """Give the finished file its final name."""
        self._held.close()
        if not self._overwrite and self.path.exists():
            self.discard()
            raise UserError(
                f"{self.path} appeared while this was running, so nothing was written over it; "
                "run this again with another name or with --overwrite"
            )
        with writing(self.path):
            put_in_place(self.temp, self.path)

    def discard(self) -> None:
        """Remove what was written so far; harmless after `commit`."""
        self._held.close()
        self.temp.unlink(missing_ok=True)


class LiveFile:
    """A file that is written under its own name, so that a crash leaves what there was till then.

    Nor does giving up remove it. Raises UserError when the name is taken or lies in no folder.
    """

    def __init__(self, path: Path, goes_on: bool = False) -> None:
        """Claim the name. `goes_on`: it is that of lines which this program began itself."""
        refuse_bad_output(path, (), overwrite=goes_on, advice=ANOTHER)
        self.path = self.temp = path
        with writing(path):
            if goes_on and path.exists():
                drop_half_line(path)
            else:
                path.open("xb").close()

    def commit(self) -> None:
        """It has its name."""

    def discard(self) -> None:
        """It is kept."""


def drop_half_line(path: Path) -> None:
    """Cut off what stands behind the last line's end, such as after a disk that was full."""
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(end - BLOCK, 0)
            file.seek(start)
            at = file.read(end - start).rfind(b"\n")
            if at >= 0:
                file.truncate(start + at + 1)
                return
            end = start
        file.truncate(0)


def clear_parts_of(path: Path) -> list[str]:
    """Remove what killed runs had begun of a file that is whole now; a sentence about each."""
    said = []
    for part in dead_parts_of(path):
        with suppress(OSError):
            part.unlink()
            said.append(f"{part}, which a run that was killed had left, is removed")
    return said


def refuse_bad_output(
    path: Path, inputs: Iterable[Path], overwrite: bool, advice: str = OVERWRITE
) -> None:
    """Raise UserError where writing `path` would be wrong or impossible.

    `advice`: what to do where it exists already.
    """
    if not path.parent.is_dir():
        raise UserError(f"{path} could not be written: there is no folder {path.parent}; make it")
    if path.is_dir():
        raise UserError(f"{path} could not be written: it is a folder; name a file in it")
    if not path.exists():
        return
    if any(source.exists() and path.samefile(source) for source in inputs):
        raise UserError(
            f"{path} is the input itself and would be lost; choose another name for the output"
        )
    if not overwrite:
        raise UserError(f"{path} exists already; {advice}")
