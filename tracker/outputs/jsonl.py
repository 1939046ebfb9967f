"""JSON Lines as an output; `tracker.outputs.landmark_files` says what stands in them."""

from __future__ import annotations

import time
from pathlib import Path

from tracker.outputs.landmark_files import JsonLines, marks_of, model_facts
from tracker.outputs.output import About
from tracker.result import Result
from tracker.types import Frame


class JsonLinesFile:
    """A header, then a line a frame. Live, time begins at the first frame.

    A live file whose `numbering` has begun already goes on after an event `source`.
    """

    def __init__(self, target: str, about: About) -> None:
        """UserError where the file cannot be written."""
        self._about, self._used = about, about.models_now()
        self._is_live = about.facts is None
        about.numbering.begin_part()
        head = about.header(start_time=time.time()) if self._is_live else about.header()
        self._data = JsonLines(about.target(Path(target)), head)
        if self._data.goes_on:
            self._data.event("source", source=about.source, **model_facts(self._used))

    def put(self, frame: Frame, result: Result | None) -> None:
        """Add a row."""
        with self._about.stage("data"):
            used = self._about.models_now()
            if used != self._used:
                self._used = used
                self._data.event("models", **model_facts(used))
            number, t = frame.index, frame.t
            if self._is_live:
                number, t = self._about.numbering.place(frame)
            self._data.row(number, t, result, **marks_of(frame))

    def close(self, whole: bool) -> None:
        """End the file."""
        self._data.finish()
