"""What holds the bundled gestures back: their head, what it sees, or the points?

    python -m docs.studies.shipped.gesture_head PREP/hand21.json --out runs/gesture_head

The bundled hand network looks at every training hand whose gesture is known, some times, as a
training sees it, and at those held out as they are; its answers are kept (`--views` files, some
minutes each). Heads of the bundled one's size learn from them, the network staying as it is: from
the landmarks, from them with places in space and coarse features, and from the labels' own points
(learnt and measured). Rare classes are drawn more often. For each row: accuracy on the hold-outs,
and the mean over classes of the share that is shown at a precision of 0.97, of all held out and
of the real ones where eight are named, else of the rendered ones. Prints and writes heads.csv.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
import typer
from numpy.typing import NDArray
from torch import Tensor, nn

from tracker.find.model_file import bundled_file
from tracker.whole_files import write_table
from train.data.batches import make_batch
from train.data.pictures import DataSet
from train.evaluate.outputs import FEWEST_SHOWN
from train.evaluate.report import labels_for
from train.loop.checkpoint import load_model

PRECISION = 0.97
BATCH, EPOCHS, WIDTH = 256, 6, 128
ROWS = {"landmarks": (), "landmarks, space, features": ("xyz", "gist"), "true points": ("truth",)}
Kept = dict[str, NDArray[np.float32]]


def look(data: DataSet, rows: list[int], checkpoint: Path, seed: int | None) -> Kept:
    """What the network says of these rows' crops: moved at random with a seed, else as they are."""
    model, found = load_model(checkpoint)
    kept: dict[str, list[NDArray[np.float32]]] = {}
    for at in range(0, len(rows), 64):
        part = rows[at : at + 64]
        rng = None if seed is None else [np.random.default_rng([1000 + seed, i]) for i in part]
        batch = make_batch(data, part, found.spec, rng)
        if batch.up is None:
            raise ValueError(f"{checkpoint} has no head that sees the picture's up")
        trains = seed is not None
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=trains):
            out = model.eval()(batch.image, batch.up)
        told = {
            "xy": out.xy, "xyz": out.attributes["xyz"], "up": batch.up,
            "gist": torch.zeros(len(part), 0) if out.pooled is None else out.pooled,
            "said": out.attributes["gesture"].softmax(-1), "gesture": batch.attributes["gesture"],
            "truth": torch.where(batch.labelled[..., None], batch.xy, out.xy),
            "real": torch.tensor([data.examples[i].quality == "teacher" for i in part]),
        }  # fmt: skip
        for name, value in told.items():
            kept.setdefault(name, []).append(value.float().numpy())
        print(f"\r{min(at + 64, len(rows))}/{len(rows)} hands", end="", flush=True)
    print()
    return {name: np.concatenate(parts) for name, parts in kept.items()}


def looked(out: Path, name: str, *args: object) -> Kept:
    """The same, from a file where it is there."""
    path = out / f"{name}.npz"
    if not path.is_file():
        np.savez(path, **look(*args))  # type: ignore[arg-type]
    with np.load(path, allow_pickle=False) as kept:
        return dict(kept)


def inputs(kept: Kept, more: tuple[str, ...]) -> Tensor:
    """What a head sees: landmarks freed of place and size, up, and more."""
    points = torch.from_numpy(kept["truth" if "truth" in more else "xy"])
    centred = points - points.mean(1, keepdim=True)
    size = (centred.square().sum(-1).mean(1) + 1e-6).sqrt()
    beside = [torch.from_numpy(kept[n]) for n in ("up", *more) if n != "truth"]
    return torch.cat([(centred / size[:, None, None]).flatten(1), *beside], 1)


def learn(seen: Tensor, truth: Tensor, classes: int, seed: int) -> nn.Module:
    """A head of two hidden layers."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for width in (seen.shape[1], WIDTH):
        layers += [nn.Linear(width, WIDTH), nn.ReLU(), nn.Dropout(0.1)]
    head = nn.Sequential(*layers, nn.Linear(WIDTH, classes))
    often = (1000 / torch.bincount(truth, minlength=classes).clamp(min=1)).clamp(min=1).sqrt()
    often[0] = 1  # none
    steps = EPOCHS * len(seen) // BATCH
    order = torch.multinomial(often[truth], steps * BATCH, replacement=True).view(steps, BATCH)
    optimiser = torch.optim.AdamW(head.parameters(), weight_decay=0.02)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    for rows in order:
        loss = F.cross_entropy(head(seen[rows]), truth[rows], label_smoothing=0.02)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rate.step()
    return head.eval()


def recall(truth: NDArray[np.bool_], told: NDArray[np.bool_], sure: NDArray[np.float32]) -> float:
    """The share of a class that is shown, at the limit of the largest such share whose precision
    is PRECISION.
    """
    order = np.flatnonzero(told)[np.argsort(-sure[told], kind="stable")]
    right = np.cumsum(truth[order])
    good = np.flatnonzero(right >= PRECISION * np.arange(1, len(order) + 1))
    return float(right[good[-1]] / truth.sum()) if len(good) else 0.0


def row_of(
    name: str, said: NDArray[np.float32], held: Kept, classes: tuple[str, ...]
) -> dict[str, Any]:
    """A line of the table."""
    truth, best, real = held["gesture"].astype(int), said.argmax(1), held["real"] > 0
    row = {
        "head": name,
        "real": round(float((best == truth)[real].mean()), 3),
        "rendered": round(float((best == truth)[~real].mean()), 3),
    }
    whole, named = [], []
    for i in range(1, len(classes)):
        own = real if (real & (truth == i)).sum() >= FEWEST_SHOWN else ~real
        whole.append(recall(truth == i, best == i, said[:, i]))
        named.append(recall(truth[own] == i, best[own] == i, said[own, i]))
    row |= {"shown": round(float(np.mean(whole)), 3), "apart": round(float(np.mean(named)), 3)}
    return row | {c: round(n, 2) for c, n in zip(classes[1:], named, strict=True)}


def main(
    labels: Annotated[Path, typer.Argument(help="The labels file of `train prepare hands`.")],
    out: Annotated[Path, typer.Option(help="Folder of answers and table.")] = Path("runs/heads"),
    views: Annotated[int, typer.Option(help="Looks at each training hand.")] = 3,
    seed: Annotated[int, typer.Option(help="Of the heads.")] = 0,
) -> None:
    """Ask the network what is missing, learn the heads, print the table."""
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = bundled_file("hand").with_suffix(".safetensors")
    found = load_model(checkpoint)[1]
    spec, names = found.spec, found.markup.landmarks
    data = labels_for(checkpoint, names, [labels], spec.data.hold_out, spec.seed)
    known = [i for i, e in enumerate(data.examples) if e.attributes.get("gesture")]
    known = [i for i in known if not data.examples[i].negative]
    classes = next(h.attribute.classes for h in spec.heads if h.attribute.name == "gesture")
    held_rows = [i for i in known if data.examples[i].hold]
    held = looked(out, "held", data, held_rows, checkpoint, None)
    rows = [i for i in known if not data.examples[i].hold]
    each = [looked(out, f"view{v}", data, rows, checkpoint, v) for v in range(views)]
    learnt = {name: np.concatenate([kept[name] for kept in each]) for name in held}
    table = [row_of("bundled", held["said"], held, classes)]
    truth = torch.from_numpy(learnt["gesture"]).long()
    for name, more in ROWS.items():
        head = learn(inputs(learnt, more), truth, len(classes), seed)
        with torch.no_grad():
            said = head(inputs(held, more)).softmax(-1).numpy()
        table.append(row_of(name, said, held, classes))
    for line in table:
        print(line)
    write_table(out / "heads.csv", table)


if __name__ == "__main__":
    typer.run(main)
