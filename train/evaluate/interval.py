"""Is one model's error smaller than another's on the hold-out, or may that be chance?

Both are measured on the same objects, so what is resampled are pairs. Frames of a clip that follow
each other show much the same: a bootstrap over single objects would be far too sure. Groups are
resampled instead, whole clips where there are enough of them, else stretches of a clip (Kuensch,
The jackknife and the bootstrap for general stationary observations, 1989).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FEWEST_JUDGED = 20  # held-out objects below which no difference is believed
FEW_GROUPS = 5  # below which resampling them says nothing
RESAMPLES = 4000
COVERED = 0.95  # of the interval

Verdict = Literal["better", "worse", "none", "few"]


@dataclass(frozen=True, slots=True)
class Change:
    """From the base's mean NME (%) to that of the fine-tuned model, on the same objects."""

    objects: int
    groups: int
    by: str  # what a group is: 'clips', or 'stretches of a clip'
    before: float  # %
    after: float  # %
    percent: float  # change of the mean, % of what it was; below 0: smaller errors
    low: float  # 95 % interval of that; NaN with fewer than FEW_GROUPS groups
    high: float

    @property
    def verdict(self) -> Verdict:
        """'few' objects or groups to tell; 'none' where the interval holds 0."""
        if self.objects < FEWEST_JUDGED or not np.isfinite(self.low + self.high):
            return "few"
        return "better" if self.high < 0 else "worse" if self.low > 0 else "none"

    @property
    def words(self) -> str:
        """One sentence without its full stop."""
        spoken = f"{self.percent:+.0f} %"
        if np.isfinite(self.low + self.high):
            spoken += f" (95 % interval {self.low:+.0f} to {self.high:+.0f} %)"
        if self.verdict == "few":
            return (
                f"no difference shown: {spoken}, but {self.objects} held-out objects in "
                f"{self.groups} {self.by} are too few to tell ({FEWEST_JUDGED} in {FEW_GROUPS} are "
                "the least)"
            )
        if self.verdict == "none":
            return f"no difference shown: {spoken}, and the interval holds 0"
        size = "smaller" if self.verdict == "better" else "larger"
        return f"the error is {size}: {spoken}"

    def as_json(self) -> dict[str, Any]:
        """All of it as plain data; null where a number is not known."""
        numbers = {
            k: None if isinstance(v, float) and not np.isfinite(v) else v
            for k, v in asdict(self).items()
        }
        return {**numbers, "verdict": self.verdict, "words": self.words}


def grouped(clips: Sequence[str]) -> tuple[NDArray[np.int64], str]:
    """A group number for each object, and what a group is.

    `clips`: the clip of each object, objects of a clip in order of time. With FEW_GROUPS clips or
    more a group is a clip; else a stretch of n^(1/3) (rounded up) of a clip's n objects.
    """
    names = list(dict.fromkeys(clips))
    if len(names) >= FEW_GROUPS:
        at = {name: i for i, name in enumerate(names)}
        return np.array([at[c] for c in clips], np.int64), "clips"
    out = np.zeros(len(clips), np.int64)
    begun = 0
    for name in names:
        rows = np.flatnonzero([c == name for c in clips])
        length = int(np.ceil(round(len(rows) ** (1 / 3), 9)))
        out[rows] = begun + np.arange(len(rows)) // length
        begun = int(out[rows[-1]]) + 1
    return out, "stretches of a clip"


def change_between(
    base: NDArray[np.float64], tuned: NDArray[np.float64], clips: Sequence[str], seed: int = 0
) -> Change | None:
    """From the NME (N,) of each object (%; NaN: not labelled) to their change; None without any."""
    known = np.isfinite(base) & np.isfinite(tuned)
    if not known.any():
        return None
    a, b = base[known], tuned[known]
    groups, by = grouped([c for c, k in zip(clips, known, strict=True) if k])
    count = int(groups.max()) + 1
    low, high = float("nan"), float("nan")
    if count >= FEW_GROUPS:
        sums = np.stack([np.bincount(groups, v, count) for v in (a, b)])  # (2, groups)
        picked = np.random.default_rng(seed).integers(0, count, (RESAMPLES, count))
        before, after = sums[:, picked].sum(-1)
        ends = np.percentile(100 * (after / before - 1), [50 - 50 * COVERED, 50 + 50 * COVERED])
        low, high = float(ends[0]), float(ends[1])
    percent = 100 * (float(b.mean()) / float(a.mean()) - 1)
    return Change(len(a), count, by, float(a.mean()), float(b.mean()), percent, low, high)
