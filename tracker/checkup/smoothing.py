"""`tracker bench --smoothing`: what a filter holds still, and by how much it trails.

On motion made here the truth is known: an average face and an open hand that rest, start, move at a
known speed, stop, jump and blink, with noise like the network's own on still clips. Clips show the
rest: they are tracked once, unsmoothed, and their landmarks given to each filter. All distances are
in % of the unit: the outer eye corners' distance of a face, the longer side of a hand's box.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tracker.checkup.bench import SCHEMA_VERSION
from tracker.checkup.bench_run import KINDS, BenchOptions
from tracker.config import TrackerConfig
from tracker.files.video_job import FrameTracker
from tracker.find.head_pose import face_xyz
from tracker.find.markups import BUNDLED, find_markup
from tracker.follow.associate import object_size
from tracker.follow.both_ways import both_ways, one_way
from tracker.follow.smooth import PRESETS, OneEuro, SmoothConfig
from tracker.load import load
from tracker.progress import Report, silent
from tracker.sources.video_file import VideoReader
from tracker.types import Frame, Kind

Values = NDArray[np.float64]
Smooth = Callable[[Values, Values, Sequence[str]], Values]  # times, (N, K, 2), names

FPS, UNIT = 30.0, 100.0  # of motion made here; pixels
NOISE = 0.15  # % of the unit, of each landmark and again of all together; length, as on clips
SPEEDS = (0.5, 1.0, 2.0, 4.0)  # units a second
STEP, BLINK = 0.2, 0.1  # units; s from open to open again
PHASES = 8  # between two frames, at which a blink begins
MOVING = 0.5  # units a second, over five frames
STILL, STILL_FOR = 0.01, 0.2  # units from the mean, over so many s before and after
LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))  # upper and lower
COLUMNS = {
    "jitter": "still: jitter %", "jitter_p50": "p50 %", "moving_raw": "moving: from raw, p95 %",
    "moving_truth": "from truth, p95 %", "step_ms": "step ms", "blink_depth": "blink depth %",
    "blink_ms": "blink ms", "moving_frames": "moving frames", "still_share": "still landmarks %",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """The landmarks of one object: times (N,) s, what the network said (N, K, 2), the unit (N,)."""

    kind: Kind
    t: Values
    raw: Values
    unit: Values
    names: tuple[str, ...]


def filters() -> dict[str, Smooth]:
    """What is compared."""
    found: dict[str, Smooth] = {"off": lambda t, raw, names: raw}
    for name, config in PRESETS.items():
        if config is not None:
            found[f"{name}, One Euro"] = _one_euro(config)
            found[name] = _preset(config, one_way)
    light = PRESETS["light"]
    assert light is not None
    found["offline"] = _preset(light, both_ways)
    return found


def _one_euro(config: SmoothConfig) -> Smooth:
    def smooth(t: Values, raw: Values, names: Sequence[str]) -> Values:
        filt = OneEuro(config)
        sizes = (object_size(xy.astype(np.float32)) for xy in raw)
        shown = [filt.update(xy, at, size) for at, xy, size in zip(t, raw, sizes, strict=True)]
        return np.array(shown, np.float64)

    return smooth


def _preset(config: SmoothConfig, way: Callable[..., NDArray[np.float32]]) -> Smooth:
    return lambda t, raw, names: way(t.tolist(), raw, config, names).astype(np.float64)


def shape(kind: Kind) -> tuple[Values, tuple[str, ...]]:
    """(K, 2) of an average face or an open hand whose unit is UNIT pixels, and the names."""
    names = find_markup(BUNDLED[kind]).landmarks
    if kind == "face":
        xy = np.asarray(face_xyz(), np.float64)[:, :2]
    else:
        angles = np.deg2rad([-60, -20, 0, 15, 30])
        rays = np.stack([np.sin(angles), -np.cos(angles)], 1)
        spots = rays[:, None] * np.array([0.45, 0.65, 0.8, 0.95])[:, None]
        xy = np.concatenate([np.zeros((1, 2)), spots.reshape(-1, 2)])
    return (xy - xy.mean(0)) * UNIT / unit_of(kind, xy[None])[0] + 3 * UNIT, names


def unit_of(kind: Kind, xy: Values) -> Values:
    """(N,) pixels."""
    if kind == "face":
        return np.asarray(np.linalg.norm(xy[:, 36] - xy[:, 45], axis=1))
    return np.asarray(np.ptp(xy, axis=1).max(1))


def noise(count: int, landmarks: int, seed: int = 0) -> Values:
    """(N, K, 2) pixels, white."""
    rng = np.random.default_rng(seed)
    deviation = NOISE / 100 * UNIT / np.sqrt(2)
    shared = rng.normal(0, deviation, (count, 1, 2))
    return np.asarray(rng.normal(0, deviation, (count, landmarks, 2)) + shared)


def shaking(shown: Values, unit: Values) -> Values:
    """(N - 2, K) % from the middle between a landmark's places a frame before and after."""
    middle = (shown[2:] + shown[:-2]) / 2
    return np.asarray(100 * np.linalg.norm(shown[1:-1] - middle, axis=2) / unit[1:-1, None])


def rms(values: Values) -> float:
    """Root mean square."""
    return float(np.sqrt((values**2).mean()))


def distance(a: Values, b: Values, unit: Values) -> Values:
    """(N, K) %."""
    return np.asarray(100 * np.linalg.norm(a - b, axis=2) / unit[:, None])


def made_figures(kind: Kind, smooth: Smooth) -> dict[str, float]:
    """One line of the table for motion made here."""
    at, names = shape(kind)
    t = np.arange(300) / FPS
    unit = np.full(len(t), UNIT)
    error = noise(len(t), len(at))
    still = shaking(smooth(t, at + error, names), unit)[60:]
    found = {"jitter": rms(still), "jitter_p50": float(np.median(still))}
    from_raw, from_truth = [], []
    for speed in SPEEDS:
        way = speed * UNIT * np.clip(t - 4, 0, 1)  # a second of it, between rests
        truth = at + way[:, None, None] * np.array([0.8, 0.6])
        raw = truth + error
        shown, moving = smooth(t, raw, names), (t > 4) & (t <= 5)
        from_raw.append(np.percentile(distance(shown, raw, unit)[moving], 95))
        from_truth.append(np.percentile(distance(shown, truth, unit)[moving], 95))
    found |= {"moving_raw": float(max(from_raw)), "moving_truth": float(max(from_truth))}
    found["step_ms"] = step_ms(t, at, smooth, names)
    return found | (blink_figures(at, smooth, names) if kind == "face" else {})


def step_ms(t: Values, at: Values, smooth: Smooth, names: Sequence[str]) -> float:
    """The mean delay of a step: the area between it and what is shown, over its height."""
    step = STEP * UNIT * (t > 5)
    shown = smooth(t, at + step[:, None, None] * np.array([1.0, 0]), names)
    reached = (shown - at)[:, :, 0].mean(1)
    return float(1e3 / FPS * (step - reached).sum() / (STEP * UNIT))


def blink_figures(at: Values, smooth: Smooth, names: Sequence[str]) -> dict[str, float]:
    """The share of a blink's depth that is shown, and by how much later; at worst of its phases."""
    t = np.arange(120) / FPS
    depths, delays = [], []
    for phase in range(PHASES):
        since = t - 3 - phase / PHASES / FPS
        shut = np.where((since > 0) & (since < BLINK), np.sin(np.pi * since / BLINK) ** 2, 0)
        raw = at + noise(len(t), len(at), seed=phase)
        for upper, lower in LIDS:
            raw[:, upper] += shut[:, None] * (at[lower] - at[upper])
        said, shown = closed(raw), closed(smooth(t, raw, names))
        depths.append(shown.max() / said.max())
        span = slice(85, 105)
        delays.append(middle_s(t[span], shown[span]) - middle_s(t[span], said[span]))
    return {"blink_depth": 100 * float(min(depths)), "blink_ms": 1e3 * float(np.mean(delays))}


def middle_s(t: Values, shut: Values) -> float:
    """When a blink is half over; what is less shut than 5 % is noise."""
    return float(np.average(t, weights=np.where(shut > 0.05, shut, 0)))


def closed(xy: Values) -> Values:
    """(N,) how far lids are shut, 0 as in the first 80 frames, 1 where they meet."""
    upper, lower = np.array(LIDS).T
    opening = np.linalg.norm(xy[:, upper] - xy[:, lower], axis=2).mean(1)
    return np.asarray(1 - opening / opening[:80].mean())


def seen_motions(tracker: FrameTracker, frames: Iterable[Frame]) -> list[Motion]:
    """What a tracker that does not smooth follows without a break, for a second or longer."""
    runs: dict[tuple[Kind, int, int], list[tuple[float, Values]]] = {}
    begun: dict[int, int] = {}
    last: dict[int, int] = {}
    names: dict[Kind, tuple[str, ...]] = {}
    for number, frame in enumerate(frames):
        if frame.bgr is None:
            continue
        for track in tracker.process(frame.bgr, frame.t).tracks:
            if last.get(track.id) != number - 1:
                begun[track.id] = number
            last[track.id] = number
            names[track.kind] = track.names
            run = runs.setdefault((track.kind, track.id, begun[track.id]), [])
            run.append((frame.t, track.xy_raw.astype(np.float64)))
    found = []
    for (kind, _, _), run in runs.items():
        t, raw = np.array([at for at, _ in run]), np.array([xy for _, xy in run])
        if kind in BUNDLED and t[-1] - t[0] >= 1 and np.all(np.diff(t) > 0):
            found.append(Motion(kind, t, raw, unit_of(kind, raw), names[kind]))
    return found


def moving_frames(motion: Motion) -> NDArray[np.bool_]:
    """(N,) where the middle of the landmarks moves, over five frames."""
    middle, index = motion.raw.mean(1), np.arange(len(motion.t))
    before, after = np.maximum(index - 2, 0), np.minimum(index + 2, len(index) - 1)
    way = np.linalg.norm(middle[after] - middle[before], axis=1)
    return np.asarray(way / (motion.t[after] - motion.t[before]) / motion.unit > MOVING)


def still_landmarks(motion: Motion) -> NDArray[np.bool_]:
    """(N, K) where a landmark stays close to its mean for a while before and after."""
    still = np.zeros(motion.raw.shape[:2], np.bool_)
    for i, at in enumerate(motion.t):
        if at - STILL_FOR < motion.t[0] or at + STILL_FOR > motion.t[-1]:
            continue
        near = motion.raw[np.abs(motion.t - at) <= STILL_FOR + 1e-6]
        off = np.linalg.norm(near - near.mean(0), axis=2).max(0)
        still[i] = off < STILL * motion.unit[i]
    return still


def clip_figures(motions: Sequence[Motion], smooth: Smooth) -> dict[str, float]:
    """One line of the table for a clip: of all motions of one kind."""
    shown = [smooth(m.t, m.raw, m.names) for m in motions]
    off, still = [], []
    for motion, xy in zip(motions, shown, strict=True):
        off.append(distance(xy, motion.raw, motion.unit)[moving_frames(motion)].ravel())
        still.append(shaking(xy, motion.unit)[still_landmarks(motion)[1:-1]])
    all_off, all_still = np.concatenate(off), np.concatenate(still)
    figures = {
        "moving_frames": float(sum(moving_frames(m).sum() for m in motions)),
        "still_share": 100 * len(all_still) / sum(m.raw.shape[0] * m.raw.shape[1] for m in motions),
    }
    if len(all_off):
        figures["moving_raw"] = float(np.percentile(all_off, 95))
    if len(all_still):
        figures |= {"jitter": rms(all_still), "jitter_p50": float(np.median(all_still))}
    return figures


def measure(
    clips: Mapping[str, Sequence[Motion]], step: Callable[[], None] = lambda: None
) -> list[dict[str, Any]]:
    """Every filter on motion made here, then on what was seen in clips; one dict a table.

    `step` is called after each row.
    """

    def rows(figures: Callable[[Smooth], dict[str, float]]) -> dict[str, dict[str, float]]:
        found = {}
        for name, smooth in filters().items():
            found[name] = figures(smooth)
            step()
        return found

    tables: list[dict[str, Any]] = [
        {"on": f"{kind}, made", "rows": rows(partial(made_figures, kind))} for kind in KINDS
    ]
    for name, motions in clips.items():
        for kind in KINDS:
            chosen = [motion for motion in motions if motion.kind == kind]
            if chosen:
                found = rows(partial(clip_figures, chosen))
                tables.append({"on": f"{kind}, {name}", "rows": found})
    return tables


def run(
    options: BenchOptions,
    clips: Sequence[Path],
    report: Report = silent,
) -> dict[str, Any]:
    """The whole measurement, for machines. UserError when a clip or a model is not usable.

    `report`: how much is done, and of how much, in frames and rows together.
    """
    config = TrackerConfig(
        hands=options.hands, faces=options.faces, max_hands=options.max_hands,
        max_faces=options.max_faces, smooth="off", threads=options.threads,
        engine=options.engine, precision=options.precision, weights=options.weights,
    )  # fmt: skip
    seen: dict[str, list[Motion]] = {}
    with ExitStack() as stack:
        readers = [stack.enter_context(closing(VideoReader(path))) for path in clips]
        most = options.frames
        rows = (1 + len(clips)) * len(KINDS) * len(filters())  # at most: of what is seen
        of = rows + sum(min(most, reader.facts.frames or most) for reader in readers)
        done = count(1)

        def step() -> None:
            report(next(done), of)

        loaded = load(config, options.models) if clips else None
        for path, reader in zip(clips, readers, strict=True):
            assert loaded is not None
            frames = _stepping(islice(reader.frames(), most), step)
            seen[path.name] = seen_motions(loaded.new_tracker(), frames)
        tables = measure(seen, step)
    return {"schema_version": SCHEMA_VERSION, "noise": NOISE, "tables": tables}


def _stepping(frames: Iterable[Frame], step: Callable[[], None]) -> Iterator[Frame]:
    for frame in frames:
        yield frame
        step()


def show(tables: Sequence[Mapping[str, Any]], console: Console) -> None:
    """The tables for people."""
    for found in tables:
        keys = [key for key in COLUMNS if any(key in row for row in found["rows"].values())]
        table = Table(escape(found["on"]), *(COLUMNS[key] for key in keys), box=None)
        for column in table.columns[1:]:
            column.justify = "right"
        for name, row in found["rows"].items():
            table.add_row(name, *(_number(key, row.get(key)) for key in keys))
        console.print(table)


def _number(key: str, value: float | None) -> str:
    if value is None:
        return "-"
    digits = {"jitter": 3, "jitter_p50": 3, "moving_raw": 2, "moving_truth": 2}.get(key, 0)
    return f"{value:.{digits}f}"
