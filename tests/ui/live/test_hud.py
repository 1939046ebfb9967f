"""The words on the picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from tests.helpers.fake_pipeline import HEALTH
from tracker.config import TrackerConfig
from tracker.errors import UserError
from tracker.live.pipeline import Recording
from tracker.sources.cameras import find_camera
from tracker.sources.open import open_source
from tracker.sources.source import CameraError, CameraState, Phase
from ui.live import hud


def test_numbers() -> None:
    lines = hud.numbers(HEALTH, 29.8, (20.6, 35.2))
    assert lines == [
        "capture 30.0 fps   shown 29.8 fps",
        "network 4.2 ms   tracker 7.9 ms",
        "latency p50 21  p95 35 ms",
        "dropped 3",
        "FakeProvider, 2 threads",
    ]
    assert hud.numbers(HEALTH, 0.0, None)[2] == "latency -"


def test_numbers_for_a_small_picture() -> None:
    assert hud.few_numbers(HEALTH, 24.6, (20.6, 35.2)) == ["25 of 30 fps", "latency p95 35 ms"]
    assert hud.few_numbers(HEALTH, 0.0, None) == ["0 of 30 fps", "latency p95 -"]


def test_engine_before_it_is_loaded() -> None:
    assert hud.engine(replace(HEALTH, provider="", threads=0)) == "no network is loaded yet"
    assert hud.engine(replace(HEALTH, threads=1)) == "FakeProvider, 1 thread"
    cpu = replace(HEALTH, provider="CPUExecutionProvider")
    assert hud.engine(cpu) == "ONNX Runtime CPU, 2 threads"
    building = replace(cpu, provider=f"{cpu.provider} (TensorRT-RTX engine builds)")
    assert hud.engine(building) == "ONNX Runtime CPU (TensorRT-RTX engine builds), 2 threads"


def test_capitals() -> None:
    assert hud.capital("the disk is full") == "The disk is full"
    assert hud.capital("bad.onnx is no model") == "bad.onnx is no model"
    assert hud.capital("/a/b.mp4 is full") == "/a/b.mp4 is full" and hud.capital("") == ""


@pytest.mark.parametrize("phase", [p for p in get_args(Phase) if p != "running"])
def test_each_state_has_words(phase: Phase) -> None:
    health = replace(HEALTH, camera=CameraState(phase, "camera 0 says why", 100.0))
    found = hud.banner(health, 101.0)
    assert found is not None and found.title and found.text == "Camera 0 says why"
    later = hud.banner(health, 112.0)
    assert later is not None and ("(0:12)" in later.title) == (phase != "ended")


def test_no_command_is_told_where_there_is_a_button() -> None:
    with pytest.raises(CameraError) as unknown:
        find_camera("9", [])
    with pytest.raises(UserError) as unnamed:
        open_source("")
    for error, words in (
        (unknown, "Camera 9 was not found, no camera is connected; plug it in"),
        (unnamed, "No camera was named"),
    ):
        said = str(error.value)
        assert "tracker cameras" in said
        health = replace(HEALTH, camera=CameraState("unplugged", said, 0.0))
        found = hud.banner(health, 0.0)
        assert found is not None and found.text == words
        assert hud.offers(health) == ("look", "camera", "file")


def test_a_clip_that_ended_is_told_without_an_option() -> None:
    """Below it is a button, and on the page Camera a box."""
    ended = CameraState("ended", "a.mp4 has ended; open another one, or play it with --loop", 0.0)
    found = hud.banner(replace(HEALTH, camera=ended), 0.0, "a.mp4")
    assert found is not None and found.text == "a.mp4 has ended"
    assert found.title == "The clip has ended"


def test_a_file_is_not_called_a_camera() -> None:
    failed = CameraState("failed", "/a.mp4 does not exist; check the name", 0.0)
    health = replace(HEALTH, camera=failed)
    for camera, title in (
        ("/a.mp4", "The video cannot be played"), ("0", "The camera cannot be used"),
        ("rtsp://a/b", "The camera cannot be used"),
    ):  # fmt: skip
        found = hud.banner(health, 0.0, camera)
        assert found is not None and found.title == title
    opening = replace(HEALTH, camera=CameraState("opening", "opening a.mp4", 0.0))
    found = hud.banner(opening, 0.0, "a.mp4")
    assert found is not None and found.title == "Opening the video"


def test_what_is_offered() -> None:
    assert hud.offers(HEALTH) == ()
    assert hud.offers(replace(HEALTH, dead=True)) == ("look", "camera", "file")
    ended = replace(HEALTH, camera=CameraState("ended", "the clip ended", 0.0))
    assert hud.offers(ended) == ("again", "file")
    opening = replace(HEALTH, camera=CameraState("opening", "opening camera 0", 0.0))
    assert hud.offers(opening) == ()


def test_running_has_no_banner() -> None:
    assert hud.banner(HEALTH, 1e6) is None and hud.note(HEALTH) == ""


def test_networks_are_awaited() -> None:
    found = hud.banner(replace(HEALTH, tracker_ms=0.0), 0.0)
    assert found is not None and "Loading" in found.title and not found.is_error


def test_errors() -> None:
    stumble = replace(HEALTH, error="a frame could not be tracked")
    assert hud.banner(stumble, 0.0) is None and hud.note(stumble) == "A frame could not be tracked"
    dead = replace(HEALTH, error="the tracker ended: no memory", dead=True)
    found = hud.banner(dead, 0.0)
    assert found is not None and found.is_error and found.text == "The tracker ended: no memory"
    assert hud.note(dead) == ""


def test_recording() -> None:
    recording = Recording(Path("a.mp4"), 65.4, 1960, 0, False)
    assert hud.recording_badge(recording) == "REC 1:05  raw"
    lossy = replace(recording, lost=7, annotated=True, seconds=3723.0)
    assert hud.recording_badge(lossy) == "REC 1:02:03  annotated  7 frames lost"
    assert "Finishing" in hud.recording_badge(replace(recording, finishing=True))


def test_models() -> None:
    assert hud.models(TrackerConfig()) == "bundled"
    assert hud.models(TrackerConfig(hand_model="x/mine.onnx")) == "mine.onnx + bundled"
    assert hud.models(TrackerConfig(hand_model="x/mine.onnx", faces=False)) == "mine.onnx"
