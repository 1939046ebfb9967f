"""The socket: a detector is one row of `DETECTORS`, and nothing else needs to know of it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import ui.commands.tracker
from tests.helpers.drawn import SHAPE, blob_info, centroid_onnx, draw_blobs
from tracker import TrackerConfig
from tracker.find.detectors import DETECTORS
from tracker.track import finder_of
from tracker.types import CropBox, Detection


class RightmostBlob:
    """Finds the object whose blobs are furthest to the right, by its brightest pixel."""

    name = "rightmost blob"

    def __init__(self, threads: int, min_score: float) -> None:
        assert threads >= 1 and 0 <= min_score <= 1
        self.found: list[Detection] = []

    def detect(self, frame_bgr: np.ndarray) -> list[Detection]:
        y, x = np.nonzero(frame_bgr.max(2) > 200)
        near = np.flatnonzero(x > x.max() - 40)
        middle = np.array([x[near].mean(), y[near].mean()], np.float32)
        box = np.concatenate([middle - 20, middle + 20])
        self.found.append(Detection("object", box, 0.9, middle[None]))
        return self.found[-1:]

    def first_crop(self, found: Detection) -> CropBox:
        return CropBox(found.xy[0], 70.0, 0.0)


def test_a_new_detector_is_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two objects are in the picture; without a detector, the network finds the left one."""
    objects = [np.add(SHAPE, (60, 120)), np.add(SHAPE, (250, 120))]
    cv2.imwrite(str(tmp_path / "two.png"), draw_blobs(objects))
    model = centroid_onnx(tmp_path / "tool.onnx", blob_info("object"))
    made: list[RightmostBlob] = []

    def load(threads: int, min_score: float) -> RightmostBlob:
        made.append(RightmostBlob(threads, min_score))
        return made[-1]

    monkeypatch.setitem(DETECTORS, "object", load)
    words = ["image", tmp_path / "two.png", "--json", tmp_path / "two.jsonl", "--model", model]
    words += ["--no-hands", "--no-faces"]
    result = CliRunner().invoke(ui.commands.tracker.app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    row = json.loads((tmp_path / "two.jsonl").read_text().splitlines()[1])
    (track,) = row["tracks"]
    assert np.array(track["xy"]) == pytest.approx(objects[1], abs=0.5)
    assert [len(finder.found) for finder in made] == [1]


@pytest.mark.parametrize("kind", ["hand", "face"])
def test_the_detectors_that_come_with_it(kind: str) -> None:
    finder = DETECTORS[kind](1, 0.5)  # type: ignore[index]
    assert finder.name.endswith("_detection.tflite")
    assert finder.detect(np.zeros((30, 50, 3), np.uint8)) == []


@pytest.mark.parametrize(("live", "threads"), [(False, 2), (True, 1)])
def test_beside_a_live_tracker_a_detector_has_one_thread(
    live: bool, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setitem(DETECTORS, "object", lambda threads, _: asked.append(threads))
    finder_of("object", TrackerConfig(live=live, threads=2))
    assert asked == [threads]
