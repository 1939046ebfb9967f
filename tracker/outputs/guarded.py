"""An output of a job over files that may fail without ending the job."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from tracker.errors import sentence
from tracker.outputs.output import Output
from tracker.result import Result
from tracker.types import Frame


class Guarded:
    """An output of `--to`: when it raises it is closed, that is told, and the rest goes on."""

    def __init__(self, target: str, output: Output, failed: list[str]) -> None:
        """Sentences about what went wrong are added to `failed`."""
        self._target, self._failed = target, failed
        self._output: Output | None = output

    def put(self, frame: Frame, result: Result | None) -> None:
        """Pass it on, unless it has ended."""
        if self._output is not None:
            self._guard(partial(self._output.put, frame, result))

    def close(self, whole: bool) -> None:
        """Close it, once."""
        output, self._output = self._output, None
        if output is not None:
            self._guard(partial(output.close, whole))

    def _guard(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:  # an output may raise anything; the rest goes on
            self._failed.append(f"{self._target} ended, the rest went on: {sentence(error)}")
            output, self._output = self._output, None
            if output is not None:
                with suppress(Exception):  # it is broken already
                    output.close(False)
