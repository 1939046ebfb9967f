"""The job of `tracker video`: one file in, an annotated video and data files out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Protocol

import numpy as np

from tracker.errors import UserError
from tracker.files.look_ahead import LookAhead, Seen
from tracker.files.side_by_side import Ahead, AtOnce, Behind
from tracker.follow.smooth import SmoothConfig
from tracker.outputs.csv_tables import CsvTables
from tracker.outputs.guarded import Guarded
from tracker.outputs.jsonl import JsonLinesFile
from tracker.outputs.landmark_files import UsedModel
from tracker.outputs.open import OpenOutput, find_output
from tracker.outputs.out_file import OutFile, Target, clear_parts_of
from tracker.outputs.output import About, Output
from tracker.outputs.overlay import Style
from tracker.outputs.video import AnnotatedVideo
from tracker.result import Result
from tracker.sources.video_file import VideoFacts, VideoReader
from tracker.timings import FrameTimes, Timings
from tracker.types import Frame, Image, Kind
from tracker.whole_files import dead_parts_of

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
    to: Sequence[str] = ()  # further outputs, as `tracker.outputs.open` knows them
    ahead: SmoothConfig | None = None  # landmarks are smoothed with frames to come, too


@dataclass(slots=True)
class Report:
    """What a job did."""

    frames: int = 0
    with_kind: dict[Kind, int] = field(default_factory=dict)  # frames, of each kind looked for
    gaps: int = 0
    damaged: int = 0  # frames that the decoder complained of
    missing: int = 0  # frames that a damaged file does not hold any more, but at its end
    resized: int = 0
    cut_off: int | None = None  # frames missing at the end; 0: some, number unknown
    interrupted: bool = False
    sound: str | None = None
    failed_outputs: list[str] = field(default_factory=list)  # a sentence each; the rest went on
    written: tuple[Path, ...] = ()
    leftovers: list[str] = field(default_factory=list)  # of runs that were killed, a sentence each
    seconds: float = 0.0
    times: FrameTimes = field(default_factory=FrameTimes)

    @property
    def fps(self) -> float:
        """Frames per second of the whole job."""
        return self.frames / max(self.seconds, 1e-9)

    def warnings(self) -> list[str]:
        """What the user should know, one sentence each."""
        said = list(self.failed_outputs)
        if self.gaps:
            said.append(
                f"{self.gaps} of {_count(self.frames, 'frame')} could not be decoded: the video "
                "repeats the picture before and the data files mark the gap"
            )
        if self.damaged:
            said.append(
                f"{self.damaged} of {_count(self.frames, 'frame')} could not be decoded whole: the "
                "data files mark them as damaged"
            )
        if self.missing:
            said.append(
                f"{_count(self.missing, 'frame')} between others could not be found in the damaged "
                "file: the data files tell where"
            )
        if self.cut_off:
            said.append(f"the file is cut off: the last {_count(self.cut_off, 'frame')} of it miss")
        elif self.cut_off == 0:
            said.append("the file ends before it should, as when a copy is cut off")
        if self.resized:
            said.append(f"{_count(self.resized, 'frame')} of another size were resized")
        if not any(self.with_kind.values()):
            said.append(f"{nothing(self.with_kind)} was found in any frame")
        said += self.leftovers
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
        files = _Files(job)
        stack.callback(files.discard)
        outputs = _outputs(job, _about(job, reader.facts, models, files, report), report, stack)
        # Closed before the outputs and the reader, since each of those is one thread's alone.
        behind, frames = _threads(reader, partial(_put, outputs, report.times), stack)
        ahead = LookAhead(behind.put, job.ahead)
        while not (interrupted := stopped()):
            decoded = next(frames, None)
            if decoded is None:
                break
            report.gaps, report.resized = decoded.gaps, decoded.resized
            report.damaged += decoded.frame.damaged
            report.missing += decoded.frame.missing
            result, seconds = _process(tracker, decoded.frame)
            ahead.put(Seen(decoded.frame, result, seconds | {"decode": decoded.seconds}))
            report.frames += 1
            kinds = {track.kind for track in result.tracks} if result else set()
            for kind in report.with_kind:
                report.with_kind[kind] += kind in kinds
            progress(report.frames, reader.facts.frames)
        ahead.finish()
        behind.finish()
        frames.close()
        report.interrupted = interrupted
        if report.frames:
            while outputs:
                outputs.pop(0).close(whole=not interrupted)
            report.written = files.commit()
            report.leftovers = _clear(report.written, report.interrupted)
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


def _room(size_wh: tuple[int, int]) -> int:
    """Frames that may wait between two threads; 0: so large that one after the other is done."""
    return int(np.clip(WAITING // (3 * size_wh[0] * size_wh[1]), 0, 8))


def _threads(
    reader: VideoReader, put: Callable[[Seen], None], stack: ExitStack
) -> tuple[Behind[Seen] | AtOnce[Seen], Ahead[_Decoded] | Generator[_Decoded, None, None]]:
    """What takes and what gives frames: on threads of their own, where frames may wait."""
    room, decoded = _room(reader.facts.size_wh), _decoded(reader)
    if room:
        behind = stack.enter_context(Behind(put, room))
        return behind, stack.enter_context(Ahead(decoded, room))
    return AtOnce(put), stack.enter_context(closing(decoded))


def _decoded(reader: VideoReader) -> Generator[_Decoded, None, None]:
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


def _put(outputs: Sequence[Output], times: FrameTimes, seen: Seen) -> None:
    times.add(seen.seconds)
    for output in outputs:
        output.put(seen.frame, seen.result)
    times.end_frame()


class _Files:
    """The files of one job: they get their names together, when all of them are complete."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._claims: list[_Claim] = []

    def claim(self, path: Path) -> Target:
        """Begin a file. UserError where it may not be written, or is another output's."""
        if any(claim.path == path for claim in self._claims):
            raise UserError(f"{path} is named for two outputs; give each its own name")
        job = self._job
        self._claims.append(_Claim(OutFile(path, [job.source, *job.others], job.overwrite)))
        return self._claims[-1]

    def commit(self) -> tuple[Path, ...]:
        """Give all that are complete their names, which are returned."""
        complete = [claim for claim in self._claims if claim.complete]
        for claim in complete:
            claim.out.commit()
        return tuple(claim.path for claim in complete)

    def discard(self) -> None:
        """Remove what has no name yet."""
        for claim in self._claims:
            claim.discard()


class _Claim:
    """A file whose `commit` waits for the others."""

    def __init__(self, out: OutFile) -> None:
        self.out, self.path, self.temp = out, out.path, out.temp
        self.complete = False

    def commit(self) -> None:
        self.complete = True

    def discard(self) -> None:
        self.complete = False
        self.out.discard()


def _outputs(job: Job, about: About, report: Report, stack: ExitStack) -> list[Output]:
    """All outputs of a job, or none: then UserError. What is still listed `stack` closes."""
    wanted: list[tuple[OpenOutput, str]] = []
    if job.video is not None:
        wanted.append((AnnotatedVideo, str(job.video)))
    if job.json is not None:
        wanted.append((JsonLinesFile, str(job.json)))
    if job.csv is not None:
        wanted.append((CsvTables, str(job.csv)))
    own = len(wanted)
    wanted += [(find_output(target), target) for target in job.to]
    if not wanted:
        raise UserError("nothing to write: give --out, --json, --csv or --to")
    names = [target for _, target in wanted]
    if len(set(names)) < len(names):
        raise UserError(f"{names[0]} is named for two outputs; give each its own name")
    outputs: list[Output] = []
    stack.callback(_give_up, outputs)
    for number, (opened, target) in enumerate(wanted):
        output = opened(target, about)
        if number >= own:
            output = Guarded(target, output, report.failed_outputs)
        outputs.append(output)
    return outputs


def _give_up(outputs: Sequence[Output]) -> None:
    """Close outputs whose files are not kept."""
    for output in outputs:
        with suppress(Exception):  # what went wrong before is told
            output.close(False)


def _about(
    job: Job, facts: VideoFacts, models: Sequence[UsedModel], files: _Files, report: Report
) -> About:
    def heard(sentence: str) -> None:
        report.sound = sentence

    return About(
        source=job.source.name,
        models=tuple(models),
        style=job.style,
        facts=facts,
        sound_of=job.source,
        options=job.options,
        target=files.claim,
        stage=report.times.stage,
        say=heard,
    )


def _clear(written: Sequence[Path], interrupted: bool) -> list[str]:
    """Remove what killed runs had begun of these files, now that they are whole; what was done."""
    if not interrupted:
        return [sentence for path in written for sentence in clear_parts_of(path)]
    return [
        f"{part} was left by a run that was killed; it is kept, it can be played"
        for path in written
        for part in dead_parts_of(path)
    ]


def nothing(kinds: Collection[Kind]) -> str:
    """Such as 'no hand and no face'."""
    return " and ".join(f"no {kind}" for kind in kinds)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
