"""Keep a moment: a picture with its landmarks, or a flagged frame with what was around it.

A flag is for labelling and lies in PROJECT/flags/YYYYMMDD_HHMMSS_mmm/, complete or not at all:
  frame.png        the flagged frame as it came from the camera
  clip.mp4         the frames from one second before to one second after it, with their times
  landmarks.jsonl  what the tracker saw in the clip, as `landmark_files.py` says; `frame` counts the
                   frames of the clip and `t_s` begins at its first one
  flag.json        {schema_version, source, time (Unix, of writing), frame (number of the flagged
                   frame in the clip), t_s (its time in the clip), clip_seconds, size_wh, tracks}
Points are pixels of frame.png. The landmarks are guesses of the network that was in use.
"""

from __future__ import annotations

import json
import shutil
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from threading import Condition
from time import time

import cv2

from tracker.errors import UserError, writing
from tracker.outputs.landmark_files import SCHEMA_VERSION, JsonLines, header, track_row
from tracker.outputs.live_recorder import TICK
from tracker.outputs.out_file import OutFile
from tracker.outputs.output import About
from tracker.outputs.overlay import draw
from tracker.outputs.video_writer import VideoWriter
from tracker.result import Shown
from tracker.sources.picture_file import encoded
from tracker.sources.video_file import VideoFacts
from tracker.types import Image
from tracker.whole_files import part_of

AROUND = 1.0  # seconds kept before and after a flagged frame
DELAY = 0.5  # seconds that may pass until `Ring.around` is asked for a frame
MOST = 96 << 20  # bytes of frames before it, and as many after; less time is kept where they fill
FLAGS = 2  # moments that may wait for their second half at once


class Ring:
    """The last frames, and those of the second after a flag, in a bounded memory.

    At most MOST bytes for the past, and for each waiting flag that plus MOST for what follows:
    (1 + 2 FLAGS) MOST = 480 MiB. At 30 frames per second of 640 x 480 the past takes 40 MiB and a
    flag 26 MiB more for a second; at 1920 x 1080 the past is half a second in 96 MiB.
    """

    def __init__(self) -> None:
        """Empty."""
        self._changed = Condition()
        self._past: deque[Shown] = deque()
        self._held = 0
        self._open: list[_Collector] = []
        self._closed = False

    def add(self, shown: Shown) -> None:
        """The next frame. One thread."""
        with self._changed:
            self._past.append(shown)
            self._held += _size(shown)
            while len(self._past) > 1 and (
                self._held > MOST or shown.frame.t - self._past[0].frame.t > AROUND + DELAY
            ):
                self._held -= _size(self._past.popleft())
            for collector in self._open:
                collector.add(shown)
            self._changed.notify_all()

    def close(self) -> None:
        """No more frames will come; nobody waits for them any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def around(self, shown: Shown, patience: float) -> list[Shown]:
        """The frames around one, oldest first, of its size; waits for the later ones.

        At most `patience` seconds: then it has to do without them.
        """
        with self._collector(shown) as collector, self._changed:
            self._changed.wait_for(lambda: collector.full or self._closed, patience)
            frames = sorted(collector.frames, key=lambda s: s.serial)
        shape = _bgr(shown).shape
        return [s for s in frames if _bgr(s).shape == shape]

    @contextmanager
    def _collector(self, shown: Shown) -> Iterator[_Collector]:
        with self._changed:
            if len(self._open) >= FLAGS:
                raise UserError(
                    f"{FLAGS} moments are being flagged already; flag this one in a second"
                )
            collector = _Collector(shown)
            for earlier in self._past:
                collector.add(earlier)
            self._open.append(collector)
        try:
            yield collector
        finally:
            with self._changed:
                self._open.remove(collector)


class _Collector:
    """Frames around one."""

    def __init__(self, shown: Shown) -> None:
        self.frames = [shown]
        self.full = False
        self._shown, self._after = shown, 0

    def add(self, shown: Shown) -> None:
        dt = shown.frame.t - self._shown.frame.t
        if shown.serial > self._shown.serial:
            self._after += _size(shown)
            self.full |= dt >= AROUND or self._after > MOST
        if not self.full and abs(dt) <= AROUND and shown.serial != self._shown.serial:
            self.frames.append(shown)


def save_snapshot(folder: Path, shown: Shown, about: About) -> Path:
    """Write FOLDER/snapshot_<time>.png and a .json with its landmarks; the picture's path.

    With `about.style` the landmarks are drawn into it, else it is as it came. UserError when it
    cannot be written.
    """
    path = folder / f"snapshot_{_stamp()}.png"
    bgr = _bgr(shown)
    if about.style is not None:
        bgr = draw(bgr, shown.result.tracks, about.skeletons(), about.style)
    with ExitStack() as stack:
        picture = OutFile(path)
        stack.callback(picture.discard)
        data = OutFile(path.with_suffix(".json"))
        stack.callback(data.discard)
        _write_png(picture.temp, bgr)
        facts = _facts(shown, shown.frame.t)
        _write_json(data.temp, _header(about, shown) | {"picture": path.name} | facts)
        data.commit()
        picture.commit()
    return path


def save_flag(project: Path, shown: Shown, around: Sequence[Shown], about: About) -> Path:
    """Write PROJECT/flags/<time>/ as this module says; its path. `around` includes `shown`.

    UserError when it cannot be written, and then nothing is left of it.
    """
    if not project.is_dir():
        raise UserError(f"{project} is no folder; make it, or choose another project")
    flags = project / "flags"
    with writing(flags):
        flags.mkdir(exist_ok=True)
    folder = flags / _stamp()
    part = part_of(folder)
    with writing(part):
        part.mkdir()
    try:
        _write_flag(part, shown, around, about)
        with writing(folder):
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _write_flag(part: Path, shown: Shown, around: Sequence[Shown], about: About) -> None:
    start = around[0].frame.t
    number = next(i for i, s in enumerate(around) if s.serial == shown.serial)
    _write_png(part / "frame.png", _bgr(shown))
    bgr = _bgr(shown)
    form = VideoFacts((bgr.shape[1], bgr.shape[0]), TICK, Fraction(30), None, Fraction(1))
    with ExitStack() as stack:
        video = VideoWriter(OutFile(part / "clip.mp4"), form)
        stack.callback(video.discard)
        data = JsonLines(OutFile(part / "landmarks.jsonl"), _header(about, shown))
        stack.callback(data.discard)
        for i, s in enumerate(around):
            t = s.frame.t - start
            video.write(_bgr(s), t)
            data.row(i, t, s.result)
        video.finish()
        data.finish()
    facts = {
        "schema_version": SCHEMA_VERSION,
        "source": about.source,
        "time": time(),
        "frame": number,
        "clip_seconds": round(around[-1].frame.t - start, 6),
        "size_wh": [bgr.shape[1], bgr.shape[0]],
    }
    _write_json(part / "flag.json", facts | _facts(shown, shown.frame.t - start))


def _header(about: About, shown: Shown) -> dict[str, object]:
    size_wh = list(_bgr(shown).shape[1::-1])
    return header(about.models, source=about.source, size_wh=size_wh)


def _facts(shown: Shown, t: float) -> dict[str, object]:
    return {"t_s": round(t, 6), "tracks": [track_row(track) for track in shown.result.tracks]}


def _stamp() -> str:
    return f"{datetime.now():%Y%m%d_%H%M%S_%f}"[:-3]


def _bgr(shown: Shown) -> Image:
    assert shown.frame.bgr is not None  # the tracker saw it
    return shown.frame.bgr


def _size(shown: Shown) -> int:
    return _bgr(shown).nbytes


def _write_png(path: Path, bgr: Image) -> None:
    with writing(path):
        path.write_bytes(encoded(bgr, ".png", cv2.IMWRITE_PNG_COMPRESSION, 1))


def _write_json(path: Path, facts: Mapping[str, object]) -> None:
    text = json.dumps(facts, ensure_ascii=False, allow_nan=False)
    with writing(path):
        path.write_text(text + "\n", encoding="utf-8")
