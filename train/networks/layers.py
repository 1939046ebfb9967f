"""Layers that several networks of the paper share."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def conv(cin: int, cout: int, kernel: int) -> nn.Sequential:
    """Stride 1, same size (zero padding), bias, ReLU."""
    return nn.Sequential(nn.Conv2d(cin, cout, kernel, padding=kernel // 2), nn.ReLU())


def chain(cin: int, layers: Sequence[tuple[int, int]]) -> nn.Sequential:
    """`conv` layers one after the other, each given as (kernel, maps)."""
    out = []
    for kernel, maps in layers:
        out.append(conv(cin, maps, kernel))
        cin = maps
    return nn.Sequential(*out)


def init_like_theano(net: nn.Module) -> None:
    """Weights uniform in +-sqrt(6 / (fan_in + fan_out)), biases 0, as the RCN code does.

    There fan_out is maps * k * k / 4 for every convolution (a default for pooling that is applied
    to all), which comes near to what ReLU layers need.
    """
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            area = layer.weight[0, 0].numel() if layer.weight.ndim == 4 else 1
            fan_in, fan_out = layer.weight.shape[1] * area, layer.weight.shape[0] * area / 4
            bound = math.sqrt(6 / (fan_in + fan_out))
            nn.init.uniform_(layer.weight, -bound, bound)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def local_contrast(gray: Tensor) -> Tensor:
    """Local contrast normalisation of (N, 1, H, W) raw pixels, as the RCN code does it.

    A 9x9 Gaussian mean (sigma 1.591 px) is taken off; the rest is divided by the local deviation,
    or by its mean over the image where that is larger; then (v + 2.5) / 5. The original takes that
    mean over a whole mini-batch, which makes a prediction depend on its neighbours; here it is the
    image's own.
    """
    at = torch.arange(-4, 5, dtype=gray.dtype, device=gray.device)
    line = torch.exp(-at.square() / (2 * 1.591**2))
    kernel = (line[:, None] * line)[None, None]
    kernel = kernel / kernel.sum()
    centred = gray - F.conv2d(gray, kernel, padding=4)
    deviation = F.conv2d(centred.square(), kernel, padding=4).clamp(min=0).sqrt()
    floor = deviation.mean((1, 2, 3), keepdim=True).clamp(min=1e-4)
    return (centred / torch.maximum(deviation, floor) + 2.5) / 5


class LearnedUpsampling(nn.Module):
    """Twice the size by a transposed convolution: one 3x3 kernel for all maps, no bias."""

    def __init__(self) -> None:
        super().__init__()
        line = torch.tensor([0.5, 1.0, 0.5])
        self.kernel = nn.Parameter((line[:, None] * line)[None, None])  # starts as bilinear

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, h, w) -> (N, C, 2 h, 2 w)."""
        n, c, h, w = maps.shape
        each = maps.reshape(n * c, 1, h, w)
        up = F.conv_transpose2d(each, self.kernel, stride=2, padding=1, output_padding=1)
        return up.reshape(n, c, 2 * h, 2 * w)


def only_pooled(maps: Tensor) -> Tensor:
    """Maps (N, C, h, w) with every entry that is not the greatest of its 2x2 window set to 0."""
    pooled, at = F.max_pool2d(maps, 2, return_indices=True)
    return F.max_unpool2d(pooled, at, [2, 2], output_size=maps.shape[-2:])
