"""The label file of the shipped hand model: split by group, gestures mapped."""

from pathlib import Path

import numpy as np
import pytest

import train
from tests.helpers.collections import write_collection
from train.config import read_config
from train.data.pictures import read_coco
from train.data.shipped import (
    GESTURE_OF,
    GESTURES,
    bend_of,
    looks_named,
    prepare_hands,
    real_gesture,
    rendered_gesture,
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


def a_real_hand(i):
    split = "holdout" if i in (6, 7, 9) else "train"
    image = {"source": "asl_letters", "gesture": "VKA"[i % 3], "licence": "CC0", "split": split}
    if i >= 8:
        return image | {"hand": False, "group": "bare" if i == 8 else "empty"}, None
    return image | {"hand": True}, {"handedness": "Left", "spread": [0.01, 0.03, 0.1][i % 3]}


def a_rendered_hand(i):
    image = {"split": "holdout" if i >= 4 else "train"}
    xyz = [[0.0, 0.0, 0.0]] + [[0.1 * j, 0.2, -0.12345] for j in range(20)]
    told = {"side": "right", "gesture": "grab", "thumb": "over", "xyz": xyz, "object": None}
    return image, told


def a_hand(*bends):
    """Landmarks (21, 3) of a hand whose fingers, index to little, bend so much at their last two
    joints together, towards the camera; each knuckle lies in line with the wrist."""
    points = [np.zeros(3)] + [np.array([-0.5, 0.3 * j, 0.0]) for j in range(4)]
    for finger, bend in enumerate(bends):
        way = np.array([0.1 * finger - 0.15, 1.0, 0.0])
        way /= np.linalg.norm(way)
        at, turned = way, 0.0
        points.append(at)
        for _ in range(3):
            at = at + 0.4 * (np.cos(turned) * way + np.sin(turned) * np.array([0.0, 0.0, 1.0]))
            points.append(at)
            turned += np.radians(bend / 2)
    return np.array(points)


@pytest.mark.parametrize(
    ("bends", "named"),
    [
        ((40, 160, 170, 200), True),  # points
        ((40, 70, 170, 200), True),
        ((10, 20, 30, 79), True),  # an open hand
        ((81, 20, 30, 40), False),  # and one that begins to close
        ((40, 149, 170, 200), False),
        ((160, 40, 170, 40), False),  # no gesture of ours
        ((200, 220, 240, 240), False),  # a hand at rest closes, too
    ],
)
def test_natural_movement_comes_upon_gestures(bends, named):
    points = a_hand(*bends)
    assert bend_of(points, (9, 10, 11, 12)) == pytest.approx(bends[1], abs=0.01)
    assert looks_named(points) == looks_named(7 * points) == named
    ann = {"gesture": "none", "object": None, "xyz": points.tolist()}
    assert rendered_gesture(ann) == (None if named else "none")
    assert rendered_gesture(ann | {"object": "rod"}) == "none"
    assert rendered_gesture(ann | {"gesture": "grab"}) == "grab"


def a_face(i):
    return {"split": "holdout" if i < 2 else "train"}, {"flags": ["hand"] if i == 3 else ["dim"]}


def test_hands(tmp_path):
    raw = tmp_path / "raw"
    write_collection(raw, "hands_real", 21, 10, a_real_hand)
    write_collection(raw, "hands_synth", 21, 6, a_rendered_hand)
    write_collection(raw, "faces_synth", 68, 5, a_face)
    write_collection(raw, "faces_real", 68, 4, lambda i: ({}, {}))
    told = []
    counts = prepare_hands(raw, tmp_path / "out" / "hand.json", lambda *share: told.append(share))
    assert told == [(i, 5) for i in range(1, 6)]
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
