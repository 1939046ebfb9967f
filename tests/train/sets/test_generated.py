"""Shapes and Blocks: counts, geometry by hand, and that labels are where the pixels are."""

import numpy as np
import pytest

from train.data.pictures import choose_labelled, keep_labels
from train.sets.base import between, pixels
from train.sets.blocks import CLASSES, base_figure, blocks
from train.sets.drawing import drawn
from train.sets.shapes import shapes


def test_fifteen_classes_without_the_turned_one():
    assert len(CLASSES) == 15
    assert "RRRR" not in CLASSES and "DDDD" in CLASSES


@pytest.mark.parametrize(("moves", "pitch"), [("DDDD", 6), ("RDDD", 7), ("RDRD", 9)])
def test_base_figure_by_hand(moves, pitch):
    """n pieces at the longer extent share 36 px; squares are one pixel less than the pitch."""
    polygons, centres = base_figure(moves)
    step = {"R": np.array([pitch, 0]), "D": np.array([0, pitch])}
    at = np.full(2, 16 + (pitch - 2) / 2)
    wanted = [at]
    for move in moves:
        wanted.append(wanted[-1] + step[move])
    assert np.allclose(centres, wanted)
    assert np.allclose(polygons[0].max(0) - polygons[0].min(0), pitch - 1)
    head = polygons[5].mean(0) - centres[-1]
    assert float(head @ step[moves[-1]]) > 0.5 * pitch**2


def test_a_square_is_drawn_where_its_corners_are():
    image = drawn([np.array([(9.5, 19.5), (14.5, 19.5), (14.5, 22.5), (9.5, 22.5)])])
    lit = np.argwhere(image[..., 0] > 127)
    assert lit.min(0).tolist() == [20, 10] and lit.max(0).tolist() == [22, 14]
    assert abs(image[..., 0].sum() / 255 - 15) < 1.5


def test_blocks_are_balanced_split_and_where_they_say():
    found = blocks(seed=3, count=30)
    assert len(found.fit.rows(False)) == len(found.fit.rows(True)) == len(found.test.examples) == 30
    classes = [e.attributes["class"] for e in found.test.examples]
    assert all(classes.count(c) == 2 for c in CLASSES)
    for i, example in enumerate(found.test.examples):
        image = found.test.image(i)
        assert image.shape == (60, 60, 3)
        at = np.round(example.xy).astype(int)
        assert (image[at[:, 1], at[:, 0], 0] > 200).all()  # centres of white squares
        middle = np.round((example.xy[:-1] + example.xy[1:]) / 2).astype(int)
        assert image[middle[:, 1], middle[:, 0], 0].mean() < 250  # gaps between them


def test_blocks_depend_on_the_seed_alone():
    a, b, c = blocks(1, 15), blocks(1, 15), blocks(2, 15)
    assert np.array_equal(a.fit.image(4), b.fit.image(4))
    assert not np.array_equal(a.fit.image(4), c.fit.image(4))
    assert not np.array_equal(a.fit.image(4), a.test.image(4))


def test_shapes_show_what_the_class_says():
    found = shapes(seed=5, count=40)
    assert not any(e.labelled.any() for e in found.fit.examples)
    assert all(e.labelled.all() for e in found.test.examples)
    for i, example in enumerate(found.test.examples):
        near = np.linalg.norm(example.xy, axis=1).argmin()
        assert example.attributes["nearer"] == ("triangle", "square")[near]
        at = np.round(example.xy).astype(int)
        assert (found.test.image(i)[at[:, 1], at[:, 0], 0] > 200).all()


def test_few_labels_are_balanced_seeded_and_the_only_ones_left():
    data = blocks(0, 150).fit
    rows = choose_labelled(data, 0.2, 4, "class")
    assert len(rows) == 30 and rows == choose_labelled(data, 0.2, 4, "class")
    assert rows != choose_labelled(data, 0.2, 5, "class")
    classes = [data.examples[i].attributes["class"] for i in rows]
    assert all(classes.count(c) == 2 for c in CLASSES)
    kept = keep_labels(data, rows)
    assert [i for i in kept.rows(False) if kept.examples[i].labelled.any()] == list(rows)
    assert all(kept.examples[i].labelled.all() for i in kept.rows(True))


def test_metrics_by_hand():
    found = blocks(0, 15)
    assert (found.metrics[0].name, found.metrics[0].unit) == ("error", "px")
    errors = np.array([[1.0, 3.0, np.nan], [2.0, 2.0, 2.0]])
    target = np.zeros((2, 3, 2))
    target[:, 1] = (10, 0)
    target[:, 2] = (10, 10)
    assert found.metrics[0].of(errors, target, 60).tolist() == [2.0, 2.0]
    assert between((0,), (1, 2))(target, 60) == pytest.approx([np.hypot(10, 5)] * 2)
    assert pixels(target, 60).tolist() == [1, 1]
