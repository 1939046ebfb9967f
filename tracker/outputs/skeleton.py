"""What a markup looks like: which landmarks are joined, and in which colours (BGR).

Hands of 21 and faces of 68 landmarks wear MediaPipe's colours, which people know; any other
markup gets colours around the wheel.
"""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tracker.find.model_file import ModelInfo
from tracker.types import Kind

Colour = tuple[int, int, int]
Edges = Sequence[tuple[int, int]]

PALM_POINT, PALM_LINE = (48, 48, 255), (128, 128, 128)
THUMB, INDEX, MIDDLE = (180, 229, 255), (128, 64, 128), (0, 204, 255)
RING, PINKY = (48, 255, 48), (192, 101, 21)
LEFT, RIGHT, WHITE = (48, 255, 48), (48, 48, 255), (224, 224, 224)

FINGERS = (THUMB, INDEX, MIDDLE, RING, PINKY)
PALM = frozenset({0, 1, 5, 9, 13, 17})
HAND_EDGES = tuple(
    [(0, 1), (0, 5), (5, 9), (9, 13), (13, 17), (0, 17)]
    + [(i, i + 1) for first in (1, 5, 9, 13, 17) for i in range(first, first + 3)]
)


@dataclass(frozen=True, slots=True)
class Skeleton:
    """How the landmarks of one model are drawn."""

    points: tuple[Colour, ...]
    edges: tuple[tuple[int, int], ...]
    lines: tuple[Colour, ...]  # one per edge


def skeletons(infos: Sequence[ModelInfo]) -> dict[Kind, Skeleton]:
    """How to draw what these models find."""
    return {
        info.kind: skeleton(info.kind, len(info.landmarks), info.edges)
        if info.crop is None
        else _plain(len(info.landmarks), info.edges)
        for info in infos
    }


def skeleton(kind: Kind, count: int, edges: Edges = ()) -> Skeleton:
    """How to draw `count` landmarks joined by `edges`; a known markup needs no edges."""
    if kind == "hand" and count == 21:
        return _hand(edges or HAND_EDGES)
    if kind == "face" and count == 68:
        return _face(edges or _face_edges())
    return _plain(count, edges)


def _plain(count: int, edges: Edges) -> Skeleton:
    points = tuple(_wheel(i / max(count, 1)) for i in range(count))
    return Skeleton(points, tuple(edges), tuple(points[max(edge)] for edge in edges))


def default_skeletons() -> Mapping[Kind, Skeleton]:
    """The two markups that ship with the program."""
    return {"hand": skeleton("hand", 21), "face": skeleton("face", 68)}


def _hand(edges: Edges) -> Skeleton:
    finger = [FINGERS[max(i - 1, 0) // 4] for i in range(21)]
    points = tuple(PALM_POINT if i in PALM else finger[i] for i in range(21))
    lines = tuple(PALM_LINE if a in PALM and b in PALM else finger[max(a, b)] for a, b in edges)
    return Skeleton(points, tuple(edges), lines)


def _face(edges: Edges) -> Skeleton:
    # The person's right eye and brow come first in this markup, and lie on the picture's left.
    part = {i: RIGHT for i in (*range(17, 22), *range(36, 42))}
    part |= {i: LEFT for i in (*range(22, 27), *range(42, 48))}
    points = tuple(part.get(i, WHITE) for i in range(68))
    return Skeleton(points, tuple(edges), tuple(points[a] for a, _ in edges))


def _face_edges() -> tuple[tuple[int, int], ...]:
    open_chains = [(0, 16), (17, 21), (22, 26), (27, 30), (31, 35)]
    rings = [(36, 41), (42, 47), (48, 59), (60, 67)]
    chains = [(i, i + 1) for first, last in open_chains + rings for i in range(first, last)]
    return tuple(chains + [(last, first) for first, last in rings])


def _wheel(turn: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(turn, 0.75, 1.0)
    return round(255 * blue), round(255 * green), round(255 * red)
