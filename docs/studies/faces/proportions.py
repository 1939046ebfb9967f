"""How well proportions of the face tell people apart (`tracker/follow/neutral.py`).

    python -m docs.studies.faces.proportions LABELS [--source ytf]

LABELS is a collection of 68 landmarks whose `group` is a person. Of each person with enough frames
from the front, the mean proportions of one half of the frames are compared with those of the other
half, and with those of everybody else's other half. Printed: each proportion's deviation between
frames of one person and between people; and how many are nearer than `NEAR`, and farther than
`FAR`: of the same person, and of two.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from tracker.find.head_pose import pose_from_landmarks
from tracker.follow.neutral import FAR, NEAR, Proportions, distance, proportions
from tracker.types import Track

FEWEST = 6  # frames of a person


def seen_from_the_front(labels: Path, source: str) -> dict[str, list[Proportions]]:
    """Proportions of each frame, by person."""
    coco = json.loads(labels.read_text(encoding="utf-8"))
    images = {image["id"]: image for image in coco["images"]}
    found: dict[str, list[Proportions]] = defaultdict(list)
    for ann in coco["annotations"]:
        image = images[ann["image_id"]]
        xy = np.array(ann["keypoints"], np.float32).reshape(-1, 3)[:, :2]
        if len(xy) != 68 or source not in ("", image.get("source")):
            continue
        ones = np.ones(68, np.float32)
        face = Track(1, "face", xy, xy, ones, 1.0, None, 0.0, None, 0.0, pose_from_landmarks(xy), 0)
        shape = proportions(face)
        if shape is not None:
            found[image["group"]].append(shape)
    return {who: rows for who, rows in found.items() if len(rows) >= FEWEST}


def distances(people: dict[str, list[Proportions]]) -> tuple[list[float], list[float]]:
    """Between halves of the same person's frames, and of two people's."""
    halves = [
        (np.mean(rows[: len(rows) // 2], 0), np.mean(rows[len(rows) // 2 :], 0))
        for rows in people.values()
    ]
    same = [distance(a, b) for a, b in halves]
    others = [
        distance(a, b) for i, (a, _) in enumerate(halves) for j, (_, b) in enumerate(halves)
        if i != j
    ]  # fmt: skip
    return same, others


def main(
    labels: Annotated[Path, typer.Argument(help="68 landmarks of people, by `group`.")],
    source: Annotated[str, typer.Option(help="Only pictures of this source.")] = "",
) -> None:
    """Print how often people are told apart."""
    people = seen_from_the_front(labels, source)
    if len(people) < 2:
        raise typer.BadParameter(f"{labels} shows fewer than two people often enough")
    within = np.concatenate([np.array(rows) - np.mean(rows, 0) for rows in people.values()])
    between = np.array([np.mean(rows, 0) for rows in people.values()])
    print(f"{len(people)} people, {len(within)} frames")
    print("deviation, one person:", " ".join(f"{v:.3f}" for v in within.std(0)))
    print("deviation, people:    ", " ".join(f"{v:.3f}" for v in between.std(0)))
    for name, found in zip(("the same person", "two people"), distances(people), strict=True):
        near, far = np.mean(np.array(found) < NEAR), np.mean(np.array(found) > FAR)
        print(f"{name}: nearer than {NEAR:g} {near:.1%}, farther than {FAR:g} {far:.1%}")


if __name__ == "__main__":
    typer.run(main)
