"""Work that may wait for a disk or a device, away from the GUI thread.

The window asks for the outcome when its timer ticks, like for everything else: nothing travels by
signal. At the end of the program what has begun is finished.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from tracker.errors import TELLING

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    future: Future[Any]
    done: Callable[[Any], None]
    failed: Callable[[str], None]


class Jobs:
    """Runs a few things at a time; `poll` reports what ended."""

    def __init__(self) -> None:
        """A flag is saved for a second; a recording must not wait for that."""
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="window-jobs")
        self._running: list[_Job] = []

    def start(
        self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[str], None]
    ) -> None:
        """Do `work`; the next `poll` after it calls `done` with its result, or `failed`."""
        self._running.append(_Job(self._pool.submit(work), done, failed))

    def poll(self) -> None:
        """Call back for everything that ended. An exception nobody expects is raised here."""
        ended = [job for job in self._running if job.future.done()]
        self._running = [job for job in self._running if job not in ended]
        for job in ended:
            error = job.future.exception()
            if error is None:
                job.done(job.future.result())
            elif isinstance(error, TELLING):
                job.failed(str(error))
            else:
                raise error

    @property
    def is_idle(self) -> bool:
        """Has everything been done and reported?"""
        return not self._running

    def close(self) -> None:
        """Take no more work; what has begun goes on."""
        self._pool.shutdown(wait=False)
