"""Cameras with a fake OpenCV and a fake system."""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import cv2
import numpy as np
import pytest

from tracker.errors import UserError
from tracker.sources import device
from tracker.sources.cameras import Camera
from tracker.sources.device import DeviceSource
from tracker.sources.source import CameraError
from tracker.types import Image


class FakeCapture:
    """A cv2.VideoCapture."""

    def __init__(self, good: bool = True) -> None:
        self.good, self.set_props, self.released = good, list[int](), False
        self.picture: Image | None = np.full((4, 6, 3), 9, np.uint8)

    def isOpened(self) -> bool:
        return self.good

    def set(self, propId: int, value: float, /) -> bool:
        self.set_props.append(propId)
        return True

    def read(self) -> tuple[bool, Image | None]:
        return self.picture is not None, self.picture

    def release(self) -> None:
        self.released = True


class Desk:
    """What is plugged in where."""

    def __init__(self) -> None:
        self.cameras = [Camera(0, "HD Webcam", "", "by-id/hd"), Camera(1, "Eye", "", "by-id/eye")]
        self.made: list[FakeCapture] = []
        self.opened: list[int] = []
        self.good = True

    def source(self, spec: str, **wishes: object) -> DeviceSource:
        return DeviceSource(spec, cameras=lambda: self.cameras, capture=self.capture, **wishes)  # type: ignore[arg-type]

    def capture(self, camera: Camera) -> FakeCapture:
        self.opened.append(camera.index)
        self.made.append(FakeCapture(self.good))
        return self.made[-1]


def test_the_camera_is_found_again_under_another_number() -> None:
    desk = Desk()
    source = desk.source("0")
    assert source.name == "camera 0"
    source.open()
    assert (source.name, source.identity) == ("HD Webcam", "by-id/hd")
    first, second = source.read(), source.read()
    assert first is not None and second is not None and first.bgr is not None
    assert first.bgr.shape == (4, 6, 3) and (first.index, second.index) == (0, 1)
    assert first.t <= second.t <= monotonic()
    source.close()
    assert desk.made[0].released and source.read() is None
    desk.cameras = [Camera(0, "Eye", "", "by-id/eye"), Camera(4, "HD Webcam", "", "by-id/hd")]
    source.open()
    assert desk.opened == [0, 4]


def test_unplugged_is_not_another_camera() -> None:
    desk = Desk()
    source = desk.source("HD Webcam")
    source.open()
    desk.cameras = [Camera(0, "Eye", "", "by-id/eye")]
    with pytest.raises(CameraError, match=r"HD Webcam was unplugged; plug it in") as caught:
        source.open()
    assert caught.value.phase == "unplugged" and desk.opened == [0]
    assert desk.made[0].released, "the old handle is let go"


def test_an_unknown_camera_names_the_known_ones() -> None:
    with pytest.raises(CameraError, match=r"camera 7 was not found, connected: 0 \(HD Webcam\), 1"):
        Desk().source("7").open()


@pytest.mark.parametrize("platform", ["linux", "win32"])
def test_wishes_in_the_order_the_system_needs(
    platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device.sys, "platform", platform)
    desk = Desk()
    desk.source("0", size_wh=(1280, 720), fps=30.0).open()
    size = [cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS]
    mjpg = [cv2.CAP_PROP_FOURCC]
    assert desk.made[0].set_props == (mjpg + size if platform == "linux" else size + mjpg)


def test_a_device_that_does_not_open() -> None:
    desk = Desk()
    desk.good = False
    with pytest.raises(CameraError, match="could not be opened; unplug it") as caught:
        desk.source("0").open()
    assert caught.value.phase == "failed" and desk.made[0].released


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_in_use_names_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "users_of", lambda path: ["zoom (process 12)"])
    desk = Desk()
    desk.good = False
    desk.cameras = [Camera(0, "HD Webcam", str(tmp_path), "by-id/hd")]
    with pytest.raises(CameraError, match=r"HD Webcam is in use by zoom \(process 12\)") as caught:
        desk.source("0").open()
    assert caught.value.phase == "busy"


def test_what_keeps_a_device_from_use_is_said() -> None:
    desk = Desk()
    desk.cameras = [Camera(0, "HD Webcam", "", "x", (), "you may not use /dev/video0; log in")]
    with pytest.raises(CameraError, match="you may not use"):
        desk.source("0").open()
    assert not desk.opened


def test_reads_that_bring_nothing() -> None:
    desk = Desk()
    source = desk.source("0")
    source.open()
    desk.made[0].picture = None
    assert source.read() is None and source.present() is None
    desk.made[0].picture = np.zeros((4, 6), np.uint8)
    frame = source.read()
    assert frame is not None and frame.bgr is not None and frame.bgr.shape == (4, 6, 3)


def test_a_number_needs_no_list() -> None:
    def nothing() -> list[Camera]:
        raise UserError("the cameras could not be listed: a library is missing")

    desk = Desk()
    DeviceSource("3", cameras=nothing, capture=desk.capture).open()
    assert desk.opened == [3]
    with pytest.raises(UserError, match="library is missing"):
        DeviceSource("HD", cameras=nothing, capture=desk.capture).open()


def test_opened_after_it_was_closed() -> None:
    """Closing while the driver still opens: the late handle is let go."""
    desk, begun, go = Desk(), Event(), Event()
    capture = desk.capture

    def slow(camera: Camera) -> FakeCapture:
        begun.set()
        go.wait(10)
        return capture(camera)

    source = DeviceSource("0", cameras=lambda: desk.cameras, capture=slow)
    raised: list[CameraError] = []

    def opening() -> None:
        try:
            source.open()
        except CameraError as error:
            raised.append(error)

    thread = Thread(target=opening, daemon=True)
    thread.start()
    assert begun.wait(10)
    source.close()
    go.set()
    thread.join(10)
    assert raised and desk.made[0].released and source.read() is None
