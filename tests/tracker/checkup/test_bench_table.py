"""`tracker bench --all` and its tables, with fake sides: what is told, and of what."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from typer.testing import CliRunner

import tracker.checkup.bench_table
import ui.commands.tracker
from docs.studies.bench_scale import (
    WARM_UP,
    changed,
    endless,
    long_run,
    paced,
    print_paced,
    resident_mb,
    scaled,
    tiled,
    timed,
)  # fmt: skip
from tests.helpers import clips
from tests.helpers.clips import Clip, FakeTracker
from tests.helpers.live import FakeLiveTracker
from tests.tracker.checkup.test_bench import FakePeer, frames
from tracker.checkup import bench
from tracker.checkup.bench_table import FORMS, TableOptions, form_facts, later, ratios, row, run
from tracker.config import TrackerConfig
from tracker.errors import UserError


def test_forms_ask_the_same_of_both() -> None:
    names = [form.name for form in FORMS]
    assert len(set(names)) == len(names)
    asked = {(f.kinds, f.hands) for f in FORMS if f.peer}
    assert asked <= {(f.kinds, f.hands) for f in FORMS if not f.peer}


def test_runs_follow_each_other_in_time() -> None:
    shown = frames(5)
    assert [f.t for f in later(shown, 0)] == [f.t for f in shown]
    assert later(shown, 1)[0].t == pytest.approx(shown[-1].t + 10)
    assert later(shown, 2)[0].t > later(shown, 1)[-1].t


def test_a_form_is_told_by_medians_over_the_runs() -> None:
    runs = [
        bench.Runs("a", "s", [1.0, 3.0], [0.001, 0.003], {"hand": 2}),
        bench.Runs("a", "s", [5.0, 5.0], [0.004, 0.004], {"hand": 1}),
        bench.Runs("a", "s", [2.0, 4.0], [0.009, 0.001], {"hand": 2}),
    ]
    facts = form_facts(FORMS[3], runs)
    assert (facts["mean_ms"], facts["mean_ms_spread"]) == (3.0, [2.0, 5.0])
    assert facts["median_ms"] == 3.0
    assert facts["cpu_ms"] == pytest.approx(4.0)
    assert (
        row(facts) == "| ours, 1 hand asked | 3.00 (2.00 to 5.00) | 3.00 | 3.90 | 4.00 | hand 2 |"
    )


def test_ratios_of_what_was_measured() -> None:
    forms = [
        {"name": "ours, 2 hands asked", "mean_ms": 2.0},
        {"name": "MediaPipe HandLandmarker, 2 hands asked", "mean_ms": 8.0},
        {"name": "ours, face", "mean_ms": 2.0},
    ]
    assert ratios(forms) == {"ours, 2 hands asked / MediaPipe HandLandmarker, 2 hands asked": 0.25}


@pytest.fixture
def sides(monkeypatch: pytest.MonkeyPatch) -> list[FakePeer]:
    made: list[FakePeer] = []

    def peer(*_: object) -> FakePeer:
        made.append(FakePeer())
        return made[-1]

    monkeypatch.setattr(tracker.checkup.bench_table, "MediaPipePeer", peer)
    monkeypatch.setattr(tracker.checkup.bench_table, "load", FakeLoaded)
    return made


class FakeLoaded:
    def __init__(self, config: TrackerConfig) -> None:
        self.kinds = config.kinds

    def new_tracker(self) -> FakeTracker:
        return FakeTracker(self.kinds)


def test_every_form_sees_every_frame_of_every_run(tmp_path: Path, sides: list[FakePeer]) -> None:
    source = clips.make(tmp_path / "in.mp4", Clip(frames=14))
    told: list[tuple[int, int]] = []
    wanted = TableOptions(source, {"hand": tmp_path / "h.task"}, runs=3)
    found = run(wanted, lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert [f["name"] for f in found["forms"]] == [
        f.name for f in FORMS if not f.peer or f.kinds == ("hand",)
    ]
    assert len(sides) == 2 and all(side.closed == 1 for side in sides)
    assert [len(side.times) for side in sides] == [42, 42]
    assert all(b > a for a, b in zip(sides[0].times, sides[0].times[1:], strict=False))
    assert found["forms"][0]["frames_with"] == {"hand": [4, 4, 4]}


def test_the_command(tmp_path: Path, sides: list[FakePeer]) -> None:
    source = clips.make(tmp_path / "in.mp4", Clip(frames=14))
    bundle = tmp_path / "h.task"
    bundle.write_bytes(b"x")
    args = ["bench", str(source), "--all", "--runs", "1"]
    done = CliRunner().invoke(ui.commands.tracker.app, [*args, "--hand-bundle", str(bundle)])
    assert done.exit_code == 0, done.output
    assert "| ours, 2 hands asked |" in done.output
    assert "ours in int8, 2 hands asked / MediaPipe HandLandmarker, 2 hands asked:" in done.output
    refused = CliRunner().invoke(ui.commands.tracker.app, args)
    assert refused.exit_code == 1 and "--hand-bundle" in refused.output
    with pytest.raises(UserError):
        tracker.checkup.bench_table.check({})


def test_pictures_are_tiled_and_scaled() -> None:
    bgr = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    four = tiled(bgr, 2, 2)
    assert four.shape == (4, 8, 3)
    assert (four[:2, 4:] == bgr).all() and (four[2:, :4] == bgr).all()
    assert scaled(bgr, (8, 4)).shape == (4, 8, 3)
    made = changed(frames(2), 2, (16, 12))
    assert [f.bgr.shape for f in made if f.bgr is not None] == [(12, 16, 3)] * 2


def test_endless_frames_are_one_stream() -> None:
    stream = endless(frames(3))
    times = [next(stream).t for _ in range(7)]
    assert times == pytest.approx([i / 25 for i in range(7)])


def test_what_grows_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docs.studies.bench_scale.load", FakeLoaded)
    shown = frames(14)
    assert timed(shown, 1, 1, runs=2).share == 1.0
    with pytest.raises(ValueError, match="no frame shows 2 hands"):
        timed(shown, 2, 1, runs=1)
    parts = long_run(shown, 40, parts=4)
    assert len(parts) == 4
    assert all(ms >= 0 and cpu >= 0 and mb > 10 for ms, cpu, mb in parts)
    assert np.isnan(resident_mb(Path("nowhere/statm")))


def test_frames_at_their_pace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """One second of 25 fps is 25 frames in one second; each takes at least the 10 ms it works."""
    trackers: list[FakeLiveTracker] = []

    def make(config: TrackerConfig) -> FakeLiveTracker:
        trackers.append(FakeLiveTracker())
        trackers[-1].delay = 0.01
        return trackers[-1]

    monkeypatch.setattr("docs.studies.bench_scale.Tracker", make)
    begun = perf_counter()
    found = paced(frames(10), 1.0, live=True)
    assert perf_counter() - begun >= 24 / 25
    assert len(found) == 25 - WARM_UP and all(ms >= 10 for ms, _ in found)
    assert trackers[0].closes == 1
    print_paced(frames(10), 3 * 2 * 20 / 25)
    rows = [line.split(" | ")[:2] for line in capsys.readouterr().out.splitlines()[2:]]
    assert rows == [["| before the frame", "15"], ["| on a thread", "15"]]
