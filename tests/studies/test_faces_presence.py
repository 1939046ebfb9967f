"""Where presence parts faces from the rest, and how it is moved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from docs.studies.faces.presence import logits, move, presence_of, squares
from tests.helpers.blobs import write_blobs, write_config
from train.config import read_config
from train.data.pictures import DataSet, read_coco
from train.evaluate.outputs import torch_runner
from train.loop.checkpoint import build_model, load_model, save_checkpoint


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, DataSet]:
    """A checkpoint that has learnt nothing, and what it is asked about."""
    data = read_coco(write_blobs(tmp_path))
    spec = read_config(write_config(tmp_path))
    torch.manual_seed(0)
    model = build_model(spec, data.markup)
    save_checkpoint(tmp_path / "m.safetensors", spec, data.markup, 7, None, model, None, {})
    return tmp_path / "m.safetensors", data


def test_moved_by_so_much(made: tuple[Path, DataSet], tmp_path: Path) -> None:
    source, _ = made
    move(source, tmp_path / "n.safetensors", 3.0)
    (before, found), (after, _) = load_model(source), load_model(tmp_path / "n.safetensors")
    size = found.spec.net.size
    crops = np.random.default_rng(0).uniform(0, 255, (70, 3, size, size)).astype(np.float32)
    a, b = (logits(presence_of(torch_runner(m), crops)) for m in (before, after))
    assert a.shape == (70,)  # more than go at once
    np.testing.assert_allclose(a - b, 3.0, atol=1e-3)


def test_squares_are_cut_from_the_middle_without_a_rim(
    made: tuple[Path, DataSet], tmp_path: Path
) -> None:
    """Of each held-out picture without an object the largest, and 0.6 of it."""
    _, data = made
    picture = np.full((100, 200, 3), (10, 20, 30), np.uint8)
    picture[20:80, 70:130] = (200, 100, 50)  # BGR; just the smaller square
    path = tmp_path / "wide.png"
    cv2.imwrite(str(path), picture)
    first = data.examples[0]
    none = replace(first, path=path, negative=True, hold=True)
    other = replace(none, hold=False)
    large, small = squares(replace(data, examples=(none, other)), 50)
    assert (small == np.array([50, 100, 200])[:, None, None]).all()  # RGB
    assert tuple(large[:, 0, 0]) == (30, 20, 10) and tuple(large[:, 25, 25]) == (50, 100, 200)
