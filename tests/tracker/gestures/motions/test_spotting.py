"""When a motion happens: once, not again at once, and not on the way back."""

from __future__ import annotations

import numpy as np

from tests.tracker.gestures.motions.moved import moved, rest, ring, stroke, wave
from tracker.gestures.motions.library import bundled
from tracker.gestures.motions.spotting import MOVED, Happenings, is_resting
from tracker.gestures.motions.windows import SIZE, TIP_X, Path, path_of

NAMES = ("swipe_left", "swipe_right", "wave")


def happened(rows: str, step: float = 0.1) -> list[tuple[float, str]]:
    """'l', 'r', 'w': that motion is likely in this frame; '-': a little; '.': none is."""
    happenings = Happenings(NAMES, dict.fromkeys(NAMES, 0.8))
    found = []
    for i, sign in enumerate(rows):
        likely = np.zeros(3, np.float32)
        if sign != ".":
            likely["lrw".find(sign)] = 0.9
        happens = happenings.take(likely, i * step)
        if happens is not None:
            found.append((round(i * step, 6), happens[0]))
    return found


def test_it_happens_once_however_long_it_is_likely() -> None:
    assert happened("...lll......") == [(0.3, "swipe_left")]
    assert happened("..wwwwwwwwwwwwwwww..") == [(0.2, "wave")], "still waving: no second wave"


def test_it_happens_again_after_it_was_over_and_a_while_went_by() -> None:
    assert happened("..l.......l...") == [(0.2, "swipe_left"), (1.0, "swipe_left")]
    assert happened("..l...l...l....") == [(0.2, "swipe_left"), (1.0, "swipe_left")], "0.4 s: none"


def test_the_way_back_is_no_swipe() -> None:
    assert happened("..l.......r..") == [(0.2, "swipe_left")], "after 0.8 s"
    assert happened("..l.............r..") == [(0.2, "swipe_left"), (1.6, "swipe_right")]
    assert happened("..l.......w..") == [(0.2, "swipe_left"), (1.0, "wave")]


def test_what_has_no_threshold_never_happens() -> None:
    happenings = Happenings(NAMES, {"wave": 0.5})
    assert happenings.take(np.array([1, 0, 0], np.float32), 0.0) is None
    spotter = bundled().without(["wave"])
    assert "wave" not in spotter.thresholds and spotter.names == bundled().names


def test_a_hand_at_rest_is_not_judged() -> None:
    hand, swung = moved([rest(2.0)]), moved([rest(1.0), wave(2, 0.4, 1.0)])
    assert is_resting(path_of(hand.t, hand.xy)) and not is_resting(path_of(swung.t, swung.xy))


def test_the_bundled_network_knows_what_it_tells() -> None:
    """Strokes made by hand, not by the studies' people; x to the person's own right."""
    spotter = bundled()
    parts = {
        "swipe_right": stroke(3, 0, 0.35), "swipe_left": stroke(-3, 0, 0.35),
        "swipe_up": stroke(0, -3, 0.35), "swipe_down": stroke(0, 3, 0.35),
        "circle": ring(1.2, 1.2, 1.1), "wave": wave(3, 0.6, 1.4),
    }  # fmt: skip
    for name, part in parts.items():
        for fps in (20, 30, 60):
            hand = moved([rest(1.2), part, rest(0.6)], fps)
            path = path_of(hand.t, hand.xy)
            likely = spotter.likely(path, path.t).max(0)
            assert spotter.names[int(np.argmax(likely))] == name, (name, fps)
            assert likely.max() >= spotter.thresholds[name], (name, fps, likely)
    hand = moved([rest(1.2), stroke(3, 0, 2.0), rest(0.6)])
    path = path_of(hand.t, hand.xy)
    least = np.array([spotter.thresholds[name] for name in spotter.names])
    assert (spotter.likely(path, path.t) < least).all(), "too slow for a swipe"


def test_without_enough_frames_nothing_is_likely() -> None:
    spotter = bundled()
    short = Path(np.array([0.0, 0.03]), np.ones((2, 7)))
    assert (spotter.likely(short, [0.03]) == 0).all()
    assert spotter.likely(short, []).shape == (0, len(spotter.names))


def test_each_moment_is_judged_alone_as_with_others() -> None:
    """With all of its windows, and with the short ones only."""
    hand = moved([rest(2.7), stroke(-3, 0, 0.35), rest(0.6)])
    path, spotter = path_of(hand.t, hand.xy), bundled()
    together = spotter.likely(path, path.t)
    assert together.max() > 0.5
    for k in range(10, len(path), 9):
        assert np.allclose(spotter.likely(path, [path.t[k]])[0], together[k], atol=1e-6)


def test_resting_goes_by_the_box_of_the_palms_and_of_the_fingertips_ways() -> None:
    """Just under and just over MOVED palm lengths; of an odd and of an even number of frames."""
    for frames in (9, 10):
        for palm, tips in ((0, 1), (1, 0), (1, -1)):  # -1: they stay where they are over the palm
            for share, rests in ((0.99, True), (1.01, False)):
                marks = np.zeros((frames, 7))
                marks[:, SIZE] = 40 + np.arange(frames)  # pixels; the median counts
                unit, way = float(np.median(marks[:, SIZE])), MOVED * share
                for frame, axis, part in ((2, 0, 0.6), (5, 1, -0.8)):
                    marks[frame, axis] = palm * part * way * unit
                    marks[frame, TIP_X + axis] = tips * part * way
                assert is_resting(Path(np.arange(frames) / 30, marks)) is rests
