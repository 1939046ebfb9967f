"""The crops in which a new object is judged: from a detector's box, or from the whole frame.

The network answers well where the object lies in its crop as it did in training. A first look only
says roughly where the landmarks are; the crop around those is the one that is judged.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tracker.find.geometry import box_from_landmarks, overlap_share
from tracker.find.head_pose import wrap_degrees
from tracker.find.locate import COLLAPSED, Model, is_plausible, locate
from tracker.find.model_file import ModelInfo
from tracker.find.views import parts, whole
from tracker.follow.associate import duplicates
from tracker.timings import Timings
from tracker.types import CropBox, Detection, Floats, Image, Located

KNOWN_SHARE = 0.5  # a detection that shares so much of the smaller box is a followed object
HINT_PRESENCE = 0.1  # a first crop in which the network gives less than this holds none
OTHER_SHIFT, OTHER_SIDE, OTHER_ANGLE = 0.25, 0.45, 40.0  # sides, ratio, degrees
# Looks after the one at the whole frame, each at the landmarks of the one before. The face model
# without its detector: 0, 1, 2 such looks find 0, 60, 60 of 60 large faces, and 0, 0, 44 of them at
# half the size; looking at the parts of the frame too makes that 60. The hand model, hands lying
# turned: with two looks 13 of 41 at half the size, with four 27. Parts of a quarter add nothing.
REFINE = 4
BEYOND = 0.2  # longer sides of the box
SPARE = 2  # views that are refined beyond those there is room for: the first score misleads
# Crops in which a new hand is seen again, in sides of its own and degrees from it, and how near to
# sure one crop can at most make it.
AGAIN = ((1.0, -40.0), (1.0, 40.0), (1.2, -25.0), (1.2, 25.0))
OPEN = 1e-3


def unknown(found: Sequence[Detection], known: Sequence[Floats]) -> list[Detection]:
    """Those that are none of what is followed already, whose boxes (4,) xyxy are `known`."""
    return [d for d in found if all(overlap_share(d.box_xyxy, k) < KNOWN_SHARE for k in known)]


def lies_otherwise(crop: CropBox, followed: CropBox) -> bool:
    """Does a detection's first crop contradict the crop in which its object is followed?

    The bounds are well beyond what first crops of hands scatter by, see `detectors/palm.py`.
    """
    shift = float(np.linalg.norm(crop.centre_xy - followed.centre_xy)) / followed.side
    ratio = abs(float(np.log(crop.side / followed.side)))
    turn = abs(wrap_degrees(crop.angle - followed.angle))
    return shift > OTHER_SHIFT or ratio > OTHER_SIDE or turn > OTHER_ANGLE


def from_first_crops(
    frame: Image, boxes: Sequence[CropBox], model: Model, timings: Timings
) -> list[CropBox]:
    """Crops around new objects, centred on what a first run of the network in `boxes` gave.

    A markup with a crop rule of its own may fill a small part of the detector's crop (a mouth in a
    face), so there only the crop of the rule is judged.
    """
    first = locate(frame, boxes, model, timings)
    if model.info.crop is not None:
        first = locate(frame, around(first, model.info), model, timings)
    return [
        box_from_landmarks(f.kind, f.xy, rule=model.info.crop)
        for f in first
        if f.presence >= HINT_PRESENCE and is_plausible(f, frame)
    ]


def presence_all_round(frame: Image, found: Located, model: Model, timings: Timings) -> float:
    """How surely an object is there by its own crop and by turned and wider ones, [0, 1].

    What they leave open, as a geometric mean, is taken from 1: what is no hand looks like one in
    some crops and not in others.
    """
    box = found.box
    boxes = [CropBox(box.centre_xy, box.side * k, box.angle + turn) for k, turn in AGAIN]
    seen = [found, *locate(frame, boxes, model, timings)]
    left_open = np.maximum([1 - answer.presence for answer in seen], OPEN)
    return float(1 - np.exp(np.log(left_open).mean()))


def from_frame(
    frame: Image, known: Sequence[Floats], room: int, model: Model, timings: Timings
) -> list[CropBox]:
    """The same for what no detector finds: the network looks at the whole frame and at its parts.

    What is followed already is blackened, so that the others are seen.
    """
    frame = hidden(frame, known)
    shape = frame.shape
    found = locate(frame, [whole(shape), *parts(shape)], model, timings)
    found = sorted(found, key=lambda f: -f.presence)[: room + SPARE]
    for _ in range(REFINE):
        found = locate(frame, around(found, model.info), model, timings)
    sure = [f for f in found if f.presence >= HINT_PRESENCE and is_plausible(f, frame)]
    sure.sort(key=lambda f: -f.presence)
    repeated = duplicates([f.xy for f in sure], range(len(sure)))
    new = [f for i, f in enumerate(sure) if i not in repeated]
    return [box_from_landmarks(f.kind, f.xy, rule=model.info.crop) for f in new[:room]]


def around(found: Sequence[Located], info: ModelInfo) -> list[CropBox]:
    """Crops at the landmarks of a look that is not judged; none at landmarks that are not finite.

    Landmarks that gathered in one place tell where to look and not how near.
    """
    boxes = []
    for f in found:
        if np.isfinite(f.xy).all():
            box = box_from_landmarks(f.kind, f.xy, rule=info.crop)
            least = COLLAPSED * info.rule.scale * f.box.side
            boxes.append(CropBox(box.centre_xy, max(box.side, least), box.angle))
    return boxes


def hidden(frame: Image, known: Sequence[Floats]) -> Image:
    """The frame with boxes (4,) xyxy of landmarks blackened; the frame itself where there are none.

    An object reaches beyond its landmarks: the boxes are enlarged by BEYOND on each side.
    """
    if not known:
        return frame
    frame = frame.copy()
    for box in known:
        more = BEYOND * float((box[2:] - box[:2]).max())
        grown = np.rint(box + np.array([-more, -more, more, more]))
        x0, y0, x1, y1 = np.clip(grown, 0, None).astype(int)
        frame[y0 : y1 + 1, x0 : x1 + 1] = 0
    return frame
