"""`tracker bench --all`: ours and MediaPipe's landmarkers, every form of both, in one run.

All sides take the same frames in alternating blocks in one process (see
`tracker.checkup.bench`), the whole clip several times over; what is told of a side is the median
over these runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.text import Text

from tracker.checkup import bench
from tracker.checkup.bench_run import tells_expressions
from tracker.checkup.peers import MediaPipePeer, Peer
from tracker.config import TrackerConfig
from tracker.errors import UserError
from tracker.find.markups import Weights
from tracker.load import load
from tracker.outputs.landmark_files import versions
from tracker.progress import Report, silent
from tracker.types import Frame, Kind

PAUSE = 10.0  # seconds of stream time between two runs: nothing is followed across them
RUNS = 5


@dataclass(frozen=True, slots=True)
class Form:
    """One line of the table."""

    name: str
    kinds: tuple[Kind, ...]
    hands: int = 1  # asked for at most
    peer: bool = False
    precision: str = "fp32"


# fmt: off
FORMS = (
    Form("MediaPipe HandLandmarker, 1 hand asked", ("hand",), 1, peer=True),
    Form("MediaPipe HandLandmarker, 2 hands asked", ("hand",), 2, peer=True),
    Form("MediaPipe FaceLandmarker", ("face",), peer=True),
    Form("ours, 1 hand asked", ("hand",), 1),
    Form("ours, 2 hands asked", ("hand",), 2),
    Form("ours, face", ("face",)),
    Form("ours, 2 hands and a face asked", ("hand", "face"), 2),
    Form("ours in int8, 2 hands asked", ("hand",), 2, precision="int8"),
    Form("ours in int8, face", ("face",), precision="int8"),
    Form("ours in int8, 2 hands and a face asked", ("hand", "face"), 2, precision="int8"),
)
# fmt: on


@dataclass(frozen=True, slots=True)
class TableOptions:
    """What the command line says."""

    clip: Path
    bundles: Mapping[Kind, Path]
    frames: int = bench.FRAMES
    threads: int = 2
    engine: str = "auto"
    runs: int = RUNS
    weights: Weights = "best"


def run(options: TableOptions, report: Report = silent) -> dict[str, Any]:
    """Measure every form that there is a bundle for. UserError and `report` as `bench_run.run`."""
    hardware = bench.hardware()
    forms = [f for f in FORMS if not f.peer or set(f.kinds) <= set(options.bundles)]
    clip = bench.read_clip(options.clip, options.frames)
    with ExitStack() as stack:
        faces = TrackerConfig(hands=False, engine="onnx", weights=options.weights)
        tells = "face" in options.bundles and tells_expressions(load(faces).models)
        sides = [_side(form, options, tells, stack) for form in forms]
        found = _runs(sides, clip.frames, options.runs, report)
    return {
        "schema_version": bench.SCHEMA_VERSION,
        "clip": {
            "file": clip.path.name,
            "size_wh": list(clip.size_wh),
            "frames": len(clip.frames) - bench.WARM_UP,
            "warm_up": bench.WARM_UP,
            "note": clip.note,
        },
        "runs": options.runs,
        "threads": options.threads,
        "forms": [form_facts(form, [run[i] for run in found]) for i, form in enumerate(forms)],
        "hardware": hardware,
        "versions": versions(),
    }  # fmt: skip


def _runs(
    sides: Sequence[Peer],
    frames: Sequence[Frame],
    runs: int,
    report: Report,
) -> list[list[bench.Runs]]:
    """Each run's numbers of each side."""
    found: list[list[bench.Runs]] = []
    for number in range(runs):

        def all_runs(done: int, of: int, number: int = number) -> None:
            report(number * of + done, runs * of)

        found.append(bench.compare(sides, later(frames, number), report=all_runs))
    return found


def _side(form: Form, options: TableOptions, expressions: bool, stack: ExitStack) -> Peer:
    if form.peer:
        bundles = {k: options.bundles[k] for k in form.kinds}
        peer = MediaPipePeer(bundles, form.hands, 1, expressions)
        stack.callback(peer.close)
        return peer
    config = TrackerConfig(
        hands="hand" in form.kinds,
        faces="face" in form.kinds,
        max_hands=form.hands,
        threads=options.threads,
        engine=options.engine,
        precision=form.precision,
        weights=options.weights,
    )
    return bench.Ours(load(config).new_tracker(), form.kinds, form.name)


def later(frames: Sequence[Frame], number: int) -> list[Frame]:
    """The frames as run `number` (from 0) shows them: after the runs before, with a pause."""
    shift = number * (frames[-1].t - frames[0].t + PAUSE)
    return [replace(frame, t=frame.t + shift) for frame in frames]


def form_facts(form: Form, runs: Sequence[bench.Runs]) -> dict[str, object]:
    """Medians over the runs of a run's mean and median milliseconds and mean CPU milliseconds."""
    means = [float(np.mean(r.ms)) for r in runs]
    return {
        "name": form.name,
        "kinds": list(form.kinds),
        "mean_ms": float(np.median(means)),
        "mean_ms_spread": [min(means), max(means)],
        "median_ms": float(np.median([np.median(r.ms) for r in runs])),
        "p95_ms": float(np.median([np.percentile(r.ms, 95) for r in runs])),
        "cpu_ms": float(np.median([1e3 * np.mean(r.cpu_s) for r in runs])),
        "frames_with": {k: [r.with_kind.get(k, 0) for r in runs] for k in form.kinds},
    }


def show(outcome: Mapping[str, Any], console: Console) -> None:
    """The outcome for people, the table in Markdown."""
    clip, hardware = outcome["clip"], outcome["hardware"]
    w, h = clip["size_wh"]
    lines = [
        f"{clip['file']}, {w}x{h}: {clip['frames']} frames after {clip['warm_up']} of warm-up, "
        f"{outcome['runs']} runs; decoding not counted; our networks on {outcome['threads']} "
        "threads, MediaPipe chooses its own",
        f"{hardware['cpu']}, {hardware['cores']} cores; {hardware['platform']}",
        ", ".join(f"{name} {found}" for name, found in outcome["versions"].items()),
        "",
        "| per frame, median of the runs | mean ms (of each run) | median ms | p95 ms | CPU ms "
        "| frames with |",
        "|---|---|---|---|---|---|",
        *map(row, outcome["forms"]),
        "",
        *(f"{name}: {ratio:.2f}" for name, ratio in ratios(outcome["forms"]).items()),
    ]
    for line in lines:
        console.print(Text(line), soft_wrap=True)


def row(form: Mapping[str, Any]) -> str:
    """A form as a line of the table."""
    seen = ", ".join(f"{k} {np.median(n):.0f}" for k, n in form["frames_with"].items())
    low, high = form["mean_ms_spread"]
    return (
        f"| {form['name']} | {form['mean_ms']:.2f} ({low:.2f} to {high:.2f}) "
        f"| {form['median_ms']:.2f} | {form['p95_ms']:.2f} | {form['cpu_ms']:.2f} | {seen} |"
    )


def ratios(forms: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Mean ms of ours over MediaPipe's for the same thing asked; below 1 we are faster."""
    by_name = {form["name"]: form["mean_ms"] for form in forms}
    hand, face = "MediaPipe HandLandmarker", "MediaPipe FaceLandmarker"
    pairs = [(f"ours{p}, {n} asked", f"{hand}, {n} asked") for p in ("", " in int8")
             for n in ("1 hand", "2 hands")]  # fmt: skip
    pairs += [(f"ours{p}, face", face) for p in ("", " in int8")]
    return {
        f"{a} / {b}": by_name[a] / by_name[b] for a, b in pairs if a in by_name and b in by_name
    }


def check(bundles: Mapping[Kind, Path]) -> None:
    """UserError when no bundle is given: the table is of ours beside others."""
    if not bundles:
        raise UserError(
            "--all measures MediaPipe beside ours and needs its models, which are not shipped; "
            "give its .task files with --hand-bundle and --face-bundle"
        )
