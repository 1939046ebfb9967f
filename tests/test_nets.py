"""Networks: exact parameter counts and shapes."""

import pytest
import torch

from train.nets import NetSpec, build_net


def count(model: torch.nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_rcn_plus_has_the_papers_parameter_count():
    net = build_net(68, NetSpec("rcn_plus", 80, "gray"))
    # by hand: encoder 640 + 4 x 36,928; coarsest 36,928 + 4,160; four C5 128->64 of 204,864;
    # three C1 and two C1 of 4,160; last C1 64->68 of 4,420
    by_hand = 640 + 4 * 36928 + 36928 + 4160 + 4 * 204864 + 3 * 4160 + 2 * 4160 + 64 * 68 + 68
    assert count(net) == by_hand == 1_034_116


def test_rcn_plus_keeps_full_resolution():
    heat, coarse = build_net(5, NetSpec("rcn_plus", 80, "gray"))(torch.zeros(2, 1, 80, 80))
    assert heat.shape == (2, 5, 80, 80)
    assert coarse.shape == (2, 64, 5, 5)


def test_rcn_plus_recombines_the_pre_pool_maps():
    """The finest branch must see the full-resolution encoder: one pixel moves the heat there."""
    torch.manual_seed(0)
    net = build_net(3, NetSpec("rcn_plus", 80, "gray")).eval()
    image = torch.zeros(1, 1, 80, 80)
    touched = image.clone()
    touched[0, 0, 40, 40] = 5
    change = (net(touched)[0] - net(image)[0]).abs()[0].sum(0)
    assert change[40, 40] > 0
    assert change[0, 0] < change[40, 40]


@pytest.mark.parametrize("block", ["dense", "light"])
def test_rcn_lite_is_small_and_no_coarser_than_32(block):
    net = build_net(68, NetSpec(block=block))
    assert count(net) <= 1_500_000
    heat, coarse = net(torch.zeros(2, 3, 128, 128))
    assert heat.shape == (2, 68, 32, 32)
    assert coarse.shape == (2, 128, 4, 4)


def test_unknown_network_is_named():
    with pytest.raises(ValueError, match="'hourglass' is unknown"):
        build_net(5, NetSpec("hourglass"))
