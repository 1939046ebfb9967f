"""Batches made ahead are the very same as those that the training makes itself."""

import itertools
from dataclasses import replace

import pytest
import torch

from tests.helpers.blobs import write_blobs, write_config
from train.config import read_config
from train.data.pictures import read_coco
from train.loop.ahead import batches


def test_another_process_makes_the_same_batches(tmp_path):
    data = read_coco(write_blobs(tmp_path, 12))
    spec = read_config(write_config(tmp_path), {"augment.rotate": "20"})
    own = list(itertools.islice(batches(data, spec, 3), 4))
    ahead = list(itertools.islice(batches(data, replace(spec, workers=2), 3), 4))
    assert [count for count, _ in own] == [count for count, _ in ahead] == [4] * 4
    for (_, a), (_, b) in zip(own, ahead, strict=True):
        assert a.rows == b.rows
        assert torch.equal(a.image, b.image) and b.image.dtype == torch.float32
        assert torch.equal(a.xy, b.xy) and torch.equal(a.warp, b.warp)


def test_torchrun_makes_its_own(tmp_path, monkeypatch):
    data = read_coco(write_blobs(tmp_path, 12))
    spec = read_config(write_config(tmp_path), {"workers": "1"})
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="workers to 0"):
        batches(data, spec, 0)
