"""The real-time localiser: recombination as in `rcn.py`, light blocks, colour crops."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from train.networks.spec import NetSpec


def _norm_conv(cin: int, cout: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(cout),
    )


class _Dense(nn.Module):
    """Residual pair of 3x3 convolutions."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.a, self.b = _norm_conv(width, width, 3), _norm_conv(width, width, 3)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.b(F.relu(self.a(x))))


class _Light(nn.Module):
    """Inverted residual: 1x1 to twice the width, depthwise 3x3, 1x1 back (MobileNetV2)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        wide = 2 * width
        self.expand = _norm_conv(width, wide, 1)
        self.depthwise = _norm_conv(wide, wide, 3, groups=wide)
        self.project = _norm_conv(wide, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.project(F.relu(self.depthwise(F.relu(self.expand(x)))))
        return x + out


BLOCKS: dict[str, Callable[[int], nn.Module]] = {"dense": _Dense, "light": _Light}


class RcnLite(nn.Module):
    """The real-time localiser: stem of stride 4, then RCN branches of light blocks.

    For a 128 px crop the heat is 32x32; each further level halves it (32, 16, 8, 4).
    """

    direct = False

    def __init__(self, landmarks: int, spec: NetSpec) -> None:
        super().__init__()
        cin, block = 3 if spec.colour == "rgb" else 1, BLOCKS[spec.block]
        widths = spec.widths
        self.stride = 4
        self.features = widths[-1]
        self.stem = nn.Sequential(
            _norm_conv(cin, spec.stem, 3, 2), nn.ReLU(),
            _norm_conv(spec.stem, widths[0], 3, 2), nn.ReLU(),
        )  # fmt: skip
        self.downs = nn.ModuleList(
            nn.Sequential(_norm_conv(a, b, 3, 2), nn.ReLU()) for a, b in pairwise(widths)
        )
        self.encoder = nn.ModuleList(
            nn.Sequential(*[block(w) for _ in range(n)])
            for w, n in zip(widths, spec.depth, strict=True)
        )
        self.coarsest = block(widths[-1])
        kernel = 3 if spec.block == "dense" else 1
        self.branches = nn.ModuleList(
            nn.Sequential(_norm_conv(w + up, w, kernel), nn.ReLU(), *self._refine(spec, w))
            for w, up in zip(reversed(widths[:-1]), reversed(widths[1:]), strict=True)
        )
        self.head = nn.Conv2d(widths[0], landmarks, 1)

    @staticmethod
    def _refine(spec: NetSpec, width: int) -> list[nn.Module]:
        return [BLOCKS[spec.block](width)] if spec.block == "light" else []

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, S, S) normalised -> heat (N, K, S/4, S/4), coarse features (N, W, S/32, S/32)."""
        levels = [self.encoder[0](self.stem(image))]
        for down, stage in zip(self.downs, list(self.encoder)[1:], strict=True):
            levels.append(stage(down(levels[-1])))
        coarse = branch = self.coarsest(levels[-1])
        for recombine, level in zip(self.branches, reversed(levels[:-1]), strict=True):
            up = F.interpolate(branch, scale_factor=2.0, mode="nearest")
            branch = recombine(torch.cat([level, up], 1))
        return self.head(branch), coarse
