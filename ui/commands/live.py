"""The command `tracker live`; Qt is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ui.commands.engines import Engine, Precision, Weights
from ui.commands.words import say

# No choices: nothing of them is kept.
OF_THIS_RUN = ("to", "model", "fullscreen", "measure", "window")


OFFLINE = "offline"  # of files alone: the preset light, forwards and backwards in time


def _known_file_preset(name: str) -> str:
    from tracker.follow.smooth import PRESETS

    if name not in (*PRESETS, OFFLINE):
        raise typer.BadParameter(f"{name!r} is none of {', '.join((*PRESETS, OFFLINE))}")
    return name


def _known_preset(name: str | None) -> str | None:
    from tracker.follow.smooth import PRESETS

    if name is not None and name not in PRESETS:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(PRESETS)}")
    return name


def _known_size(words: str | None) -> str | None:
    from ui.live.choices import size_wh

    try:
        size_wh(words or "")
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return words


SMOOTH = typer.Option(
    "--smooth",
    metavar="off|light|strong",
    callback=_known_preset,
    help="Steady the landmarks over time.",
)

SMOOTH_FILE = typer.Option(
    "--smooth",
    metavar="off|light|strong|offline",
    callback=_known_file_preset,
    help="Steady the landmarks over time; offline looks ahead, so that nothing trails.",
)


def live(
    context: typer.Context,
    camera: Annotated[
        str | None,
        typer.Option(
            "--camera", "-c", metavar="CAMERA",
            help="0, a camera's name, /dev/video2, an rtsp or http URL, or a video file. "
            "Default: the camera chosen last, at first 0.",
        ),
    ] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Play a file again and again.")] = False,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="WIDTHxHEIGHT", callback=_known_size,
            help="Ask the camera for pictures of this size. Default: as chosen last.",
        ),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(min=1, max=1000, help="Ask the camera for so many pictures a second."),
    ] = None,
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
        int | None, typer.Option(min=1, max=20, help="Follow at most this many faces.")
    ] = None,
    max_objects: Annotated[
        int | None,
        typer.Option(min=1, max=8, help="Follow at most this many objects of a model of yours."),
    ] = None,
    smooth: Annotated[str | None, SMOOTH] = None,
    mirror: Annotated[
        bool | None,
        typer.Option(
            "--mirror/--no-mirror", help="Show a mirror image. Default: cameras yes, files no."
        ),
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to", metavar="TARGET",
            help="Send results there, such as ws://; repeat. 'tracker outputs' lists them.",
        ),
    ] = None,
    fov: Annotated[
        float | None,
        typer.Option(
            min=1, max=179, metavar="DEGREES",
            help="How wide the camera sees, for where heads are. Default: about 53.",
        ),
    ] = None,
    auto_centre: Annotated[
        bool | None,
        typer.Option(
            "--auto-centre/--no-auto-centre",
            help="Straight ahead follows the head within a minute, for avatars and games.",
        ),
    ] = None,
    actions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml", exists=True, dir_okay=False,
            help="Do what this profile says: gestures to keys and more; see 'tracker actions'.",
        ),
    ] = None,
    actions_test: Annotated[
        bool, typer.Option("--actions-test", help="Show what would fire, and do nothing.")
    ] = False,
    gestures: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|none",
            help="Gestures of your own. Default: those of 'tracker gestures'; G teaches more.",
        ),
    ] = None,
    neutral: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE|none",
            help="Whose face at rest is subtracted from expressions. Default: 'me'; N captures it.",
        ),
    ] = None,
    window: Annotated[
        bool,
        typer.Option(
            "--window/--no-window",
            help="Without a window: only --to and --actions, no display is needed.",
        ),
    ] = True,
    engine: Engine = "auto",
    precision: Precision = "fp32",
    weights: Weights = "best",
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
    from tracker.follow.neutral_files import chosen_face
    from tracker.gestures.own import chosen_file

    given = _given(context)
    try:
        chosen_file(gestures)  # complains about one that is not there,
        if neutral and not window:
            chosen_face(neutral)  # as this does where nobody could capture it
        if window:
            from ui.live.app import run

            code = run(given, model or (), fullscreen, measure, to or ())
        else:
            from ui.live import no_window

            code = no_window.run(given, model or (), measure, to or ())
    except UserError as error:
        say(str(error))
        raise typer.Exit(1) from error
    raise typer.Exit(code)


def _given(context: typer.Context) -> dict[str, object]:
    """The choices that this command line names; what it does not name stays as it was chosen."""
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in context.params.items()
        if name not in OF_THIS_RUN and _is_given(context, name)
    }


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"
