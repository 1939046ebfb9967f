"""Every format: what is exported comes back with the same points, and the losses are said."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.clips import Clip, make
from tracker.find.markups import Markup
from train.exchange.bring import ImportWish, bring
from train.exchange.formats import FORMATS, read, writable
from train.exchange.give import give
from train.project.adding import add_clips
from train.project.clips import ClipFrames, read_clips
from train.project.journal import read_labels
from train.project.labels import FrameLabel, ObjectLabel, Range
from train.project.layout import Project, create_project
from train.project.store import Store

NAMES = ("wrist", "thumb tip", "index_tip")


def project(folder: Path, clip: Path) -> Project:
    made = create_project(folder, Markup("m", "object", "scratch", NAMES, ((0, 1), (0, 2))))
    add_clips(made, [clip])
    return made


def thing(number: int, points, v, box=None) -> ObjectLabel:
    xy, v = np.array(points, np.float32), np.array(v, np.uint8)
    xy[v == 0] = np.nan
    return ObjectLabel(number, xy, v, None if box is None else np.array(box, np.float32), "user")


@pytest.fixture
def labelled(tmp_path):
    clip = make(tmp_path / "b.mp4", Clip(12))
    made = project(tmp_path / "one", clip)
    one = thing(1, [[10.25, 20.5], [30.125, 11], [5, 6]], [2, 1, 0], [4, 5, 40, 30])
    two = thing(2, [[50, 40], [60.5, 41], [70, 42.75]], [2, 2, 2])
    bare = thing(3, [[0, 0]] * 3, [0, 0, 0], [20.5, 8, 61, 50.25])  # a box and nothing else
    with Store.open(made) as store, ClipFrames(made, read_clips(made)[0]) as frames:
        for i, objects in ((3, (one, two, bare)), (5, (bare,)), (7, (two,)), (9, ())):
            store.keep_picture("b.mp4", i, frames.frame(i).bgr)
            store.set_frame(
                FrameLabel("b.mp4", i, float(frames.times[i]), (96, 64), objects, not objects)
            )
        store.set_ranges([Range("b.mp4", 0.0, 0.2, "gesture", "fist")])
    return made, project(tmp_path / "two", clip), tmp_path


def expected(label: FrameLabel, format: str) -> FrameLabel:
    loses = FORMATS[format].loses

    def lossy(o: ObjectLabel) -> ObjectLabel:
        v = np.where(o.v == 1, 2, o.v).astype(np.uint8) if "occluded" in loses else o.v
        return replace(o, v=v, box_xyxy=None if "boxes" in loses else o.box_xyxy)

    kept = [o for o in label.objects if "boxes" not in loses or (o.v > 0).any()]
    return replace(label, objects=tuple(map(lossy, kept)))


def check_same(one: FrameLabel, two: FrameLabel) -> None:
    assert (one.key, one.size_wh, one.negative) == (two.key, two.size_wh, two.negative)
    assert one.t == pytest.approx(two.t, abs=1e-6)
    assert len(one.objects) == len(two.objects)
    for a, b in zip(one.objects, two.objects, strict=True):
        assert a.v.tolist() == b.v.tolist()
        np.testing.assert_allclose(a.xy, b.xy, atol=0.01)
        assert (a.box_xyxy is None) == (b.box_xyxy is None)
        if a.box_xyxy is not None and b.box_xyxy is not None:
            np.testing.assert_allclose(a.box_xyxy, b.box_xyxy, atol=0.01)


def files_of(out: Path, format: str) -> list[Path]:
    endings = {"dlc": "*.csv", "sleap": "*.slp", "sleap-pkg": "*.slp", "cvat": "*.xml",
               "cvat-video": "*.xml", "labelstudio": "tasks.json"}  # fmt: skip
    return sorted(out.rglob(endings.get(format, "*.json")))


@pytest.mark.parametrize("format", [*writable(), "dlc-h5"])
def test_there_and_back(labelled, format):
    made, other, tmp_path = labelled
    out = tmp_path / "out"
    kind = format.removesuffix("-h5")
    told = []
    done = give(made, kind, out, report=lambda count, of: told.append((count, of)))
    copied = len(list(out.rglob("*.png"))) or (kind == "sleap-pkg") * done.frames
    assert told == [(count, copied) for count in range(1, copied + 1)]
    assert any("time range" in text for text in done.lost)
    assert any("hidden" in text for text in done.lost) == (kind == "dlc")
    files = sorted(out.rglob("*.h5")) if format == "dlc-h5" else files_of(out, kind)
    result = bring(other, [read(f) for f in files], "back", ImportWish())
    before, after = read_labels(made).frames, read_labels(other).frames
    before = {key: expected(f, kind) for key, f in before.items()}
    if "boxes" in FORMATS[kind].loses:
        assert any("2 objects that are nothing else" in text for text in done.lost)
        del before["b.mp4", 5]
    keys = [k for k, f in before.items() if f.objects or "negative" not in FORMATS[kind].loses]
    assert sorted(after) == sorted(keys)
    assert result.in_clips == len(keys) == done.frames
    for key in keys:
        check_same(before[key], after[key])


@pytest.mark.parametrize("format", ["dlc", "sleap", "sleap-pkg"])
def test_without_h5py_nothing_is_written(labelled, monkeypatch, format):
    made, _, tmp_path = labelled
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "h5py", None)
        sentence = r"need h5py, which is not installed; run: .*pip install .*h5py"
        with pytest.raises(ValueError, match=sentence):
            give(made, format, out)
        assert not out.exists()
        assert give(made, "coco", tmp_path / "coco").frames == 4
    assert give(made, format, out).frames > 0


@pytest.mark.parametrize("format", [f for f in writable() if f not in ("cvat-video",)])
def test_pictures_of_no_clip_become_stills(labelled, format):
    made, _, tmp_path = labelled
    clipless = create_project(tmp_path / "three", Markup("m", "object", "scratch", NAMES))
    out = tmp_path / "out"
    give(made, format, out)
    if format == "sleap":
        return  # holds no picture of a clip
    found = [read(f) for f in files_of(out, format)]
    result = bring(clipless, found, "old labels", ImportWish())
    after = read_labels(clipless).frames
    assert result.stills_name == "old_labels"
    assert {key[0] for key in after} == {"old_labels"}
    assert sorted(key[1] for key in after) == list(range(result.as_stills))
    again = bring(clipless, found, "old labels", ImportWish())
    assert (again.as_stills, again.kept) == (0, result.as_stills)
    assert sorted(read_labels(clipless).frames) == sorted(after)


def test_labelled_frames_are_kept_unless_replaced(labelled):
    made, other, tmp_path = labelled
    give(made, "coco", tmp_path / "out")
    found = [read(tmp_path / "out" / "labels.json")]
    mine = FrameLabel("b.mp4", 3, 0.12, (96, 64), (thing(1, [[1, 1]] * 3, [2, 2, 2]),))
    with Store.open(other) as store:
        store.set_frame(mine)
    first = bring(other, found, "back", ImportWish())
    assert (first.in_clips, first.kept) == (3, 1)
    check_same(read_labels(other).frames["b.mp4", 3], mine)
    second = bring(other, found, "back", ImportWish(replace=True))
    assert (second.in_clips, second.replaced) == (0, 4)
    check_same(read_labels(other).frames["b.mp4", 3], read_labels(made).frames["b.mp4", 3])
