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

from tracker.find.model_file import UPS, Attribute
from train.networks import NetSpec, build_net
from train.networks.heatmap_mt import HeatBranch
from train.networks.layers import local_contrast
from train.networks.lite import packed

RGB_MEAN, RGB_STD = (123.7, 116.3, 103.5), (58.4, 57.1, 57.4)
GRAY_MEAN, GRAY_STD = (127.5,), (64.0,)


@dataclass(frozen=True, slots=True)
class Head:
    """One attribute, where it reads from, and its fully connected layers.

    `source`: 'landmarks' (sequential), 'image' (linear in the pooled features), 'both' (landmarks
    and pooled features) or 'heat' (Heatmap-MT). `frame`, of landmarks: 'object' (freed of position
    and size) or 'crop' (-1..1). With `up` it also sees where the picture's up is in the crop, which
    landmarks of a crop that is turned upright do not tell; its layers must then be two or more.
    """

    attribute: Attribute
    source: str = "landmarks"
    hidden: int = 128
    dropout: float = 0.1
    layers: int = 2  # hidden ones
    frame: str = "object"
    up: bool = False
    weight: float = 1.0  # of its loss, times the loss's `attribute`
    flow: bool = True  # its error flows back into the landmarks that it sees, as in the paper


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """One forward pass. Points are crop pixels with centres at integers."""

    heat: Tensor  # (N, K, h, w) logits, or as `heat_parts` reads them
    xy: Tensor  # (N, K, 2)
    spread: Tensor  # (N, K) standard deviation of softmax(beta * heat), crop pixels
    presence: Tensor  # (N,) logits
    attributes: dict[str, Tensor]  # class attributes: logits; regressions: the head's raw output
    pooled: Tensor | None = None  # (N, F) what heads of the source 'image' see
    parts: tuple[Tensor, Tensor] | None = None  # what `heat` was packed of, where it was


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


def heat_parts(
    heat: Tensor, fine: tuple[int, ...], parts: tuple[Tensor, Tensor] | None = None
) -> list[tuple[list[int], Tensor, int]]:
    """What a localiser's heat holds: landmarks, their heat, and how often it is finer (1 or 2).

    With M landmarks of `fine` (NetSpec), their maps are the last 4 M of (N, K - M + 4 M, h, w),
    each the quarters of one of (2 h, 2 w). `parts`: the heat and the finer heat that it was packed
    of, where they are at hand.
    """
    if not fine:
        return [(list(range(heat.shape[1])), heat, 1)]
    others = [i for i in range(heat.shape[1] - 3 * len(fine)) if i not in fine]
    if parts is None:
        quarters = heat[:, len(others) :]
        parts = heat[:, : len(others)], F.pixel_shuffle(quarters, 2)
    return [(others, parts[0], 1), (list(fine), parts[1], 2)]


def argmax_points(heat: Tensor) -> Tensor:
    """The brightest pixel of each map: heat (N, K, h, w) -> xy (N, K, 2) heat pixels, integers."""
    at = heat.flatten(2).argmax(2)
    w = heat.shape[-1]
    return torch.stack([at % w, at // w], -1).float()


# Attributes of which each value is a share of its own, 0 to 1, whatever the others are.
SHARES = ("visible", "expressions")
EYES_APART = 0.44  # outer corners of the eyes, sides of the crop, as most faces have them


class AttributeHead(nn.Module):
    """MLP on the landmarks alone, or on `more` values beside them."""

    def __init__(self, landmarks: int, head: Head, size: int, more: int = 0) -> None:
        super().__init__()
        if head.frame not in ("object", "crop"):
            raise ValueError(f"a head's frame is object or crop, found '{head.frame}'")
        self.frame, self.size = head.frame, size
        layers: list[nn.Module] = []
        width = 2 * landmarks + more
        for _ in range(head.layers):
            layers += [nn.Linear(width, head.hidden), nn.ReLU(), nn.Dropout(head.dropout)]
            width = head.hidden
        self.layers = nn.Sequential(*layers, nn.Linear(width, head.attribute.width))

    def forward(self, xy: Tensor, *more: Tensor) -> Tensor:
        """(N, K, 2) crop pixels, and other values (N, ...) -> (N, width)."""
        if self.frame == "crop":
            middle = (self.size - 1) / 2
            seen = (xy - middle) / middle
        else:
            centred = xy - xy.mean(1, keepdim=True)
            size = (centred.square().sum(-1).mean(1) + 1e-6).sqrt()
            seen = centred / size[:, None, None]
        out: Tensor = self.layers(torch.cat([seen.flatten(1), *more], 1))
        return out


def build_head(landmarks: int, features: int, head: Head, spec: NetSpec) -> nn.Module:
    """The layers of a head; ValueError for a source that does not exist."""
    if head.up and head.source not in ("landmarks", "both"):
        raise ValueError(f"a head of the source {head.source} does not see 'up'")
    if head.source in ("landmarks", "both"):
        more = 2 * head.up + features * (head.source == "both")
        return AttributeHead(landmarks, head, spec.size, more)
    if head.source == "image":
        return nn.Linear(features, head.attribute.width)
    if head.source == "heat":
        branch = HeatBranch(landmarks, spec, head.hidden, head.dropout)
        return nn.Sequential(branch, nn.Linear(head.hidden, head.attribute.width))
    known = "landmarks, image, both or heat"
    raise ValueError(f"a head's source is {known}, found '{head.source}'")


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


class Gist(nn.Module):
    """What is in the crop and where, as a vector: the coarse maps, thinned but not averaged.

    A mean over the crop cannot tell a hand in the middle from half a hand at its side.
    """

    def __init__(self, features: int, spec: NetSpec) -> None:
        super().__init__()
        side = spec.size // 2 ** (len(spec.widths) + 1)
        self.layers = nn.Sequential(
            nn.Conv2d(features, 32, 1), nn.ReLU(), nn.Flatten(),
            nn.Linear(32 * side * side, spec.gist), nn.ReLU(),
        )  # fmt: skip

    def forward(self, coarse: Tensor) -> Tensor:
        """(N, F, h, w) -> (N, gist)."""
        out: Tensor = self.layers(coarse)
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
        self.spec, self.specs, self.beta, self.landmarks = spec, heads, beta, landmarks
        self.net = build_net(landmarks, spec)
        if spec.read not in ("soft", "argmax"):
            raise ValueError(f"net.read takes soft or argmax, found '{spec.read}'")
        self.gist = Gist(self.net.features, spec) if spec.gist else None
        self.presence = nn.Linear(spec.gist or self.net.features, 1)
        self.heads = nn.ModuleDict({h.attribute.name: self.fresh_layers(h) for h in heads})
        mean, std = scaling(spec)
        self.register_buffer("mean", torch.tensor(mean)[:, None, None])
        self.register_buffer("std", torch.tensor(std)[:, None, None])
        # score = sigmoid(a - b * log(spread / crop side)); fitted on the hold-out after training
        self.register_buffer("calibration", torch.tensor([-6.0, 2.0]))

    def forward(self, image: Tensor, up: Tensor | None = None) -> Prediction:
        """(N, C, S, S) raw 0..255 -> Prediction in crop pixels.

        up: (N, 2) unit vectors, where the picture's up points in the crop (x right, y down); zeros,
        or None for all, where that is not known.
        """
        heat, coarse, parts = self.locate(self.scale(image))
        return self.finish(heat, coarse, up, parts)

    def locate(self, scaled: Tensor) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor] | None]:
        """The localiser's heat and coarse features of images that are `scale`d, and the two parts
        that the heat was packed of (`net.fine`): to unpack it again takes a tenth of a graph's or
        a training step's time.
        """
        if not self.spec.fine:
            return *self.net(scaled), None
        heat, fine, coarse = self.net.apart(scaled)  # type: ignore[attr-defined]
        return packed(heat, fine), coarse, (heat, fine)

    def scale(self, image: Tensor) -> Tensor:
        """Raw pixels as the network wants them (`NetSpec.scaling`)."""
        if self.spec.scaling == "lcn":
            return local_contrast(image)
        return (image - self.mean) / self.std

    def points(
        self, heat: Tensor, parts: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """xy (N, K, 2) and spread (N, K) in crop pixels from a network's first output, or from the
        heat and the finer heat that it was packed of.
        """
        if self.net.direct:
            middle = (self.spec.size - 1) / 2
            xy = heat.float()[:, :, 0] * middle + middle
            return xy, torch.zeros_like(xy[..., 0])
        found, order = [], []
        for landmarks, part, finer in heat_parts(heat, self.spec.fine, parts):
            stride = self.net.stride / finer
            xy, spread = soft_argmax(part, self.beta)
            if self.spec.read == "argmax":
                xy = argmax_points(part)
            found.append(((xy + 0.5) * stride - 0.5, spread * stride))  # centres of heat pixels
            order += landmarks
        if len(found) == 1:
            return found[0]
        xy, spread = (torch.cat(parts, 1) for parts in zip(*found, strict=True))
        back = [order.index(i) for i in range(len(order))]
        return xy[:, back], spread[:, back]

    def fresh_layers(self, head: Head) -> nn.Module:
        """Layers of a head of this network that have learnt nothing yet."""
        return build_head(self.landmarks, self.spec.gist or self.net.features, head, self.spec)

    def finish(
        self, heat: Tensor, coarse: Tensor, up: Tensor | None = None,
        parts: tuple[Tensor, Tensor] | None = None,
    ) -> Prediction:  # fmt: skip
        """From the localiser's outputs to points and attributes, in float32; `parts` as `points`
        takes them.
        """
        xy, spread = self.points(heat, parts)
        pooled = coarse.float().mean((2, 3)) if self.gist is None else self.gist(coarse.float())
        up = torch.zeros_like(xy[:, 0]) if up is None else up
        sources = {
            "landmarks": (xy,), "image": (pooled,), "both": (xy, pooled), "heat": (heat.float(),)
        }  # fmt: skip
        attributes = {}
        for h in self.specs:
            seen = (*sources[h.source], *((up,) if h.up else ()))
            if not h.flow:
                seen = (seen[0].detach(), *seen[1:])
            attributes[h.attribute.name] = self.heads[h.attribute.name](*seen)
        present = self.presence(pooled)[:, 0]
        return Prediction(heat, xy, spread, present, attributes, pooled, parts)

    def score(self, spread: Tensor) -> Tensor:
        """Probability that a point is right (N, K), from the heat's spread in crop pixels."""
        relative = torch.log(spread.clamp(min=1e-3) / self.spec.size)
        return torch.sigmoid(self.calibration[0] - self.calibration[1] * relative)


def attribute_values(head: Head, raw: Tensor) -> Tensor:
    """What a user sees of a head's raw output: probabilities, degrees for `pose`, places."""
    if head.attribute.classes:
        return F.softmax(raw, -1)
    if head.attribute.name in SHARES:
        return raw.sigmoid()
    if head.attribute.name == "place":
        return torch.cat([raw[:, :2] / 2, EYES_APART * raw[:, 2:].exp()], 1)
    return raw * unit(head.attribute.name)


def raw_place(place: Tensor) -> Tensor:
    """The raw output (N, 3) that `attribute_values` makes this `place` of."""
    return torch.cat([2 * place[:, :2], (place[:, 2:] / EYES_APART).log()], 1)


def by_up(model: LandmarkNet, head: Head, out: Prediction) -> Tensor:
    """A head's answers (N, UPS, width) for crops that are turned by 0, 45, ... 315 degrees.

    An exported graph has one input, the crop; the direction of up is a matter of the head alone,
    which is small, so the graph gives all its answers and the tracker takes the one that holds.
    """
    turns = torch.deg2rad(torch.arange(UPS, device=out.xy.device) * (360.0 / UPS))
    ups = torch.stack([-turns.sin(), -turns.cos()], 1)
    seen = [out.xy]
    if head.source == "both" and out.pooled is not None:
        seen.append(out.pooled)
    # nothing here names the batch's size, which an exported graph leaves open
    # (sums in place of `repeat`: an engine checks files for operators that could eat memory)
    each = [(t[:, None] + (0 * turns).view(-1, *(1,) * (t.ndim - 1))).flatten(0, 1) for t in seen]
    every = (0 * out.xy[:, :1] + ups).flatten(0, 1)
    raw = model.heads[head.attribute.name](*each, every)
    return attribute_values(head, raw).reshape(-1, UPS, head.attribute.width)


def unit(attribute: str) -> float:
    """What a regression head's raw output of 1 means: keeps its targets near 1."""
    return 1.0 if attribute in ("xyz", "place") else 30.0  # palm lengths, sides; degrees
