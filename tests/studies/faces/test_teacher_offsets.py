"""Offsets between two markups, by hand."""

import numpy as np
import pytest

from docs.studies.faces.teacher_offsets import (
    errors,
    fit_offsets,
    from_face,
    less_offsets,
    print_table,
    to_face,
)


def test_the_face_has_axes_of_its_own() -> None:
    """Eyes 20 px apart, one below the other: the face lies on its side."""
    corners = np.array([[[50.0, 40.0], [50.0, 60.0]]])
    xy = np.array([[[50.0, 50.0], [50.0, 70.0], [40.0, 50.0]]])
    found = to_face(xy, corners)
    np.testing.assert_allclose(found, [[[0, 0], [1, 0], [0, 0.5]]], atol=1e-12)
    np.testing.assert_allclose(from_face(found, corners), xy)


def test_the_steadiest_point_is_chosen_not_the_nearest() -> None:
    """Of a landmark the first point is nearer, but moves; the second is 0.3 away always."""
    truth = np.array([[[0.0, 0.0]], [[0.1, 0.2]], [[0.2, 0.4]]])
    near = truth + np.array([[[0.05, 0]], [[-0.05, 0]], [[0, 0.05]]])
    far = truth + np.array([0.3, 0.0])
    points, offsets = fit_offsets(np.concatenate([near, far], 1), truth)
    assert points.tolist() == [1]
    np.testing.assert_allclose(offsets, [[-0.3, 0]], atol=1e-12)


def test_errors_are_in_percent_of_the_eyes_distance(capsys: pytest.CaptureFixture[str]) -> None:
    truth = np.zeros((2, 68, 2))
    truth[:, 45, 0] = 50, 100
    off = truth.copy()
    off[:, 30] += (3, 4)
    found = errors(off, truth)
    assert found[:, 30].tolist() == [10, 5] and found.sum() == 15
    print_table(7, (found, 3 * found, 2 * found))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "offsets of 7 training faces; 2 held-out photos"
    assert lines[4] == "| jaw line | 0.00 | 0.00 | 0.00 |"
    assert lines[5] == "| inner 51 | 0.15 | 0.44 | 0.29 |"  # 7.5 / 51
    assert lines[7] == "| nose | 0.83 | 2.50 | 1.67 |"  # 7.5 / 9


def test_an_offset_turns_and_grows_with_the_face() -> None:
    """A nose seen a tenth of the eyes' distance too far to the right, in a face and in the same
    one turned by a quarter and twice as large.
    """
    face = np.zeros((1, 68, 2))
    face[0, 36], face[0, 45], face[0, 30] = (-10, 0), (10, 0), (0, 12)
    seen = face.copy()
    seen[0, 30] += (2, 0)
    turn = np.array([[0.0, 2.0], [-2.0, 0.0]])  # (x, y) @ turn = (-2 y, 2 x)
    found = less_offsets((seen, face), seen @ turn + 40)
    np.testing.assert_allclose(found, face @ turn + 40, atol=1e-9)
