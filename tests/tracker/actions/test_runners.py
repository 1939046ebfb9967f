"""Runners against receivers that are not ours: an OSC server, a web server, OBS as its protocol
says, programs; and the lanes that hand events to them."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest

from tracker.actions import midi, obs, processes
from tracker.actions.run import Event
from tracker.actions.runners import LANES, Runners, parse_run


def event(text: str, phase: str = "begin", value: float = 0.0) -> Event:
    return Event("rule", parse_run(text), phase, 1.0, 1.0, value)  # type: ignore[arg-type]


def wait_for(is_so: Callable[[], bool], seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not is_so() and time.monotonic() < until:
        time.sleep(0.01)
    assert is_so()


def test_osc() -> None:
    pythonosc = pytest.importorskip("pythonosc.osc_server", reason="python-osc is not installed")
    from pythonosc.dispatcher import Dispatcher

    heard: list[tuple[object, ...]] = []
    dispatcher = Dispatcher()
    dispatcher.set_default_handler(lambda address, *values: heard.append((address, *values)))
    server = pythonosc.ThreadingOSCUDPServer(("127.0.0.1", 0), dispatcher)
    Thread(target=server.serve_forever, daemon=True).start()
    where = f"127.0.0.1:{server.server_address[1]}"
    runners = Runners({"osc": {"to": where}})
    runners.put(event("osc:/scene 1 0.5 two"), 0.0)
    runners.put(event("osc:/scene 1 0.5 two", "end"), 0.0)
    runners.put(event(f"osc:{where}/pinch", "value", 0.25), 0.0)
    runners.put(event("osc:/mix VALUE left", "value", 0.75), 0.0)
    wait_for(lambda: len(heard) == 3)
    assert heard == [("/scene", 1, 0.5, "two"), ("/pinch", 0.25), ("/mix", 0.75, "left")]
    runners.close()
    server.shutdown()
    assert runners.errors == ()


@pytest.fixture
def web() -> Iterator[tuple[str, Queue[tuple[str, str, str, str]]]]:
    """A web server, and what it was asked: method, path, body, kind of body."""
    asked: Queue[tuple[str, str, str, str]] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            kind = self.headers.get("Content-Type") or ""
            asked.put((self.command, self.path, body, kind))
            self.send_response(404 if self.path == "/gone" else 200)
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *args: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()


def test_http(web: tuple[str, Queue[tuple[str, str, str, str]]]) -> None:
    url, asked = web
    runners = Runners({})
    runners.put(event(f"{url}/on"), 0.0)
    assert asked.get(timeout=10) == ("GET", "/on", "", "")
    runners.put(event(f'http:POST {url}/lamp {{"level": VALUE}}', "value", 0.5), 0.0)
    assert asked.get(timeout=10) == ("POST", "/lamp", '{"level": 0.5}', "application/json")
    runners.put(event(f"{url}/gone"), 0.0)
    wait_for(lambda: runners.errors != ())
    assert "answered 404" in runners.errors[0]
    runners.put(event(f"{url}/on"), 0.0)
    wait_for(lambda: runners.errors == ())
    runners.put(event("http://127.0.0.1:9/x"), 0.0)
    wait_for(lambda: "does not answer" in "".join(runners.errors))
    runners.close()


def test_http_to_what_is_no_web_server() -> None:
    """It answers no line of HTTP; the web server that takes its place is reached."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in (b"220 mail.example ESMTP\r\n", b"HTTP/1.0 200 OK\r\n\r\n"):
                connection, _ = server.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

        Thread(target=serve, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        runners = Runners({})
        runners.put(event(url), 0.0)
        wait_for(lambda: runners.errors != ())
        assert runners.errors[0].startswith(f"{url}: {url} answers not as a web server does")
        runners.put(event(url), 0.0)
        wait_for(lambda: runners.errors == ())
        runners.close()


class FakeObs:
    """OBS as docs/generated/protocol.md of obs-websocket 5 says, password 'supersecret'.

    The answer to its challenge was worked out by openssl, with the two lines below.
    """

    SALT, CHALLENGE = (
        "lM1GncleQOaCu9lT1yeUZhFYnqhsLLP1G5lAGo3ixaI=",
        "+IxH4CnCiqpX1rM9scsNynZzbOe4KhDeYcTNS3PDaeY=",
    )
    # S=$(printf '%s%s' supersecret "$SALT" | openssl sha256 -binary | base64)
    # printf '%s%s' "$S" "$CHALLENGE" | openssl sha256 -binary | base64
    ANSWER = "sQBlPUYd9mki/3XVFBp4Pt08FCMWdMVIqnFWdEitUME="

    def __init__(self, password: bool = True) -> None:
        from websockets.sync.server import serve

        self.asked: list[dict[str, object]] = []
        self.password, self.connections = password, 0
        self.server = serve(self._talk, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self.server.socket.getsockname()[1]}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def _talk(self, socket: object) -> None:
        self.connections += 1
        hello: dict[str, object] = {"obsWebSocketVersion": "5.5.0", "rpcVersion": 1}
        if self.password:
            hello["authentication"] = {"challenge": self.CHALLENGE, "salt": self.SALT}
        socket.send(json.dumps({"op": 0, "d": hello}))  # type: ignore[attr-defined]
        identify = json.loads(socket.recv())  # type: ignore[attr-defined]
        assert identify["op"] == 1 and identify["d"]["rpcVersion"] == 1
        if self.password and identify["d"].get("authentication") != self.ANSWER:
            socket.close(4009, "Authentication failed.")  # type: ignore[attr-defined]
            return
        socket.send(json.dumps({"op": 2, "d": {"negotiatedRpcVersion": 1}}))  # type: ignore[attr-defined]
        for packet in socket:  # type: ignore[attr-defined]
            body = json.loads(packet)
            assert body["op"] == 6
            self.asked.append(body["d"])
            name = body["d"]["requestData"].get("sceneName")
            status = {"result": name != "Nowhere", "code": 100 if name != "Nowhere" else 600}
            if name == "Nowhere":
                status["comment"] = "No source was found by the name of `Nowhere`."
            answer = {
                "requestType": body["d"]["requestType"], "requestId": body["d"]["requestId"],
                "requestStatus": status, "responseData": {},
            }  # fmt: skip
            event = {"op": 5, "d": {"eventType": "CurrentProgramSceneChanged", "eventIntent": 4}}
            socket.send(json.dumps(event))  # type: ignore[attr-defined]
            socket.send(json.dumps({"op": 7, "d": answer}))  # type: ignore[attr-defined]


@pytest.fixture
def fake_obs() -> Iterator[FakeObs]:
    pytest.importorskip("websockets", reason="websockets is not installed")
    fake = FakeObs()
    yield fake
    fake.server.shutdown()


def test_the_answer_to_a_challenge_is_that_of_openssl() -> None:
    assert obs.answer_to("supersecret", FakeObs.SALT, FakeObs.CHALLENGE) == FakeObs.ANSWER


def test_obs(fake_obs: FakeObs) -> None:
    runner = obs.Obs({"url": fake_obs.url, "password": "supersecret"})
    runner.run(obs.parse("scene Scene 2"), "begin", 0.0)
    runner.run(obs.parse("scene Scene 2"), "end", 0.0)
    runner.run(obs.parse("record"), "begin", 0.0)
    assert [(a["requestType"], a["requestData"]) for a in fake_obs.asked] == [
        ("SetCurrentProgramScene", {"sceneName": "Scene 2"}), ("ToggleRecord", {}),
    ]  # fmt: skip
    with pytest.raises(OSError, match="No source was found by the name of `Nowhere`"):
        runner.run(obs.parse("scene Nowhere"), "begin", 0.0)
    runner.run(obs.parse("stream"), "begin", 0.0)
    assert fake_obs.connections == 2
    runner.close()


def test_obs_refuses_a_wrong_password_and_a_missing_one(
    fake_obs: FakeObs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OBS_PASSWORD", raising=False)
    with pytest.raises(OSError, match="asks for a password"):
        obs.Obs({"url": fake_obs.url}).run(obs.parse("record"), "begin", 0.0)
    with pytest.raises(OSError, match="did not let us in; look at the password"):
        obs.Obs({"url": fake_obs.url, "password": "x"}).run(obs.parse("record"), "begin", 0.0)
    monkeypatch.setenv("OBS_PASSWORD", "supersecret")
    with closing(obs.Obs({"url": fake_obs.url})) as runner:
        runner.run(obs.parse("record"), "begin", 0.0)
    assert len(fake_obs.asked) == 1


def test_obs_that_was_restarted_is_found_again(fake_obs: FakeObs) -> None:
    runner = obs.Obs({"url": fake_obs.url, "password": "supersecret"})
    runner.run(obs.parse("record"), "begin", 0.0)
    runner._socket.close()
    runner.run(obs.parse("record"), "begin", 0.0)
    assert len(fake_obs.asked) == 2 and fake_obs.connections == 2
    runner.close()
    nobody = obs.Obs({"url": "ws://127.0.0.1:9"})
    with pytest.raises(OSError, match="OBS at ws:"):
        nobody.run(obs.parse("record"), "begin", 0.0)


class Port:
    def __init__(self, name: str, virtual: bool) -> None:
        self.name, self.virtual = name, virtual
        self.sent: list[list[int]] = []

    def send(self, message: object) -> None:
        self.sent.append(list(message.bytes()))  # type: ignore[attr-defined]

    def close(self) -> None:
        self.sent.append([])


def test_midi_bytes() -> None:
    """Against the numbers of the MIDI 1.0 table: 9n note on, 8n off, Bn control, Cn, En bend."""
    pytest.importorskip("mido", reason="mido is not installed")
    ports: list[Port] = []

    def open_port(name: str, virtual: bool) -> Port:
        ports.append(Port(name, virtual))
        return ports[-1]

    runner = midi.Midi({"channel": 3}, open_port)
    runner.run(midi.parse("note 60 100"), "begin", 0.0)
    runner.run(midi.parse("note 60 100"), "end", 0.0)
    runner.run(midi.parse("cc 7"), "value", 0.5)
    runner.run(midi.parse("cc 64"), "begin", 0.0)
    runner.run(midi.parse("program 5"), "begin", 0.0)
    runner.run(midi.parse("bend"), "value", 1.0)
    runner.run(midi.parse("note 62"), "begin", 0.0)
    runner.close()
    assert (ports[0].name, ports[0].virtual) == ("landmark-tracker", True)
    assert ports[0].sent == [
        [0x92, 60, 100], [0x82, 60, 64], [0xB2, 7, 64], [0xB2, 64, 127], [0xC2, 5],
        [0xE2, 0x7F, 0x7F], [0x92, 62, 127], [0x82, 62, 64], [],
    ]  # fmt: skip
    midi.Midi({"port": "Synth"}, open_port)
    assert (ports[1].name, ports[1].virtual) == ("Synth", False)


def test_commands_are_no_shell(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = f"import sys; open({str(out)!r}, 'a').write(repr(sys.argv[1:]))"
    (tmp_path / "run.py").write_text(code)
    runners = Runners({})
    runners.put(event(f"command:{sys.executable} {tmp_path / 'run.py'} 'a b' $HOME; rm"), 0.0)
    wait_for(lambda: out.exists() and out.read_text() != "")
    assert out.read_text() == "['a b', '$HOME;', 'rm']"
    runners.put(event("command:/nowhere/at/all"), 0.0)
    wait_for(lambda: runners.errors != ())
    assert "/nowhere/at/all" in runners.errors[0]
    runners.close()


def test_speech_that_fails_is_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken"
    broken.touch()
    code = f"import pathlib; raise SystemExit(3 if pathlib.Path({str(broken)!r}).exists() else 0)"
    monkeypatch.setattr(processes, "speaker", lambda: [sys.executable, "-c", code])
    runners = Runners({})
    runners.put(event("say:hello"), 0.0)
    wait_for(lambda: runners.errors != ())
    assert "ended with status 3" in runners.errors[0]
    broken.unlink()
    runners.put(event("say:hello"), 0.0)
    wait_for(lambda: runners.errors == ())
    runners.close()


def test_one_slow_lane_holds_up_no_other_and_nothing_grows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []

    class Slow:
        def __init__(self, settings: object) -> None: ...
        def run(self, what: object, phase: str, value: float) -> None:
            time.sleep(0.2)

        def close(self) -> None: ...

    class Quick(Slow):
        def run(self, what: object, phase: str, value: float) -> None:
            done.append(phase)

        def close(self) -> None:
            done.append("closed")

    monkeypatch.setitem(LANES, "http", Slow)
    monkeypatch.setitem(LANES, "osc", Quick)
    runners = Runners({})
    begun = time.monotonic()
    for _ in range(300):
        runners.put(event("http://127.0.0.1:9/x"), 0.0)
    runners.put(event("osc:/a"), time.monotonic() - 0.3)
    wait_for(lambda: len(runners.latencies) == 1, 5)
    assert time.monotonic() - begun < 5 and 0.3 <= runners.latencies[0].whole < 5
    assert any("came too fast and were dropped" in words for words in runners.errors)
    runners.close(0.1)
    wait_for(lambda: done[-1:] == ["closed"])


def test_whatever_a_runner_raises_its_lane_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of what was held down comes, and it lets go of all in the end."""
    done: list[str] = []

    class Moody:
        def __init__(self, settings: object) -> None: ...
        def run(self, what: object, phase: str, value: float) -> None:
            if phase == "repeat":
                raise KeyError("no such thing")
            done.append(phase)

        def close(self) -> None:
            done.append("closed")

    monkeypatch.setitem(LANES, "device", Moody)
    runners = Runners({})
    for phase in ("begin", "repeat"):
        runners.put(event("hold:shift", phase), 0.0)
    wait_for(lambda: runners.errors == ("hold:shift: KeyError: 'no such thing'",))
    runners.put(event("hold:shift", "end"), 0.0)
    runners.close()
    assert done == ["begin", "end", "closed"] and runners.errors == ()


def test_a_runner_that_cannot_be_opened_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    from tracker.actions import device

    monkeypatch.setattr(device, "DEVICES", {"uinput": (lambda: "no rights; ask root", None)})
    runners = Runners({"device": "auto"})
    runners.prepare(["key"])
    wait_for(lambda: runners.errors != ())
    assert runners.errors == ("device: keys and pointer cannot be used: no rights; ask root",)
    runners.close()
