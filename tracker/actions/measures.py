"""Numbers read from one track: what conditions compare and sliders pass on. Pure functions.

Left and right are the person's own, as in `Track.side`, and hold for a picture as a camera takes
it, not mirrored: a head that turns to the person's left turns to the picture's right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np

from tracker.find.expressions import by_name
from tracker.find.face_measures import FaceMeasures, measured
from tracker.types import Floats, Kind, Track

HAND_POINTS, FACE_POINTS = 21, 68
WRIST, THUMB_TIP, INDEX_TIP, MIDDLE_MCP = 0, 4, 8, 9
UPPER_LIP, LOWER_LIP, LIP_RIGHT, LIP_LEFT = 62, 66, 60, 64  # the inner edge
FRONT = 40.0  # degrees of yaw up to which an expression can be told
# Palm lengths between wrist and tip of the index finger: a folded finger pinches nothing.
STRETCHED = 1.05
SEEN = 0.3  # least score of both tips: a thumb that is hidden is often put onto the finger


def _length(xy: Floats, a: int, b: int) -> float:
    return float(np.linalg.norm(xy[a] - xy[b]))


def pinch(track: Track) -> float | None:
    """Thumb tip to index tip in palm lengths (wrist to middle knuckle); None: not to be told.

    About 1 with the hand open, below 0.25 when the tips touch. A fist is no pinch: with the index
    finger folded it is 1 at least. Tips that are hardly seen tell nothing.
    """
    if track.kind != "hand" or len(track.xy) != HAND_POINTS:
        return None
    if min(track.score[THUMB_TIP], track.score[INDEX_TIP]) < SEEN:
        return None
    palm = max(_length(track.xy, WRIST, MIDDLE_MCP), 1e-6)
    apart = _length(track.xy, THUMB_TIP, INDEX_TIP) / palm
    stretched = _length(track.xy, WRIST, INDEX_TIP) / palm >= STRETCHED
    return apart if stretched else max(apart, 1.0)


def mouth(track: Track) -> float | None:
    """Height of the open mouth over its width, between the inner lips; 0 when it is closed."""
    if track.kind != "face" or len(track.xy) != FACE_POINTS:
        return None
    width = max(_length(track.xy, LIP_RIGHT, LIP_LEFT), 1e-6)
    return _length(track.xy, UPPER_LIP, LOWER_LIP) / width


def _expression(track: Track) -> FaceMeasures | None:
    """None where it is no face of 68 landmarks that can be told from the front."""
    if track.kind != "face" or len(track.xy) != FACE_POINTS or track.pose is None:
        return None
    return None if abs(track.pose.yaw) > FRONT else measured(track)[1]


def smile(track: Track) -> float | None:
    """Corners of the mouth apart and up, whichever is less; 0 at rest, 1 broad.

    Both, since an open mouth lies lower in its middle than its corners, too.
    """
    seen = _expression(track)
    return None if seen is None else min(seen.mouth_wide, max(seen.smile, 0.0))


def brows(track: Track) -> float | None:
    """Brows raised, the mean of both: 0 as the average face has them, 1 high, -1 low."""
    seen = _expression(track)
    return None if seen is None else (seen.brow_left + seen.brow_right) / 2


def eyes(track: Track) -> float | None:
    """The eye that is wider open: 0 both are shut, 1 open."""
    seen = _expression(track)
    return None if seen is None else max(seen.eye_left, seen.eye_right)


def attribute(name: str) -> Callable[[Track], float | None]:
    """The value of a class of the model's attributes, [0, 1]; None where it has no such class."""
    return lambda track: _values(track).get(name)


def _values(track: Track) -> dict[str, float]:
    """Every class of its attributes, and ARKit's expressions, with its value."""
    expressions = {} if track.expressions is None else by_name(track.expressions)
    return expressions | dict(track.attributes)


def head_left(track: Track) -> float | None:
    """Degrees by which the head is turned to the person's left; negative: right."""
    return None if track.pose is None else track.pose.yaw


def head_up(track: Track) -> float | None:
    """Degrees by which the head is raised; negative: lowered."""
    return None if track.pose is None else track.pose.pitch


def tilt_left(track: Track) -> float | None:
    """Degrees by which the head leans to the person's left shoulder; negative: right."""
    return None if track.pose is None else track.pose.roll


@dataclass(frozen=True, slots=True)
class Measure:
    """One of `MEASURES`: of which kind of track, how it is read, and its usual range."""

    kind: Kind
    read: Callable[[Track], float | None]
    usual: tuple[float, float]


def measure_of(source: str) -> Measure:
    """One of `MEASURES`, or of a class of an attribute: `face jawOpen`."""
    if source in MEASURES:
        return MEASURES[source]
    kind, _, name = source.partition(" ")
    return Measure(cast(Kind, kind), attribute(name), (0.0, 1.0))


MEASURES: Mapping[str, Measure] = {
    "pinch": Measure("hand", pinch, (0.2, 1.2)),
    "mouth": Measure("face", mouth, (0.0, 0.6)),
    "smile": Measure("face", smile, (0.0, 0.6)),
    "brows": Measure("face", brows, (-0.2, 0.5)),
    "eyes": Measure("face", eyes, (0.2, 1.0)),
    "head yaw": Measure("face", head_left, (-25.0, 25.0)),
    "head pitch": Measure("face", head_up, (-20.0, 20.0)),
    "head roll": Measure("face", tilt_left, (-25.0, 25.0)),
}
