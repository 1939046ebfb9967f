"""Hands and faces as a tracker sees them, posed by hand for the tests of actions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tracker.result import Result
from tracker.types import Floats, Pose, Side, Track

GESTURES = ("none", "fist", "point", "victory", "open_palm", "thumb_up")
SIZE_WH = (640, 480)


def hand_xy(pinch: float = 1.0, tip: tuple[float, float] | None = None) -> Floats:
    """(21, 2): wrist (320, 400), palm 100 px long, the thumb's tip `pinch` palms off the index's.

    `tip`: where the whole hand is moved to, so that the index finger's tip is there.
    """
    xy = np.full((21, 2), 350.0, np.float32)
    xy[0], xy[9], xy[8] = (320, 400), (320, 300), (320, 220)
    xy[4] = xy[8] + (100 * pinch, 0)
    if tip is not None:
        xy += np.asarray(tip, np.float32) - xy[8]
    return xy


def hand(
    gesture: str = "none",
    p: float = 0.95,
    side: Side = "right",
    presence: float = 0.99,
    xy: Floats | None = None,
) -> Track:
    """A hand that surely is this side's; all other gestures share what is left of 1."""
    rest = (1 - p) / (len(GESTURES) - 1)
    gestures = tuple((name, p if name == gesture else rest) for name in GESTURES)
    xy = hand_xy() if xy is None else xy
    return Track(
        id=1, kind="hand", xy=xy, xy_raw=xy, score=np.ones(len(xy), np.float32), presence=presence,
        side=side, side_p=0.95, gesture=gesture, gesture_p=p, pose=None, age=9, gestures=gestures,
    )  # fmt: skip


def face(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0, mouth: float = 0.0) -> Track:
    """A face whose inner lips are 40 px wide and `mouth` times as high."""
    xy = np.full((68, 2), 100.0, np.float32)
    xy[60], xy[64] = (80, 120), (120, 120)
    xy[62], xy[66] = (100, 120 - 20 * mouth), (100, 120 + 20 * mouth)
    return Track(
        id=2, kind="face", xy=xy, xy_raw=xy, score=np.ones(68, np.float32), presence=0.99,
        side=None, side_p=0.0, gesture=None, gesture_p=0.0, pose=Pose(yaw, pitch, roll), age=9,
    )  # fmt: skip


def seen(t: float, *tracks: Track) -> Result:
    return Result(t, tracks)


def times(seconds: float, fps: float = 30.0, start: float = 0.0) -> Sequence[float]:
    """Of the frames of so many seconds."""
    return [start + i / fps for i in range(round(seconds * fps))]
