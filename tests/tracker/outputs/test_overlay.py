"""What is drawn: the right colours at the right places, hollow where unsure, text inside."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.helpers import clips
from tracker.outputs.overlay import Style, draw, has_glyph, printable
from tracker.outputs.skeleton import default_skeletons, skeleton, skeletons
from tracker.types import CropRule, Image, Pose, Track

LOOK = default_skeletons()
PALM_POINT = (48, 48, 255)  # MediaPipe's red, BGR
BARE = Style(labels=False, axes=False)


def gray(width: int = 400, height: int = 300) -> Image:
    return np.full((height, width, 3), 90, np.uint8)


def big(track: Track, scale: float = 4.0, shift: tuple[float, float] = (0.0, 0.0)) -> Track:
    return replace(track, xy=(track.xy * scale + np.array(shift)).astype(np.float32))


def at(picture: Image, xy: np.ndarray) -> list[int]:
    x, y = np.rint(xy).astype(int)
    return [int(v) for v in picture[y, x]]


def test_the_frame_itself_is_not_touched() -> None:
    frame = gray()
    drawn = draw(frame, (big(clips.track()),), LOOK)
    assert (frame == 90).all() and (drawn != 90).any()


def test_nothing_seen_nothing_drawn() -> None:
    assert (draw(gray(), (), LOOK) == 90).all()


def test_each_part_can_be_left_out() -> None:
    hand, face = big(clips.track()), big(clips.track("face"))
    nothing = Style(landmarks=False, labels=False, axes=False)
    assert (draw(gray(), (hand, face), LOOK, nothing) == 90).all()
    text = draw(gray(), (hand,), LOOK, Style(landmarks=False, axes=False))
    assert at(text, hand.xy[0]) == [90, 90, 90] and (text != 90).any()


def test_landmarks_have_their_colours() -> None:
    hand = big(clips.track())
    drawn = draw(gray(), (hand,), LOOK, BARE)
    assert at(drawn, hand.xy[0]) == list(PALM_POINT)
    for i in range(21):
        assert at(drawn, hand.xy[i]) == list(LOOK["hand"].points[i])


def test_unsure_landmarks_are_hollow() -> None:
    hand = big(clips.track())
    score = hand.score.copy()
    score[8] = 0.2
    drawn = draw(gray(), (replace(hand, score=score),), LOOK, BARE)
    assert at(drawn, hand.xy[8]) != list(LOOK["hand"].points[8])
    x, y = np.rint(hand.xy[8]).astype(int)
    around = drawn[y - 5 : y + 6, x - 5 : x + 6].astype(int)
    assert (np.abs(around - LOOK["hand"].points[8]).sum(2) < 120).any(), "a ring is there"
    assert at(drawn, hand.xy[7]) == list(LOOK["hand"].points[7])


def test_lines_to_unsure_landmarks_are_dimmer() -> None:
    hand = big(clips.track())
    score = hand.score.copy()
    score[12] = 0.2
    drawn = draw(gray(), (replace(hand, score=score),), LOOK, BARE)
    sure, unsure = (hand.xy[[10, 11]].mean(0), hand.xy[[11, 12]].mean(0))
    assert sum(at(drawn, sure)) > sum(at(drawn, unsure))


def test_left_eye_is_green_and_right_eye_red() -> None:
    # In this markup the person's right eye has the lower numbers.
    look = skeleton("face", 68)
    assert {look.points[i] for i in range(36, 42)} == {(48, 48, 255)}
    assert {look.points[i] for i in range(42, 48)} == {(48, 255, 48)}
    assert (36, 41) in look.edges or (41, 36) in look.edges, "eyes are closed rings"
    assert (16, 17) not in look.edges, "the jaw is not joined to a brow"


def test_foreign_markup_uses_its_own_edges() -> None:
    info = replace(clips.hand_info("hand", 5), edges=((0, 4), (1, 2)))
    look = skeletons([info])["hand"]
    assert look.edges == ((0, 4), (1, 2)) and len(look.points) == 5 and len(set(look.points)) == 5
    track = replace(
        clips.track(),
        xy=np.array([[50, 50], [90, 50], [90, 90], [50, 90], [150, 50]], np.float32),
        score=np.ones(5, np.float32),
    )
    drawn = draw(gray(), (track,), {"hand": look}, BARE)
    assert at(drawn, np.array([120, 50])) != [90, 90, 90]
    assert at(drawn, np.array([70, 90])) == [90, 90, 90]


def test_on_black_shows_no_pixel_of_the_camera() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)
    tracks = (big(clips.track()), big(clips.track("face")))
    one = draw(noise, tracks, LOOK, Style(on_black=True))
    other = draw(gray(), tracks, LOOK, Style(on_black=True))
    assert (one == other).all() and (one == 0).mean() > 0.5 and one.any()


def test_head_axes_point_where_the_head_points() -> None:
    face = replace(big(clips.track("face")), pose=Pose(40.0, 0.0, 0.0))
    drawn = draw(gray(), (face,), LOOK, Style(labels=False))
    blue = (drawn[:, :, 0] > 200) & (drawn[:, :, 1:] < 60).all(2)
    assert np.nonzero(blue)[1].mean() > face.xy[30, 0], "yaw > 0: the nose axis goes right"


def test_labels() -> None:
    hand = clips.track()
    assert hand.words == "#1 left fist 90%"
    assert replace(hand, gesture="none").words == "#1 left"
    assert replace(hand, gesture=None, side=None).words == "#1 hand"
    assert clips.track("face").words == "#1 yaw +10 pitch -5 roll +2 deg"
    assert replace(clips.track("face"), pose=Pose(-0.3, 0.2, -170.0)).words.split()[2:] == [
        "+0", "pitch", "+0", "roll", "-170", "deg",
    ]  # fmt: skip
    assert replace(clips.track("face"), pose=None).words == "#1"


def test_objects_and_own_gestures_are_named() -> None:
    tool = replace(clips.track(), kind="object", side=None, gesture="auf", gesture_p=0.8)
    assert tool.words == "#1 object auf 80%"
    assert replace(tool, gesture="none", pose=Pose(1, 2, 3)).words == (
        "#1 object yaw +1 pitch +2 roll +3 deg"
    )
    smile = replace(clips.track("face"), pose=None, gesture="smile", gesture_p=0.9)
    assert smile.words == "#1 smile 90%"


def test_names_that_cannot_be_drawn_show_no_question_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.outputs.overlay.has_glyph", str.isascii)  # as with OpenCV 4
    gestures = (("none", 0.0), ("Fäuste", 0.1), ("拳", 0.9))
    track = replace(clips.track(), gestures=gestures, gesture="Fäuste")
    assert printable(track.words, track) == "#1 left Fauste 90%"
    track = replace(track, gesture="拳")
    assert printable(track.words, track) == "#1 left gesture 2 90%"
    assert printable("plain", track) == "plain"


def test_what_opencv_can_draw_is_found_out_by_drawing() -> None:
    assert has_glyph("A") and has_glyph("?") and not has_glyph("\U0001f44b")
    new = int(cv2.__version__.split(".")[0]) >= 5
    assert has_glyph("ä") == has_glyph("拳") == new


def test_a_skeleton_of_another_size_is_not_used() -> None:
    five = replace(clips.track("face"), xy=clips.track().xy[:5], score=np.ones(5, np.float32))
    drawn = draw(gray(), (big(five), big(replace(five, kind="object"))), LOOK)
    assert (drawn != 90).any()


def test_few_landmarks_get_large_dots_and_many_small_ones() -> None:
    mouth = big(replace(clips.track("face"), xy=clips.face_xy()[::6], score=np.ones(12)))
    mouth = replace(mouth, pose=None)
    face = big(replace(clips.track("face"), pose=None))
    sizes = []
    for track in (mouth, face):
        drawn = draw(gray(), (track,), LOOK, BARE)
        x, y = np.rint(track.xy[0]).astype(int)
        sizes.append(int((drawn[y - 3 : y + 4, x - 3 : x + 4] != 90).any(2).sum()))
    assert sizes[0] > 1.5 * sizes[1]


def test_a_markup_with_a_crop_rule_wears_no_hand() -> None:
    info = replace(clips.hand_info(), crop=CropRule(2.0))
    assert len(set(skeletons([info])["hand"].points)) == 21
    assert len(set(skeletons([clips.hand_info()])["hand"].points)) == 6


@pytest.mark.parametrize("size", [(400, 300), (1280, 720), (160, 120), (64, 48)])
@pytest.mark.parametrize("corner", [(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (-3.0, 4.0)])
def test_text_stays_inside(size: tuple[int, int], corner: tuple[float, float]) -> None:
    width, height = size
    shift = (corner[0] * width - 80, corner[1] * height - 80)
    hand, face = big(clips.track(), 2.0, shift), big(clips.track("face", number=2), 2.0, shift)
    plain = draw(gray(*size), (hand, face), LOOK, Style(labels=False))
    drawn = draw(gray(*size), (hand, face), LOOK)
    changed = (plain != drawn).any(2)
    assert changed.sum() > 50
    white = (drawn > 200).all(2) & changed
    assert white.any()
    rows, columns = np.nonzero(white)
    assert columns.max() < width - 1 and columns.min() > 0
    assert rows.max() < height - 1 and rows.min() > 0


def test_labels_of_two_hands_do_not_cover_each_other() -> None:
    one, two = big(clips.track()), big(clips.track("hand", "right", 2), 4.0, (6.0, 4.0))
    boxes = []
    for tracks in ((one,), (one, two)):
        plain = draw(gray(), tracks, LOOK, Style(labels=False))
        boxes.append((draw(gray(), tracks, LOOK) != plain).any(2).sum())
    assert boxes[1] > 1.8 * boxes[0]


def test_landmarks_without_coordinates_or_far_outside() -> None:
    hand = big(clips.track())
    xy = hand.xy.copy()
    xy[[0, 5]] = np.nan
    xy[8] = (1e9, -1e9)
    drawn = draw(gray(), (replace(hand, xy=xy),), LOOK)
    assert at(drawn, xy[12]) == list(LOOK["hand"].points[12])
    nowhere = replace(hand, xy=np.full_like(xy, np.nan))
    assert (draw(gray(), (nowhere,), LOOK) == 90).all()


def test_small_hands_get_small_dots() -> None:
    small = draw(gray(1280, 720), (clips.track(),), LOOK, BARE)
    large = draw(gray(1280, 720), (big(clips.track(), 8.0),), LOOK, BARE)
    x, y = np.rint(clips.track().xy[0]).astype(int)
    assert (small[y, x + 4] == 90).all()
    x, y = np.rint(big(clips.track(), 8.0).xy[0]).astype(int)
    assert (large[y, x + 4] == PALM_POINT).all()


def test_irises_are_rings_and_filled_where_sure() -> None:
    face = big(clips.track("face"))
    spots = np.array([[30, 250, 0.9], [80, 250, 0.2]], np.float32)
    drawn = draw(gray(), (replace(face, irises=spots),), LOOK, BARE)
    assert at(drawn, spots[0, :2]) == [255, 255, 0]
    assert at(drawn, spots[1, :2]) == [90, 90, 90], "an unsure one is hollow"
    ring = drawn[230:271, 60:101] != 90
    assert ring.any()
    unknown = np.full((2, 3), np.nan, np.float32)
    without = draw(gray(), (replace(face, irises=unknown),), LOOK, BARE)
    assert (without == draw(gray(), (face,), LOOK, BARE)).all()
