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
LONGEST = 1.0  # s: after a longer time between two frames no more is believed of it
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
        # The last ones: of the whole, of the rest; None before there were any.
        self._steps: tuple[Values | None, Values | None] = None, None
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
        of_whole, of_rest = self._split(new, changes)
        whole, step = (None, None) if of_whole is None else (of_whole[:, :d], of_whole[:, d:])
        rest, rest_step = (None, None) if of_rest is None else (of_rest[:, :d], of_rest[:, d:])
        self._watch_noise(step, rest_step, unit, dt)
        self._t, self._raw = t, new
        least = dt / (dt + 1 / (2 * math.pi * config.still_cutoff))
        if whole is not None:
            noise = min(NOISES**2 * self._noise_whole, (MOST_WHOLE * config.whole) ** 2)
            by_whole = max(least, 1 - noise / max(mean_product(whole, whole) * unit, noise))
            self._shown = self._shown + by_whole * whole
            self.lag_ms = 1e3 * dt * (1 - by_whole) / by_whole
        if rest is not None:
            by_rest = np.maximum(self._gain_rest(np.einsum("kd,kd->k", rest, rest) * unit), least)
            self._shown = self._shown + by_rest[:, None] * rest
        return self._shown.astype(np.float32)

    def _split(self, at: Values, change: Values) -> tuple[Values | None, Values | None]:
        """The whole's motion and the rest; None where there is none of it, as of a single point."""
        if not self._as_one:
            return None, change
        return split(at, change) if len(at) > 1 else (change, None)

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

    def _watch_noise(
        self, whole: Values | None, rest: Values | None, unit: float, dt: float
    ) -> None:
        """Learn from a step (K, D) of the whole and of the rest."""
        (whole_before, rest_before), self._steps = self._steps, (whole, rest)
        factor = math.exp(2 * min(dt, LONGEST) / NOISE_TAU)
        least_whole, least_rest = self._least_noise
        if whole is not None and whole_before is not None:
            seen = -mean_product(whole_before, whole) * unit
            self._noise_whole = max(nearer(self._noise_whole, seen, factor), least_whole)
        if rest is not None and rest_before is not None:
            seen = -mean_product(rest_before, rest) * unit
            self._noise_rest = max(nearer(self._noise_rest, seen, factor), least_rest)


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
