"""What is counted of a model of Shapes, on points written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from docs.studies.shapes_errors import margins, offsets


def test_how_much_nearer_one_is() -> None:
    target = np.array([[[3, 4], [6, 8]], [[0, 10], [10, 0]]], float)
    assert margins(target).tolist() == [5.0, 0.0]


def test_a_constant_offset_is_no_error() -> None:
    target = np.random.default_rng(0).uniform(10, 50, (101, 2, 2))
    moved = np.array([[-9.0, 1.0], [3.0, -2.0]])
    xy = target + moved
    xy[0, 1] += (3.0, 4.0)  # one landmark of one image strays
    usual, rest = offsets(xy, target)
    assert usual == pytest.approx(moved)
    assert rest[0, 1] == pytest.approx(5.0) and rest[1:].max() < 1e-9
