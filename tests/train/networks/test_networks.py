"""Networks: exact parameter counts, shapes, and what recombination means."""

import pytest
import torch
import torch.nn.functional as F

from train.networks import NetSpec, build_net
from train.networks.denoiser import Denoiser, corrupt, joint_heat
from train.networks.heatmap_mt import HeatBranch
from train.networks.layers import LearnedUpsampling, local_contrast, only_pooled


def count(model: torch.nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ("net", "landmarks", "parameters"),
    [
        # Seq-MT's localisers, supplement tables S11 to S13
        (NetSpec("seq_mt", 60, "gray", kernel=7, maps=16, convs=6), 2, 63_906),
        (NetSpec("seq_mt", 60, "gray", kernel=9, maps=8, convs=6), 5, 26_733),
        (NetSpec("seq_mt", 64, "gray", maps=64, convs=5, ones=0, last_kernel=9), 25, 1_462_233),
        (NetSpec("seq_mt", 64, "gray", maps=64, convs=5, ones=0, last_kernel=9), 68, 1_685_188),
        (NetSpec("seq_mt", 64, "gray", maps=32, convs=7, ones=0, last_kernel=9), 68, 676_804),
        # RCN's code and its options, and RCN+
        (NetSpec("rcn", 80, "gray"), 68, 1_095_492),
        (NetSpec("rcn", 80, "gray", learn_upsampling=True), 68, 1_095_492 + 36),
        (NetSpec("rcn", 80, "gray", coarsest=2), 68, 1_341_444),
        (NetSpec("rcn", 80, "gray", coarsest=1), 68, 1_456_324),
        (NetSpec("rcn_plus", 80, "gray"), 68, 1_034_116),
        (NetSpec("rcn_aflw", 80, "gray", coarsest=1), 19, 1_743_019),
        (NetSpec("rcn_mtfl", 80, "gray", coarsest=2), 5, 310_229),
        (NetSpec("rcn_mtfl", 80, "gray"), 5, 227_141),
    ],
)
def test_parameters_are_those_of_the_paper(net, landmarks, parameters):
    assert count(build_net(landmarks, net)) == parameters


def test_rcn_plus_by_hand():
    # encoder 640 + 4 x 36,928; coarsest 36,928 + 4,160; four C5 128->64 of 204,864;
    # three C1 and two C1 of 4,160; last C1 64->68 of 4,420
    by_hand = 640 + 4 * 36928 + 36928 + 4160 + 4 * 204864 + 3 * 4160 + 2 * 4160 + 64 * 68 + 68
    assert count(build_net(68, NetSpec("rcn_plus", 80, "gray"))) == by_hand


def test_comm_mt_and_tcdcn_by_hand():
    # 5 layers C9 of 8 maps on 1 map, a sixth, two C1; FC 8*15*15 -> 256 -> 256 -> 10
    comm = (81 * 8 + 8) + 5 * (81 * 64 + 8) + 2 * (64 + 8)
    comm += 8 * 15 * 15 * 256 + 256 + 256 * 256 + 256 + 256 * 10 + 10
    assert count(build_net(5, NetSpec("comm_mt", 60, "gray"))) == comm
    tcdcn = (25 * 16 + 16) + (9 * 16 * 48 + 48) + (9 * 48 * 64 + 64) + (4 * 64 * 64 + 64)
    tcdcn += 256 * 100 + 100 + 100 * 10 + 10
    assert count(build_net(5, NetSpec("tcdcn", 40, "gray"))) == tcdcn


def test_the_class_branch_of_heatmap_mt_by_hand():
    # on 5 maps of 60 px: four C9 of 8 maps; FC 8*3*3 -> 256 -> 256
    spec = NetSpec("heatmap_mt", 60, "gray", kernel=9, maps=8, convs=6, read="argmax")
    by_hand = (81 * 5 * 8 + 8) + 3 * (81 * 64 + 8) + 72 * 256 + 256 + 256 * 256 + 256
    assert count(HeatBranch(5, spec, 256, 0.25)) == by_hand


@pytest.mark.parametrize("coarsest", [5, 2, 1])
@pytest.mark.parametrize("name", ["rcn", "rcn_plus", "rcn_mtfl"])
def test_rcn_keeps_full_resolution(name, coarsest):
    net = build_net(5, NetSpec(name, 80, "gray", coarsest=coarsest))
    heat, coarse = net(torch.zeros(2, 1, 80, 80))
    assert heat.shape == (2, 5, 80, 80)
    assert coarse.shape == (2, net.features, 5, 5)


def test_small_levels_want_an_80_px_crop():
    with pytest.raises(ValueError, match=r"2x2 need net\.size 80"):
        build_net(5, NetSpec("rcn", 64, "gray", coarsest=2))
    with pytest.raises(ValueError, match="takes 5, 2 or 1, found 3"):
        build_net(5, NetSpec("rcn", 80, "gray", coarsest=3))


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


def test_plain_nets_end_in_relu():
    torch.manual_seed(0)
    net = build_net(5, NetSpec("seq_mt", 60, "gray"))
    assert float(net(torch.randn(2, 1, 60, 60))[0].detach().min()) == 0.0


def test_maps_of_the_likelihood_start_above_zero():
    """Else its first steps push some of them below 0 everywhere, where ReLU has no gradient."""
    spec = NetSpec("heatmap_mt", 60, "gray", read="argmax")
    heat = build_net(5, spec)(torch.zeros(1, 1, 60, 60))[0]
    assert (heat == 5).all()
    soft = build_net(5, NetSpec("seq_mt", 60, "gray"))(torch.zeros(1, 1, 60, 60))[0]
    assert (soft == 0).all()


def test_comm_mt_gives_coordinates():
    heat, shared = build_net(5, NetSpec("comm_mt", 60, "gray"))(torch.zeros(3, 1, 60, 60))
    assert heat.shape == (3, 5, 1, 2)
    assert shared.shape == (3, 256, 1, 1)


def test_only_pooled_keeps_the_greatest_of_each_window():
    maps = torch.tensor([[1.0, 2, 0, 0], [3, 0, 0, 5], [7, 6, 1, 2], [0, 0, 4, 3]])[None, None]
    kept = torch.tensor([[0.0, 0, 0, 0], [3, 0, 0, 5], [7, 0, 0, 0], [0, 0, 4, 0]])
    assert torch.equal(only_pooled(maps)[0, 0], kept)


def test_learned_upsampling_starts_bilinear_and_is_shared():
    up = LearnedUpsampling()
    maps = torch.rand(2, 3, 4, 5)
    grown = up(maps)
    assert grown.shape == (2, 3, 8, 10)
    # even pixels are the old ones; an odd one is the mean of its two neighbours
    assert torch.allclose(grown[..., ::2, ::2], maps)
    assert torch.allclose(grown[..., 0, 1:-1:2], (maps[..., 0, :-1] + maps[..., 0, 1:]) / 2)


def test_local_contrast_by_hand():
    """A flat image has no contrast (inside); a gain of the input changes nothing."""
    flat = torch.full((1, 1, 30, 30), 90.0)
    assert torch.allclose(local_contrast(flat)[..., 12:18, 12:18], torch.tensor(0.5), atol=1e-3)
    noise = torch.rand(1, 1, 30, 30) * 50
    assert torch.allclose(local_contrast(noise), local_contrast(3 * noise), atol=1e-4)
    # one bright pixel v in the dark: mean v * k0, so v (1 - k0) is left there
    dot = torch.zeros(1, 1, 31, 31)
    dot[0, 0, 15, 15] = 100.0
    line = torch.exp(-torch.arange(-4, 5.0).square() / (2 * 1.591**2))
    kernel = line[:, None] * line / line.sum() ** 2
    centred = torch.zeros(31, 31)
    centred[11:20, 11:20] = -100 * kernel
    centred[15, 15] += 100
    blurred = F.conv2d(centred.square()[None, None], kernel[None, None], padding=4)
    deviation = blurred.sqrt()[0, 0]
    wanted = (centred / torch.maximum(deviation, deviation.mean()) + 2.5) / 5
    assert torch.allclose(local_contrast(dot)[0, 0], wanted, atol=1e-4)


def test_denoiser_has_the_papers_size():
    with torch.device("meta"):
        assert count(Denoiser(68)) == 25_406_212


def test_corrupt_moves_exactly_so_many_points():
    xy = torch.tensor([[[3.4, 1.0], [0.0, 9.0], [99.0, -5.0], [5.0, 5.0]]])
    hot, lost = corrupt(xy, 10, 2, torch.Generator().manual_seed(1))
    assert hot.shape == (1, 4, 10, 10)
    assert int(lost.sum()) == 2
    assert torch.equal(hot.sum((2, 3)), torch.ones(1, 4))
    kept, lost = corrupt(xy, 10, 0, torch.Generator().manual_seed(1))
    assert not lost.any()
    at = [(int(m.argmax()) % 10, int(m.argmax()) // 10) for m in kept[0]]
    assert at == [(3, 1), (0, 9), (9, 0), (5, 5)]


def test_joint_heat_adds_what_the_denoiser_says_of_the_maxima():
    torch.manual_seed(0)
    denoiser = Denoiser(2, maps=3, kernel=5)
    heat = torch.rand(1, 2, 8, 8)
    hot = torch.zeros(1, 2, 8, 8)
    for k in range(2):
        at = int(heat[0, k].argmax())
        hot[0, k, at // 8, at % 8] = 1
    assert torch.allclose(joint_heat(heat, denoiser), heat + denoiser(hot))
