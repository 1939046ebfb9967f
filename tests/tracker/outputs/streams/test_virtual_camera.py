"""The virtual camera, with a device of this file's in the place of pyvirtualcam's."""

from __future__ import annotations

import platform
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tests.helpers import clips
from tracker.errors import UserError
from tracker.outputs.output import About
from tracker.outputs.overlay import Style, draw
from tracker.outputs.streams.virtual_camera import VirtualCamera, device
from tracker.result import Result
from tracker.types import Frame, Image

ABOUT = About("cam", clips.USED, Style())
SEEN = Result(1.0, (clips.track("hand"),))


class FakeCamera:
    made: list[FakeCamera] = []  # noqa: RUF012
    fails = False

    def __init__(self, width: int, height: int, fps: float, *, fmt: str, device: str) -> None:
        if FakeCamera.fails:
            raise RuntimeError("no such device")
        self.width, self.height, self.device, self.fmt = width, height, device, fmt
        self.sent: list[Image] = []
        self.closed = False
        FakeCamera.made.append(self)

    def send(self, picture: Image) -> None:
        assert picture.shape == (self.height, self.width, 3) and picture.dtype == np.uint8
        self.sent.append(picture.copy())

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeCamera, "made", [])
    monkeypatch.setattr(FakeCamera, "fails", False)
    module = SimpleNamespace(Camera=FakeCamera, PixelFormat=SimpleNamespace(BGR="BGR "))
    monkeypatch.setitem(sys.modules, "pyvirtualcam", module)


def test_frames_are_drawn_on_and_the_first_size_stays() -> None:
    output = VirtualCamera("camera:7", ABOUT)
    picture = clips.picture(0)
    output.put(Frame(1, 1.0, None), None)
    output.put(Frame(2, 1.1, picture), SEEN)
    output.put(Frame(3, 1.2, None), None)
    output.put(Frame(4, 1.3, clips.picture(1, (64, 48))), SEEN)
    output.close(True)
    (camera,) = FakeCamera.made
    assert (camera.width, camera.height, camera.fmt, camera.closed) == (96, 64, "BGR ", True)
    first, held, _ = camera.sent
    assert np.array_equal(first, draw(picture, SEEN.tracks, ABOUT.skeletons(), Style()))
    assert np.array_equal(held, draw(picture, (), ABOUT.skeletons(), Style()))


def test_landmarks_alone() -> None:
    output = VirtualCamera("camera:7?landmarks", ABOUT)
    output.put(Frame(2, 1.1, clips.picture(0)), SEEN)
    assert np.median(FakeCamera.made[0].sent[0]) == 0 and FakeCamera.made[0].sent[0].max() > 150


def test_privacy_that_is_switched_while_it_runs() -> None:
    private = [False, True, False]
    output = VirtualCamera("camera:7", replace(ABOUT, private=lambda: private.pop(0)))
    for i in range(3):
        output.put(Frame(i, 0.1 * i, clips.picture(0)), SEEN)
    shown, hidden, again = FakeCamera.made[0].sent
    style = Style(on_black=True)
    assert np.array_equal(hidden, draw(clips.picture(0), SEEN.tracks, ABOUT.skeletons(), style))
    assert np.median(hidden) == 0 < np.median(shown) and np.array_equal(shown, again)


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    assert device("camera:10") == "/dev/video10" and device("camera:") is None
    assert device("camera:3?landmarks") == "/dev/video3"
    with pytest.raises(UserError, match="such as camera:10"):
        device("camera:front")
    FakeCamera.fails = True
    with pytest.raises(UserError, match="modprobe v4l2loopback"):
        VirtualCamera("camera:10", ABOUT).put(Frame(2, 1.1, clips.picture(0)), SEEN)
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    assert device("camera:1") is None


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    sentence = r"pyvirtualcam is not installed; run: .*pip install .*pyvirtualcam"
    with pytest.raises(UserError, match=sentence):
        VirtualCamera("camera:10", ABOUT)
