"""Tiny clips made on the spot, and a fake tracker, for the tests of files in and out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from time import sleep

import av
import numpy as np
from numpy.typing import NDArray

from tracker.find.markups import find_markup
from tracker.find.model_file import Attribute, ModelInfo
from tracker.load import Loaded
from tracker.outputs.landmark_files import UsedModel
from tracker.result import Result
from tracker.timings import Timings
from tracker.types import Image, Kind, Pose, Side, Track

MS = Fraction(1, 1000)


@dataclass(frozen=True)
class Clip:
    """What to make. `times` are ticks of `time_base`; None: 25 frames per second."""

    frames: int = 12
    size_wh: tuple[int, int] = (96, 64)
    times: Sequence[int] | None = None
    time_base: Fraction = MS
    codec: str = "libx264"
    options: dict[str, str] = field(default_factory=dict)
    rotation: int = 0
    sound: str | None = None
    faststart: bool = False
    aspect: Fraction = Fraction(1)
    rate: Fraction = Fraction(25)


def picture(index: int, size_wh: tuple[int, int] = (96, 64)) -> Image:
    """Gray noise of frame `index`, with a red patch in the top left corner."""
    width, height = size_wh
    noise = np.random.default_rng(index).integers(60, 120, (height, width, 1), np.uint8)
    bgr = np.repeat(noise, 3, axis=2)
    bgr[: height // 4, : width // 4] = (0, 0, 255)
    return bgr


def make(path: Path, clip: Clip | None = None) -> Path:
    """Write a clip."""
    clip = clip or Clip()
    options = {"movflags": "+faststart"} if clip.faststart else {}
    with av.open(str(path), "w", options=options) as out:
        stream = out.add_stream(clip.codec, rate=clip.rate, options=clip.options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = clip.size_wh
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = clip.time_base
        stream.codec_context.sample_aspect_ratio = clip.aspect
        if clip.rotation:
            stream.set_display_rotation(clip.rotation)
        sound = out.add_stream(clip.sound, rate=48000) if clip.sound else None
        step = round(Fraction(1, 25) / clip.time_base)
        times = clip.times or [i * step for i in range(clip.frames)]
        for i, t in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(i, clip.size_wh), format="bgr24")
            frame.pts, frame.time_base = t, clip.time_base
            out.mux(stream.encode(frame))
        if isinstance(sound, av.AudioStream):
            seconds = float(times[-1] * clip.time_base) + 0.04
            out.mux([*sound.encode(tone(seconds)), *sound.encode(None)])
        out.mux(stream.encode(None))
    return path


def flat(path: Path, size_wh: tuple[int, int], frames: int) -> Path:
    """A gray clip of few bytes, however large its frames are."""
    with av.open(str(path), "w") as out:
        options = {"preset": "ultrafast", "tune": "zerolatency"}
        stream = out.add_stream("libx264", rate=25, options=options)
        (stream.width, stream.height), stream.pix_fmt = size_wh, "yuv420p"
        frame = av.VideoFrame(*size_wh, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([90]) * plane.buffer_size)
        for i in range(frames):
            frame.pts = i
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def tone(seconds: float) -> av.AudioFrame:
    """440 Hz."""
    t = np.arange(round(48000 * seconds)) / 48000
    wave = (8000 * np.sin(2 * np.pi * 440 * t)).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None], format="s16", layout="stereo")
    frame.sample_rate, frame.pts = 48000, 0
    return frame


def damage(path: Path, packets: Sequence[int]) -> Path:
    """Overwrite these packets (in the order they lie in the file) with zeros."""
    with av.open(str(path)) as container:
        places = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    for i in packets:
        start, size = places[i]
        assert start is not None
        data[start : start + size] = bytes(size)
    path.write_bytes(data)
    return path


def maul(path: Path, packets: Sequence[int]) -> Path:
    """Overwrite the second half of these packets with zeros: decoders conceal that."""
    with av.open(str(path)) as container:
        places = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    for i in packets:
        start, size = places[i]
        assert start is not None
        data[start + size // 2 : start + size] = bytes(size - size // 2)
    path.write_bytes(data)
    return path


def cut(path: Path, share: float) -> Path:
    """Keep only the first part of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def read(path: Path) -> tuple[list[Fraction], list[Image]]:
    """Time stamps (seconds, exact) and pictures of a video."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        assert stream.time_base is not None
        times = [(f.pts or 0) * stream.time_base for f in frames]
        return times, [np.asarray(f.to_ndarray(format="bgr24"), np.uint8) for f in frames]


def sound_of(path: Path) -> list[tuple[str, float]]:
    """Codec and seconds of each sound stream."""
    with av.open(str(path)) as container:
        found = []
        for stream in container.streams.audio:
            ends = [
                float((p.pts + (p.duration or 0)) * p.time_base)
                for p in container.demux(stream)
                if p.size and p.pts is not None
            ]
            found.append((stream.codec_context.codec.canonical_name, max(ends)))
            container.seek(0)
        return found


def hand_info(kind: Kind = "hand", count: int = 21) -> ModelInfo:
    """A model description."""
    names = tuple(f"p{i}" for i in range(count))
    edges = find_markup("hand21").edges if count == 21 else ()
    gesture = (Attribute("gesture", ("none", "fist")),) if kind == "hand" else ()
    return ModelInfo(
        kind, names, edges, (), gesture, "fake", 128, "rgb", (0.0,), (1.0,), 1.0,
        "Apache-2.0", "none", "0" * 64,
    )  # fmt: skip


USED = (
    UsedModel("hand.onnx", "a" * 64, hand_info(), "FakeProvider", 1),
    UsedModel("face.onnx", "b" * 64, hand_info("face", 68), "FakeProvider", 1),
)


def hand_xy(centre: tuple[float, float] = (40, 30), size: float = 16) -> NDArray[np.float32]:
    """21 landmarks of a hand whose wrist is below."""
    fan = [(0.0, 1.0)]
    for finger in range(5):
        for joint in range(4):
            fan.append(((finger - 2) * 0.3, 0.4 - 0.4 * joint))
    return (np.array(centre) + size * np.array(fan)).astype(np.float32)


def face_xy(centre: tuple[float, float] = (60, 30), size: float = 12) -> NDArray[np.float32]:
    """68 landmarks on a ring."""
    turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    return (np.array(centre) + size * np.stack([np.cos(turn), np.sin(turn)], 1)).astype(np.float32)


def track(kind: Kind = "hand", side: Side | None = "left", number: int = 1) -> Track:
    """A track to draw or to write."""
    xy = hand_xy() if kind == "hand" else face_xy()
    score = np.full(len(xy), 0.9, np.float32)
    pose = None if kind == "hand" else Pose(10.0, -5.0, 2.5)
    gesture = "fist" if kind == "hand" else None
    side = side if kind == "hand" else None
    return Track(number, kind, xy, xy + 1, score, 0.8, side, 0.97, gesture, 0.9, pose, 3)


class FakeTracker:
    """Sees the same hand and face in every frame; remembers the times it was given."""

    def __init__(self, sees: Sequence[Kind] = ("hand", "face"), delay: float = 0.0) -> None:
        self.timings = Timings()
        self.times: list[float] = []
        self.first: Image | None = None
        self._sees, self._delay = sees, delay

    def process(self, frame_bgr: Image, t: float) -> Result:
        assert not self.times or t > self.times[-1]
        self.times.append(t)
        self.first = frame_bgr if self.first is None else self.first
        with self.timings.stage("network"):
            sleep(self._delay)
        self.timings.frames += 1
        return Result(t, tuple(track(kind, number=i + 1) for i, kind in enumerate(self._sees)))


def loaded(sees: Sequence[Kind] = ("hand", "face"), delay: float = 0.0) -> Loaded:
    """What `load` gives, without networks."""
    return Loaded(lambda: FakeTracker(sees, delay), USED)
