"""300W from tiny folders of pictures and .pts files: split, parts, coordinates, crop, refusals."""

import cv2
import numpy as np
import pytest

from tests.helpers.faces import points68
from tracker.types import CropRule
from train.data.augment import crop_example
from train.reproduce.experiments import EXPERIMENTS
from train.sets.faces300w import COUNTS, read_300w

FEW = {
    "AFW": 5, "HELEN/trainset": 12, "LFPW/trainset": 12,
    "HELEN/testset": 4, "LFPW/testset": 2, "IBUG": 3,
}  # fmt: skip


def write_300w(folder, counts=FEW):
    """Faces of `points68`, moved by 3 px right for every next file; the file counts from 1."""
    for name, count in counts.items():
        where = folder / name.lower()
        where.mkdir(parents=True)
        suffix = ".png" if "LFPW" in name else ".jpg"
        for i in range(count):
            picture = np.full((64, 100, 3), 40, np.uint8)
            xy = points68() + np.array([3 * i, 0])
            x, y = xy[36].astype(int)
            picture[y - 1 : y + 2, x - 1 : x + 2] = 255
            cv2.imwrite(str(where / f"image {i}_1{suffix}"), picture)
            lines = "\n".join(f"{x:.6f} {y:.6f}" for x, y in xy + 1)
            (where / f"image {i}_1.pts").write_text(f"version: 1\nn_points: 68\n{{\n{lines}\n}}\n")
    return folder


def test_the_paper_s_numbers():
    assert sum(list(COUNTS.values())[:3]) == 3148 and sum(list(COUNTS.values())[3:]) == 689


def test_split_and_parts(tmp_path):
    data = read_300w(write_300w(tmp_path), counts=FEW)
    assert (len(data.fit.rows(False)), len(data.fit.rows(True))) == (27, 2)
    assert data.fit.rows(True) == [5, 13]  # RandomState(7345).permutation(20) ends in 13, 5
    assert {k: len(v) for k, v in data.parts.items()} == {"common": 6, "ibug": 3, "fullset": 9}
    sources = [e.source for e in data.test.examples]
    assert {sources[i] for i in data.parts["common"]} == {"helen/testset", "lfpw/testset"}
    assert {sources[i] for i in data.parts["ibug"]} == {"ibug"}
    assert data.whole_pixels == "photo"
    assert all(e.hold for e in data.test.examples)
    assert data.fit.rows(True) != read_300w(tmp_path, 1, FEW).fit.rows(True)


def test_the_experiment_has_the_split_of_rcns_code(tmp_path, monkeypatch):
    for name, count in FEW.items():
        monkeypatch.setitem(COUNTS, name, count)
    read = EXPERIMENTS["300w"].read
    assert read(write_300w(tmp_path), 0).fit.rows(True) == [5, 13]


def test_points_count_from_zero_and_the_box_is_square(tmp_path):
    e = read_300w(write_300w(tmp_path), counts=FEW).test.examples[1]
    assert e.path.name == "image 1_1.jpg" and e.path.parent.name == "testset"
    assert np.allclose(e.xy, points68() + np.array([3, 0])) and e.labelled.all()
    assert np.allclose(e.box_xyxy, [3, -5, 63, 55])


def test_the_eye_is_where_its_point_is_in_the_crop(tmp_path):
    """78 px become 80: the point (13, 20) of the box about (33, 25)."""
    data = read_300w(write_300w(tmp_path), counts=FEW).test
    rule = CropRule(1.3, (), "box")
    crop = crop_example("face", data.examples[1], data.image(1), 80, (), rule=rule)
    assert np.allclose(crop.xy[36], [39.5 - 20 * 80 / 78, 39.5 - 5 * 80 / 78], atol=1e-4)
    x, y = crop.xy[36].round().astype(int)
    assert crop.bgr[y, x, 0] > 200 and crop.bgr[y, x + 5, 0] < 80


def test_mirrored_copies_are_left_out(tmp_path):
    write_300w(tmp_path)
    (tmp_path / "afw/image 0_1_mirror.pts").write_text("anything")
    assert len(read_300w(tmp_path, counts=FEW).fit.examples) == 29


def test_refusals(tmp_path):
    with pytest.raises(ValueError, match=r"AFW does not exist; get AFW, HELEN, LFPW and IBUG"):
        read_300w(tmp_path)
    write_300w(tmp_path)
    with pytest.raises(ValueError, match=r"afw holds 5 \.pts files, 337 are wanted; get AFW"):
        read_300w(tmp_path)
    (tmp_path / "ibug/image 2_1.jpg").unlink()
    with pytest.raises(ValueError, match=r"image 2_1\.pts has no picture beside it"):
        read_300w(tmp_path, counts=FEW)
    (tmp_path / "helen/testset/image 0_1.pts").write_text("n_points: 1\n{\n1 1\n}")
    with pytest.raises(ValueError, match=r"holds 1 points, 68 are wanted"):
        read_300w(tmp_path, counts=FEW)
