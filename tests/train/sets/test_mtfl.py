"""MTFL in both forms, from tiny files in them: split, face box, attributes, metric, refusals."""

import json

import cv2
import numpy as np
import pytest

from tracker.find.geometry import frame_to_crop
from tracker.types import CropRule
from train.data.augment import crop_example, true_box
from train.data.pictures import guess_flip_pairs
from train.sets.mtfl import MARKUP, POINTS, face_box, read_mtfl

# eyes 30 px apart, mouth corners 20 px apart and 40 px below: the square is 40 px, enlarged by 38
XS, YS = (35, 65, 50, 40, 60), (30, 30, 50, 70, 70)
BOX = [50 - 58, 50 - 58, 50 + 58, 50 + 58]


def photo(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.full((100, 120, 3), 60, np.uint8)
    picture[29:32, 34:37] = 255  # the first eye point
    cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, 100])


def write_official(folder, train=20, test=3):
    coordinates = " ".join(map(str, XS + YS))
    for part, where, count in (("training", "net_7876", train), ("testing", "AFLW", test)):
        lines = []
        for i in range(count):
            photo(folder / where / f"{i}.jpg")
            lines.append(f" {where}\\{i}.jpg {coordinates} 2 1 2 {1 + i % 5} ")
        (folder / f"{part}.txt").write_text("\n".join([*lines, " "]))
    return folder


def write_coco(folder, train=20, test=3):
    keypoints = [v for x, y in zip(XS, YS, strict=True) for v in (x, y, 2)]
    for part, count in (("training", train), ("testing", test)):
        images, annotations = [], []
        for i in range(count):
            photo(folder / part / f"{i}.jpg")
            attributes = {"smile": True, "glasses": False, "head_pose": "left"}
            images.append(
                {"id": i, "file_name": f"{part}/{i}.jpg", "attributes": attributes,
                 "original": f"AFLW/{i}.jpg"}
            )  # fmt: skip
            annotations.append({"id": i, "image_id": i, "keypoints": keypoints,
                                "bbox": [19.5, 9.5, 80, 80]})  # fmt: skip
        body = {"images": images, "annotations": annotations, "categories": [{"keypoints": POINTS}]}
        (folder / f"{part}.json").write_text(json.dumps(body))
    return folder


def test_face_box_by_hand():
    assert face_box(np.array([XS, YS], np.float32).T).tolist() == BOX


def test_mirror_pairs_are_those_that_the_names_say():
    assert set(MARKUP.flip_pairs) == {(0, 1), (3, 4)} == set(guess_flip_pairs(POINTS))


@pytest.mark.parametrize("write", [write_official, write_coco])
def test_a_tenth_of_the_training_images_validates_by_seed(tmp_path, write):
    folder = write(tmp_path)
    sets = [read_mtfl(folder, seed) for seed in (0, 0, 1)]
    assert [(len(s.fit.rows(False)), len(s.fit.rows(True))) for s in sets] == [(18, 2)] * 3
    assert sets[0].fit.rows(True) == sets[1].fit.rows(True) != sets[2].fit.rows(True)
    assert len(sets[0].test.examples) == 3 and all(e.hold for e in sets[0].test.examples)


def test_official_line(tmp_path):
    data = read_mtfl(write_official(tmp_path), 0)
    e = data.fit.examples[3]
    assert e.path == tmp_path / "net_7876/3.jpg" and e.group == "net_7876/3.jpg"
    assert e.xy.tolist() == [[35, 30], [65, 30], [50, 50], [40, 70], [60, 70]]
    assert e.labelled.all() and e.box_xyxy.tolist() == BOX
    assert e.attributes == {"smile": "yes", "glasses": "no", "head_pose": "right"}
    assert [x.attributes["head_pose"] for x in data.test.examples] == [
        "left_profile", "left", "frontal",
    ]  # fmt: skip


def test_coco_keeps_its_own_box(tmp_path):
    e = read_mtfl(write_coco(tmp_path), 0).test.examples[0]
    assert e.box_xyxy.tolist() == [19.5, 9.5, 99.5, 89.5]
    assert e.attributes == {"smile": "yes", "glasses": "no", "head_pose": "left"}


def test_the_crop_and_its_points(tmp_path):
    """116 px of the photo become 80: the first eye, 15 px left of and 20 above the middle."""
    data = read_mtfl(write_official(tmp_path), 0).fit
    rule = CropRule(1.0, (), "box")
    crop = crop_example("face", data.examples[0], data.image(0), 80, (), rule=rule)
    box = true_box("face", data.examples[0], (100, 120), rule)
    k = 80 / 116
    assert np.allclose(frame_to_crop(box, 80), [[k, 0, 39.5 - 50 * k], [0, k, 39.5 - 50 * k]])
    assert np.allclose(crop.xy[0], [39.5 - 15 * k, 39.5 - 20 * k], atol=1e-4)
    x, y = crop.xy[0].round().astype(int)
    assert crop.bgr[y, x, 0] > 200 and crop.bgr[y, x + 6, 0] < 80
    assert crop.bgr[0, 0].tolist() == [0, 0, 0]  # outside the photo


def test_error_is_relative_to_the_eye_distance(tmp_path):
    found = read_mtfl(write_official(tmp_path), 0)
    (metric,) = found.metrics
    assert found.whole_pixels == "crop"
    target = np.array([XS, YS], float).T[None]
    errors = np.array([[3.0, 0.0, 6.0, np.nan, 3.0]])
    assert np.allclose(metric.of(errors, target, 80), 10.0)  # 3 of 30 px


def test_refusals(tmp_path):
    with pytest.raises(ValueError, match=r"training\.txt does not exist; get MTFL.zip from"):
        read_mtfl(tmp_path, 0)
    write_official(tmp_path)
    (tmp_path / "AFLW/1.jpg").unlink()
    with pytest.raises(ValueError, match=r"AFLW/1\.jpg does not exist; .*testing\.txt, line 2"):
        read_mtfl(tmp_path, 0)
    for line in ("a.jpg 1 2 3", f"a.jpg {'1 ' * 10} 1 1 1 6", f"a.jpg {'1 ' * 10} 1 0 1 1"):
        (tmp_path / "testing.txt").write_text(line)
        with pytest.raises(ValueError, match=r"line 1: a path, 10 coordinates and 4 codes"):
            read_mtfl(tmp_path, 0)


def test_a_coco_file_that_says_too_little(tmp_path):
    write_coco(tmp_path)
    text = (tmp_path / "testing.json").read_text()
    for word in ("original", "head_pose", "glasses"):
        (tmp_path / "testing.json").write_text(text.replace(word, "x"))
        with pytest.raises(ValueError, match=f"0.jpg does not say '{word}'; get MTFL.zip"):
            read_mtfl(tmp_path, 0)
    (tmp_path / "testing.json").write_text(text.replace("nose_tip", "nose"))
    with pytest.raises(ValueError, match="names the points"):
        read_mtfl(tmp_path, 0)
