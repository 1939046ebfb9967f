"""The 52 expressions of a face, by name: ARKit's coefficients, in the order of MediaPipe's list.

Each is from 0 (at rest) to 1. `left` and `right` are the person's own. The first, `_neutral`, is
there for the order alone: it stays near 0, as MediaPipe's does. ARKit's tongueOut is not among
them, since landmarks do not show it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

# Those that come as a pair have L and R; `.` where the side stands.
_IN_ORDER = (
    "_neutral", "browDown.", "browInnerUp", "browOuterUp.", "cheekPuff", "cheekSquint.",
    "eyeBlink.", "eyeLookDown.", "eyeLookIn.", "eyeLookOut.", "eyeLookUp.", "eyeSquint.",
    "eyeWide.", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthDimple.",
    "mouthFrown.", "mouthFunnel", "mouthLeft", "mouthLowerDown.", "mouthPress.", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthSmile.", "mouthStretch.", "mouthUpperUp.", "noseSneer.",
)  # fmt: skip
EXPRESSIONS: tuple[str, ...] = tuple(
    name.replace(".", side)
    for name in _IN_ORDER
    for side in (("Left", "Right") if name.endswith(".") else ("",))
)


# What both of a pair have in common, in place of the two, without `_neutral`: jawLeft and jawRight,
# mouthLeft and mouthRight are no pairs.
STEMS: tuple[str, ...] = tuple(name.removesuffix(".") for name in _IN_ORDER[1:])


def mirrored(name: str) -> str:
    """The expression that a mirror image shows in place of this one."""
    return name.replace("Left", "\0").replace("Right", "Left").replace("\0", "Right")


# For each expression the index of its mirror image.
MIRRORED: tuple[int, ...] = tuple(EXPRESSIONS.index(mirrored(name)) for name in EXPRESSIONS)


def by_name(values: Sequence[float] | NDArray[np.float32]) -> dict[str, float]:
    """Values (52,) with their names, without `_neutral`."""
    return {n: float(v) for n, v in zip(EXPRESSIONS, values, strict=True) if n != "_neutral"}


def in_order(values: Mapping[str, float]) -> list[float]:
    """Named values as (52,); what is not named is 0. ValueError for a name that is none."""
    unknown = sorted(set(values) - set(EXPRESSIONS))
    if unknown:
        raise ValueError(f"'{unknown[0]}' is no expression; they are ARKit's, such as jawOpen")
    return [float(values.get(name, 0.0)) for name in EXPRESSIONS]
