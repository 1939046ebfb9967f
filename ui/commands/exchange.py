"""`train import` and `train export-labels`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ui.commands.words import tell, waiting

if TYPE_CHECKING:
    from train.exchange.bring import Brought


def import_labels(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Label files of other tools; ranges.csv of a project."),
    ],
    project: Annotated[Path, typer.Option(help="The project they go into.")],
    format: Annotated[
        str, typer.Option(help="auto, coco, dlc, sleap, cvat, labelstudio or labelme.")
    ] = "auto",
    clip: Annotated[
        str, typer.Option(help="The clip that frames are of; else the name for new pictures.")
    ] = "",
    names: Annotated[
        str, typer.Option(help="Landmarks: theirs=ours,... or a file of such lines.")
    ] = "",
    by_order: Annotated[bool, typer.Option(help="Match landmarks by their order.")] = False,
    pictures: Annotated[Path | None, typer.Option(help="Where else pictures lie.")] = None,
    origin: Annotated[
        str, typer.Option(help="centre or corner of the first pixel is (0, 0); '': by format.")
    ] = "",
    hidden: Annotated[
        bool, typer.Option(help="SLEAP: points that are not visible are labelled, but hidden.")
    ] = False,
    replace: Annotated[bool, typer.Option(help="Also frames that are labelled already.")] = False,
) -> None:
    """Take over labels of COCO, DeepLabCut, SLEAP, CVAT, Label Studio or LabelMe.

    And labelled time, of the ranges.csv of another project or of removed/.
    """
    from train.exchange.bring import ImportWish, bring
    from train.exchange.formats import read
    from train.exchange.names import read_map
    from train.exchange.ranges import bring_ranges, is_ranges
    from train.project.layout import open_project

    if origin not in ("", "centre", "corner"):
        raise ValueError(f"--origin takes centre or corner, found '{origin}'")
    opened = open_project(project)
    times = [path for path in files if format == "auto" and is_ranges(path)]
    others = [path for path in files if path not in times]
    if others:
        with waiting("reading labels and their pictures") as count:
            found = [read(path, format, hidden, origin) for path in others]
            wish = ImportWish(clip, read_map(names), by_order, replace, pictures)
            name = others[0].stem if len(others) == 1 else others[0].absolute().parent.name
            brought = bring(opened, found, name, wish, count)
        _tell(brought)
    if times:
        ranges = bring_ranges(opened, times, clip)
        for note in (*ranges.messages, *(f"left out: {one}" for one in ranges.left_out)):
            tell(f"note: {note}")
        tell(
            f"imported {ranges.new} time ranges; {ranges.known} were there already, "
            f"{len(ranges.left_out)} left out"
        )


def _tell(done: Brought) -> None:
    for note in done.notes:
        tell(f"note: {note}")
    tell(
        f"imported {done.objects} objects: {done.in_clips} new frames of clips, {done.as_stills} "
        f"new pictures" + (f" in '{done.stills_name}'" if done.as_stills else "")
        + f", {done.replaced} replaced"
    )  # fmt: skip
    if done.kept:
        tell(f"{done.kept} frames were labelled already and left as they were (--replace)")


def export_labels(
    project: Annotated[Path, typer.Argument(metavar="DIR", help="The project.")],
    format: Annotated[
        str,
        typer.Option(help="coco, dlc, sleap, sleap-pkg, cvat, cvat-video, labelstudio or labelme."),
    ],
    out: Annotated[Path, typer.Option(help="A new folder.")],
    by_hand: Annotated[
        bool, typer.Option("--by-hand", help="Without labels that were spread.")
    ] = False,
) -> None:
    """Write the labels for another tool, with the pictures it needs.

    Proposals that nobody accepted are left out. Where labels that were spread are among them,
    origin.csv beside them says which, from where, and how sure each point is.
    """
    from train.exchange.give import give
    from train.project.layout import open_project

    with waiting(f"writing {out}") as count:
        done = give(open_project(project), format, out, by_hand, count)
    for text in done.lost:
        tell(f"not kept by {format}: {text}")
    tell(f"wrote {done.frames} frames: {', '.join(str(f) for f in done.files[:3])}"
               + (" ..." if len(done.files) > 3 else ""))  # fmt: skip
