"""Which frames to label next: those from which the network would learn most.

A frame ranks high where the network disagrees with itself under warps (ELT), where an object was
lost that is there before and after, and where it is unlike what is labelled or chosen already; see
`ranking.choose`. Pictures of sets are ranked with the frames of clips. What is held out
(labels/split.json) is left out: it tests, it does not teach. The same project, labels and model
give the same answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tracker.find.locate import Model, cut
from tracker.progress import Report, silent
from tracker.sources.picture_file import load_picture
from tracker.types import Floats, Image
from train.data.from_project import Split, read_split
from train.project.clips import Clip, read_clips
from train.project.labels import FrameLabel, Labels, ObjectLabel, picture_name
from train.project.layout import Project
from train.project.object_crops import crop_of
from train.project.stills import read_stills
from train.suggest.prelabel import shared_landmarks
from train.suggest.ranking import LOOK, Candidates, capped, choose, look_of
from train.suggest.survey import Row, Stop, survey
from train.suggest.uncertainty import LOOK_CROP

UNSURE = 1.3  # times a landmark's usual disagreement from which it is named
MOST_NAMES = 2
LOST = 1.2  # value of a frame where an object was lost, in those of the least sure ones


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A frame to label, and why."""

    clip: str
    frame: int
    t: float | None  # seconds; None: a picture of a set, which has no time
    disagreement: float | None  # mean over landmarks and warps, % of the crop's side
    why: str


def suggest(
    project: Project,
    labels: Labels,
    model: Model | None,
    count: int,
    report: Report = silent,
    stop: Stop = lambda: False,
) -> list[Suggestion]:
    """At most `count` frames that are not labelled yet, best first.

    `report` gets frames looked at and frames to look at. Once `stop` is true, what was finished by
    then is ranked. Without a model the frames that differ most from each other are taken.
    UserError when a clip cannot be read.
    """
    clips = teaching_clips(project)
    rows = survey(project, clips, model, report, stop)
    sets = {c.name for c in clips if c.is_stills}
    free = [
        (name, row)
        for name in sorted(rows)
        for row in rows[name]
        if (name, row.frame) not in labels.frames
    ]
    split = _split(project)
    free = [(name, row) for name, row in free if split.side(name, row.t) == "train"] or free
    if not free or count < 1:
        return []
    pairs = [] if model is None else shared_landmarks(project, model.info.landmarks)
    used = [j for _, j in pairs] or list(range(0 if model is None else len(model.info.landmarks)))
    place = {name: i for i, name in enumerate(sorted(set(rows) - sets))}
    pool = _pool(free, place, used)
    known = _known(project, labels, place, [i for i, _ in pairs], len(used))
    names = [] if model is None else [model.info.landmarks[j] for j in used]
    reason = _Reasons([row for _, row in free], used, names, bool(labels.frames))
    return [
        Suggestion(free[i][0], free[i][1].frame,
                   None if free[i][0] in sets else free[i][1].t,
                   mean_of(free[i][1], used), reason.of(free[i][1]))
        for i, _ in choose(pool, known, count)
    ]  # fmt: skip


def teaching_clips(project: Project) -> list[Clip]:
    """The clips and sets that are not held out; all of them where nothing else would be left."""
    clips = [*read_clips(project), *read_stills(project)]
    teaching = [c for c in clips if c.name not in held_out(project)]
    return teaching or clips


def held_out(project: Project) -> frozenset[str]:
    """The clips of labels/split.json; none where the file is missing or is no split."""
    return frozenset(_split(project).hold)


def _split(project: Project) -> Split:
    """What is held out of a clip, and the frames too near it to be learnt from."""
    try:
        return read_split(project) or Split()
    except (OSError, ValueError):
        return Split()  # 'train check' tells what is wrong with it


def mean_of(row: Row, used: Sequence[int]) -> float | None:
    """Mean disagreement of some landmarks; None where no object was found to measure it on."""
    if row.each is None or not np.isfinite(row.each[list(used)]).any():
        return None
    return float(np.nanmean(row.each[list(used)]))


def _pool(
    free: Sequence[tuple[str, Row]], place: Mapping[str, int], used: Sequence[int]
) -> Candidates:
    """All candidates. A lost object counts as more than the least sure ones, a frame in which
    nothing was found as much as the usual one. A picture of a set is close in time to nothing.
    """
    means = [mean_of(row, used) for _, row in free]
    measured = capped([v for v in means if v is not None])
    usual = float(np.median(measured)) if len(measured) else 1.0
    top = float(measured.max()) if len(measured) else 1.0
    value = np.array([
        LOST * top if row.state == "lost" else usual if v is None else min(v, top)
        for v, (_, row) in zip(means, free, strict=True)
    ])  # fmt: skip
    nothing = np.full((len(used), 2), np.nan, np.float32)
    return Candidates(
        value.astype(np.float32),
        np.array([place.get(name, len(place) + i) for i, (name, _) in enumerate(free)], np.int64),
        np.array([row.t for _, row in free], np.float64),
        np.stack([nothing if row.xy is None else row.xy[list(used)] for _, row in free]),
        np.stack([row.look for _, row in free]),
    )


def _known(
    project: Project, labels: Labels, place: Mapping[str, int], own: Sequence[int], count: int
) -> Candidates:
    """What is labelled: a row for each object, and for each frame in which there is none.

    `own`: the project's landmarks that the model has too, in the order of the candidates' `count`.
    """
    clips, times, shapes, looks = [], [], [], []
    for key in sorted(labels.frames):
        label = labels.frames[key]
        picture = _picture(project, label)
        for found in label.objects or (None,):
            clips.append(place.get(label.clip, -1))
            times.append(label.t)
            shape = np.full((count, 2), np.nan, np.float32)
            if found is not None and own:
                shape = found.xy[list(own)]
            shapes.append(shape)
            looks.append(_look(project, picture, found))
    return Candidates(
        np.zeros(len(times), np.float32),
        np.array(clips, np.int64),
        np.array(times, np.float64),
        np.stack(shapes) if shapes else np.zeros((0, count, 2), np.float32),
        np.stack(looks) if looks else np.zeros((0, LOOK * LOOK), np.float32),
    )


def _picture(project: Project, label: FrameLabel) -> Image | None:
    path = project.labels_dir / picture_name(*label.key)
    return load_picture(path)


def _look(project: Project, picture: Image | None, found: ObjectLabel | None) -> Floats:
    if picture is None:
        return np.full(LOOK * LOOK, np.nan, np.float32)
    box = None if found is None else crop_of(project, found)
    return look_of(picture if box is None else cut(picture, box, LOOK_CROP))


class _Reasons:
    """Why a frame is suggested, in words."""

    def __init__(
        self, rows: Sequence[Row], used: Sequence[int], names: Sequence[str], any_label: bool
    ) -> None:
        measured = [row.each[list(used)] for row in rows if row.each is not None]
        # Fingertips are always less sure than the palm: each landmark against its own median.
        table = np.stack(measured) if measured else np.ones((1, len(used)), np.float32)
        with np.errstate(all="ignore"):
            self._usual = np.nanmedian(table, 0) if len(used) else np.zeros(0)
        self._used, self._names = list(used), list(names)
        self._unlike = "unlike labelled frames" if any_label else "unlike the other frames"

    def of(self, row: Row) -> str:
        """Such as 'unsure of pinky_tip, ring_tip'."""
        if row.state == "lost":
            return "lost here"
        if row.each is None:
            return "nothing found here" if self._used else self._unlike
        ratio = np.nan_to_num(row.each[self._used] / np.maximum(self._usual, 1e-6))
        unsure = np.flatnonzero(ratio >= UNSURE)
        if not len(unsure):
            return self._unlike
        if len(unsure) > max(MOST_NAMES, len(ratio) / 2):
            return "unsure of most landmarks"
        worst = unsure[np.argsort(-ratio[unsure], kind="stable")][:MOST_NAMES]
        return "unsure of " + ", ".join(self._names[k] for k in worst)


def to_rows(found: Sequence[Suggestion]) -> list[dict[str, object]]:
    """For a JSON list; null: a disagreement that was not measured, the time of a picture."""
    return [
        {"clip": s.clip, "frame": s.frame, "t_s": None if s.t is None else round(s.t, 6),
         "disagreement": None if s.disagreement is None else round(s.disagreement, 3),
         "why": s.why}
        for s in found
    ]  # fmt: skip
