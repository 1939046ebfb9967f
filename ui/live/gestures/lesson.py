"""A lesson: the gesture is shown for ten seconds, then anything else; samples are taken. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tracker.gestures.motions.learn import LEAST as OFTEN
from tracker.gestures.motions.learn import count
from tracker.gestures.naming import sample_of
from tracker.gestures.own import OF, Gesture, Own, Sample, shown
from tracker.gestures.recogniser import LEAST
from tracker.gestures.teaching import told_of
from tracker.types import Track

Phase = Literal["get ready", "show it", "anything else next", "show anything else", "done"]
READY, SHOW = 3.0, 10.0  # seconds
COUNT_EVERY = 10  # samples of a motion: how often it was made
PHASES: tuple[tuple[Phase, float], ...] = (
    ("get ready", READY),
    ("show it", SHOW),
    ("anything else next", READY),
    ("show anything else", SHOW),
)


class Lesson:
    """One gesture while it is being shown. Times are seconds of one clock."""

    def __init__(self, gesture: Gesture, now: float) -> None:
        """Begins now, with time to get ready."""
        self.gesture, self._begun = gesture, now
        self._samples: dict[str, list[Sample]] = {of: [] for of in OF}
        self._times = 0  # that a motion was made, as last counted

    def phase(self, now: float) -> tuple[Phase, float]:
        """What is to be done, and how much of its time is over, [0, 1]."""
        passed = now - self._begun
        for phase, seconds in PHASES:
            if passed < seconds:
                return phase, max(passed, 0.0) / seconds
            passed -= seconds
        return "done", 1.0

    def take(self, tracks: Sequence[Track], now: float, t: float | None = None) -> bool:
        """Take what a frame of time t shows; False where a hand (or the other one) is missing.

        `t` None: when it is taken.
        """
        phase, _ = self.phase(now)
        t = now - self._begun if t is None else t
        both = self.gesture.hands == "both"
        if phase == "show it":
            found = sample_of(tracks, t, both)
            self._samples["gesture"] += found
            if self.gesture.is_motion and self.count() % COUNT_EVERY == 0:
                self._times = count([self._samples["gesture"]])
        elif phase == "show anything else":
            every = not both and not self.gesture.is_motion
            found = sample_of(tracks, t, both, every)
            self._samples["anything else"] += found
        else:
            return True
        return bool(found)

    def skip(self, now: float) -> None:
        """Leave out what is left of this phase; of the last two phases both."""
        phase, over = self.phase(now)
        names = [name for name, _ in PHASES]
        if phase in names:
            at = names.index(phase)
            rest = (1 - over) * PHASES[at][1] + (PHASES[3][1] if at == 2 else 0)
            self._begun -= rest + 1e-6

    def count(self, of: str = "gesture") -> int:
        """Samples so far."""
        return len(self._samples[of])

    @property
    def progress(self) -> str:
        """How much of the gesture was seen so far, in words."""
        if not self.gesture.is_motion:
            return "1 sample." if self.count() == 1 else f"{self.count()} samples."
        return f"Seen {self._times} times so far; six are good."

    @property
    def problem(self) -> str:
        """Why it cannot be learnt, in a sentence; '' where it can."""
        if self.count() >= LEAST:
            return self._too_few_times() if self.gesture.is_motion else ""
        hands = "both hands were" if self.gesture.hands == "both" else "a hand was"
        return (
            f"{hands} seen in {self.count()} frames and {LEAST} are the least; show it again, "
            "nearer, in good light"
        )

    def _too_few_times(self) -> str:
        times = count([self._samples["gesture"]])
        if times >= OFTEN:
            return ""
        return (
            f"it was seen {times} times and {OFTEN} are the least; show it again, with a short "
            "rest before each time"
        )

    def added_to(self, own: Own, source: str) -> Own:
        """With its takes."""
        for of in OF:
            if self._samples[of]:
                own = shown(own, self.gesture, of, self._samples[of], told_of(source))
        return own
