"""Draw tracks on a frame: skeletons, gestures, head pose.

Sure landmarks are filled dots, unsure ones hollow, and a line that ends in an unsure landmark is
thin and dim. Sizes follow the picture and the object, so a small hand in a large picture stays
readable. Head axes: X red to the person's left, Y green down the face, Z blue out of the nose.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.find.head_pose import axes_xy
from tracker.gestures.motions.naming import SHOWN
from tracker.outputs.skeleton import Colour, Skeleton, skeleton
from tracker.types import Floats, Image, Kind, Motion, Track

AXES: tuple[Colour, ...] = ((0, 0, 255), (0, 255, 0), (255, 0, 0))
IRIS: Colour = (255, 255, 0)
FLASH: Colour = (60, 220, 255)  # behind a motion's name
SUB = 4  # fractional bits of the coordinates, for drawing between pixels
FONT = cv2.FONT_HERSHEY_SIMPLEX
DENSE = 40  # landmarks
SMALL = 4  # text heights: a smaller face has only its number beside it
Box = tuple[int, int, int, int]  # x0, y0, x1, y1


@dataclass(frozen=True, slots=True)
class Style:
    """What to draw."""

    sure: float = 0.5  # landmarks scored below are drawn hollow
    on_black: bool = False  # landmarks only, the camera's picture stays hidden
    landmarks: bool = True
    labels: bool = True
    axes: bool = True


def draw(
    bgr: Image,
    tracks: Sequence[Track],
    skeletons: Mapping[Kind, Skeleton],
    style: Style | None = None,
) -> Image:
    """A copy of the (H, W, 3) frame with all that is known of `tracks` drawn on it."""
    style = style or Style()
    canvas = np.zeros_like(bgr) if style.on_black else bgr.copy()
    taken: list[Box] = []
    for track in tracks:
        if style.landmarks and _known(track).any():
            _draw_landmarks(canvas, track, _look(track, skeletons), style.sure)
    for track in tracks:
        if style.axes and track.pose is not None and track.pose.is_finite:
            _draw_axes(canvas, track, _look(track, skeletons).nose)
    for track in tracks:
        if style.labels and _known(track).any():
            _draw_label(canvas, track, _look(track, skeletons).text_at, taken)
    for track in tracks:
        if style.labels and _known(track).any() and track.motion is not None:
            _draw_motion(canvas, track, track.motion, taken)
    return canvas


def _draw_landmarks(canvas: Image, track: Track, look: Skeleton, sure: float) -> None:
    line, radius = _sizes(canvas, track)
    known = _known(track)
    certain = known & (track.score >= sure)
    at = _fixed(track.xy)
    for (a, b), colour in zip(look.edges, look.lines, strict=True):
        if certain[a] and certain[b]:
            cv2.line(canvas, at[a], at[b], colour, line, cv2.LINE_AA, SUB)
        elif known[a] and known[b]:
            cv2.line(canvas, at[a], at[b], _dim(colour), 1, cv2.LINE_AA, SUB)
    fixed_radius = round(radius * 2**SUB)
    for i, is_known in enumerate(known):
        if not is_known:
            continue
        if certain[i]:
            if not _is_dense(track) and radius >= 3:
                border = fixed_radius + 2**SUB
                cv2.circle(canvas, at[i], border, (255, 255, 255), -1, cv2.LINE_AA, SUB)
            cv2.circle(canvas, at[i], fixed_radius, look.points[i], -1, cv2.LINE_AA, SUB)
        else:
            cv2.circle(canvas, at[i], fixed_radius, look.points[i], 1, cv2.LINE_AA, SUB)
    if track.irises is not None:
        _draw_irises(canvas, track.irises, sure, max(fixed_radius, 2**SUB))


def _draw_irises(canvas: Image, irises: Floats, sure: float, radius: int) -> None:
    """Rings twice as wide as landmarks, which the sure ones fill; irises (2, 3) x, y, score."""
    for at, (x, y, score) in zip(_fixed(irises[:, :2]), irises, strict=True):
        if np.isfinite(x) and np.isfinite(y):
            cv2.circle(canvas, at, 2 * radius, IRIS, 1, cv2.LINE_AA, SUB)
            if score >= sure:
                cv2.circle(canvas, at, radius, IRIS, -1, cv2.LINE_AA, SUB)


def _draw_axes(canvas: Image, track: Track, at: int | None) -> None:
    """`at`: the landmark of the nose, where the markup names one."""
    assert track.pose is not None
    nose = np.nanmean(track.xy, 0) if at is None else track.xy[at]
    if not np.isfinite(nose).all():
        return
    line, _ = _sizes(canvas, track)
    ends = _fixed(axes_xy(track.pose, nose, 0.45 * _extent(track)))
    start = _fixed(nose[None])[0]
    for end, colour in zip(ends, AXES, strict=True):
        cv2.arrowedLine(canvas, start, end, colour, line + 1, cv2.LINE_AA, SUB, 0.15)


def _draw_label(canvas: Image, track: Track, at: int | None, taken: list[Box]) -> None:
    """Text on a darkened box near a landmark (the wrist) or above the face, inside the picture."""
    text, height = printable(track.words, track), _text_height(canvas)
    if track.kind == "face" and _extent(track) < SMALL * height:
        text = f"#{track.id}"  # more would hide other faces
    scale = height / 22  # the font's capitals are 22 pixels high at scale 1
    thick = max(1, round(scale * 1.5))
    (width, _), _ = cv2.getTextSize(text, FONT, scale, thick)
    while width + height > canvas.shape[1] and scale > 0.2:
        scale *= 0.9
        (width, _), _ = cv2.getTextSize(text, FONT, scale, thick)
    pad = height // 2
    size_wh = (width + 2 * pad, height + 2 * pad)
    box = _free(canvas, _beside(track, at, size_wh), size_wh, taken)
    taken.append(box)
    x0, y0, x1, y1 = box
    part = canvas[y0:y1, x0:x1]
    part[:] = (part * np.float32(0.35)).astype(np.uint8)
    cv2.putText(canvas, text, (x0 + pad, y1 - pad), FONT, scale, (255, 255, 255), thick, 16)


def _draw_motion(canvas: Image, track: Track, motion: Motion, taken: list[Box]) -> None:
    """A motion's name over the hand, larger than labels, on a bright ground that fades away."""
    bright = 1 - min(motion.age / SHOWN, 1)
    if bright <= 0:
        return
    text, scale = printable(motion.name, track), 1.7 * _text_height(canvas) / 22
    thick = max(2, round(scale * 2))
    (width, height), _ = cv2.getTextSize(text, FONT, scale, thick)
    while width + height > canvas.shape[1] and scale > 0.2:
        scale *= 0.9
        (width, height), _ = cv2.getTextSize(text, FONT, scale, thick)
    size_wh = (width + height, 2 * height)
    (left, top), (right, _) = (f(track.xy[_known(track)], 0) for f in (np.min, np.max))
    at = (left + right - size_wh[0]) / 2, top - 1.3 * size_wh[1]
    box = _free(canvas, at, size_wh, taken)
    taken.append(box)
    x0, y0, x1, y1 = box
    part = canvas[y0:y1, x0:x1]
    part[:] = (part * (1 - bright) + bright * np.array(FLASH)).astype(np.uint8)
    cv2.putText(
        canvas, text, (x0 + height // 2, y1 - height // 2), FONT, scale, (0, 0, 0), thick, 16
    )


def _beside(track: Track, at: int | None, size_wh: tuple[int, int]) -> tuple[float, float]:
    """The top left corner of a label of `size_wh` near its object."""
    w, h = size_wh
    points = track.xy[_known(track)]
    (left, top), (right, bottom) = points.min(0), points.max(0)
    gap = h // 3
    if at is not None:
        near = track.xy[at] if np.isfinite(track.xy[at]).all() else points.mean(0)
        is_below = near[1] >= (top + bottom) / 2
        return near[0] - w / 2, bottom + gap if is_below else top - h - gap
    # No landmark of a face lies on its forehead.
    forehead = 0.25 * _extent(track) if track.kind == "face" else 0.0
    return (left + right - w) / 2, top - forehead - h - gap


def _free(
    canvas: Image, xy: tuple[float, float], size_wh: tuple[int, int], taken: list[Box]
) -> Box:
    """The place of a label whose corner should be at `xy`: in the picture, over no other label."""
    (height, width), (w, h) = canvas.shape[:2], size_wh
    x0 = int(np.clip(xy[0], 0, max(width - w, 0)))
    y0 = int(np.clip(xy[1], 0, max(height - h, 0)))
    step = h if y0 + h < height / 2 else -h
    for _ in taken:  # each label in the way moves this one by its height
        if not any(x0 < b[2] and x0 + w > b[0] and y0 < b[3] and y0 + h > b[1] for b in taken):
            break
        y0 = int(np.clip(y0 + step, 0, max(height - h, 0)))
    return x0, y0, min(x0 + w, width), min(y0 + h, height)


def _sizes(canvas: Image, track: Track) -> tuple[int, float]:
    """Line width and dot radius in pixels."""
    unit = min(canvas.shape[:2]) / 480
    extent = _extent(track)
    if not _is_dense(track):
        return max(1, round(min(2 * unit, extent / 50))), float(
            np.clip(min(4 * unit, extent / 32), 1.5, 12)
        )
    return max(1, round(min(1.2 * unit, extent / 120))), float(
        np.clip(min(1.6 * unit, extent / 110), 1.0, 6)
    )


def _is_dense(track: Track) -> bool:
    """So many landmarks that only small dots and thin lines keep them apart?"""
    return len(track.xy) > DENSE


def _look(track: Track, skeletons: Mapping[Kind, Skeleton]) -> Skeleton:
    """The track's skeleton; a plain one where the model was changed since it was made."""
    look = skeletons.get(track.kind)
    if look is None or len(look.points) != len(track.xy):
        return skeleton(track.kind, len(track.xy))
    return look


def printable(text: str, track: Track) -> str:
    """The text in letters that OpenCV draws: without accents where it lacks those, and a gesture
    whose name has other signs by its number among the model's.

    OpenCV 5 draws most scripts, OpenCV 4 only ASCII; both draw '?' for the rest.
    """
    if all(map(has_glyph, text)):
        return text
    plain = [c if has_glyph(c) else unicodedata.normalize("NFKD", c) for c in text]
    text = "".join(c for c in "".join(plain) if not unicodedata.combining(c))
    if all(map(has_glyph, text)):
        return text
    names = [name for name, _ in track.gestures]
    number = names.index(track.gesture) if track.gesture in names else 0
    words = replace(track, gesture=f"gesture {number}").words
    return "".join(filter(has_glyph, words))


@cache
def has_glyph(char: str) -> bool:
    """Does OpenCV draw this character, and not question marks?"""
    if char.isascii():
        return char.isprintable()
    pictures = []
    for text in (char, "?", "?" * len(char.encode())):
        canvas = np.zeros((48, 160, 3), np.uint8)
        cv2.putText(canvas, text, (8, 36), FONT, 1.0, (255, 255, 255), 1, cv2.LINE_AA)
        pictures.append(canvas)
    drawn, *unknown = pictures
    return bool(drawn.any()) and not any(np.array_equal(drawn, other) for other in unknown)


def _known(track: Track) -> NDArray[np.bool_]:
    """(K,) which landmarks have coordinates at all."""
    return np.asarray(np.isfinite(track.xy).all(1), np.bool_)


def _extent(track: Track) -> float:
    """The longer side of the landmarks' bounds, pixels."""
    points = track.xy[_known(track)]
    return float(np.ptp(points, axis=0).max()) if len(points) else 1.0


def _text_height(canvas: Image) -> int:
    return max(9, round(float(min(canvas.shape[:2])) / 42))


def _fixed(xy: NDArray[np.floating]) -> list[tuple[int, int]]:
    """Fixed-point coordinates for OpenCV, kept within what it can draw."""
    limited = np.clip(np.nan_to_num(xy), -8000, 24000)
    return [(int(x), int(y)) for x, y in np.rint(limited * 2**SUB)]


def _dim(colour: Colour) -> Colour:
    b, g, r = colour
    return b // 2, g // 2, r // 2
