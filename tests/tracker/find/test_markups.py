"""The socket: a markup is one TOML file, and whatever it says is kept to the end.

The files in `tracker/find/markups/` are checked against the models that come with the program.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import ui.commands.tracker
import ui.commands.train
from engines import load_engine
from tests.helpers.drawn import SHAPE, centroid_onnx, draw_blobs
from tracker.errors import UserError
from tracker.find import markups
from tracker.find.geometry import box_from_landmarks
from tracker.find.markups import BUNDLED, bundled_markup, find_markup, read_markup
from tracker.find.model_file import Attribute, ModelInfo, bundled_file
from tracker.outputs.skeleton import skeleton, skeletons
from train.config import FitSpec
from train.data.from_project import markup_of
from train.export.export import describe
from train.loop.checkpoint import build_model, load_model, save_checkpoint
from train.networks import NetSpec
from train.project.layout import open_project

FLAG = """
kind = "object"
landmarks = ["pole", "left_corner", "right_corner"]
edges = [["pole", "left_corner"], ["left_corner", "right_corner"]]
normaliser = ["left_corner", "right_corner"]
scale = 2.5
up = ["pole", ["left_corner", "right_corner"]]
nose = "right_corner"
text_at = "pole"

[[colours]]
of = ["left_corner", "right_corner"]
points = "#ff8000"
lines = "#0000ff"
"""


def run(app: object, *words: object) -> None:
    result = CliRunner().invoke(app, [str(word) for word in words])  # type: ignore[arg-type]
    assert result.exit_code == 0, result.output


def trained(folder: Path) -> ModelInfo:
    """What a model file of the project says of itself; its weights are those of the beginning."""
    project = open_project(folder)
    net = NetSpec(size=64, stem=8, widths=(24, 24, 24, 24))
    spec, markup = FitSpec(kind=project.kind, crop=project.crop, net=net), markup_of(project)
    path = folder / "last.safetensors"
    save_checkpoint(path, spec, markup, 0, None, build_model(spec, markup), None)
    return ModelInfo.from_props(describe(*load_model(path), "0" * 64).to_props(), "net.onnx")


def test_a_new_markup_is_one_file(tmp_path: Path) -> None:
    """Its crop, partners, colours and places reach the project, the model, the crop, the picture.

    A flag that lies on its side is drawn; the network is one that finds drawn blobs.
    """
    (tmp_path / "flag.toml").write_text(FLAG)
    folder = tmp_path / "project"
    run(ui.commands.train.app, "init", folder, "--landmarks", tmp_path / "flag.toml")
    info = trained(folder)
    assert info.flip_pairs == ((1, 2),) and info.edges == ((0, 1), (1, 2))
    flag = np.add(SHAPE[:, ::-1] * (-1, 1), (160, 120))  # turned clockwise: its top is on the right
    box = box_from_landmarks("object", flag, rule=info.rule)
    assert box.angle == pytest.approx(90) and box.side == pytest.approx(28 * 2.5)

    sided = replace(info, attributes=(Attribute("side", ("left", "right")),))
    model = centroid_onnx(tmp_path / "flag.onnx", sided)
    cv2.imwrite(str(tmp_path / "in.png"), draw_blobs([flag]))
    words = ["image", tmp_path / "in.png", "--model", model, "--no-hands", "--no-faces"]
    run(
        ui.commands.tracker.app, *words, "--out", tmp_path / "o.png", "--json", tmp_path / "o.jsonl"
    )
    head, row = (json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines())
    assert head["landmarks"]["object"] == ["pole", "left_corner", "right_corner"]
    assert np.array(row["tracks"][0]["xy"]) == pytest.approx(flag, abs=0.5)
    drawn = cv2.imread(str(tmp_path / "o.png"))
    assert drawn[tuple(flag[1].astype(int)[::-1])].tolist() == [0, 128, 255]
    blue, green, red = drawn[tuple(flag[1:].mean(0).astype(int)[::-1])]
    assert blue > 200 and green == red == 0, "a thin line, softened at its borders"


def test_a_markup_of_the_folder_is_meant_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(markups, "FOLDER", tmp_path)
    (tmp_path / "flag.toml").write_text(FLAG)
    run(ui.commands.train.app, "init", tmp_path / "project", "--landmarks", "flag")
    assert open_project(tmp_path / "project").landmarks[0] == "pole"


@pytest.mark.parametrize("kind", ["hand", "face"])
def test_bundled_models_and_their_markups_agree(kind: str) -> None:
    markup = find_markup(BUNDLED[kind])  # type: ignore[index]
    path = bundled_file(kind)  # type: ignore[arg-type]
    info = ModelInfo.from_props(load_engine(path).props, str(path))
    assert info.markup == markup and markup.is_bundled and info.rule == markup.crop
    assert (info.kind, info.landmarks) == (markup.kind, markup.landmarks)
    assert (info.edges, info.flip_pairs) == (markup.edges, markup.flip_pairs)


def test_every_file_of_the_folder_can_be_read() -> None:
    names = sorted(path.stem for path in markups.FOLDER.glob("*.toml"))
    assert {"face68", "hand21", "mouth12", "tool5"} <= set(names)
    bundled = [name for name in names if find_markup(name).is_bundled]
    assert bundled == ["face68", "hand21"]
    assert bundled_markup("hand", 20) is None and bundled_markup("object", 5) is None


def test_a_line_has_the_colour_of_its_later_landmark() -> None:
    """A hand: gray across the palm, each finger in its own colour from the knuckle on."""
    look = skeleton("hand", 21)
    lines = dict(zip(look.edges, look.lines, strict=True))
    assert lines[(0, 5)] == lines[(5, 9)] == (128, 128, 128)
    assert lines[(5, 6)] == look.points[6] == (128, 64, 128)
    assert look.points[5] == (48, 48, 255) and look.text_at == 0 and look.nose is None
    assert skeleton("face", 68).nose == 30


def test_a_model_with_a_crop_of_its_own_keeps_the_places_of_its_kind() -> None:
    path = bundled_file("face")
    info = ModelInfo.from_props(load_engine(path).props, str(path))
    look = skeletons([replace(info, crop=info.rule)])["face"]
    assert look.nose == 30 and len(set(look.points)) > 60


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"#ff8000"', '"orange"', "points is 'orange'"),
        ('of = ["left_corner"', 'of = ["corner"', "of names 'corner'"),
        ("lines =", "line =", "'line' is unknown"),
        ('text_at = "pole"', "text_at = 3", "text_at names 3"),
        ('up = ["pole", ["left_corner", "right_corner"]]', 'up = [["pole"], []]', "up must be two"),
    ],
)
def test_a_broken_markup_names_the_key(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in FLAG
    (tmp_path / "flag.toml").write_text(FLAG.replace(old, new, 1))
    with pytest.raises(UserError, match=says):
        read_markup(tmp_path / "flag.toml")
