"""Metrics against numbers derived by hand."""

import numpy as np
import pytest

from train.evaluate import metrics

TARGET = np.array([[[0.0, 0.0], [10.0, 0.0], [0.0, 20.0]]])
ALL = np.ones((1, 3), bool)


def test_point_errors_and_mask():
    xy = TARGET + np.array([[[3.0, 4.0], [0.0, 1.0], [9.0, 9.0]]])
    mask = np.array([[True, True, False]])
    errors = metrics.point_errors(xy, TARGET, mask)
    np.testing.assert_allclose(errors[0, :2], [5, 1])
    assert np.isnan(errors[0, 2])


def test_normalisers():
    assert metrics.normalisers(TARGET, ALL, (0, 1)).tolist() == [10]
    assert metrics.normalisers(TARGET, ALL).tolist() == [20]  # longer side of the box
    hidden = np.array([[True, False, True]])
    assert np.isnan(metrics.normalisers(TARGET, hidden, (0, 1)))[0]


def test_nme_is_a_mean_over_images_in_percent():
    errors = np.array([[1.0, 3.0, np.nan], [10.0, 10.0, 10.0], [np.nan] * 3])
    lengths = np.array([10.0, 100.0, 10.0])
    each = metrics.nme_per_image(errors, lengths)
    np.testing.assert_allclose(each[:2], [20, 10])
    assert np.isnan(each[2])
    assert metrics.nme(errors, lengths) == pytest.approx(15)


def test_pck_auc_ced():
    errors, lengths = np.array([[1.0, 2.0, 3.0, np.nan]]), np.array([20.0])
    assert metrics.pck(errors, lengths, 0.1) == pytest.approx(2 / 3)
    each = np.array([2.0, 5.0, 20.0, np.nan])
    assert metrics.auc(each, 10) == pytest.approx((8 + 5 + 0) / 3 / 10)
    x, y = metrics.ced(each, 10, steps=10)
    assert (x[5], y[4], y[5], y[10]) == (
        5,
        pytest.approx(1 / 3),
        pytest.approx(2 / 3),
        pytest.approx(2 / 3),
    )


def test_confusion_leaves_out_the_unlabelled():
    table = metrics.confusion(np.array([0, 0, 1, -1]), np.array([0, 1, 1, 0]), 2)
    assert table.tolist() == [[1, 1], [0, 1]]
