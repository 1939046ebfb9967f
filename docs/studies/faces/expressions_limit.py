"""What holds a face model's expressions back: their head, what it sees, or the points?

    python -m docs.studies.faces.expressions_limit CHECKPOINT LABELS --out runs/expressions_limit

LABELS is what `train prepare faces` wrote. The network looks at every training face whose
expressions are known, as often as `--views` says, and at those held out; what it said stays in OUT,
from where the study goes on. Heads learn on from the checkpoint's as `train head` does, but at a
higher rate, the network staying as it is: from its landmarks; from these with some of the labels'
points in their place, or with all of them; a wider one, and one that reads the coarse features,
from fresh weights. Prints the mean absolute error on the hold-out, of rendered and of webcam faces,
and of each expression of rendered faces; writes OUT/heads.csv and OUT/expressions.csv.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from tracker.find.expressions import EXPRESSIONS, STEMS
from tracker.progress import silent
from tracker.whole_files import write_table
from train.config import FitSpec
from train.data.pictures import DataSet
from train.evaluate.faces import expression_errors
from train.evaluate.report import labels_for
from train.export.learn_head import Counted, SeenByHead, learn, looks, rows_with, said_by
from train.loop.checkpoint import load_model
from train.networks.model import Head, LandmarkNet

NAME, ALL, RATE = "expressions", range(70), 3e-3
PARTS = {
    "irises": range(68, 70), "lids and irises": (*range(36, 48), 68, 69), "brows": range(17, 27),
    "lips": range(48, 68), "all": ALL,
}  # fmt: skip
REST, OWN, TRUE = "nothing, all at rest", "the checkpoint's head", "its landmarks, true all"


@dataclass(frozen=True, slots=True)
class Way:
    """A head, and which of the labels' points it sees in place of the network's."""

    name: str
    head: Head
    true: Sequence[int] = ()
    if_seen: bool = False  # only those of them that the picture shows
    fresh: bool = False


def looked(
    path: Path, model: LandmarkNet, data: DataSet, rows: Sequence[int], spec: FitSpec,
    view: int | None = None,
) -> dict[str, Tensor]:  # fmt: skip
    """Points and features by the network, and what is true, of these rows; from a file where there
    is one.
    """
    if not path.is_file():
        parts = []
        for batch, out in looks(model, data, rows, spec, view):
            assert out.pooled is not None
            known = {"true": batch.xy, "labelled": batch.labelled, "target": batch.attributes[NAME]}
            seen = batch.attributes["visible"] > 0.5
            parts.append({"xy": out.xy, "pooled": out.pooled, "seen": seen, **known})
        save_file({k: torch.cat([each[k] for each in parts]) for k in parts[0]}, path)
    return dict(load_file(path))


def seen_by(way: Way, look: dict[str, Tensor]) -> SeenByHead:
    """What a way's head sees of a look."""
    takes = torch.zeros_like(look["labelled"])
    takes[:, list(way.true)] = True
    takes &= look["labelled"] & (look["seen"] | torch.tensor(not way.if_seen))
    xy = torch.where(takes[..., None], look["true"], look["xy"])
    more = (look["pooled"],) if way.head.source == "both" else ()
    surely = torch.ones(len(xy))  # scores count for gestures alone
    return SeenByHead((xy, *more), look["target"], surely)


def ways(head: Head) -> list[Way]:
    """Rows of the table, after the checkpoint's own."""
    wide = replace(head, hidden=2 * head.hidden)
    return [
        Way("its landmarks", head),
        *(Way(f"its landmarks, true {part}", head, at) for part, at in PARTS.items()),
        Way("its landmarks, true ones where they are seen", head, ALL, if_seen=True),
        Way("its landmarks and coarse features", replace(head, source="both"), fresh=True),
        Way("its landmarks, twice as wide", wide, fresh=True),
    ]


def row_of(
    name: str, said: NDArray[np.float64], truth: NDArray[np.float64], exact: NDArray[np.bool_]
) -> dict[str, str]:
    """A line of the table: mean absolute errors."""
    parts = {"rendered": exact, "webcam": ~exact}
    means = {k: expression_errors(said[at], truth[at])["mean"] for k, at in parts.items()}
    return {"head": name, **{kind: f"{mean:.4f}" for kind, mean in means.items()}}


def by_stem(errors: dict[str, NDArray[np.float64]]) -> list[dict[str, str]]:
    """Mean of each expression, both sides together, the worst by the last way first."""
    rows = []
    for stem in STEMS:
        at = [i for i, name in enumerate(EXPRESSIONS) if stem in (name, name[:-4], name[:-5])]
        rows.append({"expression": stem} | {k: f"{e[:, at].mean():.3f}" for k, e in errors.items()})
    return sorted(rows, key=lambda row: -float(list(row.values())[-1]))


def main(
    checkpoint: Annotated[Path, typer.Argument(help="A face model's .safetensors.")],
    labels: Annotated[Path, typer.Argument(help="What 'train prepare faces' wrote.")],
    out: Annotated[Path, typer.Option(help="Folder of looks and tables.")] = Path("runs/expr"),
    views: Annotated[int, typer.Option(help="Looks at each training face.")] = 2,
    steps: Annotated[int, typer.Option(help="Of each head; fresh ones take twice as many.")] = 2500,
) -> None:
    """Look, learn the heads, print the tables."""
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    model, found = load_model(checkpoint)
    spec = found.spec
    head = next(h for h in spec.heads if h.attribute.name == NAME)
    data = labels_for(checkpoint, found.markup.landmarks, [labels], spec.data.hold_out, spec.seed)
    rows, held_rows = rows_with(data, NAME)
    held = looked(out / "hold.safetensors", model, data, held_rows, spec)
    each = [
        looked(out / f"view_{view}.safetensors", model, data, rows, spec, view)
        for view in range(views)
    ]
    learnt = {name: torch.cat([look[name] for look in each]) for name in held}
    exact = np.array([data.examples[i].quality == "exact" for i in held_rows])
    truth = held["target"].double().numpy()
    own = said_by(head, model.heads[NAME], seen_by(Way("", head), held)).double().numpy()
    said = {REST: 0 * truth, OWN: own}
    for way in ways(head):
        layers, seen = model.fresh_layers(way.head), seen_by(way, learnt)
        if not way.fresh:
            layers.load_state_dict(model.heads[NAME].state_dict())
        count = (1 + way.fresh) * steps
        learn(way.head, layers, seen, count, 0, Counted(silent, count), RATE)
        said[way.name] = said_by(way.head, layers, seen_by(way, held)).double().numpy()
        table = [row_of(name, guess, truth, exact) for name, guess in said.items()]
        print(*table[-1].values(), sep=" | ", flush=True)
        write_table(out / "heads.csv", table)
    print(*table[0].values(), *table[1].values(), sep=" | ")
    stems = by_stem({name: np.abs(said[name] - truth)[exact] for name in (REST, OWN, TRUE)})
    print(*(" | ".join(line.values()) for line in stems), sep="\n")
    write_table(out / "expressions.csv", stems)


if __name__ == "__main__":
    typer.run(main)
