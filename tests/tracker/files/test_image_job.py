"""Pictures: upright, annotated, refused in one sentence."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.helpers import clips
from tests.helpers.clips import FakeTracker
from tracker.errors import UserError
from tracker.files.image_job import ImageJob, annotate_image, read_image, run_images


def exif(orientation: int) -> bytes:
    """An APP1 segment that holds nothing but the orientation."""
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    body = b"Exif\0\0" + b"II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0)
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def jpg(path: Path, orientation: int = 1) -> Path:
    ok, data = cv2.imencode(".jpg", clips.picture(0))
    assert ok
    raw = data.tobytes()
    path.write_bytes(raw[:2] + exif(orientation) + raw[2:])
    return path


@pytest.mark.parametrize(
    ("orientation", "corner"), [(1, (0, 0)), (3, (-1, -1)), (6, (0, -1)), (8, (-1, 0))]
)
def test_exif_orientation(tmp_path: Path, orientation: int, corner: tuple[int, int]) -> None:
    bgr = read_image(jpg(tmp_path / "a.jpg", orientation))
    assert bgr.shape[:2] == ((96, 64) if orientation in (6, 8) else (64, 96))
    corners = {(y, x): bgr[y, x, 2] > 200 for y in (0, -1) for x in (0, -1)}
    assert [place for place, red in corners.items() if red] == [corner]


def test_annotated_picture(tmp_path: Path) -> None:
    source = jpg(tmp_path / "a.jpg")
    bgr, result = annotate_image(ImageJob(source, tmp_path / "o.png"), FakeTracker(), clips.USED)
    drawn = cv2.imread(str(tmp_path / "o.png"))
    assert drawn is not None and drawn.shape == bgr.shape
    assert (drawn != bgr).any() and len(result.tracks) == 2
    assert {p.name for p in tmp_path.iterdir()} == {"a.jpg", "o.png"}


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_cut_off_picture_is_refused(
    tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / f"a{suffix}"
    cv2.imwrite(str(source), clips.picture(0))
    with pytest.raises(UserError, match="is cut off; copy it again"):
        read_image(clips.cut(source, 0.7))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_a_damaged_picture_is_refused_in_one_sentence(
    tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / f"a{suffix}"
    cv2.imwrite(str(source), clips.picture(0))
    data = source.read_bytes()
    source.write_bytes(data[:20] + bytes(200) + data[220:])
    with pytest.raises(UserError, match="no picture known here"):
        read_image(source)
    assert capfd.readouterr().err == ""


def test_gray_and_transparent_pictures(tmp_path: Path) -> None:
    for name, shape in (("g.png", (8, 8)), ("t.png", (8, 8, 4))):
        cv2.imwrite(str(tmp_path / name), np.full(shape, 200, np.uint8))
        assert read_image(tmp_path / name).shape == (8, 8, 3)


@pytest.mark.parametrize(
    ("data", "words"), [(None, "does not exist"), (b"", "is empty"), (b"text", "no picture")]
)
def test_what_is_no_picture(tmp_path: Path, data: bytes | None, words: str) -> None:
    if data is not None:
        (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(UserError, match=words):
        read_image(tmp_path / "a.png")


def test_outputs_are_guarded(tmp_path: Path) -> None:
    source = jpg(tmp_path / "a.jpg")
    (tmp_path / "old.png").write_text("old")
    for out, words in (("a.jpg", "input itself"), ("old.png", "--overwrite"), ("o.xyz", "ends in")):
        with pytest.raises(UserError, match=words):
            annotate_image(ImageJob(source, tmp_path / out), FakeTracker(), clips.USED)
    assert (tmp_path / "old.png").read_text() == "old"


def test_each_picture_gets_a_fresh_tracker(tmp_path: Path) -> None:
    jobs = [ImageJob(jpg(tmp_path / f"{i}.jpg"), None) for i in range(3)]
    outcomes = list(run_images(jobs, clips.loaded(), None))
    assert [(o.seen, o.error) for o in outcomes] == [({"hand": 1, "face": 1}, None)] * 3


def test_data_behind_the_picture_do_not_matter(tmp_path: Path) -> None:
    # As in the motion photos of phones: a film follows the picture in the same file.
    source = jpg(tmp_path / "a.jpg")
    source.write_bytes(source.read_bytes() + bytes(100_000))
    assert read_image(source).shape == (64, 96, 3)
