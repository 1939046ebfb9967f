"""How many faces of each size are found in pictures of many, and how many that are none.

    python -m docs.studies.faces.compose_groups DATA --scenes 40

DATA holds faces68/, hands_real/ and hands21/. A scene is 1920x1080: ten faces (six of 200 px) that
were kept out of every training, all of one height, cut out along their landmarks and laid at random
places before what shows no face: a square of a room, enlarged, or a wall of many small pictures of
rooms and hands. A height is that of the 68 landmarks, from the brows to the chin. Each scene is
seen three ways:

- one look: the first frame of a stream, that is one look of the detector;
- all looks: as `tracker image` sees a picture;
- ten looks: as a live tracker sees a still video, one look a frame.

A face is found where a track's landmarks lie on it (mean distance to the true ones below a quarter
of the face's longer side). A track far from every face is a false one. `--save FOLDER` keeps the
first scenes as pictures, with what all looks found drawn in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import sleep
from typing import Annotated

import cv2
import numpy as np
import typer

from tracker.config import TrackerConfig
from tracker.find.geometry import apply, bounds_xyxy
from tracker.find.locate import Model
from tracker.follow.associate import landmark_distance, overlap_share
from tracker.outputs.overlay import Style, draw
from tracker.outputs.skeleton import skeletons
from tracker.track import Tracker, model_of
from tracker.types import Floats, Image, Track
from train.data.faces import held_face_groups
from train.data.shipped import FACELESS

SIZE_WH = (1920, 1080)
HEIGHTS = (20, 30, 40, 60, 80, 120, 200)  # px
FOREHEAD = 0.55  # of the landmarks' height, above the brows
BEYOND, SOFT = 0.12, 0.05  # of the height: room around the outline, and its soft edge
ROOM = 1.9  # heights between the middles of two faces, and to the picture's ends half as much
TURN = 20.0  # degrees; faces stand upright in the pictures they come from, more or less
TRUE = 0.25  # face sizes
APART = 0.1  # a track that shares less than this with every face's box is a false one
CELL = 240  # px, a picture in a wall of them
LOOKS = 10
WAIT = 0.003  # s between two questions whether a look is done
MOST = 20
# Of the squares of hands_real without a hand, by their ids' order, those without a face (looked
# at; a room, a wall, a body without its head).
EMPTY = (
    119, 120, 133, 188, 189, 193, 200, 203, 209, 210, 211, 239, 264, 267, 270, 271, 282, 284, 285,
    288, 289, 290, 293, 295, 298, 299, 304, 311, 320, 323, 324, 325, 326, 327, 328, 357, 358, 360,
    368, 370, 381, 383, 394, 395, 396, 402, 404, 406, 417,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A picture of one face."""

    path: Path
    xy: Floats  # (68, 2) pixels of the picture


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture with faces of one height whose places are known, or with none."""

    bgr: Image
    height: int  # px; 0 without one
    faces: Sequence[Floats]  # (68, 2) each


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one way to see a scene brought."""

    height: int
    faces: int
    found: int
    false_faces: int


def read_faces(data: Path) -> list[Face]:
    """The hand-marked faces that are kept out of the trainings."""
    coco = json.loads((data / "faces68" / "labels.json").read_text(encoding="utf-8"))
    held = held_face_groups(coco["images"])
    images = {i["id"]: i for i in coco["images"] if str(i["group"]) in held}
    out = []
    for a in coco["annotations"]:
        image = images.get(a["image_id"])
        if image is not None and image["quality"] == "manual":
            xy = np.array(a["keypoints"], np.float32).reshape(-1, 3)[:, :2]
            out.append(Face(data / "faces68" / image["file_name"], xy))
    return out


def read_backgrounds(data: Path) -> tuple[list[Path], list[Path]]:
    """Squares of rooms without a face, and pictures of hands alone."""
    folder = data / "hands_real"
    coco = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    empty = [i for i in coco["images"] if not i["hand"]]
    hands = [i for i in coco["images"] if i["hand"] and i["source"] in FACELESS]
    return (
        [folder / empty[i]["file_name"] for i in EMPTY if i < len(empty)],
        [folder / i["file_name"] for i in hands],
    )


def picture(path: Path) -> Image:
    """A picture file, BGR."""
    return np.asarray(cv2.imread(str(path)), np.uint8)


def room(rooms: Sequence[Path], rng: np.random.Generator) -> Image:
    """One square, enlarged to cover a scene, mirrored half of the time."""
    w, h = SIZE_WH
    square = picture(rooms[int(rng.integers(len(rooms)))])
    large = cv2.resize(square, (w, w), interpolation=cv2.INTER_CUBIC)
    top = int(rng.integers(0, w - h + 1))
    part = large[top : top + h]
    return np.ascontiguousarray(part[:, ::-1] if rng.random() < 0.5 else part)


def wall(rooms: Sequence[Path], hands: Sequence[Path], rng: np.random.Generator) -> Image:
    """A scene full of small pictures side by side, every third one of a hand."""
    w, h = SIZE_WH
    out = np.zeros((h, w, 3), np.uint8)
    for y in range(0, h, CELL):
        for x in range(0, w, CELL):
            pool = hands if rng.random() < 1 / 3 else rooms
            square = picture(pool[int(rng.integers(len(pool)))])
            cell = cv2.resize(square, (CELL, CELL), interpolation=cv2.INTER_CUBIC)
            out[y : y + CELL, x : x + CELL] = cell[: h - y, : w - x]
    return out


def outline(xy: Floats, shape_hw: tuple[int, ...]) -> Floats:
    """(H, W) weights: 1 on a face of landmarks (68, 2) and its forehead, softly 0 beyond."""
    height = float(np.ptp(xy[:, 1]))
    brows = xy[17:27] - np.array([0, FOREHEAD * height], np.float32)
    hull = cv2.convexHull(np.rint(np.concatenate([xy, brows])).astype(np.int32))
    mask = np.zeros(shape_hw[:2], np.uint8)
    cv2.fillConvexPoly(mask, hull, 255)
    reach = max(1, round(BEYOND * height))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    soft = cv2.GaussianBlur(cv2.dilate(mask, kernel), (0, 0), max(0.5, SOFT * height))
    return (soft / 255).astype(np.float32)


def placing(xy: Floats, angle: float, height: float, centre: Floats) -> Floats:
    """(2, 3) affine: picture to scene, turned clockwise by `angle`, so that the landmarks' box is
    `height` px high there and its middle is `centre`.
    """
    turn = np.deg2rad(angle)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    turned = xy.astype(np.float64) @ rotation.T
    low, high = turned.min(0), turned.max(0)
    scale = height / float(high[1] - low[1])
    return np.column_stack([rotation * scale, centre - scale * (low + high) / 2]).astype(np.float32)


def averaged(image: Image, matrix: Floats) -> Image:
    """A picture made ready for a (2, 3) affine that turns and scales it: blurred where it shrinks,
    since bilinear sampling would skip pixels.
    """
    shrink = float(np.sqrt(abs(np.linalg.det(matrix[:, :2].astype(np.float64)))))
    if shrink >= 0.9:
        return image
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 0.4 / shrink), np.uint8)


def pasted(scene: Image, face: Face, matrix: Floats) -> Image:
    """The scene with a face laid over it by a (2, 3) affine; it is averaged where it shrinks."""
    image = picture(face.path)
    weights = outline(face.xy, image.shape)
    over = cv2.warpAffine(averaged(image, matrix), matrix, SIZE_WH)
    w = cv2.warpAffine(weights, matrix, SIZE_WH)[..., None]
    return (over * w + scene * (1 - w)).round().astype(np.uint8)


def places(count: int, height: int, rng: np.random.Generator) -> list[Floats]:
    """Middles of faces that do not touch each other; fewer where there is no room."""
    out: list[Floats] = []
    margin = ROOM * height / 2
    for _ in range(200 * count):
        spot = np.array([rng.uniform(margin, s - margin) for s in SIZE_WH], np.float32)
        if all(np.linalg.norm(spot - other) >= ROOM * height for other in out):
            out.append(spot)
        if len(out) == count:
            break
    return out


def compose(
    background: Image, faces: Sequence[Face], height: int, rng: np.random.Generator
) -> Scene:
    """Faces of a height at random places before a background."""
    bgr, truths = background, []
    for spot in places(6 if height >= 200 else 10, height, rng):
        face = faces[int(rng.integers(len(faces)))]
        matrix = placing(face.xy, float(rng.uniform(-TURN, TURN)), height, spot)
        bgr = pasted(bgr, face, matrix)
        truths.append(apply(matrix.astype(np.float64), face.xy))
    return Scene(bgr, height, truths)


def scenes(data: Path, count: int, seed: int) -> Iterator[Scene]:
    """`count` scenes of each height, rooms and walls in turns, and as many without a face."""
    rng = np.random.default_rng(seed)
    faces, (rooms, hands) = read_faces(data), read_backgrounds(data)
    for height in (0, *HEIGHTS):
        for i in range(count):
            background = wall(rooms, hands, rng) if i % 2 else room(rooms, rng)
            yield compose(background, faces, height, rng) if height else Scene(background, 0, [])


def outcome(scene: Scene, tracks: Sequence[Track]) -> Outcome:
    """Count tracks that lie on faces of the scene and on none."""
    found = sum(
        any(landmark_distance(track.xy, true) < TRUE for track in tracks) for true in scene.faces
    )
    boxes = [bounds_xyxy(true) for true in scene.faces]
    false = sum(
        all(overlap_share(bounds_xyxy(track.xy), box) < APART for box in boxes) for track in tracks
    )
    return Outcome(scene.height, len(scene.faces), found, false)


def looks(scene: Scene, tracker: Tracker, count: int) -> Iterator[Sequence[Track]]:
    """The tracks after 1, 2, ... looks of a live tracker at a still video, each look waited for."""
    interval, t = tracker.config.detect_interval, 0.0
    with tracker:
        tracker.process(scene.bgr, t)
        for done in range(1, count + 1):
            tracks: Sequence[Track] = ()
            while tracker.timings.calls.get("detect", 0) < done:
                sleep(WAIT)
                t += 1e-4
                tracks = tracker.process(scene.bgr, t).tracks
            yield tracks
            t += interval
            tracker.process(scene.bgr, t)


def seen(scene: Scene, config: TrackerConfig, model: Model) -> dict[str, Sequence[Track]]:
    """A scene's tracks, by the way it is seen."""
    still = Tracker(replace(config, every_view=True), {"face": model})
    live = Tracker(replace(config, live=True), {"face": model})
    found = list(looks(scene, live, LOOKS))
    whole = still.process(scene.bgr, 0.0).tracks
    return {"one look": found[0], f"{LOOKS} looks": found[-1], "all looks": whole}


def table(outcomes: Mapping[str, Sequence[Outcome]]) -> list[str]:
    """Shares found by height, and false faces a scene, a column a way to see, as Markdown."""
    heights = sorted({o.height for found in outcomes.values() for o in found})
    lines = [f"| height, px | faces | {' | '.join(outcomes)} | false faces a scene |"]
    lines.append("|---" * (3 + len(outcomes)) + "|")
    for height in heights:
        groups = [[o for o in found if o.height == height] for found in outcomes.values()]
        faces = sum(o.faces for o in groups[0])
        shares = [f"{100 * sum(o.found for o in g) / faces:.1f} %" if faces else "" for g in groups]
        false = " / ".join(f"{sum(o.false_faces for o in g) / len(g):.2f}" for g in groups)
        cells = [str(height) if height else "none", str(faces), *shares, false]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main(
    data: Annotated[Path, typer.Argument(help="The folder of the data sets.")],
    scenes_count: Annotated[int, typer.Option("--scenes", min=1, help="Of each height.")] = 20,
    seed: int = 0,
    most: Annotated[int, typer.Option("--max-faces", min=1)] = MOST,
    model: Annotated[Path | None, typer.Option(help="A face model of yours.")] = None,
    save: Annotated[Path | None, typer.Option(help="Folder for a few scenes.")] = None,
    threads: Annotated[int, typer.Option(min=1)] = 1,
) -> None:
    """Print the table."""
    config = TrackerConfig(
        hands=False, max_faces=most, smooth="off", threads=threads, face_model=model
    )
    loaded = model_of("face", config)
    outcomes: dict[str, list[Outcome]] = {}
    for i, scene in enumerate(scenes(data, scenes_count, seed)):
        for way, tracks in seen(scene, config, loaded).items():
            outcomes.setdefault(way, []).append(outcome(scene, tracks))
        if save is not None and i % scenes_count < 4:
            save.mkdir(parents=True, exist_ok=True)
            drawn = draw(scene.bgr, tracks, skeletons([loaded.info]), Style())
            cv2.imwrite(str(save / f"{scene.height:03}_{i % scenes_count}.jpg"), drawn)
    for line in table(outcomes):
        typer.echo(line)


if __name__ == "__main__":
    typer.run(main)
