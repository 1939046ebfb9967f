"""Clips and pictures on their way into a project: found, copied whole, read once, listed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tracker.errors import UserError, writing
from tracker.plain_data import is_bare
from tracker.sources.video_file import VIDEO_SUFFIXES
from tracker.whole_files import copy_whole, file_sha256
from train.project.clips import Clip, clip_path, measured_rate, read_clips, write_clips
from train.project.layout import Project
from train.project.locks import sole_lister
from train.project.scan import Report, Scan, keep_scan, scan_video
from train.project.stills import add_pictures, read_stills, set_name, set_names

FLAG_CLIP = "clip.mp4"  # in the folder of a flagged moment (tracker/outputs/flags.py)
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})


@dataclass(frozen=True, slots=True)
class Source:
    """A clip, or a folder of pictures, to add, and the name it should have in the project."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a source: `clip` None, it is there already as `known`."""

    clip: Clip | None
    known: str = ""
    messages: tuple[str, ...] = ()


def sources(path: Path) -> list[Source]:
    """What a path stands for: itself, a flagged moment, or every video in a folder.

    A folder whose folders are flagged moments gives those; one that holds nothing but pictures is
    a set of stills. UserError where it stands for none of these.
    """
    if not path.is_dir():
        return [Source(path, path.name)]
    if _is_flag(path):
        return [_flag(path)]
    found = [
        Source(p, p.name)
        for p in sorted(path.iterdir())
        if p.suffix.lower() in VIDEO_SUFFIXES and p.is_file() and not p.name.startswith(".")
    ]
    found += [_flag(p) for p in sorted(path.iterdir()) if _is_flag(p)]
    if found:
        return found
    if _pictures(path):
        return [Source(path, path.resolve().name)]
    raise UserError(
        f"{path} holds no clip and no picture; name a folder with some, or the videos themselves"
    )


def left_out(path: Path) -> list[str]:
    """Sentences about what `sources` does not take from a folder; hidden files need none."""
    if not path.is_dir() or _is_flag(path):
        return []
    seen = [p for p in sorted(path.iterdir()) if not p.name.startswith(".")]
    flags = [p for p in seen if _is_flag(p)]
    videos = [p for p in seen if p.is_file() and p.suffix.lower() in VIDEO_SUFFIXES]
    pictures, told = _pictures(path), []
    if pictures and (videos or flags):
        told.append(
            f"{path} holds clips, so its pictures are left out ({_some(pictures)}); put them into "
            "a folder of their own and add that"
        )
    known = {*videos, *pictures}
    unknown = [p for p in seen if p.is_file() and p not in known]
    if unknown:
        heic = any(p.suffix.lower() in (".heic", ".heif") for p in unknown)
        told.append(
            f"{path}: left out as neither a video nor a picture that can be read: {_some(unknown)}"
            + ("; save HEIC pictures as JPEG" if heic else "")
        )
    folders = [p for p in seen if p.is_dir() and p not in flags]
    if folders:
        told.append(f"{path}: the folders in it are not looked into ({_some(folders)}); name them")
    return told


def _some(paths: Sequence[Path]) -> str:
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return ", ".join(p.name for p in paths[:3]) + more


def add_one(
    project: Project, source: Source, link: bool = False, report: Report | None = None
) -> Added:
    """Copy or link one clip and list it, once it has been decoded to its end; or copy pictures.

    UserError for what cannot be read or kept, and where another command adds or removes.
    """
    with sole_lister(project):
        if source.path.is_dir():
            return _add_set(project, source, report)
        return _add_clip(project, source, link, report)


def add_clips(
    project: Project,
    paths: Sequence[Path],
    link: bool = False,
    report: Report | None = None,
) -> list[Clip]:
    """Copy (or, with `link`, link) clips into the project and measure them; those that are new.

    Takes video files, folders of them, and flagged moments (flags/TIME). A file whose content is in
    the project already is skipped. UserError at the first that cannot be read, after the ones
    before it were added; `train add` goes on with the others.
    """
    added = []
    for path in paths:
        for source in sources(path):
            clip = add_one(project, source, link, report).clip
            if clip is not None:
                added.append(clip)
    return added


def _add_clip(project: Project, source: Source, link: bool, report: Report | None) -> Added:
    clips = read_clips(project)
    if not source.path.is_file():
        raise UserError(f"{source.path} does not exist; check the name")
    if source.path.suffix.lower() in PICTURES:
        raise UserError(
            f"{source.path} is a picture; put pictures into a folder of their own and add that"
        )
    inside = _is_inside(project, source.path)
    digest = file_sha256(source.path)
    for clip in clips:
        same = clip.sha256 == digest
        if same and clip_path(project, clip).is_file() and not (inside and _listed(clips, source)):
            return Added(None, clip.name)
        if inside and clip.name == source.path.name:
            if same:
                return Added(None, clip.name)
            raise UserError(
                f"{source.path} is not the file that was added under this name; put that back, or "
                "give this one another name (see 'train check')"
            )
    scan = scan_video(source.path, report)
    back = next((c for c in clips if c.sha256 == digest), None)  # listed, but its file is missing
    name = _free_name(project, clips, source, inside) if back is None else back.name
    target = clip_path(project, name)
    if not inside:
        _bring(source.path, target, link, digest)
    elif target != source.path.absolute():
        with writing(target):
            source.path.rename(target)
    clip = _clip(name, scan, digest, target.stat().st_size)
    keep_scan(project.cache_dir, digest, scan)
    write_clips(project, [*(c for c in read_clips(project) if c.name != name), clip])
    return Added(clip, "", tuple(_messages(clip, scan)))


def _add_set(project: Project, source: Source, report: Report | None) -> Added:
    clips = {c.name for c in read_clips(project)}
    name = set_name(project, source.name, clips)
    with writing(project.frames_dir):
        new, unread = add_pictures(project, _pictures(source.path), name, report)
    made = next((c for c in read_stills(project) if c.name == name), None)
    if made is None:
        raise UserError(f"{source.path} holds no picture that can be read; look at the files")
    if not new:
        return Added(None, name, tuple(unread))
    known = made.frames - new
    more = [f"{known} were in this set already"] if known else []
    return Added(made, "", (*more, *unread))


def _pictures(folder: Path) -> list[Path]:
    found = (p for p in sorted(folder.iterdir()) if p.suffix.lower() in PICTURES)
    return [p for p in found if p.is_file() and not p.name.startswith(".")]


def _clip(name: str, scan: Scan, digest: str, size: int) -> Clip:
    fps, seconds, variable = measured_rate(scan.times)
    return Clip(
        name, len(scan.times), round(fps, 4), round(seconds, 6), scan.size_wh, variable, digest,
        size, int(scan.lost.sum()),
    )  # fmt: skip


def _messages(clip: Clip, scan: Scan) -> list[str]:
    found = []
    if clip.lost:
        found.append(f"{clip.lost} of {clip.frames} frames cannot be decoded and are left out")
    if scan.cut_off:
        found.append("the file is cut off at its end; what is there is used")
    if clip.variable:
        found.append("its frames do not come at one rate; each keeps its own time")
    return found


def _bring(source: Path, target: Path, link: bool, digest: str) -> None:
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if link:
            absolute = source.resolve()
            target.unlink(missing_ok=True)
            target.symlink_to(os.path.relpath(absolute, target.parent.resolve()))
            return
    if copy_whole(source, target) != digest:
        target.unlink(missing_ok=True)
        raise UserError(f"{source} changed while it was copied; add it again when it is complete")


def _free_name(project: Project, clips: Sequence[Clip], source: Source, inside: bool) -> str:
    """A name whose stem no other clip has, and no set of pictures: those of labelled frames lie
    under the stem, and those of a set under its name.
    """
    named = Path(source.name.replace("\\", "_"))
    wanted = named if is_bare(named.name) else Path(f"clip{named.suffix}")
    taken = {c.stem.casefold() for c in clips} | {s.casefold() for s in set_names(project)}
    if project.clips_dir.is_dir():
        own = source.path.name if inside else None
        taken |= {p.stem.casefold() for p in project.clips_dir.iterdir() if p.name != own}
    taken.add("clips")  # clips.json
    name, number = wanted, 2
    while name.stem.casefold() in taken:
        name = wanted.with_name(f"{wanted.stem}_{number}{wanted.suffix}")
        number += 1
    return name.name


def _is_inside(project: Project, path: Path) -> bool:
    """Whether somebody put the file into clips/ by hand."""
    return path.absolute().parent.resolve() == project.clips_dir.resolve()


def _listed(clips: Sequence[Clip], source: Source) -> bool:
    return any(c.name == source.path.name for c in clips)


def _is_flag(path: Path) -> bool:
    return (path / FLAG_CLIP).is_file() and (path / "flag.json").is_file()


def _flag(path: Path) -> Source:
    return Source(path / FLAG_CLIP, f"flag_{path.resolve().name}.mp4")
