"""A file played as if it were a camera."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest

from tests.helpers import clips
from tests.helpers.clips import Clip
from tracker.errors import UserError
from tracker.sources.paced_file import FileSource


def test_each_frame_comes_when_it_is_due(tmp_path: Path) -> None:
    ticks = [0, 40, 60, 200, 240]
    source = FileSource(clips.make(tmp_path / "a.mp4", Clip(times=ticks)))
    source.open()
    begun, late = None, []
    for tick in ticks:
        frame = source.read()
        begun = begun or monotonic()
        assert frame is not None and frame.t == pytest.approx(tick / 1000)
        late.append(monotonic() - begun - frame.t)
    assert source.read() is None and not source.live
    assert min(late) > -0.005 and sorted(late)[2] < 0.03
    source.close()


def test_speed(tmp_path: Path) -> None:
    source = FileSource(clips.make(tmp_path / "a.mp4", Clip(frames=26)), speed=4)
    source.open()
    begun = monotonic()
    while (frame := source.read()) is not None:
        last = frame
    assert last.t == pytest.approx(1.0) and 0.2 < monotonic() - begun < 0.6


def test_loop_goes_on_in_time_and_counts_laps(tmp_path: Path) -> None:
    source = FileSource(clips.make(tmp_path / "a.mp4", Clip(frames=4)), loop=True, speed=50)
    source.open()
    seen = []
    for _ in range(10):
        frame = source.read()
        assert frame is not None
        seen.append((source.lap, frame.index, round(25 * frame.t)))
    assert seen == [(i // 4, i % 4, i) for i in range(10)]
    source.close()


def test_a_file_of_one_frame_loops_too(tmp_path: Path) -> None:
    clip = Clip(frames=1, rate=Fraction(10))
    source = FileSource(clips.make(tmp_path / "a.mp4", clip), loop=True, speed=50)
    source.open()
    times = [f.t for f in (source.read() for _ in range(3)) if f]
    assert len(times) == 3 and times == sorted(set(times))
    source.close()


def test_after_a_pause_it_does_not_hurry(tmp_path: Path) -> None:
    source = FileSource(clips.make(tmp_path / "a.mp4", Clip(frames=20)))
    source.open()
    source.read()
    sleep(0.7)
    source.read()
    begun = monotonic()
    for _ in range(5):
        source.read()
    assert monotonic() - begun > 0.17
    source.close()


def test_close_wakes_a_waiting_read(tmp_path: Path) -> None:
    source = FileSource(clips.make(tmp_path / "a.mp4", Clip(times=[0, 60_000])))
    source.open()
    source.read()
    Thread(target=lambda: (sleep(0.1), source.close()), daemon=True).start()
    begun = monotonic()
    assert source.read() is None and monotonic() - begun < 5
    assert source.read() is None, "closed for good"
    source.open()
    frame = source.read()
    assert frame is not None and frame.t == 0, "opened again, it starts at the beginning"
    source.close()


def test_no_video(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        FileSource(tmp_path / "a.mp4").open()
