"""A project's labels as files of other tools."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

from tracker.errors import UserError, writing
from tracker.whole_files import write_whole
from train.exchange import cvat, dlc, labelme, labelstudio, sleap
from train.exchange.coco import coco_text
from train.exchange.formats import BOXES, HDF5, LOSES, NEGATIVE, OCCLUDED, STILLS, WRITES
from train.exchange.parts import h5py_module
from train.project.clips import clip_path, read_clips
from train.project.journal import read_labels
from train.project.labels import FrameLabel, Labels, picture_name, to_coco
from train.project.layout import Project


@dataclass(frozen=True, slots=True)
class Given:
    """What was written, and sentences about what the format could not hold."""

    files: tuple[Path, ...]
    frames: int
    lost: tuple[str, ...]


def give(project: Project, format: str, out: Path) -> Given:
    """Write every label into the folder `out`, with the pictures that the format needs.

    ValueError for an unknown format or one that needs h5py where that is not installed, nothing to
    write, or a folder that is not empty.
    """
    if format not in WRITES:
        raise ValueError(f"--format takes {', '.join(WRITES)}; found '{format}'")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} exists and is not empty; give another --out")
    if format in HDF5:
        h5py_module()  # where it is missing nothing is written
    labels = read_labels(project)
    clips = {c.name for c in read_clips(project)}
    lost = _lost(labels, format, clips)
    frames = [labels.frames[key] for key in sorted(labels.frames)]
    if BOXES in LOSES[format]:
        frames = [f for f in map(_with_points, frames) if f.objects or f.negative]
    if NEGATIVE in LOSES[format]:
        frames = [f for f in frames if f.objects]
    if STILLS in LOSES[format]:
        frames = [f for f in frames if f.clip in clips]
    if not frames:
        raise ValueError(f"{project.root} has no labels that {format} can hold; label some first")
    missing = [f for f in frames if not _picture(project, f).is_file()]
    if missing and format not in ("sleap", "cvat-video"):
        raise UserError(
            f"{_picture(project, missing[0])} is missing; run 'train check {project.root} --fix'"
        )
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    files = WRITERS[format](project, frames, out)
    return Given(tuple(files), len(frames), lost)


def _lost(labels: Labels, format: str, clips: set[str]) -> tuple[str, ...]:
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
    said = [f"{n} {text}" for key, (n, text) in counts.items() if n and key in LOSES[format]]
    if labels.ranges:
        said.append(f"{len(labels.ranges)} time ranges are left out (they are in ranges.csv)")
    return tuple(said)


def _with_points(label: FrameLabel) -> FrameLabel:
    """Without objects of which only a box is known."""
    return replace(label, objects=tuple(o for o in label.objects if (o.v > 0).any()))


def _picture(project: Project, label: FrameLabel) -> Path:
    return project.labels_dir / picture_name(*label.key)


def _copy(project: Project, label: FrameLabel, to: Path) -> None:
    with writing(to):
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_picture(project, label), to)


def _stem(label: FrameLabel) -> str:
    return Path(label.clip).stem


def _coco(project: Project, frames: Sequence[FrameLabel], out: Path) -> list[Path]:
    for label in frames:
        _copy(project, label, out / picture_name(*label.key))
    body = to_coco(project, Labels({f.key: f for f in frames}))
    write_whole(out / "labels.json", coco_text(body).encode())
    return [out / "labels.json"]


def _dlc(project: Project, frames: Sequence[FrameLabel], out: Path) -> list[Path]:
    files = []
    for clip, group in groupby(frames, key=lambda f: f.clip):
        mine = list(group)
        rows = [("labeled-data", Path(clip).stem, f"img{f.frame:06d}.png") for f in mine]
        for label, row in zip(mine, rows, strict=True):
            _copy(project, label, out.joinpath(*row))
        path = out.joinpath(*rows[0][:2]) / f"CollectedData_{dlc.SCORER}.csv"
        write_whole(path, dlc.csv_text(mine, rows, project.landmarks).encode())
        dlc.write_h5(path.with_suffix(".h5"), mine, rows, project.landmarks)
        files.append(path)
    return files


def _sleap(
    project: Project, frames: Sequence[FrameLabel], out: Path, inside: bool = False
) -> list[Path]:
    clips = {c.name: c for c in read_clips(project)}
    sources = []
    for clip, group in groupby(frames, key=lambda f: f.clip):
        mine = list(group)
        if clip in clips:
            # SLEAP looks for relative paths from where it was started, not from the file.
            there = clip_path(project, clips[clip]).absolute().as_posix()
            sources.append(sleap.Source(clip, there, {}, clips[clip].frames))
            continue
        pictures = {f.frame: picture_name(*f.key) for f in mine}
        if not inside:
            for label in mine:
                _copy(project, label, out / picture_name(*label.key))
        sources.append(sleap.Source(clip, "", pictures, len(pictures)))
    path = out / ("labels.pkg.slp" if inside else "labels.slp")
    png: Callable[[FrameLabel], bytes] | None = None
    if inside:
        png = lambda label: _picture(project, label).read_bytes()  # noqa: E731
    sleap.write_slp(path, frames, (project.landmarks, project.edges), sources, png)
    return [path]


def _sleap_pkg(project: Project, frames: Sequence[FrameLabel], out: Path) -> list[Path]:
    return _sleap(project, frames, out, True)


def _cvat(project: Project, frames: Sequence[FrameLabel], out: Path) -> list[Path]:
    names = [f"{_stem(f)}/frame{f.frame:06d}.png" for f in frames]
    for label, name in zip(frames, names, strict=True):
        _copy(project, label, out / "images" / name)
    path = out / "annotations.xml"
    write_whole(path, cvat.images_text(frames, names, project.landmarks, project.kind))
    return [path]


def _cvat_video(project: Project, frames: Sequence[FrameLabel], out: Path) -> list[Path]:
    files = []
    for clip, group in groupby(frames, key=lambda f: f.clip):
        files.append(out / f"{Path(clip).stem}.xml")
        text = cvat.video_text(list(group), clip, project.landmarks, project.kind)
        write_whole(files[-1], text)
    return files


def _labelstudio(project: Project, frames: Sequence[FrameLabel], out: Path) -> list[Path]:
    tasks = []
    for number, label in enumerate(frames, 1):
        name = f"pictures/{_stem(label)}/frame{label.frame:06d}.png"
        _copy(project, label, out / name)
        address = f"/data/local-files/?d={quote(name)}"
        tasks.append(labelstudio.task(label, project.landmarks, project.kind, address, number))
    write_whole(out / "tasks.json", labelstudio.tasks_text(tasks).encode())
    config = labelstudio.config_text(project.landmarks, project.kind)
    write_whole(out / "config.xml", config.encode())
    return [out / "tasks.json", out / "config.xml"]


def _labelme(project: Project, frames: Sequence[FrameLabel], out: Path) -> list[Path]:
    files = []
    for label in frames:
        picture = out / _stem(label) / f"frame{label.frame:06d}.png"
        _copy(project, label, picture)
        files.append(picture.with_suffix(".json"))
        text = labelme.labelme_text(label, project.landmarks, project.kind, picture.name)
        write_whole(files[-1], text.encode())
    return files


WRITERS: dict[str, Callable[[Project, Sequence[FrameLabel], Path], list[Path]]] = {
    'coco': _coco, 'dlc': _dlc, 'sleap': _sleap, 'sleap-pkg': _sleap_pkg, 'cvat': _cvat,
    'cvat-video': _cvat_video, 'labelstudio': _labelstudio, 'labelme': _labelme,
}  # fmt: skip
