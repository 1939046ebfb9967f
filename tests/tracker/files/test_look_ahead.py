"""Frames wait for those to come; nothing is lost or out of order; ramps are not trailed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tracker.files.look_ahead
from tests.helpers import clips
from tests.helpers.clips import FakeTracker
from tracker.files.look_ahead import LookAhead, Seen, led
from tracker.files.video_job import Job, annotate
from tracker.find.expressions import EXPRESSIONS
from tracker.follow.landmark_filter import LandmarkFilter
from tracker.follow.neutral import NeutralFace, above_rest
from tracker.follow.smooth import PRESETS, SmoothConfig
from tracker.result import Result
from tracker.types import Frame, Track

LIGHT = PRESETS["light"]
JAW = EXPRESSIONS.index("jawOpen")
# Time constant of exactly 1 s; nothing counts as moving.
SLOW = SmoothConfig(1.0, 0.0, 1.0, 1 / (2 * np.pi), 1e3, 1e3, 1e3)


def seen(x: Sequence[float | None], config: SmoothConfig | None, step: float) -> list[Seen]:
    """A hand at so much to the right of its place in each frame; None: there is none."""
    filt, items = LandmarkFilter(config), []
    for i, shift in enumerate(x):
        tracks: tuple[Track, ...] = ()
        if shift is None:
            filt.reset()
        else:
            raw = (clips.hand_xy() + np.array([shift, 0])).astype(np.float32)
            shown = filt.update(raw, i * step, 100.0)
            tracks = (replace(clips.track("hand"), xy=shown, xy_raw=raw),)
        bgr = np.zeros((4, 4, 3), np.uint8)
        items.append(Seen(Frame(i, i * step, bgr), Result(i * step, tracks)))
    return items


def shifts(results: Sequence[Result | None]) -> list[float | None]:
    return [
        float((r.tracks[0].xy - clips.hand_xy())[:, 0].mean()) if r and r.tracks else None
        for r in results
    ]


def test_a_step_by_hand() -> None:
    """0, 8, 8 at 1 s apart, tau 1 s, so weights of 1/2. Forwards 0, 4, 6; backwards 8 (frame 2),
    8, then 4; the means 2, 6, 7."""
    results = [item.result for item in seen([0, 8, 8], SLOW, 1.0)]
    assert shifts(results) == pytest.approx([0, 4, 6], abs=1e-4)
    assert shifts(led(results, SLOW)) == pytest.approx([2, 6, 7], abs=1e-4)


def faces(told: Sequence[float], face: NeutralFace | None) -> list[Result]:
    """A face of which jawOpen is told in frames 1 s apart, smoothed forwards, less a face at rest
    all the time, where there is one.
    """
    filt, found = LandmarkFilter(SLOW, as_one=False), []
    for t, value in enumerate(told):
        raw = np.zeros(52, np.float32)
        raw[JAW] = value
        shown = filt.update(raw[:, None], float(t), 1.0)[:, 0]
        track = replace(clips.track("face"), expressions=shown, expressions_raw=raw)
        if face is not None:
            rest = face.expressions
            track = replace(track, expressions=above_rest(shown, rest), rest=rest, at_rest=1.0)
        found.append(Result(float(t), (track,)))
    return found


def jaw(results: Sequence[Result | None]) -> list[float]:
    return [t.expression("jawOpen") or 0.0 for r in results if r for t in r.tracks]


def test_an_expression_that_steps_by_hand() -> None:
    """As the landmarks above: forwards 0, 0.4, 0.6; backwards 0.4, 0.8, 0.8."""
    results = faces([0, 0.8, 0.8], None)
    assert jaw(results) == pytest.approx([0, 0.4, 0.6], abs=1e-5)
    better = led(results, SLOW)
    assert jaw(better) == pytest.approx([0.2, 0.6, 0.7], abs=1e-5)
    track = better[0].tracks[0] if better[0] else None
    assert track is not None and track.expressions_raw is not None
    assert track.expressions_raw[JAW] == 0, "what the network said stays"
    assert np.delete(track.expressions, JAW).max() == 0


def test_a_face_at_rest_is_subtracted_from_both_passes() -> None:
    """Rest is 0.5, so 0.6 becomes 0.2 and 0.8 becomes 0.6: forwards 0, 0, 0.2; backwards 0, 0.6,
    0.6. The mean of what the passes say, less rest, would be 0, 0.2, 0.4."""
    rest = np.full(52, 0.5, np.float32)
    results = faces([0, 0.8, 0.8], NeutralFace(rest, np.zeros(7)))
    assert jaw(results) == pytest.approx([0, 0, 0.2], abs=1e-5)
    assert jaw(led(results, SLOW)) == pytest.approx([0, 0.3, 0.4], abs=1e-5)


def test_a_blink_is_shown_when_it_happens() -> None:
    """What light trails forwards is led backwards: its middle is where it was."""
    told = [0.0] * 20 + [0.3, 0.8, 1.0, 0.8, 0.3] + [0.0] * 20
    filt, results = LandmarkFilter(LIGHT, as_one=False), []
    for i, value in enumerate(told):
        raw = np.full(52, value, np.float32)
        shown = filt.update(raw[:, None], i / 30, 1.0)[:, 0]
        track = replace(clips.track("face"), expressions=shown, expressions_raw=raw)
        results.append(Result(i / 30, (track,)))
    assert LIGHT is not None
    better = np.array(jaw(led(results, LIGHT)))
    np.testing.assert_allclose(better, better[::-1], atol=1e-3)  # neither late nor early
    assert better.argmax() == 22 and better[22] > 0.9


def test_a_gap_ends_the_pass() -> None:
    results = [item.result for item in seen([0, 8, None, 80], SLOW, 1.0)]
    assert shifts(led(results, SLOW)) == pytest.approx([2, 6, None, 80], abs=1e-4)
    results[2] = None  # could not be decoded
    better = led(results, SLOW)
    assert better[2] is None and shifts(better) == pytest.approx([2, 6, None, 80], abs=1e-4)


def test_a_time_that_stands_still_ends_the_pass() -> None:
    """Forwards the old place is shown again, 0; the second frame's pass backwards begins at 8."""
    results = [item.result for item in seen([0, 8], SLOW, 0.0)]
    assert shifts(led(results, SLOW)) == pytest.approx([0, 4], abs=1e-4)


def test_a_slow_ramp_is_not_trailed() -> None:
    """2 px a second, which the filter forwards trails by its time constant, 177 ms: 0.35 px."""
    x = [2 * i / 30 for i in range(120)]
    items = seen(x, LIGHT, 1 / 30)
    given: list[Seen] = []
    ahead = LookAhead(given.append, LIGHT)
    for item in items:
        ahead.put(item)
    ahead.finish()
    before = np.array(x) - np.array(shifts([i.result for i in items]), float)
    after = np.array(x) - np.array(shifts([i.result for i in given]), float)
    assert before[60:100] == pytest.approx(0.35, abs=0.02)
    assert np.abs(after[60:100]).max() < 0.05


def test_every_frame_once_in_order_and_no_later_than_it_must(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    items = seen([0.0] * 60, LIGHT, 0.1)
    given: list[Seen] = []
    ahead = LookAhead(given.append, LIGHT)
    for number, item in enumerate(items):
        ahead.put(item)
        assert number + 1 - len(given) <= 9  # 0.8 s
    assert len(given) < 60
    ahead.finish()
    assert [i.frame.index for i in given] == list(range(60))
    monkeypatch.setattr(tracker.files.look_ahead, "HELD", 4 * 48)  # bytes of four frames
    few: list[Seen] = []
    ahead = LookAhead(few.append, LIGHT)
    for number, item in enumerate(items):
        ahead.put(item)
        assert number + 1 - len(few) <= 3
    ahead.finish()
    assert [i.frame.index for i in few] == list(range(60))


def test_off_gives_on_at_once() -> None:
    given: list[Seen] = []
    (item,) = seen([5], None, 1.0)
    LookAhead(given.append, None).put(item)
    assert given == [item]


def test_a_job_with_it(tmp_path: Path) -> None:
    """The fake tracker shows what it was told, one pixel from raw; the mean is half of that."""
    source = clips.make(tmp_path / "in.mp4")
    found = {}
    for name, config in (("plain", None), ("ahead", LIGHT)):
        work = Job(source, tmp_path / f"{name}.mp4", tmp_path / f"{name}.jsonl", ahead=config)
        assert annotate(work, FakeTracker(), clips.USED).frames == 12
        lines = (tmp_path / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()[1:]
        found[name] = [json.loads(line) for line in lines]
        assert [row["frame"] for row in found[name]] == list(range(12))
    off = {}
    for name, data in found.items():
        track = data[5]["tracks"][0]
        off[name] = track["xy_raw"][0][0] - track["xy"][0][0]
    assert off == {"plain": 1, "ahead": 0.5}


def test_stopping_loses_nothing_that_waits(tmp_path: Path) -> None:
    source, asked = clips.make(tmp_path / "in.mp4"), iter([False] * 5 + [True] * 9)
    work = Job(source, json=tmp_path / "o.jsonl", ahead=LIGHT)
    report = annotate(work, FakeTracker(), clips.USED, stopped=lambda: next(asked))
    assert report.frames == 5
    assert len((tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()) == 6
