"""A project that somebody else made: nothing in it is read or written elsewhere."""

from __future__ import annotations

import json
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers.teaching import label, new_project, with_clip
from tracker.errors import UserError
from tracker.plain_data import is_bare
from train.project.check import check
from train.project.clips import ClipFrames, read_clips
from train.project.journal import read_labels
from train.project.layout import Project, open_project
from train.project.scan import kept_scan
from train.project.stills import is_stills
from train.project.store import Store

DEEP = "[" * 100_000 + "]" * 100_000
DIGEST = "0123456789abcdef" * 4


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path / "p")


def row(**other: Any) -> dict[str, Any]:
    """One clip of clips.json."""
    good: dict[str, Any] = {
        "name": "a.mp4", "frames": 12, "fps": 25.0, "seconds": 0.48, "size_wh": [96, 64],
        "variable": False, "sha256": DIGEST, "bytes": 1000, "lost": 0,
    }  # fmt: skip
    return good | other


def list_clips(project: Project, text: str) -> None:
    (project.clips_dir / "clips.json").write_text(text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sha256": "../../../x"}, {"sha256": "/tmp/x"}, {"sha256": ""}, {"sha256": DIGEST.upper()},
        {"sha256": None}, {"name": "../a.mp4"}, {"name": "/tmp/a.mp4"}, {"name": ".."},
        {"name": "...mp4"}, {"name": "a\\b.mp4"}, {"name": "a\0.mp4"}, {"name": ""}, {"name": 5},
        {"fps": 1e400}, {"fps": 0}, {"seconds": -1}, {"frames": 2**40}, {"frames": 1.5},
        {"frames": 10**5000}, {"size_wh": [0, 64]}, {"size_wh": [1e300, 64]}, {"bytes": -1},
    ],
)  # fmt: skip
def test_a_listed_clip_is_a_bare_name_and_sound_numbers(
    project: Project, wrong: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    list_clips(project, json.dumps({"clips": [row()]}))
    assert [c.name for c in read_clips(project)] == ["a.mp4"]
    with monkeypatch.context() as patch:
        patch.setattr("sys.set_int_max_str_digits", lambda _: None)
        text = json.dumps({"clips": [row(**{k: v for k, v in wrong.items() if v != 10**5000})]})
    if 10**5000 in wrong.values():
        text = text.replace('"frames": 12', '"frames": 1' + "0" * 5000)
    list_clips(project, text)
    with pytest.raises(UserError, match=r"clips.json is damaged"):
        read_clips(project)


def test_a_digest_that_climbs_writes_nothing_outside(project: Project, tmp_path: Path) -> None:
    (project.clips_dir / "a.mp4").write_bytes(b"no video")
    list_clips(project, json.dumps({"clips": [row(sha256="../../../x", bytes=0)]}))
    with pytest.raises(UserError):
        ClipFrames(project, read_clips(project)[0])
    assert not list(tmp_path.rglob("x*"))


@pytest.mark.parametrize("text", [DEEP, '{"clips": ' + DEEP + "}", "NaN", "[Infinity]", "7", "[]"])
def test_lists_and_labels_that_are_no_json_get_a_sentence(project: Project, text: str) -> None:
    list_clips(project, text)
    with pytest.raises(UserError, match="damaged"):
        read_clips(project)
    project.labels_path.write_text(text)
    with pytest.raises(UserError, match=r"damaged|not a label file"):
        read_labels(project)


def labelled(project: Project) -> dict[str, Any]:
    with Store.open(project) as store:
        store.set_frame(label(3))
    coco: dict[str, Any] = json.loads(project.labels_path.read_text())
    return coco


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("images", {"clip": "../../a.mp4"}), ("images", {"clip": ".."}), ("images", {"frame": -1}),
        ("images", {"frame": 1e300}), ("images", {"t_s": 1e400}), ("images", {"width": 0}),
        ("annotations", {"keypoints": [1e300, 1, 2] * 3}),
        ("annotations", {"keypoints": [1e9, 1, 2] * 3}),
        ("annotations", {"bbox": [0, 0, 1e300, 1], "box_of_points": False}),
        ("annotations", {"object": 1e400}),
    ],
)  # fmt: skip
def test_labels_with_impossible_numbers_or_names(
    project: Project, part: str, wrong: dict[str, Any]
) -> None:
    coco = labelled(project)
    coco[part][0] |= wrong
    project.labels_path.write_text(json.dumps(coco).replace("Infinity", "1e400"))
    with pytest.raises(UserError, match="not a label file"):
        read_labels(project)


def test_a_label_that_could_not_be_read_back_is_not_taken(project: Project) -> None:
    far = label(3, 1e8)
    with Store.open(project) as store:
        for bad in (far, label(-1), label(3, clip="../a.mp4"), label(3, clip="..")):
            with pytest.raises(ValueError, match=r"coordinates|whole number|bare file name"):
                store.set_frame(bad)
        assert not store.can_undo


def test_names_that_lead_nowhere_else() -> None:
    for name in ("a.mp4", "Clip 1 (b).mov", ".a", "a..b", "ä-1.mp4"):
        assert is_bare(name), name
    for name in ("", ".", "..", "...", "...mp4", "a/b", "/a", "a\\b", "..\\a", "a\0b"):
        assert not is_bare(name), name


def test_a_set_of_pictures_is_a_folder_of_the_project(project: Project, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "pictures.csv").write_text("frame,file,sha256\n")
    project.frames_dir.mkdir()
    assert not is_stills(project, "../../../out")


@pytest.mark.parametrize(
    "place",
    [
        "labels", "labels/frames", "labels/frames/a", "labels/frames/a/frame000003.png",
        "labels/journal.jsonl", "labels/.lock", "models", "models/run", "models/run/metrics.csv",
        "cache", "cache/cutouts/0123/0000001_0.jpg", "clips", "clips/folder",
    ],
)  # fmt: skip
def test_links_do_not_lead_out(project: Project, tmp_path: Path, place: str) -> None:
    outside = tmp_path / "outside"
    (outside / "folder").mkdir(parents=True)
    (outside / "file").write_text("mine")
    path = project.root / place
    if path.is_dir():
        path.rmdir()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(outside / ("file" if "." in place else "folder"))
    with pytest.raises(UserError, match=r"a link that leads out of the project, to .*outside"):
        open_project(project.root)
    path.unlink()
    path.symlink_to(project.root / "project.toml")  # inside
    open_project(project.root)


def test_linked_clips_and_links_within_are_fine(project: Project, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"x")
    (project.clips_dir / "a.mp4").symlink_to("../../film.mp4")
    (project.root / "removed" / "b").mkdir(parents=True)
    (project.root / "removed" / "b" / "b.mp4").symlink_to(tmp_path / "film.mp4")
    (project.models_dir / "loop").symlink_to("loop")
    open_project(project.root)
    (tmp_path / "short").symlink_to(project.root)  # the project itself may be reached by a link
    assert open_project(tmp_path / "short").name == project.name


def test_names_that_spreadsheets_take_for_formulas(project: Project) -> None:
    toml = project.root / "project.toml"
    text = toml.read_text()
    for name in ("=1+1", "+1", "-1", "@x", "a\\tb", "a\\u0007"):
        toml.write_text(text.replace('"tip"', f'"{name}"', 1))
        with pytest.raises(UserError, match="begins like a formula"):
            open_project(project.root)
        toml.write_text(text.replace('"fist"', f'"{name}"', 1))
        with pytest.raises(UserError, match=r"begins like a +formula"):
            open_project(project.root)


@pytest.mark.parametrize("line", ["x = " + DEEP, "[pose.presets]\nup = [nan, 0, 0]",
                                  "[pose.presets]\nup = [inf, 0, 0]"])  # fmt: skip
def test_a_project_file_out_of_all_bounds(project: Project, line: str) -> None:
    toml = project.root / "project.toml"
    body = toml.read_text().split("[pose.presets]")[0]
    toml.write_text(f"{line}\n{body}" if line.startswith("x") else f"{body}\n{line}\n")
    with pytest.raises(UserError, match=r"nested too deeply|pose.presets.up"):
        open_project(project.root)


def test_numbers_beyond_float32(project: Project) -> None:
    """What float32 cannot hold is refused before it is written."""
    found = label(3).objects[0]
    big = type(found)(1, found.xy.astype(np.float64) * 1e300, found.v, None, "user")
    with Store.open(project) as store, pytest.raises(ValueError, match="coordinates"):
        store.set_frame(type(label(3))("a.mp4", 3, 0.1, (96, 64), (big,)))


def test_a_cache_of_others_is_made_again(project: Project) -> None:
    clip = with_clip(project)
    path = project.cache_dir / "scans" / f"{clip.sha256}.npz"
    good = dict(np.load(path))
    for part, wrong in (
        ("times", good["times"][::-1]), ("times", np.zeros((12, 3))),
        ("times", np.array(["x"] * 12)),
        ("sums", good["sums"][:3]), ("lost", good["times"]), ("size_wh", np.array([1.0])),
    ):  # fmt: skip
        np.savez(path, **(good | {part: wrong}))
        assert kept_scan(project.cache_dir, clip.sha256) is None, part
        with ClipFrames(project, clip) as frames:
            assert len(frames) == 12 and frames.frame(3).bgr is not None
    header = b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (%d,), }"
    with zipfile.ZipFile(path, "w") as file:
        for part in good:
            file.writestr(f"{part}.npy", (header % 2**50).ljust(127) + b"\n")
    assert kept_scan(project.cache_dir, clip.sha256) is None


def test_too_many_ranges_to_be_true(project: Project) -> None:
    head = "clip,start_s,end_s,kind,label\n"
    project.ranges_path.write_text(head + "a.mp4,0,1,gesture,fist\n" * 15_000)
    began = time.monotonic()
    assert sum(p.code == "range_twice" for p in check(project)) == 14_999
    assert time.monotonic() - began < 20
    project.ranges_path.write_text(head + "a.mp4,0,1,gesture,fist\n" * 30_000)
    with pytest.raises(UserError, match="has 30001 lines, 20000 at most are read"):
        read_labels(project)
