"""TCDCN (Zhang et al., ECCV 2014), one of the multi-task networks that the paper compares with."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from train.networks.spec import NetSpec


class Tcdcn(nn.Module):
    """TCDCN of Zhang et al., ECCV 2014: 40x40 gray, |tanh|, four layers, 100 shared units.

    C5 16, pool, C3 48, pool, C3 64, pool, C2 64, all valid; then landmarks and classes, linear in
    the shared layer. (The paper gives no table; layers as in a third party's public network.)
    """

    stride = 1
    direct = True

    def __init__(self, landmarks: int, spec: NetSpec) -> None:
        super().__init__()
        if spec.size != 40:
            raise ValueError(f"tcdcn takes crops of 40 px, net.size is {spec.size}")
        cin = 3 if spec.colour == "rgb" else 1
        shapes = ((cin, 16, 5), (16, 48, 3), (48, 64, 3), (64, 64, 2))
        self.convs = nn.ModuleList(nn.Conv2d(a, b, k) for a, b, k in shapes)
        self.shared = nn.Linear(64 * 2 * 2, 100)
        self.drop = nn.Dropout(spec.dropout)
        self.points = nn.Linear(100, 2 * landmarks)
        self.features = 100

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, 40, 40) scaled -> coordinates (N, K, 1, 2), -1..1 of the crop; (N, 100, 1, 1)."""
        maps = image
        for number, layer in enumerate(self.convs):
            maps = torch.tanh(layer(maps)).abs()
            if number < 3:
                maps = F.max_pool2d(maps, 2)
        shared = self.drop(torch.tanh(self.shared(maps.flatten(1))).abs())
        return self.points(shared).unflatten(1, (-1, 1, 2)), shared[..., None, None]
