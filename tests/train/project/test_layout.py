from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.helpers.teaching import label, new_project, with_clip
from tracker.errors import UserError
from tracker.find.markups import find_markup, guess_flip_pairs, read_markup
from tracker.find.model_file import is_project, newest_model
from tracker.types import CropRule
from train.project.clips import ClipFrames, read_clips
from train.project.journal import read_labels
from train.project.layout import POSES, create_project, open_project
from train.project.store import Store


def test_what_is_made_is_what_is_read(tmp_path: Path) -> None:
    made = new_project(tmp_path / "p")
    assert is_project(made.root) and open_project(made.root) == made
    assert made.landmarks == ("tip", "left", "right")
    assert made.edges == ((0, 1), (0, 2)) and made.flip_pairs == ((1, 2),)
    assert made.normaliser == (1, 2) and made.crop == CropRule(1.6)
    assert made.gesture_classes == ("none", "fist", "point")
    assert made.pose == {"front": (0, 0, 0)}


def test_built_in_markups_have_no_crop_of_their_own(tmp_path: Path) -> None:
    hand = create_project(tmp_path / "h", find_markup("hand21"))
    assert (hand.kind, hand.base, len(hand.landmarks), hand.crop) == ("hand", "hand21", 21, None)
    assert hand.landmarks[0] == "wrist" and hand.normaliser == () and hand.gesture_classes == ()
    face = create_project(tmp_path / "f", find_markup("face68"), pose=POSES)
    assert (face.kind, face.base, len(face.landmarks), face.crop) == ("face", "face68", 68, None)
    assert face.normaliser == (36, 45) and (36, 45) in face.flip_pairs  # outer corners of the eyes
    assert face.pose["left"] == (-35, 0, 0)


def test_a_project_may_begin_from_the_free_weights(tmp_path: Path) -> None:
    """And has the crop of the markup all the same."""
    made = create_project(tmp_path / "f", find_markup("face68"))
    toml = made.root / "project.toml"
    toml.write_text(toml.read_text().replace('base = "face68"', 'base = "face68_free"'))
    found = open_project(made.root)
    assert (found.base, found.crop) == ("face68_free", None)
    toml.write_text(toml.read_text().replace('base = "face68_free"', 'base = "scratch"'))
    assert open_project(made.root).crop is not None


def test_the_mouth_is_the_outer_lip_of_the_face(tmp_path: Path) -> None:
    mouth, face = find_markup("mouth12"), find_markup("face68")
    lips = {(a - 48, b - 48) for a, b in face.flip_pairs if 48 <= a < 60}
    assert {tuple(sorted(p)) for p in mouth.flip_pairs} == lips
    assert {tuple(sorted(e)) for e in mouth.edges} == {
        tuple(sorted((a - 48, b - 48))) for a, b in face.edges if 48 <= a < 60 and 48 <= b < 60
    }
    project = create_project(tmp_path / "m", mouth)
    assert project.crop == CropRule(2.0, (0, 6)) and project.kind == "face"


def test_a_project_is_never_written_over(tmp_path: Path) -> None:
    made = new_project(tmp_path / "p")
    with pytest.raises(UserError, match="holds a project already"):
        new_project(tmp_path / "p")
    assert open_project(made.root) == made


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("schema = 1", "schema = 7", "schema is 7"),
        ('"right",', '"left",', "'left' is named twice"),
        ("[[1, 2]]", "[[1, 3]]", "flip_pairs names 3"),
        ('kind = "object"', 'kind = "foot"', "kind is 'foot'"),
        ("scale = 1.6", "scale = 0", "scale is 0"),
        ('["fist", "point"]', '["fist", "none"]', "names 'none'"),
        ('"front" = [0.0, 0.0, 0.0]', "front = [1, 2]", r"pose.presets.front is \[1, 2\]"),
        ("edges =", "edges ==", "no valid TOML"),
    ],
)
def test_a_broken_project_names_the_key(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = new_project(tmp_path / "p").root / "project.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(UserError, match=says):
        open_project(path.parent)


def test_no_project_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="train init"):
        open_project(tmp_path)


def test_mirror_partners_are_guessed_by_name_but_never_by_number() -> None:
    assert guess_flip_pairs(("left_ear", "tip", "right_ear"), "x") == ((0, 2),)
    with pytest.raises(UserError, match="'left_0' are numbered"):
        guess_flip_pairs(("left_0", "left_1", "right_0", "right_1"), "x")


def test_a_markup_file(tmp_path: Path) -> None:
    path = tmp_path / "fork.toml"
    path.write_text('landmarks = ["a", "b", "c"]\nedges = [["a", "b"], [1, 2]]\nscale = 2\n')
    found = read_markup(path)
    assert (found.name, found.kind, found.base) == ("fork", "object", "scratch")
    assert found.edges == ((0, 1), (1, 2)) and found.crop == CropRule(2.0)
    path.write_text('landmarks = ["a", "b"]\nlandmark = 1\n')
    with pytest.raises(UserError, match="'landmark' is unknown"):
        read_markup(path)
    with pytest.raises(UserError, match="no markup 'hand22'"):
        find_markup("hand22")


def test_the_newest_model_is_the_one_finished_last(tmp_path: Path) -> None:
    root = new_project(tmp_path / "p").root
    with pytest.raises(UserError, match="train finetune"):
        newest_model(root)
    for name, facts, written in (
        ("a", {"finished": 2000.0}, 9000), ("b", {"finished": "1970-01-01T00:50:00+00:00"}, 10),
        ("c", {}, 2500),
    ):  # fmt: skip
        run = root / "models" / name
        run.mkdir()
        (run / "model.onnx").write_bytes(b"x")
        os.utime(run / "model.onnx", (written, written))
        (run / "run.json").write_text(json.dumps(facts))
    (root / "models" / "d").mkdir()  # not finished
    assert newest_model(root).parent.name == "b"  # 3000 s, after c (2500, by its file) and a


def test_a_moved_project_works(tmp_path: Path) -> None:
    project = new_project(tmp_path / "p")
    with_clip(project)
    with Store.open(project) as store:
        store.set_frame(label(3))
    shutil.move(project.root, tmp_path / "elsewhere")
    moved = open_project(tmp_path / "elsewhere")
    (clip,) = read_clips(moved)
    with ClipFrames(moved, clip) as frames:
        assert frames.frame(3).bgr is not None
    assert list(read_labels(moved).frames) == [("a.mp4", 3)]
    texts = [p for p in moved.root.rglob("*") if p.suffix in (".toml", ".json", ".jsonl", ".csv")]
    assert len(texts) >= 4 and not any(str(tmp_path) in p.read_text() for p in texts)
