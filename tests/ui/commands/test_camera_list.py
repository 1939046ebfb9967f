"""`tracker cameras` with made-up cameras."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

import ui.commands.camera_list
import ui.commands.tracker
from tracker.errors import UserError
from tracker.sources.cameras import Camera, Measured, Mode
from tracker.sources.source import CameraError
from ui.commands.camera_list import NONE, look, sentences

GOOD = Camera(0, "Cam", "/dev/video0", "/dev/v4l/by-id/cam", (Mode("MJPG", (640, 480), (30, 7.5)),))
DEAD = Camera(2, "Dead", "/dev/video2", "/dev/video2")
SHUT = Camera(4, "Shut", "/dev/video4", "/dev/video4", (), "you may not use it; join its group")


def measured(camera: Camera) -> Measured:
    if camera is DEAD:
        raise CameraError("no_frames", "Dead gave no pictures; check its cable")
    assert camera is GOOD, "a camera with trouble is not opened"
    return Measured(29.96, (640, 480), 30)


def test_every_camera_is_listed() -> None:
    found = look(True, lambda: [GOOD, DEAD, SHUT], measured)
    assert [row.trouble for row in found] == [
        None,
        "Dead gave no pictures; check its cable",
        "you may not use it; join its group",
    ]
    text = "\n".join(sentences(found))
    assert "0  Cam\n   --camera /dev/v4l/by-id/cam\n   device    /dev/video0" in text
    assert "MJPG 640x480 at 30, 7.5 fps" in text and "measured  30.0 fps at 640x480" in text
    assert "trouble   Dead gave no pictures" in text


def test_nothing_is_opened_without_measuring() -> None:
    def refuse(camera: Camera) -> Measured:
        raise AssertionError("opened")

    (row,) = look(False, lambda: [GOOD], refuse)
    assert row.measured is None and row.trouble is None


def test_no_camera_is_one_sentence_and_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ui.commands.camera_list, "look", lambda with_rate: [])
    done = CliRunner().invoke(ui.commands.tracker.app, ["cameras"])
    assert (done.exit_code, done.output.strip()) == (0, NONE)


def test_json(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fake(with_rate: bool) -> object:
        asked.append(with_rate)
        return look(True, lambda: [GOOD, SHUT], measured)

    monkeypatch.setattr(ui.commands.camera_list, "look", fake)
    done = CliRunner().invoke(ui.commands.tracker.app, ["cameras", "--json", "--no-measure"])
    found = json.loads(done.stdout)
    assert asked == [False] and found["schema_version"] == 1
    first, last = found["cameras"]
    assert first["measured"] == {"fps": 29.96, "size_wh": [640, 480], "frames": 30}
    assert first["modes"] == [{"pixels": "MJPG", "size_wh": [640, 480], "fps": [30, 7.5]}]
    assert first["identity"] == "/dev/v4l/by-id/cam" and last["measured"] is None


def test_where_cameras_cannot_be_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(with_rate: bool) -> object:
        raise UserError("the cameras could not be listed; install it")

    monkeypatch.setattr(ui.commands.camera_list, "look", fail)
    done = CliRunner().invoke(ui.commands.tracker.app, ["cameras"])
    assert done.exit_code == 1 and done.stderr == (
        "tracker: the cameras could not be listed; install it\n"
    )
