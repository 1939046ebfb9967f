"""A disk that fills up: each failure is a sentence, and nothing is lost or half there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from tests.helpers import clips
from tests.helpers.teaching import label, new_project
from tests.torture.rows import Row, dice
from tracker.errors import UserError
from tracker.files.video_job import Job, annotate
from tracker.whole_files import write_whole
from train.project.journal import read_labels
from train.project.layout import Project
from train.project.store import Store


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[bool]:
    """A file system of this size; False where none may be mounted."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(folder)]
    made = os.name == "posix" and subprocess.run(command, capture_output=True).returncode == 0
    try:
        yield made
    finally:
        if made:
            subprocess.run(["umount", str(folder)], check=True)


def full_disk(count: int, folder: Path) -> Row:
    """Labels, files and videos on disks of all sizes, filled at any moment."""
    row, random = Row("full disk", "a sentence; nothing lost, no half files"), dice(7)
    source = clips.make(folder / "in.mp4", clips.Clip(frames=60, size_wh=(320, 240)))
    for number in range(count):
        with small_disk(folder / f"disk{number}", 120 + random.randrange(200)) as made:
            if not made:
                row.wrong.append("no file system could be mounted here; nothing was tried")
                return row
            tries: list[Callable[[Row, Path, float], None]] = [labels, files, video]
            tries[number % 3](row, folder / f"disk{number}", random.random())
            row.tried += 1
    assert source.is_file()
    return row


def labels(row: Row, disk: Path, share: float) -> None:
    """Label until it is full, free some room, go on: all that was confirmed is there."""
    project = new_project(disk / "p")
    filler, confirmed = disk / "filler", list[int]()
    store = Store.open(project)
    for frame in range(2000):
        if frame == int(100 * share):
            fill(filler)
        try:
            store.set_frame(label(frame))
            confirmed.append(frame)
            if frame % 9 == 0:
                store.save()
        except UserError as error:
            refused(row, "labels", error)
            break
    check(row, disk, frames(project) == confirmed, "labels")
    filler.unlink(missing_ok=True)
    for step in (partial(store.set_frame, label(5000)), store.close):
        try:
            step()
            confirmed += [5000] if step is not store.close and 5000 not in confirmed else []
        except UserError as error:  # ten backups need room, too
            refused(row, "labels after room was made", error)
    store.close()
    check(row, disk, frames(project) == confirmed, "labels after room was made")


def frames(project: Project) -> list[int]:
    """Which are labelled, as a new start reads them."""
    return sorted(f for _, f in read_labels(project).frames)


def refused(row: Row, what: str, error: UserError) -> None:
    """It must be the disk."""
    row.count("refused")
    if "disk is full" not in str(error):
        row.wrong.append(f"{what}: {error}")


def files(row: Row, disk: Path, share: float) -> None:
    """Whole files: the old one stays."""
    path = disk / "x.json"
    write_whole(path, b"old")
    fill(disk / "filler")
    try:
        write_whole(path, bytes(300_000))
        row.wrong.append("a file was written to a full disk")
    except UserError as error:
        refused(row, "files", error)
    check(row, disk, path.read_bytes() == b"old", "files")


def video(row: Row, disk: Path, share: float) -> None:
    """`tracker video` onto it."""
    fill(disk / "filler", int(60_000 * share))
    job = Job(disk.parent / "in.mp4", disk / "o.mp4", disk / "o.jsonl")
    try:
        annotate(job, clips.FakeTracker(), clips.USED)
        row.count("had room")
    except UserError as error:
        refused(row, "video", error)
        check(row, disk, not list(disk.glob("*o.*")), "video")


def fill(path: Path, leave: int = 0) -> None:
    """Take all room but so many bytes."""
    space = os.statvfs(path.parent)
    with suppress(OSError):
        path.write_bytes(bytes(max(0, space.f_bavail * space.f_bsize - leave)))


def check(row: Row, disk: Path, holds: bool, what: str) -> None:
    """Note what does not hold, and half-written files."""
    if not holds:
        row.wrong.append(f"{what}: not as it was")
    left = [p.name for p in disk.rglob("*.part")]
    if left:
        row.wrong.append(f"{what}: {left} are left")
