"""Comm-MT (supplement table S9): convolutions, pooling, a shared layer, a branch for each task."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from train.networks.layers import chain, conv, init_like_theano
from train.networks.spec import NetSpec


class CommMT(nn.Module):
    """The common multi-task network: convolutions and pooling, a shared layer, a branch a task.

    5 x C k, pool, C k, pool, C1, C1, two fully connected layers; landmarks and classes are linear
    in the last one. There is no heat: coordinates come in its place.
    """

    stride = 1
    direct = True

    def __init__(self, landmarks: int, spec: NetSpec) -> None:
        super().__init__()
        cin = 3 if spec.colour == "rgb" else 1
        k, maps = spec.kernel, spec.maps
        self.fine = chain(cin, ((k, maps),) * 5)
        self.middle = conv(maps, maps, k)
        self.coarse = chain(maps, ((1, maps), (1, maps)))
        side = spec.size // 2 // 2
        self.shared = nn.Sequential(
            nn.Linear(maps * side * side, spec.hidden), nn.ReLU(), nn.Dropout(spec.dropout),
            nn.Linear(spec.hidden, spec.hidden), nn.ReLU(), nn.Dropout(spec.dropout),
        )  # fmt: skip
        self.points = nn.Linear(spec.hidden, 2 * landmarks)
        self.features = spec.hidden
        init_like_theano(self)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, S, S) scaled -> coordinates (N, K, 1, 2) in -1..1 of the crop, (N, F, 1, 1)."""
        maps = F.max_pool2d(self.middle(F.max_pool2d(self.fine(image), 2)), 2)
        shared = self.shared(self.coarse(maps).flatten(1))
        return self.points(shared).unflatten(1, (-1, 1, 2)), shared[..., None, None]
