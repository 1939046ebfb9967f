"""What holds the irises of rendered faces back: the network, or what the pictures show?

    python -m docs.studies.faces.iris_limit LABELS --model assets/models/face68_free.onnx

LABELS is what `train prepare faces` wrote. A small network that does nothing else learns the irises
of the training's rendered faces from crops of their eyes, cut around the middle of the true
corners, upright, the left eye mirrored; each eye also gets a summary of the other one. It learns
twice: from the pictures themselves, and from crops of the face that are as small as the face
network's (128 px). The latter is then asked again with its crops cut where the face model sees the
eyes. Beside it stand guesses that see no picture: the mean place between the lids, and what layers
make of the labels' 68 points, without and with the other eye's iris. Prints the error on the
hold-out in % of the distance of the eyes' outer corners, of all irises, of those that are seen, and
of those that hide behind lids, noses and hair.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from docs.studies.faces.eye_net import IRIS, SIDE, EyeNet, Eyes, eyes_of, learn_eyes, said_by_net
from tracker.whole_files import write_table
from train.data.pictures import read_coco
from train.evaluate.outputs import predict
from train.evaluate.report import open_model
from train.export.learn_head import BATCH, descend

LIDS = range(36, 42)
FACE, PICTURE = 128, 192  # pixels of a face's crop; the pictures have fewer about a face
STEPS = 6000  # of the layers on the points


def between_lids(learnt: Eyes, held: Eyes) -> NDArray[np.float64]:
    """Errors (N, 2) of the mean place between the lids."""
    usual = (learnt.xy[:, :, IRIS] - learnt.xy[:, :, LIDS].mean(2)).mean((0, 1))
    off = held.xy[:, :, IRIS] - held.xy[:, :, LIDS].mean(2) - usual
    return np.asarray(np.linalg.norm(off.astype(np.float64), axis=-1))


def by_points(learnt: Eyes, held: Eyes, other: bool) -> NDArray[np.float64]:
    """Errors (N, 2) of layers that see the true points, and maybe the other eye's iris."""
    torch.manual_seed(0)
    seen, target = points_of(learnt, other)
    layers = nn.Sequential(
        nn.Linear(seen.shape[1], 256), nn.ReLU(), nn.Dropout(0.1),
        nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.1), nn.Linear(256, 2),
    )  # fmt: skip

    def loss() -> Tensor:
        rows = torch.randint(len(seen), (BATCH,))
        return (layers(seen[rows]) - target[rows]).norm(dim=-1).mean()

    for _ in descend(layers, loss, STEPS, decay=0.05):
        pass
    fresh, truth = points_of(held, other)
    with torch.no_grad():
        error = SIDE * (layers.eval()(fresh) - truth).norm(dim=-1)
    return np.asarray(error.double().numpy().reshape(-1, 2))


def points_of(eyes: Eyes, other: bool) -> tuple[Tensor, Tensor]:
    """What `by_points` sees of each eye (M, values), and its iris (M, 2); in crops from the middle
    of the lids.
    """
    xy = torch.from_numpy(eyes.xy).flatten(0, 1)
    xy = (xy - xy[:, LIDS].mean(1, keepdim=True)) / SIDE
    known = [*range(IRIS), *([IRIS + 1] if other else [])]
    return xy[:, known].flatten(1), xy[:, IRIS]


def row_of(name: str, error: NDArray[np.float64], eyes: Eyes) -> dict[str, str]:
    """A line of the table: % of the distance of the eyes' outer corners."""
    each = 100 * eyes.share[:, None] / SIDE * error
    parts = {"all": np.ones_like(eyes.seen), "seen": eyes.seen, "hidden": ~eyes.seen}
    return {"by": name, **{part: f"{each[rows].mean():.2f}" for part, rows in parts.items()}}


def learnt_before(path: Path, eyes: Eyes, epochs: int) -> EyeNet:
    """What was learnt, from a file where there is one."""
    if not path.is_file():
        save_file(learn_eyes(eyes, epochs).state_dict(), path)
    net = EyeNet()
    net.load_state_dict(load_file(path))
    return net.eval()


def main(
    labels: Annotated[Path, typer.Argument(help="What 'train prepare faces' wrote.")],
    model: Annotated[Path, typer.Option(help="The face model that tells where eyes are.")],
    out: Annotated[Path, typer.Option(help="Folder of the table.")] = Path("runs/iris_limit"),
    epochs: Annotated[int, typer.Option(help="Looks at each training face.")] = 14,
) -> None:
    """Learn, print the table."""
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    data = read_coco(labels)
    train, hold = (
        [i for i in data.rows(hold=held) if data.examples[i].quality == "exact"]
        for held in (False, True)
    )
    run, spec, _ = open_model(model)
    learnt, held = eyes_of(data, train, PICTURE), eyes_of(data, hold, PICTURE)
    table = [
        row_of("the mean place between the lids", between_lids(learnt, held), held),
        row_of("layers on the 68 points", by_points(learnt, held, False), held),
        row_of("layers on them and the other iris", by_points(learnt, held, True), held),
    ]
    net = learnt_before(out / f"eyes_{PICTURE}.safetensors", learnt, epochs)
    table.append(row_of("eyes of the pictures", said_by_net(net, held), held))
    print(*table, sep="\n", flush=True)
    learnt, held = eyes_of(data, train, FACE), eyes_of(data, hold, FACE)
    net = learnt_before(out / f"eyes_{FACE}.safetensors", learnt, epochs)
    found = eyes_of(data, hold, FACE, predict(run, data, hold, spec))
    for name, eyes in (("eyes of the crops", held), ("the same, where the model has eyes", found)):
        table.append(row_of(name, said_by_net(net, eyes), eyes))
        print(table[-1], flush=True)
    write_table(out / "irises.csv", table)


if __name__ == "__main__":
    typer.run(main)
