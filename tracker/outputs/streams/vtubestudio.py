"""`vtubestudio://HOST:PORT`: VTube Studio's own API, by WebSocket, port 8001.

At the first time VTube Studio asks its user whether this plug-in may control it; the token it gives
is kept for the next time. Parameters of the face are VTube Studio's own; those of hands are made
new, to be chosen in its settings of the model. They are sent at each frame, and again before a
second has passed, since it forgets them then; a lost face is `faceFound: false`, and a lost hand
has its found parameter at 0. Expressions of a model that gives them are new parameters, too, made
when they are first sent.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from engines.installation import install
from tracker.errors import UserError
from tracker.find.expressions import by_name
from tracker.find.face_measures import measured
from tracker.find.hand_bones import FINGERS, BoneLengths, finger_bends, hand_bones
from tracker.outputs.output import About
from tracker.outputs.streams.address import address
from tracker.outputs.streams.avatars import perfect_sync
from tracker.result import Result, oldest_face, oldest_hands
from tracker.settings_folder import settings_folder
from tracker.slots import Slot
from tracker.types import Frame, Side, Track
from tracker.whole_files import write_whole

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

PORT = 8001
PLUGIN, DEVELOPER = "Landmark Tracker", "landmark-tracker"
AGAIN = 0.8  # seconds after which the same values are sent once more
CLICK = 120.0  # seconds that the user has to allow it
ANSWER = 5.0  # seconds for any other answer
RETRY = 2.0  # seconds between two tries to connect
SIDES: tuple[Side, Side] = ("left", "right")

log = logging.getLogger("tracker.outputs.vtubestudio")


class VTubeStudio:
    """Hands values to a thread that talks to VTube Studio; `put` never waits."""

    def __init__(self, target: str, about: About) -> None:
        """Begin to connect. UserError where that is no address, or websockets is not there."""
        try:
            import websockets.sync.client  # noqa: F401
        except ImportError as error:
            raise UserError(f"websockets is not installed; run: {install('outputs')}") from error
        self._host, self._port = address(target, PORT)
        self._target, self._about = target, about
        self._lengths = {side: BoneLengths() for side in SIDES}
        self._size_wh = (1, 1)
        self._slot: Slot[tuple[bool, dict[str, float]]] = Slot()
        self._refused: str | None = None
        self._heard = "waiting for VTube Studio"
        self._thread = Thread(target=self._run, name="vtubestudio", daemon=True)
        self._thread.start()

    def put(self, frame: Frame, result: Result | None) -> None:
        """Offer the values of a frame. UserError when VTube Studio or its user has refused."""
        if self._refused is not None:
            raise UserError(self._refused)
        if frame.bgr is not None:
            self._size_wh = (frame.bgr.shape[1], frame.bgr.shape[0])
        self._slot.put((oldest_face(result) is not None, self._values(result)))

    def heard(self) -> str:
        """How far the connection is."""
        return self._heard

    def close(self, whole: bool) -> None:
        """Say that the face is lost, and end."""
        self._slot.close()
        self._thread.join(1.0)

    def _values(self, result: Result | None) -> dict[str, float]:
        face, hands = oldest_face(result), oldest_hands(result)
        values = {} if face is None else self._of_face(face)
        for side in SIDES:
            values |= self._of_hand(side, hands.get(side))
        return values

    def _of_face(self, face: Track) -> dict[str, float]:
        assert face.pose is not None
        pose = self._about.centred(face.pose)
        values = {"FaceAngleX": pose.yaw, "FaceAngleY": pose.pitch, "FaceAngleZ": pose.roll}
        if pose.xyz_cm is not None:
            x, y, z = pose.xyz_cm.tolist()
            values |= {"FacePositionX": x, "FacePositionY": -y, "FacePositionZ": -z}
        if len(face.xy) == 68:
            seen = measured(face)[1]
            values |= {
                "EyeOpenLeft": seen.eye_left,
                "EyeOpenRight": seen.eye_right,
                "MouthOpen": seen.mouth_open,
                "MouthSmile": (1 + seen.smile) / 2,
                "BrowLeftY": (1 + seen.brow_left) / 2,
                "BrowRightY": (1 + seen.brow_right) / 2,
            }
        if face.expressions is not None:
            values |= of_expressions(by_name(face.expressions))
            shapes = perfect_sync(face.expressions)
            values |= {f"Lt{name}": value for name, value in shapes.items()}
        return values

    def _of_hand(self, side: Side, hand: Track | None) -> dict[str, float]:
        name = f"Lt{side.capitalize()}"
        if hand is None:
            return {f"{name}Found": 0.0}
        x, y = (hand.xy[0] / self._size_wh).tolist()
        values = {f"{name}Found": 1.0, f"{name}X": 2 * x - 1, f"{name}Y": 1 - 2 * y}
        bones = hand_bones(hand, self._lengths[side])
        if bones is not None:
            bends = finger_bends(bones).tolist()
            values |= {f"{name}{f}Bend": b for f, b in zip(FINGERS, bends, strict=True)}
        return values

    def _run(self) -> None:
        """Connect again and again until closed. The thread's body."""
        from websockets.exceptions import WebSocketException
        from websockets.sync.client import connect

        while not self._slot.closed and self._refused is None:
            try:
                with connect(f"ws://{self._host}:{self._port}", open_timeout=ANSWER) as link:
                    self._authenticate(link)
                    self._create(link, hand_parameters(), "of a tracked hand")
                    self._heard = "connected"
                    self._inject(link)
            except UserError as error:
                self._refused = str(error)
            except (OSError, WebSocketException, ValueError) as error:
                log.info("%s does not answer: %s", self._target, error)
                self._heard = "waiting for VTube Studio"
                self._slot.get(RETRY)

    def _inject(self, link: ClientConnection) -> None:
        found, values = False, {f"Lt{side.capitalize()}Found": 0.0 for side in SIDES}
        made = set(hand_parameters())
        while not self._slot.closed:
            newest = self._slot.get(AGAIN)
            if newest is not None:
                found, values = newest
            new = [name for name in values if name.startswith("Lt") and name not in made]
            self._create(link, new, "of a face's expression")
            made.update(new)
            self._must(link, "InjectParameterDataRequest", injected(found, values))
        lost = {name: 0.0 for name in values if name.endswith("Found")}
        _ask(link, "InjectParameterDataRequest", injected(False, lost), ANSWER)

    def _create(self, link: ClientConnection, names: Sequence[str], what: str) -> None:
        for name in names:
            self._must(link, "ParameterCreationRequest", _parameter(name, what))

    def _must(self, link: ClientConnection, kind: str, data: Mapping[str, object]) -> None:
        """UserError where VTube Studio refuses this: another plug-in may have the parameter."""
        answer = _ask(link, kind, data, ANSWER)
        if "errorID" in answer:
            reason = str(answer.get("message", "")).rstrip(".")
            raise UserError(
                f"{self._target} refuses what is sent: {reason}; end what else controls it there, "
                "then switch this output on again"
            )

    def _authenticate(self, link: ClientConnection) -> None:
        """Show the token that was kept, or ask for one. UserError when the user refuses."""
        who: dict[str, object] = {"pluginName": PLUGIN, "pluginDeveloper": DEVELOPER}
        place = token_file()
        token = kept_token(place)
        for fresh in (False, True):
            if fresh:
                log.info("%s asks its user to allow this plug-in", self._target)
                self._heard = "click Allow in VTube Studio"
                answer = _ask(link, "AuthenticationTokenRequest", who, CLICK)
                token = str(answer.get("authenticationToken", ""))
                if not token:
                    raise UserError(
                        f"{self._target} was refused by its user: {answer.get('message', '')} "
                        "Switch this output on again to be asked once more"
                    )
                keep_token(place, token)
            shown = who | {"authenticationToken": token}
            if token and _ask(link, "AuthenticationRequest", shown, ANSWER).get("authenticated"):
                return
        raise UserError(f"{self._target} does not accept its own token; restart VTube Studio")


def of_expressions(seen: Mapping[str, float]) -> dict[str, float]:
    """Parameters of VTube Studio's own by ARKit's coefficients; the gaze, as the head, is positive
    to the picture's right and up.
    """
    values = {"CheekPuff": seen["cheekPuff"], "MouthX": seen["mouthLeft"] - seen["mouthRight"]}
    for side, out, inner in (("Left", "Out", "In"), ("Right", "In", "Out")):
        to_left = seen[f"eyeLook{out}{side}"] - seen[f"eyeLook{inner}{side}"]  # the person's own
        values[f"Eye{side}X"] = to_left
        values[f"Eye{side}Y"] = seen[f"eyeLookUp{side}"] - seen[f"eyeLookDown{side}"]
    return values


def injected(found: bool, values: Mapping[str, float]) -> dict[str, object]:
    """The data of an InjectParameterDataRequest."""
    rows = [{"id": name, "value": round(float(v), 5)} for name, v in values.items()]
    return {"faceFound": found, "mode": "set", "parameterValues": rows}


def hand_parameters() -> list[str]:
    """Names of the parameters that VTube Studio does not have by itself."""
    parts = ("Found", "X", "Y", *(f"{finger}Bend" for finger in FINGERS))
    return [f"Lt{side.capitalize()}{part}" for side in SIDES for part in parts]


def token_file() -> Path:
    """Where the token is kept: with the user's other settings."""
    return settings_folder() / "vtubestudio_token"


def kept_token(place: Path) -> str:
    """The token; empty where none is kept, or none that can be read: the user is asked anew."""
    try:
        return place.read_text(encoding="utf-8").strip() if place.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        log.warning("the token of VTube Studio could not be read: %s", error)
        return ""


def keep_token(place: Path, token: str) -> None:
    """Keep it readable for the user alone; where that fails, the user is asked again next time."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, token.encode())
        place.chmod(0o600)
    except (OSError, UserError) as error:
        log.warning("the token of VTube Studio could not be kept: %s", error)


def _parameter(name: str, what: str) -> dict[str, object]:
    least = -1 if name.endswith(("X", "Y")) else 0
    return {
        "parameterName": name,
        "explanation": what,
        "min": least,
        "max": 1,
        "defaultValue": 0,
    }


def _ask(
    link: ClientConnection, kind: str, data: Mapping[str, object], seconds: float
) -> dict[str, object]:
    """Send a request; the data of its answer, whether it is one or an error.

    ValueError: what answers speaks no JSON, so it is not VTube Studio.
    """
    request = {
        "apiName": "VTubeStudioPublicAPI",
        "apiVersion": "1.0",
        "requestID": kind,
        "messageType": kind,
        "data": data,
    }
    link.send(json.dumps(request))
    while True:
        answer = json.loads(link.recv(seconds))
        if isinstance(answer, dict) and answer.get("requestID") == kind:
            found: dict[str, object] = answer.get("data") or {}
            return found
