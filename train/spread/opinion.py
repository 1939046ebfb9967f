"""What the network says of an object that is followed: a second opinion, corrected by the label.

A network errs alike in frames that are alike. So what it is off by on the labelled frame, in the
axes of its crop, is taken from what it says of the frames around it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracker.find.geometry import box_from_landmarks, rotation
from tracker.find.locate import Model, locate
from tracker.types import CropBox, Floats, Image, Located
from train.project.layout import Project
from train.project.object_crops import KEPT_PRESENCE
from train.spread.flow import Followed
from train.suggest.prelabel import shared_landmarks

SURE = 0.5  # score of a point from which the network is heard
LEAST = 0.02  # sides by which the network is off at best, corrected
UNSURE = 0.06  # sides more, at a score of 0


@dataclass(frozen=True, slots=True, eq=False)
class Bias:
    """How far labels lie from what the network says of the labelled frame."""

    off: Floats  # (K,) x (2,) in sides, along the axes of the network's crop; NaN where not known

    @staticmethod
    def none(count: int) -> Bias:
        """Nothing is known."""
        return Bias(np.full((count, 2), np.nan, np.float32))


class Opinion:
    """Asks a model about objects of a project. One thread."""

    def __init__(self, project: Project, model: Model | None) -> None:
        """A model whose crop cannot be told from the project's landmarks is not asked."""
        self._count = len(project.landmarks)
        pairs = [] if model is None else shared_landmarks(project, model.info.landmarks)
        is_whole = model is not None and len(pairs) == len(model.info.landmarks)
        self._model = model if is_whole else None
        self._pairs = pairs

    @property
    def is_heard(self) -> bool:
        """Is there a network that can be asked?"""
        return self._model is not None

    def bias(self, frame_bgr: Image, label: Followed) -> Bias:
        """What the network is off by on the labelled frame (H, W, 3)."""
        found = self._look(frame_bgr, label)
        if found is None:
            return Bias.none(self._count)
        off = (label.xy - self._ours(found.xy)) / label.side
        return Bias((off @ rotation(found.box.angle)).astype(np.float32))

    def of(self, frame_bgr: Image, now: Followed, bias: Bias) -> tuple[Floats, Floats]:
        """Points (K, 2) in frame pixels, and by how many sides (K,) each may be off.

        NaN where the network is not sure of itself, or does not know the landmark.
        """
        found = self._look(frame_bgr, now)
        if found is None:
            nothing = np.full((self._count, 2), np.nan, np.float32)
            return nothing, nothing[:, 0]
        score = np.full(self._count, np.nan, np.float32)
        for i, j in self._pairs:
            score[i] = found.score[j]
        turned = bias.off @ rotation(found.box.angle).T
        xy = self._ours(found.xy) + turned * now.side
        far = 0.5 * np.linalg.norm(bias.off, axis=1)  # a large correction is a doubtful one
        error = np.where(score >= SURE, LEAST + UNSURE * (1 - score) + far, np.nan)
        return xy.astype(np.float32), error.astype(np.float32)

    def _look(self, frame_bgr: Image, now: Followed) -> Located | None:
        """The network's answer in the crop around the points, if it sees such an object."""
        if self._model is None or not np.isfinite(now.xy).all(1).any():
            return None
        box = self._box(self._model, now)
        found = locate(frame_bgr, [box], self._model)[0]
        return found if found.presence >= KEPT_PRESENCE else None

    def _box(self, model: Model, now: Followed) -> CropBox:
        theirs = np.full((len(model.info.landmarks), 2), np.nan, np.float32)
        for i, j in self._pairs:
            theirs[j] = now.xy[i]
        return box_from_landmarks(model.info.kind, theirs, rule=model.info.crop)

    def _ours(self, xy: Floats) -> Floats:
        points = np.full((self._count, 2), np.nan, np.float32)
        for i, j in self._pairs:
            points[i] = xy[j]
        return points
