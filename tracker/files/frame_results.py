"""The frames of a video file with what a tracker sees in them, for programs of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import track

from tracker.printable import printable
from tracker.result import Result
from tracker.sources.video_file import VideoReader
from tracker.types import Frame, Image

Process = Callable[[Image, float], Result]
Told = Callable[[int, int | None], object]


def frame_results(
    process: Process, path: Path, progress: bool | Told = False
) -> Iterator[tuple[Frame, Result]]:
    """As `Tracker.video` says. The file is opened at once, so that a wrong one fails here."""
    reader = VideoReader(path)
    told = progress if callable(progress) else _silent
    seen = _seen(process, reader, told)
    if progress is not True:
        return seen
    console = Console(stderr=True)
    name = escape(printable(path.name))
    return iter(track(seen, name, reader.facts.frames, console=console))


def _seen(process: Process, reader: VideoReader, told: Told) -> Iterator[tuple[Frame, Result]]:
    with closing(reader):
        for done, frame in enumerate(reader.frames(), 1):
            bgr = frame.bgr
            yield frame, Result(frame.t, ()) if bgr is None else process(bgr, frame.t)
            told(done, reader.facts.frames)


def _silent(done: int, total: int | None) -> None: ...
