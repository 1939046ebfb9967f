"""What does a face model's presence let pass that is no face, or not the whole of one?

    python -m docs.studies.faces.presence MODEL PREP/face68.json [--sheet crops.png]

Each lot is cut from held-out pictures, at most COUNT of them, upright crops without any disturbance
but that of the lot: faces as the tracker cuts them; crops that lost their face, by the way they
did (`wrong_box`); ears, with what is about them; squares of pictures of hands, the largest and 0.6
of it in the middle, without the black that `train evaluate` lays around a picture. The collections'
pictures end near the face, so that what is twice too large has black around it, and no head is seen
from behind. `train presence` moves what passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer
from numpy.typing import NDArray

from tracker.find.geometry import frame_to_crop
from tracker.types import CropBox, Floats, Image
from train.data.augment import true_box, wrong_box
from train.data.batches import to_input
from train.data.pictures import DataSet, Example, read_coco
from train.evaluate.outputs import Runner
from train.evaluate.report import open_model
from train.losses.paper import Batch

SHARES = (1.0, 0.6)  # of a picture's shorter side
COUNT, AT_ONCE, SHOWN = 200, 64, 12
QUALITIES = {"manual": "photos", "exact": "rendered"}
LEFT_END, RIGHT_END = 1, 15  # of the jaw line, by the lobe of an ear: the picture's left, right
OUT, SIDE = 0.06, 0.36  # how far out from there an ear is, and its crop's side, in the face's sides


def main(
    model: Annotated[Path, typer.Argument(help="An exported model or a checkpoint.")],
    labels: Annotated[Path, typer.Argument(help="What 'train prepare faces' wrote.")],
    sheet: Annotated[Path | None, typer.Option(help="A picture of some crops of each lot.")] = None,
) -> None:
    """Print of each lot how many pass 0.5."""
    data = read_coco(labels)
    run, spec, _ = open_model(model)
    rows = []
    for name, crops in lots(data, spec.net.size):
        passed = np.mean(presence_of(run, crops) >= 0.5)
        print(f"{name:36s} {len(crops):4d}  pass {100 * passed:5.1f} %", flush=True)
        rows.append(np.hstack(list(crops[:SHOWN].transpose(0, 2, 3, 1))))
    if sheet is not None:
        width = max(row.shape[1] for row in rows)
        whole = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]
        cv2.imwrite(str(sheet), np.vstack(whole)[..., ::-1].astype(np.uint8))


def lots(data: DataSet, size: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """The name of each lot and its crops (N, 3, size, size) RGB, those that there are."""
    rng = np.random.default_rng(0)
    for quality, words in QUALITIES.items():
        rows = [
            i for i in data.rows(hold=True)
            if data.examples[i].quality == quality and data.examples[i].labelled[:68].all()
        ]  # fmt: skip
        boxes: dict[str, list[tuple[Image, CropBox]]] = {}
        for i in rng.permutation(rows)[:COUNT]:
            example, image = data.examples[i], data.image(int(i))
            box = true_box("face", example, image.shape[:2])
            boxes.setdefault("faces", []).append((image, box))
            lost = wrong_box(rng, box, example.xy)
            boxes.setdefault(lost_by(box, lost), []).append((image, lost))
            ears = [ear for ear in ears_of(example, box) if whole_in(ear, image)]
            boxes.setdefault("an ear", []).extend((image, ear) for ear in ears)
        for name, each in boxes.items():
            made = [cv2.warpAffine(im, frame_to_crop(b, size), (size, size)) for im, b in each]
            found = np.stack([to_input(np.asarray(bgr, np.uint8), "rgb") for bgr in made])
            yield f"{words}, {name}", found.astype(np.float32)
    yield "squares of pictures of hands", squares(data, size)


def lost_by(box: CropBox, lost: CropBox) -> str:
    """Which way of `wrong_box` a crop went, told from what it has done."""
    if lost.side > 2 * box.side:
        return "too large"
    if lost.side < 0.5 * box.side:
        return "a part of the face"
    return "upside down" if abs(lost.angle - box.angle) > 90 else "beside the face"


def ears_of(example: Example, box: CropBox) -> Iterator[CropBox]:
    """Crops about the ears that are seen; in profile it is one."""
    yaw = float((example.attributes.get("pose") or [0.0])[0])  # above 0: nose to the right
    across = example.xy[RIGHT_END] - example.xy[LEFT_END]
    if abs(yaw) > 60:  # the ends are too near to each other to tell a direction
        across = np.array([1.0, 0.0], np.float32)
    out = across / np.linalg.norm(across)
    for end, way, near in ((LEFT_END, -out, yaw > -20), (RIGHT_END, out, yaw < 20)):
        if near:
            centre = example.xy[end] + way * OUT * box.side
            yield CropBox(centre.astype(np.float32), SIDE * box.side, 0.0)


def whole_in(box: CropBox, image: Image) -> bool:
    """Does the picture hold nearly all of an upright crop?"""
    h, w = image.shape[:2]
    reach: Floats = np.full(2, 0.4 * box.side, np.float32)
    low, high = box.centre_xy - reach, box.centre_xy + reach
    return bool((low >= 0).all() and (high <= (w - 1, h - 1)).all())


def squares(data: DataSet, size: int) -> NDArray[np.float32]:
    """(N, 3, size, size) RGB from the middle of the held-out pictures without a face."""
    made = []
    for example in data.examples:
        if not (example.hold and example.negative):
            continue
        picture = cv2.imread(str(example.path))
        assert picture is not None, example.path
        h, w = picture.shape[:2]
        for share in SHARES:
            side = int(min(h, w) * share)
            y, x = (h - side) // 2, (w - side) // 2
            square = picture[y : y + side, x : x + side]
            square = cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA)
            made.append(to_input(np.asarray(square, np.uint8), "rgb"))
    return np.stack(made).astype(np.float32)


def presence_of(run: Runner, crops: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N,) what a model says of crops (N, 3, S, S)."""
    found = []
    for at in range(0, len(crops), AT_ONCE):
        image = torch.from_numpy(crops[at : at + AT_ONCE])
        unknown = torch.zeros(len(image), 0)  # no runner looks at what is labelled
        batch = Batch(image, unknown, unknown.bool(), unknown, {}, unknown)
        found.append(run(batch)["presence"].ravel())
    return np.concatenate(found)


if __name__ == "__main__":
    typer.run(main)
