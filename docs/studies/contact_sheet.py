"""Clips at a glance: every tenth frame with what the tracker shows, on sheets to look at.

    python -m docs.studies.contact_sheet sheets CLIP [CLIP ...]

Each clip is tracked whole, as `tracker video` does it, and gives sheets/CLIP_01.jpg and so on. The
table counts what a look cannot: in how many frames a hand was shown, how often a minute one began
or ended, the shown gesture changed, or two tracks lay on one hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from tracker.config import TrackerConfig
from tracker.find.geometry import bounds_xyxy, overlap_share
from tracker.follow.gesture import NONE
from tracker.load import load
from tracker.outputs.overlay import Style, draw
from tracker.outputs.skeleton import skeletons
from tracker.result import Result
from tracker.sources.video_file import VideoReader
from tracker.types import Image, Track

EVERY = 10  # frames
TILE_W, COLUMNS, ROWS = 320, 5, 6
SHARED = 0.5  # of the smaller box, from which two tracks of one side lie on one hand
HEAD = (
    "| clip | seconds | frames | with a hand | begun a minute | lost a minute | shown gesture "
    "changes a minute | gesture shown | frames with two on one |\n" + "|---" * 9 + "|"
)


@dataclass(slots=True, eq=False)
class Counts:
    """What happened in a clip."""

    frames: int = 0
    with_hand: int = 0
    with_gesture: int = 0  # frames in which one other than 'none' is shown
    begun: int = 0
    lost: int = 0
    changes: int = 0  # of the shown gesture within one track
    doubled: int = 0  # frames in which two tracks lie on one hand
    last: dict[int, str | None] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)

    def add(self, result: Result) -> None:
        """Count one more frame."""
        hands = [t for t in result.tracks if t.kind == "hand"]
        now = {t.id: t.gesture for t in hands}
        self.frames += 1
        self.with_hand += bool(hands)
        self.with_gesture += any(g not in (None, NONE) for g in now.values())
        self.begun += len(now.keys() - self.known)
        self.lost += len(self.last.keys() - now.keys())
        self.changes += sum(i in self.last and self.last[i] != g for i, g in now.items())
        self.doubled += any(is_one_hand(a, b) for a, b in combinations(hands, 2))
        self.known |= now.keys()
        self.last = now

    def row(self, name: str, seconds: float) -> str:
        """The clip's line of the table."""
        minutes = max(seconds, 1e-9) / 60
        rates = [f"{n / minutes:.1f}" for n in (self.begun, self.lost, self.changes)]
        shares = [f"{n / max(self.frames, 1):.0%}" for n in (self.with_hand, self.with_gesture)]
        cells = [name, f"{seconds:.1f}", str(self.frames), shares[0], *rates, shares[1]]
        return f"| {' | '.join([*cells, str(self.doubled)])} |"


def is_one_hand(a: Track, b: Track) -> bool:
    """Do two tracks of one side share much of their boxes?"""
    shared = overlap_share(bounds_xyxy(a.xy), bounds_xyxy(b.xy))
    return a.side == b.side and shared > SHARED


def small(bgr: Image, text: str) -> Image:
    """The picture TILE_W wide, with a number in its corner."""
    h, w = bgr.shape[:2]
    size_wh = (TILE_W, max(1, round(TILE_W * h / w)))
    return written(np.asarray(cv2.resize(bgr, size_wh, interpolation=cv2.INTER_AREA)), text)


def written(tile: Image, words: str) -> Image:
    """The tile with a line of words in its upper left corner."""
    tile = tile.copy()
    for colour, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(tile, words, (4, 14), 0, 0.42, colour, width, cv2.LINE_AA)
    return tile


def sheets(
    tiles: Sequence[Image], columns: int = COLUMNS, rows: int = ROWS, ground: int = 0
) -> Iterator[Image]:
    """Pages of columns x rows tiles of one size, the last one filled up with a grey (0 to 255)."""
    page = columns * rows
    for start in range(0, len(tiles), page):
        part = list(tiles[start : start + page])
        part += [np.full_like(part[0], ground)] * (-len(part) % columns)
        yield np.vstack([np.hstack(part[i : i + columns]) for i in range(0, len(part), columns)])


def look_through(
    clip: Path, config: TrackerConfig, models: Sequence[Path]
) -> tuple[Counts, float, list[Image]]:
    """Track a clip: the counts, its seconds, and every tenth frame, drawn."""
    loaded = load(config, models)
    tracker, looks = loaded.new_tracker(), skeletons([m.info for m in loaded.models])
    counts, tiles, first, last = Counts(), list[Image](), None, 0.0
    reader = VideoReader(clip)
    try:
        for frame in reader.frames():
            if frame.bgr is None:
                continue
            result = tracker.process(frame.bgr, frame.t)
            counts.add(result)
            first, last = frame.t if first is None else first, frame.t
            if frame.index % EVERY == 0:
                tiles.append(
                    small(draw(frame.bgr, result.tracks, looks, Style()), str(frame.index))
                )
    finally:
        reader.close()
    return counts, last - (first or 0.0), tiles


def main(
    out: Annotated[Path, typer.Argument(help="Folder for the sheets.")],
    clips: Annotated[list[Path], typer.Argument(help="Videos.")],
    model: Annotated[Path | None, typer.Option(help="A hand model of yours.")] = None,
    faces: Annotated[bool, typer.Option(help="Follow faces, too.")] = True,
    max_hands: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Write the sheets and print the table."""
    out.mkdir(parents=True, exist_ok=True)
    config = TrackerConfig(faces=faces, max_hands=max_hands)
    typer.echo(HEAD)
    for clip in clips:
        counts, seconds, tiles = look_through(clip, config, [] if model is None else [model])
        for number, sheet in enumerate(sheets(tiles), 1):
            cv2.imwrite(str(out / f"{clip.stem}_{number:02}.jpg"), sheet)
        typer.echo(counts.row(clip.name, seconds))


if __name__ == "__main__":
    typer.run(main)
