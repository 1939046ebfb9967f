"""The command line `tracker`. Everything heavy is imported inside the commands."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from tracker.sources.pixel_limit import limit_pixels
from ui.commands.actions import actions
from ui.commands.engines import Engine, Precision, Weights, engines
from ui.commands.faces.neutral import neutral_faces
from ui.commands.gestures.commands import gestures
from ui.commands.inspect import bench, cameras, doctor
from ui.commands.live import OFFLINE, SMOOTH_FILE, live
from ui.commands.outputs import outputs
from ui.commands.words import Mirror, Version, printing, say, started_as, tell, user_errors, waiting

if TYPE_CHECKING:
    from tracker.config import TrackerConfig
    from tracker.files.image_job import ImageJob
    from tracker.files.video_job import Job, Report
    from tracker.load import Loaded

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find landmarks, gestures and head pose in videos and pictures: of hands, faces, and "
    "of what you taught it.",
)


Inputs = Annotated[list[Path], typer.Argument(metavar="IN...", help="Files or folders.")]
Hands = Annotated[bool, typer.Option("--hands/--no-hands", help="Follow hands.")]
Faces = Annotated[bool, typer.Option("--faces/--no-faces", help="Follow faces.")]
Models = Annotated[
    list[Path] | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="Your own model, or a project folder (its newest model); repeat for several kinds.",
    ),
]
MaxHands = Annotated[int, typer.Option(min=1, help="Follow at most this many hands.")]
MaxFaces = Annotated[int, typer.Option(min=1, help="Follow at most this many faces.")]
MaxObjects = Annotated[
    int, typer.Option(min=1, help="Follow at most this many objects of a model of yours.")
]
Fov = Annotated[
    float | None,
    typer.Option(
        min=1, max=179, metavar="DEGREES",
        help="How wide the camera sees, for where heads are. Default: about 53.",
    ),
]  # fmt: skip
To = Annotated[
    list[str] | None,
    typer.Option(
        "--to",
        metavar="TARGET",
        help="Send results there, such as ws://; repeat. 'tracker outputs' lists them.",
    ),
]
Gestures = Annotated[
    str | None,
    typer.Option(
        "--gestures",
        metavar="FILE|none",
        help="Gestures of your own. Default: those of 'tracker gestures'.",
    ),
]
Neutral = Annotated[
    str,
    typer.Option(
        "--neutral",
        metavar="NAME|FILE|none",
        help="Whose face at rest is subtracted from expressions; 'tracker neutral' lists them.",
    ),
]
MaxMegapixels = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Refuse pictures and frames of more million pixels: they take memory as they please. "
        "Default: 100, and 36 for the frames of videos (8K has 33).",
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")]
OnBlack = Annotated[
    bool, typer.Option("--on-black", help="Draw on black instead of on the picture (privacy).")
]


@app.callback()
def root(version: Version = False) -> None:
    """What stands before a command."""


@app.command()
def video(
    inputs: Inputs,
    out: Annotated[
        Path | None,
        typer.Option(metavar="OUT.mp4", help="Annotated video: .mp4, .m4v, .mov or .mkv."),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(metavar="OUT.jsonl", help="A header line, then one JSON object per frame."),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.csv",
            help="A table per kind, such as OUT_hand.csv: one row per frame and hand.",
        ),
    ] = None,
    to: To = None,
    hands: Hands = True,
    faces: Faces = True,
    model: Models = None,
    smooth: Annotated[str, SMOOTH_FILE] = OFFLINE,
    overwrite: Overwrite = False,
    max_hands: MaxHands = 2,
    max_faces: MaxFaces = 1,
    max_objects: MaxObjects = 1,
    on_black: OnBlack = False,
    fov: Fov = None,
    mirror: Mirror = True,
    gestures: Gestures = None,
    neutral: Neutral = "none",
    engine: Engine = "auto",
    precision: Precision = "fp32",
    weights: Weights = "best",
    max_megapixels: MaxMegapixels = None,
    stats: Annotated[bool, typer.Option("--stats", help="Print the time of each stage.")] = False,
    progress: Annotated[
        bool | None,
        typer.Option("--progress/--no-progress", help="Default: shown in a terminal."),
    ] = None,
) -> None:
    """Annotate videos: each hand, face or object gets landmarks, a gesture or a head pose.

    A --model of objects is followed beside hands and faces; --no-hands --no-faces: it alone.

    Without an output, CLIP.mp4 becomes CLIP_annotated.mp4 in the folder you stand in. With several
    inputs, or a folder, --out (else annotated/), --json and --csv are folders, made where missing,
    and the files in them keep their stems. A bad file does not stop the others.

    Frame times and sound are kept; coordinates are pixels of the upright picture. Frames that
    cannot be decoded are counted, marked as gaps in the data, and shown as the picture before.
    Head pose, units and landmark names are explained in the first line of the JSON file.

    Ctrl-C ends early and leaves a playable file. Exit code 0: all done, perhaps with a warning;
    1: some input failed; 2: wrong usage; 130: ended early.
    """
    limit_pixels(max_megapixels)
    from tracker.files.targets import expand, plan, usual_out
    from tracker.files.video_job import Job
    from tracker.follow.neutral_files import chosen_face
    from tracker.follow.smooth import PRESETS
    from tracker.gestures.own import chosen_file
    from tracker.outputs.overlay import Style
    from tracker.sources.video_file import VIDEO_SUFFIXES

    if out is None and json is None and csv is None and not to:
        out = usual_out(inputs, ".mp4")
    most = {"max_hands": max_hands, "max_faces": max_faces, "max_objects": max_objects}
    with _usage_errors():
        preset = "light" if smooth == OFFLINE else smooth
        config = _config(hands, faces, most, preset, bool(model), (engine, precision, weights))
        config = replace(config, fov=fov, facing=mirror)
    with user_errors():
        config = replace(config, gestures=chosen_file(gestures) if hands else None)
        config = replace(config, neutral=chosen_face(neutral))
        planned = plan(inputs, expand(inputs, VIDEO_SUFFIXES, "video"), out, json, csv)
        loaded = load_networks(config, model or [])
    options = {"smooth": smooth, **most, **_told(fov, neutral)}
    options |= {} if mirror else {"mirror": False}
    style = Style(on_black=on_black)
    sources = [p.source for p in planned]
    ahead = PRESETS["light"] if smooth == OFFLINE else None
    jobs = [
        Job(p.source, p.out, p.json, p.csv, overwrite, style, options, sources, to or (), ahead)
        for p in planned
    ]
    shown = sys.stderr.isatty() if progress is None else progress
    raise typer.Exit(_run_videos(jobs, loaded, shown, stats))


@app.command()
def image(
    inputs: Inputs,
    out: Annotated[
        Path | None, typer.Option(metavar="OUT.png", help="Annotated picture; png, jpg, webp...")
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(metavar="OUT.jsonl", help="A header line, then one JSON object per picture."),
    ] = None,
    to: To = None,
    hands: Hands = True,
    faces: Faces = True,
    model: Models = None,
    overwrite: Overwrite = False,
    max_hands: MaxHands = 2,
    max_faces: MaxFaces = 1,
    max_objects: MaxObjects = 1,
    on_black: OnBlack = False,
    fov: Fov = None,
    gestures: Gestures = None,
    neutral: Neutral = "none",
    engine: Engine = "auto",
    precision: Precision = "fp32",
    weights: Weights = "best",
    max_megapixels: MaxMegapixels = None,
) -> None:
    """Annotate pictures. EXIF orientation is honoured; metadata are not copied.

    Without an output, A.jpg becomes A_annotated.jpg in the folder you stand in. With several
    inputs, or a folder, --out (else annotated/) is a folder, made where missing, and pictures keep
    their names. --json is one file for all of them. Exit codes as in 'tracker video'.
    """
    limit_pixels(max_megapixels)
    from tracker.files.image_job import IMAGE_SUFFIXES, ImageJob
    from tracker.files.targets import expand, plan_images, refuse_dash, refuse_suffix, usual_out
    from tracker.follow.neutral_files import chosen_face
    from tracker.gestures.own import chosen_file
    from tracker.outputs.overlay import Style

    is_unnamed = out is None and json is None and not to
    if is_unnamed:
        out = usual_out(inputs, inputs[0].suffix)
    most = {"max_hands": max_hands, "max_faces": max_faces, "max_objects": max_objects}
    with _usage_errors():
        config = _config(hands, faces, most, "off", bool(model), (engine, precision, weights))
    config = replace(config, every_view=True, fov=fov)
    with user_errors():
        config = replace(config, gestures=chosen_file(gestures) if hands else None)
        config = replace(config, neutral=chosen_face(neutral))
        refuse_dash("--json", json)
        refuse_suffix("--json", json)
        planned = plan_images(inputs, expand(inputs, IMAGE_SUFFIXES, "picture"), out)
        loaded = load_networks(config, model or [])
    style = Style(on_black=on_black)
    sources = [source for source, _ in planned]
    jobs = [ImageJob(source, target, overwrite, style, sources) for source, target in planned]
    options = {**most, **_told(fov, neutral)}
    code = _run_images(jobs, json, loaded, options, to or ())
    if is_unnamed and not code:
        tell(f"wrote {', '.join(str(job.out) for job in jobs)}")
    raise typer.Exit(code)


for command in (live, cameras, outputs, doctor, bench):
    app.command()(command)
app.add_typer(engines, name="engines")
app.add_typer(actions, name="actions")
app.add_typer(gestures, name="gestures")
app.add_typer(neutral_faces, name="neutral")


def load_networks(config: TrackerConfig, models: Sequence[Path]) -> Loaded:
    """The networks a command needs; tests put fakes in its place."""
    from tracker.load import load

    return load(config, models)


def main() -> None:
    """Entry point of the console script."""
    with printing():
        app(prog_name=started_as())


def _config(
    hands: bool,
    faces: bool,
    most: Mapping[str, int],
    smooth: str,
    with_models: bool,
    run_by: tuple[str, str, str],  # engine, precision and weights
) -> TrackerConfig:
    """Whether one of the models finds objects is known when they are loaded."""
    from tracker.config import TrackerConfig
    from tracker.find.markups import Weights
    from tracker.follow.smooth import Preset

    objects = True if with_models else None
    return TrackerConfig(
        hands=hands,
        faces=faces,
        objects=objects,
        max_hands=most["max_hands"],
        max_faces=most["max_faces"],
        max_objects=most["max_objects"],
        smooth=cast(Preset, smooth),
        engine=run_by[0],
        precision=run_by[1],
        weights=cast(Weights, run_by[2]),
    )


def _told(fov: float | None, neutral: str) -> dict[str, object]:
    """The options for headers that are there only where they say something."""
    given: dict[str, object] = {} if fov is None else {"fov": fov}
    return given if neutral == "none" else {**given, "neutral": neutral}


def _run_videos(jobs: Sequence[Job], loaded: Loaded, shown: bool, stats: bool) -> int:
    from tracker.errors import UserError, unforeseen
    from tracker.files.video_job import annotate
    from tracker.stop import INTERRUPTED, stop_on_signal
    from ui.commands.console import bars

    failed: list[Path] = []
    with stop_on_signal() as stopped, bars(shown) as bar:
        for job in jobs:
            if stopped():
                break
            try:
                report = annotate(
                    job, loaded.new_tracker(), loaded.models, bar(job.source.name), stopped
                )
            except Exception as error:  # whatever one file raises, the others go on
                known = isinstance(error, UserError)
                say(str(error if known else unforeseen(job.source, error)))
                failed.append(job.source)
                continue
            _tell(job, report)
            if report.failed_outputs:
                failed.append(job.source)
            if stats:
                tell(f"{loaded.describe()}\n{report.times.table(report.fps)}")
        ended_early = stopped()
    _list_failures(failed, len(jobs))
    return INTERRUPTED if ended_early else int(bool(failed))


def _run_images(
    jobs: Sequence[ImageJob],
    json: Path | None,
    loaded: Loaded,
    options: Mapping[str, object],
    to: Sequence[str],
) -> int:
    from contextlib import ExitStack

    from tracker.files.image_job import image_data, image_outputs, run_images
    from tracker.outputs.out_file import clear_parts_of
    from tracker.stop import INTERRUPTED, stop_on_signal

    failed: list[Path] = []
    ended: list[str] = []
    with ExitStack() as stack, user_errors():
        outputs = image_outputs(to, jobs, loaded.models, options, ended)
        for output in outputs:
            stack.callback(output.close, True)
        stopped = stack.enter_context(stop_on_signal())
        data = None
        if json is not None:
            sources = [job.source for job in jobs]
            data = image_data(json, sources, loaded.models, jobs[0].overwrite, options)
            stack.callback(data.discard)
        count = stack.enter_context(waiting("looking at pictures"))
        for done, outcome in enumerate(run_images(jobs, loaded, data, stopped, outputs), 1):
            count(done, len(jobs))
            if outcome.error is not None:
                failed.append(outcome.source)
            for sentence in outcome.sentences():
                say(sentence)
        if data is not None and len(failed) < len(jobs):
            data.finish()
        ended_early = stopped()
        for sentence in [] if json is None or failed or ended_early else clear_parts_of(json):
            say(sentence)
    for words in ended:
        say(words)
    _list_failures(failed, len(jobs))
    return INTERRUPTED if ended_early else int(bool(failed or ended))


def _tell(job: Job, report: Report) -> None:
    """Warnings on stderr, and one line on stdout about what was made."""
    for sentence in report.warnings():
        say(f"{job.source}: {sentence}")
    if not report.frames:
        return
    aside = "-" in job.to  # then standard output holds the lines
    seen = ", ".join(f"{kind}s in {count}" for kind, count in report.with_kind.items())
    sound = f"; {report.sound}" if report.sound else ""
    rate = f"{report.fps:.1f} frames per second"
    speak = say if aside else tell
    speak(f"{job.source}: {report.frames} frames, {seen}; {rate}{sound}")
    if report.written:
        speak(f"wrote {', '.join(map(str, report.written))}")


def _list_failures(failed: Sequence[Path], count: int) -> None:
    if failed and count > 1:
        say(f"{len(failed)} of {count} inputs failed: {', '.join(map(str, failed))}")


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Options that do not go together are a usage error."""
    try:
        yield
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


if __name__ == "__main__":
    main()
