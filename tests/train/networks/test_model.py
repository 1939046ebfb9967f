"""Soft-argmax, spread and heads."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tracker.find.model_file import Attribute
from train.networks import NetSpec
from train.networks.model import (
    Head,
    LandmarkNet,
    attribute_values,
    by_up,
    raw_place,
    soft_argmax,
)

SMALL = NetSpec(size=64, stem=8, widths=(8, 8, 8, 8))
GESTURE = Head(Attribute("gesture", ("a", "b", "c")))


def numpy_soft_argmax(heat: np.ndarray, beta: float) -> np.ndarray:
    """Equation 1, written out a map at a time."""
    n, k, h, w = heat.shape
    out = np.zeros((n, k, 2))
    for i in range(n):
        for j in range(k):
            m = beta * heat[i, j]
            p = np.exp(m - m.max())
            p /= p.sum()
            for y in range(h):
                for x in range(w):
                    out[i, j] += p[y, x] * np.array([x, y])
    return out


def test_soft_argmax_is_equation_1():
    heat = np.random.default_rng(0).normal(0, 2, (2, 3, 5, 7))
    xy, _ = soft_argmax(torch.from_numpy(heat), 1.7)
    np.testing.assert_allclose(xy.numpy(), numpy_soft_argmax(heat, 1.7), atol=1e-5)


def test_soft_argmax_by_hand():
    """Two equal pixels (1, 2) and (3, 2): the mean is (2, 2), the variance 1."""
    heat = torch.full((1, 1, 4, 5), -100.0)
    heat[0, 0, 2, 1] = heat[0, 0, 2, 3] = 0.0
    xy, spread = soft_argmax(heat, 1.0)
    torch.testing.assert_close(xy[0, 0], torch.tensor([2.0, 2.0]))
    torch.testing.assert_close(spread[0, 0], torch.tensor(1.0), atol=1e-4, rtol=0)


def test_huge_logits_stay_finite():
    heat = torch.zeros(1, 1, 4, 4)
    heat[0, 0, 1, 2] = 1e6
    xy, spread = soft_argmax(heat, 100.0)
    assert xy[0, 0].tolist() == [2.0, 1.0]
    assert torch.isfinite(spread).all()


def test_heat_pixels_become_crop_pixels():
    """The centre of heat pixel 0 at stride 4 is crop pixel 1.5."""
    model = LandmarkNet(1, SMALL, ()).eval()
    heat = torch.zeros(1, 1, 16, 16)
    heat[0, 0, 3, 0] = 1000.0
    out = model.finish(heat, torch.zeros(1, 8, 2, 2))
    torch.testing.assert_close(out.xy[0, 0], torch.tensor([1.5, 13.5]))


def test_attribute_error_reaches_the_heat():
    """Sequential multi-tasking: the class's error has a gradient on the localiser."""
    torch.manual_seed(0)
    model = LandmarkNet(4, SMALL, (GESTURE,)).eval()
    out = model(torch.rand(2, 3, 64, 64) * 255)
    torch.nn.functional.cross_entropy(out.attributes["gesture"], torch.tensor([0, 2])).backward()
    assert model.net.head.weight.grad.abs().sum() > 0


def test_landmark_head_sees_nothing_but_relative_landmarks():
    torch.manual_seed(0)
    head = LandmarkNet(4, SMALL, (GESTURE,)).eval().heads["gesture"]
    xy = torch.rand(1, 4, 2) * 64
    torch.testing.assert_close(head(xy), head(xy * 1.5 + 7), atol=1e-4, rtol=1e-4)


def test_score_falls_with_spread():
    model = LandmarkNet(1, SMALL, ())
    model.calibration.copy_(torch.tensor([-4.0, 2.0]))
    score = model.score(torch.tensor([[1.0], [4.0]]))
    # by hand: -4 - 2 ln(1/64) = 4.3178, -4 - 2 ln(4/64) = 1.5452
    np.testing.assert_allclose(score.detach().numpy()[:, 0], [0.98684, 0.82422], atol=1e-4)


def test_values_shown_to_users():
    pose = Head(Attribute("pose", size=3))
    assert attribute_values(pose, torch.tensor([[1.0, -0.5, 0.0]])).tolist() == [[30, -15, 0]]
    assert attribute_values(GESTURE, torch.zeros(1, 3)).sum().item() == 1.0


def test_a_head_that_sees_up_tells_the_same_points_apart():
    up = Head(Attribute("gesture", ("a", "b")), up=True)
    torch.manual_seed(0)
    model = LandmarkNet(4, SMALL, (up, Head(Attribute("side", ("l", "r"))))).eval()
    image = torch.rand(1, 3, 64, 64) * 255
    ways = [model(image, torch.tensor([v])).attributes for v in ([0.0, -1.0], [0.0, 1.0])]
    assert not torch.allclose(ways[0]["gesture"], ways[1]["gesture"])
    torch.testing.assert_close(ways[0]["side"], ways[1]["side"])
    nothing = model(image).attributes["gesture"]
    torch.testing.assert_close(nothing, model(image, torch.zeros(1, 2)).attributes["gesture"])
    with pytest.raises(ValueError, match="does not see 'up'"):
        LandmarkNet(4, SMALL, (replace(up, source="image"),))


def test_by_up_gives_the_head_for_eight_turns():
    """Row j is the head's answer for a crop turned by 45 j degrees: up is (-sin, -cos) there."""
    head = Head(Attribute("gesture", ("a", "b")), up=True)
    torch.manual_seed(0)
    model = LandmarkNet(4, SMALL, (head,)).eval()
    image = torch.rand(2, 3, 64, 64) * 255
    out = model(image)
    table = by_up(model, head, out)
    assert table.shape == (2, 8, 2)
    for j, up in ((0, [0.0, -1.0]), (2, [-1.0, 0.0]), (4, [0.0, 1.0])):
        raw = model(image, torch.tensor([up] * 2)).attributes["gesture"]
        torch.testing.assert_close(table[:, j], attribute_values(head, raw), atol=1e-5, rtol=1e-4)


def test_a_gist_tells_where_the_object_is():
    """A mean over the coarse maps is the same for a shifted object; the gist is not."""
    spec = NetSpec(size=64, stem=8, widths=(8, 8, 8, 8), gist=16)
    torch.manual_seed(0)
    model = LandmarkNet(4, spec, (Head(Attribute("side", ("l", "r")), "both"),)).eval()
    coarse = torch.zeros(1, 8, 2, 2)
    coarse[:, :, 0, 0] = 1.0
    heat = torch.zeros(1, 4, 16, 16)
    one, other = model.finish(heat, coarse), model.finish(heat, coarse.flip(-1))
    assert one.pooled is not None and one.pooled.shape == (1, 16)
    assert not torch.allclose(one.presence, other.presence)


FINE = replace(SMALL, fine=(2, 0), fine_width=8)


def test_fine_landmarks_have_heat_of_twice_the_resolution():
    """The centre of heat pixel i at stride 2 is crop pixel 2 i + 0.5, at stride 4 it is 4 i + 1.5.

    Landmark 2 is the first of the fine ones, landmark 0 the second.
    """
    model = LandmarkNet(3, FINE, ()).eval()
    maps = torch.zeros(1, 2, 32, 32)
    maps[0, 0, 5, 9] = maps[0, 1, 31, 0] = 1000.0
    coarse = torch.zeros(1, 1, 16, 16)
    coarse[0, 0, 3, 7] = 1000.0
    heat = torch.cat([coarse, torch.nn.functional.pixel_unshuffle(maps, 2)], 1)
    xy = model.finish(heat, torch.zeros(1, 8, 2, 2)).xy[0]
    torch.testing.assert_close(xy, torch.tensor([[0.5, 62.5], [29.5, 13.5], [18.5, 10.5]]))


def test_every_landmark_learns_from_its_own_heat():
    torch.manual_seed(0)
    model = LandmarkNet(3, FINE, ()).eval()
    out = model(torch.rand(2, 3, 64, 64) * 255)
    assert out.heat.shape == (2, 1 + 4 * 2, 16, 16)
    assert out.xy.shape == (2, 3, 2) and out.spread.shape == (2, 3)
    out.xy[:, 1].sum().backward()
    assert model.net.head.weight.grad.abs().sum() > 0
    assert model.net.fine.head.weight.grad is None or not model.net.fine.head.weight.grad.any()


@pytest.mark.parametrize("fine", [(0, 3), (0, 0)])
def test_fine_landmarks_must_exist_once(fine):
    with pytest.raises(ValueError, match="fine takes different landmarks from 0 to 2"):
        LandmarkNet(3, replace(SMALL, fine=fine), ())


def test_without_flow_a_heads_error_moves_no_landmark():
    torch.manual_seed(0)
    model = LandmarkNet(4, SMALL, (replace(GESTURE, flow=False),)).eval()
    out = model(torch.rand(2, 3, 64, 64) * 255)
    torch.nn.functional.cross_entropy(out.attributes["gesture"], torch.tensor([0, 2])).backward()
    assert model.net.head.weight.grad is None
    assert model.heads["gesture"].layers[0].weight.grad.abs().sum() > 0


def test_shares_and_places_shown_to_users():
    shares = Head(Attribute("expressions", size=2))
    assert attribute_values(shares, torch.zeros(1, 2)).tolist() == [[0.5, 0.5]]
    place = Head(Attribute("place", size=3))
    raw = torch.tensor([[0.5, -1.0, 0.6931472]])  # half sides; ln 2: twice 0.44 sides
    torch.testing.assert_close(attribute_values(place, raw), torch.tensor([[0.25, -0.5, 0.88]]))
    torch.testing.assert_close(raw_place(attribute_values(place, raw)), raw)
