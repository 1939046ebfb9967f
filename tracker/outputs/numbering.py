"""Frame numbers and times of a live file that goes on from one camera to the next."""

from __future__ import annotations

from tracker.types import Frame


class Numbering:
    """Numbers and times that rise through all parts of a file; one thread at a time asks.

    A part is a stream of frames: another camera, or the same one after the output was off. The
    first begins at its first frame's own number and at 0 s; the next ones lie as far behind as
    they came later, by the clock that says when frames were handed over.
    """

    def __init__(self) -> None:
        """No part has begun."""
        self._frame, self._t = -1, 0.0  # given last
        self._begun: float | None = None  # when the first frame was handed over, s
        self._numbers, self._seconds = 0, 0.0  # what is added in this part
        self._first: Frame | None = None  # of this part

    @property
    def has_begun(self) -> bool:
        """Has any frame been numbered?"""
        return self._begun is not None

    def begin_part(self) -> None:
        """The next frame is the first of another stream."""
        self._first = None

    def place(self, frame: Frame) -> tuple[int, float]:
        """The number of this frame in the file, and its time in seconds.

        One without a picture tells of a silence, which began at the frame before.
        """
        if self._first is None:
            self._first = frame
            self._numbers, self._seconds = self._ahead(frame)
        number = frame.index + self._numbers
        if frame.bgr is None:  # a silence: frames that are under way may still be older than now
            return number, self._t
        seconds = frame.t - self._first.t + self._seconds
        self._frame, self._t = max(self._frame, number), max(self._t, seconds)
        return number, seconds

    def _ahead(self, frame: Frame) -> tuple[int, float]:
        """What is added to the numbers of a part that begins with this frame; where it begins."""
        came = 0.0 if frame.captured is None else frame.captured
        if self._begun is None:
            self._begun = came
            return 0, 0.0
        return max(self._frame + 1 - frame.index, 0), max(came - self._begun, self._t)
