"""Threads side by side: all of it, in order, no more than fits, and a death is the caller's."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from tracker.files.side_by_side import Ahead, Behind


def wait_until(true: threading.Event) -> None:
    assert true.wait(5), "nothing happened in 5 s"


def counted(made: list[int], most: int) -> Iterator[int]:
    for i in range(most):
        made.append(i)
        yield i


def alive(name: str) -> bool:
    return any(t.name == name and t.is_alive() for t in threading.enumerate())


def test_ahead_gives_everything_in_order() -> None:
    with Ahead(iter(range(500)), 3) as items:
        assert list(items) == list(range(500))
        assert next(items, None) is None  # and nothing after the end


def test_ahead_works_on_its_own_thread_and_no_further_than_there_is_room() -> None:
    made: list[int] = []
    with Ahead(counted(made, 100), 3) as items:
        deadline = time.monotonic() + 5
        while len(made) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)
        assert made == [0, 1, 2, 3]  # three wait, one is in hand
        assert next(items) == 0
    assert not alive("ahead")
    assert len(made) <= 5


def test_ahead_raises_after_what_was_made_before() -> None:
    def broken() -> Iterator[int]:
        yield 1
        yield 2
        raise RuntimeError("no more")

    with Ahead(broken(), 5) as items:
        assert [next(items), next(items)] == [1, 2]
        with pytest.raises(RuntimeError, match="no more"):
            next(items)
    assert not alive("ahead")


def test_behind_does_everything_in_order() -> None:
    done: list[int] = []
    with Behind(done.append, 2) as behind:
        for i in range(300):
            behind.put(i)
        behind.finish()
        assert done == list(range(300))
    assert not alive("behind")


def test_behind_keeps_the_caller_waiting_when_it_is_full() -> None:
    go, begun = threading.Event(), threading.Event()
    done: list[int] = []

    def work(item: int) -> None:
        begun.set()
        wait_until(go)
        done.append(item)

    with Behind(work, 2) as behind:
        behind.put(0)
        wait_until(begun)
        behind.put(1)
        behind.put(2)
        fourth = threading.Thread(target=behind.put, args=(3,), daemon=True)
        fourth.start()
        fourth.join(0.3)
        assert fourth.is_alive()
        go.set()
        fourth.join(5)
        assert not fourth.is_alive()
        behind.finish()
    assert done == [0, 1, 2, 3]


@pytest.mark.parametrize("at", [0, 3])
def test_what_behind_dies_of_is_raised_soon(at: int) -> None:
    def work(item: int) -> None:
        if item == at:
            raise OSError("disk full")

    began = time.monotonic()
    with Behind(work, 2) as behind:
        with pytest.raises(OSError, match="disk full"):
            for i in range(1000):
                behind.put(i)
        with pytest.raises(OSError, match="disk full"):
            behind.finish()
    assert time.monotonic() - began < 3
    assert not alive("behind")


def test_the_last_item_may_be_the_one_that_fails() -> None:
    def work(item: int) -> None:
        if item == 2:
            raise OSError("disk full")

    with Behind(work, 8) as behind:
        for i in range(3):
            behind.put(i)
        with pytest.raises(OSError, match="disk full"):
            behind.finish()


def test_closing_leaves_out_what_waits() -> None:
    done: list[int] = []
    begun = threading.Event()

    def work(item: int) -> None:
        begun.set()
        time.sleep(0.1)
        done.append(item)

    with Behind(work, 8) as behind:
        for i in range(8):
            behind.put(i)
        wait_until(begun)
    assert len(done) <= 2
    assert not alive("behind")
