"""A markup of one's own from 40 labelled frames: 12 points of the mouth.

    python -m docs.studies.mouth12 --data FOLDER --out runs/mouth12

FOLDER holds faces68/. The bundled face model never saw the 200 hand-labelled pictures that its
training held out; 40 of them are labelled here with 12 mouth points under names that the model does
not know, 160 (of other photo groups) are the hold-out. What counts is the mean error in % of the
distance between the outer eye corners.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

import assets
from tracker.find.markups import find_markup
from tracker.find.model_file import is_project
from train.data.faces import prepare_faces68
from train.data.from_project import markup_of, take_census
from train.data.pictures import DataSet, read_coco
from train.evaluate import metrics
from train.evaluate.outputs import predict, torch_runner
from train.finetune.choices import choose_spec
from train.loop.checkpoint import load_checkpoint, load_model
from train.loop.fit import fit
from train.loop.progress import Progress
from train.loop.warm_start import adapt
from train.project.layout import create_project, open_project

MOUTH = slice(48, 60)  # the outer line of the lips among the 68 points
EYES = (36, 45)


def split_examples(full: DataSet, count: int, seed: int) -> tuple[DataSet, np.ndarray]:
    """`count` labelled training pictures and the others as hold-out, by photo group.

    Also the distance between the outer eye corners of every example, picture pixels.
    """
    held = [i for i in full.rows(True) if not full.examples[i].negative]
    groups = sorted({(full.examples[i].source, full.examples[i].group) for i in held})
    order = np.random.default_rng([seed, 3]).permutation(len(groups))
    train: list[int] = []
    for g in order:
        if len(train) >= count:
            break
        found = [i for i in held if (full.examples[i].source, full.examples[i].group) == groups[g]]
        train += found
    used = {(full.examples[i].source, full.examples[i].group) for i in train}
    chosen = train[:count] + [
        i for i in held if (full.examples[i].source, full.examples[i].group) not in used
    ]
    examples, eyes = [], []
    for i in chosen:
        e = full.examples[i]
        eyes.append(float(np.linalg.norm(e.xy[EYES[0]] - e.xy[EYES[1]])))
        examples.append(
            replace(
                e,
                xy=e.xy[MOUTH],
                labelled=e.labelled[MOUTH],
                box_xyxy=None,
                attributes={},
                hold=i not in train,
            )
        )
    return DataSet(full.markup, tuple(examples)), np.array(eyes)


def main(
    data: Annotated[Path, typer.Option(help="Folder with faces68/.")],
    out: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("runs/mouth12"),
    frames: Annotated[int, typer.Option(help="Labelled frames.")] = 40,
    steps: Annotated[int, typer.Option(help="Training steps.")] = 400,
    seed: Annotated[int, typer.Option(help="Of the choice and the training.")] = 0,
) -> None:
    """Train and print the error."""
    out.mkdir(parents=True, exist_ok=True)
    labels = out / "face68.json"
    if not labels.is_file():
        prepare_faces68(data, labels)
    markup = find_markup("mouth12")
    home = out / "project"
    project = open_project(home) if is_project(home) else create_project(home, markup)
    found, eyes = split_examples(read_coco(labels), frames, seed)
    examples = DataSet(markup_of(project), found.examples)
    census = take_census(examples.examples, 0)
    base = load_checkpoint(assets.path("models/face68.safetensors"))
    spec, _ = choose_spec(project, census, (), ("L",), base.spec.net, False)
    spec = replace(
        spec, steps=steps, evaluate_every=max(1, steps // 8), seed=seed, threads=1, keep="last",
        lr=1e-3, heads=(),
    )  # fmt: skip
    start = out / f"start_{seed}.safetensors"
    adapt(spec, examples.markup, base, start)

    def report(p: Progress) -> None:
        if p.hold is not None:
            print(
                f"  step {p.step}/{p.steps}  {p.hold['nme']:.2f} % of the mouth's width", flush=True
            )

    final = fit(spec, out, out / f"run_{frames}_{seed}", True, start, report, None, examples)
    network, _ = load_model(final)
    rows = examples.rows(True)
    outputs = predict(torch_runner(network), examples, rows, spec)
    errors = metrics.point_errors(outputs.xy, outputs.target, outputs.labelled)
    # crop pixels to picture pixels: the mouth's width is known in both
    own = metrics.normalisers(outputs.target, outputs.labelled, project.normaliser)
    a, b = project.normaliser
    real = np.array(
        [np.linalg.norm(examples.examples[i].xy[a] - examples.examples[i].xy[b]) for i in rows]
    )
    lengths = eyes[rows] * own / real
    result = {
        "frames": frames, "seed": seed, "hold_out": len(rows), "steps": steps,
        "nme_interocular": round(metrics.nme(errors, lengths), 3),
    }  # fmt: skip
    print(json.dumps(result))
    (out / f"result_{frames}_{seed}.json").write_text(json.dumps(result))


if __name__ == "__main__":
    typer.run(main)
