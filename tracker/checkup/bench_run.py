"""`tracker bench` from its options to its outcome: load, run, close, put into words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tracker.checkup import bench
from tracker.checkup.peers import PEERS, Peer, limits
from tracker.config import TrackerConfig
from tracker.errors import UserError
from tracker.find.markups import Weights
from tracker.load import load
from tracker.outputs.landmark_files import UsedModel, versions
from tracker.progress import Report, silent
from tracker.types import Kind

KINDS: tuple[Kind, ...] = ("hand", "face")


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """What the command line says."""

    clip: Path
    frames: int = bench.FRAMES
    engine: str = "auto"
    precision: str = "fp32"
    threads: int = 2
    hands: bool = True
    faces: bool = True
    max_hands: int = 2
    max_faces: int = 1
    peer: str | None = None
    bundles: Mapping[Kind, Path] | None = None
    models: Sequence[Path] = ()
    max_objects: int = 1
    weights: Weights = "best"


def run(options: BenchOptions, report: Report = silent) -> dict[str, Any]:
    """The whole measurement. UserError when the clip, a model or the peer is not usable.

    `report`: how much is done, and of how much.
    """
    hardware = bench.hardware()
    kinds = wanted_kinds(options)
    config = our_config(options, kinds)
    loaded = load(config, options.models)
    if any(m.info.kind == "object" for m in loaded.models):
        kinds = (*kinds, "object")
    if options.peer is not None and "object" in kinds:
        raise UserError(f"{options.peer} finds no objects; drop that model, or drop --peer")
    clip = bench.read_clip(options.clip, options.frames)
    memory: dict[str, float | None] = {"clip_decoded": bench.peak_memory_mb()}
    with ExitStack() as stack:
        tells = tells_expressions(loaded.models)
        settings = our_settings(config, kinds, tells)
        sides: list[Peer] = [bench.Ours(loaded.new_tracker(), kinds, settings)]
        if options.peer is not None:
            bundles = {kind: (options.bundles or {})[kind] for kind in kinds}
            most = options.max_hands, options.max_faces
            peer = PEERS[options.peer](bundles, *most, tells)
            stack.callback(peer.close)
            sides.append(peer)
            memory["peer_loaded"] = bench.peak_memory_mb()
        runs = bench.compare(sides, clip.frames, report=report)
        memory["end"] = bench.peak_memory_mb()
    models = [
        {"file": m.file, "sha256": m.sha256, "provider": m.provider, "threads": m.threads}
        for m in loaded.models
    ]
    return bench.report(
        clip, runs, memory, kinds=list(kinds), models=models, hardware=hardware,
        versions=versions(),
    )  # fmt: skip


def our_config(options: BenchOptions, kinds: Collection[Kind]) -> TrackerConfig:
    """How our side tracks."""
    return TrackerConfig(
        hands="hand" in kinds,
        faces="face" in kinds,
        objects=True if options.models else None,
        max_objects=options.max_objects,
        max_hands=options.max_hands,
        max_faces=options.max_faces,
        threads=options.threads,
        engine=options.engine,
        precision=options.precision,
        weights=options.weights,
    )


def wanted_kinds(options: BenchOptions) -> tuple[Kind, ...]:
    """What both sides look for: with a peer, only what it has a bundle for."""
    switched = {"hand": options.hands, "face": options.faces}
    kinds = tuple(kind for kind in KINDS if switched[kind])
    if options.peer is None:
        if options.bundles:
            raise UserError("a bundle is for a peer; add '--peer mediapipe'")
        return kinds
    if options.peer not in PEERS:
        raise UserError(f"there is no peer {options.peer!r}; choose one of {', '.join(PEERS)}")
    given = tuple(kind for kind in kinds if kind in (options.bundles or {}))
    if not given:
        flags = " or ".join(f"--{kind}-bundle" for kind in kinds)
        raise UserError(
            f"{options.peer} needs its own models, which are not shipped; "
            f"give its .task files with {flags}"
        )
    return given


def tells_expressions(models: Sequence[UsedModel]) -> bool:
    """Does one of them give a face's expressions? Then a peer is asked for them, too."""
    return any("expressions" in m.info.gives for m in models)


def our_settings(config: TrackerConfig, kinds: Collection[Kind], expressions: bool = False) -> str:
    """One line: how our side runs."""
    more = ["gestures", *(["expressions"] if expressions else [])]
    most = limits(kinds, config.max_hands, config.max_faces, config.max_objects)
    return (
        f"{most}, looked for every "
        f"{config.detect_interval:g} s of the clip while one is missing; {config.threads} threads, "
        f"smoothing {config.smooth}, {', '.join(more)} and head pose included"
    )


def show(outcome: Mapping[str, Any], console: Console) -> None:
    """The outcome for people."""
    clip, hardware = outcome["clip"], outcome["hardware"]
    w, h = clip["size_wh"]
    lines = [
        f"{clip['file']}, {w}x{h}: {clip['frames']} frames after {clip['warm_up']} of warm-up "
        f"({clip['note']}); decoding not counted",
        f"{hardware['cpu']}, {hardware['cores']} cores; {hardware['platform']}",
        ", ".join(f"{name} {found}" for name, found in outcome["versions"].items()),
        *(f"{side['name']}: {side['settings']}" for side in outcome["sides"]),
        *(
            f"{m['file']} (sha256 {m['sha256'][:12]}): {m['provider']}, {m['threads']} threads"
            for m in outcome["models"]
        ),
    ]
    for line in lines:
        console.print(Text(line), soft_wrap=True)
    console.print(times_table(outcome))
    for side in outcome["sides"]:
        seen = ", ".join(f"{kind}s in {n}" for kind, n in sorted(side["frames_with"].items()))
        text = f"{side['name']}, of {clip['frames']} frames: {seen or 'nothing seen'}"
        console.print(Text(text), soft_wrap=True)
    peaks = [f"{when} {mb:.0f} MB" for when, mb in outcome["peak_memory_mb"].items() if mb]
    if peaks:
        text = f"peak memory of the process, both sides and the clip: {', '.join(peaks)}"
        console.print(Text(text), soft_wrap=True)


def times_table(outcome: Mapping[str, Any]) -> Table:
    """Milliseconds and CPU per frame of each side, and the ratios."""
    columns = ("min", "median", "mean", "p95", "max")
    table = Table("", *columns, box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for side in outcome["sides"]:
        ms, cpu = side["ms_per_frame"], side["cpu_s_per_frame"]
        table.add_row(Text(f"{side['name']}, ms"), *(f"{ms[c]:.2f}" for c in columns))
        table.add_row(Text(f"{side['name']}, CPU ms"), *(f"{1e3 * cpu[c]:.2f}" for c in columns))
    for name, ratio in outcome["ratio_ours_to_peer"].items():
        table.add_row(Text(f"ratio ours / {name}"), *(f"{ratio[c]:.2f}" for c in columns))
    return table
