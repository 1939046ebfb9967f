"""The command `tracker live`; Qt is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ui.commands.engines import Engine, Precision
from ui.live.options import LiveOptions

PRESETS = ("off", "light", "strong")


def _preset(value: str | None) -> str | None:
    if value is not None and value not in PRESETS:
        raise typer.BadParameter(f"{value!r} is none of {', '.join(PRESETS)}")
    return value


def live(
    camera: Annotated[
        str | None,
        typer.Option(
            "--camera", "-c", metavar="CAMERA",
            help="0, a camera's name, /dev/video2, an rtsp or http URL, or a video file. "
            "Default: the camera chosen last, at first 0.",
        ),
    ] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Play a file again and again.")] = False,
    hand_model: Annotated[
        Path | None,
        typer.Option(metavar="MODEL", exists=True, help="Your own hand model, or a project."),
    ] = None,
    face_model: Annotated[
        Path | None,
        typer.Option(metavar="MODEL", exists=True, help="Your own face model, or a project."),
    ] = None,
    model: Annotated[
        list[Path] | None,
        typer.Option(
            "--model", metavar="MODEL", exists=True,
            help="Your own model of any kind, or a project folder (its newest model); repeat for "
            "several kinds.",
        ),
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", file_okay=False,
            help="Where F puts moments to be labelled. Default: the project of --model.",
        ),
    ] = None,
    hands: Annotated[
        bool | None, typer.Option("--hands/--no-hands", help="Follow hands.")
    ] = None,
    faces: Annotated[
        bool | None, typer.Option("--faces/--no-faces", help="Follow faces.")
    ] = None,
    max_hands: Annotated[
        int | None, typer.Option(min=1, max=8, help="Follow at most this many hands.")
    ] = None,
    max_faces: Annotated[
        int | None, typer.Option(min=1, max=8, help="Follow at most this many faces.")
    ] = None,
    max_objects: Annotated[
        int | None,
        typer.Option(min=1, max=8, help="Follow at most this many objects of a model of yours."),
    ] = None,
    smooth: Annotated[
        str | None,
        typer.Option(
            metavar="off|light|strong", callback=_preset, help="Steady the landmarks over time."
        ),
    ] = None,
    mirror: Annotated[
        bool | None,
        typer.Option(
            "--mirror/--no-mirror", help="Show a mirror image. Default: cameras yes, files no."
        ),
    ] = None,
    engine: Engine = "auto",
    precision: Precision = "fp32",
    fullscreen: Annotated[bool, typer.Option("--fullscreen", help="Only the picture.")] = False,
    measure: Annotated[
        float | None,
        typer.Option(hidden=True, min=1, help="Measure for so many seconds, print JSON, quit."),
    ] = None,
) -> None:  # fmt: skip
    """Show the landmarks of a camera live, in a window. Press ? there for its keys.

    What is chosen in the window is kept for the next time; options count for this run only. A
    camera that is unplugged is waited for. Where TensorRT must build an engine first, ONNX Runtime
    serves until it is there. Recordings, snapshots and flagged moments go to folders
    that the window names.
    """
    from tracker.errors import UserError
    from ui.live.app import run

    options = LiveOptions(
        camera, loop, hand_model, face_model, project, hands, faces, max_hands, max_faces, smooth,
        mirror, fullscreen, measure, tuple(model or ()), max_objects, engine, precision,
    )  # fmt: skip
    try:
        code = run(options)
    except UserError as error:
        typer.echo(f"tracker: {error}", err=True)
        raise typer.Exit(1) from error
    raise typer.Exit(code)
