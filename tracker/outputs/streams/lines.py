"""The lines that standard output, datagrams and WebSockets carry: those of a JSON Lines file.

First the header, then a line a frame, as `tracker.outputs.landmark_files` says; `t_s` counts from
the first frame that was sent. The header of a live stream has `start_time`, Unix seconds, and
`size_wh` of the first picture. A frame's text is made once, however many outputs send it.
"""

from __future__ import annotations

import time

from tracker.outputs.landmark_files import as_line, frame_line, marks_of, model_facts
from tracker.outputs.output import About
from tracker.result import Result
from tracker.types import Frame


class Lines:
    """Makes the lines of one stream."""

    def __init__(self, about: About) -> None:
        """Nothing was sent yet."""
        self.header: str = ""  # the newest: with other models comes another one
        self._about, self._used = about, about.models_now()
        self._start: float | None = None if about.facts is None else 0.0
        self._size_wh: list[int] | None = None
        self._t = 0.0  # sent last

    def next(self, frame: Frame, result: Result | None) -> list[str]:
        """The lines to send for a frame: its own, and before it what has changed."""
        lines: list[str] = []
        if not self.header:
            self._begin(frame)
            lines.append(self.header)
        used = self._about.models_now()
        if used != self._used:
            self._used = used
            lines.append(as_line({"event": "models", **model_facts(used)}))
            self._make_header()
        assert self._start is not None
        marks = marks_of(frame)
        if frame.bgr is not None or self._about.facts is not None:
            self._t = frame.t - self._start  # else a silence, which began at the frame before
        lines.append(frame_line(frame.index, self._t, result, **marks))
        return lines

    def _begin(self, frame: Frame) -> None:
        if self._start is None:
            self._start, self._began = frame.t, time.time()
        if frame.bgr is not None:
            self._size_wh = [frame.bgr.shape[1], frame.bgr.shape[0]]
        self._make_header()

    def _make_header(self) -> None:
        more: dict[str, object] = {}
        if self._about.facts is None:
            more = {"start_time": self._began, "size_wh": self._size_wh}
        self.header = as_line(self._about.header(**more))
