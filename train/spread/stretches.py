"""Between which labelled frames of which clips labels can spread, and where they have already."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tracker.errors import UserError
from tracker.find.locate import Model
from train.project.clips import Clip
from train.project.labels import FrameLabel, Labels, ObjectLabel
from train.project.layout import Project
from train.suggest.survey import model_key

VERSION = 2  # of how points are followed; raise it, and everything is spread anew


@dataclass(frozen=True, slots=True)
class SpreadSpec:
    """How far labels spread, and which points are proposed."""

    frames: int = 50  # from a label at most, forward and backward
    min_confidence: float = 0.5  # of a point; below, it is not proposed

    def __post_init__(self) -> None:
        """ValueError for what cannot be meant."""
        if self.frames < 1 or not 0 < self.min_confidence < 1:
            raise ValueError(
                f"labels spread over a frame at least and points need a confidence between 0 and "
                f"1, found {self.frames} frames and {self.min_confidence:g}; give others"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Frames of a clip between two labelled ones (or before the first, after the last)."""

    clip: Clip
    before: FrameLabel | None  # labelled by hand; None: the clip's beginning
    after: FrameLabel | None
    name: str  # changes with the labels, the clip, the model and the spec

    @property
    def forward(self) -> range:
        """Frames without a label up to the one after, in their order."""
        first = 0 if self.before is None else self.before.frame + 1
        return range(first, self.clip.frames if self.after is None else self.after.frame)

    @property
    def words(self) -> str:
        """Its frames, for people."""
        return f"frames {self.forward.start} to {self.forward.stop - 1}"

    def steps(self, spec: SpreadSpec) -> int:
        """Frames that are looked at, forward and backward."""
        ways = (self.before is not None) + (self.after is not None)
        return ways * min(spec.frames, len(self.forward))


def stretches(
    project: Project, labels: Labels, clips: Iterable[Clip], spec: SpreadSpec, model: str
) -> list[Stretch]:
    """All of these clips between and beside labels by hand; `model` tells models apart.

    Pictures of a set say nothing about each other.
    """
    found = []
    for clip in clips:
        mine = (f for k, f in labels.by_hand().items() if k[0] == clip.name)
        # 'train check' tells of labels beyond the clip's end; nothing spreads from them.
        own = sorted((f for f in mine if f.frame < clip.frames), key=lambda f: f.frame)
        if clip.is_stills or not any(f.objects for f in own):
            continue
        for before, after in zip([None, *own], [*own, None], strict=True):
            ends = [f for f in (before, after) if f is not None and f.objects]
            name = _name(project, clip, (before, after), spec, model)
            stretch = Stretch(clip, before, after, name)
            if ends and len(stretch.forward):
                found.append(stretch)
    return found


def open_ones(found: Sequence[Stretch], labels: Labels) -> list[Stretch]:
    """Those that were not gone through yet."""
    return [s for s in found if s.name not in labels.spread]


@dataclass(frozen=True, slots=True, eq=False)
class SpreadPlan:
    """What one spreading goes through."""

    stretches: tuple[Stretch, ...]
    forgotten: dict[str, bool]  # stretches of labels that have changed since, for `Store.propose`
    group: str  # names this spreading: one undo


def plan_of(
    project: Project, labels: Labels, clips: Sequence[Clip], spec: SpreadSpec, model: Model | None
) -> SpreadPlan:
    """All stretches of these clips, whether gone through or not."""
    found = stretches(project, labels, clips, spec, model_key(model))
    now, names = {s.name for s in found}, {c.name for c in clips}
    old = sorted(n for n in labels.spread if n.split("/")[0] in names and n not in now)
    return SpreadPlan(tuple(found), dict.fromkeys(old, False), secrets.token_hex(8))


def chosen_clips(clips: Sequence[Clip], names: Sequence[str]) -> list[Clip]:
    """The clips of these names (with or without suffix), all where none is named.

    UserError for a name that no clip has.
    """
    for name in names:
        if not any(c.is_called(name) for c in clips):
            there = ", ".join(c.name for c in clips) or "none yet"
            raise UserError(f"the project has no clip '{name}'; it has {there}")
    return [c for c in clips if not names or any(c.is_called(name) for name in names)]


def span_at(labels: Labels, clip: str, frame: int, frames: int) -> range:
    """The frames around one up to the labels by hand on both sides; `frames` of the clip."""
    own = sorted(f for name, f in labels.by_hand() if name == clip)
    low = max((f for f in own if f <= frame), default=-1)
    high = min((f for f in own if f > frame), default=frames)
    return range(low + 1, high)


def _name(
    project: Project, clip: Clip, ends: tuple[FrameLabel | None, FrameLabel | None],
    spec: SpreadSpec, model: str,
) -> str:  # fmt: skip
    """clip/digest of everything on which what comes out depends."""
    told = [None if f is None else [f.frame, [_told(o) for o in f.objects]] for f in ends]
    body = [VERSION, clip.sha256, told, spec.frames, spec.min_confidence, model, project.landmarks]
    digest = hashlib.sha256(json.dumps(body).encode()).hexdigest()
    return f"{clip.name}/{digest[:16]}"


def _told(found: ObjectLabel) -> list[object]:
    return [found.id, np.nan_to_num(found.xy).round(2).tolist(), found.v.tolist()]
