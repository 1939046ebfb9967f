"""When a rule fires: once after its condition held for a while, and not again until it changed.

    locked -> ready -> holding -> fired -> ready -> ...

It begins locked: what holds already when a profile is loaded, or after a pause, must end first.
Times are the frames' own, so a clip gives the same events at any speed. The moment of firing is the
frame nearest to `hold`, not the first one after it: on average neither early nor late. A flicker
shorter than `release` delays nothing, as long as the condition held for `SHARE` of the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["locked", "ready", "holding", "fired"]
Phase = Literal["begin", "repeat", "end"]
SHARE = 0.6  # of the hold time for which the condition must have held
LONGEST_STEP = 0.25  # s between two frames that may count as held
NEAREST = 0.02  # s by which a frame may be early, at most
UNSURE_FOR = 0.5  # s without a sure reading, after which nothing holds any more


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. `repeat` 0: fires once."""

    hold: float = 0.3  # it must hold before it fires
    release: float = 0.2  # it must be gone before it has ended
    cooldown: float = 1.0  # after firing, before it may fire again
    repeat: float = 0.0


class Trigger:
    """The memory of one rule."""

    def __init__(self, timing: Timing) -> None:
        """Locked."""
        self._timing = timing
        self.restart()

    def restart(self) -> None:
        """Forget everything. Whoever calls this when it `has_fired` ends what was begun."""
        self.state: State = "locked"
        self.since = 0.0  # time of the first frame in which it held
        self._t: float | None = None
        self._held = 0.0  # s in which it held since then,
        self._unsure = 0.0  # and in which that could not be told
        self._seen: float | None = None  # when it last held,
        self._known: float | None = None  # and when it was last sure
        self._was_held = False
        self._fired_at = float("-inf")

    @property
    def has_fired(self) -> bool:
        """Has it begun, and not ended yet?"""
        return self.state == "fired"

    @property
    def progress(self) -> float:
        """Share of the hold time that has gone by, [0, 1]."""
        if self.state == "fired":
            return 1.0
        if self.state != "holding":
            return 0.0
        assert self._t is not None
        hold = self._timing.hold
        if hold == 0:
            return 1.0
        return min(self._elapsed(self._t) / hold, self._held / (SHARE * hold), 1.0)

    def cooling(self, t: float) -> float:
        """Seconds until it may fire again."""
        return max(self._fired_at + self._timing.cooldown - t, 0.0)

    def happen(self, t: float, is_enabled: bool) -> Phase | None:
        """Take in the frame in which a motion happened: it fires now or not at all."""
        phase = self.update(t, False)
        if phase is not None or self.state == "fired" or not is_enabled or self.cooling(t) > 0:
            return phase
        self.state, self.since, self._fired_at = "fired", t, t
        self._seen = t
        return "begin"

    def let_go(self) -> bool:
        """End at once what has begun and does not hold in this frame; was there anything to end?"""
        if not self.has_fired or self._was_held:
            return False
        self.state = "ready"
        return True

    def update(self, t: float, holds: bool | None) -> Phase | None:
        """Take in a frame; what happens with it. A time that runs backwards is a new beginning."""
        if self._t is not None and t < self._t:
            ended: Phase | None = "end" if self.has_fired else None
            self.restart()
            self._t = self._known = t
            return ended
        step = 0.0 if self._t is None else min(t - self._t, LONGEST_STEP)
        self._t = t
        if holds is None:
            self._was_held = False
            self._unsure += step
            if self._known is not None and t - self._known < UNSURE_FOR:
                return None
            return self._absent(t, step)
        self._known = t
        return self._present(t, step) if holds else self._absent(t, step)

    def _present(self, t: float, step: float) -> Phase | None:
        if self.state == "ready":
            self.state, self.since = "holding", t
            self._held = self._unsure = 0.0
        elif self.state == "holding" and self._was_held:
            self._held += step
        self._seen, self._was_held = t, True
        early = min(step / 2, NEAREST) + 1e-6
        if self.state == "holding":
            hold = self._timing.hold
            is_long = self._elapsed(t) + early >= hold and self._held + early >= SHARE * hold
            if not is_long or self.cooling(t) > 0:
                return None
            self.state, self._fired_at = "fired", t
            return "begin"
        repeats = self.state == "fired" and self._timing.repeat > 0
        if repeats and t - self._fired_at + early >= self._timing.repeat:
            self._fired_at = t
            return "repeat"
        return None

    def _absent(self, t: float, step: float) -> Phase | None:
        self._was_held = False
        early = min(step / 2, NEAREST) + 1e-6
        if self._seen is not None and t - self._seen + early < self._timing.release:
            return None
        fired, self.state = self.has_fired, "ready"
        return "end" if fired else None

    def _elapsed(self, t: float) -> float:
        """Seconds since it first held, those without the unsure ones."""
        return t - self.since - self._unsure
