"""Do faces keep their ids when they cross? And what do many faces cost?

    python -m docs.studies.faces.crossing DATA --faces 2 --faces 20

DATA as in `compose_groups`. A film is 1920x1080 at 30 frames a second, rooms behind: faces of 60 to
160 px (brows to chin) that move to and fro at 60 to 300 px a second, the larger one before the
smaller one where they meet. With two faces both move along one line and cross in the middle, again
and again. In each frame a track belongs to the face whose landmarks it has (mean distance below a
quarter of the face's longer side; one of the hidden ones never). Printed for each number of faces:

- crossings: times that a face was hidden by half or more, by others' outlines, and came out again;
- switches: times that a face's id is another than the one that it had when it was seen last;
- wrong: of these, those where it got an id that another face had before;
- kept: share of the frames with a track in which a face has the id that it had most often;
- seen: share of the frames in which a face that is hidden by less than half has a track.

`--cost` prints CPU times instead: of a frame with 1, 5, 10 and 20 faces, and of a look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import process_time
from typing import Annotated

import cv2
import numpy as np
import typer

from docs.studies.faces.compose_groups import (
    SIZE_WH,
    TRUE,
    Face,
    averaged,
    outline,
    picture,
    placing,
    read_backgrounds,
    read_faces,
    room,
)
from tracker.config import TrackerConfig
from tracker.find.detectors.face import load as face_detector
from tracker.find.geometry import apply
from tracker.find.locate import Model
from tracker.find.views import Turns, detect_in_all, of_faces
from tracker.follow.associate import landmark_distance
from tracker.follow.watch import FILE_TILES, LIVE_TILES
from tracker.outputs.overlay import Style, draw
from tracker.outputs.skeleton import skeletons
from tracker.track import Tracker, model_of
from tracker.types import Floats, Image, Track

FPS = 30.0
SMALLEST, LARGEST = 60.0, 160.0  # px, heights of faces
SLOWEST, FASTEST = 60.0, 300.0  # px a second
HIDDEN = 0.5  # share of a face's outline from which it counts as hidden
WARM_UP, TIMED = 20, 60  # frames of a film that is timed


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """A face, cut out at its size, and how it moves."""

    bgr: Image  # (h, w, 3)
    weights: Floats  # (h, w)
    xy: Floats  # (68, 2) pixels of the cutout
    start: Floats  # (2,) frame pixels of the cutout's middle
    speed: Floats  # (2,) px a second
    low: Floats  # (2,) the middle stays between these two
    high: Floats

    def at(self, t: float) -> Floats:
        """(2,) the cutout's middle: it moves evenly and turns round at the ends of its room."""
        room = np.maximum(self.high - self.low, 1e-6)
        way = (self.start - self.low + self.speed * t) % (2 * room)
        found: Floats = (self.low + np.minimum(way, 2 * room - way)).astype(np.float32)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A frame of a film and the truth about it."""

    t: float
    bgr: Image
    faces: Sequence[Floats]  # (68, 2) each
    hidden: Sequence[float]  # share of each that others cover


def actor(face: Face, height: float, start: Floats, speed: Floats, box: Floats) -> Actor:
    """A face at a height. box (2, 2): the room of its middle."""
    side = round(2.4 * height)
    matrix = placing(face.xy, 0.0, height, np.array([side / 2, side * 0.58], np.float32))
    image, weights = picture(face.path), outline(face.xy, picture(face.path).shape)
    return Actor(
        np.asarray(cv2.warpAffine(averaged(image, matrix), matrix, (side, side)), np.uint8),
        np.asarray(cv2.warpAffine(weights, matrix, (side, side)), np.float32),
        apply(matrix.astype(np.float64), face.xy).astype(np.float32),
        start, speed, box[0], box[1],
    )  # fmt: skip


def pair(faces: Sequence[Face], rng: np.random.Generator) -> list[Actor]:
    """Two faces that cross in the middle of the frame, again and again."""
    (w, h), out = SIZE_WH, []
    line = h / 2 + rng.uniform(-200, 200)
    for x, sign in ((w * 0.25, 1), (w * 0.75, -1)):
        height = float(rng.uniform(SMALLEST, LARGEST))
        y = line + float(rng.uniform(-0.25, 0.25)) * height
        box = np.array([[w * 0.2, y], [w * 0.8, y]], np.float32)
        speed = np.array([sign * rng.uniform(150, FASTEST), 0], np.float32)
        face = faces[int(rng.integers(len(faces)))]
        out.append(actor(face, height, np.array([x, y], np.float32), speed, box))
    return sorted(out, key=lambda a: a.bgr.shape[0])


def crowd(faces: Sequence[Face], count: int, rng: np.random.Generator) -> list[Actor]:
    """Faces that move each on its way, the smallest first, so that larger ones hide them."""
    out = []
    for height in np.sort(rng.uniform(SMALLEST, LARGEST, count)):
        margin = np.full(2, 1.2 * height, np.float32)
        box = np.stack([margin, np.array(SIZE_WH, np.float32) - margin])
        start = rng.uniform(*box).astype(np.float32)
        angle = rng.uniform(0, 2 * np.pi)
        speed = rng.uniform(SLOWEST, FASTEST) * np.array([np.cos(angle), 0.5 * np.sin(angle)])
        face = faces[int(rng.integers(len(faces)))]
        out.append(actor(face, float(height), start, speed.astype(np.float32), box))
    return out


def film(background: Image, actors: Sequence[Actor], seconds: float) -> Iterator[Shot]:
    """The frames; who comes later in `actors` stands before who comes earlier."""
    for n in range(round(seconds * FPS)):
        bgr, faces, covers = background.copy(), [], []
        for one in actors:
            corner = np.rint(one.at(n / FPS) - one.bgr.shape[0] / 2).astype(int)
            x, y, side = int(corner[0]), int(corner[1]), one.bgr.shape[0]
            x0, y0 = max(x, 0), max(y, 0)
            x1, y1 = min(x + side, SIZE_WH[0]), min(y + side, SIZE_WH[1])
            part = bgr[y0:y1, x0:x1]
            w = one.weights[y0 - y : y1 - y, x0 - x : x1 - x, None]
            part[:] = one.bgr[y0 - y : y1 - y, x0 - x : x1 - x] * w + part * (1 - w)
            faces.append(one.xy + corner.astype(np.float32))
            covers.append((x0, y0, w[..., 0] > 0.5))
        yield Shot(n / FPS, bgr, faces, hidden_shares(covers))


def hidden_shares(covers: Sequence[tuple[int, int, np.ndarray]]) -> list[float]:
    """Of each mask (x, y of its corner, then (h, w) bool), what the later ones cover."""
    canvas = np.full(SIZE_WH[::-1], -1, np.int16)
    for i, (x, y, mask) in enumerate(covers):
        canvas[y : y + mask.shape[0], x : x + mask.shape[1]][mask] = i
    return [
        1 - float((canvas[y : y + m.shape[0], x : x + m.shape[1]][m] == i).mean())
        for i, (x, y, m) in enumerate(covers)
    ]


class Ids:
    """Which ids the faces of a film have had."""

    def __init__(self, count: int) -> None:
        """For so many faces."""
        self.had: list[list[int]] = [[] for _ in range(count)]
        self.crossings = self.switches = self.wrong = self.visible = self.seen = 0
        self._was_hidden = [False] * count

    def take(self, shot: Shot, tracks: Sequence[Track]) -> None:
        """Count one frame."""
        for i, (true, hidden) in enumerate(zip(shot.faces, shot.hidden, strict=True)):
            if hidden >= HIDDEN:
                self._was_hidden[i] = True
                continue
            self.crossings += self._was_hidden[i]
            self._was_hidden[i] = False
            self.visible += 1
            near = [(landmark_distance(track.xy_raw, true), track.id) for track in tracks]
            distance, number = min(near, default=(np.inf, 0))
            if distance < TRUE:
                self.seen += 1
                self._give(i, number)

    def _give(self, i: int, number: int) -> None:
        if self.had[i] and self.had[i][-1] != number:
            self.switches += 1
            others = [ids for k, ids in enumerate(self.had) if k != i]
            self.wrong += any(number in ids for ids in others)
        self.had[i].append(number)

    @property
    def kept(self) -> float:
        """Share of the sightings with the face's most frequent id."""
        most = sum(Counter(ids).most_common(1)[0][1] for ids in self.had if ids)
        return most / max(self.seen, 1)


def followed(actors: Sequence[Actor], background: Image, seconds: float, model: Model,
             save: Path | None = None) -> Ids:  # fmt: skip
    """The ids that a tracker gives, as `tracker video` would."""
    config = TrackerConfig(hands=False, max_faces=max(2, len(actors)), threads=1)
    tracker, ids = Tracker(config, {"face": model}), Ids(len(actors))
    for n, shot in enumerate(film(background, actors, seconds)):
        tracks = tracker.process(shot.bgr, shot.t).tracks
        ids.take(shot, tracks)
        if save is not None and n % 15 == 0:
            save.mkdir(parents=True, exist_ok=True)
            drawn = draw(shot.bgr, tracks, skeletons([model.info]), Style())
            cv2.imwrite(str(save / f"{len(actors):02}_{n:04}.jpg"), drawn)
    return ids


def still(faces: Sequence[Face], count: int, background: Image) -> Image:
    """A frame with so many faces of 100 px, on a grid of five by four."""
    spots = [
        np.array((200 + 380 * (i % 5), 200 + 220 * (i // 5)), np.float32) for i in range(count)
    ]
    none = np.zeros(2, np.float32)
    actors = [
        actor(face, 100.0, spot, none, np.stack([spot, spot]))
        for face, spot in zip(faces, spots, strict=False)
    ]
    return next(film(background, actors, 1 / FPS)).bgr


def cpu_ms(work: Callable[[], object], times: int) -> float:
    """Median CPU milliseconds of some work."""
    spent = []
    for _ in range(times):
        begun = process_time()
        work()
        spent.append(1e3 * (process_time() - begun))
    return float(np.median(spent))


def cost(faces: Sequence[Face], background: Image, model: Model) -> Iterator[str]:
    """CPU time per frame with 1, 5, 10 and 20 faces that are followed, on one thread."""
    heads = (
        "faces",
        "followed",
        "CPU ms a frame",
        "frames a second",
        "network, in one run",
        "singly",
    )
    yield f"| {' | '.join(heads)} |"
    yield "|---|---|---|---|---|---|"
    for count in (1, 5, 10, 20):
        followed, ms = followed_cost(still(faces, count, background), count, model)
        crops = np.zeros((count, 3, model.info.size, model.info.size), np.float32)
        together = cpu_ms(partial(model.engine.run, crops), TIMED // 2)
        alone = cpu_ms(partial(model.engine.run, crops[:1]), TIMED // 2)
        row = f"{ms:.2f} | {1e3 / ms:.0f} | {together:.2f} | {count * alone:.2f}"
        yield f"| {count} | {followed} | {row} |"


def followed_cost(bgr: Image, count: int, model: Model) -> tuple[int, float]:
    """How many faces of a frame are followed, and CPU ms a frame."""
    tracker = Tracker(TrackerConfig(hands=False, max_faces=count, threads=1), {"face": model})
    times = iter(range(WARM_UP + TIMED))

    def step() -> int:
        return len(tracker.process(bgr, next(times) / FPS).tracks)

    return [step() for _ in range(WARM_UP)][-1], cpu_ms(step, TIMED)


def look_cost(bgr: Image) -> Iterator[str]:
    """CPU time of a look, by the tiles that it takes beside the whole frame."""
    finder, views = face_detector(1), of_faces(bgr.shape)
    yield "| a look | views | CPU ms |"
    yield "|---|---|---|"
    counts = {"the whole frame": 0, "live": LIVE_TILES, "film": FILE_TILES, "all": len(views) - 1}
    for name, tiles in counts.items():
        chosen = Turns("face", tiles).take(bgr.shape) if tiles else views[:1]
        ms = cpu_ms(partial(detect_in_all, bgr, chosen, finder), 9)
        yield f"| {name} | {1 + tiles} | {ms:.1f} |"


def main(
    data: Annotated[Path, typer.Argument(help="The folder of the data sets.")],
    faces: Annotated[list[int] | None, typer.Option(min=2, help="Of a film; may be repeated.")] = (
        None
    ),
    films: Annotated[int, typer.Option(min=1, help="Of each number of faces.")] = 4,
    seconds: Annotated[float, typer.Option(min=0.1)] = 10.0,
    seed: int = 0,
    model: Annotated[Path | None, typer.Option(help="A face model of yours.")] = None,
    timed: Annotated[bool, typer.Option("--cost", help="Print times instead.")] = False,
    save: Annotated[Path | None, typer.Option(help="Folder for pictures of the films.")] = None,
) -> None:
    """Print the table."""
    rng, known = np.random.default_rng(seed), read_faces(data)
    rooms, _ = read_backgrounds(data)
    loaded = model_of("face", TrackerConfig(face_model=model, threads=1))
    if timed:
        background = room(rooms, rng)
        for line in (*cost(known, background, loaded), *look_cost(background)):
            typer.echo(line)
        return
    typer.echo("| faces | films | crossings | switches | wrong | kept | seen |")
    typer.echo("|---|---|---|---|---|---|---|")
    for count in faces or [2, 20]:
        found = []
        for n in range(films):
            actors = pair(known, rng) if count == 2 else crowd(known, count, rng)
            folder = None if save is None else save / f"{count}_{n}"
            found.append(followed(actors, room(rooms, rng), seconds, loaded, folder))
        kept = np.average([f.kept for f in found], weights=[max(f.seen, 1) for f in found])
        seen = sum(f.seen for f in found) / sum(f.visible for f in found)
        sums = [sum(getattr(f, name) for f in found) for name in ("crossings", "switches", "wrong")]
        row = " | ".join(str(n) for n in (count, films, *sums))
        typer.echo(f"| {row} | {100 * kept:.1f} % | {100 * seen:.1f} % |")


if __name__ == "__main__":
    typer.run(main)
