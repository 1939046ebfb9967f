"""From a frame and its landmarks to the picture on the screen: scaled, mirrored, drawn on.

The picture is scaled to the screen first and drawn on then, so lines and text are crisp at every
size. In a mirrored view the picture with its skeletons and axes is flipped and the text is written
afterwards, so that it can be read; whose hand is left stays as it is.

Canvas pixels, like frame pixels, have their centres at integers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.outputs.overlay import Style, draw
from tracker.outputs.skeleton import Skeleton, skeleton
from tracker.result import Result
from tracker.types import Floats, Image, Kind, Pose, Track

GAP = 6  # canvas pixels between two pictures
LONGEST = 1600  # canvas pixels: larger screens get an enlarged canvas


@dataclass(frozen=True, slots=True)
class View:
    """How the user wants to see it."""

    mirror: bool = False
    privacy: bool = False  # landmarks on black
    landmarks: bool = True
    labels: bool = True


@dataclass(frozen=True, slots=True)
class Pane:
    """Where one picture lies on the canvas, pixels."""

    x: int
    y: int
    width: int
    height: int


def compose(
    bgr: Image,
    results: Sequence[Result],
    room_wh: tuple[int, int],
    view: View,
    *looks: Mapping[Kind, Skeleton],
) -> tuple[Image, list[Pane]]:
    """The canvas (H, W, 3) BGR that fits in `room_wh`, and where on it each result is drawn.

    `looks`: how to draw each result, or one for all.

    One result: the whole canvas. Several: the same frame once for each, beside or above each other.
    """
    height, width = bgr.shape[:2]
    panes, canvas_wh = layout((width, height), len(results), room_wh)
    size_wh = (panes[0].width, panes[0].height)
    small = _resized(bgr, size_wh)
    each = looks * len(results) if len(looks) == 1 else looks
    pictures = [
        _drawn(small, scaled(r, (width, height), size_wh), view, look)
        for r, look in zip(results, each, strict=True)
    ]
    if len(pictures) == 1:
        return pictures[0], panes
    canvas = np.zeros((canvas_wh[1], canvas_wh[0], 3), np.uint8)
    for pane, picture in zip(panes, pictures, strict=True):
        canvas[pane.y : pane.y + pane.height, pane.x : pane.x + pane.width] = picture
    return canvas, panes


def layout(
    picture_wh: tuple[int, int], count: int, room_wh: tuple[int, int]
) -> tuple[list[Pane], tuple[int, int]]:
    """`count` equal panes as large as possible, and the size (w, h) of the canvas they fill."""
    room_w, room_h = min(room_wh[0], LONGEST), min(room_wh[1], LONGEST)
    gaps = GAP * (count - 1)
    beside = fit(picture_wh, ((room_w - gaps) // count, room_h))
    above = fit(picture_wh, (room_w, (room_h - gaps) // count))
    if beside[0] >= above[0]:
        w, h = beside
        return [Pane(i * (w + GAP), 0, w, h) for i in range(count)], (count * w + gaps, h)
    w, h = above
    return [Pane(0, i * (h + GAP), w, h) for i in range(count)], (w, count * h + gaps)


def fit(picture_wh: tuple[int, int], room_wh: tuple[int, int]) -> tuple[int, int]:
    """The largest size (w, h) of the same shape that fits in a room."""
    scale = min(room_wh[0] / picture_wh[0], room_wh[1] / picture_wh[1])
    return max(1, round(picture_wh[0] * scale)), max(1, round(picture_wh[1] * scale))


def scaled(result: Result, from_wh: tuple[int, int], to_wh: tuple[int, int]) -> Result:
    """The same result in a picture of another size."""
    factor = np.divide(to_wh, from_wh)
    tracks = (_moved(track, lambda xy: (xy + 0.5) * factor - 0.5) for track in result.tracks)
    return replace(result, tracks=tuple(tracks))


def mirrored(result: Result, width: int) -> Result:
    """The same result in the left-right mirrored picture; sides stay the person's own."""
    return replace(result, tracks=tuple(_mirrored(track, width) for track in result.tracks))


def mirrored_pose(pose: Pose) -> Pose:
    """The pose that the mirrored picture has, see `tracker/find/head_pose.py`."""
    return Pose(-pose.yaw, pose.pitch, -pose.roll)


def fitting(looks: Mapping[Kind, Skeleton], results: Sequence[Result]) -> dict[Kind, Skeleton]:
    """Skeletons with as many points as the results have: a model may just have been changed."""
    found = dict(looks)
    for track in (track for result in results for track in result.tracks):
        if track.kind not in found or len(found[track.kind].points) != len(track.xy):
            found[track.kind] = skeleton(track.kind, len(track.xy))
    return found


def _drawn(picture: Image, result: Result, view: View, looks: Mapping[Kind, Skeleton]) -> Image:
    marks = view.landmarks
    style = Style(
        on_black=view.privacy, landmarks=marks, axes=marks, labels=marks and not view.mirror
    )
    style = style if view.labels else replace(style, labels=False)
    drawn = draw(picture, result.tracks, fitting(looks, [result]), style)
    if not view.mirror:
        return drawn
    drawn = np.asarray(cv2.flip(drawn, 1), np.uint8)
    if not (marks and view.labels):
        return drawn
    text = Style(landmarks=False, axes=False)
    seen = mirrored(result, picture.shape[1])
    return draw(drawn, seen.tracks, fitting(looks, [result]), text)


def _mirrored(track: Track, width: int) -> Track:
    moved = _moved(track, lambda xy: xy * (-1, 1) + (width - 1, 0))
    pose = None if track.pose is None else mirrored_pose(track.pose)
    xyz = None if track.xyz is None else (track.xyz * (-1, 1, 1)).astype(np.float32)
    return replace(moved, pose=pose, xyz=xyz)


def _moved(track: Track, move: Callable[[Floats], NDArray[np.floating]]) -> Track:
    """The same with landmarks and irises elsewhere in the picture."""
    irises = track.irises
    if irises is not None:
        irises = np.column_stack([move(irises[:, :2]), irises[:, 2]]).astype(np.float32)
    return replace(track, xy=move(track.xy).astype(np.float32), irises=irises)


def _resized(bgr: Image, size_wh: tuple[int, int]) -> Image:
    if (bgr.shape[1], bgr.shape[0]) == size_wh:
        return bgr
    how = cv2.INTER_AREA if size_wh[0] < bgr.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(bgr, size_wh, interpolation=how), np.uint8)
