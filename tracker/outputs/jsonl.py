"""JSON Lines as an output; `tracker.outputs.landmark_files` says what stands in them."""

from __future__ import annotations

import time
from pathlib import Path

from tracker.outputs.landmark_files import JsonLines, marks_of, model_facts
from tracker.outputs.output import About
from tracker.types import Frame, Result


class JsonLinesFile:
    """A header, then a line a frame. Live, time begins at the first frame."""

    def __init__(self, target: str, about: About) -> None:
        """UserError where the file cannot be written."""
        self._about, self._used = about, about.models_now()
        live = about.facts is None
        self._start: float | None = None if live else 0.0
        head = about.header(start_time=time.time()) if live else about.header()
        self._data = JsonLines(about.target(Path(target)), head)

    def put(self, frame: Frame, result: Result | None) -> None:
        """Add a row."""
        if self._start is None:
            self._start = frame.t
        with self._about.stage("data"):
            used = self._about.models_now()
            if used != self._used:
                self._used = used
                self._data.event("models", **model_facts(used))
            t = frame.t - self._start
            self._data.row(frame.index, t, result, **marks_of(frame))

    def close(self, whole: bool) -> None:
        """End the file."""
        self._data.finish()
