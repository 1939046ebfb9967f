"""Smoothing that looks ahead, for files: once forwards in time, once backwards, and the mean.

What one pass trails, the other leads by as much: nothing is late. And noise is averaged over twice
as many frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tracker.follow.associate import object_size
from tracker.follow.landmark_filter import LandmarkFilter
from tracker.follow.smooth import SmoothConfig
from tracker.follow.track_memory import SHARE_SPAN
from tracker.types import Floats


def both_ways(
    t: Sequence[float], raw: NDArray[np.floating], config: SmoothConfig, names: Sequence[str] = ()
) -> Floats:
    """Smoothed copy of the landmarks (N, K, 2) of one object in N frames at rising times, s."""
    back = backwards(t, raw, config, names)
    ahead = one_way(t, raw, config, names)
    return ((ahead + back) / 2).astype(np.float32)


def backwards(
    t: Sequence[float], raw: NDArray[np.floating], config: SmoothConfig, names: Sequence[str] = ()
) -> Floats:
    """The pass from the last frame to the first."""
    return one_way([-late for late in reversed(t)], raw[::-1], config, names)[::-1]


def shares_backwards(t: Sequence[float], raw: Floats, config: SmoothConfig) -> Floats:
    """The same of values (N, V) from 0 to 1 that have no motion in common: expressions."""
    spans, back = [SHARE_SPAN] * len(raw), [-late for late in reversed(t)]
    shown = _passed(LandmarkFilter(config, as_one=False), back, raw[::-1, :, None], spans)
    return np.clip(shown[::-1, :, 0], 0, 1)


def one_way(
    t: Sequence[float], raw: NDArray[np.floating], config: SmoothConfig, names: Sequence[str] = ()
) -> Floats:
    """The pass from the first frame to the last, as `tracker live` shows it."""
    sizes = [object_size(xy.astype(np.float32)) for xy in raw]
    return _passed(LandmarkFilter(config, names), t, raw, sizes)


def _passed(
    filt: LandmarkFilter, t: Sequence[float], raw: NDArray[np.floating], sizes: Sequence[float]
) -> Floats:
    """(N, K, D) what a filter shows of values (N, K, D), one after the other."""
    shown = [filt.update(v, at, size) for at, v, size in zip(t, raw, sizes, strict=True)]
    return np.array(shown, np.float32).reshape(raw.shape)
