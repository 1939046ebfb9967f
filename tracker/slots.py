"""How threads share things: the newest only, all within a bound, one in use. Nothing grows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Slot(Generic[T]):
    """Room for one thing: `put` replaces, `get` waits for the next unseen one, `close` wakes."""

    def __init__(self) -> None:
        """Empty."""
        self._changed = Condition()
        self._item: T | None = None
        self._closed = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """How many things were replaced before anyone took them."""
        return self._dropped

    @property
    def closed(self) -> bool:
        """Was `close` called?"""
        return self._closed

    def put(self, item: T) -> None:
        """Offer a thing; never waits. After `close` it is thrown away."""
        with self._changed:
            if self._closed:
                return
            self._dropped += self._item is not None
            self._item = item
            self._changed.notify()

    def get(self, timeout: float) -> T | None:
        """Take the newest thing; None when none came in `timeout` seconds or it was closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed, timeout)
            item, self._item = self._item, None
            return None if self._closed else item

    def close(self) -> None:
        """Empty it for good and wake who waits."""
        with self._changed:
            self._closed, self._item = True, None
            self._changed.notify_all()


class Backlog(Generic[T]):
    """First in, first out, up to `most` bytes; what does not fit is refused. One thing always fits.

    After `close` nothing comes in any more, and what is inside can still be taken.
    """

    def __init__(self, most: int) -> None:
        """`most`: bytes, as told to `put`."""
        self._changed = Condition()
        self._items: deque[tuple[T, int]] = deque()
        self._most, self._held, self._taken = most, 0, 0
        self._closed = False

    def put(self, item: T, size: int, spare: int = 0) -> bool:
        """Add a thing of `size` bytes; False when there is no room, or it is closed.

        It leaves `spare` bytes of room for more important things.
        """
        with self._changed:
            if self._closed or (self._items and self._held + size > self._most - spare):
                return False
            self._items.append((item, size))
            self._held += size
            self._changed.notify()
            return True

    def get(self, timeout: float) -> T | None:
        """Take the oldest thing; None when there was none for `timeout` seconds, or none is left.

        A thing counts as held until the next call, while its taker works on it.
        """
        with self._changed:
            self._held -= self._taken
            self._taken = 0
            self._changed.wait_for(lambda: self._items or self._closed, timeout)
            if not self._items:
                return None
            item, self._taken = self._items.popleft()
            return item

    @property
    def finished(self) -> bool:
        """Closed, and all was taken."""
        with self._changed:
            return self._closed and not self._items

    def close(self) -> None:
        """Take nothing in any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Holder(Generic[T]):
    """One resource, such as an open camera, that one thread uses and any thread may drop.

    Dropped while in use, it is released by its user when that is done, however late.
    """

    def __init__(self, release: Callable[[T], None]) -> None:
        """Nothing is held. `release` lets go of a resource, once for each."""
        self._lock = Lock()
        self._release = release
        self._item: T | None = None
        self._in_use: T | None = None
        self._ticket = 0

    def begin(self) -> int:
        """Before a resource is made: drop the one before, and get the ticket for `keep`."""
        self.drop()
        return self._ticket

    def keep(self, ticket: int, item: T) -> bool:
        """Hold what was made; False, and it is released, if others began or dropped meanwhile."""
        with self._lock:
            if ticket == self._ticket:
                self._item = item
                return True
        self._release(item)
        return False

    @contextmanager
    def use(self) -> Iterator[T | None]:
        """The resource, None if there is none. One thread at a time."""
        with self._lock:
            item = self._in_use = self._item
        try:
            yield item
        finally:
            with self._lock:
                if self._in_use is item:
                    self._in_use = None
                dropped = item is not None and item is not self._item
            if dropped and item is not None:
                self._release(item)

    def drop(self) -> None:
        """Let go."""
        with self._lock:
            item, self._item = self._item, None
            self._ticket += 1
            in_use = item is self._in_use
        if item is not None and not in_use:
            self._release(item)
