"""The memory of one track: its filters, where it will be next, and what the user is shown."""

from __future__ import annotations

import math

import numpy as np

from tracker.find.geometry import box_from_landmarks
from tracker.find.head_pose import Lens, pose_from_landmarks, with_place, wrap_degrees
from tracker.find.model_file import ModelInfo
from tracker.follow.associate import object_size
from tracker.follow.course import Course
from tracker.follow.gesture import GestureFilter
from tracker.follow.landmark_filter import QUICK, LandmarkFilter
from tracker.follow.smooth import OneEuro, SmoothConfig
from tracker.types import CropBox, Floats, Kind, Located, Pose, Side, Track

FORETOLD: Kind = "face"  # the kind of which is asked where it should be by what it did before SLIDE
SHOWN_APART = ("gesture", "side")  # attributes that are steadied in ways of their own
SIDE_FRAMES = 30  # the side is the mean over about this many frames
POSE_SPAN = 60.0  # degrees that count as one 'object size' when a pose is smoothed
SHARE_SPAN = 1.0  # the range of an expression, as 'object size'
XYZ_SIZE = 2.0  # palm lengths of a hand, as 'object size' of points in space
SPEED_TAU = 0.05  # time constant of a track's velocity, s
ATTRIBUTE_TAU = 0.08  # time constant of attributes such as expressions, s
PRESENCE_TAU = 0.3  # time constant of a track's presence, s
SURE_PRESENCE = 0.7  # an object below this is followed, and looked for again
# Of a track's best quality: below this its crop has drifted off. Hands that are followed well fall
# below it where they are fast or cut by the picture's end; patience carries them over.
DRIFTED = 0.4
# A hand whose mean score is below this is followed and looked for again, but not shown: its points
# lie on it in disorder, or gathered on its fingers, though presence is near 1. Scores are chances
# that a point is right; of 1,482 held-out hands whose points are right 99.5 % are above it, of 109
# that are wrong 36 % (docs/measured.md). Then it is shown again from the second limit on: scores of
# a wrong one swing about the first, and it came and went with them.
WHOLE_SCORE, WHOLE_AGAIN = 0.2, 0.3
LOOK_AHEAD = 0.25  # a box is moved ahead by at most this many object sizes
# A crop stays where it is until the object has moved by this much: then a still object gives the
# network the very same crop, and the answer does not feed its own noise back into the next one.
STEADY_SHIFT, STEADY_SIDE, STEADY_ANGLE = 0.03, 0.05, 4.0  # sides, ratio, degrees


class Follower:
    """One object that is being followed, or was until a moment ago."""

    def __init__(self, track_id: int, info: ModelInfo, smooth: SmoothConfig | None) -> None:
        """`update` must follow before anything is asked of it."""
        self.id = track_id
        self.age = 0
        self.missed = 0  # frames in a row without an answer
        self.t = 0.0  # of the last answer
        self.presence = 0.0  # of the last answer,
        self.presence_mean = 0.0  # and on average
        self.is_whole = True  # by the last answers, see `is_whole`
        self.quality = 0.0  # of the last answer, see `quality`,
        self._best = 0.0  # and of the best since it was found
        self.left_p: float | None = None
        self._info = info
        self._points = LandmarkFilter(smooth, info.landmarks)
        self._pose, self._place = LandmarkFilter(smooth), LandmarkFilter(smooth)
        self._irises = LandmarkFilter(smooth, QUICK[:1] * 2)
        self._expressions = LandmarkFilter(smooth, as_one=False)
        self._space = OneEuro(smooth)  # depth is far noisier than what the picture shows
        self._roll = 0.0
        classes = {a.name: a.classes for a in info.attributes}
        self._gesture = None
        if "gesture" in classes:
            shown_from = info.operating_points
            self._gesture = GestureFilter(classes["gesture"], operating_points=shown_from)
        self._others = [a for a in info.attributes if a.classes and a.name not in SHOWN_APART]
        self._values: Floats | None = None  # of those, averaged
        self._sides_seen = 0
        self._velocity = np.zeros(2)  # frame pixels per second
        self._box: CropBox | None = None
        self._course = Course() if info.kind == FORETOLD else None
        self.xy: Floats = np.zeros((0, 2), np.float32)  # the last raw landmarks,
        self._size, self._middle = 1.0, self._velocity  # and the object's size and middle by them

    def update(self, found: Located, t: float, seen_by: Lens | None = None) -> Track:
        """Take in the newest answer, and tell what to show for it.

        `seen_by`: the lens of the frame, of faces that are to tell where they are.
        """
        size, score = object_size(found.xy), mean_score(found)
        self._move(found, t, size)
        self.is_whole = is_whole(found, self._info, self.is_whole)
        self.quality = found.presence * score
        self._best = max(self._best, self.quality)
        xy = self._points.update(found.xy, t, size)
        self._average_side(found)
        gesture, gesture_p = None, 0.0
        if self._gesture is not None:
            gesture, gesture_p = self._gesture.update(found.attributes["gesture"], t, score)
        pose = self._smooth_pose(found, t, size)
        if pose is not None and seen_by is not None:
            pose = with_place(pose, xy, seen_by)
        attributes = self._average_attributes(found, t)
        self.t, self.missed = t, 0
        self.age += 1
        side, side_p = self._side()
        return Track(
            self.id, found.kind, xy, found.xy, found.score, found.presence,
            side, side_p, gesture, gesture_p, pose, self.age - 1,
            self._gesture.probabilities() if self._gesture is not None else (),
            self._smooth_xyz(found, t), self._info.landmarks, attributes,
            self._smooth_irises(found, t, size), _of_landmarks(found, "visible"),
            self._smooth_expressions(found, t), found.attributes.get("expressions"),
        )  # fmt: skip

    def correct(self, found: Located, t: float, seen_by: Lens | None = None) -> Track:
        """Take in a better answer for the same frame: the one before lay wrong."""
        self.restart()
        self.age -= 1
        return self.update(found, t, seen_by)

    def miss(self) -> None:
        """Note that a frame brought no answer."""
        self.missed += 1
        self.age += 1

    def expected_xy(self, t: float) -> Floats:
        """Landmarks (K, 2) where they should be at time t, were the velocity to stay."""
        shift = self._velocity * (t - self.t)
        most = LOOK_AHEAD * self._size
        length = math.hypot(*shift)
        if length > most:
            shift *= most / length
        return (self.xy + shift).astype(np.float32)

    def foretold_xy(self, t: float) -> Floats:
        """Landmarks (K, 2) where they should be at time t by what the face did before SLIDE."""
        assert self._course is not None
        middle, size = self._course.at(t)
        ratio = size / self._size
        xy: Floats = ((self.xy - self.xy.mean(0)) * ratio + middle).astype(np.float32)
        return xy

    def surprise(self, t: float, xy: Floats) -> float:
        """How far, in face sizes, landmarks (K, 2) are from where the face is foretold."""
        assert self._course is not None
        return self._course.surprise(t, xy)

    def next_box(self, t: float) -> CropBox:
        """The crop for the frame at time t."""
        box = box_from_landmarks(self._info.kind, self.expected_xy(t), rule=self._info.crop)
        if self._box is None or not is_steady(self._box, box):
            self._box = box
        return self._box

    @property
    def crop(self) -> CropBox:
        """The crop of the last frame."""
        if self._box is None:
            self._box = box_from_landmarks(self._info.kind, self.xy, rule=self._info.crop)
        return self._box

    def restart(self) -> None:
        """Forget the motion and the averages over time, keep id, age, side and gesture."""
        self._points.reset()
        self._pose.reset()
        for part in (self._irises, self._place, self._expressions):
            part.reset()
        self._space.reset()
        self._values = None
        self._velocity = np.zeros(2)
        self._box, self._best = None, 0.0
        if self._course is not None:
            self._course.clear()
        self.xy = self.xy[:0]

    def has_drifted(self, found: Located) -> bool:
        """Do the landmarks lie far worse than they did? Presence often stays high then."""
        return quality(found) < DRIFTED * self._best

    @property
    def is_sure(self) -> bool:
        """Was it surely there in the last frame?"""
        return not self.missed and self.is_whole and self.presence >= SURE_PRESENCE

    @property
    def lag_ms(self) -> float:
        """By how much the smoothed landmarks trail at present."""
        return self._points.lag_ms

    def _move(self, found: Located, t: float, size: float) -> None:
        dt, middle = t - self.t, np.add.reduce(found.xy) / len(found.xy)
        if not len(self.xy):
            self.presence_mean = found.presence
        elif dt > 0:
            velocity = (middle - self._middle) / dt
            self._velocity += (1 - math.exp(-dt / SPEED_TAU)) * (velocity - self._velocity)
            weight = 1 - math.exp(-dt / PRESENCE_TAU)
            self.presence_mean += weight * (found.presence - self.presence_mean)
        self.presence, self.xy = found.presence, found.xy
        self._middle, self._size = middle, size
        if self._course is not None:
            self._course.add(t, found.xy)

    def _average_side(self, found: Located) -> None:
        left = left_probability(found, self._info)
        if left is None:
            return
        self._sides_seen = min(self._sides_seen + 1, SIDE_FRAMES)
        before = left if self.left_p is None else self.left_p
        self.left_p = before + (left - before) / self._sides_seen

    def _average_attributes(self, found: Located, t: float) -> tuple[tuple[str, float], ...]:
        """Every class of every attribute that has no field of its own, with its value."""
        if not self._others:
            return ()
        new = np.concatenate([found.attributes[a.name].ravel() for a in self._others])
        if self._values is None:
            self._values = new
        else:
            weight = 1 - np.exp(-max(t - self.t, 0.0) / ATTRIBUTE_TAU)
            self._values = (self._values + weight * (new - self._values)).astype(np.float32)
        names = [name for a in self._others for name in a.classes]
        return tuple(zip(names, self._values.tolist(), strict=True))

    def _side(self) -> tuple[Side | None, float]:
        if self.left_p is None:
            return None, 0.0
        return ("left", self.left_p) if self.left_p >= 0.5 else ("right", 1 - self.left_p)

    def _smooth_pose(self, found: Located, t: float, size: float) -> Pose | None:
        if "pose" in found.attributes:
            yaw, pitch, roll = (float(v) for v in found.attributes["pose"])
        elif self._info.markup is not None and self._info.markup.head_pose:
            pose = pose_from_landmarks(found.xy)
            yaw, pitch, roll = pose.yaw, pose.pitch, pose.roll
        else:
            return None
        # Unwound, so that a roll that passes 180 degrees does not swing back through 0.
        self._roll += wrap_degrees(roll - self._roll)
        values = self._pose.update([[yaw, pitch, self._roll]], t, POSE_SPAN)[0]
        seen_at = found.attributes.get("place")
        if seen_at is not None:
            seen_at = self._place.update(seen_at[None], t, size)[0]
        yaw, pitch, roll = (float(v) for v in values)
        return Pose(yaw, pitch, wrap_degrees(roll), seen_at=seen_at)

    def _smooth_irises(self, found: Located, t: float, size: float) -> Floats | None:
        """As the landmarks; scores as they are."""
        if "iris" not in found.attributes:
            return None
        spots = found.attributes["iris"].reshape(-1, 3)
        xy = self._irises.update(spots[:, :2], t, size)
        return np.column_stack([xy, spots[:, 2]]).astype(np.float32)

    def _smooth_expressions(self, found: Located, t: float) -> Floats | None:
        """Each from 0 to 1."""
        if "expressions" not in found.attributes:
            return None
        values = self._expressions.update(found.attributes["expressions"][:, None], t, SHARE_SPAN)
        return np.clip(values[:, 0], 0, 1).astype(np.float32)

    def _smooth_xyz(self, found: Located, t: float) -> Floats | None:
        """Points in space, from the wrist; a network says almost, not exactly, 0 for the wrist."""
        if "xyz" not in found.attributes:
            return None
        xyz = found.attributes["xyz"].reshape(-1, 3)
        return self._space.update(xyz - xyz[0], t, XYZ_SIZE)


def _of_landmarks(found: Located, name: str) -> Floats | None:
    """The landmarks' own values of an attribute; what follows them, of irises, is left out."""
    values = found.attributes.get(name)
    return None if values is None else values[: len(found.xy)]


def left_probability(found: Located, info: ModelInfo) -> float | None:
    """How likely a hand is the person's left one; None where the model does not say."""
    if info.kind != "hand":
        return None
    for attribute in info.attributes:
        if attribute.name == "side" and "left" in attribute.classes:
            return float(found.attributes["side"][attribute.classes.index("left")])
    return None


def is_whole(found: Located, info: ModelInfo, was: bool = True) -> bool:
    """Do the landmarks make a hand, as they did in the frame before, or did not (`was`)?

    Scores tell, of models whose probabilities were checked.
    """
    is_told = info.kind == "hand" and info.is_checked
    return not is_told or mean_score(found) >= (WHOLE_SCORE if was else WHOLE_AGAIN)


def mean_score(found: Located) -> float:
    """Of the landmarks, [0, 1]."""
    return float(np.add.reduce(found.score) / len(found.score))


def quality(found: Located) -> float:
    """How well landmarks lie, [0, 1]: presence times mean score.

    Presence alone does not tell a hand from a part of one: landmarks that gathered on a row of
    fingers had presence 0.98 and scores of 0.6 on average where the whole hand has 0.93.
    """
    return found.presence * mean_score(found)


def is_steady(old: CropBox, new: CropBox) -> bool:
    """Is the new crop so near the old one that the old one may stay?"""
    shift = math.hypot(*(new.centre_xy - old.centre_xy).tolist()) / old.side
    ratio = abs(math.log(new.side / old.side))
    turn = abs(wrap_degrees(new.angle - old.angle))
    return shift <= STEADY_SHIFT and ratio <= STEADY_SIDE and turn <= STEADY_ANGLE
