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


class _Concat(nn.Sequential):
    """RCN's recombination: both levels' maps side by side through a convolution."""

    def __init__(self, width: int, up: int, block: str) -> None:
        kernel = 3 if block == "dense" else 1
        refine = [BLOCKS[block](width)] if block == "light" else []
        super().__init__(_norm_conv(width + up, width, kernel), nn.ReLU(), *refine)

    def forward(self, level: Tensor, coarser: Tensor) -> Tensor:  # type: ignore[override]
        up = F.interpolate(coarser, scale_factor=2.0, mode="nearest")
        out: Tensor = super().forward(torch.cat([level, up], 1))  # type: ignore[no-untyped-call]
        return out


class _Add(nn.Module):
    """The coarser level, made as wide where it is small, is added; then a block."""

    def __init__(self, width: int, up: int, block: str) -> None:
        super().__init__()
        self.narrow = _norm_conv(up, width, 1)
        self.block = BLOCKS[block](width)

    def forward(self, level: Tensor, coarser: Tensor) -> Tensor:
        up = F.interpolate(self.narrow(coarser), scale_factor=2.0, mode="nearest")
        out: Tensor = self.block(F.relu(level + up))
        return out


class RcnLite(nn.Module):
    """The real-time localiser: stem of stride 4, then RCN branches of light blocks.

    For a 128 px crop the heat is 32x32; each further level halves it (32, 16, 8, 4).

    The landmarks of `spec.fine` have heat of 64x64, from the finest level and the stem's first
    maps. So that one tensor holds all, each of their maps comes as its four interleaved quarters,
    after the other landmarks' (`train.networks.model.heat_parts`).
    """

    direct = False

    def __init__(self, landmarks: int, spec: NetSpec) -> None:
        super().__init__()
        cin, block = 3 if spec.colour == "rgb" else 1, BLOCKS[spec.block]
        widths = spec.widths
        self.stride = 4
        self.features = widths[-1]
        self.stem = _stem(cin, spec)
        self.downs = nn.ModuleList(
            nn.Sequential(_norm_conv(a, b, 3, 2), nn.ReLU()) for a, b in pairwise(widths)
        )
        self.encoder = nn.ModuleList(
            nn.Sequential(*[block(w) for _ in range(n)])
            for w, n in zip(widths, spec.depth, strict=True)
        )
        self.coarsest = block(widths[-1])
        self.branches = _branches(spec)
        self.again = nn.ModuleList(_branches(spec) for _ in range(spec.rounds - 1))
        self.fine = _Fine(landmarks, spec) if spec.fine else None
        self.head = nn.Conv2d(widths[0], landmarks - len(spec.fine), 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, S, S) normalised -> heat (N, K, S/4, S/4), coarse features (N, W, S/32, S/32).

        With M landmarks of `fine` the heat is (N, K - M + 4 M, S/4, S/4).
        """
        heat, fine, coarse = self.apart(image)
        return heat if fine is None else packed(heat, fine), coarse

    def apart(self, image: Tensor) -> tuple[Tensor, Tensor | None, Tensor]:
        """The same with the heat of `fine` (N, M, S/2, S/2), if there is one, on its own."""
        half = self.stem[:2](image)  # at half the crop's side, where the stem is of convolutions
        levels = [self.encoder[0](self.stem[2:](half))]
        for down, stage in zip(self.downs, list(self.encoder)[1:], strict=True):
            levels.append(stage(down(levels[-1])))
        coarse = levels[-1] = self.coarsest(levels[-1])
        for branches in (self.branches, *self.again):
            for i, recombine in enumerate(branches, start=2):
                levels[-i] = recombine(levels[-i], levels[1 - i])
        fine = None if self.fine is None else self.fine(half, levels[0])
        return self.head(levels[0]), fine, coarse


def packed(heat: Tensor, fine: Tensor) -> Tensor:
    """Heat (N, K - M, h, w) and finer heat (N, M, 2 h, 2 w) in one, as `RcnLite` says."""
    return torch.cat([heat, F.pixel_unshuffle(fine, 2)], 1)


class _Fine(nn.Module):
    """Heat of some landmarks at half the crop's side."""

    def __init__(self, landmarks: int, spec: NetSpec) -> None:
        super().__init__()
        if spec.enter != "convs":
            raise ValueError("net.fine takes the maps of a stem of convolutions: net.enter convs")
        if len(set(spec.fine)) < len(spec.fine) or not all(i < landmarks for i in spec.fine):
            raise ValueError(
                f"net.fine takes different landmarks from 0 to {landmarks - 1}, found "
                f"{', '.join(map(str, spec.fine))}"
            )
        width = spec.fine_width
        self.narrow = _norm_conv(spec.widths[0], width, 1)
        self.mix = _norm_conv(spec.stem + width, width, 3)
        self.head = nn.Conv2d(width, len(spec.fine), 1)

    def forward(self, half: Tensor, level: Tensor) -> Tensor:
        """(N, stem, S/2, S/2), (N, W, S/4, S/4) -> heat (N, M, S/2, S/2)."""
        up = F.interpolate(F.relu(self.narrow(level)), scale_factor=2.0, mode="nearest")
        out: Tensor = self.head(F.relu(self.mix(torch.cat([half, up], 1))))
        return out


def _stem(cin: int, spec: NetSpec) -> nn.Sequential:
    """From the crop to a quarter of its side."""
    if spec.enter == "patch":
        first = _norm_conv(16 * cin, spec.widths[0], 3)
        return nn.Sequential(nn.PixelUnshuffle(4), first, nn.ReLU())
    if spec.enter != "convs":
        raise ValueError(f"net.enter takes convs or patch, found '{spec.enter}'")
    return nn.Sequential(
        _norm_conv(cin, spec.stem, 3, 2), nn.ReLU(),
        _norm_conv(spec.stem, spec.widths[0], 3, 2), nn.ReLU(),
    )  # fmt: skip


def _branches(spec: NetSpec) -> nn.ModuleList:
    """One recombination's layers, from the second coarsest level to the finest."""
    kinds = {"concat": _Concat, "add": _Add}
    if spec.recombine not in kinds:
        raise ValueError(f"net.recombine takes concat or add, found '{spec.recombine}'")
    make = kinds[spec.recombine]
    return nn.ModuleList(
        make(width, up, spec.block)
        for width, up in zip(reversed(spec.widths[:-1]), reversed(spec.widths[1:]), strict=True)
    )
