"""Losses for faces, on numbers worked out by hand."""

import numpy as np
import pytest
import torch

from tracker.find.model_file import Attribute
from train.losses import check_weights
from train.losses.faces import LEAST, LIPS, OPENINGS, openings, openings_loss, turn, turn_loss
from train.losses.paper import Batch, LossSpec, Seen, attribute_loss, share_loss
from train.networks import NetSpec
from train.networks.model import Head, LandmarkNet

NET = NetSpec(size=32, stem=4, widths=(4, 4, 4, 4))


def a_face() -> torch.Tensor:
    """All points but those of openings at the corners of a 100 px square; each opening 6 px."""
    xy = torch.zeros(1, 70, 2)
    xy[:, 0], xy[:, 1] = 0.0, 100.0
    for a, b in (*OPENINGS, *LIPS):
        xy[0, a] = torch.tensor([50.0, 40.0])
        xy[0, b] = torch.tensor([50.0, 46.0])
    return xy


def test_an_opening_costs_what_its_length_is_off_by_over_its_length():
    target = a_face()
    # lips share ends with the mouth's opening: set them apart, so that every pair is 6 px long
    known = torch.ones(1, 70)
    xy = target.clone()
    xy[0, 37, 1] -= 2  # one lid 2 px higher: the opening is 8 px in place of 6
    true = (target[:, [b for _, b in (*OPENINGS, *LIPS)]] - target[
        :, [a for a, _ in (*OPENINGS, *LIPS)]]).norm(dim=-1)  # fmt: skip
    expected = 2 / (6 + LEAST * 100) / true.shape[1]
    assert openings_loss(xy, target, known).item() == pytest.approx(expected, rel=1e-3)


def test_moving_both_lids_alike_costs_nothing():
    target, known = a_face(), torch.ones(1, 70)
    assert openings_loss(target + 3, target, known).item() == pytest.approx(0, abs=1e-4)


def test_openings_that_are_not_labelled_cost_nothing():
    target, known = a_face(), torch.ones(1, 70)
    known[0, [37, 38, 43, 44]] = 0
    xy = target.clone()
    xy[0, [37, 38, 43, 44], 1] -= 30
    assert openings_loss(xy, target, known).item() == pytest.approx(0, abs=1e-4)
    assert openings_loss(xy, target, torch.zeros(1, 70)).item() == 0


def test_a_yaw_within_its_class_costs_nothing():
    between = torch.tensor([[12.0, 50.0], [12.0, 50.0], [-18.0, 18.0], [np.nan, np.nan]])
    yaw = torch.tensor([30.0, -3.0, 33.0, 90.0], requires_grad=True)
    loss = turn_loss(yaw, between)
    assert loss.item() == pytest.approx((0 + 15 / 30 + 15 / 30) / 3)
    loss.backward()
    assert yaw.grad is not None
    # 1 / 30 a degree, of three that are known
    np.testing.assert_allclose(yaw.grad, [0, -1 / 90, 1 / 90, 0], atol=1e-6)


def test_shares_cost_nothing_where_they_agree():
    head = Head(Attribute("expressions", size=3))
    target = torch.tensor([[0.25, 0.5, float("nan")]])
    raw = torch.logit(torch.tensor([[0.25, 0.5, 0.9]]))
    assert attribute_loss(head, raw, target).item() == pytest.approx(0, abs=1e-6)
    # by hand: of 0.5 against 0.25: -(.25 ln .5 + .75 ln .5) + (.25 ln .25 + .75 ln .75) = 0.130812
    wrong = torch.tensor([[0.0]])
    found = share_loss(wrong, torch.tensor([[0.25]]), torch.tensor([[True]]))
    assert found.item() == pytest.approx(0.130812, abs=1e-5)


def test_expressions_count_by_their_distance_as_well():
    target = torch.tensor([[0.25, 0.75]])
    raw = torch.tensor([[0.0, float(torch.logit(torch.tensor(0.75)))]])
    # by hand: |0.5 - 0.25| and 0.3 times the 0.130812 above, of two values
    found = attribute_loss(Head(Attribute("expressions", size=2)), raw, target)
    assert found.item() == pytest.approx((0.25 + 0.3 * 0.130812) / 2, abs=1e-5)
    visible = attribute_loss(Head(Attribute("visible", size=2)), raw, target)
    assert visible.item() == pytest.approx(0.130812 / 2, abs=1e-5)


def test_a_place_is_compared_as_the_head_gives_it():
    head = Head(Attribute("place", size=3))
    target = torch.tensor([[0.25, -0.5, 0.44]])
    assert attribute_loss(head, torch.tensor([[0.5, -1.0, 0.0]]), target).item() == pytest.approx(0)
    # off by 0.5, 0 and ln 2 in the raw output
    found = attribute_loss(head, torch.tensor([[1.0, -1.0, 0.6931472]]), target).item()
    assert found == pytest.approx((0.5 + 0 + 0.6931472) / 3, abs=1e-6)


def seen_of(landmarks: int, heads: tuple[Head, ...] = ()) -> Seen:
    model = LandmarkNet(landmarks, NET, heads).eval()
    batch = Batch(
        torch.zeros(1, 3, 32, 32), torch.zeros(1, landmarks, 2),
        torch.ones(1, landmarks, dtype=torch.bool), torch.ones(1), {}, torch.zeros(1, 2, 3),
    )  # fmt: skip
    return Seen(model, batch, model(batch.image), LossSpec())


def test_other_landmarks_than_a_faces_are_refused():
    with pytest.raises(ValueError, match="for the 68 landmarks of a face, these are 21"):
        openings(seen_of(21))
    assert torch.isfinite(openings(seen_of(70)))


def test_a_turn_needs_a_head_of_the_pose():
    with pytest.raises(ValueError, match="needs a head named pose"):
        turn(seen_of(70))


def test_their_weights_are_named():
    check_weights(LossSpec(more={"openings": 0.5, "turn": 0.3}))
