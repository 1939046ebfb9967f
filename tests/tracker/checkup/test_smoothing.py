"""`tracker bench --smoothing`: its figures on motion whose answers are known by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import tracker.checkup.smoothing
import ui.commands.tracker
from tests.helpers import clips
from tracker.checkup import smoothing
from tracker.checkup.bench_run import KINDS, BenchOptions
from tracker.checkup.smoothing import Motion, Values


def late(t: Values, raw: Values, names: object) -> Values:
    """What was said two frames ago."""
    return np.concatenate([raw[:1], raw[:1], raw[:-2]])


def test_a_filter_that_is_two_frames_late() -> None:
    """At 4 units a second two frames of 1/30 s are 26.7 % of the unit, give or take the noise."""
    found = smoothing.made_figures("face", late)
    assert found["moving_raw"] == pytest.approx(100 * 4 * 2 / 30, abs=0.6)
    assert found["step_ms"] == pytest.approx(2 * 1000 / 30)
    assert found["blink_depth"] == pytest.approx(100, abs=0.1)
    assert found["blink_ms"] == pytest.approx(2 * 1000 / 30, abs=0.1)


def test_no_filter() -> None:
    """White noise is sqrt(1.5) times its length from the middle of its neighbours."""
    found = smoothing.made_figures("hand", smoothing.filters()["off"])
    assert found["jitter"] == pytest.approx(np.sqrt(1.5 * 2) * smoothing.NOISE, rel=0.05)
    # Lengths in 2D: their median is sqrt(ln 2) of their root mean square.
    assert found["jitter_p50"] == pytest.approx(np.sqrt(np.log(2)) * found["jitter"], rel=0.05)
    assert found["moving_raw"] == 0 and found["step_ms"] == 0
    assert 0 < found["moving_truth"] < 3 * smoothing.NOISE
    assert "blink_depth" not in found, "hands have no lids"


def test_half_of_a_blink() -> None:
    found = smoothing.made_figures("face", lambda t, raw, names: (raw + raw[:1]) / 2)
    assert found["blink_depth"] == pytest.approx(50, abs=3)


def test_shapes_have_the_unit() -> None:
    for kind in KINDS:
        at, names = smoothing.shape(kind)
        assert len(at) == len(names)
        assert smoothing.unit_of(kind, at[None])[0] == pytest.approx(smoothing.UNIT)


def test_moving_and_still_on_a_clip() -> None:
    """Rests for 1 s, goes 1 unit in 1 s; 'still' wants 0.2 s of rest before and after."""
    t = np.arange(61) / 30
    way = np.clip(t - 1, 0, 1) * 100
    raw = clips.hand_xy()[None] + way[:, None, None] * np.array([1.0, 0])
    motion = Motion("hand", t, raw, np.full(61, 100.0), ("",) * 21)
    moving = np.flatnonzero(smoothing.moving_frames(motion))
    assert moving.tolist() == list(range(31, 61))  # frame 30's five frames hold half a way
    still = np.flatnonzero(smoothing.still_landmarks(motion).all(1))
    assert still.tolist() == list(range(6, 25))
    row = smoothing.clip_figures([motion], late)
    assert row["jitter"] == 0 and row["moving_frames"] == 30
    assert row["moving_raw"] == pytest.approx(100 * 2 / 30)
    assert row["still_share"] == pytest.approx(100 * 19 / 61)


def test_the_presets_meet_what_was_asked() -> None:
    """Moving within 3 %, a blink at 80 % or more, calmer than the One Euro filter of old."""
    face = {n: smoothing.made_figures("face", f) for n, f in smoothing.filters().items()}
    for name in ("light", "offline"):
        assert face[name]["moving_raw"] <= 3 and face[name]["blink_depth"] >= 80
        assert face[name]["jitter"] <= face["light, One Euro"]["jitter"]
    assert face["light, One Euro"]["moving_raw"] > 3, "or there was nothing to mend"
    assert face["offline"]["moving_truth"] < 0.5 * face["light"]["moving_truth"]
    assert face["offline"]["jitter"] < face["light"]["jitter"]


def with_two_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        tracker.checkup.smoothing, "load", lambda config, models: clips.loaded(["hand", "face"])
    )


def test_it_says_how_much_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_two_kinds(monkeypatch)
    for figures in ("made_figures", "clip_figures"):
        monkeypatch.setattr(smoothing, figures, lambda *_: {})
    source = clips.make(tmp_path / "in.mp4", clips.Clip(frames=40))
    told: list[tuple[int, int]] = []
    options = BenchOptions(source, frames=35)
    smoothing.run(options, [source], lambda done, of: told.append((done, of)))
    of = 35 + 4 * len(smoothing.filters())  # frames, and the rows of four tables
    assert told == [(done, of) for done in range(1, of + 1)]


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_two_kinds(monkeypatch)
    source = clips.make(tmp_path / "in.mp4", clips.Clip(frames=40))
    words = ["bench", "--smoothing", str(source), "--json", str(tmp_path / "o.json")]
    result = CliRunner().invoke(ui.commands.tracker.app, words, env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    assert "hand, in.mp4" in result.output and "blink depth %" in result.output
    tables = json.loads((tmp_path / "o.json").read_text())["tables"]
    assert [table["on"] for table in tables] == [
        "hand, made", "face, made", "hand, in.mp4", "face, in.mp4",
    ]  # fmt: skip
    assert set(tables[0]["rows"]) >= {"off", "light", "strong", "offline"}
    none = CliRunner().invoke(ui.commands.tracker.app, ["bench"])
    assert none.exit_code == 2 and "give one CLIP" in none.output
