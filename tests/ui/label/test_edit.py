"""What actions make of labels and ranges, against numbers derived by hand."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import QPointF

from train.project import ranges
from train.project.labels import FrameLabel, ObjectLabel, Range
from ui.label import edit
from ui.label.zoom import Zoom, fitting, framing

NAN = np.nan


def thing(number: int = 1, at: float = 10.0, box: object = None) -> ObjectLabel:
    """Three landmarks: visible, occluded, not labelled."""
    xy = np.array([[at, 20], [at + 30, 40], [NAN, NAN]], np.float32)
    return ObjectLabel(number, xy, np.array([2, 1, 0], np.uint8), box, "model")  # type: ignore[arg-type]


def test_a_corrected_point_is_the_users() -> None:
    found = edit.with_point(thing(), 2, (5.5, 6.25))
    assert found.xy.tolist() == [[10, 20], [40, 40], [5.5, 6.25]]
    assert found.v.tolist() == [2, 1, 2] and found.source == "user"
    assert thing().xy[2].tolist() != found.xy[2].tolist(), "the object before is untouched"


def test_a_point_goes_round_from_visible_to_not_labelled() -> None:
    once = edit.cycled(thing(), 0)
    assert once.v[0] == 1 and once.xy[0].tolist() == [10, 20]
    twice = edit.cycled(once, 0)
    assert twice.v[0] == 0 and np.isnan(twice.xy[0]).all()


def test_a_box_of_its_own_goes_along() -> None:
    box = np.array([0, 10, 50, 50], np.float32)
    assert edit.moved(thing(box=box), (3, -2)).box_xyxy.tolist() == [3, 8, 53, 48]  # type: ignore[union-attr]
    found = edit.with_point(thing(box=box), 2, (60, 5))
    assert found.box_xyxy is not None and found.box_xyxy.tolist() == [0, 5, 60, 50]
    assert edit.moved(thing(), (3, -2)).box_xyxy is None


def test_an_object_of_another_frame_is_fitted_into_this_one() -> None:
    assert edit.fitted(thing(), (41, 41)).xy[:2].tolist() == [[10, 20], [40, 40]], "it is inside"
    # x 10 to 40 in 0 to 30: 10 to the left. y 20 to 40 in 0 to 30: 10 up.
    box = np.array([10, 20, 40, 40], np.float32)
    moved = edit.fitted(thing(box=box), (31, 31))
    assert moved.xy[:2].tolist() == [[0, 10], [30, 30]] and np.isnan(moved.xy[2]).all()
    assert moved.box_xyxy is not None and moved.box_xyxy.tolist() == [0, 10, 30, 30]
    # 30 wide in 15: half as large, 15 x 10; its corner at (0, 20) is 10 too low in 0 to 20.
    assert edit.fitted(thing(), (16, 21)).xy[:2].tolist() == [[0, 10], [15, 20]]


def test_the_next_landmark_without_a_place() -> None:
    assert edit.next_unlabelled(thing(), 0) == 2
    two = edit.empty_object([thing(4)], 3)
    assert two.id == 5 and edit.is_empty(two)
    assert edit.next_unlabelled(edit.with_point(two, 2, (1, 1)), 2) == 0
    full = edit.with_point(thing(), 2, (1, 1))
    assert edit.next_unlabelled(full, 0) is None


def test_numbers_stay_where_they_are_free() -> None:
    found = edit.numbered([thing(1), thing(3)], [thing(1)])
    assert [o.id for o in found] == [2, 3]


def label(*objects: ObjectLabel, negative: bool = False) -> FrameLabel:
    return FrameLabel("a.mp4", 0, 0.0, (96, 64), objects, negative)


def test_guesses_about_labelled_objects_are_not_shown() -> None:
    here, there = thing(1, 12), thing(2, 100)
    assert edit.still_open([here, there], None) == [here, there]
    assert edit.still_open([here, there], label(thing())) == [there]
    assert edit.still_open([here], label(negative=True)) == []


def test_which_frame_differs() -> None:
    one, two = label(thing()), label(thing())
    old = {("a.mp4", 0): one, ("a.mp4", 7): one}
    assert edit.difference(old, old) is None
    assert edit.difference(old, {**old, ("a.mp4", 7): two}) == ("a.mp4", 7)
    assert edit.difference(old, {("a.mp4", 0): one}) == ("a.mp4", 7)
    assert edit.before([2, 5, 9], 9) == 5 and edit.before([2], 2) is None
    assert edit.beyond([2, 5, 9], 5) == 9 and edit.beyond([9], 9) is None


def span(start: float, end: float, name: str = "fist", kind: str = "gesture") -> Range:
    return Range("a.mp4", start, end, kind, name)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([span(0, 10)], span(4, 6, "point"),
         [span(0, 4), span(4, 6, "point"), span(6, 10)]),  # a hole in the middle
        ([span(0, 5)], span(4, 8, "point"), [span(0, 4), span(4, 8, "point")]),
        ([span(4, 5)], span(3, 8, "point"), [span(3, 8, "point")]),  # covered
        ([span(0, 5)], span(4, 8), [span(0, 8)]),  # the same class grows
        ([span(0, 4), span(6, 9)], span(4, 6), [span(0, 9)]),  # and joins
        ([span(0, 5, "left", "pose")], span(2, 3), [span(2, 3), span(0, 5, "left", "pose")]),
        ([span(0, 5)], span(3, 3, "point"), [span(0, 5)]),  # nothing
    ],
)  # fmt: skip
def test_the_newest_range_cuts_the_older(
    old: list[Range], new: Range, expected: list[Range]
) -> None:
    assert list(ranges.painted(old, new)) == expected


def test_other_clips_are_left_alone() -> None:
    other = Range("b.mp4", 0, 9, "gesture", "fist")
    assert other in ranges.painted([other], span(2, 4, "point"))
    assert ranges.erased([other, span(0, 9)], "a.mp4", "gesture", 3, 4) == (
        other, span(0, 3), span(4, 9),
    )  # fmt: skip


def test_changing_and_finding_ranges() -> None:
    old = [span(0, 2), span(2, 5, "point")]
    assert ranges.changed(old, old[0], span(0, 3)) == (span(0, 3), span(3, 5, "point"))
    assert ranges.changed(old, old[0], None) == (old[1],)
    assert ranges.range_at(old, "a.mp4", "gesture", 2.0) == old[1], "the end does not belong to it"
    assert ranges.range_at(old, "a.mp4", "gesture", 5.0) is None
    assert ranges.seconds(old, "a.mp4", "gesture") == 5


def test_a_point_lies_on_the_middle_of_its_pixel() -> None:
    view = Zoom(4.0, 10.0, 20.0)
    assert view.to_widget(0, 0) == QPointF(12, 22)  # pixel 0 covers 10 to 14
    assert view.to_frame(QPointF(12, 22)) == (0, 0)
    assert view.to_frame(view.to_widget(7.25, 3.5)) == pytest.approx((7.25, 3.5))
    assert view.rect((100, 50)).right() == 410


def test_zoom_keeps_what_is_under_the_cursor() -> None:
    view, cursor = Zoom(2.0, -30.0, 15.0), QPointF(120, 80)
    before = view.to_frame(cursor)
    for factor in (1.25, 0.3, 7.0):
        view = view.zoomed(factor, cursor, 0.1)
        assert view.to_frame(cursor) == pytest.approx(before)
    assert view.zoomed(1e6, cursor, 0.1).scale == 64


def test_fitting_and_framing() -> None:
    assert fitting((100, 50), (400, 400)) == Zoom(4, 0, 100)
    close = framing((10, 10, 20, 20), (320, 320), 0.1)
    assert close.scale == 20  # 10 px and 60 % around it in 320
    assert close.to_widget(15, 15) == QPointF(160, 160)
    assert Zoom(1, 900, 0).kept((100, 50), (400, 400)).left == 360
