"""The commands that look at the machine: `tracker cameras`, `tracker doctor`, `tracker bench`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ui.commands.engines import Engine, Precision, Weights
from ui.commands.words import say, stages, tell, tell_json, user_errors, waiting

if TYPE_CHECKING:
    from tracker.checkup.doctor import Diagnosis
    from tracker.types import Kind

COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]
File = typer.Option(metavar="FILE", exists=True, dir_okay=False, help="The peer's .task file.")


def cameras(
    as_json: AsJson = False,
    measure: Annotated[
        bool, typer.Option("--measure/--no-measure", help="Open each and measure its rate.")
    ] = True,
) -> None:
    """List the cameras: number, name, identity for --camera, modes, and frames per second.

    The rates of the modes are what the camera promises. Measuring takes some seconds per camera.
    """
    from ui.commands.camera_list import look, sentences

    with user_errors(), waiting("opening the cameras"):
        found = look(measure)
    if as_json:
        rows = [listed.to_json() for listed in found]
        tell_json({"schema_version": 1, "cameras": rows})
        return
    for sentence in sentences(found):
        tell(sentence)


def doctor(as_json: AsJson = False) -> None:
    """Check this installation: packages, engines, models, display, cameras, and a self-test.

    Exit code 1 only where 'tracker video' cannot run.
    """
    from tracker.checkup.doctor import examine

    with stages("looking at this installation") as stage:
        diagnosis = examine(stage)
    if as_json:
        tell_json(diagnosis.to_json())
    else:
        _show(diagnosis)
    raise typer.Exit(diagnosis.exit_code)


def bench(
    clips: Annotated[
        list[Path] | None,
        typer.Argument(metavar="CLIP", help="A video file; with --smoothing none or several."),
    ] = None,
    frames: Annotated[int, typer.Option(min=1, help="Time at most this many frames.")] = 150,
    engine: Engine = "auto",
    precision: Precision = "fp32",
    weights: Weights = "best",
    threads: Annotated[int, typer.Option(min=1, help="Threads of each network.")] = 2,
    hands: Annotated[bool, typer.Option("--hands/--no-hands", help="Follow hands.")] = True,
    faces: Annotated[bool, typer.Option("--faces/--no-faces", help="Follow faces.")] = True,
    max_hands: Annotated[int, typer.Option(min=1, help="Hands at most, on both sides.")] = 2,
    max_faces: Annotated[int, typer.Option(min=1, help="Faces at most, on both sides.")] = 1,
    model: Annotated[
        list[Path] | None,
        typer.Option(
            "--model",
            metavar="MODEL",
            help="Your own model, or a project folder (its newest one); repeat for several kinds.",
        ),
    ] = None,
    peer: Annotated[
        str | None, typer.Option(metavar="mediapipe", help="Measure this one beside ours.")
    ] = None,
    hand_bundle: Annotated[Path | None, File] = None,
    face_bundle: Annotated[Path | None, File] = None,
    every: Annotated[
        bool, typer.Option("--all", help="MediaPipe's landmarkers and every form of ours, in one.")
    ] = False,
    runs: Annotated[int, typer.Option(min=1, help="Runs of --all; medians are told.")] = 5,
    smoothing: Annotated[
        bool,
        typer.Option("--smoothing", help="No times: jitter and lag of each --smooth, in tables."),
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--json", metavar="OUT.json", help="The numbers, for machines.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT.json.")] = False,
) -> None:
    """Time the tracker on a clip, alone or in alternation with MediaPipe's own landmarkers.

    The clip is decoded to memory first (at most 1 GiB of it), and its first 10 frames are a
    warm-up. With a peer both sides look only for what the peer has a bundle for. MediaPipe, which
    is an optional extra, looks up a Google host each time it is started. With --all, it and every
    form of ours take turns; options that say what to look for are left out of account.

    With --smoothing: what stays of the jitter of still landmarks, and by how much those that move
    are trailed, by a step and a blink as well, on motion made here and on clips.
    """
    from tracker.checkup import bench_run, bench_table
    from tracker.checkup import smoothing as smoothing_run
    from tracker.checkup.bench import busy_warning
    from tracker.checkup.peers import NETWORK_NOTE
    from tracker.errors import writing
    from tracker.files.targets import refuse_suffix
    from tracker.find import markups
    from tracker.outputs.out_file import OutFile, clear_parts_of
    from ui.commands.console import console

    given: list[tuple[Kind, Path | None]] = [("hand", hand_bundle), ("face", face_bundle)]
    bundles = {kind: path for kind, path in given if path is not None}
    if not (hands or faces or model):
        raise typer.BadParameter("nothing to track: switch on hands, faces or both")
    if not smoothing and len(clips or ()) != 1:
        raise typer.BadParameter("give one CLIP; only --smoothing takes none or several")
    clip = clips[0] if clips else Path()
    options = bench_run.BenchOptions(
        clip, frames, engine, precision, threads, hands, faces, max_hands, max_faces, peer, bundles,
        tuple(model or ()), weights=cast(markups.Weights, weights),
    )  # fmt: skip
    with user_errors():
        refuse_suffix("--json", out)
        target = None if out is None else OutFile(out, clips or (), overwrite)
        try:
            if peer == "mediapipe" or every:
                say(f"note: {NETWORK_NOTE}")
            with waiting(
                f"measuring on {', '.join(c.name for c in clips or ()) or 'motion'}"
            ) as count:
                if smoothing:
                    outcome = smoothing_run.run(options, clips or (), count)
                elif every:
                    bench_table.check(bundles)
                    wanted = bench_table.TableOptions(
                        clip, bundles, frames, threads, engine, runs, options.weights
                    )
                    outcome = bench_table.run(wanted, count)
                else:
                    outcome = bench_run.run(options, count)
            if target is not None:
                with writing(target.path):
                    target.temp.write_text(json.dumps(outcome, indent=2) + "\n", encoding="utf-8")
                target.commit()
                for sentence in clear_parts_of(target.path):
                    say(sentence)
        finally:
            if target is not None:
                target.discard()
    if smoothing:
        smoothing_run.show(outcome["tables"], console())
        return
    (bench_table if every else bench_run).show(outcome, console())
    warning = busy_warning(outcome["hardware"])
    if warning:
        say(warning)


def _show(diagnosis: Diagnosis) -> None:
    """A table for people."""
    from rich.table import Table
    from rich.text import Text

    from tracker.checkup.finding import NOTHING
    from ui.commands.console import console

    table = Table("", "what", "found and advised", box=None, pad_edge=False)
    for finding in diagnosis.findings:
        words = Text(finding.fact)
        if finding.advice != NOTHING:
            words.append(f"\n-> {finding.advice}", style="bold")
        level = Text(finding.level, style=COLOURS[finding.level])
        table.add_row(level, Text(finding.name), words)
    terminal = console()
    terminal.print(table)
    verdict = "'tracker video' cannot run here" if diagnosis.exit_code else "'tracker video' runs"
    terminal.print(Text(verdict, style="bold"))
