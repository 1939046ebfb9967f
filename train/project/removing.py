"""Clips and pictures on their way out of a project: moved aside with their labels, never deleted.

removed/NAME/ then holds the clip (or the pictures), which `train add` takes back, and `labels.json`
with `frames/` beside it and `ranges.csv`, which `train import` does.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tracker.errors import UserError, writing
from tracker.plain_data import from_json
from tracker.whole_files import read_text, write_whole
from train.project.clips import Clip, clip_path, read_clips, write_clips
from train.project.labels import Labels, coco_bytes, picture_name, ranges_to_csv
from train.project.layout import Project
from train.project.locks import sole_lister
from train.project.stills import read_set, read_stills, write_set
from train.project.store import Store


@dataclass(frozen=True, slots=True)
class Removed:
    """What was moved, and where it is now."""

    name: str  # of the clip, the set or the picture
    frames: int  # labelled ones that went with it
    ranges: int
    folder: Path


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to go: a clip, a set, or one picture of a set."""

    clip: Clip
    picture: int | None = None


def find(project: Project, name: str) -> Wish:
    """What a name stands for: CLIP.mp4, its stem, SET, or SET/PICTURE (its file, or its number).

    UserError names what there is.
    """
    listed = [*read_clips(project), *read_stills(project)]
    for clip in listed:
        if clip.is_called(name):
            return Wish(clip)
    whole, _, part = name.partition("/")
    for clip in listed:
        if clip.is_stills and clip.name == whole:
            known = read_set(project, whole)
            found = [n for (file, _), n in known.items() if part in (file, str(n))]
            if len(found) == 1:
                return Wish(clip, found[0])
            what = "more than one picture" if found else "no picture"
            raise UserError(f"{whole} has {what} '{part}'; say its number, as 'train label' shows")
    there = ", ".join(c.name for c in listed) or "nothing yet"
    raise UserError(f"{project.root} has no clip '{name}'; it has {there}")


def remove(project: Project, wish: Wish) -> Removed:
    """Move a clip, a set or a picture with its labels to removed/.

    What is moved is written there first, so that a kill in between leaves it in both places.
    UserError where another labels the project or changes its lists, or the disk refuses.
    """
    with Store.open(project) as store:
        if store.read_only:
            raise UserError(f"{project.root}: nothing was removed: {store.why}")
        with sole_lister(project):
            _refuse_gone(project, wish)
            return _remove(project, wish, store)


def _refuse_gone(project: Project, wish: Wish) -> None:
    """UserError where another command has removed it since it was found."""
    clip = wish.clip
    there = clip in (read_stills(project) if clip.is_stills else read_clips(project))
    if there and wish.picture is not None:
        there = wish.picture in read_set(project, clip.name).values()
    if not there:
        raise UserError(f"{clip.name} is not in the project any more; see 'train check'")


def _remove(project: Project, wish: Wish, store: Store) -> Removed:
    gone = _labels_of(store.labels, wish)
    folder = _free(project, _name(wish))
    with writing(folder):
        folder.mkdir(parents=True)
    _write_labels(project, gone, folder)
    for key in gone.frames:
        store.remove_frame(*key)
    _withdraw(store, wish)
    if gone.ranges:
        store.set_ranges(r for r in store.labels.ranges if r.clip != wish.clip.name)
    store.save()
    if wish.picture is not None:
        _move_picture(project, wish.clip, wish.picture, folder)
    else:
        _move_clip(project, wish.clip, folder)
        _forget(project, wish.clip)
    return Removed(_name(wish), len(gone.frames), len(gone.ranges), folder)


def _withdraw(store: Store, wish: Wish) -> None:
    """What spreading proposes for a clip, and that it has spread there."""
    if wish.picture is not None:
        return
    name = wish.clip.name
    proposals = dict.fromkeys(store.labels.proposals_of(name))
    spread = {n: False for n in store.labels.spread if n.split("/")[0] == name}
    if proposals or spread:
        store.propose(proposals, spread, "")


def _name(wish: Wish) -> str:
    number = "" if wish.picture is None else f"_{wish.picture:06d}"
    return wish.clip.stem + number


def _labels_of(labels: Labels, wish: Wish) -> Labels:
    name, number = wish.clip.name, wish.picture
    frames = {k: f for k, f in labels.frames.items() if k[0] == name and number in (None, k[1])}
    ranges = labels.ranges if number is None else ()
    return Labels(frames, tuple(r for r in ranges if r.clip == name))


def _free(project: Project, name: str) -> Path:
    """A folder that is not there yet."""
    folder, number = project.root / "removed" / name, 1
    while folder.exists():
        number += 1
        folder = folder.with_name(f"{name}_{number}")
    return folder


def _write_labels(project: Project, gone: Labels, folder: Path) -> None:
    if gone.ranges:
        write_whole(folder / "ranges.csv", ranges_to_csv(gone.ranges).encode())
    if not gone.frames:
        return
    with writing(folder):
        for key in gone.frames:
            source, target = project.labels_dir / picture_name(*key), folder / picture_name(*key)
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
    write_whole(folder / "labels.json", coco_bytes(project, gone))


def _move_clip(project: Project, clip: Clip, folder: Path) -> None:
    """The file of a clip and the pictures of its frames; of a set, its pictures and their index."""
    source = project.frames_dir / clip.stem
    with writing(folder):
        if source.is_dir():
            target = folder / "frames" / clip.stem
            target.mkdir(parents=True, exist_ok=True)
            for path in sorted(source.iterdir()):
                path.replace(target / path.name)
            source.rmdir()
        if not clip.is_stills:
            write_clips(project, [c for c in read_clips(project) if c.name != clip.name])
            there = clip_path(project, clip)
            if there.is_symlink():  # relative to its own folder
                to = os.path.relpath(there.resolve(), folder.resolve())
                (folder / clip.name).symlink_to(to)
                there.unlink()
            elif there.exists():
                there.rename(folder / clip.name)


def _move_picture(project: Project, clip: Clip, number: int, folder: Path) -> None:
    known = read_set(project, clip.name)
    rest = {key: n for key, n in known.items() if n != number}
    write_set(project, clip.name, rest, gone=number)
    name = picture_name(clip.name, number)
    source, target = project.labels_dir / name, folder / name
    with writing(folder):
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.exists():
            source.replace(target)


def _forget(project: Project, clip: Clip) -> None:
    """Take a clip out of the hold-out; where that leaves none, the next training chooses anew."""
    path = project.split_path
    try:
        found = from_json(read_text(path)) if path.is_file() else {}
        hold, stretch = list(found.get("hold", ())), found.get("stretch") or ("",)
        kept = [n for n in hold if not clip.is_called(n)]
        if kept == hold and not clip.is_called(stretch[0]):
            return
    except (ValueError, AttributeError, TypeError, KeyError):
        return  # 'train check' tells what is wrong with it
    if kept and not clip.is_called(stretch[0]):
        write_whole(path, (json.dumps(found | {"hold": kept}, indent=1) + "\n").encode())
        return
    with writing(path):
        path.unlink()
