"""RCN's denoiser (Honari et al., CVPR 2016): where landmarks can be, told from the others."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from train.networks.layers import chain, init_like_theano


class Denoiser(nn.Module):
    """RCN's second network: from one-hot maps of landmarks, some of them wrong, to better ones.

    Three k x k layers of `maps` and a linear 1x1 layer; 25,406,212 parameters for 68 landmarks,
    64 maps and k = 45. RCN+ does not use it.
    """

    def __init__(self, landmarks: int, maps: int = 64, kernel: int = 45) -> None:
        super().__init__()
        self.layers = chain(landmarks, ((kernel, maps),) * 3)
        self.head = nn.Conv2d(maps, landmarks, 1)
        init_like_theano(self)

    def forward(self, hot: Tensor) -> Tensor:
        """One-hot maps (N, K, S, S) -> logits of the same shape."""
        out: Tensor = self.head(self.layers(hot))
        return out


def corrupt(xy: Tensor, size: int, moved: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The denoiser's input: one-hot maps of points (N, K, 2), `moved` of them anywhere.

    Returns maps (N, K, size, size) and which were moved (N, K) bool. Points are rounded to the
    pixel and clipped into the crop.
    """
    n, k = xy.shape[:2]
    order = torch.rand(n, k, generator=generator).argsort(1)
    lost = order < moved
    anywhere = torch.randint(size, (n, k, 2), generator=generator)
    at = torch.where(lost[..., None], anywhere, xy.round().long().clamp(0, size - 1))
    maps = torch.zeros(n, k, size * size)
    maps.scatter_(2, (at[..., 1] * size + at[..., 0])[..., None], 1.0)
    return maps.reshape(n, k, size, size), lost


def joint_heat(heat: Tensor, denoiser: Denoiser) -> Tensor:
    """RCN's logits (N, K, S, S) plus the denoiser's for their maxima; argmax is the answer."""
    n, k, h, w = heat.shape
    flat = heat.flatten(2)
    hot = torch.zeros_like(flat).scatter_(2, flat.argmax(2, keepdim=True), 1.0)
    out: Tensor = heat + denoiser(hot.reshape(n, k, h, w))
    return out
