"""Batches made ahead are the very same as those that the training makes itself."""

import itertools
import subprocess
import sys
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


def test_threads_of_opencv_hold_no_child_up(tmp_path):
    """A child that inherits a pool without its threads waits for them for ever."""
    code = (
        "import sys, cv2, numpy as np\n"
        "from pathlib import Path\n"
        "from train.config import read_config\n"
        "from train.data.pictures import read_coco\n"
        "from train.loop.ahead import batches\n"
        "cv2.setNumThreads(4)\n"
        "cv2.GaussianBlur(np.zeros((2000, 2000, 3), np.uint8), (9, 9), 2)\n"
        "spec = read_config(Path(sys.argv[2]), {'workers': '1'})\n"
        "print(next(batches(read_coco(Path(sys.argv[1])), spec, 0))[0], cv2.getNumThreads())\n"
    )
    words = [write_blobs(tmp_path, 12), write_config(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["4", "4"], done.stderr


def test_torchrun_makes_its_own(tmp_path, monkeypatch):
    data = read_coco(write_blobs(tmp_path, 12))
    spec = read_config(write_config(tmp_path), {"workers": "1"})
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="workers to 0"):
        batches(data, spec, 0)
