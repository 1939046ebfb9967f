"""What holds the bundled gestures back: their head, what it sees, or the points?

    python -m docs.studies.gestures.bundled_head PREP/hand21.json

The bundled hand network looks at every training hand whose gesture is known, as often as `--views`
says, and at those held out. Heads of the bundled one's size learn from what it says (`train head`),
the network staying as it is: from the landmarks, from them and the coarse features, and from the
labels' own points, learnt and measured. For each row: accuracy on the hold-outs, and the mean over
classes of the share that is shown at a precision of 0.97: of all held out, and of the real ones
where eight are named, else of the rendered ones. Prints and writes OUT/heads.csv.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from tracker.find.model_file import bundled_file
from tracker.progress import silent
from tracker.whole_files import write_table
from train.evaluate.outputs import FEWEST_SHOWN, operating_points, shown
from train.evaluate.report import labels_for
from train.export.learn_head import (
    BATCH,
    EPOCHS,
    Counted,
    SeenByHead,
    inputs_of,
    learn,
    looks,
    rows_with,
    said_by,
    together,
)
from train.loop.checkpoint import load_model
from train.losses.paper import Batch
from train.networks.model import Head, LandmarkNet, Prediction

PRECISION = 0.97
BARE, TRUE = "from the landmarks", "from the labels' points"


def seen_by_row(
    model: LandmarkNet, head: Head, batch: Batch, out: Prediction
) -> dict[str, SeenByHead]:
    """What the head of each row sees of a batch."""
    target = batch.attributes[head.attribute.name]
    points = torch.where(batch.labelled[..., None], batch.xy, out.xy)
    inputs = {
        BARE: inputs_of(head, batch, out),
        "from landmarks and coarse features": inputs_of(replace(head, source="both"), batch, out),
        TRUE: inputs_of(head, batch, replace(out, xy=points)),
    }
    score = model.score(out.spread).mean(1)
    return {name: SeenByHead(each, target, score) for name, each in inputs.items()}


def row_of(
    name: str, truth: NDArray[np.int64], said: NDArray[np.float64], real: NDArray[np.bool_],
    classes: tuple[str, ...],
) -> dict[str, Any]:  # fmt: skip
    """A line of the table; a class that no point makes precise enough is never shown."""
    parts = {"all": np.ones_like(real), "real": real, "rendered": ~real}
    recalls: dict[str, dict[str, float]] = {}
    for part, rows in parts.items():
        points = operating_points(truth[rows], said[rows], classes, PRECISION)
        found = shown(truth[rows], said[rows], classes, points)
        recalls[part] = {c: found[c][0] if c in found else 0.0 for c in classes[1:]}
    named = {c: (truth[real] == i).sum() >= FEWEST_SHOWN for i, c in enumerate(classes)}
    apart = {c: recalls["real" if named[c] else "rendered"][c] for c in classes[1:]}
    right = said.argmax(1) == truth
    accuracy = {part: round(float(right[parts[part]].mean()), 3) for part in ("real", "rendered")}
    means = {"all": recalls["all"], "apart": apart}
    return {
        "head": name, **accuracy,
        **{k: round(float(np.mean(list(v.values()))), 3) for k, v in means.items()},
        **{c: round(share, 2) for c, share in apart.items()},
    }  # fmt: skip


def main(
    labels: Annotated[Path, typer.Argument(help="The labels file of `train prepare hands`.")],
    out: Annotated[Path, typer.Option(help="Folder of the table.")] = Path("runs/bundled_head"),
    views: Annotated[int, typer.Option(help="Looks at each training hand.")] = 3,
) -> None:
    """Look, learn the heads, print the table."""
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = bundled_file("hand").with_suffix(".safetensors")
    model, found = load_model(checkpoint)
    spec = found.spec
    head = next(h for h in spec.heads if h.attribute.name == "gesture")
    classes = head.attribute.classes
    data = labels_for(checkpoint, found.markup.landmarks, [labels], spec.data.hold_out, spec.seed)
    rows, held_rows = rows_with(data, "gesture")
    held = [seen_by_row(model, head, *look) for look in looks(model, data, held_rows, spec)]
    seen = []
    for view in range(views):
        print(f"look {view + 1} of {views} at {len(rows)} hands", flush=True)
        seen += [seen_by_row(model, head, *look) for look in looks(model, data, rows, spec, view)]
    truth = together([each[BARE] for each in held]).target.numpy()
    real = np.array([data.examples[i].quality == "teacher" for i in held_rows])
    seen_held = together([each[BARE] for each in held])
    bundled = said_by(head, model.heads["gesture"], seen_held).double().numpy()
    table = [row_of("the bundled one", truth, bundled, real, classes)]
    for name in held[0]:
        own = replace(head, source="both") if len(held[0][name].inputs) == 3 else head
        layers = model.fresh_layers(own)
        steps = EPOCHS * views * len(rows) // BATCH
        learn(own, layers, together([each[name] for each in seen]), steps, 0, Counted(silent, 0))
        said = said_by(own, layers, together([each[name] for each in held])).double().numpy()
        table.append(row_of(name, truth, said, real, classes))
        print(table[-1], flush=True)
    print(table[0])
    write_table(out / "heads.csv", table)


if __name__ == "__main__":
    typer.run(main)
