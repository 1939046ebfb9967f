"""New objects without a detector, and markups that fill little of a detector's crop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.drawn import (
    SHAPE,
    SIZE,
    BlobEngine,
    BlobFinder,
    blob_info,
    centroid_onnx,
    draw_blobs,
)
from tracker import Tracker, TrackerConfig
from tracker.find.locate import Model
from tracker.find.model_file import Attribute
from tracker.follow.first_look import hidden, lies_otherwise, presence_all_round
from tracker.timings import Timings
from tracker.types import CropBox, CropRule, Kind, Located

ALONE = TrackerConfig(hands=False, faces=False, objects=True, smooth="off")
ROOM = (720, 1280)


class Choosy(BlobEngine):
    """Is sure only of what fills its crop as in training: presence 1 from 0.4 of the side on."""

    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        out = super().run(batch)
        size = np.ptp(out["xy"], axis=1).max(1) / SIZE
        return out | {"presence": np.where(size > 0.4, out["presence"], 0.0)}


class Strict(BlobEngine):
    """Sees no object in blobs of several: the blobs of one stand as in SHAPE."""

    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        out = super().run(batch)
        shape = out["xy"] - out["xy"].mean(1, keepdims=True)
        shape = shape / np.linalg.norm(shape, axis=(1, 2), keepdims=True)
        wanted = SHAPE - SHAPE.mean(0)
        alike = (shape * wanted / np.linalg.norm(wanted)).sum((1, 2)) > 0.98
        return out | {"presence": np.where(alike, out["presence"], 0.0)}


def watcher(config: TrackerConfig = ALONE, engine: BlobEngine | None = None) -> Tracker:
    return Tracker(config, {"object": Model(engine or BlobEngine(), blob_info("object"))})


def tools(places: Sequence[tuple[float, float]], scale: float = 1.0) -> list[np.ndarray]:
    return [np.add(SHAPE * scale, place) for place in places]


@pytest.mark.parametrize(
    ("crop", "otherwise"),
    [
        (CropBox(np.array([110, 90], np.float32), 100.0, 10.0), False),
        (CropBox(np.array([120, 84], np.float32), 100.0, 0.0), True),  # a quarter of 100 away: 25.6
        (CropBox(np.array([100, 100], np.float32), 155.0, 0.0), False),  # ln 1.55 = 0.44
        (CropBox(np.array([100, 100], np.float32), 63.0, 0.0), True),  # ln 0.63 = -0.46
        (CropBox(np.array([100, 100], np.float32), 100.0, -39.0), False),
        (CropBox(np.array([100, 100], np.float32), 100.0, 350.0), False),
        (CropBox(np.array([100, 100], np.float32), 100.0, 180.0), True),
    ],
)
def test_a_first_crop_contradicts_the_followed_one(crop: CropBox, otherwise: bool) -> None:
    followed = CropBox(np.array([100, 100], np.float32), 100.0, 0.0)
    assert lies_otherwise(crop, followed) == otherwise


def test_what_is_known_is_hidden_and_the_frame_is_not_touched() -> None:
    frame = np.full((20, 30, 3), 9, np.uint8)
    out = hidden(frame, [np.array([-1, 5, 4, 10], np.float32)])
    assert (frame == 9).all(), "a fifth of 5 pixels is added on each side"
    assert out[4:12, :6].max() == 0 and (out == 0).sum() == 8 * 6 * 3


def test_an_object_is_found_and_followed_through_a_real_file(tmp_path: Path) -> None:
    path = centroid_onnx(tmp_path / "tool.onnx", blob_info("object"))
    tracker = Tracker(TrackerConfig(hands=False, faces=False, object_model=path, smooth="off"))
    assert tracker.config.kinds == ("object",)
    for i in range(20):
        (truth,) = tools([(100 + 3 * i, 120)])
        (track,) = tracker.process(draw_blobs([truth]), i / 30).tracks
        assert (track.id, track.kind, track.side, track.pose) == (1, "object", None, None)
        assert track.xy == pytest.approx(truth, abs=0.2)
    assert tracker.process(draw_blobs([]), 1.0).tracks == ()


@pytest.mark.parametrize("scale", [12.0, 6.0, 3.0])
def test_one_that_is_small_in_the_frame_is_judged_near(scale: float) -> None:
    """84 to 336 px in 1280: at most 0.26 of the whole frame, too little for presence."""
    truth = tools([(900, 250)], scale)
    frame = np.zeros((*ROOM, 3), np.uint8)
    y, x = np.mgrid[: ROOM[0], : ROOM[1]]
    for channel, (cx, cy) in zip((2, 1, 0), truth[0], strict=True):
        frame[..., channel] = 250 * np.exp(
            -((x - cx) ** 2 + (y - cy) ** 2) / (2 * (4 * scale) ** 2)
        )
    (track,) = watcher(engine=Choosy()).process(frame, 0.0).tracks
    assert track.xy == pytest.approx(truth[0], abs=scale)


def test_several_objects_one_after_the_other() -> None:
    tracker = watcher(replace(ALONE, max_objects=2), Strict())
    truth = tools([(80, 100), (240, 140)])
    seen = [tracker.process(draw_blobs(truth), i / 10).tracks for i in range(6)]
    assert len(seen[-1]) == 2
    places = sorted(float(t.xy[:, 0].mean()) for t in seen[-1])
    assert places == pytest.approx([80, 240], abs=1)
    assert len(watcher(engine=Strict()).process(draw_blobs(truth), 0.0).tracks) == 1


def test_one_that_is_followed_does_not_hide_another() -> None:
    """The whole frame and the first two parts of it have the one in the middle nearest theirs."""
    tracker = watcher(replace(ALONE, max_objects=2), Strict())
    truth = tools([(160, 120), (290, 215)])
    for i in range(6):
        tracks = tracker.process(draw_blobs(truth), i / 10).tracks
    assert [t.xy.mean(0)[0] for t in tracks] == pytest.approx([160, 290], abs=1)


def test_nothing_there_is_nothing() -> None:
    assert watcher().process(draw_blobs([]), 0.0).tracks == ()


@pytest.mark.parametrize("kind", ["hand", "face"])
def test_a_small_part_of_a_detection_is_judged_in_its_own_crop(kind: Kind) -> None:
    """Like a mouth in a face: 28 px in a crop of 107 (0.26 of it)."""
    truth = tools([(150, 110)])
    finder = BlobFinder(kind)
    finder.objects = truth
    plain = finder.detection
    finder.detection = lambda xy: replace(  # type: ignore[method-assign]
        plain(xy), box_xyxy=np.array([110, 78, 190, 158], np.float32)
    )
    config = replace(ALONE, hands=kind == "hand", faces=kind == "face", objects=None)
    for rule, count in ((CropRule(1.6), 1), (None, 0)):
        model = Model(Choosy(), replace(blob_info(kind), crop=rule))
        tracks = (
            Tracker(config, {kind: model}, {kind: finder}).process(draw_blobs(truth), 0.0).tracks
        )
        assert len(tracks) == count
    assert Tracker(config, {kind: model}, {kind: finder}).process(draw_blobs([]), 0.0).tracks == ()


def test_a_pose_and_a_gesture_of_an_object() -> None:
    class Turned(BlobEngine):
        def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
            n = len(batch)
            more = {"pose": np.tile(np.float32([10, 5, 20]), (n, 1)),
                    "gesture": np.tile(np.float32([0.2, 0.8]), (n, 1))}  # fmt: skip
            return super().run(batch) | more

    attributes = (Attribute("pose", (), 3), Attribute("gesture", ("none", "öffnen")))
    model = Model(Turned(), replace(blob_info("object"), attributes=attributes))
    (track,) = (
        Tracker(ALONE, {"object": model}).process(draw_blobs(tools([(150, 110)])), 0.0).tracks
    )
    assert track.pose is not None and track.pose.roll == pytest.approx(20)
    assert (track.gesture, track.side) == ("öffnen", None)
    assert [name for name, _ in track.gestures] == ["none", "öffnen"]


def test_presence_all_round_by_hand() -> None:
    """Left open: 0.1 in its own crop, 0.2, 0.4, 0 and 0 in the others; none counts below 0.001.
    (0.1 x 0.2 x 0.4 x 1e-6) ** (1 / 5) = (8e-9) ** 0.2 = 0.02402.
    """

    class Answers(BlobEngine):
        def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
            return super().run(batch) | {"presence": np.array([0.8, 0.6, 1.0, 1.0], np.float32)}

    box = CropBox(np.array([100, 100], np.float32), 64.0, 10.0)
    found = Located("hand", box, SHAPE, np.ones(3, np.float32), 0.9, {})
    model = Model(Answers(), blob_info())
    sure = presence_all_round(draw_blobs([]), found, model, Timings())
    assert sure == pytest.approx(1 - 0.02402, abs=1e-5)
