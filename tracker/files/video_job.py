"""The job of `tracker video`: one file in, an annotated video and data files out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Protocol

import numpy as np

from tracker.errors import UserError
from tracker.files.side_by_side import Ahead, Behind
from tracker.files.stage_times import StageTimes
from tracker.outputs.landmark_files import CsvTable, JsonLines, UsedModel, csv_path, header
from tracker.outputs.out_file import OutFile
from tracker.outputs.overlay import Style, draw
from tracker.outputs.skeleton import skeletons
from tracker.outputs.video_writer import VideoWriter, check_container
from tracker.sources.video_file import VideoFacts, VideoReader
from tracker.timings import Timings
from tracker.types import Frame, Image, Kind, Result

WAITING = 32 << 20  # bytes of pictures that may wait between two threads


class FrameTracker(Protocol):
    """What a job needs of a tracker."""

    timings: Timings

    def process(self, frame_bgr: Image, t: float) -> Result:
        """What is seen in a frame of time t, seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """One video to annotate. A path None: that output is not wanted."""

    source: Path
    video: Path | None = None
    json: Path | None = None
    csv: Path | None = None  # OUT.csv becomes OUT_hand.csv, OUT_face.csv...
    overwrite: bool = False
    style: Style = field(default_factory=Style)
    options: Mapping[str, object] = field(default_factory=dict)  # for the header
    others: Sequence[Path] = ()  # inputs of the same command: no output takes their place


@dataclass(slots=True)
class Report:
    """What a job did."""

    frames: int = 0
    with_kind: dict[Kind, int] = field(default_factory=dict)  # frames, of each kind looked for
    gaps: int = 0
    resized: int = 0
    cut_off: int | None = None  # frames missing at the end; 0: some, number unknown
    interrupted: bool = False
    sound: str | None = None
    written: tuple[Path, ...] = ()
    seconds: float = 0.0
    times: StageTimes = field(default_factory=StageTimes)

    @property
    def fps(self) -> float:
        """Frames per second of the whole job."""
        return self.frames / max(self.seconds, 1e-9)

    def warnings(self) -> list[str]:
        """What the user should know, one sentence each."""
        said = []
        if self.gaps:
            said.append(
                f"{_count(self.gaps, 'frame')} could not be decoded: the video repeats the picture "
                "before and the data files mark the gap"
            )
        if self.cut_off:
            said.append(f"the file is cut off: the last {_count(self.cut_off, 'frame')} of it miss")
        elif self.cut_off == 0:
            said.append("the file ends before it should, as when a copy is cut off")
        if self.resized:
            said.append(f"{_count(self.resized, 'frame')} of another size were resized")
        if not any(self.with_kind.values()):
            said.append(f"{nothing(self.with_kind)} was found in any frame")
        if self.interrupted:
            said.append(f"stopped after {_count(self.frames, 'frame')}; the output ends there")
        return said


def annotate(
    job: Job,
    tracker: FrameTracker,
    models: Sequence[UsedModel],
    progress: Callable[[int, int | None], None] = lambda done, total: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Report:
    """Do one job; UserError where it cannot be done, and then no output is left behind.

    Every frame is handled once, in decode order: decoded on one thread, tracked here, drawn and
    encoded on another (see `tracker.files.side_by_side`). `stopped` is asked before each frame:
    True ends the job with what was done so far in place (nothing at all before the first frame).
    """
    report, begun = Report(with_kind={m.info.kind: 0 for m in models}), perf_counter()
    with ExitStack() as stack:
        reader = stack.enter_context(closing(VideoReader(job.source)))
        sinks = _Sinks(job, reader.facts, models, stack)
        room = _room(reader.facts.size_wh)
        # Closed before the sinks and the reader, since each of those is one thread's alone.
        behind = stack.enter_context(Behind(partial(_put, sinks, report.times), room))
        frames = stack.enter_context(Ahead(_decoded(reader), room))
        while not (interrupted := stopped()):
            decoded = next(frames, None)
            if decoded is None:
                break
            report.gaps, report.resized = decoded.gaps, decoded.resized
            result, seconds = _process(tracker, decoded.frame)
            behind.put(_Done(decoded.frame, result, seconds | {"decode": decoded.seconds}))
            report.frames += 1
            kinds = {track.kind for track in result.tracks} if result else set()
            for kind in report.with_kind:
                report.with_kind[kind] += kind in kinds
            progress(report.frames, reader.facts.frames)
        behind.finish()
        frames.close()
        report.interrupted = interrupted
        if report.frames:
            sinks.finish(whole=not interrupted)
            report.written = sinks.paths
        report.sound = sinks.sound_note
        report.cut_off = None if interrupted else reader.cut_off
    report.seconds = perf_counter() - begun
    return report


@dataclass(frozen=True, slots=True, eq=False)
class _Decoded:
    """A frame, how long it took, and the reader's counts with it included."""

    frame: Frame
    seconds: float
    gaps: int
    resized: int


@dataclass(frozen=True, slots=True, eq=False)
class _Done:
    """A frame, what was seen in it (None: a gap), and seconds by stage so far."""

    frame: Frame
    result: Result | None
    seconds: Mapping[str, float]


def _room(size_wh: tuple[int, int]) -> int:
    """Frames that may wait between two threads."""
    return int(np.clip(WAITING // (3 * size_wh[0] * size_wh[1]), 1, 8))


def _decoded(reader: VideoReader) -> Iterator[_Decoded]:
    frames = reader.frames()
    while True:
        begun = perf_counter()
        frame = next(frames, None)
        if frame is None:
            return
        yield _Decoded(frame, perf_counter() - begun, reader.gaps, reader.resized)


def _process(tracker: FrameTracker, frame: Frame) -> tuple[Result | None, dict[str, float]]:
    """What is seen in a frame, None in a gap, and the seconds of each of the tracker's stages."""
    if frame.bgr is None:
        return None, {}
    before = dict(tracker.timings.seconds)
    result = tracker.process(frame.bgr, frame.t)
    after = tracker.timings.seconds
    return result, {name: after[name] - before.get(name, 0.0) for name in after}


def _put(sinks: _Sinks, times: StageTimes, done: _Done) -> None:
    times.add(done.seconds)
    sinks.put(done.frame, done.result, times)
    times.end_frame()


class _Sinks:
    """The outputs of one job."""

    def __init__(
        self, job: Job, facts: VideoFacts, models: Sequence[UsedModel], stack: ExitStack
    ) -> None:
        self._skeletons = skeletons([m.info for m in models])
        self._style = job.style
        self._last = np.zeros((facts.size_wh[1], facts.size_wh[0], 3), np.uint8)
        outs = _claim(job, models, stack)
        self.paths = tuple(outs)
        self._data: list[JsonLines | CsvTable] = []
        if job.json is not None:
            self._data.append(JsonLines(outs[job.json], _header(job, facts, models)))
            stack.callback(self._data[-1].discard)
        if job.csv is not None:
            for m in models:
                out = outs[csv_path(job.csv, m.info.kind)]
                has_depth = any(a.name == "xyz" for a in m.info.attributes)
                self._data.append(CsvTable(out, m.info.kind, m.info.landmarks, has_depth))
                stack.callback(self._data[-1].discard)
        self._video: VideoWriter | None = None
        if job.video is not None:
            self._video = VideoWriter(outs[job.video], facts, job.source)
            stack.callback(self._video.discard)

    @property
    def sound_note(self) -> str | None:
        return None if self._video is None else self._video.sound_note

    def put(self, frame: Frame, result: Result | None, times: StageTimes) -> None:
        for sink in self._data:
            with times.stage("data"):
                sink.row(frame.index, frame.t, result)
        if self._video is None:
            return
        if frame.bgr is not None:
            self._last = frame.bgr
        with times.stage("draw"):
            shown = Result(frame.t, ()) if result is None else result
            picture = draw(self._last, shown, self._skeletons, self._style)
        with times.stage("encode"):
            self._video.write(picture, frame.t)

    def finish(self, whole: bool) -> None:
        for sink in self._data:
            sink.finish()
        if self._video is not None:
            self._video.finish(whole)


def _claim(job: Job, models: Sequence[UsedModel], stack: ExitStack) -> dict[Path, OutFile]:
    """All output files of a job, checked before anything is written."""
    wanted = [path for path in (job.video, job.json) if path is not None]
    if job.csv is not None:
        wanted += [csv_path(job.csv, m.info.kind) for m in models]
    if not wanted:
        raise UserError("nothing to write: give --out, --json or --csv")
    if len(set(wanted)) < len(wanted):
        raise UserError(f"{wanted[0]} is named for two outputs; give each its own name")
    if job.video is not None:
        check_container(job.video)
    outs = {}
    for path in wanted:
        outs[path] = OutFile(path, [job.source, *job.others], job.overwrite)
        stack.callback(outs[path].discard)
    return outs


def _header(job: Job, facts: VideoFacts, models: Sequence[UsedModel]) -> dict[str, object]:
    return header(
        models,
        source=job.source.name,
        fps=f"{facts.rate.numerator}/{facts.rate.denominator}",
        size_wh=list(facts.size_wh),
        options=dict(job.options),
    )


def nothing(kinds: Collection[Kind]) -> str:
    """Such as 'no hand and no face'."""
    return " and ".join(f"no {kind}" for kind in kinds)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
