"""A tiny labelled data set: four coloured blobs on noise, whose centres are the landmarks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from train.config import read_config
from train.data.pictures import read_coco
from train.loop.checkpoint import build_model, save_checkpoint

NAMES = ("red", "green", "blue", "white")
COLOURS = ((0, 0, 255), (0, 255, 0), (255, 0, 0), (255, 255, 255))


def blob_picture(xy: np.ndarray, size: int, seed: int = 0) -> np.ndarray:
    """Gaussian blobs (sigma 3 px) at sub-pixel centres on weak noise, BGR uint8."""
    rng = np.random.default_rng(seed)
    picture = rng.uniform(0, 40, (size, size, 3))
    gy, gx = np.mgrid[:size, :size]
    for (x, y), colour in zip(xy, COLOURS[: len(xy)], strict=True):
        weight = np.exp(-((gx - x) ** 2 + (gy - y) ** 2) / (2 * 3.0**2))[..., None]
        picture = picture * (1 - weight) + np.array(colour) * weight
    return picture.round().astype(np.uint8)


def write_blobs(folder: Path, count: int = 8, size: int = 64, hold: int = 2) -> Path:
    """labels.json and PNGs; the last `hold` pictures are held out. Attribute: red is left or right
    of green ('order'), and a 'pose' of three numbers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(5)
    images, annotations = [], []
    for i in range(count):
        xy = rng.uniform(12, size - 13, (4, 2)).round(2)
        cv2.imwrite(str(folder / f"{i}.png"), blob_picture(xy, size, i))
        images.append(
            {"id": i, "file_name": f"{i}.png", "width": size, "height": size, "group": f"g{i}",
             "split": "hold" if i >= count - hold else "train"}
        )  # fmt: skip
        order = "red_left" if xy[0, 0] < xy[1, 0] else "red_right"
        keypoints = np.column_stack([xy, np.full(4, 2)]).flatten().tolist()
        annotations.append(
            {"id": i, "image_id": i, "category_id": 1, "keypoints": keypoints,
             "bbox": [0, 0, size, size], "attributes": {"order": order}}
        )  # fmt: skip
    category = {"id": 1, "name": "blobs", "keypoints": list(NAMES), "skeleton": [[1, 2], [3, 4]]}
    path = folder / "labels.json"
    path.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": [category]})
    )
    return path


def rewrite(labels: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Change the body of a label file where it lies."""
    body = json.loads(labels.read_text())
    change(body)
    labels.write_text(json.dumps(body))
    return labels


def add_bare(labels: Path, *splits: str, size: int = 64) -> Path:
    """A picture of weak noise, without any blob, for each of these splits."""

    def add(body: dict[str, Any]) -> None:
        for split in splits:
            i = len(body["images"])
            picture = blob_picture(np.empty((0, 2)), size, i)
            cv2.imwrite(str(labels.with_name(f"{i}.png")), picture)
            body["images"].append(
                {"id": i, "file_name": f"{i}.png", "width": size, "height": size,
                 "group": f"g{i}", "negative": True, "split": split}
            )  # fmt: skip

    return rewrite(labels, add)


CONFIG = """
kind = "face"
batch = 4
steps = {steps}
lr = 4e-3
warmup = 5
ema = 0.8
threads = 1
precision = "f32"
evaluate_every = 20
checkpoint_every = 10
[net]
size = 64
stem = 8
widths = [24, 24, 24, 24]
[[heads]]
[heads.attribute]
name = "order"
classes = ["red_left", "red_right"]
[loss]
lam = 0.05
point = "l1"
heat = 1.0
alpha = 0.02
elt_on = "all"
presence = 0.1
[augment]
rotate = 0.0
scale = 0.0
shift = 0.0
flip = 0.0
colour = 0.0
blur = 0.0
occlude = 0.0
[data]
files = ["labels.json"]
"""


def write_config(folder: Path, steps: int = 30, more: str = "") -> Path:
    """A config that fits the blobs in a few seconds."""
    path = folder / "blobs.toml"
    path.write_text(CONFIG.format(steps=steps) + more)
    return path


def untrained_checkpoint(labels: Path, **settings: Any) -> Path:
    """model.safetensors beside the labels: fresh weights, step 7, and these fields of its spec."""
    spec = replace(read_config(write_config(labels.parent)), **settings)
    torch.manual_seed(0)
    markup = read_coco(labels).markup
    path = labels.with_name("model.safetensors")
    model = build_model(spec, markup)
    save_checkpoint(path, spec, markup, 7, None, model, None, {"licence": "CC0"})
    return path
