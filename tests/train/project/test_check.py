from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.helpers.clips import Clip as Recipe
from tests.helpers.clips import make, picture
from tests.helpers.teaching import label, new_project, with_clip
from train.project.adding import add_clips
from train.project.check import Problem, check
from train.project.clips import clip_path, read_clips
from train.project.journal import read_labels
from train.project.labels import Range
from train.project.layout import Project, open_project
from train.project.store import Store


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Healthy but for the little there is: one clip of 12 frames (0.48 s), one labelled."""
    made = new_project(tmp_path / "p")
    with_clip(made)
    with Store.open(made) as store:
        store.keep_picture("a.mp4", 3, picture(3))
        store.set_frame(label(3))
        store.set_ranges([Range("a.mp4", 0.0, 0.4, "gesture", "fist")])
    return made


def found(project: Project, what: str, fix: bool = False) -> Problem:
    hits = [p for p in check(project, fix) if what in p.what]
    assert len(hits) == 1, (what, [(p.where, p.what) for p in check(project)])
    return hits[0]


def edit(project: Project, change: Callable[[Any], None]) -> None:
    coco = json.loads(project.labels_path.read_text())
    change(coco)
    project.labels_path.write_text(json.dumps(coco))


def test_a_healthy_project_has_warnings_only(project: Project) -> None:
    problems = check(project)
    assert [p.what for p in problems if p.severity == "error"] == []
    assert [p.place for p in problems] == ["right", "none", "fist", "point"]
    assert found(project, "'fist'").what == "0.4 s of 'fist' are labelled, 30 s are wanted"
    assert found(project, "never labelled").place == "right"


def test_how_much_of_the_clips_is_checked_is_told(project: Project, tmp_path: Path) -> None:
    add_clips(project, [make(tmp_path / "b.mp4", Recipe(frames=30))])
    sizes = [clip_path(project, clip).stat().st_size for clip in read_clips(project)]
    told: list[tuple[int, int]] = []
    check(project, report=lambda done, of: told.append((done, of)))
    assert told == [(sizes[0], sum(sizes)), (sum(sizes), sum(sizes))]


def test_missing_and_changed_clips(project: Project) -> None:
    path = project.clips_dir / "a.mp4"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert found(project, "other sha256").file == "clips/a.mp4"
    path.write_bytes(data + b"x")
    assert found(project, f"{len(data) + 1} bytes, {len(data)} when added").severity == "error"
    path.unlink()
    assert found(project, "it is missing").remedy


def test_unlisted_clips_are_listed_by_fix(project: Project) -> None:
    make(project.clips_dir / "b.mp4", Recipe(frames=5))
    assert found(project, "not in clips.json").severity == "warning"
    assert [c.name for c in read_clips(project)] == ["a.mp4"]
    assert found(project, "not in clips.json", fix=True).fixed
    assert [c.name for c in read_clips(project)] == ["a.mp4", "b.mp4"]


CHANGES: list[tuple[Callable[[Any], None], str, str]] = [
    (lambda c: c["annotations"][0]["keypoints"].__setitem__(0, 200.0), "outside the frame", "tip"),
    (lambda c: c["annotations"][0]["keypoints"].__setitem__(2, 3), "v is 3", "tip"),
    (lambda c: c["annotations"][0]["keypoints"].pop(), "points are missing", "frame 3"),
    (lambda c: c["images"].append(dict(c["images"][0])), "two pictures have this id", "image 1"),
    (lambda c: c["images"].append({**c["images"][0], "id": 9}), "listed twice", "frame 3"),
    (lambda c: c["images"][0].update(frame=12), "the clip has 12 frames", "frame 12"),
    (lambda c: c["images"][0].update(clip="z.mp4"), "not in clips/clips.json", "z.mp4"),
    (lambda c: c["images"][0].update(width=97), "the clip is 96x64", "frame 3"),
    (lambda c: c["images"][0].update(negative=True), "marked as empty", "frame 3"),
    (lambda c: c["images"][0].pop("t_s"), "incomplete", "image 1"),
    (lambda c: c["annotations"][0].update(image_id=5), "not in the file", "annotation 1"),
    (lambda c: c["annotations"][0].update(keypoints="x"), "cannot be read", "frame 3"),
    (lambda c: c["categories"][0].update(keypoints=["tip", "tip", "right"]), "named twice", "tip"),
]


@pytest.mark.parametrize(("change", "what", "place"), CHANGES, ids=[w for _, w, _ in CHANGES])
def test_every_error_of_the_labels(
    project: Project, change: Callable[[Any], None], what: str, place: str
) -> None:
    edit(project, change)
    before = project.labels_path.read_bytes()
    hits = [p for p in check(project) if what in p.what]
    assert hits and hits[0].severity == "error" and place in hits[0].place and hits[0].remedy
    assert project.labels_path.read_bytes() == before


def test_a_hidden_point_outside_is_a_warning(project: Project) -> None:
    edit(project, lambda c: c["annotations"][0]["keypoints"].__setitem__(3, -5.0))
    assert found(project, "outside the frame").severity == "warning"


def test_unreadable_labels(project: Project) -> None:
    project.labels_path.write_text("{")
    assert found(project, "cannot be read").remedy == (
        "put the newest file of labels/backup/ in its place"
    )


def test_doubled_annotation_ids_are_numbered_anew(project: Project) -> None:
    edit(project, lambda c: c["annotations"].append(dict(c["annotations"][0], object=2)))
    assert found(project, "two have this id").severity == "error"
    assert found(project, "two have this id", fix=True).fixed
    coco = json.loads(project.labels_path.read_text())
    assert [a["id"] for a in coco["annotations"]] == [1, 2]
    assert list(project.backup_dir.glob("labels-*.json"))


@pytest.mark.parametrize("harm", ["missing", "damaged", "other size"])
def test_pictures_are_read_from_the_clip_again(project: Project, harm: str) -> None:
    path = project.frames_dir / "a" / "frame000003.png"
    with Store.open(project) as store:
        if harm == "missing":
            path.unlink()
        elif harm == "damaged":
            path.write_bytes(path.read_bytes()[:-50])
        else:
            store.keep_picture("a.mp4", 3, picture(3)[:32], again=True)
    (problem,) = [p for p in check(project) if p.file == "labels/frames/a/frame000003.png"]
    assert problem.severity == "error" and not problem.fixed
    assert [p.fixed for p in check(project, fix=True) if p.code == "picture"] == [True]
    assert not [p for p in check(project) if p.code == "picture"]


ROWS = [
    ("a.mp4,0.3,0.1,gesture,fist", "ends before it starts"),
    ("a.mp4,0.2,0.2,gesture,fist", "lasts no time"),
    ("a.mp4,0.3,0.45,gesture,point", "overlaps the gesture 'point'"),
    ("a.mp4,0.41,3,gesture,point", "lies beyond the clip"),
    ("a.mp4,5,6,gesture,point", "begins after the clip's end"),
    ("a.mp4,0.41,0.45,gesture,wave", "'wave' is unknown"),
    ("a.mp4,0.41,0.45,pose,sideways", "'sideways' is neither"),
    ("a.mp4,0.41,0.45,mood,glad", "kind 'mood' is unknown"),
    ("q.mp4,0.41,0.45,gesture,fist", "clip is not in"),
    ("a.mp4,zero,0.45,gesture,fist", "not seconds"),
    ("a.mp4,0.0,0.4,gesture,fist", "there twice"),
]


@pytest.mark.parametrize(("row", "what"), ROWS, ids=[what for _, what in ROWS])
def test_every_error_of_the_ranges(project: Project, row: str, what: str) -> None:
    with project.ranges_path.open("a") as file:
        file.write(row + "\n")
    assert found(project, what).severity == "error"


def test_good_ranges_are_no_problem(project: Project) -> None:
    with project.ranges_path.open("a") as file:
        file.write("a.mp4,0.4,0.48,gesture,none\na.mp4,0,0.1,pose,front\n")
        file.write('a.mp4,0.1,0.2,pose,"-35 0, 5"\n')
    assert not [p for p in check(project) if p.severity == "error"]


def test_ranges_are_mended_without_loss(project: Project) -> None:
    with project.ranges_path.open("a") as file:
        file.write("a.mp4,0.0,0.4,gesture,fist\na.mp4,0.41,3,gesture,point\n")
    fixed = [p.code for p in check(project, fix=True) if p.fixed]
    assert sorted(fixed) == ["range_beyond", "range_twice"]
    assert read_labels(project).ranges == (
        Range("a.mp4", 0.0, 0.4, "gesture", "fist"), Range("a.mp4", 0.41, 0.48, "gesture", "point"),
    )  # fmt: skip


def test_leaks_between_training_and_hold_out(project: Project, tmp_path: Path) -> None:
    with_clip(project, "b.mp4", 9)
    project.split_path.write_text('{"hold": ["b.mp4"]}')
    assert not [p for p in check(project) if p.severity == "error"]
    project.split_path.write_text('{"hold": ["gone.mp4"]}')
    assert found(project, "not in the project").place == "gone.mp4"
    project.split_path.write_text('{"hold": ["a.mp4", "b.mp4"]}')
    assert found(project, "every clip is held out")
    project.split_path.write_text('{"hold": [], "stretch": ["a.mp4", 0.3, 0.4]}')
    assert found(project, "in training and in the hold-out").severity == "warning"
    project.split_path.write_text('{"hold": ["b.mp4"], "train": ["b.mp4"]}')
    assert found(project, "in training and in the hold-out").severity == "error"
    project.split_path.write_text("[]")
    assert found(project, "cannot be read").file == "labels/split.json"
    listed = json.loads((project.clips_dir / "clips.json").read_text())
    (a, b) = listed["clips"]
    clip_path(project, "b.mp4").write_bytes(clip_path(project, "a.mp4").read_bytes())
    b.update(sha256=a["sha256"], bytes=a["bytes"], frames=a["frames"])
    (project.clips_dir / "clips.json").write_text(json.dumps(listed))
    project.split_path.write_text('{"hold": ["b.mp4"]}')
    assert found(project, "a leak: a.mp4").severity == "error"


def test_models_parts_and_the_journal(project: Project) -> None:
    (project.models_dir / "half").mkdir()
    assert found(project, "was not finished").file == "models/half"
    (project.models_dir / "half" / "model.onnx").touch()
    assert found(project, "it is empty").severity == "error"
    part = project.clips_dir / ".c.mp4.999999999.part"
    part.touch()
    assert found(project, "left behind").file == "clips/.c.mp4.999999999.part" and part.exists()
    store = Store.open(project)
    store.set_frame(label(4))
    assert found(project, "1 actions are not in labels.json").severity == "warning"
    assert not found(project, "1 actions", fix=True).fixed  # another one is writing
    assert not part.exists()
    store.close()


def run(*words: object) -> tuple[int, str]:
    from ui.commands.train import app

    done = CliRunner().invoke(app, [str(w) for w in words])
    return done.exit_code, done.output


def test_the_commands(tmp_path: Path) -> None:
    code, text = run("init", tmp_path / "p", "--landmarks", "tool5", "--gestures", "up, down")
    assert code == 0 and "train add" in text
    assert open_project(tmp_path / "p").gestures == ("up", "down")
    good, bad = make(tmp_path / "a.mp4"), tmp_path / "bad.mp4"
    bad.write_text("no")
    code, text = run("add", bad, good, "--project", tmp_path / "p")
    assert code == 1 and "added a.mp4: 12 frames, 96x64, 0.48 s, 25 frames per second" in text
    assert "bad.mp4 could not be read" in text
    code, text = run("add", good, "--project", tmp_path / "p")
    assert code == 0 and "in the project already, as a.mp4" in text
    code, text = run("check", tmp_path / "p")
    assert code == 0 and "0 errors, 3 warnings" in text
    (tmp_path / "p" / "clips" / "a.mp4").unlink()
    code, text = run("check", tmp_path / "p", "--json")
    assert code == 1 and json.loads(text)["problems"][0]["file"] == "clips/a.mp4"
    code, text = run("check", tmp_path)
    assert code == 1 and "is no project" in text
    code, text = run("check", tmp_path / "gone")
    assert code == 1 and text.endswith("1 error, 0 warnings\n")
    hint = re.search("make one with 'train (.*)'\n", text)
    assert hint is not None and run(*hint[1].split(" "))[0] == 0, "what it names can be typed"
    assert run("check", tmp_path / "gone")[0] == 0


def test_kind_is_for_own_landmarks(tmp_path: Path) -> None:
    code, _ = run("init", tmp_path / "p", "--landmarks", "tool5", "--kind", "hand")
    opened = open_project(tmp_path / "p")
    assert code == 0 and (opened.kind, opened.base) == ("hand", "hand21")
    assert run("init", tmp_path / "q", "--landmarks", "hand21", "--kind", "face")[0] == 1
    assert not (tmp_path / "q").exists()


def test_added_clips_are_found_again(project: Project, tmp_path: Path) -> None:
    assert add_clips(project, [project.clips_dir]) == []


@pytest.mark.parametrize(
    ("bbox", "what", "severity"),
    [
        ([10, 20, 0, 5], "it has no area (0 x 5)", "error"),
        ([10, 20, 5, -5], "no area", "error"),
        ([120, 20, 5, 5], "(120, 20) to (125, 25) is outside the frame of 96x64", "error"),
        ([80, 20, 40, 5], "is partly outside the frame", "warning"),
        ([10, 20, 5], "not four numbers", "error"),
        ([10, 20, 5, "7"], "not four numbers", "error"),
    ],
)
def test_boxes_that_cannot_be(project: Project, bbox: list, what: str, severity: str) -> None:
    edit(project, lambda coco: coco["annotations"][0].update(bbox=bbox, box_of_points=False))
    problem = found(project, what)
    assert problem.severity == severity and problem.place.endswith("box")


def test_a_box_alone_is_a_label_and_made_boxes_are_not_looked_at(project: Project) -> None:
    def only_box(coco: dict) -> None:
        coco["annotations"][0].update(keypoints=[0] * 9, bbox=[1, 2, 30, 40], box_of_points=False)

    edit(project, only_box)
    assert not [p for p in check(project) if "no landmark" in p.what or "box" in p.place]
    edit(project, lambda coco: coco["annotations"][0].update(box_of_points=True, bbox=[9, 9, 0, 0]))
    assert [p for p in check(project) if "no landmark of it is labelled" in p.what]
    assert not [p for p in check(project) if "box" in p.place]


def test_pictures_of_frames_that_are_not_labelled_any_more(project: Project) -> None:
    with Store.open(project) as store:
        store.keep_picture("a.mp4", 5, picture(5))
        store.set_frame(label(5))
        store.remove_frame("a.mp4", 5)
    stray, kept = (project.frames_dir / "a" / f"frame00000{i}.png" for i in (5, 3))
    assert found(project, "not labelled (any more)").file == "labels/frames/a/frame000005.png"
    store = Store.open(project)
    assert not found(project, "not labelled (any more)", fix=True).fixed, "somebody is labelling"
    store.set_frame(label(5))
    assert not [p for p in check(project) if p.code == "stray"], "labelled in the journal"
    store.undo()
    store.close()
    assert stray.is_file() and found(project, "not labelled (any more)", fix=True).fixed
    assert not stray.exists() and kept.is_file()
    kept.rename(stray)
    with (project.clips_dir / "a.mp4").open("ab") as file:
        file.write(b"x")
    assert not [p for p in check(project) if p.code == "stray"], "who knows what the clip holds now"
    (project.clips_dir / "a.mp4").unlink()
    assert not [p for p in check(project) if p.code == "stray"], "the only copy is not stray"


def test_only_what_a_copy_of_ours_left_is_removed(project: Project) -> None:
    """What somebody downloads, and what a running process writes, stay."""
    theirs = project.clips_dir / "movie.mp4.part"
    running = project.models_dir / f".last.safetensors.{os.getpid()}.part"
    dead = project.models_dir / ".last.safetensors.999999999.part"
    for path in (theirs, running, dead):
        path.touch()
    told = {p.file: p for p in check(project, fix=True) if p.file.endswith(".part")}
    assert set(told) == {f"models/{running.name}", f"models/{dead.name}"}
    assert theirs.exists() and running.exists() and not dead.exists()
    assert told[f"models/{dead.name}"].fixed
