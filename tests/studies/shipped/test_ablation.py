"""The rows of the ablation study: their settings, and labels that count alike."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from docs.studies.shipped.ablation import SMALL, TABLES, Row, all_alike, spec_of
from train.data.pictures import read_coco


def test_every_row_reads_and_has_the_same_budget() -> None:
    specs = [spec_of(row, 120, 3, 1) for table in TABLES.values() for row in table.values()]
    assert {(s.steps, s.decay, s.warmup, s.batch, s.seed) for s in specs} == {(120, 120, 20, 64, 3)}
    assert {s.workers for s in specs} == {0}  # a worker would take any core


def test_rows_change_what_they_say() -> None:
    hands, pose = TABLES["hands"], TABLES["pose"]
    real, both = (spec_of(hands[n], 10, 0, 1) for n in ("real", "real and rendered"))
    assert set(real.data.shares) == {"teacher"} and set(both.data.shares) == {"teacher", "exact"}
    assert real.heads == () and spec_of(hands["weights and A"], 10, 0, 1).heads
    flows = [
        [h.flow for h in spec_of(row, 10, 0, 1).heads if h.attribute.name == "pose"]
        for row in pose.values()
    ]
    assert flows == [[True], [False], [True]]
    assert spec_of(pose["solvePnP"], 10, 0, 1).heads[0].weight == 0
    small = spec_of(Row(hands["real"].config, {**SMALL, **hands["real"].settings}), 10, 0, 1)
    assert small.net.size == 64 and len(small.net.widths) == len(small.net.depth)


def test_labels_that_count_alike(tmp_path: Path) -> None:
    images, annotations, given = [], [], []
    for i, (quality, split) in enumerate(
        [("teacher", "train"), ("teacher", "hold"), ("exact", "train")]
    ):
        images.append({"id": i, "file_name": f"{i}.png", "quality": quality, "split": split})
        annotations.append({"image_id": i, "keypoints": [0, 0, 0], "weight": 0.5})
        given.append({"image_id": i, "keypoints": [4.0, 5.0, 2]})
    category = {"keypoints": ["tip"], "flip_pairs": []}
    coco = {"images": images, "annotations": annotations, "categories": [category]}
    (tmp_path / "raw" / "hands_real").mkdir(parents=True)
    (tmp_path / "raw/hands_real/labels.json").write_text(json.dumps({"annotations": given}))
    (tmp_path / "hand21.json").write_text(json.dumps(coco))
    made = all_alike(tmp_path / "hand21.json", tmp_path / "raw", tmp_path / "alike.json")
    first, held, rendered = read_coco(made).examples
    assert first.weight == 1.0 and first.labelled.all() and first.xy.tolist() == [[4.0, 5.0]]
    assert first.path == tmp_path / "0.png"
    for other in (held, rendered):
        assert other.weight == 0.5 and not other.labelled.any() and np.isnan(other.xy).all()
