"""Runs in float64, one after the other in a process of its own: FOLDER NAME CHANGES(JSON).

CHANGES has those of each run's config by its name; the run goes to FOLDER/NAME/RUN.

In float32 a rounding difference may flip a ReLU, which moves a gradient by a percent; in float64
what is equal in mathematics is equal to twelve digits. Evaluation is left out.
"""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import torch

torch.set_default_dtype(torch.float64)
torch.Tensor.float = torch.Tensor.double

import train.loop.fit  # noqa: E402
import train.loop.step  # noqa: E402
from train.config import read_config  # noqa: E402
from train.data.pictures import read_coco  # noqa: E402
from train.machine.distributed import joined  # noqa: E402


def double(batch, device):
    wide = {k: v.double() if v.is_floating_point() else v for k, v in batch.attributes.items()}
    return replace(
        batch, image=batch.image.double(), xy=batch.xy.double(), warp=batch.warp.double(),
        present=batch.present.double(), attributes=wide,
    )  # fmt: skip


if __name__ == "__main__":
    train.loop.fit.batch_to = double
    train.loop.fit.evaluate_hold_out = lambda run: None
    train.loop.fit.finish = lambda run: run.out
    folder = Path(sys.argv[1])
    data = read_coco(folder / "labels.json")
    after = {e.path: data.examples[i - 1].path for i, e in enumerate(data.examples) if i % 3}
    examples = tuple(replace(e, neighbour=after.get(e.path)) for e in data.examples)
    data = replace(data, examples=examples)
    with joined(torch.device("cpu")):
        for name, changes in json.loads(sys.argv[3]).items():
            spec = read_config(folder / "blobs.toml", changes)
            train.loop.fit.fit(spec, folder, folder / sys.argv[2] / name, data=data)
    os._exit(0)  # as ui.commands.train does: gloo may abort a normal leave
