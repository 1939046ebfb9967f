"""Which frames of a file came out of the decoder, and which were lost on the way."""

from __future__ import annotations

import heapq


class Timeline:
    """Tells which packets came out of the decoder as pictures and which were lost.

    Decoders hand pictures out in the order of display. With reliable stamps a picture stamped s
    proves that every earlier packet that has not come out never will. `decode_order` says that
    stamps are right as a set but not one by one: then the n-th picture gets the n-th stamp.
    Silence of the decoder means loss only after it complained, and never in streams where packets
    without a picture are normal (single fields, invisible reference pictures).
    """

    def __init__(self, decode_order: bool = False) -> None:
        """Nothing sent, nothing shown."""
        self._decode_order = decode_order
        self._waiting: list[int] = []  # heap of stamps sent and not yet accounted for
        self._failed: set[int] = set()
        self._trouble = False  # the decoder complained
        self._silence_is_normal = False
        self._last: int | None = None

    def sent(self, stamp: int) -> None:
        """A packet went into the decoder."""
        heapq.heappush(self._waiting, stamp)

    def failed(self, stamp: int | None) -> None:
        """The decoder refused a packet."""
        self._trouble = True
        if stamp is not None:
            self._failed.add(stamp)

    def shown(self, stamp: int | None) -> tuple[list[int], int | None]:
        """A picture came out: the stamps lost before it, and its own stamp."""
        if stamp is not None and self._last is not None and stamp < self._last:
            self._decode_order = True
        lost: list[int] = []
        while self._waiting:
            first = self._waiting[0]
            if self._decode_order and first not in self._failed:
                stamp = heapq.heappop(self._waiting)
                break
            if not self._decode_order and (stamp is None or first >= stamp):
                if first == stamp:
                    heapq.heappop(self._waiting)
                break
            lost.append(heapq.heappop(self._waiting))
        # Before the first picture lie, at most, pictures of a group that begins before the file.
        self._silence_is_normal |= bool(lost) and not self._trouble and self._last is not None
        self._last = stamp if stamp is not None else self._last
        return self._truly_lost(lost), stamp

    def rest(self) -> list[int]:
        """At the end: the stamps that never came out."""
        lost, self._waiting = sorted(self._waiting), []
        return self._truly_lost(lost)

    def _truly_lost(self, lost: list[int]) -> list[int]:
        if not self._trouble:
            return []
        return [s for s in lost if s in self._failed] if self._silence_is_normal else lost
