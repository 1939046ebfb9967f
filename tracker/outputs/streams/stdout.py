"""`-`: lines on standard output, as in `tracker live --to - | jq`."""

from __future__ import annotations

import sys

from tracker.errors import UserError
from tracker.outputs.output import About
from tracker.outputs.streams.lines import Lines
from tracker.printable import printable_json
from tracker.result import Result
from tracker.types import Frame


class StandardOutput:
    """Writes each line out at once."""

    def __init__(self, target: str, about: About) -> None:
        """Nothing is written before the first frame."""
        self._lines = Lines(about)

    def put(self, frame: Frame, result: Result | None) -> None:
        """Write a line. UserError when who read it has gone."""
        try:
            sys.stdout.write("".join(map(printable_json, self._lines.next(frame, result))))
            sys.stdout.flush()
        except BrokenPipeError as error:
            raise UserError("who read the lines of --to - has ended; start it again") from error

    def close(self, whole: bool) -> None:
        """Leave standard output as it is."""
