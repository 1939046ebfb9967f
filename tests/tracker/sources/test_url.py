"""Streams from a server on this machine."""

from __future__ import annotations

import http.server
import socket
from collections.abc import Iterator
from threading import Event, Thread
from time import monotonic, sleep

import cv2
import numpy as np
import pytest

from tracker.errors import UserError
from tracker.sources.open import open_source
from tracker.sources.source import CameraError
from tracker.sources.url import UrlSource, without_password


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


def test_an_address_in_capital_letters(server: str) -> None:
    source = open_source(f"HTTP://{server}/video")
    source.open()
    assert source.read() is not None
    source.close()


@pytest.mark.parametrize("spec", ["http://[::1", "rtsp://[cam/1", "HTTPS://[1.2.3.4]x/"])
def test_what_is_no_address(spec: str) -> None:
    with pytest.raises(UserError, match="no address"):
        open_source(spec)


def test_a_name_longer_than_any_file_has() -> None:
    assert open_source("x" * 5000).live, "it may be a camera's name"


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
