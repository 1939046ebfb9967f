"""The whole network: localiser, soft-argmax, per-point score, heads; one pass gives everything.

The attribute heads that matter here see the landmarks only (sequential multi-tasking, Honari et
al. 2018, section 2): their error can only be lowered by moving landmarks. Presence (is there a
hand at all) and other `image` attributes cannot be told from landmarks and read the coarse
features instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tracker.find.model_file import Attribute
from train.networks import NetSpec, build_net
from train.networks.heatmap_mt import HeatBranch
from train.networks.parts import local_contrast

RGB_MEAN, RGB_STD = (123.7, 116.3, 103.5), (58.4, 57.1, 57.4)
GRAY_MEAN, GRAY_STD = (127.5,), (64.0,)


@dataclass(frozen=True, slots=True)
class Head:
    """One attribute, where it reads from, and its fully connected layers.

    `source`: 'landmarks' (sequential), 'image' (linear in the pooled features) or 'heat'
    (Heatmap-MT). `frame`, of landmarks: 'object' (freed of position and size) or 'crop' (-1..1).
    """

    attribute: Attribute
    source: str = "landmarks"
    hidden: int = 128
    dropout: float = 0.1
    layers: int = 2  # hidden ones
    frame: str = "object"


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """One forward pass. Points are crop pixels with centres at integers."""

    heat: Tensor  # (N, K, h, w) logits
    xy: Tensor  # (N, K, 2)
    spread: Tensor  # (N, K) standard deviation of softmax(beta * heat), crop pixels
    presence: Tensor  # (N,) logits
    attributes: dict[str, Tensor]  # class attributes: logits; regressions: the head's raw output


def soft_argmax(heat: Tensor, beta: float) -> tuple[Tensor, Tensor]:
    """Equation 1: the mean of softmax(beta * heat) over pixel coordinates, and its spread.

    heat (N, K, h, w) -> xy (N, K, 2) in heat pixels (x, y; centres at integers; float32 whatever
    the input) and spread (N, K), the root of the summed variances, heat pixels.
    """
    n, k, h, w = heat.shape
    p = torch.softmax(beta * heat.float().reshape(n, k, h * w), -1).reshape(n, k, h, w)
    gx = torch.arange(w, dtype=torch.float32, device=heat.device)
    gy = torch.arange(h, dtype=torch.float32, device=heat.device)
    px, py = p.sum(2), p.sum(3)
    x, y = (px * gx).sum(-1), (py * gy).sum(-1)
    var = (px * (gx - x[..., None]) ** 2).sum(-1) + (py * (gy - y[..., None]) ** 2).sum(-1)
    return torch.stack([x, y], -1), (var + 1e-6).sqrt()


def argmax_points(heat: Tensor) -> Tensor:
    """The brightest pixel of each map: heat (N, K, h, w) -> xy (N, K, 2) heat pixels, integers."""
    at = heat.flatten(2).argmax(2)
    w = heat.shape[-1]
    return torch.stack([at % w, at // w], -1).float()


class AttributeHead(nn.Module):
    """MLP on the landmarks alone."""

    def __init__(self, landmarks: int, head: Head, size: int) -> None:
        super().__init__()
        if head.frame not in ("object", "crop"):
            raise ValueError(f"a head's frame is object or crop, found '{head.frame}'")
        self.frame, self.size = head.frame, size
        layers: list[nn.Module] = []
        width = 2 * landmarks
        for _ in range(head.layers):
            layers += [nn.Linear(width, head.hidden), nn.ReLU(), nn.Dropout(head.dropout)]
            width = head.hidden
        self.layers = nn.Sequential(*layers, nn.Linear(width, head.attribute.width))

    def forward(self, xy: Tensor) -> Tensor:
        """(N, K, 2) crop pixels -> (N, width)."""
        if self.frame == "crop":
            middle = (self.size - 1) / 2
            seen = (xy - middle) / middle
        else:
            centred = xy - xy.mean(1, keepdim=True)
            size = (centred.square().sum(-1).mean(1) + 1e-6).sqrt()
            seen = centred / size[:, None, None]
        out: Tensor = self.layers(seen.flatten(1))
        return out


def build_head(landmarks: int, features: int, head: Head, spec: NetSpec) -> nn.Module:
    """The layers of a head; ValueError for a source that does not exist."""
    if head.source == "landmarks":
        return AttributeHead(landmarks, head, spec.size)
    if head.source == "image":
        return nn.Linear(features, head.attribute.width)
    if head.source == "heat":
        branch = HeatBranch(landmarks, spec, head.hidden, head.dropout)
        return nn.Sequential(branch, nn.Linear(head.hidden, head.attribute.width))
    raise ValueError(f"a head's source is landmarks, image or heat, found '{head.source}'")


def scaling(spec: NetSpec) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation that raw pixels are freed of, a value a channel."""
    rgb = spec.colour == "rgb"
    channels = 3 if rgb else 1
    if spec.scaling == "lcn" and rgb:
        raise ValueError("net.scaling lcn is for gray crops; set net.colour to gray")
    known = {
        "standard": (RGB_MEAN, RGB_STD) if rgb else (GRAY_MEAN, GRAY_STD),
        "unit": ((0.0,) * channels, (255.0,) * channels),
        "raw": ((0.0,) * channels, (1.0,) * channels),
        "lcn": ((0.0,), (1.0,)),
    }
    if spec.scaling not in known:
        raise ValueError(f"net.scaling takes {', '.join(known)}, found '{spec.scaling}'")
    return known[spec.scaling]


class LandmarkNet(nn.Module):
    """Localiser and heads. Call it with raw pixels (N, C, S, S) in 0..255."""

    mean: Tensor
    std: Tensor
    calibration: Tensor

    def __init__(
        self, landmarks: int, spec: NetSpec, heads: tuple[Head, ...], beta: float = 1.0
    ) -> None:
        super().__init__()
        self.spec, self.specs, self.beta = spec, heads, beta
        self.net = build_net(landmarks, spec)
        if spec.read not in ("soft", "argmax"):
            raise ValueError(f"net.read takes soft or argmax, found '{spec.read}'")
        self.presence = nn.Linear(self.net.features, 1)
        self.heads = nn.ModuleDict(
            {h.attribute.name: build_head(landmarks, self.net.features, h, spec) for h in heads}
        )
        mean, std = scaling(spec)
        self.register_buffer("mean", torch.tensor(mean)[:, None, None])
        self.register_buffer("std", torch.tensor(std)[:, None, None])
        # score = sigmoid(a - b * log(spread / crop side)); fitted on the hold-out after training
        self.register_buffer("calibration", torch.tensor([-6.0, 2.0]))

    def forward(self, image: Tensor) -> Prediction:
        """(N, C, S, S) raw 0..255 -> Prediction in crop pixels."""
        return self.finish(*self.net(self.scale(image)))

    def scale(self, image: Tensor) -> Tensor:
        """Raw pixels as the network wants them (`NetSpec.scaling`)."""
        if self.spec.scaling == "lcn":
            return local_contrast(image)
        return (image - self.mean) / self.std

    def points(self, heat: Tensor) -> tuple[Tensor, Tensor]:
        """xy (N, K, 2) and spread (N, K) in crop pixels from a network's first output."""
        if self.net.direct:
            middle = (self.spec.size - 1) / 2
            xy = heat.float()[:, :, 0] * middle + middle
            return xy, torch.zeros_like(xy[..., 0])
        stride = self.net.stride
        xy, spread = soft_argmax(heat, self.beta)
        if self.spec.read == "argmax":
            xy = argmax_points(heat)
        return (xy + 0.5) * stride - 0.5, spread * stride  # centres of heat pixels

    def finish(self, heat: Tensor, coarse: Tensor) -> Prediction:
        """From the localiser's outputs to points and attributes, in float32."""
        xy, spread = self.points(heat)
        pooled = coarse.float().mean((2, 3))
        sources = {"landmarks": xy, "image": pooled, "heat": heat.float()}
        attributes = {
            h.attribute.name: self.heads[h.attribute.name](sources[h.source]) for h in self.specs
        }
        return Prediction(heat, xy, spread, self.presence(pooled)[:, 0], attributes)

    def score(self, spread: Tensor) -> Tensor:
        """Probability that a point is right (N, K), from the heat's spread in crop pixels."""
        relative = torch.log(spread.clamp(min=1e-3) / self.spec.size)
        return torch.sigmoid(self.calibration[0] - self.calibration[1] * relative)


def attribute_values(head: Head, raw: Tensor) -> Tensor:
    """What a user sees of a head's raw output: probabilities, or degrees for `pose`."""
    if head.attribute.classes:
        return F.softmax(raw, -1)
    return raw * POSE_UNIT


POSE_UNIT = 30.0  # degrees per unit of a regression head's raw output: keeps its targets near 1
