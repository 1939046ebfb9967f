"""The right to write into a project: labels have one lock, the lists of clips and pictures another.

So clips are added while someone labels. The system takes a lock back when its process dies.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from tracker.errors import UserError
from train.project.layout import Project


class Claimed(UserError):
    """A part of a project cannot be changed now; nothing is wrong with what is in it."""


def claim(project: Project, name: str, taken: str) -> FileLock:
    """The lock of this name in labels/. Claimed: another holds it (`taken`), or it is not ours."""
    lock = FileLock(project.labels_dir / name, timeout=0, thread_local=False)
    try:
        project.labels_dir.mkdir(exist_ok=True)
        lock.acquire()
    except Timeout:
        raise Claimed(taken) from None
    except OSError as error:
        raise Claimed(
            f"{project.labels_dir} cannot be written ({error.strerror}); copy the project to a "
            "folder of yours to change it"
        ) from error
    return lock


def file_of(lock: FileLock) -> tuple[int, int] | None:
    """Which file bears a lock's name now; None: there is none, since something cleaned up."""
    try:
        found = Path(lock.lock_file).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def sole_lister(project: Project) -> Iterator[None]:
    """Hold the right to change which clips and pictures a project has. Claimed as in `claim`."""
    lock = claim(
        project, ".lists.lock",
        f"another command adds or removes clips or pictures of {project.root}; run this again when "
        "it has ended",
    )  # fmt: skip
    try:
        yield
    finally:
        lock.release()
