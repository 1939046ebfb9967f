"""How unsure a network is of one object: its landmarks in a crop and in warped copies of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracker.find.locate import Model, cut, locate
from tracker.types import CropBox, Floats, Image
from train.suggest.ranking import WarpSpec, disagreement, look_of, warped_boxes

LOOK_CROP = 64  # side of the crop from which a look is made


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One object in one frame."""

    xy: Floats  # (K, 2) frame pixels, landmarks of the model
    each: Floats  # (K,) disagreement per landmark, % of the crop's side; NaN where not measured
    look: Floats  # see `ranking.look_of`
    presence: float

    @property
    def disagreement(self) -> float:
        """Mean over the landmarks, % of the crop's side."""
        return float(np.nanmean(self.each)) if np.isfinite(self.each).any() else float("nan")


def uncertainty_of(frame_bgr: Image, box: CropBox, model: Model, spec: WarpSpec) -> Measured:
    """Landmarks in `box` and how far they differ under warps; one batched run of the network."""
    boxes = warped_boxes(box, spec)
    first, *others = locate(frame_bgr, [box, *boxes], model)
    warped = np.stack([o.xy for o in others])
    each = disagreement(first.xy, warped, box, boxes)
    return Measured(first.xy, each, look_of(cut(frame_bgr, box, LOOK_CROP)), first.presence)
