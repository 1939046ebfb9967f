"""`obs:scene NAME`, `obs:record`, ...: OBS Studio by its WebSocket protocol, version 5.

github.com/obsproject/obs-websocket, docs/generated/protocol.md: OBS greets (op 0), we identify
(op 1, with base64(sha256(base64(sha256(password + salt)) + challenge)) where it asks for that), it
agrees (op 2); a request is op 6, its answer op 7.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from tracker.actions.run import Phase

DEFAULT = "ws://127.0.0.1:4455"
PATIENCE = 3.0  # s
HELLO, IDENTIFY, IDENTIFIED, REQUEST, ANSWER = 0, 1, 2, 6, 7
# Words, the request, and the field that takes what follows the word ('': nothing follows).
WORDS = {
    "scene": ("SetCurrentProgramScene", "sceneName"),
    "preview": ("SetCurrentPreviewScene", "sceneName"),
    "mute": ("ToggleInputMute", "inputName"),
    "record": ("ToggleRecord", ""),
    "pause_record": ("ToggleRecordPause", ""),
    "stream": ("ToggleStream", ""),
    "replay": ("SaveReplayBuffer", ""),
    "camera": ("ToggleVirtualCam", ""),
    "transition": ("TriggerStudioModeTransition", ""),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request of the protocol."""

    request: str
    data: Mapping[str, Any] = field(default_factory=dict)


def parse(text: str) -> Wanted:
    """`scene NAME`, `record`, ..., or REQUEST {JSON}. ValueError where it is neither."""
    word, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    if word in WORDS:
        request, name = WORDS[word]
        if bool(rest) != bool(name):
            wish = f"obs:{word} NAME" if name else f"obs:{word}"
            raise ValueError(f"'obs:{text}' is not complete; write {wish}")
        return Wanted(request, {name: rest} if name else {})
    if not word[:1].isupper():
        known = ", ".join(WORDS)
        raise ValueError(f"OBS knows no {word!r} here; write one of {known}, or REQUEST {{JSON}}")
    try:
        data = json.loads(rest or "{}")
    except ValueError as error:
        raise ValueError(f"what follows {word} is no JSON ({error}); write {{...}}") from error
    if not isinstance(data, dict):
        raise ValueError(f"what follows {word} is no JSON object; write {{...}}")
    return Wanted(word, data)


def answer_to(password: str, salt: str, challenge: str) -> str:
    """What proves that one knows the password."""
    secret = base64.b64encode(hashlib.sha256((password + salt).encode()).digest())
    return base64.b64encode(hashlib.sha256(secret + challenge.encode()).digest()).decode()


class Obs:
    """Keeps one connection; one that broke is made again at the next request."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """`url` and `password` of the settings; without one, the variable OBS_PASSWORD."""
        self._url = str(settings.get("url", DEFAULT))
        self._password = str(settings.get("password") or os.environ.get("OBS_PASSWORD", ""))
        self._socket: Any = None
        self._opened = ExitStack()  # closes it
        self._number = 0

    def run(self, what: Wanted, phase: Phase, value: float) -> None:
        if phase == "end":
            return
        from websockets.exceptions import WebSocketException

        for is_last in (False, True):
            fresh = self._socket is None
            try:
                self._ask(what)
                return
            except (OSError, WebSocketException) as error:
                self.close()
                if isinstance(error, ObsRefused) or fresh or is_last:
                    raise OSError(f"OBS at {self._url}: {error}") from error

    def close(self) -> None:
        self._socket = None
        self._opened.close()

    def _ask(self, what: Wanted) -> None:
        if self._socket is None:
            self._connect()
        self._number += 1
        number = str(self._number)
        data = {"requestType": what.request, "requestId": number, "requestData": dict(what.data)}
        self._send(REQUEST, data)
        while True:
            op, body = self._receive()
            if op == ANSWER and body["requestId"] == number:
                break
        status = body["requestStatus"]
        if not status["result"]:
            raise ObsRefused(f"{what.request} failed: {status.get('comment') or status['code']}")

    def _connect(self) -> None:
        from websockets.exceptions import ConnectionClosed
        from websockets.sync.client import connect

        opening = connect(self._url, open_timeout=PATIENCE, close_timeout=0.5)
        self._socket = self._opened.enter_context(opening)
        _, hello = self._receive()
        identity: dict[str, Any] = {"rpcVersion": 1, "eventSubscriptions": 0}
        asked = hello.get("authentication")
        if asked is not None:
            if not self._password:
                raise ObsRefused("it asks for a password; write it to [obs] or OBS_PASSWORD")
            identity["authentication"] = answer_to(
                self._password, asked["salt"], asked["challenge"]
            )
        self._send(IDENTIFY, identity)
        try:
            op, _ = self._receive()
        except ConnectionClosed as error:
            raise ObsRefused("it did not let us in; look at the password") from error
        if op != IDENTIFIED:
            raise ObsRefused(f"it answered with op {op}; is it OBS 28 or later?")

    def _send(self, op: int, data: Mapping[str, Any]) -> None:
        self._socket.send(json.dumps({"op": op, "d": data}))

    def _receive(self) -> tuple[int, dict[str, Any]]:
        try:
            packet = json.loads(self._socket.recv(timeout=PATIENCE))
        except TimeoutError as error:
            raise OSError(f"no answer for {PATIENCE:g} s") from error
        return int(packet["op"]), packet["d"]


class ObsRefused(OSError):
    """OBS answered, and said no."""
