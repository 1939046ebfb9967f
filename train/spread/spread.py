"""Spread labels: follow what is labelled in a frame to its neighbours, and propose it there.

Each stretch between two labelled frames is gone through from both ends; a point's place is the mean
of both by how sure each is. What comes out is for `Store.propose`, a stretch at a time: stopped or
killed, what was found is kept, and the next spreading goes on with the other stretches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np

from tracker.find.locate import Model
from tracker.progress import Report
from tracker.types import Frame, Image
from train.project.clips import ClipFrames
from train.project.labels import SPREAD, FrameLabel, Key, ObjectLabel
from train.project.layout import Project
from train.spread.flow import Followed, as_sure, between, corrected, followed, labelled
from train.spread.opinion import Opinion
from train.spread.stretches import SpreadSpec, Stretch

LARGEST = 1280  # pixels, longer side of a frame as it is followed
ENOUGH = 0.5  # of an object's points must be sure enough, or it is not proposed
Stop = Callable[[], bool]
Places = dict[int, dict[int, Followed]]  # of frames: of objects, by their numbers


class Frames(Protocol):
    """Frames of a clip by their numbers."""

    def frame(self, i: int) -> Frame:
        """`bgr` None where it cannot be decoded."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What came of a stretch: for each of its frames a proposal, or None."""

    stretch: Stretch
    proposals: Mapping[Key, FrameLabel | None]


def spread(
    project: Project, todo: Sequence[Stretch], model: Model | None, spec: SpreadSpec,
    report: Report, stop: Stop,
) -> Iterator[Found]:  # fmt: skip
    """Go through stretches, in their order; ends early, between two frames, where `stop` says so.

    A stretch that was not gone through to its end does not come out. UserError where a clip cannot
    be read.
    """
    opinion = Opinion(project, model)
    total, done = sum(s.steps(spec) for s in todo), 0

    def told() -> bool:
        nonlocal done
        done += 1
        report(min(done, total), total)
        return stop()

    for stretch in todo:
        with closing(ClipFrames(project, stretch.clip)) as frames:
            found = one_stretch(frames, stretch, opinion, spec, told)
            times = frames.times
        if found is None:
            return
        size = stretch.clip.size_wh
        proposals = {
            (stretch.clip.name, i): proposal(
                FrameLabel(stretch.clip.name, i, float(times[i]), size, ()), found.get(i), spec
            )
            for i in stretch.forward
        }
        yield Found(stretch, proposals)


def one_stretch(
    frames: Frames, stretch: Stretch, opinion: Opinion, spec: SpreadSpec, told: Stop
) -> Places | None:
    """Where objects are in the frames of a stretch, in pixels of the clip; None: it was stopped."""
    ways: list[Places] = []
    numbers = list(stretch.forward)
    for label, order in ((stretch.before, numbers), (stretch.after, numbers[::-1])):
        if label is None or not label.objects:
            continue
        order = order[: spec.frames]
        held = _Held(frames, [label.frame, *order])
        found = _one_way(held, label, order, opinion, spec, told)
        if found is None:
            return None
        ways.append(found)
    return ways[0] if len(ways) == 1 else _joined(*ways)


class _Held:
    """A stretch's frames as they are followed, none larger than LARGEST, read once in order."""

    def __init__(self, frames: Frames, numbers: Sequence[int]) -> None:
        self._frames = frames
        self._kept: dict[int, Image | None] = {}
        self.scale = 1.0
        if len(numbers) > 1 and numbers[0] > numbers[1]:
            for i in sorted(numbers):  # clips are read forward; going back would read them again
                self._kept[i] = self._read(i)

    def frame(self, i: int) -> Image | None:
        """(H, W, 3), or None where it cannot be decoded."""
        return self._kept.pop(i) if i in self._kept else self._read(i)

    def _read(self, i: int) -> Image | None:
        bgr = self._frames.frame(i).bgr
        if bgr is None or max(bgr.shape[:2]) <= LARGEST:
            return bgr
        self.scale = LARGEST / max(bgr.shape[:2])
        smaller = cv2.resize(bgr, None, fx=self.scale, fy=self.scale, interpolation=cv2.INTER_AREA)
        return np.asarray(smaller, np.uint8)


def _one_way(
    held: _Held, label: FrameLabel, order: Sequence[int], opinion: Opinion, spec: SpreadSpec,
    told: Stop,
) -> Places | None:  # fmt: skip
    """From a labelled frame through others, up to where nothing is sure any more."""
    picture = held.frame(label.frame)
    if picture is None:
        return {}
    scale = held.scale
    now = _begin(label, scale)
    biases = {i: opinion.bias(picture, f) for i, f in now.items()}
    places: Places = {}
    for at in order:
        if told():
            return None
        after = held.frame(at)
        if after is None or after.shape != picture.shape or not now:
            break
        now = {i: followed(f, picture, after) for i, f in now.items()}
        if opinion.is_heard:
            now = {i: corrected(f, *opinion.of(after, f, biases[i])) for i, f in now.items()}
        now = {i: f for i, f in now.items() if _is_sure(f, spec)}
        places[at] = {i: _scaled(f, 1 / scale) for i, f in now.items()}
        picture = after
    return places


def _begin(label: FrameLabel, scale: float) -> dict[int, Followed]:
    now = {}
    for found in label.objects:
        try:
            start = labelled(found.xy, found.v, label.frame)
        except ValueError:
            continue  # a box, or a single point: there is nothing to follow
        if found.confidence is not None:  # spread itself, beside an object by hand
            start = as_sure(start, found.confidence)
        now[found.id] = _scaled(start, scale)
    return now


def _scaled(found: Followed, by: float) -> Followed:
    """From pixels of one size of the frame to those of another, centres at integers."""
    if by == 1.0:
        return found
    xy = ((found.xy + 0.5) * by - 0.5).astype(np.float32)
    return replace(found, xy=xy, side=found.side * by)


def _is_sure(found: Followed, spec: SpreadSpec) -> bool:
    known = np.isfinite(found.xy).all(1)
    return bool((found.confidence[known] >= spec.min_confidence).mean() >= ENOUGH)


def _joined(a: Places, b: Places) -> Places:
    out: Places = {}
    for at in {*a, *b}:
        one, other = a.get(at, {}), b.get(at, {})
        out[at] = {
            i: between(one[i], other[i]) if i in one and i in other else (one.get(i) or other[i])
            for i in {*one, *other}
        }
    return out


def proposal(
    blank: FrameLabel, found: Mapping[int, Followed] | None, spec: SpreadSpec
) -> FrameLabel | None:
    """What is proposed for a frame, which is `blank` as yet; None where nothing is sure.

    Points that are not sure enough, or have left the frame, are not labelled.
    """
    objects = []
    for i, f in sorted((found or {}).items()):
        inside = (f.xy >= 0).all(1) & (f.xy <= np.array(blank.size_wh) - 1).all(1)  # not where NaN
        sure = f.confidence
        kept = inside & (sure >= spec.min_confidence)
        if kept.sum() < 2 or not _is_sure(f, spec):
            continue
        v = np.where(kept, np.where(f.seen, 2, 1), 0).astype(np.uint8)
        xy = np.where(kept[:, None], f.xy, np.nan).astype(np.float32)
        sure = np.where(kept, sure, 0).astype(np.float32)
        objects.append(ObjectLabel(i, xy, v, None, SPREAD, sure, f.came_from))
    return replace(blank, objects=tuple(objects)) if objects else None
