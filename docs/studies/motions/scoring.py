"""What was told of films against what was made in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from docs.studies.motions.people import Done, Stream
from tracker.gestures.motions.naming import KEPT
from tracker.gestures.motions.spotting import Happenings, Spotter, is_resting
from tracker.gestures.motions.windows import path_of
from tracker.result import Result

LATE = 0.6  # s after its end in which a motion may be told
Told = tuple[str, float]  # name, when


@dataclass(slots=True, eq=False)
class Score:
    """Counts over films."""

    made: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)  # once and rightly
    other: Counter[str] = field(default_factory=Counter)  # as something else: 'made as told'
    false: Counter[str] = field(default_factory=Counter)  # where nothing was made
    seconds: float = 0.0
    late: list[float] = field(default_factory=list)  # s after the end

    def row(self) -> dict[str, object]:
        """As it is printed."""
        made = sum(self.made.values())
        return {
            "made": made,
            "told": {n: f"{self.told[n]}/{self.made[n]}" for n in sorted(self.made)},
            "recall": round(sum(self.told.values()) / made, 3) if made else None,
            "other": dict(self.other.most_common(8)),
            "minutes": round(self.seconds / 60, 1),
            "false": dict(self.false),
            "false_an_hour": round(3600 * sum(self.false.values()) / max(self.seconds, 1), 1),
            "late_ms": [round(1000 * v) for v in np.quantile(self.late, (0.1, 0.5, 0.9))]
            if self.late else None,
        }  # fmt: skip

    def add(self, done: Sequence[Done], told: Sequence[Told], seconds: float) -> None:
        """A film."""
        self.seconds += seconds
        used: set[int] = set()
        for one in done:
            self.made[one.name] += 1
            near = [
                j for j, (_, t) in enumerate(told)
                if one.start <= t <= one.end + LATE and j not in used
            ]  # fmt: skip
            right = [j for j in near if told[j][0] == one.name]
            if right:
                self.told[one.name] += 1
                self.late.append(told[right[0]][1] - one.end)
            for j in near:
                if j not in right[:1]:
                    self.other[f"{one.name} as {told[j][0]}"] += 1
            used |= set(near)
        for j, (name, _) in enumerate(told):
            if j not in used:
                self.false[name] += 1


def told_of(stream: Stream, spotter: Spotter) -> list[Told]:
    """What a tracker tells of a film, as `MotionNames` does."""
    path = path_of(stream.t, stream.xy, stream.is_mirrored)
    likely = spotter.likely(path, path.t)
    happenings = Happenings(spotter.names, spotter.thresholds)
    found = []
    for row, t in zip(likely, path.t, strict=True):
        if is_resting(path.between(t - KEPT, t)):
            continue
        happened = happenings.take(row, float(t))
        if happened is not None:
            found.append((happened[0], float(t)))
    return found


def told_in(result: Result) -> list[Told]:
    """What a tracker tells with a frame."""
    return [(t.happened.name, result.t) for t in result.tracks if t.happened is not None]
