"""progress.json: whole at any moment, no more than two writes a second, plain JSON."""

import json
import math
from pathlib import Path

import pytest

from train.loop.progress import Progress, ProgressFile


def test_writes_at_most_twice_a_second(tmp_path):
    path, now = tmp_path / "progress.json", [0.0]
    told = ProgressFile(path, "run7", lambda: now[0])
    steps = []
    for i in range(20):  # ten steps a second
        told.step(Progress(i + 1, 20, 1.0, {}, 3.0, None))
        steps.append(json.loads(path.read_text())["step"])
        now[0] += 0.125
    assert sorted(set(steps)) == [1, 5, 9, 13, 17]


def test_fields_are_plain_json(tmp_path):
    told = ProgressFile(tmp_path / "progress.json", "run7", lambda: 0.0)
    told.step(Progress(4, 20, 1.5, {}, 8.0, {"nme": 4.25}, 2.0, "batch halved", 90.5))
    assert json.loads(told.path.read_text()) == {
        "run": "run7", "step": 4, "steps": 20, "loss": 1.5, "hold_nme": 4.25, "images_s": 8.0,
        "eta_s": 2.0, "spent_s": 90.5, "state": "training", "message": "batch halved",
    }  # fmt: skip
    told.step(Progress(5, 20, math.nan, {}, math.inf, None))
    told.end("failed", "the loss became nan")
    found = json.loads(told.path.read_text())
    assert (found["loss"], found["images_s"], found["eta_s"]) == (None, None, None)
    assert (found["state"], found["message"]) == ("failed", "the loss became nan")
    assert found["hold_nme"] == 4.25  # the last one stays
    assert [p.name for p in tmp_path.iterdir()] == ["progress.json"]


def test_a_full_disk_leaves_no_part(tmp_path, monkeypatch):
    told = ProgressFile(tmp_path / "progress.json", "run")
    told.write()
    before = told.path.read_text()

    def full(path, text, encoding):
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        told.write()
    assert list(tmp_path.iterdir()) == [told.path] and told.path.read_text() == before
