"""Scenes and films of many faces: they lie where the truth says, and are counted as by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from docs.studies.faces.compose_groups import (
    SIZE_WH,
    Face,
    Outcome,
    Scene,
    compose,
    outcome,
    places,
    placing,
    read_faces,
    table,
)
from docs.studies.faces.crossing import Ids, Shot, actor, film, hidden_shares
from tests.helpers.clips import face_xy, track
from tracker.find.geometry import apply
from tracker.types import Track

XY = face_xy((96, 100), 40)
EMPTY = np.zeros((SIZE_WH[1], SIZE_WH[0], 3), np.uint8)


@pytest.fixture
def face(tmp_path: Path) -> Face:
    """White, with a black dot at landmark 0."""
    picture = np.full((192, 192, 3), 255, np.uint8)
    cv2.circle(picture, XY[0].round().astype(int).tolist(), 2, (0, 0, 0), -1)
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    return Face(tmp_path / "a.png", XY)


def test_a_face_is_turned_scaled_and_centred() -> None:
    there = apply(placing(XY, 90.0, 60.0, np.array([300, 200], np.float32)), XY)
    assert np.ptp(there[:, 1]) == pytest.approx(60, abs=0.01)
    assert (there.min(0) + there.max(0)) / 2 == pytest.approx([300, 200], abs=0.01)
    assert there[17] - there.mean(0) == pytest.approx([-30, 0], abs=0.1), "what was below is left"


def test_faces_lie_where_the_truth_says(face: Face) -> None:
    scene = compose(EMPTY, [face], 80, np.random.default_rng(0))
    assert len(scene.faces) == 10
    for true in scene.faces:
        assert np.ptp(true[:, 1]) == pytest.approx(80, abs=0.01)
        x, y = np.rint(true.mean(0)).astype(int)
        assert scene.bgr[y, x, 0] > 240
        x, y = np.rint(true[0]).astype(int)
        assert scene.bgr[y - 2 : y + 3, x - 2 : x + 3].min() < 120, "the dot"
    spots = places(10, 80, np.random.default_rng(1))
    apart = [np.linalg.norm(a - b) for i, a in enumerate(spots) for b in spots[:i]]
    assert min(apart) >= 1.9 * 80


def test_only_faces_of_no_training_are_taken(tmp_path: Path) -> None:
    """Of 300 hand-marked groups of one picture 200 are held out; machine-marked ones never."""
    images = [
        {"id": i, "file_name": f"{i}.png", "group": str(i),
         "quality": "manual" if i < 300 else "automatic"}
        for i in range(320)
    ]  # fmt: skip
    keypoints = np.column_stack([XY, np.full(68, 2)]).ravel().tolist()
    annotations = [{"image_id": i, "keypoints": keypoints} for i in range(320)]
    (tmp_path / "faces68").mkdir()
    body = {"images": images, "annotations": annotations}
    (tmp_path / "faces68" / "labels.json").write_text(json.dumps(body))
    found = read_faces(tmp_path)
    assert len(found) == 200 and all(int(f.path.stem) < 300 for f in found)
    assert found[0].xy == pytest.approx(XY)


def test_found_and_false_by_hand() -> None:
    """A track on the first of two faces, one twice on it, one on none."""
    truths = [face_xy((300, 200), 40), face_xy((600, 200), 40)]
    tracks = [
        replace(track("face"), xy=xy)
        for xy in (truths[0] + 2, truths[0] - 2, face_xy((900, 600), 40))
    ]
    assert outcome(Scene(EMPTY, 80, truths), tracks) == Outcome(80, 2, 1, 1)
    one = [Outcome(80, 2, 1, 1), Outcome(0, 0, 0, 3)]
    lines = table({"one": one, "all": [Outcome(80, 2, 2, 0), Outcome(0, 0, 0, 0)]})
    assert lines[2] == "| none | 0 |  |  | 3.00 / 0.00 |"
    assert lines[3] == "| 80 | 2 | 50.0 % | 100.0 % | 1.00 / 0.00 |"


def test_what_is_hidden_by_hand() -> None:
    """A square of 10 px whose right half lies under another's left half."""
    full = np.ones((10, 10), bool)
    assert hidden_shares([(20, 30, full), (25, 30, full), (90, 30, full)]) == [0.5, 0, 0]


def test_a_film_moves_faces_and_turns_them_round(face: Face) -> None:
    """30 px a second between x = 200 and 230: at 1 s at the far end, at 2 s back."""
    box = np.array([[200, 300], [230, 300]], np.float32)
    one = actor(face, 60.0, box[0], np.array([30, 0], np.float32), box)
    assert one.at(0.0).tolist() == [200, 300]
    assert one.at(1.0) == pytest.approx([230, 300]) and one.at(2.0) == pytest.approx([200, 300])
    shots = list(film(EMPTY, [one], 0.5))
    assert len(shots) == 15 and shots[0].hidden == [0]
    first, last = (shot.faces[0].mean(0) for shot in (shots[0], shots[-1]))
    assert last - first == pytest.approx([14, 0], abs=0.6)
    x, y = np.rint(last).astype(int)
    assert shots[-1].bgr[y, x, 0] > 240


def test_ids_are_counted_by_hand() -> None:
    """The first face is hidden once and comes out with the second's id, which is then its own
    again; the second one is not seen in one of four frames.
    """
    a, b = face_xy((300, 200), 40), face_xy((600, 200), 40)

    def on(xy: np.ndarray, number: int) -> Track:
        return replace(track("face", number=number), xy_raw=xy)

    ids = Ids(2)
    frames = [
        ([0, 0], [on(a, 1), on(b, 2)]), ([0.6, 0], [on(b, 2)]), ([0, 0], [on(a, 2)]),
        ([0, 0], [on(a, 1), on(b, 2)]),
    ]  # fmt: skip
    for n, (hidden, tracks) in enumerate(frames):
        ids.take(Shot(n / 30, EMPTY, [a, b], hidden), tracks)
    assert (ids.crossings, ids.switches, ids.wrong) == (1, 2, 1)
    assert (ids.visible, ids.seen) == (7, 6) and ids.kept == pytest.approx(5 / 6)
