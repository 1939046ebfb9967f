"""A person's face at rest, subtracted from what is seen of it: at rest each expression is 0 then.

Whose face is meant, the user says by a name. When somebody else sits down, proportions that no
expression moves (`proportions`) tell so where they differ much, and no better (printed by
docs/studies/faces/proportions.py): a face must be near the captured one to be taken for that
person's, and far from it to be taken for another's. Then what is subtracted fades to nothing, and
comes back as slowly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tracker.find.face_measures import from_the_front
from tracker.find.model_file import ModelInfo
from tracker.result import Result
from tracker.types import Floats, Track

SECONDS = 5.0  # of a capture,
LAST = 3.0  # of which the last count: before, somebody gets ready
FEWEST = 15  # frames that a capture needs
FRONT = 25.0  # degrees of yaw and pitch up to which proportions are believed
# Standard deviation of each proportion between frames of one person.
SPREAD = np.array([0.025, 0.055, 0.060, 0.053, 0.095, 0.050, 0.041])
NEAR, FAR = 0.9, 1.3  # distances in these: it is taken for that person's below, for another's above
MEAN_TAU, FADE_TAU = 2.0, 0.7  # s, of averaged proportions, and of what is subtracted
MOST = 0.9  # of an expression may be subtracted, so that something is left of its range
FORGET = 1.0  # s after which a face that was not seen begins anew

Proportions = NDArray[np.float64]


def model_of_faces(models: Iterable[ModelInfo]) -> str:
    """`NeutralFace.model` of what these capture."""
    return next((info.checkpoint_sha256 for info in models if info.kind == "face"), "")


@dataclass(frozen=True, slots=True, eq=False)
class NeutralFace:
    """What is kept of a person's face at rest."""

    expressions: Floats  # (52,) [0, 1]
    proportions: Proportions  # (7,)
    frames: int = 0  # from which it was taken
    model: str = ""  # sha256 of the face model's checkpoint, whose answers these are; '': not known

    def is_of(self, models: Iterable[ModelInfo]) -> bool:
        """May it be subtracted from what these models say? Each has faults of its own at rest."""
        return self.model in ("", model_of_faces(models))


def proportions(track: Track) -> Proportions | None:
    """(7,) logarithms of lengths, of 68 landmarks of a face seen from the front; None: of another.

    Between the outer and the inner corners of the eyes, an eye's width, the nose's length and
    width, from the eyes down to it, and across the cheeks; in centimetres of an average face.
    """
    pose = track.pose
    if track.kind != "face" or len(track.xy) != 68 or pose is None:
        return None
    if abs(pose.yaw) > FRONT or abs(pose.pitch) > FRONT:
        return None
    flat = from_the_front(track.xy, pose)

    def apart(a: int, b: int) -> float:
        return float(np.linalg.norm(flat[a] - flat[b]))

    eyes = flat[[36, 39, 42, 45]].mean(0)
    lengths = [
        apart(36, 45), apart(39, 42), (apart(36, 39) + apart(42, 45)) / 2, apart(27, 33),
        apart(31, 35), float(np.linalg.norm(eyes - flat[33])), (apart(1, 15) + apart(2, 14)) / 2,
    ]  # fmt: skip
    return np.log(np.maximum(lengths, 1e-3))


def distance(a: Proportions, b: Proportions) -> float:
    """Between two faces' proportions (7,), in standard deviations of one person's."""
    return float(np.sqrt((((a - b) / SPREAD) ** 2).mean()))


def above_rest(seen: Floats, rest: Floats) -> Floats:
    """Expressions (52,): what lies between rest and 1 is spread over 0 to 1."""
    return np.asarray(np.clip((seen - rest) / (1 - rest), 0, 1), np.float32)


class Capture:
    """Takes a face at rest from the results of five seconds in which it is seen."""

    def __init__(self, seconds: float = SECONDS) -> None:
        """Begins with the first result that shows a face."""
        self._seconds = seconds
        self._passed = 0.0
        self._t: float | None = None
        self._id: int | None = None
        self._expressions: list[Floats] = []
        self._proportions: list[Proportions] = []
        self.is_missing = False  # was there no face with expressions in the last result?
        self.lacks_expressions = False  # was there one whose model gives none?

    @property
    def share(self) -> float:
        """How much of it is over, [0, 1]."""
        return min(self._passed / self._seconds, 1.0)

    @property
    def left_s(self) -> float:
        """Seconds that are left."""
        return max(self._seconds - self._passed, 0.0)

    def take(self, result: Result) -> NeutralFace | None:
        """Take in a frame; the face when it is done. It begins anew where the face changes.

        ValueError at the end, where too little was seen.
        """
        faces = [t for t in result.tracks if t.kind == "face"]
        track = min(faces, key=lambda face: face.id, default=None)
        self.lacks_expressions = track is not None and track.expressions_raw is None
        self.is_missing = track is None or self.lacks_expressions
        if track is None or track.expressions_raw is None:
            self._begin(None)
            return None
        if track.id != self._id:
            self._begin(track.id)
        if self._t is not None:
            self._passed += max(result.t - self._t, 0.0)
        self._t = result.t
        if self._passed >= self._seconds - LAST:
            self._expressions.append(track.expressions_raw)
            shape = proportions(track)
            self._proportions += [] if shape is None else [shape]
        return self._done() if self._passed >= self._seconds else None

    def _begin(self, track_id: int | None) -> None:
        self._id, self._t, self._passed = track_id, None, 0.0
        self._expressions, self._proportions = [], []

    def _done(self) -> NeutralFace:
        """Medians, so that a blink does not count."""
        if min(len(self._expressions), len(self._proportions)) < FEWEST:
            raise ValueError(
                f"the face was seen from the front in {len(self._proportions)} frames of the last "
                f"{LAST:g} s, {FEWEST} are needed; look into the camera, in better light, and try "
                "again"
            )
        found = np.median(np.stack(self._expressions), 0).astype(np.float32)
        shape = np.median(np.stack(self._proportions), 0)
        return NeutralFace(np.clip(found, 0, 1), shape, len(self._expressions))


@dataclass(slots=True)
class _Known:
    """What is known of one face that is followed."""

    t: float
    mean: Proportions | None = None
    is_theirs: bool = False
    share: float | None = None  # of what is subtracted; None: not begun


class Neutral:
    """Subtracts a neutral face from the faces of one stream that are taken for that person's."""

    def __init__(self, face: NeutralFace) -> None:
        """Nothing was seen yet."""
        self.face = face
        self._known: dict[int, _Known] = {}

    def reset(self) -> None:
        """Forget what was seen."""
        self._known = {}

    def subtracted(self, tracks: Sequence[Track], t: float) -> list[Track]:
        """The tracks of a frame of time t; those without expressions as they are."""
        found = [
            track if track.expressions is None else self._of(track, track.expressions, t)
            for track in tracks
        ]
        self._known = {i: k for i, k in self._known.items() if t - k.t <= FORGET}
        return found

    def _of(self, track: Track, seen: Floats, t: float) -> Track:
        share = self._share(track, t)
        rest = (share * np.clip(self.face.expressions, 0, MOST)).astype(np.float32)
        return replace(track, expressions=above_rest(seen, rest), at_rest=share, rest=rest)

    def _share(self, track: Track, t: float) -> float:
        known = self._known.setdefault(track.id, _Known(t))
        dt = max(t - known.t, 0.0)
        known.t = t
        shape = proportions(track)
        if shape is not None:
            step = 1.0 if known.mean is None else 1 - np.exp(-dt / MEAN_TAU)
            known.mean = shape if known.mean is None else known.mean + step * (shape - known.mean)
            apart = distance(known.mean, self.face.proportions)
            known.is_theirs = apart < (FAR if known.is_theirs else NEAR)
        target = float(known.is_theirs)
        if known.share is None and shape is not None:
            known.share = target
        elif known.share is not None:
            known.share += (1 - float(np.exp(-dt / FADE_TAU))) * (target - known.share)
        return known.share or 0.0
