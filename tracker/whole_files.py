"""Files of a project appear whole or not at all, and are on the disk when a call returns."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from glob import escape
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from tracker.errors import UserError, writing

if sys.platform != "win32":
    import fcntl

# Errors of Windows where another program has a file open: a window that watches, a virus scanner.
IN_USE = (5, 32)  # access denied, sharing violation
PATIENCE_S = 2.0  # for which such a file is waited for

PART = re.compile(r"^\..+\.(\d+)\.part$")  # names of `part_of`, and the writer's number


def write_whole(path: Path, data: bytes) -> None:
    """Write beside, flush to the disk, rename. UserError when it cannot be written."""
    part = part_of(path)
    with writing(path):
        try:
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            put_in_place(part, path)
            sync_folder(path.parent)
        finally:
            part.unlink(missing_ok=True)


def copy_whole(source: Path, path: Path, told: Callable[[int], None] | None = None) -> str:
    """Copy byte for byte in the way of `write_whole`; the sha256 of what was copied.

    `told` gets the number of bytes of each piece. UserError when the copy cannot be written.
    """
    part, digest = part_of(path), sha256()
    with writing(path):
        try:
            with source.open("rb") as old, part.open("wb") as new:
                while piece := old.read(1 << 20):
                    digest.update(piece)
                    new.write(piece)
                    if told is not None:
                        told(len(piece))
                new.flush()
                os.fsync(new.fileno())
            shutil.copystat(source, part)
            part.chmod(part.stat().st_mode | 0o200)  # a write-protected source is not a wish
            put_in_place(part, path)
            sync_folder(path.parent)
        finally:
            part.unlink(missing_ok=True)
    return digest.hexdigest()


def put_in_place(part: Path, path: Path) -> None:
    """Give a part its final name, on Windows as soon as nobody reads the file that it replaces.

    OSError where that cannot be, or somebody reads for longer than PATIENCE_S.
    """
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            part.replace(path)
            return
        except PermissionError as error:
            if getattr(error, "winerror", None) not in IN_USE or time.monotonic() >= until:
                raise
        time.sleep(0.02)


def part_of(path: Path, step: str = "") -> Path:
    """The name under which `path` is written; `step`: of a further part beside that one."""
    return path.with_name(f".{path.name}.{step}{'.' if step else ''}{os.getpid()}.part")


def is_part(path: Path) -> bool:
    """Whether the name is one of `part_of`."""
    return PART.search(path.name) is not None


def is_written_now(part: Path) -> bool:
    """Whether the process that writes a part, by the number in its name, runs on this machine."""
    number = PART.search(part.name)
    if number is None or os.name != "posix":
        return False
    try:
        os.kill(int(number[1]), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def dead_parts_of(path: Path) -> list[Path]:
    """What runs that were killed had begun of this very file: nobody else's, and no longer written.

    The name is that of `part_of`, the file is this user's, the process that its name tells is
    gone, and no process, on another machine either, holds it by `hold`.
    """
    if sys.platform == "win32":
        return []
    names = re.compile(rf"\.{re.escape(path.name)}\.(joined\.)?\d+\.part")
    found = []
    for part in sorted(path.parent.glob(f".{escape(path.name)}.*.part")):
        if names.fullmatch(part.name) and not is_written_now(part):
            with suppress(OSError), part.open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(file.fileno()).st_uid == os.getuid():
                    found.append(part)
    return found


def hold(file: BinaryIO) -> None:
    """Say that an open part is being written, until it is closed or the process ends."""
    if sys.platform != "win32":
        with suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def drop_dead_parts(folder: Path) -> None:
    """Remove the parts in a folder whose writers were killed. UserError where that fails."""
    for part in folder.glob(".*.part"):
        if is_part(part) and not is_written_now(part):
            with writing(part):
                part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_sha256(path: Path) -> str:
    """The sha256 of a file, read piece by piece. UserError when it cannot be read."""
    digest = sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    except OSError as error:
        raise UserError(f"{path} could not be read: {error.strerror}; check the file") from error
    return digest.hexdigest()


def read_text(path: Path) -> str:
    """A text file, with or without a byte order mark. UserError when it is none."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"{path} could not be read: {error.strerror}; check the file") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no UTF-8 text; save it as UTF-8 or restore a backup") from error


def png_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) of a whole PNG file, None where it is none."""
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR" or b"IEND" not in data[-16:]:
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def write_json(path: Path, value: object, indent: int | None = 1) -> None:
    """A value as JSON, in the way of `write_whole`; `indent` None: on one line."""
    write_whole(path, json.dumps(value, indent=indent).encode())


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """One line a row under all their columns, in the order of appearance; renamed into place."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(dict.fromkeys(k for row in rows for k in row)))
    writer.writeheader()
    writer.writerows(rows)
    write_whole(path, text.getvalue().encode())
