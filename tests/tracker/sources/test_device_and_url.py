"""Cameras with a fake OpenCV and a fake system; streams from a server on this machine."""

from __future__ import annotations

import http.server
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

import cv2
import numpy as np
import pytest

from tracker.errors import UserError
from tracker.sources import device_and_url
from tracker.sources.cameras import Camera
from tracker.sources.device_and_url import DeviceSource, UrlSource, without_password
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
    monkeypatch.setattr(device_and_url.sys, "platform", platform)
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
    monkeypatch.setattr(device_and_url, "users_of", lambda path: ["zoom (process 12)"])
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


class Mjpeg(http.server.BaseHTTPRequestHandler):
    """An IP camera: JPEG after JPEG in one answer. /three ends soon, /mute sends nothing."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace;boundary=part")
        self.end_headers()
        try:
            for i in range({"/three": 3, "/mute": 0}.get(self.path.split("?")[0], 500)):
                picture = np.full((48, 64, 3), 20 + i % 200, np.uint8)
                data = cv2.imencode(".jpg", picture)[1].tobytes()
                head = f"--part\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                self.wfile.write(head.encode() + data + b"\r\n")
                sleep(0.02)
            if self.path == "/mute":
                self.server.mute.wait(20)  # type: ignore[attr-defined]
        except OSError:
            pass

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    """The address of an IP camera."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mjpeg)
    server.mute = Event()  # type: ignore[attr-defined]
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.mute.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


def test_a_stream_over_http(server: str) -> None:
    source = UrlSource(f"http://{server}/video?secret=1", 5, 5)
    assert source.live and source.name == f"http://{server}/video"
    source.open()
    frames = [source.read() for _ in range(5)]
    source.close()
    values = [int(f.bgr.mean()) for f in frames if f is not None and f.bgr is not None]
    assert len(values) == 5 and values == sorted(set(values))
    times = [f.t for f in frames if f is not None]
    assert times == sorted(times) and monotonic() - times[-1] < 5
    assert source.read() is None


def test_a_stream_that_ends(server: str) -> None:
    source = UrlSource(f"http://{server}/three", 5, 5)
    source.open()
    with pytest.raises(CameraError) as caught:
        for _ in range(10):
            source.read()
    assert caught.value.phase == "no_frames"


def test_a_server_that_says_nothing(server: str) -> None:
    begun = monotonic()
    with pytest.raises(CameraError, match="did not open"):
        UrlSource(f"http://{server}/mute", 0.5, 0.5).open()
    assert monotonic() - begun < 8


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(CameraError, match=f"http://127.0.0.1:{port}/ did not open: .*refused"):
        UrlSource(f"http://me:word@127.0.0.1:{port}/", 2, 2).open()


def test_addresses_are_shown_without_secrets() -> None:
    assert without_password("rtsp://me:pw@10.0.0.2:554/ch1?k=1#x") == "rtsp://10.0.0.2:554/ch1"
    assert without_password("http://10.0.0.2/v") == "http://10.0.0.2/v"
