"""Models given as files and as projects: which one is taken, and one sentence when none can be."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import pytest
from typer.testing import CliRunner

import ui.commands.tracker
from tests.helpers import clips
from tests.helpers.drawn import blob_info, centroid_onnx
from tracker.config import TrackerConfig
from tracker.errors import UserError
from tracker.find.model_file import ModelInfo, model_file, model_name
from tracker.live.tracking_thread import Notes, TrackingThread
from tracker.load import load, used_models
from tracker.slots import Slot
from tracker.track import Tracker
from tracker.types import CropRule, Kind

ALONE = TrackerConfig(hands=False, faces=False, objects=True, threads=1)


def project(folder: Path, *runs: tuple[str, float], kind: Kind = "object") -> Path:
    """A project with a finished model for each run, and when it was finished."""
    (folder / "models").mkdir(parents=True)
    (folder / "project.toml").touch()
    for name, finished in runs:
        (folder / "models" / name).mkdir()
        centroid_onnx(folder / "models" / name / "model.onnx", blob_info(kind))
        (folder / "models" / name / "run.json").write_text(json.dumps({"finished": finished}))
    return folder


def test_the_newest_model_of_a_project(tmp_path: Path) -> None:
    tool = project(tmp_path / "tool", ("late", 200.0), ("early", 100.0))
    assert model_file(tool) == tool / "models/late/model.onnx"
    assert model_file(tool / "models/early") == tool / "models/early/model.onnx"
    loaded = load(ALONE, [tool])
    assert [m.file for m in loaded.models] == ["tool, run late"]
    assert "object: tool, run late" in loaded.describe()
    shutil.move(tool, tmp_path / "moved")
    assert loaded.new_tracker() is not None, "what is loaded needs its folder no more"
    with pytest.raises(UserError, match="there is no project and no model file at"):
        load(ALONE, [tool])
    assert load(ALONE, [tmp_path / "moved"]).models[0].file == "moved, run late"


def test_a_project_that_is_moved_while_it_runs(tmp_path: Path) -> None:
    tool = project(tmp_path / "tool", ("one", 1.0))
    config = TrackerConfig(hands=False, faces=False, object_model=tool, threads=1)
    notes = Notes()
    stage = TrackingThread(Slot(), config, Tracker, lambda shown: None, notes, lambda: 0.0)
    stage._fulfil_wishes()
    shutil.move(tool, tmp_path / "moved")
    stage.configure(replace(config, smooth="off"))
    stage._fulfil_wishes()
    assert stage._main is not None and stage._main.used[0].file == "tool, run one"
    assert notes.newest is not None
    assert notes.newest.startswith("the old settings stay in use: there is no project")


def test_names_of_models() -> None:
    assert model_name(Path("a/models/b/model.onnx")) == "a, run b"
    assert model_name(Path("a/b/model.onnx")) == "model.onnx"


def test_which_model_runs_is_known_although_a_newer_one_came(tmp_path: Path) -> None:
    tool = project(tmp_path / "tool", ("one", 100.0))
    config = TrackerConfig(hands=False, faces=False, object_model=tool, threads=1)
    running = Tracker(config)
    (tool / "models/two").mkdir()
    centroid_onnx(tool / "models/two/model.onnx", blob_info("object"))
    assert model_file(tool).parent.name == "two"
    assert [m.file for m in used_models(config, running.models)] == ["tool, run one"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: None, "train finetune tool"),
        (lambda p: p.write_bytes(b"no network"), "is not a network"),
        (lambda p: onnx.save(onnx.helper.make_model(onnx.helper.make_graph(
            [onnx.helper.make_node("Identity", ["x"], ["y"])], "g",
            [onnx.helper.make_tensor_value_info("x", 1, [1])],
            [onnx.helper.make_tensor_value_info("y", 1, [1])],
        ), opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9), p),
         "carries no landmark description"),
    ],
)  # fmt: skip
def test_one_sentence_for_a_project_without_a_usable_model(
    tmp_path: Path, make: object, words: str
) -> None:
    assert callable(make)
    tool = project(tmp_path / "tool")
    (tool / "models/one").mkdir()
    make(tool / "models/one/model.onnx")
    with pytest.raises(UserError, match=words):
        load(ALONE, [tool])


def test_objects_are_followed_beside_hands_or_alone(tmp_path: Path) -> None:
    tool = centroid_onnx(tmp_path / "tool.onnx", blob_info("object"))
    hand = centroid_onnx(tmp_path / "hand.onnx")
    beside = load(TrackerConfig(faces=False, objects=True, threads=1), [tool])
    assert [m.info.kind for m in beside.models] == ["hand", "object"]
    assert [m.info.kind for m in load(ALONE, [tool]).models] == ["object"]
    without = load(TrackerConfig(faces=False, objects=True, threads=1), [hand])
    assert [m.info.kind for m in without.models] == ["hand"], "no object model, no objects"
    with pytest.raises(UserError, match="finds hands, which are switched off; drop --no-hands"):
        load(ALONE, [hand])
    with pytest.raises(UserError, match="finds objects, which are switched off"):
        load(TrackerConfig(faces=False, objects=False, threads=1), [tool])
    with pytest.raises(ValueError, match="no model of objects comes with this program"):
        Tracker(ALONE)


def test_the_command_takes_a_project(tmp_path: Path) -> None:
    tool = project(tmp_path / "tool", ("one", 1.0))
    clip = clips.make(tmp_path / "in.mp4")
    words = ["video", clip, "--json", tmp_path / "o.jsonl", "--csv", tmp_path / "o.csv",
             "--no-hands", "--no-faces", "--model", tool]  # fmt: skip
    result = CliRunner().invoke(ui.commands.tracker.app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    assert "objects in " in result.stdout and "hands" not in result.stdout
    assert (tmp_path / "o_object.csv").is_file() and not (tmp_path / "o_hand.csv").exists()
    head = json.loads((tmp_path / "o.jsonl").read_text().splitlines()[0])
    assert head["models"][0]["file"] == "tool, run one" and list(head["landmarks"]) == ["object"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "car"}, "finds 'car'"),
        ({"edges": ((0, 3),)}, "has 3 landmarks and names number 3"),
        ({"crop": CropRule(1.5, (0, 9))}, "has 3 landmarks and names number 9"),
        ({"colour": "bgr"}, "wants 'bgr' pictures"),
        ({"landmarks": (), "edges": (), "flip_pairs": ()}, "describes 0 landmarks"),
    ],
)
def test_descriptions_that_contradict_themselves(change: dict[str, object], words: str) -> None:
    props = replace(blob_info(), **change).to_props()  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=words):
        ModelInfo.from_props(props, "x.onnx")
    with pytest.raises(ValueError, match="describes its landmarks in broken JSON"):
        ModelInfo.from_props({"tracker": "{"}, "x.onnx")


def test_operating_points_are_read_back_and_a_file_without_them_has_none() -> None:
    info = replace(blob_info(), operating_points={"fist": 0.8})
    assert dict(ModelInfo.from_props(info.to_props(), "x.onnx").operating_points) == {"fist": 0.8}
    assert "operating_points" not in blob_info().to_props()["tracker"], "earlier programs read it"
    assert not ModelInfo.from_props(blob_info().to_props(), "x.onnx").operating_points
    with pytest.raises(ValueError, match=r"x.onnx shows gestures from .*1.5.*; probabilities are"):
        ModelInfo.from_props(replace(info, operating_points={"fist": 1.5}).to_props(), "x.onnx")


NAN, DEEP = float("nan"), "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": 128.5}, "128.5 is no whole number"), ({"size": 200000}, "from 0 to 2048"),
        ({"size": 1e400}, "broken JSON|no number"), ({"size": "x"}, "wrongly"),
        ({"size": 0}, "in pictures of 0 pixels"), ({"beta": NAN}, "broken JSON"),
        ({"crop": {"scale": 0, "across": [], "up": []}}, "0 is no number from 0.1 to 100"),
        ({"crop": {"scale": NAN, "across": [], "up": []}}, "broken JSON"),
        ({"crop": {"scale": 1.5, "across": [0], "up": []}}, "two ends"),
        ({"crop": {"scale": 1.5, "across": [0, []], "up": []}}, "two ends"),
        ({"crop": 7}, "incompletely"), ({"landmarks": 7}, "incompletely"),
        ({"landmarks": ["=1+1", "b", "c"]}, "begins like a formula"),
        ({"landmarks": ["a", "b\nc", "d"]}, "control letter"),
        ({"landmarks": ["a", 2, "d"]}, "wrongly"), ({"edges": [[0, 1.5]]}, "wrongly"),
        ({"edges": [[0]]}, "wrongly"), ({"attributes": [{"name": "x"}]}, "incompletely"),
        ({"attributes": [{"name": "xy", "classes": [], "size": 3}]}, "name of another output"),
        ({"attributes": [{"name": "a", "classes": ["@x"], "size": 0}]}, "begins like a formula"),
        ({"attributes": [{"name": "a", "classes": [], "size": 10**9}]}, "wrongly"),
        ({"drawing": {"colours": [{"of": [0], "points": "red", "lines": ""}], "nose": None,
                      "text_at": None}}, "no colour"),
        ({"more": 1}, "incompletely"), ({"schema": [DEEP]}, "model schema"),
    ],
)  # fmt: skip
def test_descriptions_out_of_all_bounds(change: dict[str, Any], words: str) -> None:
    found = json.loads(blob_info().to_props()["tracker"])
    assert ModelInfo.from_props({"tracker": json.dumps(found)}, "x.onnx") == blob_info()
    text = json.dumps(found | change).replace("Infinity", "1e400")
    with pytest.raises(ValueError, match=rf"x\.onnx (has|describes).*({words})"):
        ModelInfo.from_props({"tracker": text}, "x.onnx")


@pytest.mark.parametrize("text", ["7", "[]", "null", '"x"', DEEP])
def test_descriptions_that_are_no_object(text: str) -> None:
    with pytest.raises(ValueError, match=r"has model schema none|broken JSON"):
        ModelInfo.from_props({"tracker": text}, "x.onnx")
