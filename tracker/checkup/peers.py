"""Other people's trackers, to be measured beside ours. Their packages are optional extras."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from engines.installation import install
from tracker.errors import UserError
from tracker.types import Floats, Image, Kind

NETWORK_NOTE = (
    "MediaPipe looks up a Google host each time a task is created; this program itself opens no "
    "connection"
)


class Peer(Protocol):
    """A tracker that takes the same frames as ours."""

    name: str
    settings: str  # one line: how it was asked to run

    def prepare(self, frame_bgr: Image) -> object:
        """The frame in the peer's own form; not timed."""
        ...

    def process(self, prepared: object, t: float) -> Mapping[Kind, int]:
        """How many objects of each kind it sees at time t (seconds, rising); timed."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


class MediaPipePeer:
    """MediaPipe's HandLandmarker and FaceLandmarker in VIDEO mode, one frame after the other."""

    def __init__(
        self,
        bundles: Mapping[Kind, Path],
        max_hands: int,
        max_faces: int,
        expressions: bool = False,
    ) -> None:
        """`bundles`: a .task file for each kind that is wanted. UserError when one cannot run.

        `expressions`: of faces, computed as well, since ours are.
        """
        try:
            import mediapipe
            from mediapipe.tasks.python import BaseOptions
        except ImportError as error:
            raise UserError(
                f"MediaPipe cannot be measured: it could not be imported ({error}); leave "
                f"out --peer, or run: {install('mediapipe')}"
            ) from error
        self._mediapipe: Any = mediapipe
        self.name = f"mediapipe {installed_version('mediapipe')}"
        self.settings = (
            f"VIDEO mode, {limits(bundles, max_hands, max_faces)}; it chooses its own threads"
            f"{', expressions included' if expressions and 'face' in bundles else ''}"
        )
        self._last_ms = -1
        self._tasks: dict[Kind, Any] = {}
        most = {"hand": max_hands, "face": max_faces}
        with ExitStack() as half_made:
            half_made.callback(self.close)
            for kind, path in bundles.items():
                # As bytes: the library's own reader fails on some Windows paths.
                base = BaseOptions(model_asset_buffer=read_bundle(path))
                create, options = video_task(kind, base, most[kind], expressions)
                self._tasks[kind] = created(path, create, options)
            half_made.pop_all()

    def prepare(self, frame_bgr: Image) -> object:
        """An SRGB picture of MediaPipe's."""
        import cv2

        rgb = cv2.cvtColor(frame_bgr, cv2.COLOR_BGR2RGB)
        return self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=rgb)

    def process(self, prepared: object, t: float) -> Mapping[Kind, int]:
        """Hands and faces seen. Its clock counts whole milliseconds and must rise strictly."""
        self._last_ms = max(self._last_ms + 1, round(1e3 * t))
        seen: dict[Kind, int] = {}
        for kind, task in self._tasks.items():
            result = task.detect_for_video(prepared, self._last_ms)
            found = result.hand_landmarks if kind == "hand" else result.face_landmarks
            seen[kind] = len(found)
        return seen

    def close(self) -> None:
        """Close the tasks: left to the end of the program, they print a traceback."""
        while self._tasks:
            self._tasks.popitem()[1].close()


class HandPoints:
    """MediaPipe's HandLandmarker on single pictures: landmarks for a person to correct."""

    def __init__(self, bundle: Path, max_hands: int) -> None:
        """`bundle`: hand_landmarker.task. UserError when it cannot run."""
        try:
            import mediapipe
            from mediapipe.tasks.python import BaseOptions, vision
        except ImportError as error:
            raise UserError(
                f"MediaPipe cannot label: it could not be imported ({error}); run: "
                f"{install('mediapipe')}"
            ) from error
        self._mediapipe: Any = mediapipe
        base = BaseOptions(model_asset_buffer=read_bundle(bundle))
        options = vision.HandLandmarkerOptions(base, vision.RunningMode.IMAGE, num_hands=max_hands)
        create = vision.HandLandmarker.create_from_options
        self._task = created(bundle, create, options, "give it hand_landmarker.task")

    def find(self, frame_bgr: Image) -> list[Floats]:
        """(21, 2) frame pixels of each hand in an (H, W, 3) frame."""
        import cv2

        h, w = frame_bgr.shape[:2]
        rgb = cv2.cvtColor(frame_bgr, cv2.COLOR_BGR2RGB)
        picture = self._mediapipe.Image(
            image_format=self._mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(rgb)
        )
        # It counts from the corner of the frame in shares; our pixel centres lie at integers.
        return [
            np.array([[p.x * w - 0.5, p.y * h - 0.5] for p in hand], np.float32)
            for hand in self._task.detect(picture).hand_landmarks
        ]

    def close(self) -> None:
        """Close the task: left to the end of the program, it prints a traceback."""
        self._task.close()


def video_task(
    kind: Kind, base: object, most: int, expressions: bool
) -> tuple[Callable[[Any], Any], object]:
    """What makes a task for videos that finds at most so many of a kind, and its options."""
    from mediapipe.tasks.python import vision

    mode = vision.RunningMode.VIDEO
    if kind == "hand":
        hand = vision.HandLandmarkerOptions(base, mode, num_hands=most)
        return vision.HandLandmarker.create_from_options, hand
    face = vision.FaceLandmarkerOptions(
        base, mode, num_faces=most, output_face_blendshapes=expressions
    )
    return vision.FaceLandmarker.create_from_options, face


Maker = Callable[[Mapping[Kind, Path], int, int, bool], Peer]
PEERS: dict[str, Maker] = {"mediapipe": MediaPipePeer}


def limits(kinds: Collection[Kind], max_hands: int, max_faces: int, max_objects: int = 1) -> str:
    """Such as 'at most 2 hands and 1 face'."""
    counts: dict[Kind, int] = {"hand": max_hands, "face": max_faces, "object": max_objects}
    words = (f"{n} {kind}{'s' * (n > 1)}" for kind, n in counts.items() if kind in kinds)
    return f"at most {' and '.join(words)}"


def installed_version(package: str) -> str:
    """The version of an installed package, or 'unknown'."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def read_bundle(path: Path) -> bytes:
    """The bytes of a model bundle; UserError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(
            f"the bundle {path} could not be read: {error.strerror}; check the path"
        ) from error


BUNDLES_WANTED = (
    "give hand_landmarker.task to --hand-bundle and face_landmarker.task to --face-bundle"
)


def created(
    path: Path, create: Callable[[Any], Any], options: object, remedy: str = BUNDLES_WANTED
) -> Any:
    """The task that `create` makes; UserError when MediaPipe refuses the bundle at `path`."""
    try:
        return create(options)
    except (OSError, RuntimeError, ValueError) as error:  # OSError: a bundle of another task
        reason = str(error).strip().partition("\n")[0][:200]
        raise UserError(f"MediaPipe cannot load {path} ({reason}); {remedy}") from error
