"""What is wrong with the sets of pictures of a project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tracker.errors import UserError
from tracker.sources.picture_file import load_picture
from train.project.labels import picture_name
from train.project.layout import Project
from train.project.problems import Problem, error, warning
from train.project.stills import INDEX, digest, read_set


def check_sets(project: Project) -> Iterator[Problem]:
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
        yield from _pictures(project, named)
        for picture in sorted(set(path.parent.glob("frame*.png")) - named.keys()):
            name = picture.relative_to(project.root).as_posix()
            what = f"{INDEX} does not name this picture: something was interrupted"
            remedy = "import or add its set again; if it is still told, move it elsewhere"
            yield warning(name, "", what, remedy)


def _pictures(project: Project, named: Mapping[Path, tuple[str, str]]) -> Iterator[Problem]:
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
