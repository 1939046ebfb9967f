"""What the readers share: .pts files, square boxes, seeded splits."""

from pathlib import Path

import numpy as np
import pytest

from train.sets.points import example, last_of_shuffled, need, read_pts, square_box

PTS = "version: 1\nn_points:  3\n{\n1 1\n10.5 20\n4.000000 2.5e1\n}\n"


def test_pts_counts_from_one(tmp_path):
    path = tmp_path / "a.pts"
    path.write_text(PTS)
    assert read_pts(path, 3).tolist() == [[0, 0], [9.5, 19], [3, 24]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PTS.replace("{", ""), "is not a .pts file"),
        (PTS.replace("n_points", "points"), "is not a .pts file"),
        (PTS.replace("10.5", "ten"), "a point is not two numbers"),
        (PTS.replace("10.5", ""), "a point is not two numbers"),
        (PTS.replace("10.5", "nan"), "a point that is not finite"),
        (PTS.replace("1 1\n", ""), "holds 2 points, 3 are wanted"),
    ],
)
def test_other_files_are_refused(tmp_path, text, said):
    path = tmp_path / "a.pts"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        read_pts(path, 3)
    with pytest.raises(ValueError, match="does not exist"):
        read_pts(tmp_path / "b.pts", 3)


def test_square_about_the_middle():
    xy = [[0, 0], [10, 4], [np.nan, 99]]
    assert square_box(xy).tolist() == [0, -3, 10, 7]
    assert square_box(xy, 2.0, 1.0).tolist() == [-6, -9, 16, 13]
    with pytest.raises(ValueError, match="a box needs a landmark at least"):
        square_box(np.full((3, 2), np.nan))


def test_an_example_masks_what_is_not_known():
    xy = np.array([[1, 2], [np.nan, np.nan]], np.float32)
    e = example(Path("a.png"), xy, square_box([[0, 0], [4, 4]]), {"x": "y"}, ("s", "g"), True)
    assert e.labelled.tolist() == [True, False] and e.hold and not e.negative
    assert (e.source, e.group, e.quality) == ("s", "g", "manual")


def test_the_last_of_a_seeded_order():
    held = last_of_shuffled(100, 10, 3)
    order = np.random.default_rng([3, 11]).permutation(100).tolist()
    assert held == set(order[90:]) and len(held) == 10
    assert held == last_of_shuffled(100, 10, 3) != last_of_shuffled(100, 10, 4)
    assert last_of_shuffled(100, 20, 3) > held and last_of_shuffled(5, 0, 0) == set()


def test_need_says_what_to_do(tmp_path):
    assert need(tmp_path, "x") == tmp_path
    with pytest.raises(ValueError, match=r"nothing does not exist; get it$"):
        need(tmp_path / "nothing", "get it")
