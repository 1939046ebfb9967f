"""Which clips are held out, what ranges say of a moment, and examples from labels."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from tests.helpers.teaching import MARKUP, label, new_project, with_clip
from tracker.errors import UserError
from train.data.augment import crop_example, true_box
from train.data.cutouts import ClipCutouts, Cutout
from train.data.from_project import (
    Split,
    attributes_at,
    choose_split,
    cutout_examples,
    digest_of,
    labelled_examples,
    markup_of,
    pose_values,
    read_split,
    take_census,
    write_split,
)
from train.data.pictures import DataSet
from train.project.check import check
from train.project.clips import Clip, ClipFrames
from train.project.labels import FrameLabel, Labels, ObjectLabel, Range
from train.project.layout import create_project
from train.project.removing import find, remove
from train.project.store import Store


def frames(counts):
    found = {}
    for clip, n in counts.items():
        for i in range(n):
            found[clip, i] = label(i, clip=clip)
    return found


def clip(name, seconds=10.0):
    return Clip(name, 250, 25.0, seconds, (96, 64), False, name, 1, 0)


def test_whole_clips_are_held_out():
    counts = {"a.mp4": 10, "b.mp4": 10, "c.mp4": 10}
    split = choose_split(Labels(frames(counts), ()), [clip(c) for c in counts])
    assert len(split.hold) == 1
    assert split.stretch is None
    again = choose_split(Labels(frames(counts), ()), [clip(c) for c in reversed(counts)])
    assert again == split  # names alone decide


def test_a_clip_that_alone_shows_a_class_is_never_held_out():
    ranges = (
        Range("a.mp4", 0, 2, "gesture", "fist"), Range("b.mp4", 0, 2, "gesture", "fist"),
        Range("b.mp4", 3, 5, "gesture", "point"),
    )  # fmt: skip
    labels = Labels(frames({"a.mp4": 6, "b.mp4": 6}), ranges)
    assert choose_split(labels, [clip("a.mp4"), clip("b.mp4")]).hold == ("a.mp4",)


def test_a_single_clip_gives_a_stretch_and_says_so():
    apart = {("a.mp4", i): label(i) for i in range(0, 80, 10)}  # each 0.4 s
    split = choose_split(Labels(apart, ()), [clip("a.mp4", 3.0)])
    assert split.hold == ()
    assert split.stretch == ("a.mp4", pytest.approx(2.4), pytest.approx(3.0))
    assert "flatter" in split.why
    assert split.side("a.mp4", 2.8) == "hold"
    assert split.side("a.mp4", 2.0) == "gap"
    assert split.side("b.mp4", 2.8) == "train"
    far = Split((), ("a.mp4", 5.0, 8.0))
    assert [far.side("a.mp4", t) for t in (3.9, 4.1, 5.0, 8.0, 8.9, 9.1)] == [
        "train", "gap", "hold", "hold", "gap", "train",
    ]  # fmt: skip


def test_split_file_round_trip_and_nonsense(tmp_path):
    project = new_project(tmp_path / "p")
    assert read_split(project) is None
    split = Split(("b.mp4",), ("a.mp4", 1.0, 2.0), "why not")
    write_split(project, split)
    assert read_split(project) == split
    project.split_path.write_text(json.dumps({"hold": ["b.mp4"]}))
    assert read_split(project) == Split(("b.mp4",))
    with_clip(project, "b.mp4")
    project.split_path.write_text(json.dumps({"hold": ["b"], "stretch": ["b", 0, 1]}))
    assert read_split(project) == Split(("b.mp4",), ("b.mp4", 0.0, 1.0)), "as commands take it"
    assert [p for p in check(project) if p.file == "labels/split.json" and "not in" in p.what] == []
    for nonsense in ("[", "{}", '{"hold": 3}', '{"hold": "b.mp4"}'):
        project.split_path.write_text(nonsense)
        with pytest.raises(ValueError, match="is no split"):
            read_split(project)


def test_a_split_may_name_a_clip_as_macos_writes_it(tmp_path):
    project = new_project(tmp_path / "p")
    with_clip(project, "h\u00e4nde.mp4")
    for named in ("ha\u0308nde.mp4", "ha\u0308nde"):  # the accent is a letter of its own
        project.split_path.write_text(json.dumps({"hold": [named]}))
        assert read_split(project) == Split(("h\u00e4nde.mp4",))


def test_what_ranges_say_of_a_moment(tmp_path):
    project = new_project(tmp_path / "p")
    ranges = (
        Range("a.mp4", 1.0, 2.0, "gesture", "fist"), Range("a.mp4", 1.5, 3.0, "pose", "front"),
        Range("b.mp4", 0.0, 9.0, "gesture", "point"),
    )  # fmt: skip
    labels = Labels({}, ranges)
    assert attributes_at(project, labels, "a.mp4", 0.9) == {}
    assert attributes_at(project, labels, "a.mp4", 1.0) == {"gesture": "fist"}
    assert attributes_at(project, labels, "a.mp4", 1.7) == {
        "gesture": "fist", "pose": [0.0, 0.0, 0.0],
    }  # fmt: skip
    assert pose_values(project, "-30 5,2.5") == (-30.0, 5.0, 2.5)
    with pytest.raises(ValueError, match="neither a preset"):
        pose_values(project, "sideways")


def test_labelled_frames_become_exact_examples(tmp_path):
    project = new_project(tmp_path / "p")
    with_clip(project)
    bgr = np.zeros((64, 96, 3), np.uint8)
    bgr[20, 40] = (255, 255, 255)  # the tip is here
    nothing = FrameLabel("a.mp4", 5, 0.2, (96, 64), (), True)
    with Store.open(project) as store:
        store.keep_picture("a.mp4", 3, bgr)
        store.set_frame(label(3, 40.0))
        store.keep_picture("a.mp4", 5, bgr)
        store.set_frame(nothing)
        labels = store.labels
    found = labelled_examples(project, labels, Split())
    real = next(e for e in found if not e.negative)
    data = DataSet(markup_of(project), tuple(found))
    picture = data.picture(real.path)
    x, y = real.xy[0]
    assert (x, y) == (round(x), round(y))
    assert picture[int(y), int(x)].tolist() == [255, 255, 255]
    assert picture.sum() == 3 * 255
    assert real.labelled.tolist() == [True, True, False]
    assert sum(e.negative for e in found) == 1
    assert labelled_examples(project, labels, Split(("a.mp4",)))[0].hold


def test_cutouts_become_unlabelled_examples(tmp_path):
    import cv2

    project = new_project(tmp_path / "p")
    folder = tmp_path / "cut"
    folder.mkdir()
    cv2.imwrite(str(folder / "1.jpg"), np.zeros((90, 90, 3), np.uint8))
    many = tuple(Cutout("1.jpg", "", i, i / 25, 1 + (i == 2), 60.0) for i in range(4))
    labels = Labels({("a.mp4", 3): label(3)}, (Range("a.mp4", 0, 0.09, "gesture", "fist"),))
    found, ambiguous = cutout_examples(
        project, labels, Split(), "a.mp4", ClipCutouts(folder, many, 4, 0)
    )
    assert len(found) == 3  # frame 3 is labelled
    assert ambiguous == 1  # frame 2 shows two objects
    assert [e.attributes for e in found] == [{"gesture": "fist"}, {"gesture": "fist"}, {}]
    low, high = found[0].box_xyxy[0], found[0].box_xyxy[2]
    assert (low + high) / 2 == pytest.approx(44.5)
    assert (high - low) * project.crop.scale == pytest.approx(60.0)
    census = take_census(found, ambiguous)
    assert census.unlabelled == {"train": 3}
    assert census.attributes == {"gesture": {"fist": {"train": 2}}}


def test_digest_sees_every_change(tmp_path):
    project = new_project(tmp_path / "p")
    with_clip(project)
    with Store.open(project) as store:
        noise = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
        store.keep_picture("a.mp4", 3, noise)
        store.set_frame(label(3, 40.0))
        first = store.labels
        store.set_frame(label(3, 41.0))
        second = store.labels
    digests = {
        digest_of(DataSet(markup_of(project), tuple(labelled_examples(project, x, s))))
        for x in (first, second) for s in (Split(), Split(("a.mp4",)))
    }  # fmt: skip
    assert len(digests) == 4


def test_imported_stills_are_held_out_by_their_numbers():
    stills = {
        ("set", i): FrameLabel("set", i, 0.0, (96, 64), label(i).objects, False) for i in range(8)
    }
    split = choose_split(Labels(stills, ()), [])
    assert split.stretch == ("set", 6.0, 7.0)
    assert [split.side("set", float(i)) for i in (4, 5, 6, 7)] == ["train", "gap", "hold", "hold"]


def test_a_stretch_that_would_leave_nothing_to_learn_from_is_not_held_out():
    split = choose_split(Labels(frames({"a.mp4": 12}), ()), [clip("a.mp4")])  # half a second
    assert (split.hold, split.stretch) == ((), None)
    assert split.why.startswith("nothing: ") and "too close together" in split.why
    more = Labels(frames({"a.mp4": 12, "b.mp4": 8}), (Range("b.mp4", 0, 1, "gesture", "fist"),))
    split = choose_split(more, [clip("a.mp4"), clip("b.mp4")])
    assert split.stretch is not None and split.side("b.mp4", 0.1) == "train"


def test_a_run_sees_frames_that_were_unlabelled_since(tmp_path):
    """'train check --fix' has removed their pictures; their clip holds them."""
    made = new_project(tmp_path / "p")
    added = with_clip(made)
    empty = replace(label(7), objects=(), negative=True)
    with Store.open(made) as store, ClipFrames(made, added) as frames:
        for one in (label(3), empty):
            store.keep_picture("a.mp4", one.frame, frames.frame(one.frame).bgr)
            store.set_frame(one)
        then = store.labels
        before = DataSet(markup_of(made), tuple(labelled_examples(made, then, Split())))
        pixels = before.image(1).copy()
        for number in (3, 7):
            store.remove_frame("a.mp4", number)
    assert sum(p.fixed for p in check(made, fix=True)) == 2
    shutil.rmtree(made.cache_dir)
    after = DataSet(markup_of(made), tuple(labelled_examples(made, then, Split())))
    assert digest_of(after) == digest_of(before)
    assert np.array_equal(after.image(1), pixels)
    remove(made, find(made, "a.mp4"))
    with pytest.raises(UserError, match=r"of which labels are wanted, is no longer in"):
        labelled_examples(made, then, Split())


def test_an_object_that_was_spread_is_never_held_out(tmp_path):
    """Of two proposed hands somebody moved a point of one: that is by hand, the other is not."""
    made = new_project(tmp_path / "p")
    with_clip(made)
    first = label(3).objects[0]
    sure = np.full(3, 0.6, np.float32)
    other = replace(first, id=2, source="spread", confidence=sure, came_from=(1,))
    with Store.open(made) as store:
        store.keep_picture("a.mp4", 3, np.zeros((64, 96, 3), np.uint8))
        store.set_frame(replace(label(3), objects=(first, other)))
        sources = [
            [e.source for e in labelled_examples(made, store.labels, split)]
            for split in (Split(), Split(("a.mp4",)))
        ]
    assert sources == [["clip", "spread"], ["clip"]]


def drawn(box, v=(0, 0, 0), frame=3):
    """One object with a box, and as many points as `v` says."""
    v = np.array(v, np.uint8)
    xy = np.array([[20, 20], [30, 30], [40, 24]], np.float32)
    xy[v == 0] = np.nan
    found = ObjectLabel(1, xy, v, np.array(box, np.float32), "user")
    return FrameLabel("a.mp4", frame, frame / 25, (96, 64), (found,))


@pytest.mark.parametrize("kind", ["hand", "object"])
def test_an_object_without_points_is_cropped_by_its_box(tmp_path, kind):
    made = create_project(tmp_path / "p", replace(MARKUP, kind=kind), "", ["fist"])
    bgr = np.zeros((64, 96, 3), np.uint8)
    bgr[10:31, 20:61] = (255, 255, 255)  # x 20 to 60, y 10 to 30: the box
    with Store.open(made) as store:
        store.keep_picture("a.mp4", 3, bgr)
        store.set_frame(drawn([20, 10, 60, 30]))
        store.set_ranges([Range("a.mp4", 0.0, 1.0, "gesture", "fist")])
        labels = store.labels
    (found,) = labelled_examples(made, labels, Split())
    assert not found.labelled.any() and np.isnan(found.xy).all()
    assert found.attributes == {"gesture": "fist"}
    picture = DataSet(markup_of(made), (found,)).picture(found.path)
    crop = crop_example(made.kind, found, picture, 64, (), rule=made.crop)
    # The crop is 1.6 times the longer side, 64 pixels for 40: a pixel is a pixel, the box is in
    # the middle, 40 wide and 20 high.
    white = crop.bgr.max(2) > 127
    assert crop.scale == pytest.approx(1.0)
    assert white.any(0).sum() == pytest.approx(41, abs=1)
    assert white.any(1).sum() == pytest.approx(21, abs=1)
    ys, xs = np.nonzero(white)
    assert (xs.mean(), ys.mean()) == pytest.approx((31.5, 31.5), abs=0.6)
    census = take_census([found], 0)
    assert census.labelled == {} and census.unlabelled == {"train": 1}


def test_points_go_before_a_box_and_both_are_kept(tmp_path):
    made = new_project(tmp_path / "p")
    with Store.open(made) as store:
        store.keep_picture("a.mp4", 3, np.zeros((64, 96, 3), np.uint8))
        store.set_frame(drawn([0, 0, 90, 60], (2, 2, 2)))
        labels = store.labels
    (found,) = labelled_examples(made, labels, Split())
    assert found.box_xyxy.tolist() == [0, 0, 90, 60] and found.labelled.all()
    assert true_box("object", found, (64, 96), made.crop).side == pytest.approx(20 * 1.6)
    other = replace(found, box_xyxy=np.array([0, 0, 91, 60], np.float32))
    markup = markup_of(made)
    assert digest_of(DataSet(markup, (found,))) != digest_of(DataSet(markup, (other,)))


def test_few_points_do_not_say_where_an_object_is(tmp_path):
    five = replace(MARKUP, landmarks=tuple("abcde"), edges=(), flip_pairs=(), normaliser=())
    made = create_project(tmp_path / "p", five)
    for known, box, side in (
        (2, [0, 0, 90, 60], 90 * 1.6), (3, [0, 0, 90, 60], 20 * 1.6), (2, None, 10 * 1.6),
    ):  # fmt: skip
        xy = np.array([[20 + 10 * i, 20] for i in range(5)], np.float32)
        xy[known:] = np.nan
        v = np.array([2] * known + [0] * (5 - known), np.uint8)
        drawn_box = None if box is None else np.array(box, np.float32)
        frame = FrameLabel("a.mp4", 3, 0.12, (96, 64), (ObjectLabel(1, xy, v, drawn_box, "user"),))
        with Store.open(made) as store:
            store.keep_picture("a.mp4", 3, np.zeros((64, 96, 3), np.uint8))
            store.set_frame(frame)
            (found,) = labelled_examples(made, store.labels, Split())
        assert true_box("object", found, (64, 96), made.crop).side == pytest.approx(side)
        assert found.labelled.sum() == known, "few points are learnt from all the same"


def test_boxes_alone_are_not_held_out():
    alone = {("a.mp4", i): drawn([1, 2, 30, 40], frame=i) for i in range(9)}
    assert "no landmarks" in choose_split(Labels(alone, ()), [clip("a.mp4")]).why
