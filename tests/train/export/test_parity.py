"""Forms against torch: the same numbers in fp32, near ones in the others, and distances by hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from train.export.parity import compare, deviation, in_parts


def test_distances_by_hand() -> None:
    truth = {"xy": np.zeros((2, 1, 2)), "score": np.array([[0.5], [0.5]])}
    found = {"xy": np.array([[[3.0, 4.0]], [[0.0, 1.0]]]), "score": np.array([[0.5], [0.1]])}
    d = deviation("int8", "E", found, truth)
    assert (d.form, d.engine, d.mean_px, d.max_px) == ("int8", "E", 3.0, 5.0)
    assert (d.mean_score, d.max_score) == pytest.approx((0.2, 0.4))


def test_parts_keep_their_order() -> None:
    crops = np.arange(70, dtype=np.float32).reshape(70, 1, 1, 1)
    sizes: list[int] = []

    def run(part: np.ndarray) -> dict[str, np.ndarray]:
        sizes.append(len(part))
        return {"xy": part[:, :, 0], "score": part[:, 0, 0]}

    assert in_parts(run, crops)["score"].ravel().tolist() == list(range(70))
    assert sizes == [32, 32, 6]


def test_forms_of_a_trained_network(blobs: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(blobs, tmp_path / "blobs"))
    labels, final = folder / "labels.json", folder / "run" / "model.safetensors"
    told: list[tuple[int, int]] = []
    every = list(compare(final, labels, 5, lambda *share: told.append(share)))
    assert told == [(i, 1 + len(every)) for i in range(1, 2 + len(every))]
    found = {d.form: d for d in every if "CPUExecution" in d.engine}
    assert list(found) == ["fp32", "fp16", "int8"]
    assert found["fp32"].max_px < 1e-3 < found["int8"].max_px < 5
    assert found["fp32"].max_px <= found["fp16"].max_px < 0.1
    assert found["int8"].mean_px < found["int8"].max_px
    other = json.loads(labels.read_text())
    other["categories"][0]["keypoints"] = ["a", "b", "c", "d"]
    labels.write_text(json.dumps(other))
    with pytest.raises(ValueError, match="give labels of the same markup"):
        next(compare(final, labels))
