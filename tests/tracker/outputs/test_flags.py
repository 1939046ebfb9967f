"""Snapshots and flags: what is kept, how much memory waits for it, nothing left when it fails."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import cv2
import numpy as np
import pytest

from tests.helpers import clips
from tests.helpers.clips import USED
from tests.helpers.live import FakeCamera, noise, wait_for
from tests.tracker.live.test_pipeline import running, wait_for_picture
from tracker.errors import UserError
from tracker.outputs import flags
from tracker.outputs.flags import Ring, save_flag, save_snapshot
from tracker.outputs.output import About
from tracker.outputs.overlay import Style
from tracker.result import Result, Shown
from tracker.sources.video_file import VideoReader
from tracker.types import Frame

ABOUT = About("the fake camera", USED)


def shown(i: int, fps: float = 25.0, size_wh: tuple[int, int] = (96, 64)) -> Shown:
    t = 70 + i / fps
    result = Result(t, (clips.track("hand", number=i),))
    return Shown(i, Frame(i, t, noise(i, size_wh)), result, None, t, t)


def test_flag_keeps_the_moment(tmp_path: Path) -> None:
    around = [shown(i) for i in range(10, 30)]
    folder = save_flag(tmp_path, around[7], around, ABOUT)
    assert folder.parent == tmp_path / "flags"
    assert {p.name for p in folder.iterdir()} == {
        "frame.png", "clip.mp4", "landmarks.jsonl", "flag.json",
    }  # fmt: skip
    assert np.array_equal(cv2.imread(str(folder / "frame.png")), noise(17)), "to the last bit"
    flag = json.loads((folder / "flag.json").read_text())
    assert (flag["schema_version"], flag["source"], flag["frame"]) == (1, "the fake camera", 7)
    assert flag["t_s"] == pytest.approx(7 / 25) and flag["clip_seconds"] == pytest.approx(19 / 25)
    assert flag["tracks"][0]["id"] == 17 and flag["size_wh"] == [96, 64]
    with closing(VideoReader(folder / "clip.mp4")) as reader:
        frames = list(reader.frames())
    assert [f.t for f in frames] == pytest.approx([i / 25 for i in range(20)], abs=1e-3)
    head, *rows = [
        json.loads(line) for line in (folder / "landmarks.jsonl").read_text().splitlines()
    ]
    assert head["models"][0]["file"] == "hand.onnx"
    assert [row["tracks"][0]["id"] for row in rows] == list(range(10, 30))


def test_snapshot(tmp_path: Path) -> None:
    path = save_snapshot(tmp_path, shown(5), ABOUT)
    assert np.array_equal(cv2.imread(str(path)), noise(5))
    data = json.loads(path.with_suffix(".json").read_text())
    assert (data["picture"], data["tracks"][0]["id"]) == (path.name, 5)
    assert data["landmarks"]["hand"][0] == "p0"
    sleep(0.002)
    drawn = save_snapshot(tmp_path, shown(5), replace(ABOUT, style=Style(on_black=True)))
    picture = cv2.imread(str(drawn))
    assert picture is not None and np.median(picture) == 0 and picture.max() > 200


@pytest.mark.parametrize("step", ["_write_json", "_header"])
@pytest.mark.parametrize("kind", [UserError, RuntimeError])
@pytest.mark.parametrize("what", ["flag", "snapshot"])
def test_a_failure_leaves_nothing(
    tmp_path: Path, what: str, kind: type[Exception], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise kind("it could not be written: the disk is full; free some space")

    monkeypatch.setattr(flags, step, full)
    with pytest.raises(kind, match="disk is full"):
        if what == "flag":
            save_flag(tmp_path, shown(1), [shown(1)], ABOUT)
        else:
            save_snapshot(tmp_path, shown(1), ABOUT)
    assert [p for p in tmp_path.rglob("*") if p.is_file() or p.name != "flags"] == []


def test_no_such_project(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no folder"):
        save_flag(tmp_path / "no", shown(1), [shown(1)], ABOUT)


def test_ring_gives_one_second_before_and_after() -> None:
    ring = Ring()
    for i in range(100):
        ring.add(shown(i))
    target = shown(99)

    def go_on() -> None:
        for i in range(100, 110):  # the flag is asked for a little late
            ring.add(shown(i))
        wait_for(lambda: ring._open != [], "it is asked for")
        for i in range(110, 140):
            ring.add(shown(i))

    later = Thread(target=go_on, daemon=True)
    later.start()
    wait_for(lambda: ring._past[-1].serial >= 109, "it is late")
    frames = ring.around(target, patience=10)
    assert [s.serial for s in frames] in (list(range(74, 124)), list(range(75, 124)))
    later.join(10)


def test_ring_waits_no_longer_than_it_is_told() -> None:
    ring = Ring()
    ring.add(shown(1))
    begun = monotonic()
    assert [s.serial for s in ring.around(shown(1), patience=0.1)] == [1]
    assert 0.05 < monotonic() - begun < 5
    Thread(target=lambda: (sleep(0.1), ring.close()), daemon=True).start()
    begun = monotonic()
    assert len(ring.around(shown(1), patience=30)) == 1 and monotonic() - begun < 10


def test_ring_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flags, "MOST", 5 * 96 * 64 * 3)
    ring = Ring()
    for i in range(20):
        ring.add(shown(i))
    assert len(ring._past) == 5
    Thread(
        target=lambda: (sleep(0.1), [ring.add(shown(i)) for i in range(20, 60)]), daemon=True
    ).start()
    frames = ring.around(shown(19), patience=10)
    assert [s.serial for s in frames] == list(range(15, 25))


def test_ring_leaves_out_other_sizes() -> None:
    ring = Ring()
    ring.add(shown(1, size_wh=(64, 48)))
    ring.add(shown(2))
    assert [s.serial for s in ring.around(shown(2), patience=0)] == [2]


def test_flags_are_bounded() -> None:
    ring = Ring()
    ring.add(shown(1))
    waiting = [
        Thread(target=lambda: ring.around(shown(1), patience=20), daemon=True)
        for _ in range(flags.FLAGS)
    ]
    for thread in waiting:
        thread.start()
    wait_for(lambda: len(ring._open) == flags.FLAGS, "they wait")
    with pytest.raises(UserError, match="being flagged already"):
        ring.around(shown(1), patience=1)
    ring.close()
    for thread in waiting:
        thread.join(10)
    assert ring._open == []


def test_flag_and_snapshot_of_the_live_picture(tmp_path: Path) -> None:
    with running(FakeCamera(fps=40)) as pipeline:
        for _ in range(5):
            wait_for_picture(pipeline)
        sleep(0.3)
        moment = pipeline.latest()
        assert moment is not None
        folder = pipeline.flag(tmp_path, moment)
        flag = json.loads((folder / "flag.json").read_text())
        assert flag["frame"] >= 4 and flag["clip_seconds"] > 1.0
        assert np.array_equal(cv2.imread(str(folder / "frame.png")), moment.frame.bgr)
        pipeline.pause(True)
        sleep(0.05)
        begun = monotonic()
        again = pipeline.flag(tmp_path)
        assert monotonic() - begun < 1.0, "in a pause nothing is waited for"
        assert again != folder
        assert pipeline.snapshot(tmp_path).exists()
