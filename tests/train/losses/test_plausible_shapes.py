"""Plausible shapes: alignment and distance against numbers derived by hand."""

import numpy as np
import pytest
import torch

from tests.helpers.blobs import write_blobs
from train.data.pictures import hide_landmarks, read_coco
from train.losses.plausible_shapes import (
    align,
    distance,
    fit_space,
    labelled_shapes,
    training_space,
)

CROSS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])  # RMS radius 1


def stretched(a: float, b: float) -> torch.Tensor:
    return (CROSS * torch.tensor([a, b]))[None]


def moved(xy: torch.Tensor, degrees: float, size: float, dx: float, dy: float) -> torch.Tensor:
    a = np.deg2rad(degrees)
    turn = torch.tensor([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]], dtype=torch.float32)
    return size * xy @ turn.T + torch.tensor([dx, dy])


@pytest.mark.parametrize("degrees", [0, 30, -100, 179])
def test_alignment_frees_a_shape_of_place_size_and_turn(degrees):
    torch.testing.assert_close(
        align(moved(CROSS[None], degrees, 17.0, 40, -3), CROSS)[0], CROSS, atol=1e-5, rtol=0
    )


def test_distance_from_a_single_shape_by_hand():
    space = fit_space(moved(CROSS[None], 10, 5.0, 1, 2).repeat(9, 1, 1).numpy())
    assert space.basis.shape == (8, 0)
    # stretched to half axes 1.2 and 0.8, the RMS radius is sqrt(1.04): 1.17670 and 0.78446 remain
    found = distance(moved(stretched(1.2, 0.8), 77, 3.0, 5, 6), space)
    expected = torch.tensor([[0.17670, 0.21554, 0.17670, 0.21554]])
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_a_way_in_which_the_labels_vary_is_no_distance():
    shapes = torch.cat([stretched(1 + d, 1 - d) for d in np.linspace(-0.1, 0.1, 21)])
    space = fit_space(shapes.numpy())
    assert space.basis.shape == (8, 1)
    assert float(distance(stretched(1.08, 0.92), space).max()) < 0.005
    bent = CROSS.clone()
    bent[0, 1] += 0.5  # no label ever did this
    assert float(distance(bent[None], space).max()) > 0.2


def test_gradient_pulls_a_shape_back():
    space = fit_space(CROSS[None].repeat(8, 1, 1).numpy())
    xy = (CROSS * 20 + 30).clone()
    xy[0, 0] += 6
    xy.requires_grad_()
    distance(xy[None], space).sum().backward()
    assert xy.grad[0, 0] > 0  # descent moves the point back
    assert torch.isfinite(xy.grad).all()
    exact = (CROSS * 20).clone().requires_grad_()
    distance(exact[None], space).sum().backward()
    assert torch.isfinite(exact.grad).all()


def test_too_few_labels_turn_it_off_with_a_sentence(tmp_path):
    data = read_coco(write_blobs(tmp_path, 10))  # 8 for training, K = 4
    space, why = training_space(data, 0.0)
    assert space is not None
    assert why == ""
    few = hide_landmarks(data, 0.8, 0)
    space, why = training_space(few, 0.5)
    assert space is None
    assert why == "plausible shapes are off: 6 pictures have every landmark labelled, 8 are needed"


def test_mirror_images_change_partners(tmp_path):
    from dataclasses import replace

    from train.data.pictures import Markup

    data = read_coco(write_blobs(tmp_path, 3, hold=2))
    data = replace(data, markup=Markup(data.markup.landmarks, (), ((0, 1),)))
    own, mirrored = labelled_shapes(data, True)
    np.testing.assert_allclose(mirrored[0], own[1] * [-1, 1])
    np.testing.assert_allclose(mirrored[3], own[3] * [-1, 1])
