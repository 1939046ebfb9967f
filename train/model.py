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

from tracker.modelfile import Attribute
from train.nets import NetSpec, build_net

RGB_MEAN, RGB_STD = (123.7, 116.3, 103.5), (58.4, 57.1, 57.4)
GRAY_MEAN, GRAY_STD = (127.5,), (64.0,)


@dataclass(frozen=True, slots=True)
class Head:
    """One attribute and where it reads from: 'landmarks' (sequential) or 'image'."""

    attribute: Attribute
    source: str = "landmarks"
    hidden: int = 128
    dropout: float = 0.1


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


class AttributeHead(nn.Module):
    """MLP on the landmarks alone, freed of their position and size in the crop."""

    def __init__(self, landmarks: int, head: Head) -> None:
        super().__init__()
        h = head.hidden
        self.layers = nn.Sequential(
            nn.Linear(2 * landmarks, h), nn.ReLU(), nn.Dropout(head.dropout),
            nn.Linear(h, h), nn.ReLU(), nn.Dropout(head.dropout),
            nn.Linear(h, head.attribute.width),
        )  # fmt: skip

    def forward(self, xy: Tensor) -> Tensor:
        """(N, K, 2) in any pixels -> (N, width)."""
        centred = xy - xy.mean(1, keepdim=True)
        size = (centred.square().sum(-1).mean(1) + 1e-6).sqrt()
        out: Tensor = self.layers((centred / size[:, None, None]).flatten(1))
        return out


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
        self.presence = nn.Linear(self.net.features, 1)
        self.heads = nn.ModuleDict(
            {
                h.attribute.name: AttributeHead(landmarks, h)
                if h.source == "landmarks"
                else nn.Linear(self.net.features, h.attribute.width)
                for h in heads
            }
        )
        rgb = spec.colour == "rgb"
        self.register_buffer("mean", torch.tensor(RGB_MEAN if rgb else GRAY_MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(RGB_STD if rgb else GRAY_STD)[:, None, None])
        # score = sigmoid(a - b * log(spread / crop side)); fitted on the hold-out after training
        self.register_buffer("calibration", torch.tensor([-6.0, 2.0]))

    def forward(self, image: Tensor) -> Prediction:
        """(N, C, S, S) raw 0..255 -> Prediction in crop pixels."""
        return self.finish(*self.net((image - self.mean) / self.std))

    def finish(self, heat: Tensor, coarse: Tensor) -> Prediction:
        """From the localiser's outputs to points and attributes, in float32."""
        xy, spread = soft_argmax(heat, self.beta)
        stride = self.net.stride
        xy = (xy + 0.5) * stride - 0.5  # centres of heat pixels, in crop pixels
        pooled = coarse.float().mean((2, 3))
        attributes = {
            h.attribute.name: self.heads[h.attribute.name](
                xy if h.source == "landmarks" else pooled
            )
            for h in self.specs
        }
        return Prediction(heat, xy, spread * stride, self.presence(pooled)[:, 0], attributes)

    def score(self, spread: Tensor) -> Tensor:
        """Probability that a point is right (N, K), from the heat's spread in crop pixels."""
        relative = torch.log(spread / self.spec.size)
        return torch.sigmoid(self.calibration[0] - self.calibration[1] * relative)


def attribute_values(head: Head, raw: Tensor) -> Tensor:
    """What a user sees of a head's raw output: probabilities, or degrees for `pose`."""
    if head.attribute.classes:
        return F.softmax(raw, -1)
    return raw * POSE_UNIT


POSE_UNIT = 30.0  # degrees per unit of a regression head's raw output: keeps its targets near 1
