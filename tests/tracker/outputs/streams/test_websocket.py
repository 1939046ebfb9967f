"""The WebSocket server: programs, slow programs, foreign web sites, and a real browser."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import cv2
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.helpers import clips
from tests.helpers.live import wait_for
from tracker.errors import UserError
from tracker.outputs.output import About
from tracker.outputs.streams.websocket import HELD, WebSocketServer
from tracker.result import Result
from tracker.types import Frame

ABOUT = About("cam", clips.USED)
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")


def seen(i: int) -> tuple[Frame, Result]:
    t = i / 25
    frame = Frame(i, t, clips.picture(0))
    return frame, Result(t, (clips.track("hand"), clips.track("face", number=2)))


@contextmanager
def serving(about: About = ABOUT) -> Iterator[WebSocketServer]:
    server = WebSocketServer("ws://127.0.0.1:0", about)
    try:
        yield server
    finally:
        server.close(True)


@contextmanager
def flowing(server: WebSocketServer) -> Iterator[None]:
    """Frames at 25 a second, until the end."""
    ended = Event()

    def flow() -> None:
        i = 0
        while not ended.wait(0.04):
            server.put(*seen(i))
            i += 1

    thread = Thread(target=flow)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(5)


def test_a_line_is_one_message_whatever_letters_are_in_it() -> None:
    name = "a clip\u2028in two lines\x85.mp4"
    with (
        serving(About(name, clips.USED)) as server,
        connect(f"ws://127.0.0.1:{server.port}/") as client,
    ):
        wait_for(lambda: server.heard() == "1 client", "the client")
        server.put(*seen(0))
        assert [json.loads(client.recv(5)).get("source") for _ in range(2)] == [name, None]


def test_everybody_gets_the_header_and_then_each_line() -> None:
    with serving() as server, connect(f"ws://127.0.0.1:{server.port}/") as early:
        assert server.heard() in ("0 clients", "1 client")
        wait_for(lambda: server.heard() == "1 client", "the first client")
        server.put(*seen(0))
        with connect(f"ws://127.0.0.1:{server.port}/any/path") as late:
            wait_for(lambda: server.heard() == "2 clients", "the second client")
            server.put(*seen(1))
            rows = [json.loads(early.recv(5)) for _ in range(3)]
            assert rows[0]["schema_version"] == 1 and rows[0]["size_wh"] == [96, 64]
            assert [row["frame"] for row in rows[1:]] == [0, 1]
            head, row = (json.loads(late.recv(5)) for _ in range(2))
            assert head == rows[0] and row == rows[2]
            assert [track["kind"] for track in row["tracks"]] == ["hand", "face"]
        wait_for(lambda: len(server._clients) == 1, "who leaves is forgotten")


def test_the_end_is_told() -> None:
    server = WebSocketServer("ws://127.0.0.1:0", ABOUT)
    with connect(f"ws://127.0.0.1:{server.port}/") as client:
        wait_for(lambda: len(server._clients) == 1, "the client")
        server.close(True)
        assert list(client) == [], "the connection was closed, not cut"


def deaf(port: int) -> socket.socket:
    """A client that says hello and never reads."""
    pipe = socket.socket()
    pipe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    pipe.connect(("127.0.0.1", port))
    pipe.sendall(
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    return pipe


def test_a_client_that_does_not_read_holds_up_nobody() -> None:
    """Its lines are dropped when a megabyte waits; the other one gets all of them."""
    with (
        serving() as server,
        connect(f"ws://127.0.0.1:{server.port}/") as reader,
        closing(deaf(server.port)),
    ):
        wait_for(lambda: len(server._clients) == 2, "both")
        got: list[int] = []

        def read() -> None:
            with suppress(ConnectionClosed):
                for text in reader:
                    row = json.loads(text)
                    if "frame" in row:
                        got.append(row["frame"])

        thread = Thread(target=read, daemon=True)
        thread.start()
        frames = 1200  # of 7 kB: far more than the sockets and the backlog hold
        for i in range(frames):
            server.put(*seen(i))
            wait_for(lambda at=i: len(got) > at - 40, "the reader keeps up")  # type: ignore[misc]
        wait_for(lambda: len(got) == frames, "all frames")
        assert got == list(range(frames))
        held = [client._held for client in server._clients]
        assert max(held) > 0.9 * HELD, "one is stuck"


@pytest.mark.parametrize("frames", [1, 1200], ids=["a line", "more than the sockets hold"])
def test_a_client_that_does_not_read_does_not_hold_up_the_end(frames: int) -> None:
    """Neither by what waits for it, nor by the goodbye that it does not answer."""
    server = WebSocketServer("ws://127.0.0.1:0", ABOUT)
    with closing(deaf(server.port)):
        wait_for(lambda: len(server._clients) == 1, "the client")
        for i in range(frames):
            server.put(*seen(i))
        ending = Thread(target=server.close, args=(True,), daemon=True)
        ending.start()
        ending.join(5)
        assert not ending.is_alive()


def fetch(port: int, path: str = "/", **headers: str) -> tuple[int, str, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, "", error.read().decode()


def test_the_page_and_what_there_is_not() -> None:
    with serving() as server:
        status, kind, page = fetch(server.port)
        assert (status, kind) == (200, "text/html; charset=utf-8") and "<canvas" in page
        assert "http://" not in page and "https://" not in page, "it loads nothing from elsewhere"
        assert fetch(server.port, "/etc/passwd")[0] == 404


def test_other_sites_may_not_listen() -> None:
    """Neither by their own origin, nor by a name of theirs that leads to this computer."""
    with serving() as server:
        url = f"ws://127.0.0.1:{server.port}/"
        for origin in ("http://evil.example", "null"):
            with pytest.raises(InvalidStatus, match="403"):
                connect(url, origin=origin)  # type: ignore[arg-type]
        assert fetch(server.port, Host=f"evil.example:{server.port}")[0] == 403
        with connect(url, origin=f"http://127.0.0.1:{server.port}") as own:  # type: ignore[arg-type]
            assert own.protocol is not None


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_by_ipv6() -> None:
    server = WebSocketServer("ws://[::1]:0", ABOUT)
    try:
        with connect(f"ws://[::1]:{server.port}/"):
            wait_for(lambda: server.heard() == "1 client", "the client")
    finally:
        server.close(True)


def test_a_port_in_use() -> None:
    with serving() as server, pytest.raises(UserError, match="choose another port"):
        WebSocketServer(f"ws://127.0.0.1:{server.port}", ABOUT)


@contextmanager
def browser(url: str, profile: Path) -> Iterator[Callable[[str, dict[str, object]], object]]:
    """A headless Chromium at a page; gives what sends it a command of the DevTools protocol."""
    assert CHROMIUM is not None
    process = subprocess.Popen(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=960,720",
            "--remote-debugging-port=0", "--remote-allow-origins=*", f"--user-data-dir={profile}",
            url,
        ],
        stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        told = profile / "DevToolsActivePort"
        wait_for(lambda: told.exists() and len(told.read_text().split()) == 2, "Chromium", 60)
        port = told.read_text().split()[0]
        pages: list[dict[str, str]] = []

        def has_page() -> bool:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=30) as answer:
                pages[:] = [page for page in json.load(answer) if page["type"] == "page"]
            return bool(pages)

        wait_for(has_page, "a page", 60)
        with connect(pages[0]["webSocketDebuggerUrl"], max_size=1 << 24) as tools:
            count = 0

            def ask(method: str, params: dict[str, object]) -> object:
                nonlocal count
                count += 1
                tools.send(json.dumps({"id": count, "method": method, "params": params}))
                while (answer := json.loads(tools.recv(60))).get("id") != count:
                    pass
                return answer["result"]

            yield ask
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_a_browser_draws_the_landmarks(tmp_path: Path) -> None:
    """The page runs in Chromium, which photographs what it shows."""
    with serving() as server, flowing(server):
        url = f"http://127.0.0.1:{server.port}/"
        with browser(url, tmp_path / "profile") as ask:

            def value(script: str) -> object:
                answer = ask("Runtime.evaluate", {"expression": script})
                return answer["result"].get("value")  # type: ignore[index]

            wait_for(lambda: value("document.body.dataset.tracks") == "2", "two tracks", 60)
            said = str(value("document.getElementById('words').textContent"))
            shot = ask("Page.captureScreenshot", {"format": "png"})["data"]  # type: ignore[index]
    data = base64.b64decode(shot)
    (tmp_path / "page.png").write_bytes(data)
    assert "left 1  fist 90 %" in said and "face 2  yaw 10  pitch -5  roll 2.5" in said
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    green = (np.abs(picture.astype(int) - (0x77, 0xD9, 0x57)).max(2) < 12).sum()
    white = (np.abs(picture.astype(int) - (0xE8, 0xE8, 0xE8)).max(2) < 12).sum()
    assert green > 300 and white > 300, "a left hand and a face"
