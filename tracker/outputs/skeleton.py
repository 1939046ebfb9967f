"""What a markup looks like: which landmarks are joined, and in which colours (BGR).

Each markup's TOML file says so (`tracker/find/markups.py`); landmarks of which it says nothing get
colours around the wheel.
"""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tracker.find.markups import BUNDLED, Drawing, bundled_markup, find_markup
from tracker.find.model_file import ModelInfo
from tracker.types import Kind

Colour = tuple[int, int, int]
Edges = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Skeleton:
    """How the landmarks of one model are drawn."""

    points: tuple[Colour, ...]
    edges: tuple[tuple[int, int], ...]
    lines: tuple[Colour, ...]  # one per edge
    nose: int | None = None  # where the axes of a head pose begin; None: in the middle
    text_at: int | None = None  # near which words are written; None: above all of them


def skeletons(infos: Sequence[ModelInfo]) -> dict[Kind, Skeleton]:
    """How to draw what these models find."""
    return {info.kind: _of_model(info) for info in infos}


def _of_model(info: ModelInfo) -> Skeleton:
    look = skeleton(info.kind, len(info.landmarks), info.edges, info.drawing)
    if info.crop is None or info.drawing is not None:
        return look
    plain = painted(Drawing(), len(info.landmarks), info.edges)
    return replace(plain, nose=look.nose, text_at=look.text_at)


def skeleton(kind: Kind, count: int, edges: Edges = (), drawing: Drawing | None = None) -> Skeleton:
    """How to draw `count` landmarks joined by `edges`; a bundled markup needs no edges."""
    known = bundled_markup(kind, count)
    if drawing is not None or known is None:
        return painted(drawing or Drawing(), count, edges)
    return painted(known.drawing or Drawing(), count, edges or known.edges)


def default_skeletons() -> Mapping[Kind, Skeleton]:
    """The markups of the models that ship with the program."""
    return {
        kind: skeleton(kind, len(find_markup(name).landmarks)) for kind, name in BUNDLED.items()
    }


def painted(drawing: Drawing, count: int, edges: Edges) -> Skeleton:
    """Colours of landmarks and of lines; a line has that of its later landmark, if none of its own.

    A landmark named in several groups has the colour of the last.
    """
    points = [_wheel(i / max(count, 1)) for i in range(count)]
    between: dict[tuple[int, int], Colour] = {}
    for paint in drawing.colours:
        for i in paint.of:
            points[i] = _bgr(paint.points)
        if paint.lines:
            between |= {(a, b): _bgr(paint.lines) for a in paint.of for b in paint.of}
    lines = tuple(between.get((a, b), points[max(a, b)]) for a, b in edges)
    return Skeleton(tuple(points), tuple(edges), lines, drawing.nose, drawing.text_at)


def _bgr(colour: str) -> Colour:
    red, green, blue = bytes.fromhex(colour[1:])
    return blue, green, red


def _wheel(turn: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(turn, 0.75, 1.0)
    return round(255 * blue), round(255 * green), round(255 * red)
