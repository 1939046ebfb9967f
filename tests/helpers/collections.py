"""Small collections of labelled pictures, in the raw collections' own format."""

import json
from pathlib import Path

import cv2
import numpy as np


def write_collection(folder: Path, part: str, k: int, count: int, more, labels="labels.json"):
    """`count` pictures in a collection's own format; `more(i)` adds fields to image and label."""
    rng = np.random.default_rng(0)
    (folder / part / "images").mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for i in range(count):
        name = f"images/{i}.jpg"
        cv2.imwrite(str(folder / part / name), np.full((192, 192, 3), i * 8, np.uint8))
        points = np.column_stack([rng.uniform(40, 150, (k, 2)), np.full(k, 2)])
        image, ann = more(i)
        images.append({"id": i, "file_name": name, "group": f"g{i // 2}", **image})
        if ann is not None:
            annotations.append({"id": i, "image_id": i, "keypoints": points.flatten().tolist(),
                                "bbox": [40, 40, 110, 110], **ann})  # fmt: skip
    category = {"id": 1, "name": part, "keypoints": [f"p{j}" for j in range(k)], "skeleton": []}
    (folder / part / labels).write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": [category]})
    )
