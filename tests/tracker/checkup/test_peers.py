"""The peer on a fake MediaPipe: rising times, tasks that are closed, bundles that are refused."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tracker.checkup.peers import MediaPipePeer, limits
from tracker.errors import UserError


class FakeTask:
    """Sees two hands or faces in everything."""

    def __init__(self, options: SimpleNamespace) -> None:
        if options.base == b"bad":
            raise RuntimeError("Unable to open zip archive.\nmore")
        if options.base == b"other":
            raise FileNotFoundError("No file with name: hand_detector.tflite.")
        self.options = options
        self.stamps: list[int] = []
        self.pictures: list[Any] = []
        self.open = True

    def detect_for_video(self, picture: Any, ms: int) -> SimpleNamespace:
        self.stamps.append(ms)
        self.pictures.append(picture)
        return SimpleNamespace(hand_landmarks=[1, 2], face_landmarks=[1])

    def close(self) -> None:
        self.open = False


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> list[FakeTask]:
    """Every task that the fake MediaPipe made."""
    found: list[FakeTask] = []

    def create(options: SimpleNamespace) -> FakeTask:
        found.append(FakeTask(options))
        return found[-1]

    def options(base: bytes, mode: str, **wishes: int) -> SimpleNamespace:
        return SimpleNamespace(base=base, mode=mode, wishes=wishes)

    landmarker = SimpleNamespace(create_from_options=create)
    vision = SimpleNamespace(
        RunningMode=SimpleNamespace(VIDEO="video"),
        HandLandmarkerOptions=options,
        FaceLandmarkerOptions=options,
        HandLandmarker=landmarker,
        FaceLandmarker=landmarker,
    )
    top: Any = ModuleType("mediapipe")
    top.Image = lambda image_format, data: (image_format, data)
    top.ImageFormat = SimpleNamespace(SRGB="srgb")
    python: Any = ModuleType("mediapipe.tasks.python")
    python.vision, python.BaseOptions = vision, lambda model_asset_buffer: model_asset_buffer
    monkeypatch.setitem(sys.modules, "mediapipe", top)
    monkeypatch.setitem(sys.modules, "mediapipe.tasks", ModuleType("mediapipe.tasks"))
    monkeypatch.setitem(sys.modules, "mediapipe.tasks.python", python)
    return found


def bundle(folder: Path, name: str, body: bytes = b"good") -> Path:
    (folder / name).write_bytes(body)
    return folder / name


def test_both_kinds(tmp_path: Path, tasks: list[FakeTask]) -> None:
    bundles = {"hand": bundle(tmp_path, "h"), "face": bundle(tmp_path, "f")}
    peer = MediaPipePeer(bundles, 3, 1)  # type: ignore[arg-type]
    hand, face = tasks
    assert (hand.options.mode, hand.options.wishes) == ("video", {"num_hands": 3})
    assert face.options.wishes == {"num_faces": 1, "output_face_blendshapes": False}
    blue = np.zeros((2, 2, 3), np.uint8)
    blue[..., 0] = 255
    prepared = peer.prepare(blue)
    assert [peer.process(prepared, t) for t in (0.0, 0.0001, 0.04)] == [{"hand": 2, "face": 1}] * 3
    assert hand.stamps == face.stamps == [0, 1, 40]
    kind, data = hand.pictures[0]
    assert kind == "srgb" and data[0, 0].tolist() == [0, 0, 255]
    peer.close()
    peer.close()
    assert not hand.open and not face.open


def test_expressions_are_asked_for_where_ours_are(tmp_path: Path, tasks: list[FakeTask]) -> None:
    peer = MediaPipePeer({"face": bundle(tmp_path, "f")}, 1, 2, expressions=True)
    assert tasks[0].options.wishes == {"num_faces": 2, "output_face_blendshapes": True}
    assert peer.settings.endswith("expressions included")
    assert "expressions" not in MediaPipePeer({"hand": bundle(tmp_path, "h")}, 1, 1, True).settings


def test_a_bad_second_bundle_closes_the_first(tmp_path: Path, tasks: list[FakeTask]) -> None:
    bundles = {"hand": bundle(tmp_path, "h"), "face": bundle(tmp_path, "f", b"bad")}
    with pytest.raises(UserError, match=r"cannot load .*f \(Unable to open zip archive\.\); give"):
        MediaPipePeer(bundles, 2, 1)  # type: ignore[arg-type]
    assert [task.open for task in tasks] == [False]


def test_the_bundle_of_another_task(tmp_path: Path, tasks: list[FakeTask]) -> None:
    with pytest.raises(UserError, match=r"No file with name: hand_detector\.tflite"):
        MediaPipePeer({"hand": bundle(tmp_path, "h", b"other")}, 2, 1)


def test_a_missing_bundle(tmp_path: Path, tasks: list[FakeTask]) -> None:
    with pytest.raises(UserError, match="could not be read: No such file"):
        MediaPipePeer({"hand": tmp_path / "none"}, 2, 1)


def test_without_mediapipe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(UserError, match=r"install \"mediapipe[<>=\d.,]+\"$"):
        MediaPipePeer({"hand": tmp_path / "none"}, 2, 1)


def test_limits_in_words() -> None:
    assert limits(("hand", "face"), 2, 1) == "at most 2 hands and 1 face"
    assert limits(("hand",), 1, 1) == "at most 1 hand"
