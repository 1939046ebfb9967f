"""First guesses on drawn objects: places, names, marks and ids."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import train.suggest.prelabel as prelabel
from tests.helpers.drawn import SHAPE, BlobEngine, BlobFinder, blob_info, centroid_onnx, draw_blobs
from tracker.errors import UserError
from tracker.find.locate import Model
from tracker.find.markups import Markup, find_markup
from tracker.types import CropRule, Kind
from train.project.labels import FrameLabel, ObjectLabel
from train.project.layout import Project, create_project
from train.project.object_crops import expected
from train.suggest.prelabel import Guesser, current_model, mapped

LEFT, RIGHT = np.add(SHAPE, (90, 110)), np.add(SHAPE, (230, 120))
FRAME = draw_blobs([LEFT, RIGHT])


class Unsure(BlobEngine):
    """Gives the second landmark a low score."""

    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        found = super().run(batch)
        found["score"][:, 1] = 0.4
        return found


def project_of(
    folder: Path, names: tuple[str, ...] = ("red", "green", "blue"), kind: Kind = "hand"
) -> Project:
    markup = Markup("blobs", kind, "scratch", names, (), (), (), CropRule(1.6))
    return create_project(folder / "project", markup)


def guesser_of(
    project: Project, most: int = 2, engine: BlobEngine | None = None
) -> tuple[Guesser, BlobFinder]:
    """A guesser of hands, and the detector that is told where they are."""
    finder = BlobFinder()
    finder.objects = [RIGHT, LEFT][:most]
    return Guesser(project, Model(engine or BlobEngine(), blob_info()), most, finder), finder


def object_label(number: int, xy: np.ndarray, v: int = 2) -> ObjectLabel:
    return ObjectLabel(number, xy.astype(np.float32), np.full(3, v, np.uint8), None, "user")


def frame_label(t: float, *objects: ObjectLabel) -> FrameLabel:
    return FrameLabel("a.mp4", round(10 * t), t, (320, 240), objects)


def test_objects_are_guessed_from_left_to_right(tmp_path: Path) -> None:
    found = guesser_of(project_of(tmp_path))[0].guess(FRAME)
    assert [o.id for o in found] == [1, 2]
    for o, truth in zip(found, (LEFT, RIGHT), strict=True):
        np.testing.assert_allclose(o.xy, truth, atol=0.5)
        assert o.v.tolist() == [2, 2, 2] and o.source == "model" and o.box_xyxy is None


def test_a_guess_remembers_no_other_frame(tmp_path: Path) -> None:
    guesser, finder = guesser_of(project_of(tmp_path), most=1)
    finder.objects = [LEFT]
    assert len(guesser.guess(draw_blobs([LEFT]))) == 1
    finder.objects = []
    assert guesser.guess(draw_blobs([LEFT])) == ()
    finder.objects = [RIGHT]
    np.testing.assert_allclose(guesser.guess(draw_blobs([RIGHT]))[0].xy, RIGHT, atol=0.5)


def test_landmarks_are_matched_by_name(tmp_path: Path) -> None:
    project = project_of(tmp_path, ("blue", "tip", "red"))
    guesser, _ = guesser_of(project, most=1)
    found = guesser.guess(draw_blobs([RIGHT]))[0]
    assert guesser.landmarks == ("blue", "red")
    assert found.v.tolist() == [2, 0, 2]
    np.testing.assert_allclose(found.xy[[0, 2]], RIGHT[[2, 0]], atol=0.5)
    assert np.isnan(found.xy[1]).all()
    assert guesser_of(project_of(tmp_path / "o", ("a", "b")))[0].guess(FRAME) == ()


def test_unsure_points_are_marked_hidden(tmp_path: Path) -> None:
    found = guesser_of(project_of(tmp_path), 1, Unsure())[0].guess(draw_blobs([RIGHT]))
    assert found[0].v.tolist() == [2, 1, 2]


def test_points_outside_the_frame_are_not_labelled() -> None:
    xy = np.array([[-0.5, 5], [9, 9], [9.5, 3]], np.float32)
    pairs = [(0, 0), (1, 1), (2, 2)]
    frame = np.zeros((10, 10, 3), np.uint8)
    points, v = mapped(xy, np.ones(3, np.float32), pairs, 3, frame)
    assert v.tolist() == [0, 2, 0]
    assert np.isnan(points[[0, 2]]).all() and points[1].tolist() == [9, 9]


def test_neighbours_give_ids_and_places(tmp_path: Path) -> None:
    near = (object_label(7, np.add(RIGHT, (6, 3))), object_label(4, LEFT - (4, 5)))
    guesser, finder = guesser_of(project_of(tmp_path))
    found = guesser.guess_near(FRAME, near)
    assert finder.calls == 0  # the neighbours say where to look
    places = {o.id: o.xy for o in found}
    assert set(places) == {4, 7}
    np.testing.assert_allclose(places[7], RIGHT, atol=0.5)
    np.testing.assert_allclose(places[4], LEFT, atol=0.5)


def boxed(number: int, xy: np.ndarray) -> ObjectLabel:
    """Nothing but the box of some points is known."""
    box = np.concatenate([xy.min(0), xy.max(0)]).astype(np.float32)
    nothing = np.full((3, 2), np.nan, np.float32)
    return ObjectLabel(number, nothing, np.zeros(3, np.uint8), box, "user")


def test_a_neighbour_s_box_says_where_to_look(tmp_path: Path) -> None:
    guesser, finder = guesser_of(project_of(tmp_path))
    found = guesser.guess_near(FRAME, [boxed(7, np.add(RIGHT, (4, 3))), boxed(4, LEFT - (4, 2))])
    assert finder.calls == 0 and [o.id for o in found] == [7, 4]
    np.testing.assert_allclose(found[0].xy, RIGHT, atol=0.5)
    np.testing.assert_allclose(found[1].xy, LEFT, atol=0.5)


def test_points_are_guessed_in_a_drawn_box(tmp_path: Path) -> None:
    guesser, finder = guesser_of(project_of(tmp_path))
    drawn = boxed(3, RIGHT)
    found = guesser.guess_in(FRAME, drawn)
    assert found is not None and finder.calls == 0
    assert (found.id, found.source, found.v.tolist()) == (3, "model", [2, 2, 2])
    np.testing.assert_allclose(found.xy, RIGHT, atol=0.5)
    assert found.box_xyxy is drawn.box_xyxy, "the box stays as drawn"
    drawn.xy[1], drawn.v[1] = (200, 100), 1
    found = guesser.guess_in(FRAME, drawn)
    assert found is not None and found.v.tolist() == [2, 1, 2]
    assert found.xy[1].tolist() == [200, 100], "what is labelled stays"
    assert guesser.guess_in(np.zeros_like(FRAME), boxed(3, RIGHT)) is None


class Upright(BlobEngine):
    """Lost, and less sure, in crops in which green does not lie above the other two."""

    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        found = super().run(batch)
        y = found["xy"][:, :, 1]
        lost = y[:, 1] > y.mean(1)
        found["score"][lost] *= 0.6
        found["xy"][lost] += 40
        return found


def test_a_box_is_looked_at_in_four_turns_where_crops_are_turned(tmp_path: Path) -> None:
    markup = Markup("b", "hand", "scratch", ("red", "green", "blue"), (), (), (),
                    CropRule(1.6, (0, 2)))  # fmt: skip
    project = create_project(tmp_path / "project", markup)
    info = replace(blob_info(), crop=CropRule(1.6, (0, 2)))
    seen: list[int] = []

    class Counting(Upright):
        def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
            seen.append(len(batch))
            return super().run(batch)

    guesser = Guesser(project, Model(Counting(), info), 2, BlobFinder())
    for there in (RIGHT, np.subtract((230, 120), SHAPE)):  # upright, and on its head
        seen.clear()
        found = guesser.guess_in(draw_blobs([there]), boxed(1, there))
        assert found is not None and seen[0] == 4
        np.testing.assert_allclose(found.xy, there, atol=0.5)
    flat = replace(blob_info(), crop=CropRule(1.6))
    seen.clear()
    guesser = Guesser(project, Model(Counting(), flat), 2, BlobFinder())
    assert guesser.guess_in(FRAME, boxed(1, RIGHT)) is not None and seen[0] == 1


def test_boxes_lie_between_those_of_the_neighbours() -> None:
    before = frame_label(1.0, boxed(1, LEFT))
    after = frame_label(2.0, boxed(1, np.add(LEFT, (40, 8))))
    (found,) = expected(before, after, 1.25)
    low = np.add(LEFT.min(0), (10, 2))
    assert found.box_xyxy is not None
    np.testing.assert_allclose(found.box_xyxy[:2], low, atol=1e-4)


def test_what_no_neighbour_knows_gets_a_new_id(tmp_path: Path) -> None:
    guesser, _ = guesser_of(project_of(tmp_path))
    found = guesser.guess_near(FRAME, [object_label(2, RIGHT)])
    assert [o.id for o in found] == [2, 3]
    np.testing.assert_allclose(found[1].xy, LEFT, atol=0.5)


def test_an_object_that_left_is_not_guessed(tmp_path: Path) -> None:
    near = [object_label(1, LEFT), object_label(2, RIGHT)]
    guesser, finder = guesser_of(project_of(tmp_path))
    finder.objects = [RIGHT]
    found = guesser.guess_near(draw_blobs([RIGHT]), near)
    assert [o.id for o in found] == [2]


def test_expected_places_lie_between_the_neighbours() -> None:
    before = frame_label(1.0, object_label(1, LEFT), object_label(2, RIGHT))
    after = frame_label(2.0, object_label(1, np.add(LEFT, (40, 8))))
    found = expected(before, after, 1.25)
    np.testing.assert_allclose(found[0].xy, np.add(LEFT, (10, 2)), atol=1e-4)
    np.testing.assert_allclose(found[1].xy, RIGHT)
    assert [o.id for o in expected(before, after, 1.9)] == [1]
    assert expected(None, after, 0.0) == after.objects
    assert expected(None, None, 0.0) == ()


def test_a_point_that_one_neighbour_lacks_stays_where_the_nearer_has_it() -> None:
    gap = LEFT.copy()
    gap[1] = np.nan
    before, after = frame_label(0.0, object_label(1, LEFT)), frame_label(1.0, object_label(1, gap))
    np.testing.assert_allclose(expected(before, after, 0.25)[0].xy[1], LEFT[1])


def test_the_project_s_own_model_comes_first(tmp_path: Path) -> None:
    project = project_of(tmp_path, kind="object")
    assert current_model(project) is None
    run = project.models_dir / "20260101_000000"
    run.mkdir(parents=True)
    centroid_onnx(run / "model.onnx", blob_info("object"))
    found = current_model(project)
    assert found is not None and found.info.landmarks == ("red", "green", "blue")


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = centroid_onnx(tmp_path / "hand.onnx", blob_info("hand"))
    with pytest.raises(UserError, match="finds hands and project labels objects"):
        current_model(project_of(tmp_path, kind="object"), path)
    with pytest.raises(UserError, match="nope"):
        current_model(project_of(tmp_path / "b"), tmp_path / "nope.onnx")


def test_the_bundled_model_helps_where_names_are_shared(tmp_path: Path) -> None:
    hand = current_model(create_project(tmp_path / "h", find_markup("hand21")))
    assert hand is not None and len(hand.info.landmarks) == 21
    few = Markup("few", "hand", "hand21", ("wrist", "thimble"), (), (), (), CropRule(2.0))
    assert current_model(create_project(tmp_path / "f", few)) is not None
    own = Markup("own", "hand", "hand21", ("knob", "thimble"), (), (), (), CropRule(2.0))
    assert current_model(create_project(tmp_path / "o", own)) is None


class FakeHands:
    """Sees one hand whose landmarks lie on a line that leaves the frame."""

    def __init__(self, bundle: Path, most: int) -> None:
        self.bundle, self.is_open = bundle, True

    def find(self, frame_bgr: np.ndarray) -> list[np.ndarray]:
        x = np.linspace(300, 320, 21)
        return [np.column_stack([x, np.full(21, 9)]).astype(np.float32)]

    def close(self) -> None:
        self.is_open = False


def test_mediapipe_labels_hands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prelabel, "HandPoints", FakeHands)
    monkeypatch.setenv(prelabel.BUNDLE_VARIABLE, str(tmp_path / "hand.task"))
    guesser = Guesser(create_project(tmp_path / "h", find_markup("hand21")), None)
    found = guesser.from_mediapipe(FRAME)
    assert len(found) == 1 and found[0].source == "mediapipe"
    assert found[0].v.tolist() == [2] * 20 + [0]
    guesser.close()


def test_what_mediapipe_lacks_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(prelabel.BUNDLE_VARIABLE, raising=False)
    hand = Guesser(create_project(tmp_path / "h", find_markup("hand21")), None)
    with pytest.raises(UserError, match=r"hand_landmarker\.task.*LANDMARK_TRACKER_HAND_BUNDLE"):
        hand.from_mediapipe(FRAME)
    face = Guesser(create_project(tmp_path / "f", find_markup("face68")), None)
    with pytest.raises(UserError, match="with the landmarks of hand21 only"):
        face.from_mediapipe(FRAME)
