"""Reading labels: partial labels, splits, flip partners, clear refusals."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.helpers.blobs import rewrite, write_blobs
from tracker.errors import UserError
from train.data.pictures import DataSet, guess_flip_pairs, hide_landmarks, join, read_coco


def test_reads_points_attributes_and_split(tmp_path):
    data = read_coco(write_blobs(tmp_path))
    assert data.markup.landmarks == ("red", "green", "blue", "white")
    assert data.markup.edges == ((0, 1), (2, 3))
    assert [e.hold for e in data.examples] == [False] * 6 + [True] * 2
    assert data.image(0).shape == (64, 64, 3)
    assert data.examples[0].attributes["order"] in ("red_left", "red_right")


def test_any_subset_of_labels_may_be_absent(tmp_path):
    def change(body):
        body["annotations"][0]["keypoints"][3:6] = [0, 0, 0]
        body["annotations"][1]["keypoints"][5] = 1  # occluded is still a label
        del body["annotations"][2]["keypoints"]
        del body["annotations"][3]["attributes"]
        body["images"].append({"id": 99, "file_name": "0.png", "group": "n", "negative": True})

    data = read_coco(rewrite(write_blobs(tmp_path), change))
    assert data.examples[0].labelled.tolist() == [True, False, True, True]
    assert np.isnan(data.examples[0].xy[1]).all()
    assert data.examples[1].labelled.all()
    assert not data.examples[2].labelled.any()
    assert data.examples[3].attributes == {}
    assert data.examples[-1].negative


def test_a_group_on_both_sides_is_refused(tmp_path):
    def change(body):
        body["images"][7]["group"] = "g0"

    with pytest.raises(ValueError, match=r"'g0'.*in training and in the hold-out"):
        read_coco(rewrite(write_blobs(tmp_path), change))


def test_split_by_hash_keeps_groups_whole(tmp_path):
    def change(body):
        for i, image in enumerate(body["images"]):
            del image["split"]
            image["group"] = f"clip{i // 4}"

    data = read_coco(rewrite(write_blobs(tmp_path, 40), change), hold_out=0.5)
    sides = {}
    for e in data.examples:
        assert sides.setdefault(e.group, e.hold) == e.hold
    assert {True, False} == set(sides.values())


def test_frames_of_a_clip_of_a_project_are_on_one_side(tmp_path):
    """A project's labels.json has no groups; pictures of a set stand for themselves."""

    def change(body):
        for i, image in enumerate(body["images"]):
            del image["split"], image["group"]
            image["clip"] = "photos" if i < 8 else f"clip{i // 8}.mp4"

    data = read_coco(rewrite(write_blobs(tmp_path, 40), change), hold_out=0.5)
    sides = {}
    for e in data.examples:
        sides.setdefault(e.group, set()).add(e.hold)
    assert all(len(side) == 1 for side in sides.values())
    assert len(sides) == 8 + 4


@pytest.mark.parametrize(
    "text,message",
    [("{", "not a COCO"), ("{}", "not a COCO"), ("[1]", "not a COCO")],
)
def test_files_that_are_not_coco(tmp_path, text, message):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_coco(path)


@pytest.mark.parametrize(
    "part,key,value",
    [
        ("annotations", "image_id", None),
        ("annotations", "image_id", [1]),
        ("images", "id", None),
        ("images", "file_name", None),
    ],
)
def test_entries_that_lack_what_coco_demands(tmp_path, part, key, value):
    path = rewrite(write_blobs(tmp_path), lambda b: b[part][2].update({key: value}))
    with pytest.raises(ValueError, match=rf"labels\.json: {part}\[2\] has no '{key}'"):
        read_coco(path)
    rewrite(path, lambda b: b[part][2].pop(key))
    with pytest.raises(ValueError, match=rf"labels\.json: {part}\[2\] has no '{key}'"):
        read_coco(path)


@pytest.mark.parametrize("part", ["images", "annotations"])
def test_parts_that_are_no_lists(tmp_path, part):
    path = rewrite(write_blobs(tmp_path), lambda b: b.update({part: None}))
    with pytest.raises(ValueError, match=f"not a COCO keypoints file .'{part}' is no list"):
        read_coco(path)


def test_missing_file_and_wrong_number_of_points(tmp_path):
    with pytest.raises(ValueError, match="do not exist"):
        read_coco(tmp_path / "none.json")
    path = rewrite(write_blobs(tmp_path), lambda b: b["annotations"][0].update(keypoints=[1, 2, 2]))
    with pytest.raises(ValueError, match="1 keypoints, the category names 4"):
        read_coco(path)


@pytest.mark.parametrize("key", ["bbox", "attributes", "keypoints"])
def test_null_is_as_good_as_absent(tmp_path, key):
    path = write_blobs(tmp_path)
    absent = read_coco(rewrite(path, lambda b: b["annotations"][0].pop(key, None))).examples[0]
    null = read_coco(rewrite(path, lambda b: b["annotations"][0].update({key: None}))).examples[0]
    assert (null.box_xyxy is None) == (key == "bbox") == (absent.box_xyxy is None)
    assert null.attributes == absent.attributes
    np.testing.assert_array_equal(null.xy, absent.xy)
    assert not null.labelled.any() if key == "keypoints" else null.labelled.all()


@pytest.mark.parametrize(
    "key,value,message",
    [
        ("bbox", [1, 2, 3], "a bbox is x, y, width, height, found .1, 2, 3.; correct"),
        ("bbox", [None, 2, 3, 4], "a bbox is x, y, width, height, found .None, 2"),
        ("bbox", [[1, 2], [3, 4]], "a bbox is x, y, width, height, found"),
        ("keypoints", [None, 2, 2] + [0] * 9, "a labelled landmark has two coordinates"),
        ("bbox", ["a", 2, 3, 4], "bbox must be numbers, found .'a', 2, 3, 4"),
        ("bbox", {"x": 1}, "bbox must be numbers"),
        ("keypoints", [1, 2], "keypoints are x, y, v of each landmark, found .1, 2."),
        ("keypoints", "none", "keypoints must be numbers, found none"),
        ("attributes", "left", "a table of names and values, found left"),
    ],
)
def test_annotations_of_another_form(tmp_path, key, value, message):
    path = rewrite(write_blobs(tmp_path), lambda b: b["annotations"][0].update({key: value}))
    with pytest.raises(ValueError, match=message):
        read_coco(path)


def test_labels_are_utf8_with_or_without_a_mark(tmp_path):
    path = write_blobs(tmp_path)
    names = ["Nägel", "b", "c", "d"]
    body = json.loads(path.read_text(encoding="utf-8"))
    body["categories"][0] |= {"keypoints": names, "flip_pairs": []}
    text = json.dumps(body, ensure_ascii=False)
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_coco(path).markup.landmarks == tuple(names)
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match="is no UTF-8 text"):
        read_coco(path)


def test_unreadable_picture(tmp_path):
    data = read_coco(write_blobs(tmp_path))
    (tmp_path / "0.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"0\.png cannot be read"):
        data.image(0)


def test_flip_partners_by_name():
    assert guess_flip_pairs(["left_eye", "right_eye", "nose"]) == ((0, 1),)
    assert guess_flip_pairs(["wrist", "thumb_1"]) == ()
    with pytest.raises(ValueError, match="flip_pairs"):
        guess_flip_pairs(["left_brow_0", "right_brow_0"])


def test_hide_landmarks_keeps_a_seeded_share(tmp_path):
    data = read_coco(write_blobs(tmp_path, 22))
    hidden = hide_landmarks(data, 0.25, seed=3)
    kept = [i for i in hidden.rows(False) if hidden.examples[i].labelled.any()]
    assert len(kept) == 5  # a quarter of 20
    again = hide_landmarks(data, 0.25, seed=3)
    assert kept == [i for i in again.rows(False) if again.examples[i].labelled.any()]
    assert all(hidden.examples[i].labelled.all() for i in hidden.rows(True))


def test_of_the_hold_out_only_what_says_something_is_measured(tmp_path):
    data = read_coco(write_blobs(tmp_path, 8, hold=5))
    nothing = np.zeros(4, bool)
    changes = {
        3: {},  # labelled, with an attribute
        4: {"labelled": nothing},  # an attribute alone
        5: {"labelled": nothing, "attributes": {}},
        6: {"negative": True},
        7: {"attributes": {}},
    }
    examples = tuple(replace(e, **changes.get(i, {})) for i, e in enumerate(data.examples))
    changed = DataSet(data.markup, examples)
    assert changed.measured() == [3, 4, 7]
    assert changed.landmarked(hold=True) == [3, 7] and changed.landmarked(hold=False) == [0, 1, 2]


def test_join_refuses_other_landmarks(tmp_path):
    a = read_coco(write_blobs(tmp_path / "a"))
    path = write_blobs(tmp_path / "b")
    b = read_coco(rewrite(path, lambda c: c["categories"][0]["keypoints"].__setitem__(0, "pink")))
    with pytest.raises(ValueError, match="different landmarks"):
        join([a, b])


def test_a_weight_and_hidden_points(tmp_path):
    def change(body):
        body["annotations"][0]["weight"] = 0.5
        body["annotations"][0]["keypoints"][5] = 1

    data = read_coco(rewrite(write_blobs(tmp_path), change))
    assert [e.weight for e in data.examples[:2]] == [0.5, 1.0]
    assert data.examples[0].hidden.tolist() == [False, True, False, False]
    assert data.examples[0].labelled.all()


@pytest.mark.parametrize("wrong", [0, -1, "much"])
def test_a_weight_is_above_nothing(tmp_path, wrong):
    path = rewrite(write_blobs(tmp_path), lambda b: b["annotations"][0].update(weight=wrong))
    with pytest.raises(ValueError, match="a weight is a number above 0"):
        read_coco(path)
