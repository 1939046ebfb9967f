"""Targets that go along from camera to camera, on real pipelines with fake cameras."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.fake_pipeline import FakePipeline
from tests.helpers.live import FakeCamera, wait_for
from tests.tracker.live.test_pipeline import running
from tracker.errors import UserError
from tracker.live.live_output import OutputFacts
from tracker.outputs.open import OUTPUTS
from tracker.outputs.output import About
from tracker.result import Result
from tracker.types import Frame, Pose
from ui.live.sending import AUTO_CENTRE, Sending


def test_what_is_no_target_or_named_twice_is_refused() -> None:
    with pytest.raises(UserError, match=r"nothing can be sent to x\.nope"):
        Sending(["x.jsonl", "x.nope"])
    with pytest.raises(UserError, match=r"results go to x\.jsonl already"):
        Sending(["x.jsonl", "x.jsonl"])


def test_a_file_goes_on_when_the_camera_changes(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    sending = Sending([str(path)])
    for parts in (1, 2):
        with running(FakeCamera()) as pipeline:
            sending.attach(pipeline)

            def lines() -> list[str]:
                return path.read_text().splitlines() if path.exists() else []

            enough = len(lines()) + 6
            wait_for(lambda enough=enough: len(lines()) > enough, "five frames")  # type: ignore[misc]
            (row,) = sending.rows(pipeline.health().outputs)
            assert row.state == "sends" and row.facts.error is None, parts
    rows = [json.loads(line) for line in lines()][1:]
    assert sum(row.get("event") == "source" for row in rows) == 1
    frames = [row["frame"] for row in rows if "frame" in row and not row.get("gap")]
    times = [row["t_s"] for row in rows if "frame" in row]
    assert frames == sorted(set(frames)) and times == sorted(times)


def test_off_and_on_again_and_forgotten(tmp_path: Path) -> None:
    target = str(tmp_path / "x.jsonl")
    sending = Sending()
    with running(FakeCamera()) as pipeline:
        sending.add(f" {target} ", pipeline)
        with pytest.raises(UserError, match="already"):
            sending.add(target, pipeline)

        def state() -> str:
            return sending.rows(pipeline.health().outputs)[0].state

        wait_for(lambda: state() == "sends", "it sends")
        sending.switch(target, False, pipeline)
        assert state() == "off" and pipeline.health().outputs == ()
        sending.switch(target, True, pipeline)
        wait_for(lambda: state() == "sends", "it sends again")
        sending.remove(target, pipeline)
        assert sending.rows(pipeline.health().outputs) == () and pipeline.health().outputs == ()


def test_outputs_are_told_of_privacy() -> None:
    told: list[Callable[[], bool]] = []

    class Asking:
        def __init__(self, target: str, about: About) -> None:
            told.append(about.private)

        def put(self, frame: Frame, result: Result | None) -> None: ...
        def close(self, whole: bool) -> None: ...

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(OUTPUTS, "asking", Asking)
        sending = Sending(["asking:"], is_private=True)
        with running(FakeCamera()) as pipeline:
            sending.attach(pipeline)
            wait_for(lambda: len(told) == 1, "it is open")
    assert told[0]()
    sending.is_private = False
    assert not told[0]()


def test_states() -> None:
    sending = Sending(["ws://"])

    def state(facts: OutputFacts | None) -> str:
        return sending.rows([] if facts is None else [facts])[0].state

    assert state(None) == "waits" and state(OutputFacts("ws://")) == "waits"
    assert state(OutputFacts("ws://", "running", fps=30)) == "sends"
    assert state(OutputFacts("ws://", "running", fps=0)) == "silent"
    assert state(OutputFacts("ws://", "failed", error="no")) == "failed"
    sending.switch("ws://", False, None)
    assert state(OutputFacts("ws://", "running", fps=30)) == "off"


def test_the_centre_follows_where_that_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = FakePipeline()
    told: list[float | None] = []
    monkeypatch.setattr(pipeline.centring, "follow", told.append)
    sending = Sending(auto_centre=True)
    sending.attach(pipeline)  # type: ignore[arg-type]
    sending.follow_head(False, pipeline)  # type: ignore[arg-type]
    sending.attach(pipeline)  # type: ignore[arg-type]
    assert told == [AUTO_CENTRE, None, None]
    assert pipeline.centring.relative(Pose(1, 2, 3)).yaw == pytest.approx(1)
