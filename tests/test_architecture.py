"""docs/architecture.md and CONTRIBUTING.md are true: their files are there, the tree is the tree,
and the examples work.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

import ui.commands.tracker
import ui.commands.train
from tests.helpers import clips, fake_cli
from tests.helpers.drawn import SHAPE, draw_blobs
from tracker.find.detectors import DETECTORS
from tracker.outputs.open import OUTPUTS
from tracker.outputs.output import About
from tracker.result import Result
from tracker.sources.open import OPENERS, Playing, open_source
from tracker.types import CropBox, Detection, Frame, Image
from train.exchange.foreign import Foreign, Format, LabelFile, Picture, thing
from train.exchange.formats import FORMATS, read
from train.losses import TERMS, composite
from train.losses.paper import Batch, LossSpec, Seen, Term
from train.networks import NETWORKS, NetSpec
from train.networks.model import LandmarkNet
from train.project.layout import open_project

ROOT = Path(__file__).parent.parent
RULES = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
TEXT = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
# What the examples may name: the imports that stand at the head of a real file.
NAMES = {
    "About": About, "CropBox": CropBox, "DETECTORS": DETECTORS, "Detection": Detection,
    "FORMATS": FORMATS, "Foreign": Foreign, "Format": Format, "Frame": Frame, "Image": Image,
    "LabelFile": LabelFile, "NETWORKS": NETWORKS, "NetSpec": NetSpec, "OPENERS": OPENERS,
    "OUTPUTS": OUTPUTS, "Path": Path, "Picture": Picture, "Playing": Playing, "Result": Result,
    "Seen": Seen, "TERMS": TERMS, "Tensor": Tensor, "Term": Term, "cv2": cv2, "nn": nn, "np": np,
    "sleep": sleep, "thing": thing, "torch": torch,
}  # fmt: skip


def example(file: str) -> str:
    (found,) = re.findall(rf"```(?:python|toml)\n# {re.escape(file)}\n(.*?)```", TEXT, re.S)
    return str(found)


@contextmanager
def added(file: str, rows: dict[Any, Any]) -> Iterator[None]:
    """Run an example; the rows that it adds are taken away again."""
    before = dict(rows)
    names: dict[str, Any] = dict(NAMES)
    try:
        exec(compile(example(file), file, "exec"), names)
        assert rows != before, "it adds a row"
        yield
    finally:
        rows.clear()
        rows |= before


@pytest.mark.parametrize(("text", "least"), [(TEXT, 40), (RULES, 15)])
def test_every_file_it_names_is_there(text: str, least: int) -> None:
    rooms = ("", "tracker/", "train/")
    named = re.findall(r"`((?:[\w.]+/)+[\w.*-]*|\w+\.py)`", text)
    named = [n for n in named if not re.fullmatch(r"x\.\w+", n.rpartition("/")[2])]
    assert len(named) >= least
    gone = [n for n in named if not any(list(ROOT.glob(room + n)) for room in rooms)]
    examples = re.findall(r"```(?:python|toml)\n# (\S+)", TEXT)
    assert [n for n in gone if n not in examples] == []


def test_its_tree_has_all_rooms_and_no_other() -> None:
    tree = TEXT.split("```")[1]
    told, above = set[str](), ""
    for line in tree.strip().splitlines():
        room = re.match(r"( *)(\S.*?)  ", line)
        assert room is not None, line
        depth = len(room[1]) // 2
        above = "/".join(above.split("/")[:depth])
        for name in room[2].split(","):
            here = "/".join(filter(None, [above, name.strip().strip("/")]))
            told.add(here)
        above = here
    folders = {
        path.parent.relative_to(ROOT).as_posix()
        for top in ("assets", "docs", "engines", "tracker", "train", "ui")
        for path in (ROOT / top).rglob("__init__.py")
    }
    assert told == folders | {"tracker/find/markups", "docs", "tests"}


def test_the_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ui.commands.tracker, "load_networks", fake_cli.fake)
    source = clips.make(tmp_path / "clip.mp4")
    with added("tracker/outputs/tally.py", OUTPUTS):
        words = ["video", str(source), "--to", str(tmp_path / "clip.tally")]
        done = CliRunner().invoke(ui.commands.tracker.app, words)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "clip.tally").read_text() == "12\n"


def test_the_detector() -> None:
    with added("tracker/find/detectors/bright_spot.py", DETECTORS):
        finder = DETECTORS["object"](2, 0.5)
    frame = draw_blobs([np.add(SHAPE, (90, 70))])
    frame[50, 200] = 255
    (found,) = finder.detect(frame)
    assert finder.first_crop(found).centre_xy.tolist() == [200, 50]


def test_the_source(tmp_path: Path) -> None:
    for i in range(2):
        cv2.imwrite(str(tmp_path / f"{i}.png"), np.full((4, 6, 3), 50 * i, np.uint8))
    with added("tracker/sources/slides.py", OPENERS):
        source = open_source(f"slides://{tmp_path}")
    source.open()
    shown = [source.read() for _ in range(3)]
    assert [None if f is None else (f.index, f.bgr[0, 0, 0]) for f in shown] == [
        (0, 0), (1, 50), None,
    ]  # fmt: skip


def test_the_network_and_the_term() -> None:
    with added("train/networks/dots.py", NETWORKS), added("train/losses/edge.py", TERMS):
        model = LandmarkNet(2, NetSpec("dots", 64), ())
        batch = Batch(
            torch.rand(3, 3, 64, 64) * 255, torch.zeros(3, 2, 2), torch.zeros(3, 2).bool(),
            torch.ones(3), {}, torch.eye(2, 3).repeat(3, 1, 1),
        )  # fmt: skip
        out = model(batch.image)
        assert out.xy.shape == (3, 2, 2) and out.heat.shape == (3, 2, 32, 32)
        out.xy[0] += 200
        spec = LossSpec(alpha=0.0, attribute=0.0, more={"edge": 10.0})
        cost = composite(Seen(model, batch, out, spec))["edge"]
        wanted = 10 * (out.xy[0] - 63).sum() / 12 / 64
        assert torch.isclose(cost, wanted)


def test_the_format(tmp_path: Path) -> None:
    (tmp_path / "labels.dots").write_text("a.png tip 3.5 4\nb.png tip 1 2\n")
    with added("train/exchange/dots.py", FORMATS):
        found = read(tmp_path / "labels.dots")
    assert [(p.name, p.things[0].xy.tolist()) for p in found.pictures] == [
        ("a.png", [[3.5, 4.0]]), ("b.png", [[1.0, 2.0]]),
    ]  # fmt: skip


def test_the_markup(tmp_path: Path) -> None:
    (tmp_path / "flag.toml").write_text(example("flag.toml"))
    words = ["init", str(tmp_path / "mine"), "--landmarks", str(tmp_path / "flag.toml")]
    done = CliRunner().invoke(ui.commands.train.app, words)
    assert done.exit_code == 0, done.output
    project = open_project(tmp_path / "mine")
    assert project.crop is not None and project.crop.up == (0, (1, 2)) and project.flip_pairs
    assert project.drawing is not None and project.drawing.colours[0].points == "#ff8000"


def test_the_public_api_is_what_it_says() -> None:
    assert "from tracker import Tracker, TrackerConfig" in TEXT
    package = sys.modules["tracker"]
    assert hasattr(package, "Tracker") and hasattr(package, "TrackerConfig")
