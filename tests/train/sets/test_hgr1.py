"""HGR1 from tiny pictures and XML files: split by person, points, metric, refusals."""

import cv2
import numpy as np
import pytest

from tracker.find.geometry import frame_to_crop
from tracker.types import CropRule
from train.data.augment import true_box
from train.sets.hgr1 import read_hgr1, read_points

HAND = np.array([[20 + i, 10 + 2 * (i % 5)] for i in range(25)])
HAND[0], HAND[24] = (20, 50), (50, 10)  # the wrist: 30 and 40 px apart, so 50


def xml(points):
    inside = "".join(f'<FeaturePoint x="{x}" y="{y}" />\n' for x, y in points)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<FeaturePointList>'
        f'<IMAGE WIDTH="90" HEIGHT="80" /><hand>{inside}</hand></FeaturePointList>'
    )


def write_hgr1(folder, images="original_images", points="feature_points"):
    for where in (images, points):
        (folder / where).mkdir(parents=True)
    for person in range(1, 13):
        for gesture in ("1_P", "A_A"):
            name = f"{gesture}_hgr1_id{person:02d}_1"
            cv2.imwrite(str(folder / images / f"{name}.jpg"), np.full((80, 90, 3), 9, np.uint8))
            (folder / points / f"{name}.xml").write_text(xml(HAND + person))
    return folder


def people(examples):
    return {int(e.group.split()[1]) for e in examples}


@pytest.mark.parametrize("archives", [True, False])
def test_people_are_in_one_of_three_parts(tmp_path, archives):
    names = ("hgr1_images/original_images", "hgr1_feature_pts/feature_points")
    data = read_hgr1(write_hgr1(tmp_path, *names) if archives else write_hgr1(tmp_path))
    parts = [[data.fit.examples[i] for i in data.fit.rows(hold)] for hold in (False, True)]
    assert people(parts[0]) == set(range(1, 9)) and len(parts[0]) == 16
    assert people(parts[1]) == {11, 12} and len(parts[1]) == 4
    assert people(data.test.examples) == {9, 10} and all(e.hold for e in data.test.examples)


def test_points_gesture_and_crop(tmp_path):
    e = read_hgr1(write_hgr1(tmp_path)).test.examples[-1]
    assert e.path.name == "A_A_hgr1_id10_1.jpg" and e.attributes == {"gesture": "A_A"}
    assert e.xy.tolist() == (HAND + 10).tolist() and e.labelled.all()
    # the points span 20..50 by 10..50; 1.3 times 40 px become 64, about (35, 30)
    matrix = frame_to_crop(true_box("hand", e, (80, 90), CropRule(1.0, (), "box")), 64)
    k = 64 / 52
    assert np.allclose(matrix, [[k, 0, 31.5 - 45 * k], [0, k, 31.5 - 40 * k]], atol=1e-5)


def test_points_that_are_not_labelled(tmp_path):
    points = HAND.copy()
    points[3] = -1
    (tmp_path / "a.xml").write_text(xml(points))
    xy = read_points(tmp_path / "a.xml")
    assert np.isnan(xy[3]).all() and np.isfinite(np.delete(xy, 3, 0)).all()


def test_error_is_relative_to_the_wrist(tmp_path):
    (metric,) = read_hgr1(write_hgr1(tmp_path)).metrics
    assert metric.of(np.full((1, 25), 10.0), HAND[None].astype(float), 64).tolist() == [20.0]


def test_refusals(tmp_path):
    with pytest.raises(ValueError, match=r"original_images does not exist; get HGR1's original"):
        read_hgr1(tmp_path)
    points = write_hgr1(tmp_path) / "feature_points"
    first = points / "1_P_hgr1_id01_1.xml"
    first.write_text(xml(HAND[:24]))
    with pytest.raises(ValueError, match=r"holds 24 FeaturePoint, 25 are wanted"):
        read_hgr1(tmp_path)
    for text in ("<a>", xml(HAND).replace('x="20"', ""), xml(HAND).replace('x="20"', 'x="w"')):
        first.write_text(text)
        with pytest.raises(ValueError, match=r"id01_1\.xml is not XML with FeaturePoint x='\.\.'"):
            read_hgr1(tmp_path)
    first.unlink()
    with pytest.raises(ValueError, match=r"id01_1\.xml does not exist; get HGR1's"):
        read_hgr1(tmp_path)
    (tmp_path / "original_images/1_P_hgr1_id01_1.jpg").unlink()
    for path in (tmp_path / "original_images").glob("*id1[12]*"):
        path.unlink()
    with pytest.raises(ValueError, match=r"shows nobody of \[11, 12\]"):
        read_hgr1(tmp_path)
    (tmp_path / "original_images/1_P_hgr1_id13_1.jpg").touch()
    (points / "1_P_hgr1_id13_1.xml").write_text(xml(HAND))
    with pytest.raises(ValueError, match=r"id13_1\.jpg shows person 13, HGR1 has 1 to 12"):
        read_hgr1(tmp_path)
    (tmp_path / "original_images/0.jpg").touch()
    with pytest.raises(ValueError, match=r"0\.jpg is not named like 1_P_hgr1_id04_2\.jpg"):
        read_hgr1(tmp_path)
