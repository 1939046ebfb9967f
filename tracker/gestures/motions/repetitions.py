"""From ten seconds in which a motion is shown several times to its repetitions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tracker.gestures.motions.windows import (
    LEAD,
    LENGTHS,
    LONGEST_GAP,
    PINCH,
    SIZE,
    TIP_X,
    Path,
    Values,
)

MOVES, RESTS = 0.25, 0.5  # share of usual speed, and palm lengths a second: faster is a movement
PAUSE = 0.22  # s of rest that part two movements
SHORTEST, NEAREST = 0.15, 0.4  # s, and palm lengths that a movement goes
SAME = 0.75  # distance of shapes below which two movements are the same one
GRID = 24  # points by which two are compared


def repetitions(path: Path) -> tuple[tuple[float, float], ...]:
    """From when to when, s, the motion is shown: movements that look alike, the first one's kind.

    Between two of them the hand rests, or goes back. Where the way back looks as much like itself
    as the motion does, what came first is the motion.
    """
    found = movements(path)
    if len(found) < 2:
        return found
    shapes = np.stack([_shape(path, start, end) for start, end in found])
    lengths = np.array([end - start for start, end in found])
    apart = np.sqrt(((shapes[:, None] - shapes[None]) ** 2).sum((2, 3)) / GRID)
    own = np.sqrt((shapes**2).sum((1, 2)) / GRID)
    apart /= np.maximum(np.minimum(own[:, None], own[None]), 0.2)
    apart += np.abs(np.log(lengths[:, None] / lengths[None])) / 3
    near = apart < SAME
    most = near.sum(1).max()
    first = next(k for k in range(len(found)) if near[k].sum() >= max(0.6 * most, 1))
    return tuple(one for one, is_same in zip(found, near[first], strict=True) if is_same)


def movements(path: Path) -> tuple[tuple[float, float], ...]:
    """From when to when the hand moves, s, with rests between."""
    if len(path) < 4:
        return ()
    speed = _speed(path)
    usual = float(np.quantile(speed, 0.95))
    fast = speed > max(MOVES * usual, RESTS)
    found: list[list[float]] = []
    for t, is_fast in zip(path.t, fast, strict=True):
        if not is_fast:
            continue
        if found and t - found[-1][1] < PAUSE:
            found[-1][1] = float(t)
        else:
            found.append([float(t), float(t)])
    kept = [(a, b) for a, b in found if b - a >= SHORTEST and _is_whole(path, a, b)]
    return tuple((a, b) for a, b in kept if _far(path, a, b) >= NEAREST)


def _is_whole(path: Path, start: float, end: float) -> bool:
    """Not longer than windows are, seen all the time, and for a moment before and after."""
    t = path.between(start, end).t
    seen = len(t) > 2 and float(np.diff(t).max()) <= LONGEST_GAP
    led = min((end - start) / 2, LEAD)
    return seen and end - start <= LENGTHS[-1] and start - led >= path.t[0] - 0.02


def _points(path: Path) -> Values:
    """(F, 5) palm, fingertips and pinch, in palm lengths."""
    palm = path.marks[:, :2] / np.median(path.marks[:, SIZE])
    tips = palm + path.marks[:, TIP_X : TIP_X + 2]
    return np.column_stack([palm, tips, path.marks[:, PINCH]])


def _speed(path: Path) -> Values:
    """(F,) of what moves most, palm lengths a second, over a tenth of a second."""
    points, t = _points(path), path.t
    before, after = (np.clip(np.searchsorted(t, t + d), 0, len(t) - 1) for d in (-0.06, 0.06))
    dt = np.maximum(t[after] - t[before], 1e-3)[:, None]
    v = (points[after] - points[before]) / dt
    return np.asarray(np.maximum(np.hypot(v[:, 0], v[:, 1]), np.hypot(v[:, 2], v[:, 3])))


def _far(path: Path, start: float, end: float) -> float:
    points = _points(path.between(start, end))[:, :4]
    return float(np.linalg.norm(np.ptp(points, axis=0)))


def _shape(path: Path, start: float, end: float) -> NDArray[np.float64]:
    """(GRID, 5) the movement, resampled, around its middle."""
    at = np.linspace(start, end, GRID)
    found = np.column_stack([np.interp(at, path.t, column) for column in _points(path).T])
    return np.asarray(found - found.mean(0))
