"""`--weights free`: other files of the same kinds, named, or one sentence where they are not there.

What ships decides what is in the installation, so these tests put a tiny model in its place.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import assets
import ui.commands.tracker
from tests.helpers.drawn import blob_info, centroid_onnx
from tracker.checkup import doctor_run
from tracker.config import TrackerConfig
from tracker.errors import UserError
from tracker.find.model_file import bundled_file
from tracker.load import load
from tracker.track import model_of
from ui.live import hud
from ui.live.choices import Choices

FREE = "models/face68_free.onnx"


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The free face model in an installation that is otherwise this one."""
    usual = assets.path
    file = centroid_onnx(
        tmp_path / Path(FREE).name, replace(blob_info("face"), licence="free for any use")
    )
    monkeypatch.setattr(assets, "path", lambda name: file if name == FREE else usual(name))
    return file


@pytest.fixture
def not_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = assets.path

    def path(name: str) -> Path:
        if name.startswith("models/face68_free"):
            raise FileNotFoundError(f"the bundled file {name} is missing")
        return usual(name)

    monkeypatch.setattr(assets, "path", path)


def test_free_weights_are_another_file_of_faces_and_the_same_of_hands(shipped: Path) -> None:
    config = TrackerConfig(engine="onnx", threads=1, weights="free")
    assert model_of("face", config).path == shipped
    assert model_of("face", replace(config, weights="best")).path == bundled_file("face")
    assert bundled_file("hand", "free") == bundled_file("hand")
    used = load(replace(config, hands=False)).models
    assert [(m.file, m.info.licence) for m in used] == [("face68_free.onnx", "free for any use")]


def test_a_model_of_ones_own_goes_first(shipped: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.onnx"
    shutil.copy(shipped, own)
    config = TrackerConfig(face_model=own, engine="onnx", threads=1, weights="free")
    assert model_of("face", config).path == own


def test_other_forms_lie_beside_it(shipped: Path) -> None:
    config = TrackerConfig(engine="onnx", threads=1, weights="free", precision="int8")
    with pytest.raises(ValueError, match=r"face68_free\.onnx has no int8 form beside it"):
        model_of("face", config)
    shutil.copy(shipped, shipped.with_suffix(".int8.onnx"))
    assert model_of("face", config).path == shipped.with_suffix(".int8.onnx")


def test_where_it_is_not_there_one_sentence_says_so(not_shipped: None) -> None:
    words = r"free weights of faces \(face68_free\.onnx\) are not in this installation; leave "
    with pytest.raises(UserError, match=words):
        load(TrackerConfig(weights="free"))
    assert load(TrackerConfig(faces=False, engine="onnx", weights="free")).models


def test_no_other_weights() -> None:
    with pytest.raises(ValueError, match="weights is 'cheap'; choose one of best, free"):
        TrackerConfig(weights="cheap")
    for command in ("video x.mp4", "image x.png", "live", "bench x.mp4"):
        words = [*command.split(), "--weights", "cheap"]
        done = CliRunner().invoke(ui.commands.tracker.app, words)
        assert done.exit_code == 2 and "no 'cheap' weights" in " ".join(done.stderr.split())


def test_the_doctor_names_it_with_its_licence(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts: list[dict[str, object]] = []
    (found,) = doctor_run.free_findings(facts)
    assert (found.name, found.level) == ("free face model", "ok")
    assert found.fact.startswith("face68_free.onnx: 3 landmarks")
    assert found.fact.endswith("; free for any use")
    assert [fact["file"] for fact in facts] == ["face68_free.onnx"]


def test_the_doctor_only_warns_where_it_is_not_there(not_shipped: None) -> None:
    (found,) = doctor_run.free_findings([])
    assert found.level == "warning" and "are not in this installation" in found.fact


def test_the_window_says_which_weights_run() -> None:
    assert hud.models(Choices().config()) == "bundled"
    assert hud.models(Choices(weights="free").config()) == "bundled, free"
