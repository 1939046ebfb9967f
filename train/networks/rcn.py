"""Recombinator Networks: RCN (Honari et al., CVPR 2016) and RCN+ (CVPR 2018).

An encoder of falling resolution; then, from the coarsest branch up, each branch is upsampled and
*concatenated* with the encoder's pre-pool maps of the next finer resolution (encoder first).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from train.networks.layers import LearnedUpsampling, chain, conv, init_like_theano, only_pooled
from train.networks.spec import NetSpec

Layers = tuple[tuple[int, int], ...]  # (kernel, maps) of one layer after the other


@dataclass(frozen=True, slots=True)
class RcnPlan:
    """The layers of one RCN. Levels are 80, 40, 20, 10 and 5 pixels wide for an 80 px crop."""

    encoder: tuple[int, ...]  # maps of the 3x3 layers, finest first
    branches: tuple[Layers, ...]  # at 5, 10, 20, 40, 80
    extra: Layers  # the branch at 2x2, if there is one
    last_kernel: int  # of the layer that gives the heat, without ReLU


_FIVE: Layers = ((5, 64), (1, 64))
PLANS: dict[str, RcnPlan] = {
    # 1,095,492 parameters for 68 landmarks; the second layer at 10x10 is commented out in the code
    "rcn": RcnPlan((64,) * 5, (_FIVE, ((5, 64),), _FIVE, _FIVE, (*_FIVE, (1, 64))), _FIVE, 1),
    # 1,034,116 for 68 landmarks: the coarsest branch is 3x3, and every other has its 1x1
    "rcn_plus": RcnPlan(
        (64,) * 5, (((3, 64), (1, 64)), _FIVE, _FIVE, _FIVE, (*_FIVE, (1, 64))), _FIVE, 1
    ),
    # 1,743,019 for 19 landmarks with the levels down to 1x1, as on AFLW (supplement, caption of
    # figure S3: 70 maps in place of 64); 5x5, no longer the coarsest, is like the finer ones
    "rcn_aflw": RcnPlan(
        (70,) * 5,
        (
            ((5, 70), (1, 70)),
            ((5, 70), (1, 70)),
            ((5, 70), (1, 70)),
            ((5, 70), (1, 70)),
            ((5, 70), (1, 70), (1, 70)),
        ),
        ((5, 70), (1, 70)),
        1,
    ),
    # 310,229 for 5 landmarks with the 2x2 level, 227,141 without
    "rcn_mtfl": RcnPlan(
        (16, 32, 48, 48, 48),
        (
            ((3, 48), (3, 48)),
            ((3, 48),),
            ((3, 48), (3, 32)),
            ((3, 32), (3, 16)),
            ((3, 16),),
        ),
        ((3, 48), (3, 48)),
        3,
    ),
}


class Rcn(nn.Module):
    """One of `PLANS`, for gray or colour crops whose side is a multiple of 16.

    Stride 1, zero padding, ReLU, bias; no batch norm. `coarsest` 2 or 1 adds the options
    use_res_2 and use_res_1 of the RCN code, for an 80 px crop.
    """

    stride = 1
    direct = False

    def __init__(self, landmarks: int, spec: NetSpec) -> None:
        super().__init__()
        plan = PLANS[spec.name]
        if spec.coarsest not in (5, 2, 1):
            raise ValueError(f"net.coarsest takes 5, 2 or 1, found {spec.coarsest}")
        if spec.coarsest < 5 and spec.size != 80:
            raise ValueError(f"maps of {spec.coarsest}x{spec.coarsest} need net.size 80")
        self.zero_non_pooled = spec.zero_non_pooled
        widths = (3 if spec.colour == "rgb" else 1, *plan.encoder)
        self.encoder = nn.ModuleList(conv(a, b, 3) for a, b in pairwise(widths))
        deepest, below = widths[-1], plan.extra[-1][1]
        self.two, self.two_branch, self.one, self.one_branch = None, None, None, None
        if spec.coarsest <= 2:
            self.two = conv(deepest, deepest, 3)
            more = deepest if spec.coarsest == 1 else 0
            self.two_branch = chain(deepest + more, plan.extra)
        if spec.coarsest == 1:
            self.one = conv(deepest, deepest, 1)
            self.one_branch = chain(deepest, ((1, deepest), (1, deepest)))
        self.coarsest = chain(deepest + (below if self.two else 0), plan.branches[0])
        self.features = up = plan.branches[0][-1][1]
        branches = []
        for maps, layers in zip(reversed(plan.encoder[:-1]), plan.branches[1:], strict=True):
            branches.append(chain(maps + up, layers))
            up = layers[-1][1]
        self.branches = nn.ModuleList(branches)
        self.upsample = nn.ModuleList(
            LearnedUpsampling() if spec.learn_upsampling else nn.Upsample(scale_factor=2)
            for _ in branches
        )
        self.head = nn.Conv2d(up, landmarks, plan.last_kernel, padding=plan.last_kernel // 2)
        init_like_theano(self)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, S, S) scaled -> heat (N, K, S, S), coarse features (N, F, S/16, S/16)."""
        levels = [self.encoder[0](image)]
        for layer in list(self.encoder)[1:]:
            levels.append(layer(F.max_pool2d(levels[-1], 2)))
        coarse = branch = self.coarsest(self._with_below(levels[-1]))
        for layers, up, level in zip(
            self.branches, self.upsample, reversed(levels[:-1]), strict=True
        ):
            side = only_pooled(level) if self.zero_non_pooled else level
            branch = layers(torch.cat([side, up(branch)], 1))
        return self.head(branch), coarse

    def _with_below(self, five: Tensor) -> Tensor:
        """The 5x5 maps, recombined with what the 2x2 and 1x1 levels say, where there are any."""
        if self.two is None or self.two_branch is None:
            return five
        two = self.two(F.max_pool2d(five, 3, 2))
        below = two
        if self.one is not None and self.one_branch is not None:
            one = self.one_branch(self.one(F.max_pool2d(two, 2)))
            below = torch.cat([two, F.interpolate(one, scale_factor=2.0)], 1)
        up = F.interpolate(self.two_branch(below), scale_factor=3.0)[..., :5, :5]
        return torch.cat([five, up], 1)
