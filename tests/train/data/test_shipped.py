"""The label files of the shipped models: split by group, gestures mapped, pose computed."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

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
    real_gesture,
    spread_weight,
    three_is_ok,
)

CONFIGS = Path(train.__file__).parent / "configs"


def test_gestures_of_config_and_mapping_agree():
    for name in ("hand21", "hand21_ablation"):
        spec = read_config(CONFIGS / f"{name}.toml")
        assert spec.heads[0].attribute.classes == GESTURES
    assert len(set(GESTURES)) == 19
    assert {g for m in GESTURE_OF.values() for g in m.values()} < set(GESTURES)


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


def test_a_counted_three_is_what_its_points_say():
    fingers = np.zeros((21, 2))
    fingers[9], fingers[4], fingers[8] = [0, -10], [-9, -4], [-2, -18]
    for knuckle, length in ((5, 18), (9, 18), (13, 18), (17, 6)):
        fingers[knuckle + 1], fingers[knuckle + 3] = [0, -9], [0, -length]
    assert real_gesture("finger_count", "3-hand", fingers) == "three"
    fingers[16] = [0, -6]  # the ring finger bent: thumb, index and middle
    assert real_gesture("finger_count", "3-hand", fingers) == "three2"
    assert real_gesture("4-mina/SignLanguageDetectionWebApp", "horns", fingers) == "rock"
    assert real_gesture("asl_letters", "K", fingers) is None  # could be victory, could be none
    assert real_gesture("sign_digits", "0", fingers) is None
    assert real_gesture("any", None, fingers) is None


def test_a_label_weighs_less_the_less_its_views_agree():
    spreads = [0.0, 0.02, 0.03, 0.04, 0.0401, 0.2]
    assert [spread_weight(s) for s in spreads] == pytest.approx([1, 1, 0.75, 0.5, 0, 0])


def write_collection(folder: Path, part: str, k: int, count: int, more) -> None:
    """`count` pictures in a collection's own format; `more(i)` adds fields to image and label."""
    rng = np.random.default_rng(0)
    (folder / part / "images").mkdir(parents=True)
    images, annotations = [], []
    for i in range(count):
        name = f"images/{i}.jpg"
        cv2.imwrite(str(folder / part / name), np.full((192, 192, 3), i * 8, np.uint8))
        points = np.column_stack([rng.uniform(40, 150, (k, 2)), np.full(k, 2)])
        image, ann = more(i)
        images.append({"id": i, "file_name": name, "group": f"g{i // 2}", **image})
        if ann is not None:
            annotations.append({"id": i, "image_id": i, "keypoints": points.flatten().tolist(),
                                "bbox": [40, 40, 110, 110], **ann})  # fmt: skip
    category = {"id": 1, "name": part, "keypoints": [f"p{j}" for j in range(k)], "skeleton": []}
    (folder / part / "labels.json").write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": [category]})
    )


def a_real_hand(i):
    split = "holdout" if i in (6, 7, 9) else "train"
    image = {"source": "asl_letters", "gesture": "VKA"[i % 3], "licence": "CC0", "split": split}
    if i >= 8:
        return image | {"hand": False, "group": "bare" if i == 8 else "empty"}, None
    return image | {"hand": True}, {"handedness": "Left", "spread": [0.01, 0.03, 0.1][i % 3]}


def a_rendered_hand(i):
    image = {"split": "holdout" if i >= 4 else "train"}
    xyz = [[0.0, 0.0, 0.0]] + [[0.1 * j, 0.2, -0.12345] for j in range(20)]
    return image, {"side": "right", "gesture": "grab", "thumb": "over", "xyz": xyz}


def a_face(i):
    return {"split": "holdout" if i < 2 else "train"}, {"flags": ["hand"] if i == 3 else ["dim"]}


def test_hands(tmp_path):
    raw = tmp_path / "raw"
    write_collection(raw, "hands_real", 21, 10, a_real_hand)
    write_collection(raw, "hands_synth", 21, 6, a_rendered_hand)
    write_collection(raw, "faces_synth", 68, 5, a_face)
    write_collection(raw, "faces_real", 68, 4, lambda i: ({}, {}))
    counts = prepare_hands(raw, tmp_path / "out" / "hand.json")
    assert counts == {"images": 10 + 6 + 4 + 4, "objects": 14}
    data = read_coco(tmp_path / "out" / "hand.json")
    real = [e for e in data.examples if e.quality == "teacher" and not e.negative]
    assert [e.attributes.get("gesture") for e in real[:3]] == ["victory", None, "fist"]
    assert real[0].attributes["side"] == "left"
    assert [e.weight for e in real[:2]] == [1.0, 0.75]
    assert real[1].labelled.all() and not real[2].labelled.any()  # the views disagree
    assert [e.hold for e in real] == [False] * 6 + [True] * 2
    made = [e for e in data.examples if e.quality == "exact"]
    assert [e.hold for e in made] == [False] * 4 + [True] * 2
    assert len(made[0].attributes["xyz"]) == 63 and made[0].attributes["xyz"][:3] == [0, 0, 0]
    assert made[0].attributes["xyz"][3:6] == [0.0, 0.2, -0.123]
    assert (made[0].attributes["gesture"], made[0].attributes["thumb"]) == ("grab", "over")
    negatives = [e for e in data.examples if e.negative]
    assert sorted(e.source for e in negatives) == (
        ["asl_letters"] * 2 + ["faces_real"] * 4 + ["faces_synth"] * 4
    )
    assert [e.hold for e in negatives[:2]] == [False, True]
    assert data.image(0).shape == (192, 192, 3)  # paths are relative to the label file


def test_faces(tmp_path):
    write_collection(
        tmp_path / "raw", "faces68", 68, 30,
        lambda i: ({"source": "afw", "quality": "manual" if i < 20 else "automatic"}, {}),
    )  # fmt: skip
    write_collection(tmp_path / "raw", "hands21", 21, 3, lambda i: ({"source": "sign_digits"}, {}))
    prepare_faces(tmp_path / "raw", tmp_path / "face.json", hold_images=5)
    data = read_coco(tmp_path / "face.json")
    held = [e for e in data.examples if e.hold and not e.negative]
    assert len(held) == 4  # whole groups of two, never more than asked
    assert all(e.quality == "manual" for e in held)
    assert len(data.examples[0].attributes["pose"]) == 3
    assert len(data.markup.flip_pairs) == 29
