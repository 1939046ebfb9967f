from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from docs.studies.labels.spread_gain import OWN, Reference
from docs.studies.labels.spread_moved import measured, read_points

TRUTH = np.zeros((21, 2), np.float32)
TRUTH[20] = (40, 0)  # a side of 40 pixels


def labels(path: Path) -> Path:
    """Frame 0 by hand; each frame takes all points 2 pixels down, frame 3 the last one 6 more."""
    images: dict[int, list[object]] = {0: [], 1: []}  # by hand, proposed
    things: dict[int, list[object]] = {0: [], 1: []}
    for frame in range(4):
        xy = TRUTH[list(OWN)] + (0, 2 * frame)
        xy[5, 1] += 6 * (frame == 3)
        flat = np.column_stack([xy, np.full(6, 2)]).ravel().tolist()
        key = {"id": frame, "clip": "a.mp4", "frame": frame}
        thing = {"image_id": frame, "keypoints": flat}
        images[frame > 0].append(key)
        things[frame > 0].append(thing | ({"confidence": [0.9] * 6} if frame else {}))
    other = {"id": 9, "clip": "b.mp4", "frame": 3}
    path.write_text(json.dumps({
        "images": [*images[0], other], "annotations": [*things[0], {"image_id": 9}],
        "spread": {"images": images[1], "annotations": things[1]},
    }))  # fmt: skip
    return path


def test_way_error_and_confidence_of_each_point_by_hand(tmp_path: Path) -> None:
    points = read_points(labels(tmp_path / "labels.json"), "a.mp4")
    assert sorted(points) == [0, 1, 2, 3] and points[0][1] is None
    truth = Reference("a.mp4", {0: TRUTH, 3: TRUTH + np.array([0, 6], np.float32)})
    rows = measured(points, truth)  # frame 3 alone is proposed and in the reference
    assert rows[:5] == [(pytest.approx(6 / 40), 0.0, pytest.approx(0.9))] * 5
    assert rows[5] == (pytest.approx(12 / 40), pytest.approx(6 / 40), pytest.approx(0.9))
