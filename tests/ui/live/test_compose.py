"""From a frame to the picture on the screen: sizes, mirrors, panes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers import clips
from tracker.outputs.skeleton import default_skeletons
from tracker.result import Result
from tracker.types import Pose
from ui.live.compose import GAP, LONGEST, Pane, View, compose, fit, layout, mirrored, scaled

LOOKS = default_skeletons()
NOTHING = Result(0.0, ())


def halves() -> np.ndarray:
    """64 x 48, blue on the left, red on the right."""
    bgr = np.zeros((48, 64, 3), np.uint8)
    bgr[:, :32, 0] = 255
    bgr[:, 32:, 2] = 255
    return bgr


@pytest.mark.parametrize(
    ("picture", "room", "size"),
    [
        ((640, 480), (640, 480), (640, 480)),
        ((640, 480), (1000, 480), (640, 480)),
        ((640, 480), (320, 1000), (320, 240)),
        ((1920, 1080), (960, 960), (960, 540)),
        ((640, 480), (3, 1), (1, 1)),
    ],
)
def test_fit(picture: tuple[int, int], room: tuple[int, int], size: tuple[int, int]) -> None:
    assert fit(picture, room) == size


def test_layout_takes_the_larger_arrangement() -> None:
    panes, size = layout((640, 480), 2, (1286, 500))
    assert panes == [Pane(0, 0, 640, 480), Pane(640 + GAP, 0, 640, 480)] and size == (1286, 480)
    panes, size = layout((640, 480), 2, (500, 1286))
    assert panes[1].y == panes[0].height + GAP and size == (500, 2 * 375 + GAP)


def test_canvas_of_a_huge_screen_stays_small() -> None:
    canvas, _ = compose(halves(), [NOTHING], (3840, 2160), View(), LOOKS)
    assert max(canvas.shape) == LONGEST


def test_frame_of_the_right_size_is_untouched() -> None:
    canvas, panes = compose(halves(), [NOTHING], (64, 48), View(), LOOKS)
    assert (canvas == halves()).all() and panes == [Pane(0, 0, 64, 48)]


def test_mirror_flips_the_picture() -> None:
    canvas, _ = compose(halves(), [NOTHING], (64, 48), View(mirror=True), LOOKS)
    assert (canvas == halves()[:, ::-1]).all()


def test_privacy_shows_no_pixel_of_the_camera() -> None:
    hand = Result(0.0, (clips.track(),))
    for mirror in (False, True):
        one, _ = compose(halves(), [hand], (640, 480), View(mirror, privacy=True), LOOKS)
        two, _ = compose(np.full((48, 64, 3), 90, np.uint8), [hand], (640, 480),
                         View(mirror, privacy=True), LOOKS)  # fmt: skip
        assert (one == two).all() and one.any()
        bare, _ = compose(
            halves(), [hand], (640, 480), View(mirror, privacy=True, landmarks=False), LOOKS
        )
        assert not bare.any()


def test_landmarks_lie_on_their_pixels_after_scaling() -> None:
    # Pixel 10 of 64 covers [9.5, 10.5]; ten times as large that is [94.5, 104.5] in new pixels.
    result = Result(0.0, (replace(clips.track(), xy=np.full((21, 2), 10, np.float32)),))
    assert scaled(result, (64, 48), (640, 480)).tracks[0].xy[0].tolist() == [104.5, 104.5]
    assert scaled(result, (64, 48), (64, 48)).tracks[0].xy[0].tolist() == [10, 10]


def test_mirrored_landmarks_lie_on_the_mirrored_pixel() -> None:
    hand = clips.track()
    there = mirrored(Result(0.0, (hand,)), 64).tracks[0]
    assert np.allclose(there.xy[:, 0], 63 - hand.xy[:, 0])
    assert np.allclose(there.xy[:, 1], hand.xy[:, 1])
    assert there.side == hand.side == "left"
    again = mirrored(Result(0.0, (there,)), 64).tracks[0]
    assert np.allclose(again.xy, hand.xy)


def test_mirrored_points_in_space_point_the_other_way_across() -> None:
    xyz = np.tile(np.float32([0.5, -1, 2]), (21, 1))
    hand = replace(clips.track(), xyz=xyz)
    (there,) = mirrored(Result(0.0, (hand,)), 64).tracks
    assert there.xyz is not None and there.xyz[3].tolist() == [-0.5, -1, 2]


def test_mirrored_pose() -> None:
    face = replace(clips.track("face"), pose=Pose(10.0, -5.0, 2.5))
    pose = mirrored(Result(0.0, (face,)), 64).tracks[0].pose
    assert pose is not None and (pose.yaw, pose.pitch, pose.roll) == (-10.0, -5.0, -2.5)


def test_drawn_landmarks_are_mirrored_and_text_is_not() -> None:
    gray = np.full((240, 320, 3), 90, np.uint8)
    hand = replace(clips.track(), xy=clips.hand_xy((80, 100), 40))
    result = [Result(0.0, (hand,))]
    plain, _ = compose(gray, result, (320, 240), View(labels=False), LOOKS)
    flipped, _ = compose(gray, result, (320, 240), View(mirror=True, labels=False), LOOKS)
    assert (flipped == plain[:, ::-1]).all() and (plain != 90).any()
    text, _ = compose(gray, result, (320, 240), View(mirror=True), LOOKS)
    straight, _ = compose(gray, result, (320, 240), View(), LOOKS)
    words = (text != flipped).any(2)
    assert words.any()
    # The same letters in the same order: flipping them as well would not give this.
    y, x = np.nonzero(words)
    there = text[y.min() : y.max() + 1, x.min() : x.max() + 1]
    y, x = np.nonzero((straight != plain).any(2))
    here = straight[y.min() : y.max() + 1, x.min() : x.max() + 1]
    assert there.shape == here.shape and (np.abs(there.astype(int) - here) < 3).mean() > 0.99


def test_mirrored_axes_point_to_the_persons_own_left() -> None:
    gray = np.full((240, 320, 3), 90, np.uint8)
    face = replace(clips.track("face"), xy=clips.face_xy((160, 120), 50), pose=Pose(0, 0, 0))
    for mirror, sign in ((False, 1), (True, -1)):
        view = View(mirror=mirror, labels=False)
        canvas, _ = compose(gray, [Result(0.0, (face,))], (320, 240), view, LOOKS)
        red = (canvas[:, :, 2] > 250) & (canvas[:, :, :2] < 20).all(2)
        nose = 319 - face.xy[30, 0] if mirror else face.xy[30, 0]
        assert sign * (np.nonzero(red)[1].mean() - nose) > 5


def test_two_results_on_the_same_frame() -> None:
    hand = replace(clips.track(), xy=clips.hand_xy((160, 100), 40))
    gray = np.full((240, 320, 3), 90, np.uint8)
    canvas, panes = compose(gray, [Result(0.0, (hand,)), NOTHING], (646, 240), View(), LOOKS)
    first, second = (canvas[p.y : p.y + p.height, p.x : p.x + p.width] for p in panes)
    assert (second == 90).all() and (first != 90).any()
    assert (canvas[:, 320 : 320 + GAP] == 0).all()


def test_a_model_with_other_landmarks_is_drawn_too() -> None:
    five = replace(
        clips.track(), xy=clips.hand_xy((160, 100), 40)[:5], score=np.ones(5, np.float32)
    )
    gray = np.full((240, 320, 3), 90, np.uint8)
    canvas, _ = compose(gray, [Result(0.0, (five,))], (320, 240), View(mirror=True), LOOKS)
    assert (canvas != 90).any()


def test_irises_go_with_the_landmarks() -> None:
    """Twice as large, (x + 0.5) * 2 - 0.5; and in a mirror of 96 pixels 95 - x."""
    irises = np.array([[10, 20, 0.5], [30, 20, 0.75]], np.float32)
    seen = Result(0.0, (replace(clips.track("face"), irises=irises),))
    (large,) = scaled(seen, (48, 36), (96, 72)).tracks
    assert large.irises is not None
    assert large.irises.tolist() == [[20.5, 40.5, 0.5], [60.5, 40.5, 0.75]]
    (other,) = mirrored(Result(0.0, (large,)), 96).tracks
    assert other.irises is not None and other.irises[:, 0].tolist() == [74.5, 34.5]
