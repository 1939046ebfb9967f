"""Written videos: what players and browsers need, times to the tick, and the sound."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.helpers import clips
from tests.helpers.clips import Clip
from tracker.errors import UserError
from tracker.outputs.out_file import LiveFile, OutFile
from tracker.outputs.video_writer import VideoWriter, remux
from tracker.sources.video_file import VideoFacts, VideoReader

FACTS = VideoFacts((96, 64), clips.MS, Fraction(25), None, Fraction(1))


def copy(source: Path, target: Path, frames: int | None = None) -> VideoWriter:
    """Read and write again, unchanged."""
    with closing(VideoReader(source)) as reader:
        writer = VideoWriter(OutFile(target), reader.facts, source)
        for frame in reader.frames():
            if frame.index == frames:
                break
            assert frame.bgr is not None
            writer.write(frame.bgr, frame.t)
        writer.finish(whole=frames is None)
    return writer


@pytest.mark.parametrize("base", [clips.MS, Fraction(1, 90000), Fraction(1001, 30000)])
@pytest.mark.parametrize("name", ["b.mp4", "b.mov", "b.m4v"])
def test_times_to_the_tick(tmp_path: Path, base: Fraction, name: str) -> None:
    step = max(1, round(Fraction(1, 100) / base))
    times = [step * i for i in (0, 3, 4, 5, 11, 12, 60)]
    source = clips.make(tmp_path / "a.mp4", Clip(times=times, time_base=base))
    copy(source, tmp_path / name)
    wanted, _ = clips.read(source)
    assert wanted == [t * base for t in times]
    assert clips.read(tmp_path / name)[0] == wanted


def test_times_of_one_tick(tmp_path: Path) -> None:
    """Two frames of 16.7 and 17 ms, in milliseconds: the second is put off by a tick."""
    writer = VideoWriter(OutFile(tmp_path / "a.mp4"), FACTS)
    for i, t in enumerate((0.0, 0.0167, 0.017, 0.033)):
        writer.write(clips.picture(i), t)
    writer.finish()
    times, _ = clips.read(tmp_path / "a.mp4")
    assert times == [0, 17 * clips.MS, 18 * clips.MS, 33 * clips.MS]


def test_browsers_can_play_it(tmp_path: Path) -> None:
    copy(clips.make(tmp_path / "a.mp4"), tmp_path / "b.mp4")
    data = (tmp_path / "b.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "index first, so that it plays while loading"
    with av.open(str(tmp_path / "b.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert stream.codec_context.colorspace == stream.codec_context.color_primaries == 1


def test_colours_survive(tmp_path: Path) -> None:
    patches = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 180, 40)]
    bgr = np.zeros((64, 96, 3), np.uint8)
    for i, colour in enumerate(patches):
        bgr[:, 24 * i : 24 * i + 24] = colour
    writer = VideoWriter(OutFile(tmp_path / "b.mp4"), FACTS)
    writer.write(bgr, 0.0)
    writer.finish()
    with closing(VideoReader(tmp_path / "b.mp4")) as reader:
        seen = next(reader.frames()).bgr
    assert seen is not None
    for i, colour in enumerate(patches):
        assert np.abs(seen[32, 24 * i + 12].astype(int) - colour).max() <= 8


def test_odd_size_is_padded_and_nothing_moves(tmp_path: Path) -> None:
    bgr = np.full((63, 95, 3), 40, np.uint8)
    bgr[20:24, 30:34] = 250
    facts = VideoFacts((95, 63), clips.MS, Fraction(25), None, Fraction(1))
    writer = VideoWriter(OutFile(tmp_path / "b.mp4"), facts)
    writer.write(bgr, 0.0)
    writer.finish()
    _, (picture,) = clips.read(tmp_path / "b.mp4")
    assert picture.shape == (64, 96, 3)
    rows, columns = np.nonzero(picture[:, :, 0] > 150)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (20, 23, 30, 33)
    assert np.abs(picture[63].astype(int) - 40).max() < 12


def test_pixel_aspect_is_kept(tmp_path: Path) -> None:
    copy(clips.make(tmp_path / "a.mp4", Clip(aspect=Fraction(4, 3))), tmp_path / "b.mp4")
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


@pytest.mark.parametrize(
    ("name", "codec", "target", "becomes", "words"),
    [
        ("a.mp4", "aac", "b.mp4", "aac", "copied"),
        ("a.ts", "aac", "b.mp4", "aac", "copied"),
        ("a.mkv", "libopus", "b.mp4", "opus", "copied"),
        ("a.mkv", "flac", "b.mp4", "flac", "copied"),
        ("a.mkv", "pcm_s16le", "b.mp4", "aac", "converted from pcm_s16le to AAC"),
        ("a.mov", "pcm_s16le", "b.mkv", "pcm_s16le", "copied"),
    ],
)
def test_sound(
    tmp_path: Path, name: str, codec: str, target: str, becomes: str, words: str
) -> None:
    base = Fraction(1, 90000) if name == "a.ts" else clips.MS
    clip = Clip(frames=50, sound=codec, time_base=base)
    writer = copy(clips.make(tmp_path / name, clip), tmp_path / target)
    ((found, seconds),) = clips.sound_of(tmp_path / target)
    assert found == becomes and seconds == pytest.approx(2.0, abs=0.06)
    assert writer.sound_note is not None and words in writer.sound_note


def test_copied_sound_is_the_same_bytes(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "a.mp4", Clip(frames=25, sound="aac"))
    copy(source, tmp_path / "b.mp4")
    packets = []
    for path in (source, tmp_path / "b.mp4"):
        with av.open(str(path)) as container:
            packets.append([(p.pts, bytes(p)) for p in container.demux(audio=0) if p.size])
    assert packets[0] == packets[1] and len(packets[0]) > 20


def test_sound_ends_with_an_interrupted_picture(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "a.mp4", Clip(frames=100, sound="aac"))
    copy(source, tmp_path / "b.mp4", frames=25)
    ((_, seconds),) = clips.sound_of(tmp_path / "b.mp4")
    assert seconds == pytest.approx(1.0, abs=0.06)


def test_no_sound_no_note(tmp_path: Path) -> None:
    assert copy(clips.make(tmp_path / "a.mp4"), tmp_path / "b.mp4").sound_note is None


def test_discard_leaves_nothing(tmp_path: Path) -> None:
    writer = VideoWriter(OutFile(tmp_path / "b.mp4"), FACTS)
    writer.write(clips.picture(0), 0.0)
    writer.discard()
    assert list(tmp_path.iterdir()) == []


def test_remux_keeps_every_picture_and_its_time(tmp_path: Path) -> None:
    writer = VideoWriter(OutFile(tmp_path / "a.mkv"), FACTS, live=True)
    for i, t in enumerate((0.0, 0.04, 0.05, 0.31)):
        writer.write(clips.picture(i), t)
    writer.finish()
    remux(tmp_path / "a.mkv", OutFile(tmp_path / "b.mp4"))
    before, after = clips.read(tmp_path / "a.mkv"), clips.read(tmp_path / "b.mp4")
    assert before[0] == after[0] == [Fraction(i, 1000) for i in (0, 40, 50, 310)]
    assert all(np.array_equal(a, b) for a, b in zip(before[1], after[1], strict=True))
    data = (tmp_path / "b.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_a_live_file_can_be_played_from_its_second_frame_on(tmp_path: Path) -> None:
    facts = VideoFacts((96, 64), clips.MS, Fraction(30), None, Fraction(1))
    writer = VideoWriter(LiveFile(tmp_path / "a.mkv"), facts, live=True)
    for i in range(4):
        writer.write(clips.picture(i), i / 30)
        if i:
            assert len(clips.read(tmp_path / "a.mkv")[0]) == i, "all but the newest"
    writer.finish()
    assert len(clips.read(tmp_path / "a.mkv")[0]) == 4


def test_remux_of_nonsense_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.mkv").write_bytes(b"nonsense")
    with pytest.raises(UserError):
        remux(tmp_path / "a.mkv", OutFile(tmp_path / "b.mp4"))
    assert [p.name for p in tmp_path.iterdir()] == ["a.mkv"]


def test_unknown_container_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"\.mp4, \.m4v, \.mov, \.mkv"):
        VideoWriter(OutFile(tmp_path / "b.webm"), FACTS)
