"""How many hands are found in still pictures, look by look, and how many that are none.

    python -m docs.studies.compose_scenes DATA --scenes 400

DATA holds hands_real/, hands_synth/ and faces_real/. A scene is 640x480: one hand that was kept out
of every training (half of them real ones, half rendered ones), cut out along its landmarks, turned
by any angle, 6 to 60 % of the picture's height long (all sizes alike), before a square
that shows no hand or before a face. Each scene is a still video: a tracker that has seen nothing is
shown it again and again, one look of its detector a time. A hand is found by look n when one of the
first n frames shows its landmarks (mean distance to the true ones below a quarter of the hand's
longer side). A scene without a hand is the same background alone; a track in it, or one far from
the scene's hand, is a false hand. `--save FOLDER` keeps the first scenes as pictures, with what was
found drawn in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from tracker.config import TrackerConfig
from tracker.find.geometry import apply, bounds_xyxy, rotation, upright_angle
from tracker.follow.associate import landmark_distance, object_size, overlap_share
from tracker.load import load
from tracker.outputs.overlay import Style, draw
from tracker.outputs.skeleton import skeletons
from tracker.types import Floats, Image

SIZE_WH = (640, 480)
SMALLEST, LARGEST = 0.06, 0.6  # of the picture's height
BEYOND, SOFT = 0.16, 0.05  # hand sizes: room around the landmarks, and its soft edge
WRIST = 0.45  # of a palm's length, towards the arm
TRUE = 0.25  # hand sizes
CLEAR = 0.03  # a teacher's disagreement from which its landmarks are not to be trusted
APART = 0.1  # a track that shares less than this with the hand's box is a false one
LOOKS = (1, 5, 10)
# Of the faces, in the order of their names, those in whose pictures no hand is seen (looked at).
FACES = (
    4, 8, 16, 32, 36, 92, 96, 144, 148, 152, 156, 160, 228, 244, 252, 264, 268, 272, 288, 292,
    316, 328, 352, 356, 360, 368, 384, 388, 400, 424, 428, 484, 520, 524, 536, 540, 552, 560, 564,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """A picture of one hand."""

    source: str  # 'real' or 'synthetic'
    path: Path
    xy: Floats  # (21, 2) pixels of the picture


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture with one hand whose place is known, or with none."""

    bgr: Image
    source: str
    size: float  # of the hand's longer side, in picture heights; 0 without one
    xy: Floats | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What ten looks at one scene brought."""

    source: str
    size: float
    found_at: int | None  # the first look by which the hand was seen
    false_hands: int  # tracks, by their ids, that lie on no hand


def read_hands(data: Path) -> list[Cutout]:
    """The hands of both sets that are kept apart and whose landmarks are trusted."""
    out = []
    for source, name in (("real", "hands_real"), ("synthetic", "hands_synth")):
        coco = json.loads((data / name / "labels.json").read_text(encoding="utf-8"))
        images = {i["id"]: i for i in coco["images"] if i.get("split") == "holdout"}
        for a in coco["annotations"]:
            image = images.get(a["image_id"])
            crowded = a.get("two_hands") or a.get("face")
            if image is None or a.get("spread", 0.0) > CLEAR or crowded:
                continue
            xy = np.array(a["keypoints"], np.float32).reshape(-1, 3)[:, :2]
            out.append(Cutout(source, data / name / image["file_name"], xy))
    return out


def read_backgrounds(data: Path) -> list[Path]:
    """Squares without a hand that are kept apart, and faces."""
    coco = json.loads((data / "hands_real" / "labels.json").read_text(encoding="utf-8"))
    empty = [i for i in coco["images"] if not i["hand"] and i["split"] == "holdout"]
    faces = sorted((data / "faces_real" / "images").glob("*.webp"))
    return [*(data / "hands_real" / i["file_name"] for i in empty), *(faces[i] for i in FACES)]


def background(square: Image, rng: np.random.Generator) -> Image:
    """A square picture, enlarged to cover a scene, mirrored half of the time."""
    w, h = SIZE_WH
    side = max(w, h)
    large = cv2.resize(square, (side, side), interpolation=cv2.INTER_CUBIC)
    top = int(rng.integers(0, side - h + 1))
    part = large[top : top + h, :w]
    return np.ascontiguousarray(part[:, ::-1] if rng.random() < 0.5 else part)


def outline(xy: Floats, shape_hw: tuple[int, ...]) -> Floats:
    """(H, W) weights: 1 on a hand of landmarks (21, 2) and close around it, softly 0 beyond."""
    size = object_size(xy)
    arm = xy[0] + WRIST * (xy[0] - xy[9])
    mask = np.zeros(shape_hw[:2], np.uint8)
    hull = cv2.convexHull(np.rint(np.concatenate([xy, arm[None]])).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 255)
    reach = max(1, round(BEYOND * size))
    round_kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    grown = cv2.dilate(mask, round_kernel)
    soft = cv2.GaussianBlur(grown, (0, 0), max(0.5, SOFT * size))
    return (soft / 255).astype(np.float32)


def placing(xy: Floats, angle: float, size: float, centre: Floats) -> Floats:
    """(2, 3) affine: picture to scene, the hand upright and then turned clockwise by `angle`.

    `size`: of the hand's longer side afterwards, scene pixels; `centre` of its box.
    """
    turned = xy.astype(np.float64) @ rotation(angle - upright_angle("hand", xy)).T
    low, high = turned.min(0), turned.max(0)
    scale = size / float((high - low).max())
    linear = rotation(angle - upright_angle("hand", xy)) * scale
    return np.column_stack([linear, centre - scale * (low + high) / 2]).astype(np.float32)


def pasted(scene: Image, picture: Image, weights: Floats, matrix: Floats) -> Image:
    """The scene with the weighted part of a picture laid over it by a (2, 3) affine."""
    over = cv2.warpAffine(picture, matrix, SIZE_WH, flags=cv2.INTER_AREA)
    w = cv2.warpAffine(weights, matrix, SIZE_WH)[..., None]
    return (over * w + scene * (1 - w)).round().astype(np.uint8)


def compose(hand: Cutout, square: Image, rng: np.random.Generator) -> Scene:
    """A hand at a random place, angle and size before a background."""
    h = SIZE_WH[1]
    share = float(rng.uniform(SMALLEST, LARGEST))
    room = share * h / 2 * 1.1
    centre = np.array([rng.uniform(room, side - room) for side in SIZE_WH], np.float32)
    matrix = placing(hand.xy, float(rng.uniform(-180, 180)), share * h, centre)
    picture = np.asarray(cv2.imread(str(hand.path)), np.uint8)
    shrink = float(np.sqrt(abs(np.linalg.det(matrix[:, :2].astype(np.float64)))))
    if shrink < 0.5:  # bilinear sampling would skip pixels
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.4 / shrink), np.uint8)
    weights = outline(hand.xy, picture.shape)
    bgr = pasted(background(square, rng), picture, weights, matrix)
    return Scene(bgr, hand.source, share, apply(matrix.astype(np.float64), hand.xy))


def scenes(data: Path, count: int, seed: int) -> Iterator[Scene]:
    """`count` scenes with a hand, real and rendered in turns, and half as many without one."""
    rng = np.random.default_rng(seed)
    hands, squares = read_hands(data), read_backgrounds(data)
    by_source = [[h for h in hands if h.source == s] for s in ("real", "synthetic")]
    for i in range(count):
        pool = by_source[i % 2]
        hand = pool[int(rng.integers(len(pool)))]
        square = np.asarray(cv2.imread(str(squares[int(rng.integers(len(squares)))])), np.uint8)
        yield compose(hand, square, rng)
        if i % 2:
            yield Scene(background(square, rng), "nothing", 0.0, None)


def look(scene: Scene, tracker: object, interval: float, looks: int) -> tuple[Outcome, object]:
    """Show a scene to a fresh tracker, one look a frame; also the last result."""
    found_at, false_ids, result = None, set(), None
    for n in range(looks):
        result = tracker.process(scene.bgr, n * interval)  # type: ignore[attr-defined]
        for track in result.tracks:
            if scene.xy is not None and landmark_distance(track.xy, scene.xy) < TRUE:
                found_at = n + 1 if found_at is None else found_at
            elif is_apart(track.xy, scene.xy):
                false_ids.add(track.id)
    return Outcome(scene.source, scene.size, found_at, len(false_ids)), result


def is_apart(xy: Floats, true_xy: Floats | None) -> bool:
    """Do landmarks lie elsewhere than on the scene's hand?"""
    if true_xy is None:
        return True
    return overlap_share(bounds_xyxy(xy), bounds_xyxy(true_xy)) < APART


def table(outcomes: Sequence[Outcome], looks: Sequence[int]) -> list[str]:
    """Shares found by each of `looks`, by source and size, and false hands, as Markdown."""
    groups: Mapping[str, list[Outcome]] = {
        "all": [o for o in outcomes if o.size],
        "real": [o for o in outcomes if o.source == "real"],
        "synthetic": [o for o in outcomes if o.source == "synthetic"],
        "6 to 15 %": [o for o in outcomes if 0 < o.size < 0.15],
        "15 to 30 %": [o for o in outcomes if 0.15 <= o.size < 0.3],
        "30 to 60 %": [o for o in outcomes if o.size >= 0.3],
        "no hand": [o for o in outcomes if not o.size],
    }
    names = [f"look {n}" if n == 1 else f"looks 1 to {n}" for n in looks]
    lines = [f"| scenes | number | {' | '.join(names)} | false hands a scene |"]
    lines.append("|---" * (3 + len(looks)) + "|")
    for name, group in groups.items():
        shares = [
            np.mean([o.found_at is not None and o.found_at <= n for o in group] or [0])
            for n in looks
        ]
        cells = [f"{100 * s:.1f} %" if name != "no hand" else "" for s in shares]
        false = sum(o.false_hands for o in group) / max(len(group), 1)
        lines.append(f"| {name} | {len(group)} | {' | '.join(cells)} | {false:.3f} |")
    return lines


def main(
    data: Annotated[Path, typer.Argument(help="The folder of the data sets.")],
    scenes_count: Annotated[int, typer.Option("--scenes", min=1)] = 400,
    seed: int = 0,
    model: Annotated[Path | None, typer.Option(help="A hand model of yours.")] = None,
    max_hands: Annotated[int, typer.Option(min=1)] = 2,
    save: Annotated[Path | None, typer.Option(help="Folder for the first 40 scenes.")] = None,
) -> None:
    """Print the table."""
    config = TrackerConfig(faces=False, max_hands=max_hands, smooth="off")
    loaded = load(config, [] if model is None else [model])
    outcomes = []
    for i, scene in enumerate(scenes(data, scenes_count, seed)):
        tracker = loaded.new_tracker()
        outcome, result = look(scene, tracker, config.detect_interval, max(LOOKS))
        outcomes.append(outcome)
        if save is not None and i < 40:
            save.mkdir(parents=True, exist_ok=True)
            drawn = draw(
                scene.bgr, result.tracks, skeletons([m.info for m in loaded.models]), Style()
            )
            cv2.imwrite(str(save / f"{i:03}.jpg"), drawn)
    for line in table(outcomes, LOOKS):
        typer.echo(line)


if __name__ == "__main__":
    typer.run(main)
