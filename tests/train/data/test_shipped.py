"""The label files of the shipped models: split by group, gestures mapped, pose computed."""

import json
from pathlib import Path

import cv2
import numpy as np

import train
from train.config import read_config
from train.data.pictures import read_coco
from train.data.shipped import (
    GESTURE_OF,
    GESTURES,
    face_edges,
    face_flip_pairs,
    prepare_faces,
    prepare_hands,
    three_is_ok,
)

CONFIGS = Path(train.__file__).parent / "configs"


def test_gestures_of_config_and_mapping_agree():

    for name in ("hand21", "hand21_ablation"):
        spec = read_config(CONFIGS / f"{name}.toml")
        assert spec.heads[0].attribute.classes == GESTURES
    assert {g for m in GESTURE_OF.values() for g in m.values()} == set(GESTURES)


def test_face_partners_are_a_mirror():
    """On a symmetric drawing of the markup every partner lies at the mirrored place."""
    pairs = face_flip_pairs()
    flat = [i for p in pairs for i in p]
    assert len(flat) == len(set(flat)) == 58
    alone = sorted(set(range(68)) - set(flat))
    assert alone == [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]  # chin, nose ridge, lips' middle
    # jaw: 17 points on an arc; partner of i is 16 - i. Eye corners: outer with outer.
    assert [0, 16] in pairs
    assert [36, 45] in pairs
    assert [39, 42] in pairs


def test_face_edges_are_one_based_chains():
    edges = face_edges()
    assert edges[0] == [1, 2]
    assert [42, 37] in edges  # right eye closed
    assert [17, 18] not in edges  # jaw and brow are not joined
    assert min(min(e) for e in edges) == 1
    assert max(max(e) for e in edges) == 68


def hand(spread_pinky: bool, touching: bool) -> np.ndarray:
    points = np.zeros((21, 2))
    points[9] = [0, -10]
    points[18], points[20] = [3, -8], [4, -18 if spread_pinky else -6]
    points[8] = [-2, -8]
    points[4] = points[8] + ([1, 0] if touching else [-9, 0])
    return points


def test_ok_among_the_threes():
    assert three_is_ok(hand(True, True))
    assert not three_is_ok(hand(False, True))
    assert not three_is_ok(hand(True, False))


def fake_collections(folder):
    """hands21 and faces68 of a few pictures each, in their own format."""
    rng = np.random.default_rng(0)
    for part, k in (("hands21", 21), ("faces68", 68)):
        (folder / part / "images").mkdir(parents=True)
        images, annotations = [], []
        for i in range(30):
            name = f"images/{i}.jpg"
            cv2.imwrite(str(folder / part / name), np.full((192, 192, 3), i * 8, np.uint8))
            points = np.column_stack([rng.uniform(40, 150, (k, 2)), np.full(k, 2)])
            image = {"id": i, "file_name": name, "group": f"g{i // 2}"}
            ann = {"id": i, "image_id": i, "keypoints": points.flatten().tolist(),
                   "bbox": [40, 40, 110, 110]}  # fmt: skip
            if part == "hands21":
                image |= {"source": "asl_letters", "gesture": "VKA"[i % 3]}
                ann |= {"handedness": "Left", "teacher_score": 0.5 if i == 4 else 0.99}
            else:
                image |= {"source": "afw", "quality": "manual" if i < 20 else "automatic"}
            images.append(image)
            annotations.append(ann)
        category = {"id": 1, "name": part, "keypoints": [f"p{j}" for j in range(k)], "skeleton": []}
        (folder / part / "labels.json").write_text(
            json.dumps({"images": images, "annotations": annotations, "categories": [category]})
        )


def test_hands(tmp_path):
    fake_collections(tmp_path / "raw")
    prepare_hands(tmp_path / "raw", tmp_path / "out" / "hand.json", hold_out=0.3)
    data = read_coco(tmp_path / "out" / "hand.json")
    objects = [e for e in data.examples if not e.negative]
    assert len(objects) == 30
    assert sum(e.negative for e in data.examples) == 30
    assert [e.attributes.get("gesture") for e in objects[:3]] == ["victory", None, "fist"]
    assert objects[0].attributes["side"] == "left"
    assert not objects[4].labelled.any()  # the teacher was unsure
    assert objects[5].labelled.all()
    assert {e.hold for e in objects} == {True, False}
    assert data.image(0).shape == (192, 192, 3)  # paths are relative to the label file


def test_faces(tmp_path):
    fake_collections(tmp_path / "raw")
    prepare_faces(tmp_path / "raw", tmp_path / "face.json", hold_images=5)
    data = read_coco(tmp_path / "face.json")
    held = [e for e in data.examples if e.hold and not e.negative]
    assert len(held) == 4  # whole groups of two, never more than asked
    assert all(e.quality == "manual" for e in held)
    assert len(data.examples[0].attributes["pose"]) == 3
    assert len(data.markup.flip_pairs) == 29
