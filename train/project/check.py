"""Everything that is wrong in a project, in one list. Nothing is changed unless that is asked for.

What `fix` does loses nothing: it lists clips that lie in clips/ unlisted, reads missing pictures of
labelled frames again and removes those of frames that are not labelled any more, numbers
annotations anew, drops doubled ranges and cuts ranges at the clip's ends, folds the journal in, and
removes what a killed copy left. Labels are backed up first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tracker.errors import UserError, writing
from tracker.plain_data import from_json
from tracker.progress import Report, silent
from tracker.sources.picture_file import load_picture
from tracker.sources.video_file import VIDEO_SUFFIXES
from tracker.whole_files import file_sha256, is_part, is_written_now, read_text
from train.project.adding import Source, add_one
from train.project.check_labels import check_labels, check_ranges, place_of
from train.project.clips import FILE, Clip, ClipFrames, clip_path, read_clips
from train.project.journal import read_labels
from train.project.labels import picture_name
from train.project.layout import Project
from train.project.locks import Claimed
from train.project.problems import Problem, error, warning
from train.project.stills import INDEX, digest, is_stills, read_set, set_names
from train.project.store import Store

__all__ = ["Problem", "check"]

CLIPS, SPLIT = f"clips/{FILE}", "labels/split.json"
IN_LABELS = {"annotation_ids", "range_twice", "range_beyond", "picture", "stray", "fold"}


def check(
    project: Project,
    fix: bool = False,
    report: Report = silent,
) -> list[Problem]:
    """Every problem, errors first. With `fix`, those that could be mended are marked `fixed`.

    `report`: bytes of clips that have been looked at, and of all of them.
    """
    found = list(_all(project, report))
    if fix:
        found = _fix(project, found)
    return sorted(found, key=lambda p: p.severity)


def _all(project: Project, report: Report) -> Iterator[Problem]:
    try:
        clips = {clip.name: clip for clip in read_clips(project)}
    except UserError as wrong:
        yield error(CLIPS, "", str(wrong), "delete it and add the clips in clips/ again")
        clips = {}
    yield from _clips(project, list(clips.values()), report)
    yield from check_labels(project, clips)
    yield from check_ranges(project, clips)
    yield from _sets(project)
    yield from _strays(project, list(clips.values()))
    yield from _split(project, list(clips.values()))
    yield from _models(project)
    yield from _parts(project)


def _clips(project: Project, clips: Sequence[Clip], report: Report) -> Iterator[Problem]:
    done, of = 0, sum(clip.bytes for clip in clips)
    stems = {name.casefold(): f"the set {name}" for name in set_names(project)}
    sums: dict[str, str] = {}
    for clip in clips:
        file = f"clips/{clip.name}"
        yield from _one_clip(clip_path(project, clip), file, clip)
        report(done := done + clip.bytes, of)
        other = stems.setdefault(clip.stem.casefold(), clip.name)
        if other != clip.name:
            what = f"its labelled pictures would lie in one folder with those of {other}"
            yield error(file, "", what, "rename one of them and add it again")
        same = sums.setdefault(clip.sha256, clip.name)
        if same != clip.name:
            remedy = "remove one of them and its labels"
            yield warning(file, "", f"it holds the same as {same}", remedy)
        if clip.lost:
            what = f"{clip.lost} of {clip.frames} frames cannot be decoded"
            yield warning(file, "", what, "nothing; they are left out")
    listed = {clip.name for clip in clips}
    for path in sorted(project.clips_dir.iterdir()) if project.clips_dir.is_dir() else []:
        is_clip = path.suffix.lower() in VIDEO_SUFFIXES and not path.name.startswith(".")
        if is_clip and path.name not in listed:
            remedy = f"'train add clips/{path.name}' in the project, or --fix"
            yield warning(f"clips/{path.name}", "", "it is not in clips.json", remedy, "unlisted")


def _one_clip(path: Path, file: str, clip: Clip) -> Iterator[Problem]:
    remedy = "put back the file that was added, or add this one under another name"
    if not path.is_file():
        fact = "it is a link to a file that is gone" if path.is_symlink() else "it is missing"
        yield error(file, "", fact, "put the file back, or 'train add' it again")
        return
    size = path.stat().st_size
    if clip.bytes and size != clip.bytes:
        yield error(file, "", f"it has changed: {size} bytes, {clip.bytes} when added", remedy)
        return
    try:
        if file_sha256(path) != clip.sha256:
            yield error(file, "", "it has changed since it was added (other sha256)", remedy)
    except UserError as wrong:
        yield error(file, "", str(wrong), "check the file and its rights")


def _strays(project: Project, clips: Sequence[Clip]) -> Iterator[Problem]:
    """Pictures of frames that nobody labels any more; their clips still hold them."""
    try:
        labelled = read_labels(project).frames
    except UserError:
        return  # the file at fault is reported for itself
    kept = {project.labels_dir / picture_name(*key) for key in labelled}
    for clip in clips:
        there = clip_path(project, clip)
        if not there.is_file() or there.stat().st_size != clip.bytes:
            continue
        if is_stills(project, clip.stem):
            continue  # they are those of a set of this name, which no clip holds
        for path in sorted((project.frames_dir / clip.stem).glob("frame*.png")):
            number = re.fullmatch(r"frame(\d{6,})", path.stem)
            if path not in kept and number is not None and int(number[1]) < clip.frames:
                name = path.relative_to(project.root).as_posix()
                what = "the picture of a frame that is not labelled (any more)"
                yield warning(name, "", what, "--fix removes it; the clip holds it", "stray")


def _split(project: Project, clips: Sequence[Clip]) -> Iterator[Problem]:
    if not project.split_path.is_file():
        return
    remedy = 'write {"hold": ["clip.mp4"]}, or delete it and the next training chooses'
    try:
        found = from_json(read_text(project.split_path))
        hold = found["hold"]
        if not isinstance(hold, list) or not all(isinstance(name, str) for name in hold):
            raise TypeError("hold must be a list of clip names")
        stretch = found.get("stretch")
        part = None if stretch is None else str(stretch[0])
    except (UserError, ValueError, KeyError, TypeError, IndexError, AttributeError) as wrong:
        yield error(SPLIT, "", f"it cannot be read ({wrong!r})", remedy)
        return
    listed = {clip.name: clip for clip in clips}
    whole = {clip.stem: clip.name for clip in clips}  # names may lack their suffix
    hold = [whole.get(name, name) for name in hold]
    part = None if part is None else whole.get(part, part)
    for name in [*hold, *([] if part is None else [part])]:
        if name not in listed and not is_stills(project, name):
            yield error(SPLIT, name, "this clip is not in the project", "take the name out")
    if clips and listed.keys() <= set(hold):
        yield error(SPLIT, "", "every clip is held out, nothing is left to learn from", remedy)
    if part is not None:
        what = "frames of this clip are in training and in the hold-out: the numbers flatter"
        yield warning(SPLIT, part, what, "label a second clip and delete split.json")
    train = {c.sha256: c.name for c in clips if c.name not in hold}
    for name in hold:
        twin = train.get(listed[name].sha256) if name in listed else None
        if twin is not None:
            what = f"a leak: {twin}, which is trained on, holds the same"
            yield error(SPLIT, name, what, f"hold out {twin} as well")
    told = found.get("train")
    for name in told if isinstance(told, list) else []:
        if name in hold:
            what = "a leak: it is in training and in the hold-out"
            yield error(SPLIT, str(name), what, "keep it in one list")


def _models(project: Project) -> Iterator[Problem]:
    for run in sorted(project.models_dir.iterdir()) if project.models_dir.is_dir() else []:
        if not run.is_dir():
            continue
        onnx, file = run / "model.onnx", f"models/{run.name}"
        resume = f"'train finetune {project.root} --resume --name {run.name}'"
        again = f"{resume} goes on with it, or delete the folder"
        if not onnx.is_file():
            yield warning(file, "", "its training was not finished: no model.onnx", again)
        elif onnx.stat().st_size == 0:
            remedy = "delete the folder and train again"
            yield error(f"{file}/model.onnx", "", "it is empty (0 bytes)", remedy)
        facts = run / "run.json"
        if facts.is_file():
            try:
                from_json(read_text(facts))
            except (UserError, ValueError) as wrong:
                what = f"it cannot be read ({wrong})"
                yield warning(f"{file}/run.json", "", what, "delete it; the model is kept")


def _parts(project: Project) -> Iterator[Problem]:
    for path in sorted(project.root.rglob(".*.part")):
        if not is_part(path):
            continue  # none of ours
        name = path.relative_to(project.root).as_posix()
        if is_written_now(path):
            yield warning(name, "", "it is being written just now", "wait until it is done")
        else:
            what = "left behind by something that was interrupted"
            yield warning(name, "", what, "delete it, or use --fix", "part")


def _fix(project: Project, problems: list[Problem]) -> list[Problem]:
    done: set[int] = set()
    for i, p in enumerate(problems):
        path = project.root / p.file
        if p.code == "part" and path.is_file():
            path.unlink()
            done.add(i)
        elif p.code == "unlisted":
            try:
                done |= {i} if add_one(project, Source(path, path.name)).clip else set()
            except Claimed as busy:  # it may be on its way into the list just now
                problems[i] = replace(p, remedy=str(busy))
            except UserError as wrong:
                problems[i] = replace(p, severity="error", remedy=f"delete it: {wrong}")
    wanted = [i for i, p in enumerate(problems) if p.code in IN_LABELS]
    if wanted:
        try:
            with Store.open(project) as store:
                done |= {i for i in wanted if not store.read_only and _mend(store, problems[i])}
        except UserError as wrong:
            problems.append(error("labels", "", f"nothing was mended here: {wrong}", "see above"))
            done -= set(wanted)
    return [replace(p, fixed=i in done) for i, p in enumerate(problems)]


def _mend(store: Store, p: Problem) -> bool:
    """Mend one problem of the labels; opening the store has folded the journal in already."""
    if p.code == "picture":
        return _read_again(store, p)
    if p.code == "stray":
        return _remove_stray(store, p)
    ranges = store.labels.ranges
    if p.code == "range_twice":
        ranges = tuple(dict.fromkeys(ranges))
    elif p.code == "range_beyond":
        ends = {clip.name: clip.seconds for clip in read_clips(store.project)}
        ranges = tuple(r.within(ends[r.clip]) if place_of(r) == p.place else r for r in ranges)
    if p.code != "fold":
        store.set_ranges(ranges)  # also where nothing changed: writing numbers annotations anew
    return True


def _remove_stray(store: Store, p: Problem) -> bool:
    """Remove a picture, unless its frame is labelled after all."""
    project, path = store.project, store.project.root / p.file
    if path in {project.labels_dir / picture_name(*key) for key in store.labels.frames}:
        return False
    with writing(path):
        path.unlink(missing_ok=True)
    return True


def _read_again(store: Store, p: Problem) -> bool:
    """Take the picture of a labelled frame from its clip once more."""
    project = store.project
    for label in store.labels.frames.values():
        path = project.labels_dir / picture_name(*label.key)
        if path != project.root / p.file:
            continue
        clip = next((c for c in read_clips(project) if c.name == label.clip), None)
        if clip is None or not label.frame < clip.frames:
            return False
        try:
            with ClipFrames(project, clip) as frames:
                bgr = frames.frame(label.frame).bgr
        except UserError:
            return False
        if bgr is None or bgr.shape[1::-1] != label.size_wh:
            return False
        store.keep_picture(*label.key, bgr, again=True)
        return True
    return False


def _sets(project: Project) -> Iterator[Problem]:
    """The indices of the sets of pictures, and pictures that are not what their index says.

    Those that it does not name may be the only ones of their kind, so `fix` leaves them.
    """
    for path in sorted(project.frames_dir.glob(f"*/{INDEX}")):
        try:
            known = read_set(project, path.parent.name)
        except UserError as wrong:
            name = path.relative_to(project.root).as_posix()
            yield error(name, "", str(wrong), "mend that line, or import the pictures again")
            continue
        named = {project.labels_dir / picture_name(path.parent.name, n): (file, pixels)
                 for (file, pixels), n in known.items()}  # fmt: skip
        yield from _set_pictures(project, named)
        for picture in sorted(set(path.parent.glob("frame*.png")) - named.keys()):
            name = picture.relative_to(project.root).as_posix()
            what = f"{INDEX} does not name this picture: something was interrupted"
            remedy = "import or add its set again; if it is still told, move it elsewhere"
            yield warning(name, "", what, remedy)


def _set_pictures(project: Project, named: Mapping[Path, tuple[str, str]]) -> Iterator[Problem]:
    """Pictures of a set whose pixels are not those that were added; (file, sha256) by path."""
    for path, (file, pixels) in named.items():
        if not path.is_file():
            continue  # told where a label needs it
        name = path.relative_to(project.root).as_posix()
        try:
            read = load_picture(path)
        except UserError as refused:
            yield error(
                name, "", str(refused), f"put a smaller {file} in its place, and its labels"
            )
            continue
        if read is None:
            remedy = f"put {file} back under this name, as PNG, or 'train remove' it"
            yield error(name, "", "it cannot be read", remedy)
        elif digest(read) != pixels:
            what = f"its pixels are not those of {file}: its labels may be of either picture"
            remedy = f"put {file} back under this name, as PNG, or remove it and add it again"
            yield error(name, "", what, remedy)
