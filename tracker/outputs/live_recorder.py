"""Record what is live: a video, its landmarks, the time of each frame. Never waited for.

For REC.mp4 there are, while recording, REC.mkv and REC.jsonl: both are written out as they grow, so
that a crash leaves them readable. In the end REC.mkv becomes REC.mp4, packet for packet, and
REC_timestamps.json tells the time of every frame. Where that fails, REC.mkv is kept. When the
picture changes its size, REC_2 follows, and so on.

REC.jsonl is as `tracker.outputs.landmark_files` says; `frame` counts the frames of the video,
`t_s` begins at its first one. REC_timestamps.json: {schema_version, video_file, num_frames,
timestamps, start_time, end_time}, Unix seconds, steady (a correction of the clock while recording
does not show).
"""

from __future__ import annotations

import json
import shutil
import time
from array import array
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from threading import Event

from tracker.errors import UserError, writing
from tracker.outputs.landmark_files import SCHEMA_VERSION, JsonLines, UsedModel, header, model_facts
from tracker.outputs.out_file import ANOTHER, LiveFile, OutFile, refuse_bad_output
from tracker.outputs.output import About
from tracker.outputs.overlay import draw
from tracker.outputs.video_writer import VideoWriter, remux
from tracker.result import Result
from tracker.slots import Backlog
from tracker.sources.source import Gap
from tracker.sources.video_file import VideoFacts
from tracker.types import Frame, Image
from tracker.whole_files import write_whole

BUFFER = 64 << 20  # bytes of frames that wait for the encoder; more are lost, and counted
SPARE, SMALL = 4 << 20, 8 << 10  # bytes of that kept free for results, and what one may hold
WAITING = 300  # frames in the video whose landmarks are awaited
LEAST_FREE = 64 << 20  # bytes; recording stops before it fills a disk to the brim
TICK = Fraction(1, 1000)  # Matroska's own


@dataclass(frozen=True, slots=True)
class Recording:
    """How a recording is going."""

    path: Path  # what it will be called in the end
    seconds: float
    frames: int  # in the video
    lost: int  # not in it, since encoder or disk were too slow
    annotated: bool
    finishing: bool = False  # no more frames are taken in; the files are being completed


@dataclass(frozen=True, slots=True, eq=False)
class _Picture:
    """A frame for the video; `result` comes with it in annotated videos only."""

    serial: int
    t: float
    bgr: Image
    wall: float  # Unix seconds
    result: Result | None


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """What the tracker saw in a frame that was given before."""

    serial: int
    result: Result


class Recorder:
    """Takes frames in from any thread, without waiting; `run` writes them, on a thread of its own.

    Raw: each captured `frame`, and the tracker's `result` of those that it got to see. Annotated:
    only frames together with their result.
    """

    def __init__(self, path: Path, annotated: bool, about: About) -> None:
        """UserError where `path` (.mp4 or .mkv) or the files beside it cannot be written."""
        if path.suffix.lower() not in (".mp4", ".mkv"):
            raise UserError(f"{path} could not be recorded: give it a name that ends in .mp4")
        self.path, self.annotated, self._about = path.with_suffix(".mp4"), annotated, about
        for name in _names(self.path):
            refuse_bad_output(name, (), overwrite=False, advice=ANOTHER)
        self.used = about.models  # as told last
        self.error: str | None = None  # why it stopped, or what went wrong at the end
        self.saved: Path | None = None  # the (first) video, once it is complete
        self.done = Event()  # set by whoever runs it
        self._backlog: Backlog[_Picture | _Answer | Gap | tuple[UsedModel, ...]] = Backlog(BUFFER)
        self._takes: list[_Take] = []
        self._lost, self._stopping = 0, False

    def put(self, frame: Frame, result: Result | None) -> None:
        """Take in what was seen in a frame, whose index is its serial; as an output is given it."""
        used = self._about.models_now()
        if used != self.used:
            self.models(used)
        if self.annotated:
            self.frame(frame.index, frame, result)
        elif result is not None:
            self.result(frame.index, result)

    def close(self, whole: bool) -> None:
        """Take nothing in any more; what came is kept."""
        self.stop()

    def frame(self, serial: int, frame: Frame, result: Result | None = None) -> None:
        """Take in a frame; serials and times rise."""
        if frame.bgr is None:
            self.gap(Gap(frame.t, frame.t, "undecodable", "a frame could not be decoded"))
            return
        picture = _Picture(serial, frame.t, frame.bgr, time.time(), result)
        if not self._backlog.put(picture, frame.bgr.nbytes, SPARE) and not self._stopping:
            self._lost += 1

    def result(self, serial: int, result: Result) -> None:
        """Take in what the tracker saw in an earlier frame."""
        self._backlog.put(_Answer(serial, result), SMALL)

    def gap(self, gap: Gap) -> None:
        """Take in a time without pictures."""
        self._backlog.put(gap, SMALL)

    def models(self, models: tuple[UsedModel, ...]) -> None:
        """Other networks are used from here on."""
        self.used = models
        self._backlog.put(models, SMALL)

    def stop(self) -> None:
        """Take nothing in any more; `run` completes the files."""
        self._stopping = True
        self._backlog.close()

    @property
    def facts(self) -> Recording:
        """How it goes."""
        takes = list(self._takes)
        return Recording(
            self.path,
            sum(take.seconds for take in takes),
            sum(len(take.times) for take in takes),
            self._lost,
            self.annotated,
            self._stopping,
        )

    def run(self) -> None:
        """Write until `stop`, or until it fails: then `error` tells why. The thread's body."""
        try:
            while not self._backlog.finished:
                item = self._backlog.get(0.5)
                if item is not None:
                    self._write(item)
        except UserError as error:
            self.error = f"the recording stopped, the live picture goes on: {error}"
        finally:
            self.stop()
            self._complete()

    def _write(self, item: _Picture | _Answer | Gap | tuple[UsedModel, ...]) -> None:
        if isinstance(item, _Picture):
            size = (item.bgr.shape[1], item.bgr.shape[0])
            if not self._takes or self._takes[-1].size_wh != size:
                self._begin(item, size)
            self._takes[-1].picture(item)
        elif isinstance(item, tuple):
            self._about = replace(self._about, models=item)
            if self._takes:
                self._takes[-1].about(self._about)
        elif self._takes and isinstance(item, _Answer):
            self._takes[-1].answer(item)
        elif self._takes and isinstance(item, Gap):
            self._takes[-1].gap(item)

    def _begin(self, first: _Picture, size_wh: tuple[int, int]) -> None:
        if self._takes:
            self._takes[-1].finish()
        number = len(self._takes) + 1
        path = self.path if number == 1 else self.path.with_stem(f"{self.path.stem}_{number}")
        self._takes.append(_Take(path, self._about, first, size_wh))

    def _complete(self) -> None:
        """Finish the last file, and give all of them their final form."""
        problems = [] if self.error is None else [self.error]
        if not self._takes and not problems:
            problems.append(f"{self.path} was not written: no picture came while recording")
        for take in self._takes:
            try:
                take.finish()
                take.convert()
            except UserError as error:
                fact = "" if self.error else f": {error}"
                problems.append(f"what was recorded is kept as {take.mkv}{fact}")
        if self._takes:
            self.saved = self._takes[0].saved
        self.error = "; ".join(problems) or None


class _Take:
    """One video and the data beside it."""

    def __init__(self, path: Path, about: About, first: _Picture, size_wh: tuple[int, int]) -> None:
        self.final, self.size_wh = path, size_wh
        self.mkv, self._data_path, self._times_path, _ = _names(path)
        self.saved = self.mkv  # where the video is, in the end
        self.times = array("d")  # seconds from the first frame
        self._first, self._style, self._skeletons = first, about.style, about.skeletons()
        self._awaited: deque[tuple[int, int, float]] = deque()  # serial, frame, t_s
        self._open = True
        facts = VideoFacts(size_wh, TICK, Fraction(30), None, Fraction(1))
        head = header(
            about.models,
            source=about.source,
            size_wh=list(size_wh),
            start_time=first.wall,
        )
        self._video = VideoWriter(LiveFile(self.mkv), facts, live=True)
        self._data = JsonLines(LiveFile(self._data_path), head)

    @property
    def seconds(self) -> float:
        return self.times[-1] if self.times else 0.0

    def picture(self, item: _Picture) -> None:
        number, t = len(self.times), item.t - self._first.t
        if number and t < self.seconds + float(TICK):
            t = self.seconds + float(TICK)
        if number % 64 == 0:
            with writing(self.mkv):
                free = shutil.disk_usage(self.mkv.parent).free
            if free < LEAST_FREE:
                raise UserError(f"the disk that holds {self.mkv} is full; free some space")
        bgr = item.bgr
        if item.result is not None:
            bgr = draw(bgr, item.result.tracks, self._skeletons, self._style)
        self._video.write(bgr, t)
        self.times.append(t)
        if item.result is not None:
            self._data.row(number, t, item.result)
            return
        self._awaited.append((item.serial, number, t))
        if len(self._awaited) > WAITING:
            self._skip()

    def answer(self, item: _Answer) -> None:
        while self._awaited and self._awaited[0][0] < item.serial:
            self._skip()
        if self._awaited and self._awaited[0][0] == item.serial:
            _, number, t = self._awaited.popleft()
            self._data.row(number, t, item.result)

    def about(self, about: About) -> None:
        self._skeletons = about.skeletons()
        self._data.event("models", **model_facts(about.models))

    def gap(self, gap: Gap) -> None:
        start, end = (None if t is None else t - self._first.t for t in (gap.start, gap.end))
        self._data.event(
            "gap",
            start_s=None if start is None else round(start, 6),
            end_s=None if end is None else round(end, 6),
            phase=gap.phase,
            reason=gap.reason,
        )

    def finish(self) -> None:
        """Complete video and data, once; what cannot be completed stays as it is."""
        if not self._open:
            return
        self._open = False
        try:
            while self._awaited:
                self._skip()
            self._video.finish()
            self._data.finish()
            self._write_times(self.mkv)
        except UserError:
            self._video.discard()
            self._data.discard()
            raise

    def convert(self) -> None:
        """Make the MKV an MP4; it stays where that fails."""
        remux(self.mkv, OutFile(self.final))
        self._write_times(self.final)
        self.saved = self.final
        with suppress(OSError):  # then there are both
            self.mkv.unlink()

    def _skip(self) -> None:
        _, number, t = self._awaited.popleft()
        self._data.row(number, t, Result(t, ()), skipped=True)

    def _write_times(self, video: Path) -> None:
        stamps = [round(self._first.wall + t, 6) for t in self.times]
        text = json.dumps(
            {
                "schema_version": SCHEMA_VERSION,
                "video_file": video.name,
                "num_frames": len(stamps),
                "timestamps": stamps,
                "start_time": stamps[0] if stamps else None,
                "end_time": stamps[-1] if stamps else None,
            }
        )
        write_whole(self._times_path, text.encode())


def _names(path: Path) -> Sequence[Path]:
    """Files of a recording: MKV, landmarks, times, MP4."""
    return (
        path.with_suffix(".mkv"),
        path.with_suffix(".jsonl"),
        path.with_name(f"{path.stem}_timestamps.json"),
        path.with_suffix(".mp4"),
    )
