"""Multi-PIE from tiny pictures and label files: split by person, classes, points, refusals."""

import cv2
import numpy as np
import pytest

from tests.helpers.faces import points68
from tests.helpers.matlab import write_mat
from train.sets.faces68 import METRICS
from train.sets.multipie import CAMERAS, read_multipie

SCENES = (
    ("001", "01", "02"), ("150", "02", "03"), ("151", "03", "03"), ("200", "04", "02"),
    ("201", "04", "03"),
)  # fmt: skip
LIGHTS = ("00", "07", "13")


def write_multipie(folder, scenes=SCENES):
    """Every scene from every camera under three illuminations, its label named after the last."""
    for camera in CAMERAS:
        (folder / "labels" / camera).mkdir(parents=True, exist_ok=True)
        for person, session, recording in scenes:
            name = f"{person}_{session}_{recording}_{camera}"
            shelf = folder / f"data/session{session}/multiview/{person}/{recording}"
            inside = shelf / f"{camera[:2]}_{camera[2]}"
            inside.mkdir(parents=True, exist_ok=True)
            for light in LIGHTS:
                picture = np.full((64, 64, 3), int(light), np.uint8)
                cv2.imwrite(str(inside / f"{name}_{light}.png"), picture)
            label = folder / "labels" / camera / f"{name}_{LIGHTS[-1]}_lm.mat"
            write_mat(label, {"pts": points68() + 1})
    return folder


def test_people_are_in_one_of_three_parts(tmp_path):
    data = read_multipie(write_multipie(tmp_path), 0)
    parts = [[data.fit.examples[i] for i in data.fit.rows(hold)] for hold in (False, True)]
    groups = [{e.group for e in p} for p in (*parts, data.test.examples)]
    assert groups == [{"person 001", "person 150"}, {"person 151", "person 200"}, {"person 201"}]
    assert [len(p) for p in (*parts, data.test.examples)] == [10, 10, 5]
    assert all(e.hold for e in data.test.examples)


def test_classes_points_and_box(tmp_path):
    data = read_multipie(write_multipie(tmp_path), 0)
    both = [*data.fit.examples, *data.test.examples]
    emotion = {"001": "smile", "150": "squint", "151": "disgust", "200": "neutral", "201": "scream"}
    for e in both:
        person, _, _, camera, _ = e.path.stem.split("_")
        assert e.attributes == {"emotion": emotion[person], "camera": camera}
        assert e.path.parent.name == f"{camera[:2]}_{camera[2]}"
    assert {e.attributes["camera"] for e in both} == set(CAMERAS)
    assert np.allclose(both[0].xy, points68()) and both[0].labelled.all()
    assert np.allclose(both[0].box_xyxy, [30 - 39, 25 - 39, 30 + 39, 25 + 39])  # 1.3 x 60 px
    assert data.metrics == METRICS


def test_illuminations_are_drawn_by_the_seed(tmp_path):
    write_multipie(tmp_path)

    def lights(seed):
        return [e.path.stem[-2:] for e in read_multipie(tmp_path, seed).fit.examples]

    assert lights(0) == lights(0) != lights(1)
    assert set(lights(0)) == set(LIGHTS)


def test_a_profile_s_39_points_are_left_out(tmp_path):
    write_multipie(tmp_path)
    path = tmp_path / "labels/130/001_01_02_130_13_lm.mat"
    write_mat(path, {"pts": points68()[:39]})
    assert len(read_multipie(tmp_path, 0).fit.examples) == 19


def test_refusals(tmp_path):
    with pytest.raises(ValueError, match=r"130 does not exist; get Multi-PIE and its landmark"):
        read_multipie(tmp_path, 0)
    write_multipie(tmp_path, SCENES[:4])
    with pytest.raises(ValueError, match=r"has nobody to train, validate or test"):
        read_multipie(tmp_path, 0)
    write_multipie(tmp_path, SCENES[4:])
    label = tmp_path / "labels/041/201_04_03_041_13_lm.mat"
    write_mat(label, {"pts": points68().T.copy()})
    with pytest.raises(ValueError, match=r"pts is \(2, 68\), \(68, 2\) is wanted"):
        read_multipie(tmp_path, 0)
    write_mat(label, {"points": points68()})
    with pytest.raises(ValueError, match=r"041_13_lm\.mat does not hold pts"):
        read_multipie(tmp_path, 0)
    write_mat(label.with_name("338_04_03_041_13_lm.mat"), {"pts": points68()})
    write_mat(label, {"pts": points68()})
    with pytest.raises(ValueError, match=r"338_04_03_041_13_lm\.mat is of no known recording or"):
        read_multipie(tmp_path, 0)
    label.with_name("338_04_03_041_13_lm.mat").unlink()
    for name in ("face_lm.mat", "201_04_03_051_13_lm.mat"):  # the second is another camera's
        label.with_name(name).touch()
        with pytest.raises(ValueError, match=r"is not named like 001_01_01_041_07_lm\.mat"):
            read_multipie(tmp_path, 0)
        label.with_name(name).unlink()
    for path in (tmp_path / "data/session04/multiview/201/03/04_1").iterdir():
        path.unlink()
    with pytest.raises(ValueError, match=r"04_1 holds no picture of 201_04_03_041; get Multi-PIE"):
        read_multipie(tmp_path, 0)
