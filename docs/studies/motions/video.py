"""Motions in a video file, whole through the tracker: a hand is moved over a film and looked for.

    python -m docs.studies.motions.video DATA/hands_real BACKGROUND.mp4 --out runs/motions.mp4

Photographs of hands on black (`asl_cutout` of the data; other people than in no picture of the
background) are cut out and moved as composed people move, blurred as by a shutter that is open for
half a frame, over the frames of a real film. The camera faces the person: what is `swipe_left`
goes to the picture's right. Then the file is followed as `tracker video` does, and what was told is
compared with what was made; it is printed as a line of JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from docs.studies.motions.examples import shapes
from docs.studies.motions.people import BASE, MOTIONS, WAYS, Actor, Done, Film, person
from docs.studies.motions.scoring import Score, Told, told_in
from tracker.config import TrackerConfig
from tracker.outputs.out_file import OutFile
from tracker.outputs.video_writer import VideoWriter
from tracker.sources.video_file import VideoFacts, VideoReader
from tracker.track import Tracker
from tracker.types import Image

FIRST = 20_000  # seed of the first person
SIZE_WH = (640, 480)
PALM = 62  # pixels of a palm length
SHUTTER, BLUR = 0.5, 3  # of a frame, in so many pictures,
STILL = 1.5  # pixels: or in one, where it moves less meanwhile
Cutout = tuple[NDArray[np.float32], NDArray[np.float32]]  # (h, w, 4) BGR and alpha; (2,) palm


def main(
    data: Annotated[Path, typer.Argument(help="Folder with labels.json of hands_real.")],
    background: Annotated[Path, typer.Argument(help="A film, at best without hands.")],
    out: Annotated[Path, typer.Option(help="Video to write.")] = Path("runs/motions.mp4"),
    people: Annotated[int, typer.Option(help="Each makes every motion once.")] = 3,
    fps: Annotated[int, typer.Option(help="Frames a second.")] = 30,
) -> None:
    """Compose, follow, compare."""
    out.parent.mkdir(parents=True, exist_ok=True)
    done, seconds = compose(data, background, out, people, fps)
    told, seen = list[Told](), 0
    with Tracker(TrackerConfig(faces=False)) as tracker:
        for _, result in tracker.video(out):
            seen += bool(result.tracks)
            told += told_in(result)
    score = Score()
    score.add(done, told, seconds)
    share = round(seen / (seconds * fps), 3)
    print(json.dumps({"video": out.name, "fps": fps, "hand_seen": share, **score.row()}))


def compose(
    data: Path, background: Path, out: Path, people: int, fps: int
) -> tuple[list[Done], float]:
    """Write the video; what is made in it, and how long it is."""
    video, done, start = writer(out, fps), [], 0.0
    backs = pictures(background)
    for k in range(people):
        actor = Actor(person(FIRST + k), shapes(for_tests=True))
        perform(actor)
        film = actor.film
        opened, closed = cutout(data, ("5",), k), cutout(data, ("9", "f"), k)
        share = np.concatenate(film.share)
        hands = [closed if closing > 0.5 else opened for closing in share]
        for i, picture in enumerate(shots(film, hands, backs, fps, start)):
            video.write(picture, start + i / fps)
        done += [Done(d.name, d.start + start, d.end + start, d.once) for d in film.done]
        start += int(film.t * fps) / fps
    video.finish()
    return done, start


def writer(out: Path, fps: int) -> VideoWriter:
    """What writes such a video."""
    form = VideoFacts(SIZE_WH, Fraction(1, 1000), Fraction(fps), None, Fraction(1))
    return VideoWriter(OutFile(out), form)


def shots(
    film: Film, hands: Sequence[Cutout], backs: Sequence[Image], fps: int, start: float = 0.0
) -> Iterator[Image]:
    """The frames of a film; `hands`: what is seen of it at each of its steps."""
    xy, angle, size = (np.concatenate(part) for part in (film.xy, film.angle, film.size))
    for i in range(int(film.t * fps)):
        back = backs[int((start + i / fps) * 20) % len(backs)].astype(np.float32)
        at = (i + SHUTTER * np.arange(BLUR) / BLUR) / fps * BASE
        steps = np.minimum(at.astype(int), len(xy) - 1)
        if np.ptp(xy[steps], axis=0).max() * PALM < STILL:
            steps = steps[:1]
        blurred = np.zeros_like(back)
        for n in steps:
            large = float(np.exp(size[n]))
            blurred += pasted(back, hands[n], xy[n] * (-1, 1), -angle[n], large) / len(steps)
        yield np.asarray(blurred, np.uint8)


def perform(actor: Actor) -> None:
    """Each motion once, in any order, with the same open hand but for pinches."""
    actor.rest(1.5)
    for k in actor.rng.permutation(len(MOTIONS)):
        name = MOTIONS[k]
        (actor.swipe if name in WAYS else getattr(actor, name))(name)
        actor.go(np.zeros(2), 0.8)
        actor.rest(1.0)


def pictures(background: Path) -> list[Image]:
    """The first ten seconds of a film, in the size of the video."""
    found = []
    with closing(VideoReader(background)) as video:
        for frame in video.frames():
            if frame.bgr is not None:
                found.append(np.asarray(cv2.resize(frame.bgr, SIZE_WH), np.uint8))
            if len(found) == 200:
                break
    return found


def cutout(data: Path, letters: Sequence[str], which: int) -> Cutout:
    """One of the hands that show one of these letters or numbers."""
    coco = json.loads((data / "labels.json").read_text(encoding="utf-8"))
    points = {a["image_id"]: np.array(a["keypoints"]).reshape(-1, 3) for a in coco["annotations"]}
    of_it = [
        i for i in coco["images"]
        if i["source"] == "asl_cutout" and str(i.get("gesture")) in letters and i["id"] in points
    ]  # fmt: skip
    image = of_it[(which * 17 + 3) % len(of_it)]
    bgr = cv2.imread(str(data / image["file_name"]))
    if bgr is None:
        raise ValueError(f"{data / image['file_name']} cannot be read")
    return cut_out(np.asarray(bgr, np.uint8), points[image["id"]][:, :2])


def cut_out(bgr: Image, xy: NDArray[np.float64]) -> Cutout:
    """The hand without the black around it, as large as PALM says."""
    mask = (bgr.max(2) > 40).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    alpha = cv2.GaussianBlur((parts == largest).astype(np.float32), (0, 0), 0.8)
    scale = PALM / float(np.linalg.norm(xy[9] - xy[0]))
    whole = np.dstack([bgr.astype(np.float32), alpha])
    new = cv2.resize(whole, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    palm = xy[[0, 5, 9, 13, 17]].mean(0) * scale
    return np.asarray(new, np.float32), palm.astype(np.float32)


def pasted(
    back: NDArray[np.float32], hand: Cutout, at: NDArray[np.float64], angle: float, size: float
) -> NDArray[np.float32]:
    """The picture with the hand, its palm at `at` palm lengths from the middle."""
    bgra, palm = hand
    turn = cv2.getRotationMatrix2D(
        (float(palm[0]), float(palm[1])), float(-np.degrees(angle)), size
    )
    turn[:, 2] += np.array(SIZE_WH) * (0.5, 0.55) + at * PALM - palm
    moved = cv2.warpAffine(bgra, turn, SIZE_WH)
    alpha = moved[:, :, 3:]
    return np.asarray(back * (1 - alpha) + moved[:, :, :3] * alpha, np.float32)


if __name__ == "__main__":
    typer.run(main)
