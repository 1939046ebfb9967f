"""MediaPipe's 52 expressions on clips, beside those that a model of ours shows.

    python -m docs.studies.faces.teacher_expressions face_landmarker.task CLIP [CLIP ...]
        [--model M.onnx] [--every N] [--seconds S]

The bundle's two networks run by LiteRT: 478 points of a crop around our face's landmarks, once more
around these points, then the expressions of 146 of them. Of every `--every`-th frame with one face
the table has the correlation of what we show (smoothed, as it is sent) with theirs, of each
expression that moves: over each clip, and over the frames of all clips together. Below it are the
four of the bar, the mean of both sides where there are two. A model without expressions is measured
by its 68 landmarks (`tracker/find/face_measures.py`), which know six of them.

`--check LABELS` runs the teacher on the pictures of a collection that holds its own answers
(`blendshapes`), and prints how far off it is: so one sees that it is run rightly.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from engines import Engine, load_engine
from tracker.config import TrackerConfig
from tracker.find.expressions import EXPRESSIONS, by_name
from tracker.find.face_measures import measured
from tracker.find.geometry import apply, box_from_landmarks, crop_to_frame
from tracker.find.locate import cut
from tracker.sources.picture_file import load_picture
from tracker.track import Tracker
from tracker.types import CropRule, Floats, Frame, Image, Track

SIZE = 256  # side of the teacher's crop
# Side of the crop / longer side of the box: of our 68 landmarks, which end at the brows, and of the
# teacher's own, as MediaPipe has it. Eyes stand level.
FROM_68 = CropRule(1.9, ((36, 37, 38, 39, 40, 41), (42, 43, 44, 45, 46, 47)))
FROM_MESH = CropRule(1.5, (33, 263))
# The points of 478 that the network of expressions is told, as MediaPipe's
# tasks/cc/vision/face_landmarker/face_blendshapes_graph.cc lists them.
TOLD = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63,
    65, 66, 67, 70, 78, 80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133,
    136, 144, 145, 146, 148, 149, 150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163,
    168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270,
    276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317,
    318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379,
    380, 381, 382, 384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454,
    466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
)  # fmt: skip
WATCHED = (
    "jawOpen", "eyeBlinkLeft", "eyeBlinkRight", "mouthSmileLeft", "mouthSmileRight", "browInnerUp",
)  # fmt: skip
BAR = 0.8  # of the correlation, for each of these, sides together
MOVES = 0.02  # standard deviation over a clip from which an expression is said to move


class Teacher:
    """MediaPipe's networks of a face's points and expressions."""

    def __init__(self, mesh: Engine, expressions: Engine) -> None:
        """Two engines of one crop, and of (1, 146, 2) points."""
        self._mesh, self._expressions = mesh, expressions

    def see(self, frame_bgr: Image, xy: Floats) -> Floats:
        """Expressions (52,) of the face whose 68 landmarks (68, 2) are given, frame pixels."""
        mesh = self.mesh(frame_bgr, xy, FROM_68)
        mesh = self.mesh(frame_bgr, mesh, FROM_MESH)
        return self.of_mesh(mesh)

    def of_mesh(self, mesh: Floats) -> Floats:
        """Expressions (52,) of 478 points (478, 2) in pixels."""
        told = mesh[list(TOLD)][None].astype(np.float32)
        return next(iter(self._expressions.run(told).values())).reshape(len(EXPRESSIONS))

    def mesh(self, frame_bgr: Image, xy: Floats, rule: CropRule) -> Floats:
        """Points (478, 2), frame pixels, in the crop around landmarks."""
        box = box_from_landmarks("face", xy, rule=rule)
        rgb = cv2.cvtColor(cut(frame_bgr, box, SIZE), cv2.COLOR_BGR2RGB)
        outputs = self._mesh.run((rgb / 255).astype(np.float32)[None])
        points = max(outputs.values(), key=lambda a: a.size).reshape(-1, 3)[:, :2]
        # The network counts pixels from their corner; ours have their centres at integers.
        return apply(crop_to_frame(box, SIZE), points - 0.5)


def open_teacher(task: Path) -> Teacher:
    """The networks of a bundle. ValueError for a file that is none."""
    names = ("face_landmarks_detector.tflite", "face_blendshapes.tflite")
    with tempfile.TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(task) as bundle:
                paths = [Path(bundle.extract(name, folder)) for name in names]
        except (zipfile.BadZipFile, KeyError, OSError) as error:
            raise ValueError(
                f"{task} is no bundle of MediaPipe's FaceLandmarker ({error}); give its "
                "face_landmarker.task"
            ) from error
        return Teacher(*(load_engine(path, 1) for path in paths))


def ours(track: Track) -> dict[str, float]:
    """What we show of a face: its expressions, or those that its 68 landmarks tell."""
    if track.expressions is not None:
        return by_name(track.expressions)
    seen = measured(track)[1]
    return {
        "jawOpen": seen.mouth_open, "eyeBlinkLeft": 1 - seen.eye_left,
        "eyeBlinkRight": 1 - seen.eye_right, "mouthSmileLeft": max(seen.smile, 0.0),
        "mouthSmileRight": max(seen.smile, 0.0),
        "browInnerUp": max((seen.brow_left + seen.brow_right) / 2, 0.0),
    }  # fmt: skip


def correlations(
    shown: Sequence[Mapping[str, float]], told: Sequence[Mapping[str, float]]
) -> dict[str, float]:
    """Pearson's correlation over frames of each expression that both have and that moves."""
    found = {}
    for name in shown[0] if shown else ():
        a, b = (np.array([row[name] for row in rows]) for rows in (shown, told))
        if min(a.std(), b.std()) > 0 and b.std() >= MOVES:
            found[name] = float(np.corrcoef(a, b)[0, 1])
    return found


def without_side(name: str) -> str:
    """eyeBlink of eyeBlinkLeft."""
    return name.removesuffix("Left").removesuffix("Right")


def watched(found: Mapping[str, float]) -> dict[str, float]:
    """Those of WATCHED that moved, the mean of both sides."""
    sides: dict[str, list[float]] = {}
    for name in WATCHED:
        if name in found:
            sides.setdefault(without_side(name), []).append(found[name])
    return {name: float(np.mean(values)) for name, values in sides.items()}


def table(columns: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Correlations in Markdown, those that are watched first; '-': it does not move there."""
    moved = dict.fromkeys([*WATCHED, *EXPRESSIONS])
    names = [name for name in moved if any(name in found for found in columns.values())]
    rows = [
        [name, *(f"{found[name]:.2f}" if name in found else "-" for found in columns.values())]
        for name in names
    ]
    means = [f"{np.mean(list(f.values())):.2f}" if f else "-" for f in columns.values()]
    lines = [["expression", *columns], ["---"] * (1 + len(columns)), *rows, ["mean", *means]]
    return [f"| {' | '.join(line)} |" for line in lines]


def verdict(found: Mapping[str, float]) -> str:
    """The bar: each of those that are watched, over all clips."""
    seen = watched(found)
    words = ", ".join(f"{name} {value:.3f}" for name, value in seen.items())
    wanted = dict.fromkeys(map(without_side, WATCHED))
    short = [name for name in wanted if not seen.get(name, 0.0) >= BAR]
    return f"{words or 'nothing moved'}; {BAR:g} wanted: " + (
        f"missed by {', '.join(short)}" if short else "reached"
    )


def faces_beside(
    teacher: Teacher,
    clip: Path,
    model: Path | None,
    every: int = 1,
    seconds: float = float("inf"),
) -> Iterator[tuple[Frame, Track, dict[str, float]]]:
    """Every so-manieth frame of a clip's first seconds in which there is one face of 68 landmarks,
    this face as a model of ours follows it, and the expressions that the teacher tells of it.
    """
    config = TrackerConfig(hands=False, face_model=model, engine="onnx", threads=1)
    with Tracker(config) as tracker:
        for frame, result in tracker.video(clip):
            if frame.t > seconds:
                break
            faces = result.tracks
            if frame.index % every or len(faces) != 1 or len(faces[0].xy) != 68:
                continue
            if frame.bgr is not None:
                yield frame, faces[0], by_name(teacher.see(frame.bgr, faces[0].xy_raw))


def off_by(labels: Path, teacher: Teacher, count: int) -> NDArray[np.float64]:
    """(count, 51) differences from the answers that a collection holds."""
    coco = json.loads(labels.read_text(encoding="utf-8"))
    images = {image["id"]: image for image in coco["images"]}
    rows = []
    for ann in coco["annotations"][:count]:
        picture = load_picture(labels.parent / images[ann["image_id"]]["file_name"])
        if picture is None:
            raise ValueError(f"a picture of {labels} cannot be read; look at its folder")
        xy = np.array(ann["keypoints"], np.float32).reshape(-1, 3)[:, :2]
        told = by_name(teacher.see(picture, xy))
        rows.append([told[name] - value for name, value in ann["blendshapes"].items()])
    return np.array(rows)


def main(
    task: Annotated[Path, typer.Argument(help="MediaPipe's face_landmarker.task.")],
    clips: Annotated[list[Path] | None, typer.Argument(help="Clips of one face.")] = None,
    model: Annotated[Path | None, typer.Option(help="Our face model; else the bundled.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Of so many frames one is compared.")] = 3,
    seconds: Annotated[float, typer.Option(help="At most so much of each clip.")] = float("inf"),
    check: Annotated[Path | None, typer.Option(help="labels.json with `blendshapes`.")] = None,
    count: Annotated[int, typer.Option(min=1, help="Pictures of --check.")] = 60,
) -> None:
    """Print correlations a clip."""
    teacher = open_teacher(task)
    if check is not None:
        off = np.abs(off_by(check, teacher, count))
        print(f"{len(off)} pictures: mean difference {off.mean():.4f}, largest {off.max():.3f}")
    columns: dict[str, dict[str, float]] = {}
    every_row: list[tuple[dict[str, float], dict[str, float]]] = []
    for clip in clips or ():
        seen = faces_beside(teacher, clip, model, every, seconds)
        rows = [(ours(face), told) for _, face, told in seen]
        every_row += rows
        columns[clip.stem] = correlations(*unzipped(rows))
        print(f"{clip.name}: {len(rows)} frames", flush=True)
    if columns:
        together = correlations(*unzipped(every_row))
        for line in table({**columns, "all": together}):
            print(line)
        print(verdict(together))


def unzipped(
    rows: Sequence[tuple[dict[str, float], dict[str, float]]],
) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """Ours and theirs."""
    return [a for a, _ in rows], [b for _, b in rows]


if __name__ == "__main__":
    typer.run(main)
