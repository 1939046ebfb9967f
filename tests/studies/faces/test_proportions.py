"""The study of the face's proportions, on people who are made up."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from docs.studies.faces import proportions
from docs.studies.faces.proportions import distances, seen_from_the_front
from tracker.find.head_pose import face_xyz


def labels(folder: Path, noses: dict[str, float]) -> Path:
    """Eight frames of each person, noses as wide as said."""
    images, annotations = [], []
    for who, nose in noses.items():
        for _ in range(8):
            xy = 8 * face_xyz()[:, :2] + 320
            xy[31:36, 0] = xy[33, 0] + nose * (xy[31:36, 0] - xy[33, 0])
            images.append({"id": len(images), "file_name": "x.png", "group": who, "source": "s"})
            keypoints = np.column_stack([xy, np.full(68, 2)]).ravel().tolist()
            annotations.append({"image_id": len(annotations), "keypoints": keypoints})
    path = folder / "labels.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations}))
    return path


def test_who_is_told_from_whom(tmp_path: Path) -> None:
    path = labels(tmp_path, {"ann": 1.0, "bob": 1.0, "eve": 2.5})
    people = seen_from_the_front(path, "s")
    assert sorted(people) == ["ann", "bob", "eve"] and len(people["ann"]) == 8
    assert seen_from_the_front(path, "other") == {}
    same, others = distances(people)
    assert same == pytest.approx([0, 0, 0])
    assert sorted(others)[:2] == pytest.approx([0, 0]) and min(sorted(others)[2:]) > 2
    done = CliRunner().invoke(_app(), [str(path)])
    assert "3 people, 24 frames" in done.output
    assert "the same person: nearer than 0.9 100.0%, farther than 1.3 0.0%" in done.output
    assert "two people: nearer than 0.9 33.3%, farther than 1.3 66.7%" in done.output


def _app() -> typer.Typer:
    app = typer.Typer()
    app.command()(proportions.main)
    return app
