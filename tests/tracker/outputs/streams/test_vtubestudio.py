"""VTube Studio, played by a server that speaks its API as its documentation says."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from tests.helpers import clips
from tests.helpers.live import wait_for
from tracker.errors import UserError
from tracker.find.expressions import in_order
from tracker.find.hand_bones import bent
from tracker.outputs.output import About
from tracker.outputs.streams import vtubestudio
from tracker.outputs.streams.vtubestudio import VTubeStudio, token_file
from tracker.result import Result
from tracker.types import Frame, Pose

ABOUT = About("cam", clips.USED)
TOKEN = "adcd-123-ef09-some-token-string-abcd"


class FakeStudio:
    """Answers as README.md of its API describes; `allow` is what its user clicks."""

    def __init__(self) -> None:
        self.allow = True
        self.broken = ""  # what it says in place of an answer
        self.taken: set[str] = set()  # parameters that another plug-in made,
        self.controlled = ""  # and one that it controls
        self.asked: list[dict[str, object]] = []
        self.known = {"FaceAngleX", "FaceAngleY", "FaceAngleZ", "FacePositionX", "FacePositionY",
                      "FacePositionZ", "EyeOpenLeft", "EyeOpenRight", "MouthOpen", "MouthSmile",
                      "BrowLeftY", "BrowRightY"}  # fmt: skip
        self.injected: list[tuple[float, dict[str, object]]] = []
        self._server = serve(self._talk, "127.0.0.1", 0)
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def kinds(self) -> list[object]:
        return [request["messageType"] for request in self.asked]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join(5)

    def _talk(self, connection: ServerConnection) -> None:
        is_known = False
        try:
            for text in connection:
                request = json.loads(text)
                assert request["apiName"] == "VTubeStudioPublicAPI"
                assert request["apiVersion"] == "1.0" and 1 <= len(request["requestID"]) <= 64
                self.asked.append(request)
                kind, data = self._answer(request, is_known)
                is_known = is_known or bool(data.get("authenticated"))
                answer = {key: request[key] for key in ("apiName", "apiVersion", "requestID")}
                answer |= {"timestamp": 1625405710728, "messageType": kind, "data": data}
                connection.send(self.broken or json.dumps(answer))
        except ConnectionClosed:
            pass

    def _answer(self, request: dict[str, object], is_known: bool) -> tuple[str, dict[str, object]]:
        kind, data = request["messageType"], request["data"]
        assert isinstance(data, dict)
        if kind == "AuthenticationTokenRequest":
            assert 3 <= len(data["pluginName"]) <= 32 and 3 <= len(data["pluginDeveloper"]) <= 32
            if not self.allow:
                denied = "User has denied API access for your plugin."
                return "APIError", {"errorID": 50, "message": denied}
            return "AuthenticationTokenResponse", {"authenticationToken": TOKEN}
        if kind == "AuthenticationRequest":
            right = data["authenticationToken"] == TOKEN
            return "AuthenticationResponse", {"authenticated": right, "reason": ""}
        if not is_known:
            return "APIError", {"errorID": 8, "message": "This request requires authentication."}
        if kind == "ParameterCreationRequest":
            name = data["parameterName"]
            assert name.isalnum() and 4 <= len(name) <= 32 and len(data["explanation"]) < 256
            assert data["min"] <= data["defaultValue"] <= data["max"]
            if name in self.taken:
                words = f"Parameter {name} was created by a different plugin."
                return "APIError", {"errorID": 352, "message": words}
            self.known.add(name)
            return "ParameterCreationResponse", {"parameterName": name}
        assert kind == "InjectParameterDataRequest" and data["mode"] == "set"
        for row in data["parameterValues"]:
            assert row["id"] in self.known and -1e6 <= row["value"] <= 1e6
            if row["id"] == self.controlled:
                words = "Parameter is already controlled by another plugin."
                return "APIError", {"errorID": 454, "message": words}
        self.injected.append((time.monotonic(), data))
        return "InjectParameterDataResponse", {}

    def newest(self) -> tuple[bool, dict[str, float]]:
        data = self.injected[-1][1]
        rows = data["parameterValues"]
        assert isinstance(rows, list)
        return bool(data["faceFound"]), {row["id"]: row["value"] for row in rows}


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(vtubestudio, "RETRY", 0.1)


@contextmanager
def studio() -> Iterator[FakeStudio]:
    fake = FakeStudio()
    try:
        yield fake
    finally:
        fake.close()


def seen() -> Result:
    matrix = np.eye(4, dtype=np.float32)
    matrix[:3, 3] = 3, -4, 60
    face = replace(clips.track("face", number=2), pose=Pose(10, -5, 2.5, matrix))
    bends = np.array([[0, 0, 0], [90, 90, 0], [0, 0, 0], [0, 45, 45], [0, 0, 0]])
    hand = replace(clips.track("hand", side="left"), xyz=bent("left", bends))
    return Result(1.0, (hand, face))


FRAME = Frame(1, 1.0, np.zeros((64, 96, 3), np.uint8))


def test_the_user_is_asked_once_and_values_arrive() -> None:
    with studio() as fake:
        output = VTubeStudio(f"vtubestudio://127.0.0.1:{fake.port}", ABOUT)
        output.put(FRAME, seen())
        wait_for(lambda: bool(fake.injected) and fake.newest()[0], "values")
        found, values = fake.newest()
        assert found and (values["FaceAngleX"], values["FaceAngleY"]) == (10, -5)
        assert values["FaceAngleZ"] == 2.5
        assert [values[f"FacePosition{a}"] for a in "XYZ"] == [3, 4, -60]
        assert 0 <= values["EyeOpenLeft"] <= 1 and 0 <= values["MouthSmile"] <= 1
        hand = clips.hand_xy()[0]
        assert values["LtLeftX"] == pytest.approx(2 * hand[0] / 96 - 1, abs=1e-4)
        assert values["LtLeftY"] == pytest.approx(1 - 2 * hand[1] / 64, abs=1e-4)
        assert values["LtLeftIndexBend"] == pytest.approx(1, abs=1e-3)
        assert values["LtLeftRingBend"] == pytest.approx(0.5, abs=1e-3)
        assert values["LtLeftFound"] == 1 and values["LtRightFound"] == 0
        output.close(True)
        wait_for(lambda: not fake.newest()[0], "the loss is told")
        assert fake.newest()[1] == {"LtLeftFound": 0, "LtRightFound": 0}
        assert fake.kinds()[:2] == ["AuthenticationTokenRequest", "AuthenticationRequest"]
        assert token_file().read_text() == TOKEN
        assert stat.S_IMODE(token_file().stat().st_mode) == 0o600

        count = len(fake.asked)
        output = VTubeStudio(f"vtubestudio://127.0.0.1:{fake.port}", ABOUT)
        output.put(FRAME, None)
        wait_for(lambda: len(fake.injected) > 2 and not fake.newest()[0], "no face is told")
        output.close(True)
        assert fake.kinds()[count] == "AuthenticationRequest", "the token is known by now"


def test_expressions_are_parameters_of_their_own() -> None:
    """Made when a model that gives them shows a face, and once."""
    with studio() as fake:
        fake.known |= {"CheekPuff", "MouthX", "EyeLeftX", "EyeLeftY", "EyeRightX", "EyeRightY"}
        output = VTubeStudio(f"vtubestudio://127.0.0.1:{fake.port}", ABOUT)
        output.put(FRAME, seen())
        wait_for(lambda: bool(fake.injected) and fake.newest()[0], "values")
        assert not [name for name in fake.known if name == "LtJawOpen"]
        told = np.array(in_order({"jawOpen": 0.5, "eyeLookOutLeft": 0.25}), np.float32)
        hand, face = seen().tracks
        output.put(FRAME, Result(1.1, (hand, replace(face, expressions=told))))
        wait_for(lambda: "LtJawOpen" in fake.newest()[1], "expressions")
        values = fake.newest()[1]
        assert values["LtJawOpen"] == 0.5 and values["LtEyeBlinkLeft"] == 0
        assert values["EyeLeftX"] == 0.25 and values["EyeOpenLeft"] == 1
        told = told * 0.5
        output.put(FRAME, Result(1.2, (hand, replace(face, expressions=told))))
        wait_for(lambda: fake.newest()[1]["LtJawOpen"] == 0.25, "the next frame")
        made = [r for r in fake.asked if r["messageType"] == "ParameterCreationRequest"]
        assert len(made) == 16 + 51
        output.close(True)


def test_values_are_sent_again_within_a_second() -> None:
    with studio() as fake:
        output = VTubeStudio(f"vtubestudio://127.0.0.1:{fake.port}", ABOUT)
        output.put(FRAME, seen())
        wait_for(lambda: len(fake.injected) >= 4, "it goes on without frames")
        output.close(True)
        times = [when for when, _ in fake.injected[:4]]
        assert max(np.diff(times)) < 1.0


def test_a_token_that_was_revoked_and_a_user_who_refuses() -> None:
    token_file().parent.mkdir(parents=True)
    token_file().write_text("an old one")
    with studio() as fake:
        fake.allow = False
        output = VTubeStudio(f"vtubestudio://127.0.0.1:{fake.port}", ABOUT)

        def refused() -> bool:
            try:
                output.put(FRAME, None)
            except UserError as error:
                return "was refused by its user: User has denied" in str(error)
            return False

        wait_for(refused, "the refusal is told")
        output.close(True)
        assert fake.kinds() == ["AuthenticationRequest", "AuthenticationTokenRequest"]


def test_it_is_waited_for_and_nothing_waits() -> None:
    """Started before VTube Studio, and after it was closed and opened again."""
    fake = FakeStudio()
    port = fake.port
    fake.close()
    output = VTubeStudio(f"vtubestudio://127.0.0.1:{port}", ABOUT)
    longest = 0.0
    for _ in range(50):
        begun = time.thread_time()
        output.put(FRAME, seen())
        longest = max(longest, time.thread_time() - begun)
    assert longest < 0.1
    begun = time.monotonic()
    output.close(True)
    assert time.monotonic() - begun < 3


def refusal(output: VTubeStudio) -> str:
    """What `put` raises, sooner or later."""
    said: list[str] = []

    def refused() -> bool:
        try:
            output.put(FRAME, seen())
        except UserError as error:
            said.append(str(error))
        return bool(said)

    wait_for(refused, "the refusal is told")
    output.close(True)
    return said[0]


def test_another_plug_in_in_the_way_is_told() -> None:
    """Its parameter of the same name, or its hand on one that is sent."""
    with studio() as fake:
        fake.taken = {"LtRightRingBend"}
        target = f"vtubestudio://127.0.0.1:{fake.port}"
        said = refusal(VTubeStudio(target, ABOUT))
        assert f"{target} refuses what is sent: Parameter LtRightRingBend was created by" in said
        assert fake.injected == []
        fake.taken, fake.controlled = set(), "FaceAngleX"
        said = refusal(VTubeStudio(target, ABOUT))
        assert "already controlled by another plugin; end what else controls it" in said


def test_how_far_the_connection_is() -> None:
    with studio() as fake:
        output = VTubeStudio(f"vtubestudio://127.0.0.1:{fake.port}", ABOUT)
        wait_for(lambda: output.heard() == "connected", "it is connected")
        output.close(True)
    output = VTubeStudio(f"vtubestudio://127.0.0.1:{fake.port}", ABOUT)
    assert output.heard() == "waiting for VTube Studio"
    output.close(True)


def test_a_token_file_that_cannot_be_read_is_as_good_as_none() -> None:
    """The user is asked anew."""
    token_file().parent.mkdir(parents=True)
    token_file().write_bytes(b"\xff\xfe\x00half a token")
    with studio() as fake:
        output = VTubeStudio(f"vtubestudio://127.0.0.1:{fake.port}", ABOUT)
        wait_for(lambda: output.heard() == "connected", "it is connected")
        output.close(True)
        assert fake.kinds()[0] == "AuthenticationTokenRequest"
    assert token_file().read_text() == TOKEN


def test_what_answers_and_is_another_program_is_tried_again() -> None:
    """Its thread goes on, and connects when VTube Studio has the port."""
    with studio() as fake:
        fake.broken = "this is no JSON"
        output = VTubeStudio(f"vtubestudio://127.0.0.1:{fake.port}", ABOUT)
        wait_for(lambda: len(fake.asked) >= 2, "it tries again")
        assert output.heard() != "connected"
        fake.broken = ""
        wait_for(lambda: output.heard() == "connected", "it is connected")
        output.close(True)
