"""From the gesture probabilities of single frames to a steady gesture.

The evidence of a short span of time is put together: the mean of the logarithms of the
probabilities, so that a steady gesture keeps its probability and a single frame that says another
hardly counts. A gesture comes where that reaches its operating point, and then stays as long as it
is likely at all: that a hand still does what it did a frame ago needs less evidence than that it
begins to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.types import Floats

NONE = "none"
# Operating points are from hands whose landmarks lie well. Where their mean score is below this, a
# gesture is read from landmarks that are not there, and the frame says 'none'.
TRUSTED = 0.6


@dataclass(frozen=True, slots=True)
class GestureConfig:
    """Seconds and probabilities."""

    span: float = 0.15  # the evidence of this long, s, is put together,
    stale: float = 0.5  # and of the frame before where it is younger than this, s
    floor: float = 0.5  # from which a gesture comes where no points are stated: all else is rarer
    # and where others have one: precise enough at none, it is mostly something else
    unproven: float = 0.8
    stay: float = 0.4  # the shown one goes below this, or below its point if that is lower
    least: float = 0.002  # a frame never says that a gesture is less likely than this
    trusted: float = TRUSTED


class GestureFilter:
    """Steadies the gesture of one hand."""

    def __init__(
        self,
        classes: tuple[str, ...],
        config: GestureConfig | None = None,
        operating_points: Mapping[str, float] | None = None,
    ) -> None:
        """`classes` in the order of the probabilities; 'none' may be one of them or not."""
        self._classes = classes
        self._config = config or GestureConfig()
        self._operating_points = operating_points or {}
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next frame decides alone."""
        self._shown = NONE
        self._p: NDArray[np.float64] | None = None  # of each class, and of none of them
        self._frames: list[tuple[float, NDArray[np.float64]]] = []  # times, log probabilities

    def update(self, probabilities: Floats, t: float, score: float = 1.0) -> tuple[str, float]:
        """The gesture to show at time t, and how likely it is by the last frames.

        `score`: the mean of the landmarks' that the probabilities were read from. It counts where
        the model states operating points; scores of other models say little.
        """
        self._frames = [*self._recent(t), (t, self._evidence(probabilities, score))]
        logs = np.add.reduce([logs for _, logs in self._frames]) / len(self._frames)
        mean = np.exp(logs)
        self._p = mean / np.add.reduce(mean)
        best = self._best()
        if best != self._shown and self._of(best) >= self._entry(best):
            self._shown = best
        elif self._shown != NONE and self._of(self._shown) < self._exit(self._shown):
            self._shown = NONE
        return self._shown, self._of(self._shown)

    def probabilities(self) -> tuple[tuple[str, float], ...]:
        """Every class with its probability by the last frames, in the model's order; () before."""
        if self._p is None:
            return ()
        return tuple(zip(self._classes, self._p.tolist(), strict=False))

    def _recent(self, t: float) -> list[tuple[float, NDArray[np.float64]]]:
        """The frames whose evidence counts at time t beside its own."""
        within = [f for f in self._frames if t - f[0] < self._config.span - 1e-9]
        if within or not self._frames or t - self._frames[-1][0] > self._config.stale:
            return within
        return self._frames[-1:]

    def _evidence(self, probabilities: Floats, score: float) -> NDArray[np.float64]:
        """Log probabilities of all classes, and of none of them where 'none' is no class."""
        p = np.asarray(probabilities, np.float64)
        if self._operating_points and score < self._config.trusted:
            p = np.array([float(name == NONE) for name in self._classes])
        if NONE not in self._classes:
            p = np.append(p, max(1 - p.sum(), 0.0))
        logs: NDArray[np.float64] = np.log(np.maximum(p, self._config.least))
        return logs

    def _best(self) -> str:
        """The likeliest class."""
        assert self._p is not None
        i = int(self._p.argmax())
        return self._classes[i] if i < len(self._classes) else NONE

    def _of(self, name: str) -> float:
        """How likely a class is; 'none' without a class is what the best leaves over."""
        assert self._p is not None
        if name in self._classes:
            return float(self._p[self._classes.index(name)])
        return float(1 - self._p[: len(self._classes)].max())

    def _entry(self, name: str) -> float:
        """From which probability on a gesture comes; 'none' comes when the shown one goes."""
        if name == NONE:
            return np.inf
        unknown = self._config.unproven if self._operating_points else self._config.floor
        return self._operating_points.get(name, unknown)

    def _exit(self, name: str) -> float:
        """Below which probability the shown one goes."""
        return min(self._config.stay, self._entry(name))
