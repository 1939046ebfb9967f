"""CSV as an output: a table a kind, as `tracker.outputs.landmark_files` says."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from tracker.outputs.landmark_files import CsvTable, UsedModel, csv_path
from tracker.outputs.output import About
from tracker.result import Result
from tracker.types import Frame, Kind


class CsvTables:
    """OUT.csv gives OUT_hand.csv, OUT_face.csv...; live, time begins at the first frame.

    Live tables whose `numbering` has begun already go on. Where other models are used from a frame
    on, a kind that is new begins its table.
    """

    def __init__(self, target: str, about: About) -> None:
        """UserError where one of the files cannot be written."""
        self._path, self._about = Path(target), about
        self._is_live = about.facts is None
        about.numbering.begin_part()
        self._used = about.models_now()
        self._tables: dict[Kind, CsvTable] = {}
        with ExitStack() as stack:
            for m in self._used:
                self._begin(m)
                stack.callback(self._tables[m.info.kind].discard)
            stack.pop_all()

    def put(self, frame: Frame, result: Result | None) -> None:
        """Add a row for each track. UserError where a model has other columns by now."""
        with self._about.stage("data"):
            used = self._about.models_now()
            if used != self._used:
                self._change(used)
            number, t = frame.index, frame.t
            if self._is_live:
                number, t = self._about.numbering.place(frame)
            for table in self._tables.values():
                table.row(number, t, result, frame.damaged, frame.missing)

    def _begin(self, m: UsedModel) -> None:
        kind = m.info.kind
        out = self._about.target(csv_path(self._path, kind))
        self._tables[kind] = CsvTable(out, kind, m.info.landmarks, m.info.gives)

    def _change(self, used: tuple[UsedModel, ...]) -> None:
        self._used = used
        for m in used:
            if m.info.kind in self._tables:
                self._tables[m.info.kind].check(m.info.landmarks, m.info.gives)
            else:
                self._begin(m)

    def close(self, whole: bool) -> None:
        """End the files."""
        for table in self._tables.values():
            table.finish()
