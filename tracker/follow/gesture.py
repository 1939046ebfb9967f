"""From the gesture probabilities of single frames to a steady gesture.

Probabilities are averaged over time with a time constant; the shown gesture changes when another
one has led it by a margin for a while, or at once when every frame of a shorter while says clearly
the same. A gesture that has not even been likely for a while shows as 'none', whatever took its
place. Where a model states operating points, a gesture comes a little above its own and goes when
its average has been below for that while, so that a single bad frame does not make it blink.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    floor: float = 0.4  # a gesture without an operating point is 'none' below this
    clear: float = 0.6  # where each frame gives one at least this (or its operating point),
    clear_for: float | None = 0.10  # for this long, s, it is shown at once; None: off
    rise: float = 0.25  # of what is left to 1: by so much above its operating point one comes


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
        self._t = 0.0
        self._p: NDArray[np.float64] | None = None
        self._shown = NONE
        self._rival: str | None = None
        self._rival_since = 0.0
        self._sunk_since: float | None = None
        self._clear: tuple[str, float] | None = None  # what the last frames said, since when,
        self._clear_p: list[NDArray[np.float64]] = []  # and their probabilities

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
            self._note_clear(new, t)
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
        return self._classes[i] if self._p[i] >= self._least(self._classes[i]) else NONE

    def _least(self, name: str) -> float:
        """From which probability on a gesture may be shown."""
        return self._operating_points.get(name, self._config.floor)

    def _entry(self, name: str) -> float:
        """From which probability on one may take the place of another."""
        least = self._least(name)
        rise = self._config.rise if name in self._operating_points else 0.0
        return least + rise * (1 - least)

    def _of(self, name: str) -> float:
        """Averaged probability of a class; 'none' without a class is what the best leaves over."""
        assert self._p is not None
        if name in self._classes:
            return float(self._p[self._classes.index(name)])
        return float(1 - self._p.max())

    def _note_clear(self, new: NDArray[np.float64], t: float) -> None:
        """Keep frames that clearly say another gesture; after a while they are the average."""
        i = int(np.argmax(new))
        name = self._classes[i]
        wait = self._config.clear_for
        unclear = new[i] < max(self._config.clear, self._entry(name))
        if wait is None or unclear or name == self._shown:
            self._clear, self._clear_p = None, []
            return
        if self._clear is None or self._clear[0] != name:
            self._clear, self._clear_p = (name, t), []
        self._clear_p.append(new)
        if t - self._clear[1] >= wait - 1e-9:
            self._p = np.mean(self._clear_p, axis=0)
            self._show(name)

    def _show(self, name: str) -> None:
        self._shown, self._rival, self._sunk_since = name, None, None
        self._clear, self._clear_p = None, []

    def _maybe_switch(self, t: float) -> None:
        rival, hold = self._best(), self._config.hold - 1e-9
        leads = self._of(rival) - self._of(self._shown) >= self._config.lead
        leads = leads and (rival == NONE or self._of(rival) >= self._entry(rival))
        if rival == self._shown or not leads:
            self._rival = None
        elif rival != self._rival:
            self._rival, self._rival_since = rival, t
        if self._shown == NONE or self._of(self._shown) >= self._least(self._shown):
            self._sunk_since = None
        elif self._sunk_since is None:
            self._sunk_since = t
        if self._rival is not None and t - self._rival_since >= hold:
            self._show(self._rival)
        elif self._sunk_since is not None and t - self._sunk_since >= hold:
            self._show(NONE)
