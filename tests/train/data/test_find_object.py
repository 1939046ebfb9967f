"""Where the object is in frames without labels, and which frames are cut."""

import json
from dataclasses import replace
from pathlib import Path
from shutil import rmtree

import cv2
import numpy as np
import pytest

from tests.helpers.clips import Clip as Recipe
from tests.helpers.clips import make
from tests.helpers.drawn import SHAPE, BlobEngine, blob_info, draw_blobs
from tests.helpers.teaching import label, new_project, with_clip
from tests.train.suggest.test_prelabel import Upright
from tracker.find.geometry import rotation
from tracker.find.locate import Model
from tracker.find.markups import Markup
from tracker.types import CropBox, CropRule, Frame
from train.data.augment import true_box
from train.data.cutouts import MARGIN, ClipCutouts, Wanted, chosen_frames, cut_clip
from train.data.find_object import Relation, between_labels, turned
from train.data.from_project import Split
from train.data.pictures import Example
from train.finetune.plan import Hooks, Wish, gather
from train.project.adding import add_clips
from train.project.clips import Clip
from train.project.labels import Labels, Range
from train.project.layout import create_project


def test_relation_by_hand():
    box = CropBox(np.array([100, 50], np.float32), 40.0, 90.0)  # its x axis points down
    found = Relation((0.5, 0.25), 0.5, -30.0).of(box)
    assert found.centre_xy == pytest.approx([90, 70])
    assert (found.side, found.angle) == (20.0, 60.0)


def test_boxes_between_two_labelled_frames(tmp_path):
    project = new_project(tmp_path / "p")
    labels = Labels({("a.mp4", 0): label(0, 10.0), ("a.mp4", 10): label(10, 30.0)}, ())
    look = between_labels(project, labels, "a.mp4")
    (box,) = look(Frame(5, 0.2, np.zeros((4, 4, 3), np.uint8)))
    # x from 10..20 to 30..40, y 20..30.5; half way the middle is at 25, 25.25
    assert box.centre_xy == pytest.approx([25, 25.25])
    assert box.side == pytest.approx(10.5 * project.crop.scale)
    assert look(Frame(12, 0.48, None)) == []
    far = Labels({("a.mp4", 0): label(0), ("a.mp4", 100): label(100)}, ())
    assert between_labels(project, far, "a.mp4")(Frame(50, 2.0, None)) == []  # 4 s apart


def test_chosen_frames_are_even_and_denser_in_ranges():
    clip = Clip("a.mp4", 1000, 25.0, 40.0, (96, 64), False, "", 1, 0)
    assert chosen_frames(clip, Labels({}, ()), Wanted(5, 0)) == {0, 250, 500, 749, 999}
    ranges = (Range("a.mp4", 10, 11, "gesture", "fist"), Range("b.mp4", 0, 40, "gesture", "fist"))
    found = chosen_frames(clip, Labels({}, ranges), Wanted(1, 100))
    assert found == {0, *range(250, 276)}


def test_a_clip_of_varying_rate_is_cut_within_its_ranges(tmp_path, monkeypatch):
    project = new_project(tmp_path / "p")
    times = [*range(0, 500, 10), *range(500, 5500, 100)]  # ms: 100 a second, then 10 a second
    (clip,) = add_clips(project, [make(tmp_path / "a.mp4", Recipe(times=times))])
    assert clip.variable and clip.frames == 100  # 18.3 a second on average
    chosen = []

    def cut_nothing(project, clip, look, key, frames, report):
        chosen.append(frames)
        return ClipCutouts(tmp_path, (), 1, 0)

    monkeypatch.setattr("train.finetune.plan.cut_clip", cut_nothing)
    labels = Labels({}, (Range("a.mp4", 0.105, 0.405, "gesture", "fist"),))
    gather(project, labels, Split(), Wish(wanted=Wanted(1, 100)), Hooks())
    rmtree(project.cache_dir)  # the times are read again
    gather(project, labels, Split(), Wish(wanted=Wanted(1, 100)), Hooks())
    assert chosen == [{0, *range(11, 41)}] * 2


def test_cutting_a_clip_and_reading_it_back(tmp_path):
    project = new_project(tmp_path / "p")
    clip = with_clip(project, frames=6)
    looked = []

    def look(frame):
        looked.append(frame.index)
        return [] if frame.index == 4 else [CropBox(np.array([40, 30], np.float32), 40.0, 0.0)]

    cut = cut_clip(project, clip, look, "k", {1, 4, 5})
    assert looked == [0, 1, 2, 3, 4, 5]
    assert (cut.frames, cut.empty) == (6, 1)
    assert [(c.frame, bool(c.neighbour)) for c in cut.cutouts] == [(1, True), (5, False)]
    assert cut.cutouts[0].side * MARGIN == pytest.approx(60)
    assert all((cut.folder / c.file).is_file() for c in cut.cutouts)
    again = cut_clip(project, clip, look, "k", {1, 4, 5})
    assert looked == [0, 1, 2, 3, 4, 5]  # from the cache
    assert again.cutouts == cut.cutouts
    assert cut_clip(project, clip, look, "other", {1}).folder != cut.folder
    index = cut.folder / "index.json"
    good = json.loads(index.read_text())
    for wrong in (
        {"file": "../../../labels/x.png"},
        {"neighbour": "/x.jpg"},
        {"side": 1e9},
        {"t": None},
    ):
        index.write_text(json.dumps(good | {"cutouts": [good["cutouts"][0] | wrong]}))
        made = cut_clip(project, clip, look, "k", {1, 4, 5})
        assert made.cutouts == cut.cutouts, "an index of others is made again"
    assert not list(Path(project.cache_dir).rglob("*.part"))


def test_crops_by_a_drawn_box_turn_with_the_object(tmp_path):
    rule = CropRule(1.6, (1, 2))
    markup = Markup("b", "hand", "scratch", ("red", "green", "blue"), (), (), (), rule)
    project = create_project(tmp_path / "p", markup)
    model = Model(Upright(), replace(blob_info(), crop=rule))
    nothing, none = np.full((3, 2), np.nan, np.float32), np.zeros(3, bool)
    for turn in (0.0, 90.0, 180.0, 20.0):
        xy = (SHAPE * 1.5) @ rotation(turn).T + (160, 120)
        cv2.imwrite(str(tmp_path / "x.png"), draw_blobs([xy]))
        box = np.concatenate([xy.min(0) - 9, xy.max(0) + 9]).astype(np.float32)
        drawn = Example(tmp_path / "x.png", nothing, none, box, False, {}, "clip", "a", "", False,
                        False, by_box=True)  # fmt: skip
        (found,) = turned(project, model, Labels({}, ()), [drawn])
        by_points = project_box(project, xy)
        assert found.angle == pytest.approx(by_points.angle, abs=3)
        crop = true_box("hand", found, (240, 320), rule)
        assert crop.angle == found.angle
        assert crop.side == pytest.approx(1.6 * float((box[2:] - box[:2]).max()), rel=1e-4)
    blind = Model(Blind(), model.info)
    assert turned(project, blind, Labels({}, ()), [drawn])[0].angle == 0.0
    by_points = replace(drawn, by_box=False)
    assert turned(project, model, Labels({}, ()), [by_points]) == [by_points]


class Blind(BlobEngine):
    """Sees nothing."""

    def run(self, batch):
        found = super().run(batch)
        return {**found, "presence": np.zeros_like(found["presence"])}


def project_box(project, xy):
    """The crop that points ask for."""
    from train.data.find_object import own_box

    return own_box(project, xy.astype(np.float32))
