"""Reading videos: times, orientation, gaps, and one sentence for what is no video."""

from __future__ import annotations

import gc
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.helpers import clips
from tests.helpers.clips import Clip
from tracker.errors import UserError
from tracker.sources import pixel_limit
from tracker.sources.video_file import Timeline, VideoReader, orient
from tracker.types import Frame


def read(path: Path) -> tuple[VideoReader, list[Frame]]:
    with closing(VideoReader(path)) as reader:
        return reader, list(reader.frames())


def test_every_frame_once_with_its_own_time(tmp_path: Path) -> None:
    times = [0, 33, 50, 121, 122, 300, 1000]
    _, frames = read(clips.make(tmp_path / "vfr.mp4", Clip(times=times)))
    assert [f.index for f in frames] == list(range(7))
    assert [f.t for f in frames] == [t / 1000 for t in times]


def test_a_stamp_that_repeats_shifts_no_frame_after_it(tmp_path: Path) -> None:
    """At 60 frames a second the repeated one goes half a frame, 8.33 ms, on."""
    stamps = [0, 0, 17, 33, 50, 50, 67, 83]  # ms
    source = clips.make(tmp_path / "a.mp4", Clip(frames=8, options={"bf": "0"}))
    with av.open(str(source)) as old, av.open(str(tmp_path / "a.mkv"), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        packets = [packet for packet in old.demux(video=0) if packet.size]
        for packet, stamp in zip(packets, stamps, strict=True):
            packet.pts = packet.dts = stamp
            packet.time_base, packet.stream = clips.MS, stream
            new.mux(packet)
    reader, frames = read(tmp_path / "a.mkv")
    half = 500 / float(reader.facts.rate)
    wanted = [0, half, 17, 33, 50, 50 + half, 67, 83]
    assert [1000 * f.t for f in frames] == pytest.approx(wanted) and half < 17


def test_frames_are_bgr_and_in_order(tmp_path: Path) -> None:
    _, frames = read(clips.make(tmp_path / "a.mp4", Clip(options={"crf": "5"})))
    for i, frame in enumerate(frames):
        assert frame.bgr is not None and frame.bgr.flags.c_contiguous
        assert np.abs(frame.bgr.astype(int) - clips.picture(i)).mean() < 12
        assert frame.bgr[4, 4, 2] > 200 > 60 > frame.bgr[4, 4, 0]


def test_facts(tmp_path: Path) -> None:
    clip = Clip(
        time_base=Fraction(1001, 30000),
        times=list(range(10)),
        aspect=Fraction(4, 3),
        rate=Fraction(30000, 1001),
    )
    with closing(VideoReader(clips.make(tmp_path / "a.mp4", clip))) as reader:
        facts = reader.facts
    assert facts.size_wh == (96, 64)
    assert facts.rate == Fraction(30000, 1001)
    assert facts.frames == 10
    assert facts.pixel_aspect == Fraction(4, 3)
    # Any frame time must be a whole number of ticks.
    assert Fraction(1001, 30000) / facts.time_base % 1 == 0


@pytest.mark.parametrize(
    ("rotation", "corner"), [(90, (-1, 0)), (-90, (0, -1)), (180, (-1, -1)), (0, (0, 0))]
)
def test_rotated_video_is_upright(tmp_path: Path, rotation: int, corner: tuple[int, int]) -> None:
    # `rotation` turns the stored picture counterclockwise; its red patch is at the top left.
    clip = Clip(rotation=rotation, aspect=Fraction(2))
    reader, frames = read(clips.make(tmp_path / "r.mp4", clip))
    sideways = rotation in (90, -90)
    assert reader.facts.size_wh == ((64, 96) if sideways else (96, 64))
    assert reader.facts.pixel_aspect == (Fraction(1, 2) if sideways else 2)
    bgr = frames[0].bgr
    assert bgr is not None and bgr.flags.c_contiguous
    corners = {(y, x): bgr[y, x, 2] > 200 for y in (0, -1) for x in (0, -1)}
    assert [place for place, red in corners.items() if red] == [corner]


def test_orient_mirrors() -> None:
    pixels = np.arange(6, dtype=np.uint8).reshape(1, 2, 3)
    assert orient(pixels, np.array([[-1, 0], [0, 1]])).tolist() == [[[3, 4, 5], [0, 1, 2]]]


def test_time_starts_with_the_container(tmp_path: Path) -> None:
    _, frames = read(clips.make(tmp_path / "a.ts", Clip(time_base=Fraction(1, 90000))))
    assert [round(f.t, 6) for f in frames] == [round(i / 25, 6) for i in range(12)]


@pytest.mark.parametrize("name", ["a.avi", "a.mkv", "a.mov", "a.flv", "a.ts"])
def test_containers(tmp_path: Path, name: str) -> None:
    clip = Clip(time_base=Fraction(1, 25) if name == "a.avi" else clips.MS)
    reader, frames = read(clips.make(tmp_path / name, clip))
    assert len(frames) == 12 and reader.gaps == 0 and reader.cut_off is None
    assert not any(f.damaged or f.missing for f in frames)
    assert np.allclose(np.diff([f.t for f in frames]), 0.04, atol=1e-3)


@pytest.mark.parametrize("name", ["a.mkv", "a.flv"])
def test_a_slow_film_that_is_whole_is_not_cut_off(tmp_path: Path, name: str) -> None:
    """At one frame a second the last one is shown two seconds after it is to be decoded."""
    clip = Clip(times=[1000 * i for i in range(12)], rate=Fraction(1), options={"bf": "3"})
    reader, frames = read(clips.make(tmp_path / name, clip))
    assert len(frames) == 12 and reader.cut_off is None


def test_damaged_frames_are_gaps_in_their_places(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "a.mp4", Clip(options={"bf": "0"}))
    reader, frames = read(clips.damage(path, [5, 6]))
    assert [f.index for f in frames if f.bgr is None] == [5, 6]
    assert [round(f.t, 3) for f in frames] == [round(i / 25, 3) for i in range(12)]
    assert reader.gaps == 2


def test_damaged_frames_among_reordered_ones(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "a.mp4", Clip(frames=40, options={"bf": "3"}))
    reader, frames = read(clips.damage(path, [10, 11, 12]))
    assert len(frames) == 40 and reader.gaps == 3
    assert [round(f.t, 3) for f in frames] == [round(i / 25, 3) for i in range(40)]


def test_what_the_decoder_complains_of_is_marked(tmp_path: Path) -> None:
    """It conceals what it cannot decode, and gives 24 pictures of 24 packets."""
    path = clips.make(tmp_path / "a.mp4", Clip(frames=24, options={"bf": "0"}))
    _, whole = read(path)
    assert not any(f.damaged or f.missing for f in whole)
    reader, frames = read(clips.maul(path, range(1, 24, 2)))
    assert len(frames) == 24 and reader.gaps == 0
    assert [f.index for f in frames if f.damaged] == list(range(1, 24, 2))


def test_frames_that_a_damaged_file_lost_are_counted(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "a.mkv", Clip(frames=60, options={"bf": "0"}))
    with av.open(str(path)) as container:
        places = [p.pos for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    data[places[30] : places[37]] = bytes(places[37] - places[30])
    path.write_bytes(data)
    reader, frames = read(path)
    (hole,) = [f for f in frames if f.missing]
    assert hole.missing == 60 - len(frames) >= 7 and reader.gaps == 0
    assert round(hole.t - frames[hole.index - 1].t, 3) == round((hole.missing + 1) / 25, 3)


def test_uneven_times_are_no_holes_in_a_whole_file(tmp_path: Path) -> None:
    times = [40 * i for i in range(30)] + [1500 + 40 * i for i in range(30)]
    _, frames = read(clips.make(tmp_path / "a.mkv", Clip(times=times)))
    assert len(frames) == 60 and not any(f.missing for f in frames)


def test_what_hangs_on_a_damaged_key_frame_is_a_gap(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "a.mp4", Clip(frames=20, options={"g": "10"}))
    reader, frames = read(clips.damage(path, [0]))
    lost = [f.bgr is None for f in frames]
    assert lost == sorted(lost, reverse=True) and 8 <= sum(lost) <= 10
    assert [round(f.t, 3) for f in frames] == [round(i / 25, 3) for i in range(20)]
    assert reader.gaps == sum(lost)


def test_cut_off_mp4_gives_what_is_there_and_says_what_is_not(tmp_path: Path) -> None:
    path = clips.cut(clips.make(tmp_path / "a.mp4", Clip(frames=40, faststart=True)), 0.6)
    reader, frames = read(path)
    assert reader.cut_off is not None and reader.cut_off > 5
    assert len(frames) + reader.cut_off == 40


@pytest.mark.parametrize("name", ["a.mkv", "a.flv", "a.avi"])
def test_other_cut_off_files_are_noticed(tmp_path: Path, name: str) -> None:
    clip = Clip(
        frames=60, codec="libx264", time_base=Fraction(1, 25) if "avi" in name else clips.MS
    )
    reader, frames = read(clips.cut(clips.make(tmp_path / name, clip), 0.5))
    assert 0 < len(frames) < 60
    assert reader.cut_off is not None


def test_whole_files_are_not_called_cut_off(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.mkv"):
        reader, _ = read(clips.make(tmp_path / name, Clip(sound="aac", frames=50)))
        assert reader.cut_off is None


def test_another_size_in_the_middle_is_brought_to_the_first(tmp_path: Path) -> None:
    one = clips.make(tmp_path / "a.ts", Clip(time_base=Fraction(1, 90000)))
    two = clips.make(
        tmp_path / "b.ts",
        Clip(
            size_wh=(128, 96), times=[3600 * i for i in range(12, 24)], time_base=Fraction(1, 90000)
        ),
    )
    both = tmp_path / "both.ts"
    both.write_bytes(one.read_bytes() + two.read_bytes())
    reader, frames = read(both)
    assert reader.facts.size_wh == (96, 64)
    assert reader.resized > 0
    assert all(f.bgr is not None and f.bgr.shape == (64, 96, 3) for f in frames)
    times = [f.t for f in frames]
    assert times == sorted(set(times))


def png(path: Path) -> Path:
    cv2.imwrite(str(path), clips.picture(0))
    return path


def no_index(path: Path) -> Path:
    return clips.cut(clips.make(path), 0.5)


def only_sound(path: Path) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=48000)
        assert isinstance(stream, av.AudioStream)
        out.mux([*stream.encode(clips.tone(0.2)), *stream.encode(None)])
    return path


def nothing_decodes(path: Path) -> Path:
    clips.make(path)
    return clips.damage(path, list(range(12)))


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "maker", "words"),
    [
        ("a.mp4", lambda p: p, "does not exist"),
        ("a.mp4", lambda p: written(p, b""), "is empty"),
        ("a.mp4", lambda p: written(p, b"\x07 no video" * 500), "no video that this program knows"),
        ("a.txt", lambda p: written(p, b"hello\n" * 500), "no video"),
        ("a.mp4", no_index, "index is missing"),
        ("a.mp4", only_sound, "holds no video"),
        ("a.mp4", nothing_decodes, "no frame"),
        ("a.png", png, "use 'tracker image'"),
        ("a", lambda p: (p.mkdir(), p)[1], "is a folder"),
    ],
)
def test_what_is_no_video_is_said_in_one_sentence(
    tmp_path: Path, name: str, maker: object, words: str
) -> None:
    assert callable(maker)
    path = maker(tmp_path / name)
    with pytest.raises(UserError, match=words) as caught:
        VideoReader(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


CONCAT = "ffconcat version 1.0\nfile secret.mkv\n"
HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nsecret.mkv\n#EXT-X-ENDLIST\n"
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n"


def of_pixels(path: Path, codec: str, pixels: str, size_wh: tuple[int, int] = (128, 96)) -> Path:
    """Three gray frames whose pixels are of this kind."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=10)
        assert isinstance(stream, av.VideoStream)
        (stream.width, stream.height), stream.pix_fmt = size_wh, pixels
        gray = np.full((size_wh[1], size_wh[0], 3), 90, np.uint8)
        for pts in range(3):
            picture = av.VideoFrame.from_ndarray(gray, format="rgb24")
            picture.pts = pts
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    return path


@pytest.fixture
def low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual limits of pixels, 300 times lower: 120,000, and 51,062 in tiny files."""
    for name in (pixel_limit.LIMIT, pixel_limit.FRAMES):
        monkeypatch.setenv(name, "")  # so that whatever is set here is taken back
        monkeypatch.delenv(name)
    for name in ("USUAL_OF_FRAMES", "DEEP_BITS", "DECODER"):
        monkeypatch.setattr(pixel_limit, name, getattr(pixel_limit, name) // 300)


@pytest.mark.usefixtures("low_limits")
def test_frames_of_small_files_that_take_much_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def clip(codec: str, pixels: str) -> Path:
        return of_pixels(tmp_path / f"{codec}_{pixels}.mkv", codec, pixels, (256, 144))  # 36,864

    assert len(read(clip("libx264", "yuv420p"))[1]) == 3
    with pytest.raises(UserError, match=r"larger than 0\.03142 million pixels; .*--max-megapix"):
        read(clip("libx264", "yuv420p10le"))
    with pytest.raises(UserError, match=r"larger than 0\.015 million"):
        read(clip("prores_ks", "yuva444p10le"))  # 288 / 300 / 64 bits, one frame at a time
    monkeypatch.setattr(pixel_limit, "TINY_FILE", 0)
    assert len(read(clip("libx264", "yuv420p10le"))[1]) == 3, "40,000 are allowed"
    with pytest.raises(UserError, match=r"larger than 0\.04 million"):
        read(of_pixels(tmp_path / "a.mkv", "libx264", "yuv420p10le", (256, 160)))
    monkeypatch.setattr(pixel_limit, "SMALL_FILE", 0)
    assert len(read(clip("prores_ks", "yuva444p10le"))[1]) == 3, "a camera's own file"


@pytest.mark.usefixtures("low_limits")
@pytest.mark.parametrize(
    ("codec", "suffix"),
    [
        ("libx264", ".mp4"),
        ("libx264", ".h264"),
        ("libx265", ".mkv"),
        ("libvpx-vp9", ".webm"),
        ("mpeg4", ".avi"),
    ],
)
def test_a_frame_just_within_the_limit_is_read_and_one_just_above_is_told_so(
    tmp_path: Path, codec: str, suffix: str
) -> None:
    """A decoder rounds a width up to 64 pixels: it would refuse 51,000 itself, without a reason."""
    below = of_pixels(tmp_path / f"below{suffix}", codec, "yuv420p", (204, 250))
    assert len(read(below)[1]) == 3
    above = of_pixels(tmp_path / f"above{suffix}", codec, "yuv420p", (204, 252))  # 51,408
    with pytest.raises(UserError, match=r"larger than 0\.05106 million pixels"):
        read(above)


@pytest.mark.usefixtures("low_limits")
@pytest.mark.parametrize(
    ("pixels", "size_wh"), [("yuv444p10le", (204, 250)), ("yuv420p", (224, 250))]
)
def test_frames_that_grow_on_the_way_are_refused(
    tmp_path: Path, pixels: str, size_wh: tuple[int, int]
) -> None:
    """The first frame says nothing of those that follow."""
    first = of_pixels(tmp_path / "first.h264", "libx264", "yuv420p", (204, 250))
    second = of_pixels(tmp_path / "second.h264", "libx264", pixels, size_wh)
    both = written(tmp_path / "both.h264", first.read_bytes() + second.read_bytes())
    with pytest.raises(UserError, match="has frames that are larger than"):
        read(both)


@pytest.mark.parametrize("text", [CONCAT, HLS, SDP])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_a_playlist_reaches_no_other_file(tmp_path: Path, name: str, text: str) -> None:
    clips.make(tmp_path / "secret.mkv")
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match="no video that this program knows"):
        VideoReader(tmp_path / name)


def test_name_with_a_colon_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clips.make(tmp_path / "a.mp4").rename(tmp_path / "http:x.mp4")
    monkeypatch.chdir(tmp_path)
    assert len(read(Path("http:x.mp4"))[1]) == 12


def test_pictures_are_freed_at_once(tmp_path: Path) -> None:
    """Without the garbage collector, which lets hundreds of MB pile up before it looks."""
    path = clips.make(tmp_path / "a.mp4", Clip(frames=40, rotation=90))
    gc.collect()
    gc.disable()
    try:
        reader, _ = read(path)
        for _ in range(5):
            reader = VideoReader(path, reader)
            assert next(reader.frames()).bgr is not None
            reader.close()
        del reader
        alive = sum(type(thing) is av.VideoFrame for thing in gc.get_objects())
    finally:
        gc.enable()
    assert alive <= 2


def run(line: Timeline, events: str) -> list[tuple[list[int], int | None]]:
    """'s3' a packet of stamp 3 goes in, 'f3' it fails, 'p3' picture 3 comes out."""
    out = []
    for event in events.split():
        stamp = int(event[1:])
        if event[0] == "s":
            line.sent(stamp)
        elif event[0] == "f":
            line.failed(stamp)
        else:
            out.append(line.shown(stamp))
    return out


def test_reordered_pictures_are_no_loss() -> None:
    line = Timeline()
    assert run(line, "s0 s3 s1 p0 s2 p1 p2 p3") == [([], 0), ([], 1), ([], 2), ([], 3)]
    assert line.rest() == []


def test_failed_packet_is_lost_at_its_place() -> None:
    line = Timeline()
    assert run(line, "s0 p0 s3 s1 f1 s2 p2 p3") == [([], 0), ([1], 2), ([], 3)]


def test_silence_after_a_failure_is_loss() -> None:
    # A key picture fails, and the decoder drops what hangs on it without another word.
    line = Timeline()
    assert run(line, "s0 f0 s1 s2 s3 p3") == [([0, 1, 2], 3)]
    run(line, "s4 s5")
    assert line.rest() == [4, 5]


def test_silence_without_failure_is_normal() -> None:
    # Single fields: every other packet gives no picture of its own, also after a failure.
    line = Timeline()
    assert run(line, "s0 s1 p0 s2 s3 p2 s4 f4 s5 s6 s7 p6") == [([], 0), ([], 2), ([4], 6)]
    assert line.rest() == []


def test_pictures_of_a_group_before_the_file_are_no_gap() -> None:
    line = Timeline()
    assert run(line, "s5 s3 s4 p5 s6 f6 s7 s8 p8") == [([], 5), ([6, 7], 8)]


def test_decode_order_gives_the_nth_picture_the_nth_stamp() -> None:
    # As AVI stamps H.264: stamps rise with the packets, pictures carry the wrong ones.
    line = Timeline(decode_order=True)
    assert run(line, "s1 s2 s3 p1 s4 p3 p4 p2") == [([], 1), ([], 2), ([], 3), ([], 4)]


def test_decode_order_places_a_failure_between_its_neighbours() -> None:
    line = Timeline(decode_order=True)
    assert run(line, "s1 s2 f2 s3 p0 p0") == [([], 1), ([2], 3)]


def test_stamps_that_go_back_are_taken_as_decode_order() -> None:
    line = Timeline()
    assert run(line, "s1 p1 s2 s3 p3 p2") == [([], 1), ([], 3), ([], 2)]
    assert run(line, "s4 s5 p5 p4") == [([], 4), ([], 5)]
