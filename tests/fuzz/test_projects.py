"""The files of a project, bent: a sentence or sound data, nothing written, nothing outside read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzz.strategies import DEEP, HUGE, bent_bytes, bent_json, quietly
from tests.helpers.teaching import label, new_project, with_clip
from tracker.errors import UserError
from train.data.from_project import read_split
from train.finetune.plan import facts_of, unfinished
from train.project.check import check
from train.project.clips import read_clips
from train.project.journal import read_labels
from train.project.labels import Range
from train.project.layout import Project, open_project
from train.project.stills import read_stills
from train.project.store import Store

CLIP = {
    "name": "a.mp4", "frames": 12, "fps": 25.0, "seconds": 0.48, "size_wh": [96, 64],
    "variable": False, "sha256": "0123456789abcdef" * 4, "bytes": 1000, "lost": 0,
}  # fmt: skip
CLIPS = {"schema": 1, "clips": [CLIP, CLIP | {"name": "b.mp4", "sha256": "f" * 64}]}
IMAGE = {
    "id": 1, "file_name": "frames/a/frame000003.png", "width": 96, "height": 64, "clip": "a.mp4",
    "frame": 3, "t_s": 0.12, "negative": False,
}  # fmt: skip
LABELS: dict[str, Any] = {
    "info": {"schema": 1, "generation": "00", "seq": 3, "last": ["a.mp4", 3]},
    "images": [IMAGE, IMAGE | {"id": 2, "frame": 4, "negative": True}],
    "annotations": [{
        "id": 1, "image_id": 1, "category_id": 1, "keypoints": [1, 2, 2, 3, 4, 1, 0, 0, 0],
        "num_keypoints": 2, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0, "source": "user",
        "object": 1,
    }],
    "categories": [{"id": 1, "name": "object", "keypoints": ["tip", "left", "right"],
                    "skeleton": [[1, 2]], "flip_pairs": [[1, 2]]}],
}  # fmt: skip
SPLIT = {"hold": ["b.mp4"], "stretch": ["a.mp4", 0.1, 0.2], "why": "by hand"}
RANGES = b"clip,start_s,end_s,kind,label\na.mp4,0.0,0.3,gesture,fist\na.mp4,0.1,0.2,pose,0 0 0\n"
PICTURES = b"frame,file,sha256\n0,a.png," + b"0" * 64 + b"\n1,b.png," + b"1" * 64 + b"\n"
RUN = {"schema": 1, "state": "started", "base": "hand21", "begun": "2026-01-01T00:00:00+00:00"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One project for all throws, with a clip, labels and ranges."""
    project = new_project(tmp_path_factory.mktemp("fuzz") / "p")
    with_clip(project)
    with Store.open(project) as store:
        store.set_frame(label(3))
        store.set_ranges([Range("a.mp4", 0.0, 0.3, "gesture", "fist")])
    return project


def look(project: Project, path: Path, data: bytes) -> None:
    """Put `data` in the place of a file, and do all that reads."""
    kept = path.read_bytes() if path.is_file() else None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    above = project.root.parent
    try:
        before = everything(above)
        opened = quietly(lambda: open_project(project.root), UserError)
        if isinstance(opened, Project):
            quietly(lambda: read_clips(opened), UserError)
            quietly(lambda: read_labels(opened), UserError)
            quietly(lambda: read_stills(opened), UserError)
            quietly(lambda: read_split(opened), ValueError, UserError)
            unfinished(opened)
            quietly(lambda: check(opened), UserError)
        assert everything(above) == before, "reading writes nothing, here or elsewhere"
    finally:
        if kept is None:
            path.unlink()
        else:
            path.write_bytes(kept)


def everything(folder: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


@given(bent_json(CLIPS))
@example(json.dumps({"clips": [CLIP | {"sha256": "../../../x"}]}))
@example(json.dumps({"clips": [CLIP | {"frames": 1}]}).replace('"fps": 25.0', '"fps": 1e400'))
@example(DEEP)
def test_clips(made: Project, text: str) -> None:
    look(made, made.clips_dir / "clips.json", text.encode("utf-8", "surrogatepass"))


@given(bent_json(LABELS))
@example(json.dumps(LABELS).replace('"t_s": 0.12', '"t_s": 1e400'))
@example(json.dumps(LABELS).replace('"clip": "a.mp4"', '"clip": ".."'))
@example(json.dumps(LABELS).replace('"width": 96', '"width": null'))
@example(json.dumps(LABELS).replace('"id": 1', '"id": []'))
@example(json.dumps(LABELS).replace("[1, 2, 2, 3", f"[{HUGE}, 2, 2, 3"))
@example(json.dumps(LABELS).replace("[1, 2, 3, 4]", f"[{HUGE}, 2, 3, 4]"))
@example(json.dumps(LABELS).replace('"width": 96', f'"width": {HUGE}'))
@example(json.dumps(LABELS).replace('"image_id": 1', '"image_id": {}'))
@example(json.dumps(LABELS).replace('"tip"', '["tip"]'))
@example('{"images": ' + DEEP + "}")
def test_labels(made: Project, text: str) -> None:
    look(made, made.labels_path, text.encode("utf-8", "surrogatepass"))


@given(bent_json(SPLIT))
@example('{"hold": "a.mp4"}')
@example('{"hold": [], "stretch": 7}')
@example('{"stretch": ["a.mp4", 0, ' + HUGE + '], "hold": []}')
@example("[]")
def test_split(made: Project, text: str) -> None:
    look(made, made.split_path, text.encode("utf-8", "surrogatepass"))


@given(bent_bytes(RANGES))
@example(RANGES.replace(b"0.3", b"1e999"))
@example(RANGES.replace(b"fist", b'"' + b"x" * 200_000))
def test_ranges(made: Project, data: bytes) -> None:
    look(made, made.ranges_path, data)


@given(bent_bytes(PICTURES))
@example(PICTURES.replace(b"1,b", b"-1,b"))
@example(PICTURES.replace(b"1,b", b"1e400,b"))
def test_pictures(made: Project, data: bytes) -> None:
    look(made, made.frames_dir / "still" / "pictures.csv", data)


@given(st.data())
def test_project_toml(made: Project, data: st.DataObject) -> None:
    path = made.root / "project.toml"
    look(made, path, data.draw(bent_bytes(path.read_bytes())))


@given(bent_json(RUN))
@example("[]")
@example("7")
def test_run(made: Project, text: str) -> None:
    path = made.models_dir / "r" / "run.json"
    look(made, path, text.encode("utf-8", "surrogatepass"))
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    quietly(lambda: facts_of(path.parent), ValueError)
    path.unlink()
