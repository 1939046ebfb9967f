"""Two processes on CPU (gloo, by torchrun) train as one does. Also each piece on its own."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.helpers.blobs import add_bare, rewrite, write_blobs, write_config
from train.config import read_config
from train.loop.checkpoint import load_checkpoint
from train.loop.fit import fit
from train.machine.distributed import SpreadNorm, agreed, first_rows, part, total

HERE = Path(__file__).parents[3]

EVERY_TERM = {
    "batch": "7",  # 4 pictures in one process, 3 in the other
    "data.label_share": "0.4",
    "data.negatives": "0.3",
    "data.near_misses": "0.5",
    "loss.elt_on": '"unlabelled"',
    "loss.elt_share": "0.3",
    "loss.gamma": "1e-4",
    "augment.rotate": "20",
    "augment.occlude": "0.5",
    "lr": "1e-3",
    "evaluate_every": "2",
}
EVERY_EXTRA = {"loss.teacher": "0.1", "loss.temporal": "0.5", "loss.plausible": "0.5"}
EVERY_EXTRA |= {"loss.teacher_score": "0.01", "loss.temporal_epsilon": "0.0"}
EVERY_EXTRA |= {"data.label_share": "0.9"}  # 9 of 10 are labelled: 2K = 8 are needed
PLUS = {"net.name": '"rcn_plus"', "net.size": "32", "net.colour": '"gray"', "beta": "10"}


def torchrun(*arguments, code=0):
    """Two processes with gloo, on a free port."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0", *map(str, arguments)]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=480)
    assert done.returncode == code, done.stderr + done.stdout
    return done.stdout + done.stderr


POSE = """[[heads]]
dropout = 0.0
[heads.attribute]
name = "pose"
size = 3
[loss]"""


def write_data(folder):
    """Twelve pictures: half tell their 'order', a third their 'pose'; one more shows nothing."""

    def change(body):
        for i, ann in enumerate(body["annotations"]):
            ann["attributes"] = ann["attributes"] if i % 2 else {}
            ann["attributes"] |= {} if i % 3 else {"pose": [10.0, -20.0, 5.0]}

    rewrite(add_bare(write_blobs(folder, 12), "train"), change)
    config = write_config(folder)
    text = config.read_text().replace("[[heads]]", "[[heads]]\ndropout = 0.0")
    config.write_text(text.replace("[loss]", POSE))
    return config


CASES = {"lite": {}, "plus": PLUS, "rows": {"row_seeds": "true"}, "extras": EVERY_EXTRA}


@pytest.fixture(scope="module")
def doubled(tmp_path_factory):
    """Every case trained by one process (`one`) and by two (`two`), in float64."""
    folder = tmp_path_factory.mktemp("doubled")
    write_data(folder)
    script = ["-m", "tests.helpers.fit_double", str(folder)]
    changes = json.dumps({k: {**EVERY_TERM, **v, "steps": "5"} for k, v in CASES.items()})
    alone = [sys.executable, *script, "one", changes]
    done = subprocess.run(alone, cwd=HERE, capture_output=True, text=True, timeout=480)
    assert done.returncode == 0, done.stderr
    torchrun(*script, "two", changes)
    return folder


@pytest.mark.parametrize("case", CASES)
def test_two_processes_train_as_one(doubled, case):
    one, two = (load_checkpoint(doubled / n / case / "last.safetensors") for n in ("one", "two"))
    sums = [c.extra["running"]["sums"] for c in (one, two)]
    assert sums[0].keys() == sums[1].keys()
    assert all(v != 0 for v in sums[0].values())
    for name, value in sums[0].items():
        assert sums[1][name] == pytest.approx(value, rel=1e-9)
    for name, value in one.tensors.items():
        torch.testing.assert_close(two.tensors[name], value, rtol=1e-6, atol=1e-8)


def test_the_command_under_torchrun_in_single_precision(tmp_path):
    config, change = write_data(tmp_path), {**EVERY_TERM, "steps": "4"}
    fit(read_config(config, change), tmp_path, tmp_path / "one")
    sets = [a for k, v in change.items() for a in ("--set", f"{k}={v}")]
    text = torchrun(
        "-m",
        "ui.commands.train",
        "fit",
        config,
        "--data",
        tmp_path,
        "--out",
        tmp_path / "two",
        *sets,
    )
    assert text.count("wrote ") == 1  # the first process alone speaks
    rows = [(tmp_path / n / "metrics.csv").read_text().splitlines() for n in ("one", "two")]
    assert rows[0][0] == rows[1][0]
    for mine, theirs in zip(rows[0][1:], rows[1][1:], strict=True):
        first, second = ([float(v) for v in r.split(",")] for r in (mine, theirs))
        np.testing.assert_allclose(first, second, rtol=1e-2, atol=1e-3)
    one, two = (load_checkpoint(tmp_path / n / "model.safetensors") for n in ("one", "two"))
    a, b = (torch.cat([t.flatten().double() for t in c.part("ema").values()]) for c in (one, two))
    assert float((a - b).norm() / a.norm()) < 5e-3
    told = json.loads((tmp_path / "two" / "progress.json").read_text())
    assert (told["state"], told["step"]) == ("done", 4)


def test_too_many_processes_for_a_batch_is_a_sentence(tmp_path):
    config = write_data(tmp_path)
    run = ["-m", "ui.commands.train", "fit", config, "--data", tmp_path, "--out", tmp_path / "run"]
    text = torchrun(*run, "--set", "batch=1", code=1)
    assert "a batch of 1 is too small for 2 processes; start fewer" in text


def test_alone_everything_is_itself():
    rows, count = [3, 1, 2], torch.tensor(5)
    assert part(rows) is rows
    assert total(count) is count
    assert agreed(True, torch.device("cpu")) is True
    assert agreed(False, torch.device("cpu")) is False
    wanted = torch.tensor([True, False, True, True])
    assert first_rows(wanted, 0.5).tolist() == [0, 2]
    assert first_rows(wanted, 0.01).tolist() == [0]  # one at least


def test_the_norm_alone_is_torchs_own():
    torch.manual_seed(0)
    x = (torch.randn(3, 4, 5, 6) * 3 + 7).requires_grad_()
    y = x.detach().clone().requires_grad_()
    ours, theirs = SpreadNorm(4), nn.BatchNorm2d(4)
    weight = torch.randn(3, 4, 5, 6)
    for norm, image in ((ours, x), (theirs, y)):
        nn.init.uniform_(norm.weight)
        norm.weight.data.copy_(torch.arange(1.0, 5.0))
        (norm(image) * weight).sum().backward()
    torch.testing.assert_close(x.grad, y.grad, rtol=1e-4, atol=1e-5)
    for key, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[key], value)
