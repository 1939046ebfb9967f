"""`train init`, `train add`, `train check`: the project folder of someone who teaches."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ui.commands.words import count_up, say, tell, tell_json, waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker.find.markups import Markup
    from train.project.adding import Source
    from train.project.layout import Project
    from train.project.problems import Problem


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.")],
    landmarks: Annotated[
        str, typer.Option(help="hand21, face68, mouth12, tool5, or a TOML file of your own.")
    ],
    gestures: Annotated[str, typer.Option(help="Gestures to learn, such as fist,open_palm.")] = "",
    pose: Annotated[bool, typer.Option("--pose", help="Head pose, labelled by presets.")] = False,
    kind: Annotated[
        str, typer.Option(help="hand, face or object: what finds it (for landmarks of your own).")
    ] = "",
    name: Annotated[str, typer.Option(help="The project's name, else the folder's.")] = "",
) -> None:
    """Make a project folder, in which clips are labelled and models are trained.

    Landmarks of your own are a TOML file:

    \b
    kind = "object"               # or hand, face: what finds it
    landmarks = ["tip", "neck", "end"]
    edges = [["tip", "neck"], ["neck", "end"]]
    flip_pairs = []               # change places in a mirror
    normaliser = ["tip", "end"]   # errors: % of this distance
    scale = 1.6                   # crop / the points' own box
    across = ["tip", "end"]       # level; leave out: no turning
    # or up = ["end", "tip"]      # the first stands below
    """
    from tracker.find.markups import find_markup
    from train.project.layout import POSES, create_project

    markup = find_markup(landmarks)
    if kind:
        markup = _of_kind(markup, kind)
    named = [part.strip() for part in gestures.split(",")] if gestures else []
    project = create_project(folder, markup, name, named, POSES if pose else None)
    more = f", gestures {', '.join(project.gestures)}" if project.gestures else ""
    more += f", pose by {len(project.pose)} presets" if project.pose else ""
    tell(f"made {folder}: {len(project.landmarks)} landmarks of a {project.kind}{more}")
    tell(f"next: train add CLIP... --project {folder}, then train label {folder}")


def _of_kind(markup: Markup, kind: str) -> Markup:
    from tracker.errors import UserError
    from tracker.find.markups import base_of, parse_markup

    if kind == markup.kind:
        return markup
    if markup.is_bundled:
        raise UserError(
            f"{markup.name} is found as a {markup.kind}; --kind is for landmarks of your own"
        )
    parse_markup({"landmarks": ["a", "b"], "kind": kind}, "--kind")  # refuses what is no kind
    return replace(markup, kind=kind, base=base_of(kind))  # type: ignore[arg-type]


def add(
    clips: Annotated[
        list[Path],
        typer.Argument(
            metavar="CLIP", help="Videos, folders of videos or pictures, flagged moments."
        ),
    ],
    project: Annotated[Path, typer.Option(help="The project's folder.")] = Path(),
    link: Annotated[
        bool, typer.Option("--link", help="Link instead of copying: saves disk, moves badly.")
    ] = False,
) -> None:
    """Copy clips into a project as they are, and measure each: size, frames, true rate.

    Each is decoded once to its end. A folder that holds pictures only becomes a set of stills,
    labelled like a clip. A bad one does not stop the others; the exit code is 1 then.
    """
    from tracker.errors import UserError
    from train.project.adding import left_out, sources
    from train.project.layout import open_project

    opened = open_project(project)
    failed = 0
    todo: list[Source] = []
    for path in clips:
        for sentence in left_out(path):
            say(sentence, "train")
        try:
            todo += sources(path)
        except UserError as error:
            say(str(error), "train")
            failed += 1
    for source in todo:
        failed += not _add(opened, source, link)
    if failed:
        say(f"{failed} of these could not be added (see above)", "train")
        raise typer.Exit(1)
    tell(f"next: train label {project}")


def _add(project: Project, source: Source, link: bool) -> bool:
    from tracker.errors import UserError, unforeseen
    from train.project.adding import add_one

    try:
        added = add_one(project, source, link, _progress if sys.stderr.isatty() else None)
    except Exception as error:  # whatever one clip raises, the others go on
        known = isinstance(error, UserError | OSError)
        say(str(error if known else unforeseen(source.path, error)), "train")
        return False
    clip = added.clip
    if clip is None:
        tell(f"{source.path.name} is in the project already, as {added.known}")
        for message in added.messages:
            tell(f"  {message}")
        return True
    if clip.is_stills:
        tell(f"added {clip.name}: {clip.frames} pictures")
        for message in added.messages:
            tell(f"  {message}")
        return True
    size = f"{clip.size_wh[0]}x{clip.size_wh[1]}"
    rate = f"{clip.fps:.4g} frames per second" + (", varying" if clip.variable else "")
    tell(f"added {clip.name}: {clip.frames} frames, {size}, {clip.seconds:.2f} s, {rate}")
    for message in added.messages:
        tell(f"  {message}")
    return True


def _progress(name: str, frames: int, announced: int) -> None:
    if frames % 50 == 0 or frames == announced:
        count_up(f"reading {name}: {frames} of {announced or '?'}")


def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The project's folder.")] = Path(),
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend what can be mended without losing anything.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Every problem of a project: file, place, remedy. Exit code 1 if there are errors.

    Nothing is changed without --fix, which backs the labels up first.
    """
    from tracker.errors import UserError
    from tracker.find.model_file import TOML
    from train.project.check import check as find
    from train.project.layout import open_project
    from train.project.problems import error as make_error

    try:
        with waiting("checking clips and labels") as count:
            problems = find(open_project(folder), fix, count)
    except UserError as wrong:
        problems = [make_error(TOML, "", str(wrong), "")]
    if as_json:
        rows = [asdict(p) for p in problems]
        tell_json({"problems": rows}, 1)
    else:
        _print(problems, fix)
    if any(p.severity == "error" and not p.fixed for p in problems):
        raise typer.Exit(1)


def _print(problems: Sequence[Problem], fix: bool) -> None:
    for p in problems:
        head = "mended" if p.fixed else p.severity
        remedy = f"; {p.remedy}" if p.remedy and not p.fixed else ""
        tell(f"{head}: {p.where}: {p.what}{remedy}")
    left = [p for p in problems if not p.fixed]
    errors = sum(p.severity == "error" for p in left)
    if not problems:
        tell("no problem found")
        return
    text = f"{_count(errors, 'error')}, {_count(len(left) - errors, 'warning')}"
    if len(left) < len(problems):
        text += f", {len(problems) - len(left)} mended"
    elif any(p.code in _MENDABLE for p in left) and not fix:
        text += "; --fix mends some of them"
    tell(text)


def _count(many: int, what: str) -> str:
    return f"{many} {what}" + ("" if many == 1 else "s")


_MENDABLE = {
    "annotation_ids", "range_twice", "range_beyond", "picture", "stray", "fold", "unlisted", "part",
}  # fmt: skip


def remove(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="CLIP.mp4, SET, or SET/PICTURE.")
    ],
    project: Annotated[Path, typer.Option(help="The project's folder.")] = Path(),
) -> None:
    """Take clips, sets of pictures or single pictures out of a project, with their labels.

    Nothing is deleted: they are moved to removed/NAME in the project, from where 'train add' and
    'train import' (of its labels.json and ranges.csv) take them back.
    """
    from train.project.layout import open_project
    from train.project.removing import find
    from train.project.removing import remove as move

    opened = open_project(project)
    for wish in [find(opened, name) for name in names]:  # a wrong name moves nothing
        done = move(opened, wish)
        labels = f"{done.frames} labelled frames, {done.ranges} ranges"
        tell(f"moved {done.name} ({labels}) to {done.folder}")
