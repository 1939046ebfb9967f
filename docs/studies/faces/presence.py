"""Does a face model's presence part faces from what is none, and where?

    python -m docs.studies.faces.presence MODEL PREP/face68.json

For several limits: the share of held-out faces that are kept, and of squares without a face that
pass. The squares are cut from the held-out pictures of hands, the largest and 0.6 of it in the
middle, without the black that `train evaluate` lays around a picture. `--shift` writes the
checkpoint again with so much less in the bias of presence, which moves 0.5 to another limit:

    python -m docs.studies.faces.presence runs/end/model.safetensors PREP/face68.json --shift 3 \\
        --out moved.safetensors
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer
from numpy.typing import NDArray

from train.data.pictures import DataSet, read_coco
from train.evaluate.outputs import Runner, predict
from train.evaluate.report import choose_rows, open_model
from train.loop.checkpoint import load_model, save_checkpoint
from train.losses.paper import Batch

LIMITS = (0.0, 1.0, 2.0, 3.0, 4.0)  # of the logit
SHARES = (1.0, 0.6)  # of a picture's shorter side
FACES, AT_ONCE = 500, 64


def main(
    model: Annotated[Path, typer.Argument(help="An exported model or a checkpoint.")],
    labels: Annotated[Path, typer.Argument(help="What 'train prepare faces' wrote.")],
    shift: Annotated[float, typer.Option(help="Take this from the bias of presence.")] = 0.0,
    out: Annotated[Path | None, typer.Option(help="The checkpoint to write then.")] = None,
) -> None:
    """Print what each limit keeps and lets pass."""
    if out is not None:
        move(model, out, shift)
        return
    data = read_coco(labels)
    run, spec, _ = open_model(model)
    rows = np.random.default_rng(0).permutation(choose_rows(data, "hold", []))[:FACES]
    faces = logits(predict(run, data, [int(i) for i in rows], spec).presence)
    others = logits(presence_of(run, squares(data, spec.net.size)))
    print(f"{model.name}: {len(faces)} faces, {len(others)} squares without one")
    for limit in LIMITS:
        print(
            f"{limit:4.1f}  kept {np.mean(faces >= limit):.3f}  pass {np.mean(others >= limit):.3f}"
        )


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
            made.append(square[..., ::-1].transpose(2, 0, 1))
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


def logits(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """What presence is the sigmoid of."""
    p = np.clip(p, 1e-9, 1 - 1e-9)
    return np.log(p / (1 - p))


def move(source: Path, out: Path, shift: float) -> None:
    """Write a checkpoint's averaged weights with `shift` less in the bias of presence."""
    model, found = load_model(source)
    *_, last = (m for m in model.presence.modules() if isinstance(m, torch.nn.Linear))
    with torch.no_grad():
        last.bias -= shift
    save_checkpoint(out, found.spec, found.markup, found.step, None, model, None, found.extra)


if __name__ == "__main__":
    typer.run(main)
