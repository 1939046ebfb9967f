"""What the mean error of a face's landmarks hides: lids, lips, turned heads, irises, expressions.

Openings are in units of the distance between the outer corners of the eyes seen from the front, as
the labels' `place` tells it. Pure functions on arrays but for `face_summary`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.find.expressions import EXPRESSIONS
from tracker.find.head_pose import pose_from_landmarks
from train.data.faces import CLOSED, LIDS
from train.data.pictures import DataSet, Example
from train.evaluate.outputs import Outputs

Array = NDArray[np.float64]

LIPS = ((61, 67), (62, 66), (63, 65))
BIN = 15.0  # degrees of yaw
SEEN_TO = 45.0  # degrees of yaw beyond which openings are not compared: one eye is behind the nose
MOST_FALSE = 0.02  # share of open eyes that may be called closed
WATCHED = ("jawOpen", "eyeBlinkLeft", "mouthSmileLeft", "browInnerUp")  # expressions of the bars
# Degrees of yaw from which a head is said to be in profile, not frontal: MTFL's profiles begin far
# below 60. Of its training pictures face68_free, which never saw them, tells 97.3 % of the profiles
# and 96.6 % of the frontal faces by the points, 96.1 and 97.6 % by the head.
TOLD_FROM = 20.0


def lids_open(xy: Array, apart: Array) -> Array:
    """(N, 2) how far the person's right and left lids are apart. xy (N, K, 2), apart (N,)."""
    each = [
        np.mean([np.linalg.norm(xy[:, a] - xy[:, b], axis=1) for a, b in eye], 0) for eye in LIDS
    ]
    return np.stack(each, 1) / apart[:, None]


def lips_open(xy: Array, apart: Array) -> Array:
    """(N,) how far the inner lips are apart. xy (N, K, 2), apart (N,)."""
    return np.asarray(
        np.mean([np.linalg.norm(xy[:, a] - xy[:, b], axis=1) for a, b in LIPS], 0) / apart
    )


def slope(shown: Array, marked: Array) -> float:
    """Of the least-squares line of what is shown over what is marked; NaN for fewer than three."""
    known = np.isfinite(shown) & np.isfinite(marked)
    if known.sum() < 3 or np.ptp(marked[known]) <= 0:
        return float("nan")
    return float(np.polyfit(marked[known], shown[known], 1)[0])


def closed_eyes(shown: Array, marked: Array, below: float = CLOSED) -> dict[str, float]:
    """How often closed eyes (marked opening `below` a limit) are shown closed.

    `recall` and `false` with the same limit on what is shown; `recall_at_2%`: with the highest
    limit at which no more than MOST_FALSE of the open eyes are called closed.
    """
    known = np.isfinite(shown) & np.isfinite(marked)
    closed, opened = shown[known & (marked < below)], shown[known & (marked >= below)]
    if not len(closed) or not len(opened):
        return {"count": float(len(closed))}
    allowed = int(MOST_FALSE * len(opened))
    limit = np.sort(opened)[allowed] if allowed < len(opened) else np.inf
    return {
        "count": float(len(closed)),
        "recall": float((closed < below).mean()),
        "false": float((opened < below).mean()),
        "recall_at_2%": float((closed < limit).mean()),
    }


def by_yaw(error: Array, yaw: Array) -> dict[str, tuple[float, int]]:
    """Mean absolute error and count of each bin of BIN degrees of |yaw|, by 'from-to'."""
    found, size = {}, np.abs(yaw)
    for low in np.arange(0, 105, BIN):
        inside = (size >= low) & (size < low + BIN) & np.isfinite(error)
        if inside.any():
            mean = float(np.abs(error[inside]).mean())
            found[f"{low:.0f}-{low + BIN:.0f}"] = (mean, int(inside.sum()))
    return found


def told_turns(yaw: Array, words: Sequence[str]) -> dict[str, float]:
    """Of MTFL's classes: how surely a yaw (N,) tells profiles from frontal heads, and their side.

    `profiles`, `frontal`: share of each that TOLD_FROM puts on the right side; `exchanged`: share
    of profiles that are turned the other way.
    """
    kinds = np.array(words)
    right, left = kinds == "right_profile", kinds == "left_profile"
    profile, frontal = right | left, kinds == "frontal"
    if not profile.any() or not frontal.any():
        return {}
    wrong = (right & (yaw < 0)) | (left & (yaw > 0))
    return {
        "profiles": float((np.abs(yaw[profile]) >= TOLD_FROM).mean()),
        "frontal": float((np.abs(yaw[frontal]) < TOLD_FROM).mean()),
        "exchanged": float(wrong[profile].mean()),
        "count": float(profile.sum() + frontal.sum()),
    }


def yaw_of_points(xy: Array) -> Array:
    """(N,) yaw by solvePnP on 68 landmarks (N, K, 2); NaN where they fit no face."""
    found = []
    for points in xy[:, :68]:
        try:
            found.append(pose_from_landmarks(points).yaw)
        except ValueError:
            found.append(float("nan"))
    return np.array(found)


def expression_errors(guess: Array, truth: Array) -> dict[str, float]:
    """Mean absolute error of all known values, and of those of WATCHED, by name. (N, 52)."""
    error = np.abs(guess - truth)
    error[:, 0] = np.nan  # `_neutral` is always near 0
    if not np.isfinite(error).any():
        return {}
    names = {name: error[:, EXPRESSIONS.index(name)] for name in WATCHED}
    return {"mean": float(np.nanmean(error))} | {
        name: float(np.nanmean(e)) for name, e in names.items() if np.isfinite(e).any()
    }


def face_summary(out: Outputs, data: DataSet) -> dict[str, Any]:
    """All of it that labels and model allow, by the quality of the labels."""
    examples = [data.examples[i] for i in out.rows]
    found: dict[str, Any] = {}
    for quality in sorted({e.quality for e in examples}):
        at = np.array([i for i, e in enumerate(examples) if e.quality == quality])
        part = _of_quality(out, at, [examples[i] for i in at])
        if part:
            found[quality or "all"] = part
    return found


def _of_quality(out: Outputs, at: NDArray[np.int64], examples: Sequence[Example]) -> Any:
    xy, target, labelled = out.xy[at], out.target[at], out.labelled[at]
    apart = eyes_apart(target, labelled, examples)
    found: dict[str, Any] = {}
    if np.isfinite(apart).any():
        yaw = np.array([_yaw(e.attributes) for e in examples])
        facing = np.where(np.abs(yaw) < SEEN_TO, apart, np.nan)
        found |= _openings(xy, target, labelled, facing)
        iris = _iris_error(xy, target, labelled, apart)
        found |= {} if np.isnan(iris) else {"iris_%": iris}
    found |= _yaws(out, at, [e.attributes for e in examples])
    if "expressions" in out.truth:
        errors = expression_errors(out.attributes["expressions"][at], out.truth["expressions"][at])
        found |= {"expressions": errors} if errors else {}
    if "place" in out.truth:
        found |= _places(out.attributes["place"][at], out.truth["place"][at])
    if "visible" in out.truth:
        seen, told = out.truth["visible"][at], out.attributes["visible"][at]
        is_known = np.isfinite(seen)
        if is_known.any():
            right = ((told >= 0.5) == (seen >= 0.5))[is_known]
            found["visible_accuracy"] = float(right.mean())
    return found


def eyes_apart(target: Array, labelled: NDArray[np.bool_], examples: Sequence[Example]) -> Array:
    """(N,) crop pixels between the outer corners of the eyes, seen from the front; NaN: not known.

    The labels' `place` in pixels of the picture, times how much larger the labelled landmarks lie
    in the crop.
    """
    found = []
    for points, mask, example in zip(target, labelled, examples, strict=True):
        place = example.attributes.get("place")
        if place is None or mask.sum() < 3:
            found.append(float("nan"))
            continue
        here, there = points[mask].std(0), example.xy[example.labelled].std(0)
        found.append(float(place[2] * np.hypot(*here) / np.hypot(*there)))
    return np.array(found)


def _openings(xy: Array, target: Array, labelled: NDArray[np.bool_], apart: Array) -> Any:
    """Slopes of lids and lips, and closed eyes, where they are labelled."""
    eyes = labelled[:, 36:48].all(1) & np.isfinite(apart)
    mouth = labelled[:, 60:68].all(1) & np.isfinite(apart)
    found: dict[str, Any] = {}
    if eyes.sum() > 2:
        shown, marked = lids_open(xy[eyes], apart[eyes]), lids_open(target[eyes], apart[eyes])
        found["lids_slope"] = slope(shown.ravel(), marked.ravel())
        found["closed_eyes"] = closed_eyes(shown.ravel(), marked.ravel())
    if mouth.sum() > 2:
        found["lips_slope"] = slope(
            lips_open(xy[mouth], apart[mouth]), lips_open(target[mouth], apart[mouth])
        )
    return found


def _iris_error(xy: Array, target: Array, labelled: NDArray[np.bool_], apart: Array) -> float:
    """Mean error of labelled irises, % of the distance between the eyes' corners."""
    if xy.shape[1] < 70:
        return float("nan")
    error = np.linalg.norm(xy[:, 68:70] - target[:, 68:70], axis=2) / apart[:, None]
    known = labelled[:, 68:70] & np.isfinite(error)
    return float(100 * error[known].mean()) if known.any() else float("nan")


def _yaws(out: Outputs, at: NDArray[np.int64], known: Sequence[Mapping[str, Any]]) -> Any:
    """Yaw by the points (solvePnP) and by a head, against angles and against classes."""
    ways = {"points": yaw_of_points(out.xy[at])}
    if "pose" in out.attributes:
        ways["head"] = out.attributes["pose"][at, 0]
    truth = np.array([_yaw(a) for a in known])
    words = [str(a.get("head_pose", "")) for a in known]
    found: dict[str, Any] = {}
    for way, yaw in ways.items():
        bins, turns = by_yaw(yaw - truth, truth), told_turns(yaw, words)
        found |= {f"yaw_by_{way}": bins} if bins else {}
        found |= {f"turns_by_{way}": turns} if turns else {}
    return found


def _yaw(attributes: Mapping[str, Any]) -> float:
    pose = attributes.get("pose")
    return float("nan") if not pose or pose[0] is None else float(pose[0])


def _places(guess: Array, truth: Array) -> Any:
    """Error of a head's distance from the camera (%), which goes as 1 / what is told of its size,
    and of its place across the picture (% of the distance of the eyes' corners).
    """
    known = np.isfinite(truth).all(1)
    if not known.any():
        return {}
    depth = np.abs(truth[known, 2] / np.maximum(guess[known, 2], 1e-6) - 1)
    across = np.linalg.norm(guess[known, :2] - truth[known, :2], axis=1) / truth[known, 2]
    return {"depth_error_%": float(100 * depth.mean()), "across_%": float(100 * across.mean())}
