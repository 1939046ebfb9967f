"""Views: turned and scaled squares of a frame, in each of which a detector is asked anew.

A detector finds what lies in its picture as in its training: upright, and neither small nor so near
that it fills the picture. The same hand, turned or zoomed, is often found where one look at the
whole frame misses it. A view is a `CropBox`; it is cut to `patch_size` pixels, and
`crop_to_frame(view, size)` brings points that were found in it back. Functions are pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tracker.find.detectors import Finder
from tracker.find.geometry import apply, crop_to_frame, letterbox, overlap_share, rotation
from tracker.find.locate import cut
from tracker.types import CropBox, Detection, Floats, Image, Kind

# Pixels of a view at most: twice the palm detector's input, so that its own bilinear sampling
# averages four pixels into one and skips none.
PATCH = 384
AWAY = 2.0  # side of the view in which everything is half as large, in sides of the whole frame
NEAR = 0.75  # of the view on the middle
LOST_SIDE = 2.6  # of the view at a lost object, in sides of its last crop: it may have drifted
# Of faces: sides of the tiles, in sides of the whole frame, where they are so many pixels at least,
# and by how much of a side two neighbours overlap. The detector finds nearly all faces whose height
# (brows to chin) is a sixth of a view's side, half of those of a ninth, none of a fourteenth.
TILES, LEAST_TILE, OVERLAP = (1 / 2, 1 / 4, 1 / 8), 150.0, 1 / 3
LARGE = 1000  # pixels of a frame's longer side from which a film's faces are looked for in tiles
SHARED = 0.5  # part of the smaller box from which finds of two views are one
# Of the view in which a find is looked at again, in sides of its crop and degrees from it: turned
# and from farther away, since what is no hand mostly looks like one in one view only.
AGAIN_SIDE, AGAIN_TURN = 2.6, 30.0


def whole(shape_hw: tuple[int, ...]) -> CropBox:
    """The smallest upright square around the frame."""
    return letterbox(shape_hw)


def is_whole(view: CropBox, shape_hw: tuple[int, ...]) -> bool:
    """Is this view the whole frame, upright?"""
    return view.angle == 0.0 and view.side == letterbox(shape_hw).side


def is_plain(view: CropBox, shape_hw: tuple[int, ...]) -> bool:
    """Does this view show the frame upright, and the most of it? Few false finds come of those."""
    side = letterbox(shape_hw).side
    return view.angle == 0.0 and NEAR * side <= view.side <= side


def turned(shape_hw: tuple[int, ...], angle: float) -> CropBox:
    """The smallest square around the frame whose x axis has this angle (degrees, clockwise)."""
    h, w = shape_hw[:2]
    sides = np.abs(rotation(angle)).T @ np.array([w, h], np.float64)
    return CropBox(letterbox(shape_hw).centre_xy, float(sides.max()), angle)


def half(shape_hw: tuple[int, ...]) -> CropBox:
    """The whole frame at half its size, black around it: for objects that fill it."""
    box = letterbox(shape_hw)
    return CropBox(box.centre_xy, AWAY * box.side, 0.0)


def parts(shape_hw: tuple[int, ...]) -> list[CropBox]:
    """Squares of half the whole one's side that cover the frame, overlapping by half."""
    return squares(shape_hw, letterbox(shape_hw).side / 2, 0.5)


def squares(shape_hw: tuple[int, ...], side: float, overlap: float) -> list[CropBox]:
    """Squares of a side that cover the frame, overlapping by this share of it at least."""
    h, w = shape_hw[:2]
    lines = []
    for length in (w, h):
        count = max(1, int(np.ceil((length - side) / (side * (1 - overlap)) - 1e-9)) + 1)
        ends = (side / 2 - 0.5, length - side / 2 - 0.5)
        middle = [(length - 1) / 2]
        lines.append(np.linspace(*ends, count) if count > 1 else np.array(middle))
    return [CropBox(np.array([x, y], np.float32), side, 0.0) for y in lines[1] for x in lines[0]]


def at_lost(crop: CropBox) -> CropBox:
    """Around the last crop of a lost object, turned as it was: there it stands upright."""
    return CropBox(crop.centre_xy, LOST_SIDE * crop.side, crop.angle)


def again(crop: CropBox) -> CropBox:
    """Around a find whose crop this is, with more about it and turned a little."""
    return CropBox(crop.centre_xy, AGAIN_SIDE * crop.side, crop.angle + AGAIN_TURN)


def patch_size(view: CropBox) -> int:
    """Side in pixels of the patch that shows a view."""
    return int(min(PATCH, max(np.ceil(view.side), 1)))


def detect_in(frame_bgr: Image, view: CropBox, finder: Finder) -> list[Detection]:
    """What a detector finds in a view of an (H, W, 3) frame, best first, in frame pixels.

    The whole frame is shown to it as it is.
    """
    if is_whole(view, frame_bgr.shape):
        return finder.detect(frame_bgr)
    size = patch_size(view)
    return [in_frame(d, view, size) for d in finder.detect(cut(frame_bgr, view, size))]


def detect_in_all(frame_bgr: Image, views: Sequence[CropBox], finder: Finder) -> list[Detection]:
    """What a detector finds in any of some views, best first, in frame pixels, each object once."""
    found = [d for view in views for d in detect_in(frame_bgr, view, finder)]
    if len(views) == 1:
        return found
    kept: list[Detection] = []
    for new in sorted(found, key=lambda d: -d.score):
        if all(overlap_share(new.box_xyxy, old.box_xyxy) < SHARED for old in kept):
            kept.append(new)
    return kept


def in_frame(found: Detection, view: CropBox, size: int) -> Detection:
    """A detection in pixels of a view's patch, in frame pixels.

    Points are mapped. The box keeps its middle and its sides, exchanged where the view is turned
    by about a quarter: the box around a turned box would be larger than the object.
    """
    matrix = crop_to_frame(view, size)
    corners = found.box_xyxy.reshape(2, 2).astype(np.float64)
    wh = (corners[1] - corners[0]) * (view.side / size)
    if round(view.angle / 90) % 2:
        wh = wh[::-1]
    middle = apply(matrix, corners.mean(0))
    box: Floats = np.concatenate([middle - wh / 2, middle + wh / 2]).astype(np.float32)
    return Detection(found.kind, box, found.score, apply(matrix, found.xy))


def middle(shape_hw: tuple[int, ...]) -> CropBox:
    """The middle of the frame, a little larger than in the whole one."""
    box = letterbox(shape_hw)
    return CropBox(box.centre_xy, NEAR * box.side, 0.0)


def of_hands(shape_hw: tuple[int, ...]) -> list[CropBox]:
    """The views in which hands are looked for, one after the other.

    The order is one that finds much with few looks on scenes of `docs/studies/compose_scenes`. The
    whole frame comes every fourth time, since there upright newcomers are seen best.
    """
    near = parts(shape_hw)
    turns = {angle: turned(shape_hw, angle) for angle in (45.0, -45.0, 90.0, -90.0)}
    first, spread = whole(shape_hw), [near[i * len(near) // 6] for i in (1, 5, 3, 2, 0, 4)]
    return [
        first, middle(shape_hw), turns[-90.0], spread[0],
        first, turns[-45.0], spread[1], spread[2],
        first, spread[3], turns[45.0], spread[4],
        middle(shape_hw), turns[90.0], spread[5], half(shape_hw),
    ]  # fmt: skip


def of_faces(shape_hw: tuple[int, ...]) -> list[CropBox]:
    """The whole frame, and tiles of it for faces that are small there; the largest first."""
    side = letterbox(shape_hw).side
    sides = [side * share for share in TILES if side * share >= LEAST_TILE]
    return [whole(shape_hw), *(tile for s in sides for tile in squares(shape_hw, s, OVERLAP))]


def plain(shape_hw: tuple[int, ...]) -> list[CropBox]:
    """The whole frame alone: for objects that stand upright, and are large enough."""
    return [whole(shape_hw)]


VIEWS: dict[Kind, Callable[[tuple[int, ...]], list[CropBox]]] = {"hand": of_hands, "face": of_faces}


def _key(view: CropBox) -> tuple[list[float], float, float]:
    """What makes two views the same."""
    return view.centre_xy.tolist(), view.side, view.angle


class Turns:
    """Which views are next, as long as objects of a kind are missing."""

    def __init__(self, kind: Kind, tiles: int = 0) -> None:
        """Begins with the whole frame.

        A look takes the next view, or, with `tiles`, the whole frame and, of a large one, so many
        of the others.
        """
        self._views = VIEWS.get(kind, plain)
        self._tiles = tiles
        self._next = 0
        self._place: CropBox | None = None
        self._of: tuple[tuple[int, ...], list[CropBox]] = ((), [])  # a frame's shape, its views

    def take(self, shape_hw: tuple[int, ...]) -> list[CropBox]:
        """The views of the next look. They go round and round."""
        first, *others = views = self._all(shape_hw)
        if not self._tiles or not others:
            self._next += 1
            return [views[(self._next - 1) % len(views)]]
        count = min(self._tiles, len(others))
        chosen = [others[(self._next + i) % len(others)] for i in range(count)]
        self._next += count
        return [first, *chosen]

    def _all(self, shape_hw: tuple[int, ...]) -> list[CropBox]:
        """The views, in their order. Tiles of a small frame would cost as much, and show little."""
        if self._of[0] != shape_hw:
            self._of = shape_hw, self._views(shape_hw)
        views = self._of[1]
        return views[:1] if self._tiles and max(shape_hw[:2]) < LARGE else views

    @property
    def has_place(self) -> bool:
        """Is there a place to look at?"""
        return self._place is not None

    def take_place(self) -> CropBox | None:
        """The view of a place that is to be looked at before; None: there is none."""
        place, self._place = self._place, None
        return place

    def rest(self, shape_hw: tuple[int, ...], shown: Sequence[CropBox] = ()) -> list[CropBox]:
        """All views but the first one, each once, and none of those that were `shown` before."""
        first, *others = self._all(shape_hw)
        before, found = [_key(view) for view in (first, *shown)], []
        for view in others:
            if _key(view) not in before:
                before.append(_key(view))
                found.append(view)
        return found

    def look_at(self, place: CropBox) -> None:
        """Let this view be the next one."""
        self._place = place

    def begin_anew(self) -> None:
        """Nothing is missing any more: begin with the whole frame when something is.

        Tiles go on where they were: in each of their looks the whole frame comes first anyway.
        """
        self._place = None
        if not self._tiles:
            self._next = 0
