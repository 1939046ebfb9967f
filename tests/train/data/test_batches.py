"""Batches: targets follow the augmentation; everything depends on (seed, step) alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.helpers.blobs import add_bare, rewrite, write_blobs, write_config
from tracker.find.expressions import EXPRESSIONS
from tracker.find.model_file import Attribute
from train.config import read_config
from train.data.augment import CropSample
from train.data.batches import (
    attribute_target,
    make_batch,
    parts_of,
    point_weights,
    repeated,
    step_rows,
    swap_sides,
    to_input,
    up_in_crop,
    yaw_between,
)
from train.data.pictures import DataSet, hide_landmarks, read_coco
from train.networks.model import Head
from train.reproduce.specs import STILL

POSE = Head(Attribute("pose", size=3))
SIDE = Head(Attribute("side", ("left", "right")))


def crop(angle=0.0, flipped=False):
    return CropSample(
        np.zeros((4, 4, 3), np.uint8), np.zeros((4, 2), np.float32), angle, flipped, 1.0
    )


@pytest.fixture
def blobs(tmp_path):
    data = read_coco(write_blobs(tmp_path, 12))
    return data, read_config(write_config(tmp_path))


def labelled(data, **attributes):
    return replace(data.examples[0], attributes=attributes)


def test_pose_follows_turn_and_flip(blobs):
    example = labelled(blobs[0], pose=[10.0, 20.0, 5.0])
    assert attribute_target(POSE, example, crop()).tolist() == [10, 20, 5]
    # the crop's axes turned by 15 clockwise: in the crop the head is 15 less clockwise
    assert attribute_target(POSE, example, crop(15.0)).tolist() == [10, 20, -10]
    assert attribute_target(POSE, example, crop(15.0, True)).tolist() == [-10, 20, 10]


def test_roll_stays_within_a_half_turn(blobs):
    example = labelled(blobs[0], pose=[0.0, 0.0, 170.0])
    assert attribute_target(POSE, example, crop(-30.0))[2] == pytest.approx(-160)


def test_sides_swap_in_the_mirror(blobs):
    example = labelled(blobs[0], side="left")
    assert attribute_target(SIDE, example, crop()) == 0
    assert attribute_target(SIDE, example, crop(0, True)) == 1
    assert swap_sides(("frontal", "left", "left_profile", "right", "right_profile")) == [
        0,
        3,
        4,
        1,
        2,
    ]
    assert swap_sides(("none", "point_left")) == [0, -1], "mirrored, it points to the right"


def test_absent_and_unknown_attributes(blobs):
    assert attribute_target(SIDE, labelled(blobs[0]), crop()) == -1
    assert np.isnan(attribute_target(POSE, labelled(blobs[0]), crop())).all()
    with pytest.raises(ValueError, match="'up' is no class of side"):
        attribute_target(SIDE, labelled(blobs[0], side="up"), crop())


def test_the_same_step_gives_the_same_batch(blobs):
    data, spec = blobs
    spec = replace(
        spec, augment=replace(spec.augment, rotate=30, colour=1, blur=1, occlude=1, flip=0.5)
    )
    one = make_batch(data, [0, 1, 2], spec, np.random.default_rng([0, 3, 7]))
    two = make_batch(data, [0, 1, 2], spec, np.random.default_rng([0, 3, 7]))
    other = make_batch(data, [0, 1, 2], spec, np.random.default_rng([0, 3, 8]))
    assert torch.equal(one.image, two.image)
    assert torch.equal(one.warp, two.warp)
    assert not torch.equal(one.image, other.image)


def test_where_no_head_asks_for_up_nothing_is_drawn_for_it(blobs):
    data, spec = blobs

    def images(share, head):
        mine = replace(spec, augment=replace(spec.augment, rotate=30, no_up=share), heads=(head,))
        return make_batch(data, [0, 1, 2], mine, np.random.default_rng(3)).image

    assert torch.equal(images(0.5, SIDE), images(0.0, SIDE))  # as before there was such a share
    asking = replace(SIDE, up=True)
    assert not torch.equal(images(0.5, asking), images(0.0, asking))


def test_sharpened_crops_have_more_detail_where_the_points_are_the_same(blobs):
    data, spec = blobs
    made = [
        make_batch(data, [0, 1, 2], replace(spec, augment=a), np.random.default_rng(7))
        for a in (STILL, replace(STILL, sharpen=1.0))
    ]
    soft, sharp = (b.image.float().diff(dim=-1).square().mean((1, 2, 3)) for b in made)
    assert (sharp > 1.1 * soft)[0] and torch.allclose(made[0].xy[0], made[1].xy[0], equal_nan=True)


def test_steps_can_start_anywhere(blobs):
    data, spec = blobs
    whole = [next(it) for it in [step_rows(data, spec, 0)] for _ in range(9)]
    rows = step_rows(data, spec, 0)
    whole = [next(rows) for _ in range(9)]
    late = step_rows(data, spec, 5)
    assert [next(late) for _ in range(4)] == whole[5:]
    assert not ({i for _, r in whole for i in r}) & set(data.rows(hold=True))


def test_repeat_and_negatives(tmp_path):
    path = add_bare(write_blobs(tmp_path, 12), "train", "train", "train")
    rewrite(path, lambda body: [image.update(source="twice") for image in body["images"][:4]])
    data, spec = read_coco(path), read_config(write_config(tmp_path))
    more = replace(spec.data, repeat={"twice": 2.0, "": 1.0}, negatives=0.25)
    spec = replace(spec, data=more)
    batches = step_rows(data, spec, 0)
    rows = [next(batches)[1] for _ in range(4)]  # 14 rows an epoch, 3 + 1 negative a batch
    assert all(sum(data.examples[i].negative for i in r) == 1 for r in rows)
    batch = make_batch(data, rows[0], spec, np.random.default_rng(0))
    assert batch.present.tolist() == [1, 1, 1, 0]
    assert not batch.labelled[3].any()


def test_repeat_by_class_times_repeat_by_source(tmp_path):
    data = read_coco(write_blobs(tmp_path, 12))
    named = [
        replace(e, hold=False, source="s" if i < 4 else "", attributes={"pose": "ab"[i % 2]})
        for i, e in enumerate(data.examples)
    ]
    data = DataSet(data.markup, tuple(named))
    spec = read_config(write_config(tmp_path))
    spec = replace(spec, data=replace(spec.data, repeat={"pose=a": 1.5, "s": 2.0}))
    rng = np.random.default_rng(0)
    drawn = np.mean([np.bincount(repeated(data, spec, rng), minlength=12) for _ in range(400)], 0)
    assert drawn[[0, 2]].tolist() == [3.0, 3.0]  # 2 * 1.5
    assert drawn[[1, 3]].tolist() == [2.0, 2.0]
    assert np.abs(drawn[4::2] - 1.5).max() < 0.1  # once, and every second epoch twice
    assert drawn[5::2].tolist() == [1.0] * 4
    wrong = replace(spec, data=replace(spec.data, repeat={"pos=a": 2.0}))
    with pytest.raises(ValueError, match="'pos=a' names no attribute of the data, which have pose"):
        repeated(data, wrong, rng)


def test_near_misses_are_negatives_of_an_objects_own_picture(tmp_path):
    data = read_coco(add_bare(write_blobs(tmp_path, 12), "train"))
    spec = read_config(
        write_config(tmp_path),
        {"batch": "8", "data.negatives": "0.5", "data.near_misses": "0.5"},
    )
    rows = next(step_rows(data, spec, 0))[1]
    assert [i < 0 for i in rows] == [False] * 6 + [True] * 2
    assert [~i for i in rows[6:]] == rows[:2]
    batch = make_batch(data, rows, spec, np.random.default_rng(0))
    assert batch.present.tolist() == [1] * 4 + [0] * 4
    assert batch.attributes["order"].tolist()[6:] == [-1, -1]
    assert not batch.labelled[6:].any()


def test_labelled_share_fills_its_part_of_every_batch(tmp_path):
    data = hide_landmarks(read_coco(write_blobs(tmp_path, 42)), 0.1, 0)  # 4 of 40 labelled
    spec = read_config(write_config(tmp_path), {"batch": "8", "data.labelled_share": "0.5"})
    batches = step_rows(data, spec, 0)
    for _ in range(12):
        rows = next(batches)[1]
        assert [data.examples[i].labelled.any() for i in rows] == [True] * 4 + [False] * 4


def test_colour_order():
    bgr = np.zeros((2, 2, 3), np.uint8)
    bgr[..., 0] = 255  # blue
    assert to_input(bgr, "rgb")[:, 0, 0].tolist() == [0, 0, 255]
    assert to_input(bgr, "gray").shape == (1, 2, 2)


def test_near_misses_need_no_negatives_in_the_data(tmp_path):
    data = read_coco(write_blobs(tmp_path, 12))
    change = {"batch": "8", "data.negatives": "0.25"}
    spec = read_config(write_config(tmp_path), change)
    assert len(next(step_rows(data, spec, 0))[1]) == 8  # no near misses wanted: objects only
    spec = read_config(tmp_path / "blobs.toml", {**change, "data.near_misses": "0.5"})
    rows = next(step_rows(data, spec, 0))[1]
    assert [i < 0 for i in rows] == [False] * 6 + [True] * 2
    assert [~i for i in rows[6:]] == rows[:2]
    assert (
        make_batch(data, rows, spec, np.random.default_rng(0)).present.tolist() == [1] * 6 + [0] * 2
    )


def test_a_batch_of_labelled_pictures_only(tmp_path):
    data = hide_landmarks(read_coco(write_blobs(tmp_path, 12)), 0.5, 0)
    spec = read_config(write_config(tmp_path), {"data.labelled_share": "1.0"})
    batches = step_rows(data, spec, 0)
    seen = {i for _ in range(10) for i in next(batches)[1]}
    assert seen == {i for i in data.rows(hold=False) if data.examples[i].labelled.any()}


XYZ = Head(Attribute("xyz", size=6))


def test_places_in_space_turn_about_the_view_and_are_mirrored(blobs):
    """x right, y up, z towards the camera. The crop's axes turned by 90 degrees clockwise: what
    pointed right in the picture (x) points up in the crop.
    """
    example = labelled(blobs[0], xyz=[0.0, 0.0, 0.0, 1.0, 0.5, 0.25])
    assert attribute_target(XYZ, example, crop())[3:].tolist() == [1.0, 0.5, 0.25]
    turned = attribute_target(XYZ, example, crop(90.0))[3:]
    assert turned == pytest.approx([-0.5, 1.0, 0.25])
    mirrored = attribute_target(XYZ, example, crop(90.0, True))[3:]
    assert mirrored == pytest.approx([0.5, 1.0, 0.25])
    assert np.isnan(attribute_target(XYZ, labelled(blobs[0]), crop())).all()


def test_up_follows_turn_and_flip():
    """Crop pixels, y down. The crop's axes turned clockwise by 90: up in the picture is left."""
    assert up_in_crop(crop()) == pytest.approx([0, -1])
    assert up_in_crop(crop(90.0)) == pytest.approx([-1, 0], abs=1e-6)
    assert up_in_crop(crop(90.0, True)) == pytest.approx([1, 0], abs=1e-6)
    assert up_in_crop(crop(30.0)) == pytest.approx([-0.5, -(0.75**0.5)])


def test_up_in_a_batch_is_where_the_pictures_up_went(blobs):
    """The two ends of an upright line, moved as the crop's points are."""
    data, spec = blobs
    example = replace(data.examples[0], xy=np.array([[30, 40], [30, 20], [20, 30], [44, 34]], "f4"))
    data = DataSet(data.markup, (example,), data.cache)
    spec = replace(spec, augment=replace(STILL, rotate=180.0, flip=0.5))
    batch = make_batch(data, [0] * 8, spec, np.random.default_rng(1))
    line = batch.xy[:, 1] - batch.xy[:, 0]
    torch.testing.assert_close(batch.up, line / line.norm(dim=1, keepdim=True))
    silent = replace(spec, heads=(replace(SIDE, up=True),), augment=replace(STILL, no_up=1.0))
    assert not make_batch(data, [0] * 8, silent, np.random.default_rng(1)).up.any()
    assert make_batch(data, [0], silent, None).up.any()  # an evaluation is always told


def test_weights_of_an_example_and_of_hidden_points(blobs):
    data, spec = blobs
    hidden = np.array([False, True, False, False])
    example = replace(data.examples[0], weight=0.5, hidden=hidden)
    assert point_weights(example, 0.5).tolist() == [0.5, 0.25, 0.5, 0.5]
    assert make_batch(data, [0, 1], spec, None).weight.tolist() == [[1.0] * 4] * 2


def test_landmarks_count_by_their_names(blobs):
    """Also in a mirrored crop, whose landmarks have changed places: a weight is of the name."""
    data, spec = blobs
    first, last = data.markup.landmarks[0], data.markup.landmarks[3]
    named = replace(spec, data=replace(spec.data, landmarks={first: 3.0, last: 0.5}))
    assert make_batch(data, [0], named, None).weight.tolist() == [[3.0, 1.0, 1.0, 0.5]]
    flipped = replace(named, augment=replace(STILL, flip=1.0))
    batch = make_batch(data, [0], flipped, np.random.default_rng(1))
    assert batch.weight.tolist() == [[3.0, 1.0, 1.0, 0.5]]
    wrong = replace(spec, data=replace(spec.data, landmarks={"nose": 2.0}))
    with pytest.raises(ValueError, match=r"'nose' is no landmark of the data, which have .*; mend"):
        make_batch(data, [0], wrong, None)


def test_shares_of_a_batch_by_quality(tmp_path):
    data = read_coco(write_blobs(tmp_path, 12))
    named = [
        replace(e, quality="exact" if i < 3 else "teacher") for i, e in enumerate(data.examples)
    ]
    data = DataSet(data.markup, tuple(named))
    spec = read_config(write_config(tmp_path), {"batch": "8"})
    spec = replace(spec, data=replace(spec.data, shares={"teacher": 0.65, "exact": 0.35}))
    batches = step_rows(data, spec, 0)
    for _ in range(6):
        kinds = [data.examples[i].quality for i in next(batches)[1]]
        assert kinds == ["teacher"] * 5 + ["exact"] * 3
    assert parts_of(7, {"a": 1.0, "b": 1.0, "c": 2.0}) == {"a": 2, "b": 2, "c": 3}
    wrong = replace(spec, data=replace(spec.data, shares={"manual": 1.0}))
    with pytest.raises(ValueError, match="no training example of quality 'manual'"):
        next(step_rows(data, wrong, 0))


def test_expressions_change_sides_in_a_mirror(blobs):
    head = Head(Attribute("expressions", size=52))
    given = [0.0] * 52
    given[EXPRESSIONS.index("eyeBlinkLeft")], given[EXPRESSIONS.index("jawOpen")] = 0.75, 0.5
    example = labelled(blobs[0], expressions=given)
    assert attribute_target(head, example, crop()).tolist() == given
    seen = attribute_target(head, example, crop(flipped=True))
    assert seen[EXPRESSIONS.index("eyeBlinkRight")] == 0.75
    assert seen[EXPRESSIONS.index("eyeBlinkLeft")] == 0
    assert seen[EXPRESSIONS.index("jawOpen")] == 0.5


def test_a_place_follows_the_crop(blobs):
    """A crop of 100 px around (50, 60), twice enlarged: (60, 60) is 20 px right of its middle."""
    head = Head(Attribute("place", size=3))
    example = labelled(blobs[0], place=[60.0, 60.0, 25.0])
    matrix = np.array([[2.0, 0, 49.5 - 100], [0, 2, 49.5 - 120]])
    sample = CropSample(np.zeros((100, 100, 3), np.uint8), np.zeros((4, 2)), 0, False, 2.0, matrix)
    np.testing.assert_allclose(attribute_target(head, example, sample), [0.2, 0, 0.5], atol=1e-6)
    mirror = replace(sample, flipped=True)
    np.testing.assert_allclose(attribute_target(head, example, mirror), [-0.2, 0, 0.5], atol=1e-6)


def test_what_is_covered_or_beyond_the_crop_is_not_visible(blobs):
    head = Head(Attribute("visible", size=4))
    example = labelled(blobs[0], visible=[1, 1, 0, None])
    xy = np.array([[1, 1], [9.6, 1], [2, 2], [5, 5]], np.float32)
    sample = CropSample(np.zeros((10, 10, 3), np.uint8), xy, 0, False, 1.0)
    seen = attribute_target(head, example, sample)
    assert seen[:3].tolist() == [1, 0, 0] and np.isnan(seen[3])  # the second lies outside
    covered = replace(sample, covered=(0, 0, 2, 2))  # the first, not the third
    assert attribute_target(head, example, covered)[:3].tolist() == [0, 0, 0]
    flipped = attribute_target(head, example, replace(sample, flipped=True), ((0, 2),))
    assert flipped[[0, 2]].tolist() == [0, 1]


def test_a_class_of_the_turn_is_mirrored(blobs):
    example = labelled(blobs[0], yaw_between=[12.0, 50.0])
    assert yaw_between(example, crop()).tolist() == [12, 50]
    assert yaw_between(example, crop(flipped=True)).tolist() == [-50, -12]
    assert np.isnan(yaw_between(labelled(blobs[0]), crop())).all()


def test_another_number_of_values_than_the_heads_is_refused(blobs):
    with pytest.raises(ValueError, match="pose has 2 values, its head 3"):
        attribute_target(POSE, labelled(blobs[0], pose=[1.0, 2.0]), crop())


def test_repeats_of_several_words_at_once(blobs):
    """Only where all of them hold: 'a & eyes=closed'."""
    data, spec = blobs
    words = ({"eyes": "closed"}, {"eyes": "open"}, {"eyes": "closed"})
    examples = tuple(
        replace(data.examples[i], source=source, attributes=known, hold=False)
        for i, (source, known) in enumerate(zip("aab", words, strict=True))
    )
    some = replace(spec, data=replace(spec.data, repeat={"a & eyes=closed": 3.0}))
    rows = repeated(replace(data, examples=examples), some, np.random.default_rng(0))
    assert rows == [0, 0, 0, 1, 2]
