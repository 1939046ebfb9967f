"""`tracker neutral`: a person's face at rest, captured without a window. No PyTorch, no Qt."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ui.commands.engines import Weights
from ui.commands.words import say, tell, user_errors

if TYPE_CHECKING:
    from tracker.follow.neutral import NeutralFace
    from tracker.live.pipeline import Pipeline

LOOK = 0.005  # s between two looks for a new frame
SILENT = 20.0  # s without a new frame after which a capture ends

neutral_faces = typer.Typer(
    add_completion=False,
    help="Faces at rest, which are subtracted from expressions: list them, capture one. 'tracker "
    "live' captures them in its window (N).",
)


@neutral_faces.callback(invoke_without_command=True)
def show(context: typer.Context) -> None:
    """List whose face at rest is kept, and where."""
    if context.invoked_subcommand is not None:
        return
    from tracker.find.expressions import by_name
    from tracker.follow.neutral_files import file_of, folder, people, read_face

    with user_errors():
        for who in people():
            face = read_face(file_of(who))
            most = sorted(by_name(face.expressions).items(), key=lambda item: -item[1])[:3]
            words = ", ".join(f"{name} {value:.2f}" for name, value in most)
            tell(f"{who}: {face.frames} frames; most at rest: {words}")
    if not people():
        tell("no face at rest was captured yet; next: tracker neutral take")
    tell(f"in {folder()}")


@neutral_faces.command()
def take(
    camera: Annotated[
        str, typer.Option("--camera", "-c", help="As of 'tracker live'; or a video file.")
    ] = "0",
    name: Annotated[str, typer.Option(help="Whose face it is.")] = "me",
    file: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Default: NAME's of your settings.")
    ] = None,
    face_model: Annotated[
        Path | None, typer.Option(metavar="MODEL", help="Your own face model, or a project.")
    ] = None,
    weights: Weights = "best",
) -> None:
    """Capture a face at rest in five seconds: look into the camera, and do nothing else.

    A later capture for the same name counts in place of the one before, which stays in the file.
    """
    from tracker.config import TrackerConfig
    from tracker.errors import UserError
    from tracker.find import markups
    from tracker.follow.neutral_files import file_of, keep_face
    from tracker.live.pipeline import Pipeline
    from tracker.sources.open import open_source
    from tracker.stop import stop_on_signal

    with user_errors():
        place = file or file_of(name)
        chosen = cast(markups.Weights, weights)
        config = TrackerConfig(hands=False, face_model=face_model, weights=chosen, live=True)
        pipeline = Pipeline(open_source(camera), config)
        with stop_on_signal() as stopped:
            pipeline.start()
            try:
                face = captured(pipeline, stopped)
            except ValueError as error:
                raise UserError(str(error)) from error
            finally:
                pipeline.close()
        keep_face(place, face)
    tell(f"kept in {place}: {face.frames} frames; 'tracker live' subtracts it")


def captured(pipeline: Pipeline, stopped: Callable[[], bool]) -> NeutralFace:
    """The face at rest that a running pipeline shows. UserError where it ends before."""
    from tracker.errors import UserError
    from tracker.follow.neutral import SECONDS, Capture, model_of_faces

    capture, serial, told = Capture(), -1, ""
    since = time.monotonic()
    while not stopped():
        shown, health = pipeline.latest(), pipeline.health()
        if shown is not None and shown.serial != serial:
            serial, since = shown.serial, time.monotonic()
            face = capture.take(shown.result)
            if face is not None:
                return replace(face, model=model_of_faces(used.info for used in health.models))
            if capture.lacks_expressions:
                raise UserError(
                    "the face model in use tells no expressions; give one that does with "
                    "--face-model"
                )
            words = "no face is seen" if capture.is_missing else f"{ceil(capture.left_s)} s left"
            if words != told:
                told = words
                say(words)
        if health.camera.phase == "ended" and not health.dead:
            raise UserError(
                f"nothing was captured: the file ended before a face was seen for {SECONDS:g} "
                "seconds; give a longer one"
            )
        if health.dead or health.camera.phase == "failed":
            raise UserError(f"nothing was captured: {health.error or health.camera.reason}")
        if time.monotonic() - since > SILENT:
            raise UserError(f"nothing was captured: {health.camera.reason}")
        time.sleep(LOOK)
    raise UserError("nothing was captured: it was stopped")
