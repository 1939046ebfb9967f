"""The class branch of Heatmap-MT (supplement table S10): from the heat, not from the points."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from train.networks.layers import conv, init_like_theano
from train.networks.spec import NetSpec

POOLS = 4


class HeatBranch(nn.Module):
    """(pool 2, C k) x 4 on the heat before its softmax, then fully connected layers."""

    def __init__(self, landmarks: int, spec: NetSpec, hidden: int, dropout: float) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            conv(landmarks if i == 0 else spec.maps, spec.maps, spec.kernel) for i in range(POOLS)
        )
        side = spec.size >> POOLS
        self.shared = nn.Sequential(
            nn.Linear(spec.maps * side * side, hidden), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(dropout),
        )  # fmt: skip
        init_like_theano(self)

    def forward(self, heat: Tensor) -> Tensor:
        """(N, K, S, S) -> (N, hidden)."""
        maps = heat
        for layer in self.convs:
            maps = layer(F.max_pool2d(maps, 2))
        out: Tensor = self.shared(maps.flatten(1))
        return out
