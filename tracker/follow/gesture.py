"""From the gesture probabilities of single frames to a steady gesture.

Probabilities are averaged over time with a time constant; the shown gesture changes only when
another one has led it by a margin for a while. A gesture that has not even been likely for as long
shows as 'none', whatever took its place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.types import Floats

NONE = "none"


@dataclass(frozen=True, slots=True)
class GestureConfig:
    """Seconds and probabilities."""

    tau: float = 0.12  # time constant of the average, s
    lead: float = 0.15  # a new gesture must be this much likelier than the shown one,
    hold: float = 0.10  # for this long, s
    floor: float = 0.4  # a gesture below this probability is 'none'


class GestureFilter:
    """Steadies the gesture of one hand."""

    def __init__(self, classes: tuple[str, ...], config: GestureConfig | None = None) -> None:
        """`classes` in the order of the probabilities; 'none' may be one of them or not."""
        self._classes = classes
        self._config = config or GestureConfig()
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next frame decides alone."""
        self._t = 0.0
        self._p: NDArray[np.float64] | None = None
        self._shown = NONE
        self._rival: str | None = None
        self._rival_since = 0.0
        self._sunk_since: float | None = None

    def update(self, probabilities: Floats, t: float) -> tuple[str, float]:
        """The gesture to show at time t, and its averaged probability."""
        new = np.asarray(probabilities, np.float64)
        if self._p is None:
            self._t, self._p = t, new
            self._shown = self._best()
            return self._shown, self._of(self._shown)
        dt = t - self._t
        if dt > 0:
            self._p = self._p + (1 - np.exp(-dt / self._config.tau)) * (new - self._p)
            self._t = t
        self._maybe_switch(t)
        return self._shown, self._of(self._shown)

    def probabilities(self) -> tuple[tuple[str, float], ...]:
        """Every class with its averaged probability, in the model's order; () before a frame."""
        if self._p is None:
            return ()
        return tuple(zip(self._classes, map(float, self._p), strict=True))

    def _best(self) -> str:
        """The likeliest class, or 'none' when nothing is likely."""
        assert self._p is not None
        i = int(np.argmax(self._p))
        return self._classes[i] if self._p[i] >= self._config.floor else NONE

    def _of(self, name: str) -> float:
        """Averaged probability of a class; 'none' without a class is what the best leaves over."""
        assert self._p is not None
        if name in self._classes:
            return float(self._p[self._classes.index(name)])
        return float(1 - self._p.max())

    def _maybe_switch(self, t: float) -> None:
        rival, hold = self._best(), self._config.hold - 1e-9
        leads = self._of(rival) - self._of(self._shown) >= self._config.lead
        if rival == self._shown or not leads:
            self._rival = None
        elif rival != self._rival:
            self._rival, self._rival_since = rival, t
        if self._shown == NONE or self._of(self._shown) >= self._config.floor:
            self._sunk_since = None
        elif self._sunk_since is None:
            self._sunk_since = t
        if self._rival is not None and t - self._rival_since >= hold:
            self._shown, self._rival, self._sunk_since = self._rival, None, None
        elif self._sunk_since is not None and t - self._sunk_since >= hold:
            self._shown, self._sunk_since = NONE, None
