"""Every blink of a clip, as we show it: sheets to look at.

    python -m docs.studies.faces.blinks face_landmarker.task CLIP SHEETS
        [--model M.onnx] [--seconds S]

A blink is a peak of MediaPipe's eyeBlink (mean of both eyes, of every frame) RISE above its median
over the clip. Each gives a row: frames before, at and after the peak, with our lids as they are
drawn, our eyeBlink and MediaPipe's. A blink counts as shown where ours, smoothed as it is sent,
peaks half of RISE above its own median within NEAR of it; the table has each one's numbers, since a
sheet is what decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from docs.studies.contact_sheet import written
from docs.studies.faces.teacher_expressions import faces_beside, open_teacher, ours
from tracker.types import Floats, Image, Track

RISE = 0.2  # of eyeBlink above the median
APART = 0.25  # s between two blinks at least
NEAR = 0.15  # s
STEPS = (-4, -2, -1, 0, 1, 2, 4)  # frames of a row, from the peak
TILE_WH, ROWS = (220, 130), 8
LIDS = (range(36, 42), range(42, 48))


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A frame with one face."""

    t: float
    shown: float  # our eyeBlink, the mean of both eyes
    told: float  # MediaPipe's
    tile: Image


def peaks(t: Sequence[float], values: Sequence[float]) -> list[int]:
    """Places of the peaks RISE above the median, the highest of those within APART."""
    v, times = np.array(values), np.array(t)
    found: list[int] = []
    for i in np.argsort(-v, kind="stable"):
        if v[i] < np.median(v) + RISE:
            break
        if all(abs(times[i] - times[j]) >= APART for j in found) and is_peak(v, int(i)):
            found.append(int(i))
    return sorted(found)


def is_peak(v: NDArray[np.float64], i: int) -> bool:
    """No neighbour is higher."""
    return bool(v[i] >= v[max(i - 1, 0) : i + 2].max())


def shown_at(t: Sequence[float], shown: Sequence[float], peak: int) -> float:
    """How far our eyeBlink rises above its median within NEAR of a peak."""
    v, times = np.array(shown), np.array(t)
    return float(v[np.abs(times - times[peak]) <= NEAR].max() - np.median(v))


def both(values: dict[str, float]) -> float:
    """eyeBlink of both eyes, the mean."""
    return (values["eyeBlinkLeft"] + values["eyeBlinkRight"]) / 2


def tile_of(frame: Image, track: Track) -> Image:
    """The eyes, with our lids."""
    eyes = track.xy[36:48]
    middle, width = eyes.mean(0), 1.6 * float(np.ptp(eyes[:, 0]))
    scale = TILE_WH[0] / max(width, 1.0)
    matrix = np.array([[scale, 0, 0], [0, scale, 0]])
    matrix[:, 2] = np.array(TILE_WH) / 2 - scale * middle
    tile = cv2.warpAffine(frame, matrix, TILE_WH, flags=cv2.INTER_CUBIC)
    for lids in LIDS:
        points: Floats = track.xy[list(lids)] * scale + matrix[:, 2]
        line = np.round(points * 8).astype(np.int32)
        cv2.polylines(tile, [line], True, (80, 255, 80), 1, cv2.LINE_AA, 3)
    return np.asarray(tile, np.uint8)


def row_of(looks: Sequence[Look], peak: int) -> Image:
    """The frames of a blink beside each other."""
    tiles = []
    for step in STEPS:
        look = looks[min(max(peak + step, 0), len(looks) - 1)]
        words = f"{look.t:.2f} s  {look.shown:.2f} ({look.told:.2f})"
        tiles.append(written(look.tile, words))
    return np.hstack(tiles)


def main(
    task: Annotated[Path, typer.Argument(help="MediaPipe's face_landmarker.task.")],
    clip: Annotated[Path, typer.Argument(help="A clip of one face.")],
    sheets: Annotated[Path, typer.Argument(help="Folder for the sheets.")],
    model: Annotated[Path | None, typer.Option(help="Our face model; else the bundled.")] = None,
    seconds: Annotated[float, typer.Option(help="Of the clip.")] = 60.0,
) -> None:
    """Print each blink, and write the sheets."""
    looks = [
        Look(frame.t, both(ours(face)), both(told), tile_of(frame.bgr, face))
        for frame, face, told in faces_beside(open_teacher(task), clip, model, seconds=seconds)
        if frame.bgr is not None
    ]
    t, shown = [look.t for look in looks], [look.shown for look in looks]
    blinks = peaks(t, [look.told for look in looks])
    rises = [shown_at(t, shown, peak) for peak in blinks]
    print("| blink | at, s | MediaPipe's | ours rises by |\n|---|---|---|---|")
    for number, (peak, rise) in enumerate(zip(blinks, rises, strict=True), start=1):
        print(f"| {number} | {t[peak]:.2f} | {looks[peak].told:.2f} | {rise:.2f} |")
    seen = sum(rise >= RISE / 2 for rise in rises)
    print(f"{len(looks)} frames, {len(blinks)} blinks, of which {seen} are shown")
    sheets.mkdir(parents=True, exist_ok=True)
    rows = [row_of(looks, peak) for peak in blinks]
    for at in range(0, len(rows), ROWS):
        cv2.imwrite(
            str(sheets / f"blinks_{at // ROWS + 1:02d}.png"), np.vstack(rows[at : at + ROWS])
        )


if __name__ == "__main__":
    typer.run(main)
