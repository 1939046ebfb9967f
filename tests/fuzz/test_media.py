"""Clips and pictures, bent: frames and pixels as announced, or one sentence."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction
from pathlib import Path

import cv2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.strategies import bent_bytes, quietly
from tests.helpers import bombs, clips
from tests.helpers.clips import Clip
from tracker.errors import UserError
from tracker.files.image_job import read_image
from tracker.outputs.out_file import OutFile
from tracker.outputs.video_writer import VideoWriter
from tracker.sources.video_file import VideoReader

CLIPS = {
    "a.mp4": "libx264", "b.mkv": "libx264", "c.ts": "mpeg2video", "d.avi": "mpeg4",
    "e.webm": "libvpx-vp9", "f.mkv": "ffv1", "g.flv": "libx264", "h.mpg": "mpeg2video",
}  # fmt: skip
PICTURES = (".png", ".jpg", ".webp", ".tif", ".bmp")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A whole file of each kind."""
    folder = tmp_path_factory.mktemp("media")
    for name, codec in CLIPS.items():
        options = {"deadline": "realtime", "cpu-used": "8"} if codec == "libvpx-vp9" else {}
        tone = "aac" if name in ("a.mp4", "b.mkv", "g.flv") else None
        clip = Clip(6, codec=codec, options=options, sound=tone, time_base=Fraction(1, 25))
        clips.make(folder / name, clip)
    for suffix in PICTURES:
        cv2.imwrite(str(folder / f"p{suffix}"), clips.picture(0))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def copied(source: Path, target: Path) -> None:
    """What `tracker video` does with a file, but for the landmarks."""
    with closing(VideoReader(source)) as reader:
        writer = VideoWriter(OutFile(target), reader.facts, source)
        try:
            last = -1.0
            for index, frame in enumerate(reader.frames()):
                assert frame.index == index and frame.t > last, "each once, and times rise"
                last = frame.t
                if frame.bgr is not None:
                    assert frame.bgr.shape[1::-1] == reader.facts.size_wh
                    writer.write(frame.bgr, frame.t)
            writer.finish()
        except BaseException:
            writer.discard()
            raise


@pytest.mark.parametrize("name", CLIPS)
@given(data=st.data())
def test_clips(name: str, data: st.DataObject, sound: dict[str, bytes], tmp_path: Path) -> None:
    source, target = tmp_path / name, tmp_path / "out.mp4"
    source.write_bytes(data.draw(bent_bytes(sound[name])))
    target.unlink(missing_ok=True)
    quietly(lambda: copied(source, target), UserError)
    assert {p.name for p in tmp_path.iterdir()} <= {name, "out.mp4"}, "a part was left"


@pytest.mark.parametrize("suffix", PICTURES)
@given(data=st.data())
def test_pictures(
    suffix: str, data: st.DataObject, sound: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / f"p{suffix}"
    path.write_bytes(data.draw(bent_bytes(sound[path.name])))
    quietly(lambda: read_image(path), UserError)


@pytest.mark.parametrize("make", [bombs.png, bombs.tiff, bombs.gif, bombs.ffv1])
def test_what_announces_gigabytes(make: object, tmp_path: Path) -> None:
    assert callable(make)
    suffix = {bombs.png: ".png", bombs.tiff: ".tif", bombs.gif: ".gif", bombs.ffv1: ".mkv"}[make]
    path = make(tmp_path / f"a{suffix}")
    is_video = suffix in (".gif", ".mkv")
    with pytest.raises(UserError, match=f"larger than {36 if is_video else 100} million pixels"):
        (VideoReader if is_video else read_image)(path)
