"""How the time of a frame grows: with objects, with the picture, with threads, with the hours.

    python -m docs.studies.bench_scale CLIP [--long 10000] [--paced 20]

CLIP shows one hand all the time. It is tiled for more hands and scaled for other sizes, so every
hand is as hard to follow as the one. Frames are decoded before; times are of the tracker alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter, process_time, sleep
from typing import Annotated

import cv2
import numpy as np
import typer

from tracker.checkup import bench
from tracker.config import TrackerConfig
from tracker.load import load
from tracker.track import Tracker
from tracker.types import Frame, Image

# fmt: off
SIZES: tuple[tuple[str, tuple[int, int]], ...] = (
    ("360p", (640, 360)), ("720p", (1280, 720)), ("1080p", (1920, 1080)), ("4K", (3840, 2160)),
)
# fmt: on
TILES = {1: (1, 1), 2: (2, 1), 4: (2, 2)}  # hands: columns, rows
RUNS = 5
TURNS = 3  # of the two ways that `--paced` compares
WARM_UP = 15  # frames
HEAD = "| {} | threads | mean ms | CPU ms | frames with all hands |\n|---|---|---|---|---|"


@dataclass(frozen=True, slots=True)
class Timed:
    """What tracking cost, medians over the runs."""

    ms: float  # mean of a run's frames
    cpu_ms: float
    share: float  # of the frames, in which all hands were seen


def tiled(bgr: Image, columns: int, rows: int) -> Image:
    """The picture beside and below itself."""
    return np.tile(bgr, (rows, columns, 1))


def scaled(bgr: Image, size_wh: tuple[int, int]) -> Image:
    """The picture in another size."""
    return np.asarray(cv2.resize(bgr, size_wh, interpolation=cv2.INTER_LINEAR), np.uint8)


def changed(frames: Sequence[Frame], hands: int, size_wh: tuple[int, int] | None) -> list[Frame]:
    """The frames with so many hands, and then in a size."""
    out = []
    for frame in frames:
        bgr = tiled(bench.image_of(frame), *TILES[hands])
        out.append(replace(frame, bgr=bgr if size_wh is None else scaled(bgr, size_wh)))
    return out


def timed(frames: Sequence[Frame], hands: int, threads: int, runs: int = RUNS) -> Timed:
    """Track `frames` with room for exactly so many hands; frames with all of them in sight count.

    ValueError when no frame shows them all.
    """
    loaded = load(TrackerConfig(faces=False, max_hands=hands, threads=threads))
    found = []
    for _ in range(runs):
        tracker, spent = loaded.new_tracker(), []
        for frame in frames:
            begun, cpu_begun = perf_counter(), process_time()
            seen = len(tracker.process(bench.image_of(frame), frame.t).tracks)
            cpu_ended, ended = process_time(), perf_counter()
            if seen == hands:
                spent.append((1e3 * (ended - begun), 1e3 * (cpu_ended - cpu_begun)))
        if not spent:
            raise ValueError(f"no frame shows {hands} hands at once; take another clip")
        found.append((*np.mean(spent, axis=0), len(spent) / len(frames)))
    return Timed(*(float(value) for value in np.median(found, axis=0)))


def endless(frames: Sequence[Frame]) -> Iterator[Frame]:
    """The frames over and over, as one stream whose time goes on."""
    period = frames[-1].t - frames[0].t + frames[1].t - frames[0].t
    number = 0
    while True:
        for frame in frames:
            yield replace(frame, index=number, t=frame.t + period * (number // len(frames)))
            number += 1


def long_run(
    frames: Sequence[Frame], count: int, parts: int = 10
) -> list[tuple[float, float, float]]:
    """Median ms and mean CPU ms per frame, and resident MB after each part of `count` frames."""
    tracker = load(TrackerConfig()).new_tracker()
    out = []
    stream = endless(frames)
    for _ in range(parts):
        ms, cpu_begun = [], process_time()
        for _ in range(count // parts):
            frame = next(stream)
            begun = perf_counter()
            tracker.process(bench.image_of(frame), frame.t)
            ms.append(1e3 * (perf_counter() - begun))
        cpu = 1e3 * (process_time() - cpu_begun) / len(ms)
        out.append((float(np.median(ms)), cpu, resident_mb()))
    return out


def paced(frames: Sequence[Frame], seconds: float, live: bool) -> list[tuple[float, float]]:
    """Ms and CPU ms of each frame when they come at their own pace, as from a camera.

    With room for a second hand, so that the detector looks for it all the time. CPU ms count from
    one frame to the next, with whatever ran in between.
    """
    tracker = Tracker(TrackerConfig(faces=False, live=live))
    out, stream, cpu = [], endless(frames), process_time()
    begun = perf_counter() - frames[0].t
    try:
        while (frame := next(stream)).t - frames[0].t < seconds:
            sleep(max(begun + frame.t - perf_counter(), 0.0))
            start = perf_counter()
            tracker.process(bench.image_of(frame), frame.t)
            ms, before, cpu = 1e3 * (perf_counter() - start), cpu, process_time()
            out.append((ms, 1e3 * (cpu - before)))
    finally:
        tracker.close()
    return out[WARM_UP:]


def print_paced(frames: Sequence[Frame], seconds: float) -> None:
    """The table of both ways to run the detector, in turns."""
    ways = {"before the frame": False, "on a thread": True}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(TURNS):
        for name, live in ways.items():
            found[name] += paced(frames, seconds / TURNS / len(ways), live)
    typer.echo("| detector runs | frames | mean ms | median ms | p95 ms | max ms | CPU ms |")
    typer.echo("|---|---|---|---|---|---|---|")
    for name, values in found.items():
        ms, cpu = np.array(values).T
        p50, p95 = np.percentile(ms, [50, 95])
        typer.echo(
            f"| {name} | {len(ms)} | {ms.mean():.2f} | {p50:.2f} | {p95:.2f} | {ms.max():.2f} | "
            f"{cpu.mean():.2f} |"
        )


def resident_mb(statm: Path = Path("/proc/self/statm")) -> float:
    """Memory this process holds now, MB; NaN where the system does not tell."""
    try:
        pages = int(statm.read_text(encoding="ascii").split()[1])
    except OSError:
        return float("nan")
    return pages * 4096 / 1e6


def main(
    clip: Annotated[Path, typer.Argument(help="A video of one hand.")],
    frames: Annotated[int, typer.Option(min=20, help="Frames of a run.")] = 100,
    long: Annotated[int, typer.Option(min=0, help="Frames of the long run; 0: none.")] = 0,
    at_pace: Annotated[
        float, typer.Option("--paced", min=0, help="Seconds at the clip's own pace; 0: none.")
    ] = 0.0,
) -> None:
    """Print the tables."""
    decoded = bench.read_clip(clip, frames).frames
    hardware = bench.hardware()
    typer.echo(f"{clip.name}: {hardware['cpu']}, {hardware['cores']} cores; {RUNS} runs")
    if at_pace:
        print_paced(decoded, at_pace)
        return
    if long:
        typer.echo("| frames | median ms | CPU ms | resident MB |\n|---|---|---|---|")
        for part, (ms, cpu, mb) in enumerate(long_run(decoded, long), 1):
            typer.echo(f"| {part * (long // 10)} | {ms:.2f} | {cpu:.2f} | {mb:.0f} |")
        return
    typer.echo(
        "| hands | threads | ms per frame | CPU ms | frames with all |\n|---|---|---|---|---|"
    )
    for hands in TILES:
        for threads in (1, 2):
            t = timed(changed(decoded, hands, None), hands, threads)
            typer.echo(f"| {hands} | {threads} | {t.ms:.2f} | {t.cpu_ms:.2f} | {t.share:.0%} |")
    typer.echo(
        "| picture | threads | ms per frame | CPU ms | frames with it |\n|---|---|---|---|---|"
    )
    for name, size_wh in SIZES:
        for threads in (1, 2):
            t = timed(changed(decoded, 1, size_wh), 1, threads)
            typer.echo(f"| {name} | {threads} | {t.ms:.2f} | {t.cpu_ms:.2f} | {t.share:.0%} |")


if __name__ == "__main__":
    typer.run(main)
