"""Every term of equation 2 against numbers derived by hand."""

import math

import numpy as np
import pytest
import torch

from tests.helpers.blobs import blob_picture
from tracker.find.model_file import Attribute
from train.losses import composite
from train.losses.paper import (
    Batch,
    LossSpec,
    Seen,
    attribute_loss,
    elt_loss,
    elt_rows,
    heat_loss,
    narrow_loss,
    point_loss,
    presence_loss,
    warp_image,
    warp_points,
)
from train.networks import NetSpec
from train.networks.model import Head, LandmarkNet

GESTURE = Head(Attribute("gesture", ("a", "b")))
POSE = Head(Attribute("pose", size=3))


def affine(degrees: float, scale: float, dx: float, dy: float, size: int) -> torch.Tensor:
    a = math.radians(degrees)
    linear = scale * np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
    middle = np.full(2, (size - 1) / 2)
    shift = middle - linear @ middle + [dx, dy]
    return torch.tensor(np.column_stack([linear, shift]), dtype=torch.float32)[None]


def test_point_loss_by_hand():
    xy = torch.tensor([[[0.0, 0.0], [3.0, 4.0], [9.0, 9.0]]])
    target = torch.zeros(1, 3, 2)
    mask = torch.tensor([[True, True, False]])
    assert point_loss(xy, target, mask, "l2").item() == pytest.approx(12.5)  # (0 + 25) / 2
    assert point_loss(xy, target, mask, "l1").item() == pytest.approx(2.5, abs=0.01)


def test_unlabelled_points_have_no_gradient_even_when_nan():
    xy = torch.ones(1, 2, 2, requires_grad=True)
    target = torch.tensor([[[0.0, 0.0], [float("nan"), float("nan")]]])
    point_loss(xy, target, torch.tensor([[True, False]]), "l1").backward()
    assert torch.isfinite(xy.grad).all()
    assert xy.grad[0, 1].abs().sum() == 0


def test_narrow_heats_cost_what_they_lack_and_wide_ones_nothing():
    spread = torch.tensor([[0.5, 1.0], [3.0, 0.0]], requires_grad=True)
    loss = narrow_loss(spread, 1.0)
    assert loss.item() == pytest.approx((0.25 + 0 + 0 + 1) / 4)
    loss.backward()
    assert spread.grad.tolist() == [[-0.25, 0.0], [0.0, -0.5]]  # downhill is wider


def test_the_cost_of_narrow_heats_is_a_term_with_a_weight():
    torch.manual_seed(0)
    model = LandmarkNet(2, NetSpec(), ())
    batch = Batch(
        torch.rand(3, 3, 128, 128) * 255, torch.zeros(3, 2, 2), torch.zeros(3, 2, dtype=torch.bool),
        torch.ones(3), {}, torch.eye(2, 3).repeat(3, 1, 1),
    )  # fmt: skip
    out = model(batch.image)
    off = LossSpec(alpha=0.0, attribute=0.0)
    on = LossSpec(alpha=0.0, attribute=0.0, narrow=0.5, width=100.0)
    assert "narrow" not in composite(Seen(model, batch, out, off))
    wanted = 0.5 * (100 - out.spread).clamp(min=0).square().mean()
    assert torch.isclose(composite(Seen(model, batch, out, on))["narrow"], wanted)


def test_no_label_at_all_is_an_exact_zero():
    xy = torch.ones(1, 2, 2, requires_grad=True)
    loss = point_loss(xy, torch.zeros(1, 2, 2), torch.zeros(1, 2, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0.0


def test_heat_loss_is_least_at_the_gaussian_itself():
    g = torch.arange(9.0)
    logits = -((g - 4) ** 2)[:, None] / 2 - ((g - 4) ** 2)[None] / 2
    target, mask = torch.tensor([[[4.0, 4.0]]]), torch.ones(1, 1, dtype=torch.bool)
    best = heat_loss(logits[None, None], 1.0, target, mask, 1.0)
    p = torch.softmax(logits.flatten(), 0)
    assert best.item() == pytest.approx(-(p * p.log()).sum().item(), abs=1e-5)  # its own entropy
    assert heat_loss(torch.zeros(1, 1, 9, 9), 1.0, target, mask, 1.0).item() == pytest.approx(
        math.log(81), abs=1e-5
    )


def test_heat_loss_leaves_out_points_off_the_map():
    off = torch.tensor([[[40.0, 4.0]]])
    mask = torch.ones(1, 1, dtype=torch.bool)
    assert heat_loss(torch.randn(1, 1, 9, 9), 1.0, off, mask, 1.0).item() == 0.0


def test_attribute_loss_by_hand_and_masked():
    raw = torch.tensor([[0.0, 0.0], [5.0, -5.0]])
    assert attribute_loss(GESTURE, raw, torch.tensor([1, -1])).item() == pytest.approx(math.log(2))
    assert attribute_loss(GESTURE, raw, torch.tensor([-1, -1])).item() == 0.0
    value = torch.tensor([[1.0, 0.0, 0.0]])
    target = torch.tensor([[60.0, float("nan"), -30.0]])  # units of 30 degrees: 2, unknown, -1
    assert attribute_loss(POSE, value, target).item() == pytest.approx(1.0)  # (1 + 1) / 2


def test_presence_loss_masks_the_unknown():
    logit = torch.tensor([0.0, 100.0])
    known = presence_loss(logit, torch.tensor([1.0, float("nan")]))
    assert known.item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("degrees,scale,dx,dy", [(0, 1, 5, -3), (20, 1, 0, 0), (-15, 1.1, 3.3, 2)])
def test_a_warped_blob_lands_on_its_warped_point(degrees, scale, dx, dy):
    point = np.array([[25.3, 38.6], [40.0, 20.5], [30.2, 28.0], [36.1, 42.4]])
    picture = torch.from_numpy(blob_picture(point, 64)).float().permute(2, 0, 1)[None]
    matrix = affine(degrees, scale, dx, dy, 64)
    moved = warp_points(torch.tensor(point[None, 3:], dtype=torch.float32), matrix)[0, 0]
    bright = (warp_image(picture, matrix)[0].amin(0) - 60).clamp(min=0)  # only the white blob
    g = torch.arange(64.0)
    centre = torch.stack([(bright.sum(0) * g).sum(), (bright.sum(1) * g).sum()]) / bright.sum()
    torch.testing.assert_close(centre, moved, atol=0.05, rtol=0)


def test_elt_is_zero_for_an_equivariant_answer_and_counts_otherwise():
    xy = torch.tensor([[[20.0, 30.0], [40.0, 10.0]]])
    matrix = affine(10, 1.0, 2, 1, 64)
    exact = warp_points(xy, matrix)
    assert elt_loss(xy, exact, matrix, 64, "l2").item() == pytest.approx(0, abs=1e-8)
    assert elt_loss(xy, exact + torch.tensor([3.0, 4.0]), matrix, 64, "l2").item() == pytest.approx(
        25
    )


def test_elt_masks_points_that_leave_the_frame():
    xy = torch.tensor([[[60.0, 30.0], [20.0, 20.0]]])
    matrix = affine(0, 1.0, 10, 0, 64)  # the first goes to x = 70
    wrong = warp_points(xy, matrix) + torch.tensor([[[100.0, 0.0], [0.0, 2.0]]])
    assert elt_loss(xy, wrong, matrix, 64, "l2").item() == pytest.approx(4.0)


def test_elt_gradient_flows_through_both_branches():
    a = torch.tensor([[[20.0, 30.0]]], requires_grad=True)
    b = torch.tensor([[[25.0, 30.0]]], requires_grad=True)
    elt_loss(a, b, affine(5, 1.0, 0, 0, 64), 64, "l2").backward()
    assert a.grad.abs().sum() > 0
    assert b.grad.abs().sum() > 0


def tiny_batch() -> Batch:
    labelled = torch.tensor([[True, True], [False, False], [False, False]])
    return Batch(
        torch.rand(3, 3, 64, 64) * 255, torch.full((3, 2, 2), 20.0), labelled,
        torch.tensor([1.0, 1.0, 0.0]), {"gesture": torch.tensor([0, 1, -1])},
        affine(10, 1, 2, 2, 64).repeat(3, 1, 1),
    )  # fmt: skip


def test_elt_acts_on_unlabelled_objects_or_on_all():
    batch = tiny_batch()
    assert elt_rows(batch, LossSpec(elt_on="unlabelled")).tolist() == [1]
    assert elt_rows(batch, LossSpec(elt_on="all")).tolist() == [0, 1]


def test_composite_weights_its_terms():
    torch.manual_seed(0)
    model = LandmarkNet(2, NetSpec(size=64, stem=8, widths=(8, 8, 8, 8)), (GESTURE,)).eval()
    batch = tiny_batch()
    out = model(batch.image)
    rows = elt_rows(batch, LossSpec())
    warped = model(warp_image(batch.image[rows], batch.warp[rows]))
    one = composite(Seen(model, batch, out, LossSpec(gamma=1e-3), warped))
    two = composite(Seen(model, batch, out, LossSpec(2.0, 1.0, 2.0, 2e-3), warped))
    assert set(one) == {"landmark", "gesture", "elt", "decay"}
    for name in one:
        assert two[name].item() == pytest.approx(2 * one[name].item(), rel=1e-5)
    squares = sum(float((p.detach() ** 2).sum()) for p in model.parameters() if p.ndim > 1)
    assert one["decay"].item() == pytest.approx(1e-3 * squares, rel=1e-4)


def test_weights_shift_the_mean_towards_what_counts_more():
    """Distances 5 and 10, weights 1 and 1/2: (5 + 5) / 1.5; a weight of 0 is a mask."""
    xy = torch.tensor([[[3.0, 4.0], [6.0, 8.0], [9.0, 9.0]]])
    weight = torch.tensor([[1.0, 0.5, 0.0]])
    loss = point_loss(xy, torch.zeros(1, 3, 2), weight, "l1")
    assert loss.item() == pytest.approx(10 / 1.5, abs=0.02)
    flat = torch.zeros(1, 3, 9, 9)
    sharp = flat.clone()
    sharp[0, 1, 4, 4] = 3.0
    target = torch.full((1, 3, 2), 4.0)
    each = [heat_loss(h[:, 1:2], 1.0, target[:, 1:2], torch.ones(1, 1), 0.0) for h in (flat, sharp)]
    wanted = (1.0 * each[0] + 0.5 * each[1]) / 1.5
    torch.testing.assert_close(heat_loss(sharp, 1.0, target, weight, 0.0), wanted)


def test_places_in_space_are_compared_in_palm_lengths():
    head = Head(Attribute("xyz", size=3), "both")
    raw, truth = torch.tensor([[0.5, 0.0, 0.0]]), torch.tensor([[0.2, 0.0, 0.3]])
    assert attribute_loss(head, raw, truth).item() == pytest.approx(0.2)  # (0.3 + 0 + 0.3) / 3
    unknown = torch.full((1, 3), float("nan"))
    assert attribute_loss(head, raw, unknown).item() == 0.0
