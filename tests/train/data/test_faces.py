"""The label files of the face models: what each collection tells, and what is held out."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import train
from tests.helpers.collections import write_collection
from tracker.find.expressions import EXPRESSIONS
from tracker.find.head_pose import face_xyz
from tracker.find.markups import find_markup
from train.config import read_config
from train.data.augment import true_box
from train.data.faces import (
    face_edges,
    face_flip_pairs,
    openings,
    prepare_faces,
    prepare_faces68,
    turn_word,
)
from train.data.pictures import read_coco
from ui.commands.train import app

CONFIGS = Path(train.__file__).parent / "configs"
NAMES = list(find_markup("face68").landmarks)


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


def front() -> np.ndarray:
    """The average face from the front, in a picture: 68 points around (96, 96), x, y, z."""
    return face_xyz() * 8 + (96, 80, 0)


def a_rendered_face(i):
    solid = front()
    v = np.where(np.arange(68) < 4, 1, 2)
    eyes = [solid[36:42, :2].mean(0), solid[42:48, :2].mean(0)]
    irises = [p.tolist() for p in (eyes if i != 2 else eyes[::-1])]
    return {"split": "holdout" if i == 3 else "train", "group": str(i)}, {
        "keypoints": np.column_stack([solid[:, :2], v]).ravel().tolist(),
        "points_3d": solid.tolist(), "iris": irises, "iris_visible": [1, 0] if i != 2 else [0, 1],
        "yaw": 70.0, "pitch": 1.0, "roll": 2.0, "blendshapes": {"jawOpen": 0.5}, "flags": [],
    }  # fmt: skip


def a_webcam_face(i):
    points = np.column_stack([front()[:, :2], np.where(np.arange(68) < 17, 0, 2)])
    source = "a/b" if i else "FarzadMalik/Real_Time_Sign_Language_Detection"
    return {"source": source, "group": source, "licence": "MIT"}, {
        "keypoints": points.ravel().tolist(), "iris": [[70, 80], [120, 80]], "yaw": 3.0,
        "blendshapes": {"jawOpen": 0.25, "eyeBlinkLeft": 0.75}, "spread": 0.004,
        "bbox": [70, 70, 60, 60],
    }  # fmt: skip


def a_class(i):
    word = ("frontal", "left_profile")[i % 2]
    return {"original": f"lfw/{i}.jpg", "attributes": {"head_pose": word}}, {
        "bbox": [19.5, 19.5, 80, 80]
    }


def a_marked_face(i):
    image = {"source": "afw", "quality": "manual" if i < 20 else "automatic"}
    return image, {"keypoints": np.column_stack([front()[:, :2], np.full(68, 2)]).ravel().tolist()}


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    write_collection(folder, "faces68", 68, 30, a_marked_face)
    labels = folder / "faces68" / "labels.json"
    coco = json.loads(labels.read_text())
    coco["categories"][0]["keypoints"] = NAMES
    labels.write_text(json.dumps(coco))
    write_collection(folder, "faces_synth", 68, 4, a_rendered_face)
    write_collection(folder, "faces_real", 68, 3, a_webcam_face)
    write_collection(folder, "mtfl", 5, 4, a_class, "training.json")
    write_collection(folder, "mtfl", 5, 2, a_class, "testing.json")
    write_collection(folder, "hands21", 21, 3, lambda i: ({"source": "sign_digits"}, {}))
    write_collection(
        folder, "hands_synth", 21, 8,
        lambda i: ({"split": "holdout" if i == 3 else "train", "group": str(i)}, {"face": i == 0}),
    )  # fmt: skip
    return folder


def by_quality(data, quality):
    return [e for e in data.examples if e.quality == quality and not e.negative]


def test_the_68_landmarks_alone(raw, tmp_path):
    prepare_faces68(raw, tmp_path / "face.json", hold_images=5)
    data = read_coco(tmp_path / "face.json")
    held = [e for e in data.examples if e.hold and not e.negative]
    assert len(held) == 4  # whole groups of two, never more than asked
    assert all(e.quality == "manual" for e in held)
    assert len(data.examples[0].attributes["pose"]) == 3
    assert len(data.markup.flip_pairs) == 29
    assert sum(e.negative for e in data.examples) == 3


def test_each_collection_tells_what_it_knows(raw, tmp_path):
    told = []
    counts = prepare_faces(
        raw, tmp_path / "out" / "face.json", report=lambda *share: told.append(share)
    )
    assert told == [(i, 5) for i in range(1, 6)]
    assert counts == {"images": 30 + 4 + 4 + 3 + 3 + 2, "objects": 30 + 4 + 4 + 3}
    data = read_coco(tmp_path / "out" / "face.json")
    assert data.markup.landmarks == (*NAMES, "right_iris", "left_iris")
    assert data.markup.flip_pairs[-1] == (68, 69)
    made = by_quality(data, "exact")
    assert [e.hold for e in made] == [False, False, False, True]
    known = made[0].attributes
    assert known["pose"] == [70, 1, 2] and known["turn"] == "profile"
    assert known["expressions"][EXPRESSIONS.index("jawOpen")] == 0.5 and sum(
        known["expressions"]
    ) == pytest.approx(0.5)
    assert known["visible"] == [0] * 4 + [1] * 64 + [1, 0]
    apart = 8 * np.linalg.norm(face_xyz()[45] - face_xyz()[36])
    np.testing.assert_allclose(known["place"], [96, 80, apart], atol=0.01)
    # the third has the other eye first; eyes are nearer to their own irises
    for example in made[:3]:
        np.testing.assert_allclose(example.xy[68], front()[36:42, :2].mean(0), atol=0.01)
        assert example.hidden.tolist() == [True] * 4 + [False] * 64 + [False, True]
    marked = by_quality(data, "manual")
    assert not marked[0].labelled[68:].any() and marked[0].labelled[:68].all()
    assert set(marked[0].attributes) == {"pose", "place", "eyes", "turn"}
    assert data.image(0).shape == (192, 192, 3)  # paths are relative to the label file


def test_a_teachers_jaw_is_unlabelled_but_tells_where_the_crop_lies(raw, tmp_path):
    prepare_faces(raw, tmp_path / "face.json")
    real = by_quality(read_coco(tmp_path / "face.json"), "teacher")
    assert [e.hold for e in real] == [True, False, False]
    example = real[1]
    assert example.by_box and example.labelled.tolist() == [False] * 17 + [True] * 53
    assert example.attributes["pose"] == [3.0, None, None]
    low, high = front()[:, :2].min(0), front()[:, :2].max(0)
    box = true_box("face", example, (192, 192))
    assert box.side == pytest.approx(1.35 * float((high - low).max()), abs=0.1)
    np.testing.assert_allclose(box.centre_xy, (low + high) / 2, atol=0.1)


def test_classes_of_the_turn(raw, tmp_path):
    prepare_faces(raw, tmp_path / "face.json")
    classes = by_quality(read_coco(tmp_path / "face.json"), "classes")
    assert [e.attributes["turn"] for e in classes] == ["frontal", "profile"] * 2
    assert classes[1].attributes["yaw_between"] == [-100, -45]
    assert not classes[0].labelled.any() and not classes[0].hold
    tests = read_coco(tmp_path / "face_classes.json").examples
    assert len(tests) == 2 and all(e.hold for e in tests)


def test_what_is_free(raw, tmp_path):
    result = CliRunner().invoke(
        app, ["prepare", "faces", "--free", "--data", str(raw), "--out", str(tmp_path / "f.json")]
    )
    assert result.exit_code == 0, result.output
    data = read_coco(tmp_path / "f.json")
    assert {e.quality for e in data.examples if not e.negative} == {"exact", "teacher"}


def test_hands_are_free_anyway(tmp_path):
    result = CliRunner().invoke(
        app, ["prepare", "hands", "--free", "--data", "x", "--out", str(tmp_path / "f.json")]
    )
    assert result.exit_code == 1
    assert "leave out --free" in str(result.exception)


def test_openings_and_turns_in_words():
    xy = np.zeros((70, 2))
    xy[[37, 38], 1], xy[[43, 44], 1] = 2.0, 1.0
    np.testing.assert_allclose(openings(xy, 20.0), [0.1, 0.05])
    assert [turn_word(y) for y in (0, -19, 20, -49, 50, -96)] == [
        "frontal", "frontal", "turned", "turned", "profile", "profile"
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["face68", "face68_end", "face68_free", "face68_free_end"])
def test_configs_know_what_is_prepared(name):
    spec = read_config(CONFIGS / f"{name}.toml")
    widths = {h.attribute.name: h.attribute.width for h in spec.heads}
    assert widths == {"pose": 3, "place": 3, "expressions": len(EXPRESSIONS), "visible": 70}
    assert spec.net.fine == (*range(36, 70),)  # lids, lips, irises
    free = "free" in name
    assert ("manual" in spec.data.shares) is not free
    assert spec.data.files == (("face68_free.json",) if free else ("face68.json",))
    assert (spec.decay == spec.steps) is name.endswith("end")
