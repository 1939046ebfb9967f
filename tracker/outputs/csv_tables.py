"""CSV as an output: a table a kind, as `tracker.outputs.landmark_files` says."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from tracker.outputs.landmark_files import CsvTable, csv_path
from tracker.outputs.output import About
from tracker.result import Result
from tracker.types import Frame


class CsvTables:
    """OUT.csv gives OUT_hand.csv, OUT_face.csv...; live, time begins at the first frame.

    Live tables whose `numbering` has begun already go on.
    """

    def __init__(self, target: str, about: About) -> None:
        """UserError where one of the files cannot be written."""
        self._about = about
        self._is_live = about.facts is None
        about.numbering.begin_part()
        with ExitStack() as stack:
            self._tables = []
            for m in about.models_now():
                out = about.target(csv_path(Path(target), m.info.kind))
                self._tables.append(CsvTable(out, m.info.kind, m.info.landmarks, m.info.gives))
                stack.callback(self._tables[-1].discard)
            stack.pop_all()

    def put(self, frame: Frame, result: Result | None) -> None:
        """Add a row for each track."""
        with self._about.stage("data"):
            number, t = frame.index, frame.t
            if self._is_live:
                number, t = self._about.numbering.place(frame)
            for table in self._tables:
                table.row(number, t, result, frame.damaged, frame.missing)

    def close(self, whole: bool) -> None:
        """End the files."""
        for table in self._tables:
            table.finish()
