"""From a project folder to a data set: labelled frames, labelled time ranges, unlabelled frames."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tracker.find.markups import IRISES, rule_of
from tracker.plain_data import finite, from_json
from tracker.sources.picture_file import load_picture
from tracker.whole_files import write_whole
from train.data.cutouts import ClipCutouts, Part, cut_labelled, cut_objects, frame_picture
from train.data.pictures import DataSet, Example, Markup
from train.project.clips import Clip, ClipFrames, read_clips
from train.project.labels import SPREAD, FrameLabel, Labels, Range
from train.project.layout import Project
from train.project.object_crops import is_by_box
from train.project.stills import read_stills

HOLD_SHARE = 0.2  # of the labelled frames (and of the ranges' seconds) that is held out at least
MOST_SPREAD = 60  # proposals of a clip that are learnt from
CLIP = "clip"  # source of every example but those that were spread
GAP = 1.0  # s left out on both sides of a held-out stretch of a clip
NOTHING = "nothing: "  # how the reasons begin for which nothing is held out
ONE_CLIP = (
    "a stretch of one clip, because no whole clip can be spared: the numbers flatter; label frames "
    "in a second clip"
)


@dataclass(frozen=True, slots=True)
class Split:
    """What is held out: whole clips, or, where there is only one clip, a stretch of it."""

    hold: tuple[str, ...] = ()
    stretch: tuple[str, float, float] | None = None  # clip, from, to (s)
    why: str = ""

    @property
    def makeshift(self) -> int:
        """2 where nothing was held out, 1 for a stretch, for want of labels; 0 for whole clips, and
        for what somebody wrote.
        """
        if self.hold:
            return 0
        nothing = self.stretch is None and self.why.startswith(NOTHING)
        return 2 if nothing else int(self.stretch is not None and self.why == ONE_CLIP)

    def side(self, clip: str, t: float) -> str:
        """'hold', 'train', or 'gap' for what is too near a held-out stretch to be used."""
        if clip in self.hold:
            return "hold"
        if self.stretch is not None and clip == self.stretch[0]:
            if self.stretch[1] <= t <= self.stretch[2]:
                return "hold"
            if self.stretch[1] - GAP <= t <= self.stretch[2] + GAP:
                return "gap"
        return "train"


@dataclass(frozen=True, slots=True)
class Census:
    """What a project offers for training, in numbers."""

    labelled: Mapping[str, int]  # objects with landmarks by hand, by side of the split
    unlabelled: Mapping[str, int]  # followed objects without landmarks
    attributes: Mapping[str, Mapping[str, Mapping[str, int]]]  # attribute, class, side: examples
    negatives: int
    ambiguous: int  # frames of ranges that show several objects: not used for the attribute
    spread: int = 0  # objects whose landmarks were followed from labels by hand; none is held out


def markup_of(project: Project) -> Markup:
    """The project's landmarks as training knows them."""
    return Markup(project.landmarks, project.edges, project.flip_pairs, project.drawing)


def with_irises(data: DataSet) -> DataSet:
    """The same with two landmarks more that nothing labels: a base that has them beside the 68 of
    a face, and all that it tells of faces, keeps what it knows.
    """
    markup, count = data.markup, len(data.markup.landmarks)
    nowhere, no = np.full((len(IRISES), 2), np.nan, np.float32), [False] * len(IRISES)
    examples = tuple(
        replace(
            e,
            xy=np.concatenate([e.xy, nowhere]),
            labelled=np.append(e.labelled, no),
            hidden=None if e.hidden is None else np.append(e.hidden, no),
            sure=None if e.sure is None else np.append(e.sure, np.zeros(len(no), np.float32)),
        )
        for e in data.examples
    )
    more = replace(
        markup,
        landmarks=(*markup.landmarks, *IRISES),
        flip_pairs=(*markup.flip_pairs, (count, count + 1)),
    )
    return DataSet(more, examples, data.cache)


def read_split(project: Project) -> Split | None:
    """labels/split.json, if there is one; ValueError when it cannot be read.

    A clip may be named without its suffix.
    """
    if not project.split_path.is_file():
        return None
    try:
        found = from_json(project.split_path.read_text(encoding="utf-8"))
        hold, stretch, clips = found["hold"], found.get("stretch"), read_clips(project)
        if not isinstance(hold, list):
            raise TypeError("hold must be a list")
        return Split(
            tuple(_whole_name(str(c), clips) for c in hold),
            None if stretch is None
            else (_whole_name(str(stretch[0]), clips), finite(stretch[1]), finite(stretch[2])),
            str(found.get("why", "")),
        )  # fmt: skip
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(
            f'{project.split_path} is no split; it should be like {{"hold": ["clip.mp4"]}}'
        ) from error


def _whole_name(name: str, clips: Sequence[Clip]) -> str:
    return next((c.name for c in clips if c.is_called(name)), name)


def write_split(project: Project, split: Split) -> None:
    """Keep it for later runs; the user may edit the file."""
    found: dict[str, Any] = {"hold": list(split.hold)}
    if split.stretch is not None:
        found["stretch"] = list(split.stretch)
    found["why"] = split.why
    write_whole(project.split_path, (json.dumps(found, indent=1) + "\n").encode())


def split_of(project: Project, labels: Labels, say: Callable[[str], None]) -> Split:
    """The project's split, chosen at the first run; anew where too little was labelled then."""
    split = read_split(project)
    if split is not None and not split.makeshift:
        refuse_unknown(project, split)
        return split
    chosen = choose_split(labels, read_clips(project))
    if split is not None and chosen.makeshift >= split.makeshift:
        return split
    if split is not None:
        say(
            "labels/split.json was chosen anew, since more is labelled now; errors of earlier runs "
            "are of other frames"
        )
    write_split(project, chosen)
    return chosen


def refuse_unknown(project: Project, split: Split) -> None:
    """ValueError where it holds out what the project has not: then nothing would be held out."""
    listed = [c.name for c in (*read_clips(project), *read_stills(project))]
    named = [*split.hold, *([] if split.stretch is None else [split.stretch[0]])]
    for name in named:
        if name not in listed:
            raise ValueError(
                f"{project.split_path} holds out '{name}', which the project has not; it has "
                f"{', '.join(listed) or 'no clip yet'}: correct the name, or delete the file and "
                "the training chooses"
            )


def range_seconds(ranges: Sequence[Range]) -> Counter[tuple[str, str, str]]:
    """Seconds by (clip, kind, label)."""
    seconds: Counter[tuple[str, str, str]] = Counter()
    for r in ranges:
        seconds[r.clip, r.kind, r.label] += max(0.0, r.end_s - r.start_s)  # type: ignore[assignment]
    return seconds


def choose_split(labels: Labels, clips: Sequence[Clip]) -> Split:
    """Hold out whole clips, in an order that depends on their names alone.

    A clip is held out only if what stays has landmarks and every class that the project's ranges
    name. With nothing but one labelled clip: the last quarter of its labelled time, which is worse,
    and said so.
    """
    frames = Counter(f.clip for f in labels.by_hand().values() if has_points(f))
    seconds = range_seconds(labels.ranges)
    used = sorted({*frames, *(clip for clip, _, _ in seconds)}, key=_order)
    hold: list[str] = []
    for clip in used:
        rest = [c for c in used if c not in hold and c != clip]
        if _share(hold, frames, seconds) >= HOLD_SHARE or not rest:
            continue
        classes = {(k, c) for (_, k, c) in seconds}
        kept = {(k, c) for (name, k, c) in seconds if name in rest}
        enough = not frames or sum(frames[c] for c in rest) >= 0.5 * sum(frames.values())
        if enough and kept == classes:
            hold.append(clip)
    if hold and (not frames or any(frames[c] for c in hold)):
        return Split(tuple(sorted(hold)), None, "whole clips, chosen by their names")
    return _stretch(labels, frames, clips)


def has_points(frame: FrameLabel) -> bool:
    """Whether errors of landmarks can be measured on a frame: boxes alone do not do."""
    return any((o.v > 0).sum() >= 2 for o in frame.objects)


def _order(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _share(
    hold: Sequence[str], frames: Counter[str], seconds: Counter[tuple[str, str, str]]
) -> float:
    """The smaller of the shares of labelled frames and of ranges' time that is held out."""
    shares = []
    if frames:
        shares.append(sum(frames[c] for c in hold) / sum(frames.values()))
    if seconds:
        inside = sum(v for (clip, _, _), v in seconds.items() if clip in hold)
        shares.append(inside / max(sum(seconds.values()), 1e-9))
    return min(shares, default=1.0)


def moment(frame: FrameLabel) -> float:
    """Seconds in the clip; of imported stills, whose set has no suffix, their number."""
    return frame.t if Path(frame.clip).suffix else float(frame.frame)


def _stretch(labels: Labels, frames: Counter[str], clips: Sequence[Clip]) -> Split:
    if not frames:
        return Split((), None, f"{NOTHING}no landmarks are labelled and no clip can be spared")
    name = max(frames, key=lambda c: (frames[c], c))
    times = sorted(moment(f) for f in labels.by_hand().values() if f.clip == name and has_points(f))
    end = next((c.seconds for c in clips if c.name == name), times[-1])
    if len(times) < 4:
        return Split((), None, f"{NOTHING}fewer than 4 labelled frames")
    start = times[-max(1, round(len(times) / 4))]
    if len(frames) == 1 and times[0] >= start - GAP:
        why = f"the labelled frames of {name} lie too close together; label more of the clip"
        return Split((), None, f"{NOTHING}{why}")
    return Split((), (name, float(start), float(max(end, times[-1]))), ONE_CLIP)


def attributes_at(project: Project, labels: Labels, clip: str, t: float) -> dict[str, Any]:
    """What the ranges say of a moment: class names, and degrees for the pose."""
    found: dict[str, Any] = {}
    for r in labels.ranges:
        if r.clip == clip and r.start_s <= t <= r.end_s:
            if r.kind == "gesture":
                found["gesture"] = r.label
            elif r.kind == "pose":
                found["pose"] = list(pose_values(project, r.label))
    return found


def pose_values(project: Project, label: str) -> tuple[float, float, float]:
    """Degrees (yaw, pitch, roll) of a preset's name, or of three numbers written out."""
    if label in project.pose:
        return project.pose[label]
    try:
        yaw, pitch, roll = (float(v) for v in label.replace(",", " ").split())
    except ValueError as error:
        raise ValueError(
            f"pose '{label}' is neither a preset of project.toml ({', '.join(project.pose)}) "
            "nor three numbers (yaw pitch roll in degrees)"
        ) from error
    return yaw, pitch, roll


def labelled_examples(project: Project, labels: Labels, split: Split) -> list[Example]:
    """One example an object; frames marked 'nothing here' become negatives.

    An object of which fewer than half of the points are labelled is cropped by its drawn box, and
    without any it is learnt from as well (ELT, the attributes of its time). Labels that were spread
    count by their confidence, and are never held out: errors are told against labels by hand.
    """
    out: list[Example] = []
    folder = project.cache_dir / "crops" / "labelled"
    for (clip, _), frame in sorted(labels.frames.items()):
        side = split.side(clip, moment(frame))
        if side == "gap" or (side == "hold" and frame.is_spread):
            continue
        picture = frame_picture(project, frame)
        if frame.negative:
            nothing = np.full((len(project.landmarks), 2), np.nan, np.float32)
            unlabelled = np.zeros(len(project.landmarks), bool)
            out.append(_example(picture, nothing, unlabelled, None, clip, side, {}, negative=True))
            continue
        told = attributes_at(project, labels, clip, frame.t) if len(frame.objects) == 1 else {}
        for part in cut_labelled(project, frame, picture, folder):
            if side == "train" or not part.label.is_spread:  # one may be spread, another by hand
                out.append(_of_part(part, clip, side, told))
    return out


def spread_examples(
    project: Project, labels: Labels, split: Split, clip: Clip
) -> tuple[list[Example], set[int]]:
    """Proposals of a clip that is learnt from, each point weighted by its confidence; their frames.

    At most MOST_SPREAD of a clip, evenly over its proposals: neighbours hardly differ. UserError
    where the clip cannot be read.
    """
    keys = labels.proposals_of(clip.name)
    keys = [k for k in keys if split.side(clip.name, labels.proposals[k].t) == "train"]
    if not keys:
        return [], set()
    rows = np.linspace(0, len(keys) - 1, min(len(keys), MOST_SPREAD)).round().astype(int)
    out: list[Example] = []
    used: set[int] = set()
    folder = project.cache_dir / "crops" / SPREAD
    with ClipFrames(project, clip) as frames:
        for key in (keys[i] for i in rows):
            frame, bgr = labels.proposals[key], frames.frame(key[1]).bgr
            if bgr is None or bgr.shape[1::-1] != frame.size_wh:
                continue
            is_one = len(frame.objects) == 1
            told = attributes_at(project, labels, clip.name, frame.t) if is_one else {}
            parts = cut_objects(project, frame, bgr, folder)
            out += [_of_part(part, clip.name, "train", told) for part in parts]
            used.add(key[1])
    return out, used


def _of_part(part: Part, clip: str, side: str, told: Mapping[str, Any]) -> Example:
    """A labelled object, by hand or spread."""
    made = _example(part.path, part.xy, part.label.v > 0, part.box_xyxy, clip, side, told)
    label, by_box = part.label, is_by_box(part.label)
    if not label.is_spread:
        return replace(made, by_box=by_box)
    sure = np.ones(len(label.v), np.float32) if label.confidence is None else label.confidence
    return replace(made, by_box=by_box, source=SPREAD, sure=sure)


def cutout_examples(
    project: Project, labels: Labels, split: Split, clip: str, cut: ClipCutouts,
    used: Collection[int] = (),
) -> tuple[list[Example], int]:  # fmt: skip
    """Unlabelled (or attribute-labelled) examples of a clip, and how many frames were ambiguous.

    Frames that are labelled, or `used` otherwise, are left out.
    """
    out: list[Example] = []
    ambiguous = 0
    scale = (project.crop or rule_of(project.kind, len(project.landmarks))).scale
    done = {frame for name, frame in labels.frames if name == clip}.union(used)
    for c in cut.cutouts:
        side = split.side(clip, c.t)
        if side == "gap" or c.frame in done:
            continue
        told = attributes_at(project, labels, clip, c.t)
        if told and c.objects > 1:
            told, ambiguous = {}, ambiguous + 1
        picture = load_picture(cut.folder / c.file)
        if picture is None:
            raise ValueError(f"{cut.folder / c.file} cannot be read; delete {project.cache_dir}")
        middle, half = (picture.shape[0] - 1) / 2, c.side / scale / 2
        box = np.array([middle - half, middle - half, middle + half, middle + half], np.float32)
        nothing = np.full((len(project.landmarks), 2), np.nan, np.float32)
        example = _example(
            cut.folder / c.file,
            nothing,
            np.zeros(len(project.landmarks), bool),
            box,
            clip,
            side,
            told,
        )
        if c.neighbour:
            example = replace(example, neighbour=cut.folder / c.neighbour)
        out.append(example)
    return out, ambiguous


def _example(
    path: Path, xy: np.ndarray, labelled: np.ndarray, box: np.ndarray | None, clip: str, side: str,
    attributes: Mapping[str, Any], negative: bool = False,
) -> Example:  # fmt: skip
    return Example(
        path, xy.astype(np.float32), labelled, None if box is None else box.astype(np.float32),
        negative, dict(attributes), CLIP, clip, "", side == "hold", False,
    )  # fmt: skip


def take_census(examples: Sequence[Example], ambiguous: int) -> Census:
    """Counts for the user."""
    labelled: Counter[str] = Counter()
    unlabelled: Counter[str] = Counter()
    attributes: dict[str, dict[str, Counter[str]]] = {}
    spread = 0
    for e in examples:
        side = "hold" if e.hold else "train"
        if e.negative:
            continue
        if e.source == SPREAD:
            spread += 1
        else:
            (labelled if e.labelled.any() else unlabelled)[side] += 1
        for name, value in e.attributes.items():
            label = value if isinstance(value, str) else " ".join(f"{v:g}" for v in value)
            attributes.setdefault(name, {}).setdefault(label, Counter())[side] += 1
    negatives = sum(e.negative for e in examples)
    by_class = {n: {c: dict(s) for c, s in found.items()} for n, found in attributes.items()}
    # plain dicts: asdict makes nonsense of counters
    return Census(dict(labelled), dict(unlabelled), by_class, negatives, ambiguous, spread)


def digest_of(data: DataSet) -> str:
    """Changes whenever the examples or their labels do; a resumed run must see the same."""
    h = hashlib.sha256()
    for e in data.examples:
        h.update(
            f"{e.path.name} {e.group} {e.hold} {e.negative} {sorted(e.attributes.items())}".encode()
        )
        h.update(np.nan_to_num(e.xy).tobytes() + e.labelled.tobytes())
        if e.box_xyxy is not None:
            h.update(e.box_xyxy.tobytes())
        if e.sure is not None:
            h.update(e.sure.tobytes())
    return h.hexdigest()[:16]
