"""A video as an iterator of frames and results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.helpers import clips
from tests.helpers.drawn import BlobEngine, blob_info
from tracker import Tracker, TrackerConfig, UserError
from tracker.find.locate import Model
from tracker.sources.video_file import VideoReader


def tracker() -> Tracker:
    config = TrackerConfig(hands=False, faces=False, objects=True)
    return Tracker(config, {"object": Model(BlobEngine(), blob_info())})


def test_every_frame_once_with_its_time(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "in.mp4", clips.Clip(times=(0, 40, 100, 360)))
    told: list[tuple[int, int | None]] = []
    seen = list(tracker().video(path, lambda done, total: told.append((done, total))))
    assert [frame.t for frame, _ in seen] == pytest.approx([0, 0.04, 0.1, 0.36])
    assert [result.t for _, result in seen] == [frame.t for frame, _ in seen]
    for (frame, _), known in zip(seen, VideoReader(path).frames(), strict=True):
        assert np.array_equal(frame.bgr, known.bgr)
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_gap_has_no_picture_and_no_track(tmp_path: Path) -> None:
    path = clips.damage(clips.make(tmp_path / "in.mp4", clips.Clip(options={"g": "1"})), [4])
    seen = list(tracker().video(path))
    gaps = [result for frame, result in seen if frame.bgr is None]
    assert len(seen) == 12 and len(gaps) == 1 and gaps[0].tracks == ()


def test_a_second_video_begins_anew(tmp_path: Path) -> None:
    path, one = clips.make(tmp_path / "in.mp4"), tracker()
    assert len(list(one.video(path))) == len(list(one.video(str(path)))) == 12


def test_a_bar_on_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = clips.make(tmp_path / "in.mp4")
    assert len(list(tracker().video(path, progress=True))) == 12
    said = capsys.readouterr()
    assert said.out == "" and "in.mp4" in said.err and "100%" in said.err


def test_a_wrong_file_fails_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.mp4"):
        tracker().video(tmp_path / "none.mp4")
