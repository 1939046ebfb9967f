"""One command at a time changes which clips and pictures a project has.

Labels have a lock of their own (`tracker.project.store`): clips are added while someone labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from tracker.errors import UserError
from tracker.project.layout import Project


class Claimed(UserError):
    """The lists of a project cannot be changed now; nothing is wrong with what should be listed."""


@contextmanager
def sole_lister(project: Project) -> Iterator[None]:
    """Hold the right to change the lists; the system takes it back when the process dies.

    Claimed where another command holds it, or the folder cannot be written.
    """
    path = project.labels_dir / ".lists.lock"
    lock = FileLock(path, timeout=0, thread_local=False)
    try:
        path.parent.mkdir(exist_ok=True)
        lock.acquire()
    except Timeout:
        raise Claimed(
            f"another command adds or removes clips or pictures of {project.root}; run this again "
            "when it has ended"
        ) from None
    except OSError as error:
        raise Claimed(
            f"{path.parent} cannot be written ({error.strerror}); copy the project to a folder of "
            "yours to change it"
        ) from error
    try:
        yield
    finally:
        lock.release()
