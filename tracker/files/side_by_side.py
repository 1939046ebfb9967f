"""Work on files by threads side by side, in order, with nothing dropped and nothing growing.

    with Ahead(decoded(), room) as frames, Behind(encode, room) as behind:
        for frame in frames:            # made on a thread of its own, up to `room` ahead
            behind.put(work(frame))     # encoded on another one, up to `room` behind
        behind.finish()

What a thread dies of is raised in the caller at its next call. Nobody waits without looking up: who
is closed ends after the item in hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class _End:
    """Stands in a queue after the last item."""


WAIT = 0.1  # s until who waits looks whether there is still something to wait for


class Ahead(Generic[T]):
    """An iterator over what another one gives, which runs on a thread of its own."""

    def __init__(self, items: Iterator[T], room: int) -> None:
        """Begin at once. At most `room` items wait to be taken."""
        self._queue: Queue[T | _End] = Queue(room)
        self._closed = Event()
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, args=(items,), name="ahead", daemon=True)
        self._thread.start()

    def __enter__(self) -> Ahead[T]:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        """The next item; after the last one, raises what ended the thread."""
        while not self._closed.is_set():
            try:
                item = self._queue.get(timeout=WAIT)
            except Empty:
                continue
            if not isinstance(item, _End):
                return item
            self._closed.set()
            if self._error is not None:
                raise self._error
        raise StopIteration

    def close(self) -> None:
        """Make no more; returns when the thread has ended."""
        self._closed.set()
        _join(self._thread)

    def _run(self, items: Iterator[T]) -> None:
        try:
            for item in items:
                if not _put(self._queue, item, self._closed):
                    return
        except BaseException as error:  # the thread's top: raised in the caller
            self._error = error
        _put(self._queue, _End(), self._closed)


class Behind(Generic[T]):
    """Does one thing after the other, in order, on a thread of its own."""

    def __init__(self, work: Callable[[T], None], room: int) -> None:
        """At most `room` items wait for it."""
        self._queue: Queue[T | _End] = Queue(room)
        self._work = work
        self._closed = Event()
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="behind", daemon=True)
        self._thread.start()

    def __enter__(self) -> Behind[T]:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def put(self, item: T) -> None:
        """Hand over an item, waiting for room; raises what the work died of."""
        if not _put(self._queue, item, self._closed):
            self._raise()

    def finish(self) -> None:
        """Wait until all is done; raises what the work died of."""
        _put(self._queue, _End(), self._closed)
        _join(self._thread)
        self._raise()

    def close(self) -> None:
        """Do no more; returns when the thread has ended."""
        self._closed.set()
        _join(self._thread)

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while not self._closed.is_set():
                try:
                    item = self._queue.get(timeout=WAIT)
                except Empty:
                    continue
                if isinstance(item, _End):
                    return
                self._work(item)
        except BaseException as error:  # the thread's top: raised in the caller
            self._error = error
        finally:
            self._closed.set()


class AtOnce(Generic[T]):
    """The same as `Behind`, done while the caller waits: for items so large that none may wait."""

    def __init__(self, work: Callable[[T], None]) -> None:
        """Nothing is begun."""
        self._work = work

    def put(self, item: T) -> None:
        """Do it."""
        self._work(item)

    def finish(self) -> None:
        """All is done."""


def _put(queue: Queue[T], item: T, closed: Event) -> bool:
    """Wait for room; False when it is closed before there is any."""
    while not closed.is_set():
        try:
            queue.put(item, timeout=WAIT)
        except Full:
            continue
        return True
    return False


def _join(thread: Thread) -> None:
    while thread.is_alive():  # with a timeout, so that signals are seen meanwhile
        thread.join(WAIT)
