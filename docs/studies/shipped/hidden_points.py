"""How far off are landmarks that the camera sees, and those behind something?

    python -m docs.studies.shipped.hidden_points MODEL PREP/hand21.json

Rendered hands that were held out, of which it is known what the camera sees; crops from the labels.
Printed by landmark: share that is hidden, mean error of those seen and of those hidden, in % of the
longer side of the box, and how many times the mean of all landmarks of that kind that is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from train.evaluate import metrics
from train.evaluate.outputs import predict
from train.evaluate.report import labels_for, open_model


def line(name: str, errors: NDArray[np.float64], hidden: NDArray[np.bool_], k: slice) -> str:
    """A row of the table: landmarks `k` of errors (N, K) and hidden (N, K)."""
    words = [name, f"{100 * hidden[:, k].mean():.1f} %"]
    for kind in (np.ones_like(hidden), ~hidden, hidden):
        own, every = errors[:, k][kind[:, k]], errors[kind]
        times = own.mean() / every.mean() if len(own) else np.nan
        words.append(f"{own.mean():.2f} ({times:.2f})" if len(own) else "-")
    return f"| {' | '.join(words)} |"


def main(
    model: Annotated[Path, typer.Argument(help="A hand model.")],
    labels: Annotated[Path, typer.Argument(help="The labels file of `train prepare hands`.")],
) -> None:
    """Print the table of all landmarks together and of the fingers' tips."""
    run, spec, names = open_model(model)
    data = labels_for(model, names, [labels], spec.data.hold_out, spec.seed)
    rows = [
        i for i in data.rows(True)
        if data.examples[i].hidden is not None and data.examples[i].quality == "exact"
    ]  # fmt: skip
    out = predict(run, data, rows, spec)
    lengths = metrics.normalisers(out.target, out.labelled)
    errors = 100 * metrics.point_errors(out.xy, out.target, out.labelled) / lengths[:, None]
    hidden = np.array([data.examples[i].hidden for i in rows])
    print(f"{len(rows)} rendered hands")
    print("| landmark | hidden | all: error (times the mean) | seen | hidden |")
    print("|---|---|---|---|---|")
    print(line("all", errors, hidden, slice(None)))
    for k, name in enumerate(names):
        if name.endswith("_tip"):
            print(line(name, errors, hidden, slice(k, k + 1)))


if __name__ == "__main__":
    typer.run(main)
