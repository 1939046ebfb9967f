"""A project's labels as files of other tools."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tracker.errors import UserError, writing
from tracker.progress import Report, silent
from tracker.whole_files import write_whole
from train.exchange.foreign import BOXES, NEGATIVE, OCCLUDED, STILLS, Format, h5py_module
from train.exchange.formats import FORMATS, writable
from train.exchange.pictures import picture_path
from train.project.clips import read_clips
from train.project.journal import read_labels
from train.project.labels import FrameLabel, Labels
from train.project.layout import Project

ORIGIN = "origin.csv"  # beside the labels: which of them were spread


@dataclass(frozen=True, slots=True)
class Given:
    """What was written, and sentences about what the format could not hold."""

    files: tuple[Path, ...]
    frames: int
    lost: tuple[str, ...]


def give(
    project: Project, format: str, out: Path, by_hand: bool = False, report: Report = silent
) -> Given:
    """Write every label into the folder `out`, with the pictures that the format needs.

    `by_hand` leaves out what was spread; proposals are never written. Where spread labels are among
    them, ORIGIN says of each object whether it was, how sure its points are and from where.
    `report`: how many pictures are done, and of how many.

    ValueError for an unknown format or one that needs h5py where that is not installed, nothing to
    write, or a folder that is not empty.
    """
    known = FORMATS.get(format)
    if known is None or known.write is None:
        raise ValueError(f"--format takes {', '.join(writable())}; found '{format}'")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} exists and is not empty; give another --out")
    if known.hdf5:
        h5py_module()  # where it is missing nothing is written
    labels = read_labels(project)
    if by_hand:
        hand = {key: _by_hand(frame) for key, frame in labels.by_hand().items()}
        labels = Labels(hand, labels.ranges)
    clips = {c.name for c in read_clips(project)}
    lost = _lost(labels, known, clips)
    frames = _kept(labels, known, clips)
    if not frames:
        raise ValueError(f"{project.root} has no labels that {format} can hold; label some first")
    pictures = [picture_path(project, f) for f in frames] if known.needs_pictures else []
    missing = next((path for path in pictures if not path.is_file()), None)
    if missing is not None:
        raise UserError(f"{missing} is missing; run 'train check {project.root} --fix'")
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    files = known.write(project, frames, out, report)
    if any(o.is_spread for f in frames for o in f.objects):
        files.append(out / ORIGIN)
        write_whole(out / ORIGIN, origin_text(frames, project.landmarks).encode())
    return Given(tuple(files), len(frames), lost)


def _kept(labels: Labels, known: Format, clips: set[str]) -> list[FrameLabel]:
    """What a format can hold of the frames, in their order; the rest is told by `_lost`."""
    frames = [labels.frames[key] for key in sorted(labels.frames)]
    if BOXES in known.loses:
        frames = [f for f in map(_with_points, frames) if f.objects or f.negative]
    if NEGATIVE in known.loses:
        frames = [f for f in frames if f.objects]
    if STILLS in known.loses:
        frames = [f for f in frames if f.clip in clips]
    return frames


def origin_text(frames: Sequence[FrameLabel], landmarks: Sequence[str]) -> str:
    """A table for people and programs: a row an object, in the order of the frames.

    `source` is 'spread', or who labelled it by hand; `came_from` are frames, with a space between;
    a column a landmark holds its confidence, empty where the label is by hand.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["clip", "frame", "object", "source", "came_from", *landmarks])
    for label in frames:
        for found in label.objects:
            sure = [""] * len(landmarks)
            if found.confidence is not None:
                sure = [f"{c:.3f}" for c in found.confidence]
            came_from = " ".join(map(str, found.came_from))
            rows.writerow([label.clip, label.frame, found.id, found.source, came_from, *sure])
    return text.getvalue()


def _lost(labels: Labels, format: Format, clips: set[str]) -> tuple[str, ...]:
    """What is in these labels and not in this format."""
    objects = [o for f in labels.frames.values() for o in f.objects]
    bare = sum(not (o.v > 0).any() for o in objects)
    counts = {
        OCCLUDED: (sum(int((o.v == 1).sum()) for o in objects), 'hidden points become visible'),
        BOXES: (sum(o.box_xyxy is not None for o in objects), 'drawn boxes are left out'
                + (f', and with them {bare} objects that are nothing else' if bare else '')),
        NEGATIVE: (sum(f.negative for f in labels.frames.values()),
                   'frames with nothing in them are left out'),
        STILLS: (sum(f.clip not in clips for f in labels.frames.values()),
                 'pictures that are of no clip are left out'),
    }  # fmt: skip
    said = [f"{n} {text}" for key, (n, text) in counts.items() if n and key in format.loses]
    if labels.ranges:
        said.append(f"{len(labels.ranges)} time ranges are left out (they are in ranges.csv)")
    return tuple(said)


def _by_hand(label: FrameLabel) -> FrameLabel:
    """Without objects that were spread beside one by hand."""
    return replace(label, objects=tuple(o for o in label.objects if not o.is_spread))


def _with_points(label: FrameLabel) -> FrameLabel:
    """Without objects of which only a box is known."""
    return replace(label, objects=tuple(o for o in label.objects if (o.v > 0).any()))
