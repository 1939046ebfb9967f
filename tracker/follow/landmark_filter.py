"""A low-pass that holds still landmarks firmly and does not trail those that move.

What is new in a frame (the innovation: answer less what was shown) is split into the motion of the
whole object, an affine one fitted to all its landmarks, and what remains of each landmark. Each
part is taken over with the gain of a Kalman filter, 1 - R / S: R is the variance of the network's
noise, S is estimated by the innovations' own mean square over the landmarks that move together
(Mehra, 1970, 'On the identification of variances and adaptive Kalman filtering'). Innovations no
larger than noise are left to a first-order low-pass; much larger ones pass almost whole. So what is
shown is never off by much more than sqrt(R), however fast the object moves.

R is watched: of white noise, a step from frame to frame and the one before are correlated by minus
its variance; of what moves they agree. A running median is taken of that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tracker.follow.smooth import SmoothConfig
from tracker.types import Floats

NOISES = 1.8  # sqrt(R) is at least this many times the noise's mean length,
MOST_WHOLE, MOST_REST = 5.0, 2.5  # and at most this many times the preset's least
ALONE = 6.0  # one landmark counts as moving where its square is this many times R
NOISE_TAU = 0.6  # s within which the noise is believed to be e^2 times larger or smaller
QUICK = ("eye", "lid", "lip", "mouth")  # words in the names of landmarks that move in a blink

Values = NDArray[np.float64]


class LandmarkFilter:
    """Smooths the K landmarks of one object. `lag_ms` tells by how much the whole one trails."""

    def __init__(
        self, config: SmoothConfig | None, names: Sequence[str] = (), as_one: bool = True
    ) -> None:
        """`config` None passes all through. Landmarks whose `names` (K,) differ in their last word
        alone move together, such as thumb_mcp and thumb_tip; without names each is on its own.
        `as_one` False: values that have no motion in common.
        """
        self._as_one = as_one
        self._config = config
        stems = [name.rpartition("_")[0] or name for name in names]
        self._part = np.array([stems.index(stem) for stem in stems], np.intp)
        self._count = np.maximum(np.bincount(self._part), 1)
        quick = np.array([bool(set(stem.split("_")) & set(QUICK)) for stem in stems], np.bool_)
        self._least: Values = np.zeros(0)  # R at least, of each landmark by itself
        self._least_noise = (0.0, 0.0)  # squared sizes, of the whole and the rest; all axes'
        if config is not None:
            self._least = np.where(quick, config.quick**2, config.part**2)
            self._least_noise = (config.whole / NOISES) ** 2, (config.quick / NOISES) ** 2
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next value passes unchanged."""
        self._t: float | None = None
        self._shown: Values = np.zeros((0, 0))
        self._raw: Values = self._shown
        self._steps: tuple[Values, Values] | None = None  # the last: of the whole, of the rest
        self._noise_whole, self._noise_rest = self._least_noise
        self.lag_ms = 0.0

    def update(self, values: ArrayLike, t: float, size: float) -> Floats:
        """Smoothed copy of finite values (K, D) at time t; `size` is the object's, same unit.

        A time that does not advance (a repeated time stamp) returns the last answer again.
        """
        new = np.asarray(values, np.float64)
        config = self._config
        if config is None:
            return new.astype(np.float32)
        if self._t is None:
            self._t, self._shown, self._raw = t, new, new
            return new.astype(np.float32)
        dt = t - self._t
        if dt <= 0:
            return self._shown.astype(np.float32)
        unit, d = 1 / max(size, 1e-6) ** 2, new.shape[1]
        # The innovation and the step, fitted at once: both are motions of the same points.
        changes = np.concatenate([new - self._shown, new - self._raw], axis=1)
        all_whole, all_rest = self._split(new, changes)
        whole, rest = all_whole[:, :d], all_rest[:, :d]
        self._watch_noise(all_whole[:, d:], all_rest[:, d:], unit, dt)
        self._t, self._raw = t, new
        least = dt / (dt + 1 / (2 * math.pi * config.still_cutoff))
        noise = min(NOISES**2 * self._noise_whole, (MOST_WHOLE * config.whole) ** 2)
        by_whole = max(least, 1 - noise / max(mean_product(whole, whole) * unit, noise))
        by_rest = np.maximum(self._gain_rest(np.einsum("kd,kd->k", rest, rest) * unit), least)
        self._shown = self._shown + by_whole * whole + by_rest[:, None] * rest
        self.lag_ms = 1e3 * dt * (1 - by_whole) / by_whole
        return self._shown.astype(np.float32)

    def _split(self, at: Values, change: Values) -> tuple[Values, Values]:
        return split(at, change) if self._as_one else (np.zeros_like(change), change)

    def _gain_rest(self, square: Values) -> Values:
        """(K,) gain of each landmark, of the squares of what the whole does not explain."""
        assert self._config is not None
        together: Values = square
        least: Values | float = self._config.part**2
        if len(self._part) == len(square):
            together = (np.bincount(self._part, square) / self._count)[self._part]
            least = self._least
        noise = np.minimum(np.maximum(least, NOISES**2 * self._noise_rest), MOST_REST**2 * least)
        gain: Values = 1 - noise / np.maximum(np.maximum(together, square / ALONE), noise)
        return gain

    def _watch_noise(self, whole: Values, rest: Values, unit: float, dt: float) -> None:
        """Learn from a step (K, D) of the whole and of the rest."""
        before, self._steps = self._steps, (whole, rest)
        if before is None:
            return
        factor, (least_whole, least_rest) = math.exp(2 * dt / NOISE_TAU), self._least_noise
        seen = [-mean_product(a, b) * unit for a, b in zip(before, self._steps, strict=True)]
        self._noise_whole = max(nearer(self._noise_whole, seen[0], factor), least_whole)
        self._noise_rest = max(nearer(self._noise_rest, seen[1], factor), least_rest)


def split(at: Values, change: Values) -> tuple[Values, Values]:
    """Changes (K, N) of points `at` (K, D): the affine motion of all nearest to them, the rest.

    Each column is fitted by itself: N is D, or a multiple of it for several changes at once. With
    few points, which an affine motion would follow one by one, it is a shift.
    """
    k, d = at.shape
    shift = np.add.reduce(change) / k
    rest = change - shift
    if k < 2 * (d + 1):
        return np.broadcast_to(shift, change.shape), rest
    arms = at - np.add.reduce(at) / k
    square = arms.T @ arms
    square.flat[:: d + 1] += 1e-6 * square.trace() + 1e-12  # points on a line
    turn = arms @ (_inverse(square) @ (arms.T @ rest))
    return shift + turn, rest - turn


def _inverse(square: Values) -> Values:
    """Of a symmetric matrix (D, D); of two rows, as landmarks have, without LAPACK's way there."""
    if len(square) != 2:
        return np.asarray(np.linalg.inv(square))
    (a, b), (_, c) = square.tolist()
    by = a * c - b * b
    return np.array([[c / by, -b / by], [-b / by, a / by]])


def mean_product(a: Values, b: Values) -> float:
    """Mean over K of the dot products of (K, D)."""
    return float(np.vdot(a, b)) / len(a)


def nearer(median: float, value: float, factor: float) -> float:
    """A running median: by a constant factor up or down, towards a value."""
    return median * factor if value > median else median / factor
