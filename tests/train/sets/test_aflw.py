"""AFLW from a tiny MATLAB file, database and pictures: split, matching, signs of the pose."""

import sqlite3

import cv2
import numpy as np
import pytest

from tests.helpers.matlab import write_mat
from tracker.types import CropRule
from train.data.augment import crop_example
from train.data.pictures import mirror_name
from train.sets.aflw import MARKUP, pose_cues, read_aflw, settle_signs

FEW = (29, 4)
COUNT = sum(FEW)
POSES = np.random.default_rng(1).uniform(-30, 30, (COUNT, 3)).round(1)  # yaw, pitch, roll
ORDER = np.random.default_rng(2).permutation(COUNT)
LEVEL = np.full((19, 2), 50.0)
LEVEL[[6, 11, 13, 16]] = [(30, 40), (70, 40), (50, 50), (50, 70)]


def face(yaw=0.0, pitch=0.0, roll=0.0):
    """19 points whose nose goes right with yaw and up with pitch, turned clockwise by roll."""
    xy = LEVEL.copy()
    xy[13] += (yaw / 5, -pitch / 5)
    c, s = np.cos(np.deg2rad(roll)), np.sin(np.deg2rad(roll))
    return (xy - 50) @ np.array([[c, s], [-s, c]]) + 50


def write_aflw(folder, sign=(-1, 1, -1)):
    """33 pictures of a face about (50, 50) and, in the database alone, one about (500, 50)."""
    (folder / "flickr/0").mkdir(parents=True)
    names = [f"0/image{i:05d}.jpg" for i in range(COUNT)]
    base = sqlite3.connect(folder / "aflw.sqlite")
    base.executescript(
        "CREATE TABLE Faces (face_id, file_id); CREATE TABLE FaceImages (file_id, filepath);"
        "CREATE TABLE FaceRect (face_id, x, y, w, h);"
        "CREATE TABLE FacePose (face_id, roll, pitch, yaw);"
    )
    for i, name in enumerate(names):
        cv2.imwrite(str(folder / "flickr" / name), np.full((110, 120, 3), 7 * i, np.uint8))
        base.execute("INSERT INTO FaceImages VALUES (?, ?)", (name[2:], name))
        yaw, pitch, roll = np.deg2rad(POSES[i]) * sign
        for face_id, left, pose in ((2 * i, 480, (9, 9, 9)), (2 * i + 1, 30, (roll, pitch, yaw))):
            if (i, left) != (0, 30):  # face 0 is missing, and the other one is too far away
                base.execute("INSERT INTO Faces VALUES (?, ?)", (face_id, name[2:]))
                base.execute("INSERT INTO FaceRect VALUES (?, ?, 31, 42, 42)", (face_id, left))
                base.execute("INSERT INTO FacePose VALUES (?, ?, ?, ?)", (face_id, *pose))
    base.commit()
    base.close()
    xy = np.stack([face(*pose) for pose in POSES])
    visible = np.ones((COUNT, 19), np.uint8)
    visible[ORDER[-1], 3] = 0  # the last of the test set
    variables = {
        "nameList": names, "data": np.hstack([xy[..., 0], xy[..., 1]]), "mask_new": visible,
        "bbox": np.tile([20.0, 80.0, 15.0, 85.0], (COUNT, 1)),
        "ra": (ORDER[None] + 1).astype("i4"),
    }  # fmt: skip
    write_mat(folder / "AFLWinfo_release.mat", variables)
    return variables


def number(e):
    return int(e.path.stem[5:])


def test_split_is_that_of_the_file_and_a_tenth_validates(tmp_path):
    write_aflw(tmp_path)
    data = read_aflw(tmp_path, 0, FEW)
    assert [number(e) for e in data.fit.examples] == ORDER[:29].tolist()
    assert [number(e) for e in data.test.examples] == ORDER[29:].tolist()
    assert (len(data.fit.rows(False)), len(data.fit.rows(True))) == (27, 2)
    assert data.parts == {"full": (0, 1, 2, 3), "frontal": (0, 1, 2)}
    assert data.fit.rows(True) != read_aflw(tmp_path, 1, FEW).fit.rows(True)


def test_points_boxes_and_crop(tmp_path):
    write_aflw(tmp_path)
    data = read_aflw(tmp_path, 0, FEW).test
    e = data.examples[0]
    assert np.allclose(e.xy, face(*POSES[number(e)]), atol=1e-4) and e.labelled.all()
    assert e.box_xyxy.tolist() == [20, 15, 80, 85]
    crop = crop_example("face", e, data.image(0), 80, (), rule=CropRule(1.0, (), "box"))
    assert np.allclose(crop.xy, 39.5 + (e.xy - 50) * 80 / 70, atol=1e-4)  # 70 px become 80


@pytest.mark.parametrize("sign", [(-1, 1, -1), (1, -1, 1)])
def test_pose_in_our_signs_whatever_the_file_s(tmp_path, sign):
    write_aflw(tmp_path, sign)
    data = read_aflw(tmp_path, 0, FEW)
    both = [*data.fit.examples, *data.test.examples]
    assert all(np.allclose(e.attributes["pose"], POSES[number(e)]) for e in both if number(e))
    assert [e.attributes for e in both if not number(e)] == [{}]


def test_cues_rise_with_their_angle_alone():
    """Nose 4 px right, then up, of 30 px from eyes to mouth; sine of the eye line's slope."""
    xy = np.stack([face(), face(yaw=20), face(pitch=20), face(roll=30)])
    change = pose_cues(xy)[1:] - pose_cues(xy)[0]
    assert np.allclose(change, np.diag([4 / 30, 4 / 30, 0.5]))


def test_signs_leave_unknown_poses_out():
    cues = np.array([[0.0, 0, 0], [1, 1, 1], [2, 2, 2]])
    radians = np.array([[5.0, 5, 5], [np.nan, 0, 0], [4, 6, 4]])
    assert settle_signs(radians, cues).tolist() == [-1, 1, -1]


def test_mirror_pairs_follow_the_names():
    pairs = {frozenset(p) for p in MARKUP.flip_pairs}
    for i, name in enumerate(MARKUP.landmarks):
        partner = MARKUP.landmarks.index(mirror_name(name))
        assert (frozenset((i, partner)) in pairs) == (i != partner)


def test_error_is_relative_to_the_box(tmp_path):
    write_aflw(tmp_path)
    (metric,) = read_aflw(tmp_path, 0, FEW).metrics
    assert metric.of(np.full((1, 19), 2.0), LEVEL[None], 80).tolist() == [2.5]


def test_refusals(tmp_path):
    with pytest.raises(ValueError, match=r"AFLWinfo_release\.mat does not exist; get the pictures"):
        read_aflw(tmp_path, 0)
    variables = write_aflw(tmp_path)
    with pytest.raises(ValueError, match=r"data is \(33, 38\), \(24386, 38\) is wanted"):
        read_aflw(tmp_path, 0)
    (tmp_path / "flickr/0/image00003.jpg").unlink()
    with pytest.raises(ValueError, match=r"image00003\.jpg does not exist; get the pictures"):
        read_aflw(tmp_path, 0, FEW)
    write_mat(tmp_path / "AFLWinfo_release.mat", variables | {"nameList": ["other.jpg"] * COUNT})
    with pytest.raises(ValueError, match="knows none of the faces"):
        read_aflw(tmp_path, 0, FEW)
    write_mat(tmp_path / "AFLWinfo_release.mat", variables | {"ra": np.ones((1, COUNT))})
    with pytest.raises(ValueError, match="does not name and order 33 faces"):
        read_aflw(tmp_path, 0, FEW)
    write_mat(tmp_path / "AFLWinfo_release.mat", variables)
    (tmp_path / "aflw.sqlite").write_text("no database" * 99)
    with pytest.raises(ValueError, match=r"aflw\.sqlite is not AFLW's database"):
        read_aflw(tmp_path, 0, FEW)
    (tmp_path / "aflw.sqlite").unlink()
    with pytest.raises(ValueError, match=r"aflw\.sqlite does not exist; get the pictures and"):
        read_aflw(tmp_path, 0, FEW)
