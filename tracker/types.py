"""The data that flows through the tracker: frozen, plain, arrays inside.

Spaces are named: *frame* pixels (the picture as decoded), *crop* pixels (the network's input
patch). Pixel centres lie at integer coordinates in both. x points right, y down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from tracker.find.expressions import EXPRESSIONS

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]
Kind = Literal["hand", "face", "object"]
Side = Literal["left", "right"]
Ends = tuple[int | tuple[int, ...], ...]  # each a landmark, or the middle of several


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a stream. `bgr` is (H, W, 3) uint8, or None where it could not be decoded."""

    index: int  # decode order, from 0
    t: float  # seconds, from the container's time stamps or a monotonic clock
    bgr: Image | None
    captured: float | None = None  # monotonic seconds at which it was handed over; live only
    damaged: bool = False  # the decoder complained of it; what it shows may be wrong
    missing: int = 0  # frames of a file that were lost before this one
    file: str | None = None  # of pictures: the name of the file

    def __repr__(self) -> str:
        """One line."""
        bgr = self.bgr
        size = "no picture" if bgr is None else f"{bgr.shape[1]}x{bgr.shape[0]}"
        return f"Frame({self.index}, t={self.t:.3f} s, {size})"


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """One hand or face found by a detector, in frame pixels."""

    kind: Kind
    box_xyxy: Floats  # (4,)
    score: float  # [0, 1]
    xy: Floats  # (P, 2) the detector's own few points (palm: 7, face: 6)


@dataclass(frozen=True, slots=True, eq=False)
class CropBox:
    """A rotated square in the frame: what the network sees."""

    centre_xy: Floats  # (2,) frame pixels
    side: float  # frame pixels
    angle: float  # degrees; direction of the crop's x axis, positive clockwise on screen


@dataclass(frozen=True, slots=True)
class CropRule:
    """How the crop lies around the landmarks of a markup."""

    scale: float = 1.6  # side of the crop / longer side of the landmarks' own box
    across: Ends = ()  # (from, to): two landmarks that stand level, from left to right; or
    around: str = "landmarks"  # in training also 'box' (its sides times scale) or 'picture'
    up: Ends = ()  # (from, to): two that stand one above the other, the first below


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """What the network says about one crop, mapped back to the frame."""

    kind: Kind
    box: CropBox
    xy: Floats  # (K, 2) frame pixels
    score: Floats  # (K,) [0, 1]
    presence: float  # [0, 1] is there such an object in the crop at all
    # class attributes: probabilities; 'pose': degrees; 'iris', 'place': frame pixels
    attributes: Mapping[str, Floats]


class _Matrix:
    """A field that takes a matrix, or what makes it, called once when it is first asked for."""

    @overload
    def __get__(self, pose: None, of: type[Pose]) -> None: ...
    @overload
    def __get__(self, pose: Pose, of: type[Pose]) -> Floats | None: ...
    def __get__(self, pose: Pose | None, of: type[Pose]) -> Floats | None:
        if pose is None:
            return None
        found: Floats | Callable[[], Floats | None] | None = pose.__dict__["matrix"]
        if callable(found):
            found = pose.__dict__["matrix"] = found()
        return found

    def __set__(self, pose: Pose, value: Floats | Callable[[], Floats | None] | None) -> None:
        pose.__dict__["matrix"] = value


@dataclass(frozen=True, eq=False)
class Pose:
    """Head pose in degrees; axes and signs are defined in `tracker/find/head_pose.py`."""

    yaw: float
    pitch: float
    roll: float
    # (4, 4) from face axes (cm, origin between the eyes) to camera axes (cm, x to the picture's
    # right, y down, z away from the camera). None where the camera is not known. From landmarks it
    # is computed when it is first asked for, and kept.
    matrix: _Matrix = _Matrix()
    # (3,) frame pixels, as a network gives it: x, y of the middle between the outer corners of the
    # eyes, and how far these would be apart seen from the front. None: computed from landmarks.
    seen_at: Floats | None = None

    def __repr__(self) -> str:
        """One line."""
        return f"Pose(yaw={self.yaw:.1f}, pitch={self.pitch:.1f}, roll={self.roll:.1f})"

    @property
    def is_finite(self) -> bool:
        """Is it a direction? A network may answer NaN."""
        return all(map(isfinite, (self.yaw, self.pitch, self.roll)))

    @property
    def xyz_cm(self) -> Floats | None:
        """(3,) where the point between the eyes is, camera axes."""
        return None if self.matrix is None else self.matrix[:3, 3]


@dataclass(frozen=True, slots=True)
class Motion:
    """A motion that a hand has made, such as a swipe. It happens in one frame, once."""

    name: str
    p: float  # [0, 1] how likely it was
    age: float  # s since the frame in which it was seen to have ended, whose age is 0


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One hand or face followed over time, as the user sees it in one frame."""

    id: int
    kind: Kind
    xy: Floats  # (K, 2) frame pixels, smoothed
    xy_raw: Floats  # (K, 2) frame pixels, as the network said
    score: Floats  # (K,) [0, 1]
    presence: float  # [0, 1]
    side: Side | None  # hands only: the person's own left or right
    side_p: float  # [0, 1], averaged over the track
    gesture: str | None  # hands only, after hysteresis; None: no gesture head
    gesture_p: float  # [0, 1] smoothed probability of `gesture`
    pose: Pose | None  # faces only
    age: int  # frames since the track began
    gestures: tuple[tuple[str, float], ...] = ()  # every class with its averaged probability
    # (K, 3) palm lengths (wrist to middle knuckle) from the wrist, smoothed; camera axes: x right,
    # y up, z towards the camera. None where the model gives no depth.
    xyz: Floats | None = None
    names: tuple[str, ...] = ()  # (K,) of the landmarks, as the model file calls them
    # Each class of the model's other attributes, such as an expression, with its averaged value.
    attributes: tuple[tuple[str, float], ...] = ()
    # Faces, each None where the model does not give it:
    irises: Floats | None = None  # (2, 3) x, y in frame pixels, smoothed, and score [0, 1]; the
    # person's own right one first
    visible: Floats | None = None  # (K,) [0, 1] is the landmark seen, not behind something
    # (52,) [0, 1], smoothed, less those at rest (`TrackerConfig.neutral`), in the order of
    # tracker/find/expressions.py; and as the network said
    expressions: Floats | None = None
    expressions_raw: Floats | None = None
    at_rest: float | None = None  # [0, 1] share of the neutral face that was subtracted,
    rest: Floats | None = None  # and that much of it, (52,)
    motion: Motion | None = None  # hands only: the last one, for a second after it happened

    def __repr__(self) -> str:
        """One line."""
        size = f"{len(self.xy)} landmarks"
        return f"Track({self.kind} {self.words}, {size}, presence {self.presence:.2f})"

    @property
    def happened(self) -> Motion | None:
        """The motion that ended in this very frame."""
        return self.motion if self.motion is not None and self.motion.age == 0 else None

    @property
    def words(self) -> str:
        """What is said of it on pictures: its number, side, gesture and head pose."""
        words = [f"#{self.id}"]
        if self.kind != "face":
            words.append(f"{self.side or self.kind}")
        if self.gesture not in (None, "none"):
            words.append(f"{self.gesture} {self.gesture_p:.0%}")
        if self.pose is not None and self.pose.is_finite:
            yaw, pitch, roll = (round(a) for a in (self.pose.yaw, self.pose.pitch, self.pose.roll))
            words.append(f"yaw {yaw:+d} pitch {pitch:+d} roll {roll:+d} deg")
        return " ".join(words)

    def point(self, name: str) -> Floats:
        """(2,) frame pixels of a landmark by its name, smoothed. KeyError: there is none such."""
        if name not in self.names:
            known = ", ".join(self.names) or "none, since its model names none"
            raise KeyError(f"no landmark is called {name!r}; there are {known}")
        found: Floats = self.xy[self.names.index(name)]
        return found

    def expression(self, name: str) -> float | None:
        """[0, 1] of ARKit's name, such as jawOpen; None where the model gives no expressions.

        KeyError: there is none such.
        """
        if name not in EXPRESSIONS:
            raise KeyError(f"no expression is called {name!r}; they are ARKit's, such as jawOpen")
        values = self.expressions
        return None if values is None else float(values[EXPRESSIONS.index(name)])
