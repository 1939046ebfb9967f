"""Views: where they lie, and that what is found in one lies on the frame's pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers.drawn import SHAPE, BlobFinder, draw_blobs, seen_blobs
from tracker.find.locate import cut
from tracker.find.views import (
    PATCH,
    Turns,
    again,
    at_lost,
    detect_in,
    detect_in_all,
    half,
    in_frame,
    is_plain,
    is_whole,
    middle,
    of_faces,
    of_hands,
    parts,
    patch_size,
    plain,
    squares,
    turned,
    whole,
)
from tracker.types import CropBox, Detection

FRAME_HW = (240, 320)
ROOM = (720, 1280)


def facts(view: CropBox) -> tuple[list[float], float, float]:
    return view.centre_xy.tolist(), view.side, view.angle


def test_the_whole_frame_is_a_square_around_it() -> None:
    assert facts(whole(ROOM)) == ([639.5, 359.5], 1280, 0)
    assert is_whole(whole(ROOM), ROOM)
    assert not any(is_whole(v, ROOM) for v in (middle(ROOM), half(ROOM), turned(ROOM, 90)))


def test_plain_views_are_upright_and_show_most_of_the_frame() -> None:
    assert is_plain(whole(ROOM), ROOM) and is_plain(middle(ROOM), ROOM)
    others = (half(ROOM), turned(ROOM, 45), turned(ROOM, 90), *parts(ROOM))
    assert not any(is_plain(view, ROOM) for view in others)


def test_parts_cover_the_frame_with_halves() -> None:
    found = parts(ROOM)
    assert {p.side for p in found} == {640}
    assert sorted({float(p.centre_xy[0]) for p in found}) == [319.5, 639.5, 959.5]
    assert sorted({float(p.centre_xy[1]) for p in found}) == [319.5, 399.5]
    assert len(parts((100, 400))) == 3, "a part higher than the frame lies in its middle"
    assert parts((100, 400))[0].centre_xy[1] == 49.5


def test_a_turned_view_holds_all_of_the_frame() -> None:
    """640 x 480 turned by 45 degrees is (640 + 480) / sqrt(2) wide; by 90 it is 640 high."""
    assert turned((480, 640), 45.0).side == pytest.approx(1120 / np.sqrt(2))
    assert turned((480, 640), 90.0).side == pytest.approx(640)
    assert facts(half(ROOM)) == ([639.5, 359.5], 2560, 0)
    assert facts(middle(ROOM)) == ([639.5, 359.5], 960, 0)


def test_a_lost_object_stands_upright_in_its_view() -> None:
    crop = CropBox(np.array([50, 60], np.float32), 100.0, 30.0)
    assert facts(at_lost(crop)) == ([50, 60], pytest.approx(260), 30)


def test_a_find_is_looked_at_again_with_more_about_it_and_turned() -> None:
    crop = CropBox(np.array([50, 60], np.float32), 100.0, -10.0)
    assert facts(again(crop)) == ([50, 60], pytest.approx(260), 20)


def test_a_small_view_is_not_enlarged() -> None:
    assert patch_size(whole((100, 120))) == 120
    assert patch_size(whole(ROOM)) == PATCH


@pytest.mark.parametrize(
    "view",
    [
        CropBox(np.array([160, 110], np.float32), 300.0, 45.0),
        CropBox(np.array([150.5, 120.25], np.float32), 333.0, -90.0),
        CropBox(np.array([170, 100], np.float32), 160.0, 0.0),
        CropBox(np.array([160, 120], np.float32), 640.0, 0.0),
        CropBox(np.array([140, 120], np.float32), 440.0, 17.0),
    ],
)
def test_what_is_found_in_a_view_lies_on_the_frames_pixels(view: CropBox) -> None:
    """Centres of mass of drawn blobs, measured in the patch, within 0.05 px of where they are."""
    truth = np.add(SHAPE, (150.3, 118.7))
    size = patch_size(view)
    patch = cut(draw_blobs([truth], FRAME_HW), view, size)
    y, x = np.mgrid[:size, :size]
    mass = patch.astype(np.float64)[..., ::-1]
    points = np.array([[(x * m).sum(), (y * m).sum()] / m.sum() for m in np.moveaxis(mass, 2, 0)])
    box = np.array([10, 20, 30, 50], np.float32)
    found = in_frame(Detection("hand", box, 0.7, points.astype(np.float32)), view, size)
    assert found.xy == pytest.approx(truth, abs=0.05)
    assert (found.kind, found.score) == ("hand", 0.7)


def test_a_box_keeps_its_middle_and_its_sides() -> None:
    """A patch of 100 px shows 200: a box of 10 x 20 is one of 20 x 40, lying where it is turned.

    Its middle (60, 50) is 10.5 px right and 0.5 below the patch's: 21 and 1 px in the frame; turned
    by 90 degrees clockwise, 21 down and 1 to the left.
    """
    found = Detection("hand", np.array([55, 40, 65, 60], np.float32), 0.7, np.zeros((7, 2)))
    middle_xy = np.array([100, 80], np.float32)
    upright = in_frame(found, CropBox(middle_xy, 200.0, 0.0), 100).box_xyxy
    assert upright.tolist() == pytest.approx([111, 61, 131, 101])
    lying = in_frame(found, CropBox(middle_xy, 200.0, 90.0), 100).box_xyxy
    assert lying.tolist() == pytest.approx([79, 91, 119, 111])


def test_detectors_are_shown_the_whole_frame_as_it_is_and_patches_else() -> None:
    """The crop of a drawn hand is 2.87 x 20 px, and its middle 8.2 px above the detection's."""
    shown = []

    class Recorder(BlobFinder):
        def detect(self, frame_bgr: np.ndarray) -> list[Detection]:
            shown.append(frame_bgr)
            return super().detect(frame_bgr)

    truth = np.add(SHAPE, (220, 90))
    frame, finder = draw_blobs([truth], FRAME_HW), Recorder()
    finder.objects = [truth]
    for view in (whole(FRAME_HW), turned(FRAME_HW, 90.0), parts(FRAME_HW)[1], half(FRAME_HW)):
        (found,) = detect_in(frame, view, finder)
        first = finder.first_crop(found)
        assert first.centre_xy == pytest.approx([220, 88.5], abs=1), facts(view)
        assert first.side == pytest.approx(57.4, abs=2) and first.angle == pytest.approx(0, abs=3)
    assert shown[0] is frame
    assert [p.shape[:2] for p in shown[1:]] == [(320, 320), (160, 160), (384, 384)]
    assert detect_in(frame, parts(FRAME_HW)[0], finder) == [], "it lies beside this part"


def test_views_take_turns_and_the_whole_frame_comes_every_fourth_time() -> None:
    turns = Turns("hand")
    seen = [view for _ in range(32) for view in turns.take(ROOM)]
    assert [i for i, v in enumerate(seen) if is_whole(v, ROOM)] == [0, 4, 8, 16, 20, 24]
    assert [facts(v) for v in seen[16:]] == [facts(v) for v in seen[:16]]
    assert len(turns.rest(ROOM)) == 12
    assert {v.angle for v in seen} == {0.0, 45.0, -45.0, 90.0, -90.0}
    corners = {tuple(p.centre_xy.tolist()) for p in parts(ROOM)}
    assert corners <= {tuple(v.centre_xy.tolist()) for v in seen if v.side == 640}


def test_a_place_is_looked_at_between_two_turns() -> None:
    turns = Turns("hand")
    assert turns.take_place() is None
    for _ in range(3):
        turns.take(ROOM)
    turns.look_at(middle(ROOM))
    place = turns.take_place()
    assert place is not None and facts(place) == facts(middle(ROOM)) and turns.take_place() is None
    (view,) = turns.take(ROOM)
    assert facts(view) == facts(of_hands(ROOM)[3])
    turns.look_at(middle(ROOM))
    turns.begin_anew()
    assert turns.take_place() is None and is_whole(turns.take(ROOM)[0], ROOM)


def test_tiles_for_faces_by_hand() -> None:
    """1920x1080: squares of 960, 480 and 240 px that begin every 640, 320 and 160 px at most.

    960: (1920 - 960) / 640 = 1.5, so 3 across, (1080 - 960) / 640 = 0.2, so 2 down. 480: 4.5 and
    1.9, so 6 x 3; 240: 10.5 and 5.25, so 12 x 7. Of 640x480 an eighth would be 80 px: too small.
    """
    sides = [view.side for view in of_faces((1080, 1920))]
    assert sides == [1920] + [960] * 6 + [480] * 18 + [240] * 84
    assert {view.side for view in of_faces((480, 640))} == {640, 320, 160}
    assert len(of_faces((100, 120))) == 1


def test_what_is_a_third_of_a_tile_lies_in_one_of_them_as_a_whole() -> None:
    rng, (h, w) = np.random.default_rng(0), (1080, 1920)
    for side in (960, 480, 240):
        tiles = [view for view in of_faces((h, w)) if view.side == side]
        low = np.array([view.centre_xy - (side - 1) / 2 for view in tiles])
        for _ in range(500):
            corner = rng.uniform(0, (w - side / 3, h - side / 3))
            inside = (low <= corner + 1).all(1) & (corner + side / 3 <= low + side + 1).all(1)
            assert inside.any(), (side, corner)


def test_what_two_tiles_show_is_found_once() -> None:
    truth = [np.add(SHAPE, place) for place in ((150, 120), (250, 60))]
    frame, finder = draw_blobs(truth, FRAME_HW), BlobFinder("face")
    views = squares(FRAME_HW, 120, 0.5)
    alone = [len(detect_in(frame, view, finder)) for view in views]
    assert sum(alone) > 2, "some tiles show the same object"
    found = detect_in_all(frame, views, finder)
    middles = np.array(sorted(d.box_xyxy.reshape(2, 2).mean(0).tolist() for d in found))
    assert middles == pytest.approx(np.array([np.add(xy.mean(0), (0, 8)) for xy in truth]), abs=2)


def test_the_best_of_what_two_tiles_show_is_kept() -> None:
    class Doubtful(BlobFinder):
        def detect(self, frame_bgr: np.ndarray) -> list[Detection]:
            self.calls += 1
            return [replace(d, score=self.calls / 10) for d in super().detect(frame_bgr)]

    view = CropBox(np.array([160, 120], np.float32), 200.0, 0.0)
    frame = draw_blobs([np.add(SHAPE, (160, 120))], FRAME_HW)
    (found,) = detect_in_all(frame, [view] * 3, Doubtful("face"))
    assert found.score == 0.6, "the third look's: each counts twice"


def test_a_look_for_faces_takes_the_whole_frame_and_some_tiles() -> None:
    turns, (first, *tiles) = Turns("face", tiles=4), of_faces(ROOM)
    count = len(tiles)
    for look in range(count // 4 + 2):
        seen = turns.take(ROOM)
        assert len(seen) == 5 and facts(seen[0]) == facts(first)
        expected = [tiles[(4 * look + i) % count] for i in range(4)]
        assert [facts(v) for v in seen[1:]] == [facts(v) for v in expected]
        turns.begin_anew()
    assert [facts(v) for v in turns.rest(ROOM)] == [facts(v) for v in tiles]
    assert [facts(v) for v in turns.rest(ROOM, seen)] == [
        facts(v) for v in tiles if facts(v) not in [facts(shown) for shown in seen]
    ]
    assert len(turns.rest(ROOM, seen)) == count - 4
    assert len(Turns("face", tiles=4).take((100, 120))) == 1


def test_objects_are_looked_for_in_the_whole_frame() -> None:
    turns = Turns("object")
    assert all(is_whole(turns.take(ROOM)[0], ROOM) for _ in range(3))
    assert turns.rest(ROOM) == [] and len(plain(ROOM)) == 1


@pytest.mark.parametrize("shape_hw", [(1, 1), (5, 900), (900, 5), (3000, 4000)])
def test_frames_of_any_shape_have_views(shape_hw: tuple[int, int]) -> None:
    for view in of_hands(shape_hw) + of_faces(shape_hw):
        assert np.isfinite(view.centre_xy).all() and view.side >= 0.5
        assert 1 <= patch_size(view) <= PATCH


def test_the_fake_detector_sees_for_itself() -> None:
    """The middle of a drawn object's landmarks is 4/3 px above its origin."""
    picture = draw_blobs([np.add(SHAPE, (60, 60)), np.add(SHAPE, (180, 90))], (240, 240))
    middles = np.array(seen_blobs(picture)).mean(1)
    assert middles == pytest.approx(np.array([[60, 58.67], [180, 88.67]]), abs=1)


def test_views_are_those_of_the_frame_that_is_shown() -> None:
    """A picture of another size after it, and back: its own views, in the same order."""
    turns, small = Turns("hand"), (120, 160)
    shown = [turns.take(shape)[0] for shape in (ROOM, small, small, ROOM)]
    wanted = of_hands(ROOM)[0], of_hands(small)[1], of_hands(small)[2], of_hands(ROOM)[3]
    assert [facts(view) for view in shown] == [facts(view) for view in wanted]
