"""The 300W stand-in from a tiny COCO file: three ways of groups, boxes, metrics, refusals."""

import json

import cv2
import numpy as np
import pytest

from tests.helpers.faces import points68
from tracker.find.geometry import frame_to_crop
from tracker.types import CropRule
from train.data.augment import true_box
from train.data.faces import face_edges, face_flip_pairs, held_face_groups
from train.sets import faces68
from train.sets.faces68 import METRICS, held_groups, markup68, read_faces68


def write_faces(folder, manual=30, automatic=4):
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    keypoints = np.column_stack([points68(), np.full(68, 2)]).flatten().tolist()
    for i in range(manual + automatic):
        name = f"images/{i}.png"
        cv2.imwrite(str(folder / name), np.full((64, 64, 3), i, np.uint8))
        by_hand = i < manual
        source = ("afw" if i % 3 else "helen_train") if by_hand else "ytf"
        images.append(
            {"id": i, "file_name": name, "source": source, "group": f"g{i // 2}",
             "quality": "manual" if by_hand else "automatic"}
        )  # fmt: skip
        annotations.append({"id": i, "image_id": i, "keypoints": keypoints})
    names = list(markup68().landmarks)
    body = {"images": images, "annotations": annotations, "categories": [{"keypoints": names}]}
    (folder / "labels.json").write_text(json.dumps(body))
    return body


@pytest.fixture
def six_test(monkeypatch):
    monkeypatch.setattr(faces68, "TEST", 6)


def test_markup_is_that_of_the_shipped_face_model():
    assert {tuple(p) for p in face_flip_pairs()} == set(markup68().flip_pairs)
    assert [[a + 1, b + 1] for a, b in markup68().edges] == face_edges()


def test_groups_are_in_one_of_three_parts(tmp_path, six_test):
    body = write_faces(tmp_path)
    found = read_faces68(tmp_path, 0)
    parts = [
        [found.fit.examples[i] for i in found.fit.rows(False)],
        [found.fit.examples[i] for i in found.fit.rows(True)],
        found.test.examples,
    ]
    assert [len(p) for p in parts] == [22, 2, 6]  # a tenth of 24, in whole groups of two
    groups = [{e.group for e in p} for p in parts]
    assert not groups[0] & groups[1] and not groups[0] & groups[2] and not groups[1] & groups[2]
    assert groups[2] == held_face_groups(body["images"], 6)
    assert all(e.quality == "manual" and e.labelled.all() for p in parts for e in p)
    rows = sorted(i for part in found.parts.values() for i in part)
    assert rows == list(range(6)) and set(found.parts) <= {"afw", "helen_train"}
    assert found.whole_pixels == "crop"  # its pictures are crops already
    for name, part in found.parts.items():
        assert {found.test.examples[i].source for i in part} == {name}


def test_validation_depends_on_the_seed_alone_and_test_on_nothing(tmp_path, six_test):
    write_faces(tmp_path)
    sets = [read_faces68(tmp_path, seed) for seed in (0, 0, 1)]
    held = [{s.fit.examples[i].group for i in s.fit.rows(True)} for s in sets]
    assert held[0] == held[1] != held[2]
    assert len({tuple(e.path for e in s.test.examples) for s in sets}) == 1


def test_whole_groups_until_the_room_is_used(tmp_path, six_test):
    write_faces(tmp_path)
    examples = read_faces68(tmp_path, 0).fit.examples  # 12 groups of 2
    assert len(held_groups(examples, 0.25, 0)) == 3
    assert len(held_groups(examples, 0.1, 0)) == 1  # room for 2 of 24
    assert held_groups(examples, 0.05, 0) == set()  # room for 1


def test_machine_made_labels_join_without_landmarks(tmp_path, six_test):
    write_faces(tmp_path)
    plain, more = read_faces68(tmp_path, 0), read_faces68(tmp_path, 0, unlabelled=True)
    added = more.fit.examples[len(plain.fit.examples) :]
    assert len(added) == 4 and not any(e.labelled.any() or e.hold for e in added)
    assert all(e.source == "ytf" and np.isfinite(e.xy).all() for e in added)
    assert len(more.test.examples) == len(plain.test.examples)


def test_crop_is_the_square_times_1_3(tmp_path, six_test):
    write_faces(tmp_path)
    e = read_faces68(tmp_path, 0).test.examples[0]
    assert e.box_xyxy.tolist() == [0, -5, 60, 55]
    matrix = frame_to_crop(true_box("face", e, (64, 64), CropRule(1.3, (), "box")), 80)
    k = 80 / 78
    assert np.allclose(matrix, [[k, 0, 39.5 - 30 * k], [0, k, 39.5 - 25 * k]], atol=1e-5)


def test_metrics_by_hand():
    """Eye centres 15 and 45, outer corners 10 and 50; an error of 3 px is 10 % and 7.5 %."""
    target, errors = points68()[None], np.full((1, 68), 3.0)
    assert [float(m.of(errors, target, 80)[0]) for m in METRICS] == pytest.approx([10.0, 7.5])
    assert "centres" in METRICS[0].name  # the paper's comes first


def test_refusals(tmp_path):
    with pytest.raises(ValueError, match=r"labels\.json does not exist; give a folder with"):
        read_faces68(tmp_path, 0)
    body = write_faces(tmp_path, 2, 0)

    def refused(change, said):
        changed = json.loads(json.dumps(body))
        change(changed)
        (tmp_path / "labels.json").write_text(json.dumps(changed))
        with pytest.raises(ValueError, match=said):
            read_faces68(tmp_path, 0)

    refused(lambda b: b.pop("categories"), "is not a COCO keypoints file")
    refused(lambda b: b["images"][1].pop("group"), "does not say everywhere: group;")
    refused(lambda b: b["categories"][0]["keypoints"].pop(), "has 67 landmarks, 68 are wanted")
    refused(lambda b: b["annotations"][1]["keypoints"].pop(), "annotation 1 of .* has no image or")
    refused(lambda b: b["images"].pop(), "annotation 1 of .* has no image or")
