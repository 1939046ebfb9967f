"""The newest only, or all within a bound; every wait has a limit."""

from __future__ import annotations

from threading import Thread
from time import monotonic, sleep

from tracker.slots import Backlog, Holder, Slot


def test_slot_gives_the_newest_and_counts_the_rest() -> None:
    slot: Slot[int] = Slot()
    for i in range(5):
        slot.put(i)
    assert (slot.get(0), slot.dropped) == (4, 4)
    assert slot.get(0) is None, "each thing is seen once"
    slot.put(5)
    assert (slot.get(0), slot.dropped) == (5, 4)


def test_slot_waits_for_what_comes() -> None:
    slot: Slot[int] = Slot()
    helper = Thread(target=lambda: (sleep(0.05), slot.put(7)), daemon=True)
    helper.start()
    assert slot.get(5) == 7


def test_slot_close_wakes_and_empties() -> None:
    slot: Slot[int] = Slot()
    helper = Thread(target=lambda: (sleep(0.05), slot.close()), daemon=True)
    helper.start()
    begun = monotonic()
    assert slot.get(5) is None and monotonic() - begun < 2
    slot.put(1)
    assert slot.closed and slot.get(0) is None


def test_slow_reader_sees_fresh_things() -> None:
    """3 ms in, 10 ms out: what is taken is never older than one period of the writer."""
    slot: Slot[float] = Slot()

    def write() -> None:
        for _ in range(100):
            slot.put(monotonic())
            sleep(0.003)
        slot.close()

    Thread(target=write, daemon=True).start()
    ages = []
    while (made := slot.get(1)) is not None:
        ages.append(monotonic() - made)
        sleep(0.01)
    assert len(ages) > 5 and sorted(ages)[len(ages) // 2] < 0.006
    assert slot.dropped > 20


def test_backlog_keeps_order_and_refuses_beyond_its_bound() -> None:
    backlog: Backlog[str] = Backlog(most=10)
    assert backlog.put("a", 6) and backlog.put("b", 4)
    assert not backlog.put("c", 1)
    assert backlog.get(0) == "a"
    assert not backlog.put("c", 1), "what is worked on counts"
    assert backlog.get(0) == "b"
    assert backlog.put("c", 6), "'a' is done"
    assert backlog.get(0) == "c" and backlog.get(0) is None


def test_backlog_has_spare_room_for_what_matters() -> None:
    backlog: Backlog[str] = Backlog(most=10)
    assert backlog.put("a", 6, spare=4)
    assert not backlog.put("b", 1, spare=4) and backlog.put("c", 4)


def test_backlog_takes_one_thing_however_large() -> None:
    backlog: Backlog[str] = Backlog(most=10)
    assert backlog.put("large", 99) and not backlog.put("small", 1)


def test_backlog_waits_for_what_comes() -> None:
    backlog: Backlog[int] = Backlog(most=10)
    Thread(target=lambda: (sleep(0.05), backlog.put(7, 1)), daemon=True).start()
    assert backlog.get(5) == 7


def test_backlog_close_lets_the_rest_out() -> None:
    backlog: Backlog[str] = Backlog(most=10)
    backlog.put("a", 1)
    backlog.close()
    assert not backlog.put("b", 1) and not backlog.finished
    assert backlog.get(5) == "a" and backlog.finished
    begun = monotonic()
    assert backlog.get(5) is None and monotonic() - begun < 2


def test_holder_releases_once() -> None:
    released: list[str] = []
    holder: Holder[str] = Holder(released.append)
    assert holder.keep(holder.begin(), "a")
    with holder.use() as item:
        assert item == "a"
    holder.drop()
    holder.drop()
    with holder.use() as item:
        assert item is None
    assert released == ["a"]


def test_dropped_in_use_is_released_by_its_user() -> None:
    released: list[str] = []
    holder: Holder[str] = Holder(released.append)
    holder.keep(holder.begin(), "a")
    with holder.use():
        ticket = holder.begin()  # another thread gave up on 'a'
        assert released == []
        holder.keep(ticket, "b")
        with holder.use() as item:
            assert item == "b"
    assert released == ["a"]
    with holder.use() as item:
        assert item == "b"
    holder.drop()
    assert released == ["a", "b"]


def test_made_too_late_is_released() -> None:
    released: list[str] = []
    holder: Holder[str] = Holder(released.append)
    late = holder.begin()
    holder.keep(holder.begin(), "b")
    assert not holder.keep(late, "a") and released == ["a"]
    closed = holder.begin()
    holder.drop()
    assert not holder.keep(closed, "c") and released == ["a", "b", "c"]
