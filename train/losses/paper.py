"""The composite loss, equation 2 of Honari et al. 2018, with masks for whatever is unlabelled.

    cost = attribute + alpha * ELT + lambda * landmarks + gamma * ||W||^2   (+ heat, presence)

Coordinates in the losses are crop pixels. `heat` (off in the paper) is RCN's softmax likelihood
with a small Gaussian as target; it makes the first thousand steps several times faster. `narrow`
(off in the paper) keeps heats from shrinking to a pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from train.losses.plausible_shapes import ShapeSpace
from train.machine.distributed import first_rows, processes, total
from train.networks.model import (
    SHARES,
    Head,
    LandmarkNet,
    Prediction,
    heat_parts,
    raw_place,
    unit,
)


@dataclass(frozen=True, slots=True)
class LossSpec:
    """Weights of equation 2. None or 0 turns a term off."""

    lam: float = 1.0  # lambda: landmarks
    alpha: float = 0.5  # ELT
    attribute: float = 1.0
    gamma: float = 0.0  # squared L2 norm of the weights
    heat: float = 0.0
    presence: float = 0.0
    point: str = "l2"  # 'l2' as in the paper (squared distance), or 'l1'
    elt_on: str = "unlabelled"  # 'unlabelled' (Blocks, HGR1, Multi-PIE) or 'all' (300W)
    elt_share: float = 1.0  # share of a batch that the ELT sees
    sigma: float = 1.0  # of the heat target, heat pixels
    narrow: float = 0.0  # cost of heats narrower than `width`, which no gradient moves any more
    width: float = 1.0  # crop pixels
    # beyond the paper (train/losses/beyond.py), on pictures without landmark labels
    teacher: float = 0.0  # hard views follow the averaged model's points on easy ones
    teacher_score: float = 0.5  # least score of a point that is followed
    teacher_ramp: float = 0.3  # share of the training over which the weight rises
    temporal: float = 0.0  # points of neighbouring frames stay close
    temporal_epsilon: float = 0.05  # how far they may be apart, crop sides
    plausible: float = 0.0  # shapes stay near those of the labels (pose-PCA)
    plausible_epsilon: float = 0.05  # how far they may be off, RMS radii of the shape
    more: Mapping[str, float] = field(default_factory=dict)  # weights of terms without a field here

    def weight(self, name: str) -> float:
        """The weight of a field here or of a name in `more`; 0 where it is in neither."""
        own = name in {f.name for f in fields(self)}
        return float(getattr(self, name) if own else self.more.get(name, 0.0))


def with_terms(spec: LossSpec, terms: Collection[str]) -> LossSpec:
    """The weights of these terms (L, A, ELT), the others' 0; decay and `narrow` stay."""
    landmarks = "L" in terms
    return replace(
        spec,
        lam=spec.lam if landmarks else 0.0,
        heat=spec.heat if landmarks else 0.0,
        alpha=spec.alpha if "ELT" in terms else 0.0,
        attribute=spec.attribute if "A" in terms else 0.0,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What the losses need. Absent labels are masked, never guessed."""

    image: Tensor  # (N, C, S, S) float32 0..255
    xy: Tensor  # (N, K, 2) crop pixels; anything where not labelled
    labelled: Tensor  # (N, K) bool
    present: Tensor  # (N,) float: 1 object, 0 none, NaN unknown
    attributes: dict[str, Tensor]  # classes: (N,) int64, -1 unknown; values: (N, D), NaN unknown
    warp: Tensor  # (N, 2, 3) ELT transform of crop pixels
    rows: tuple[int, ...] = ()  # indices into the data set
    easy: Tensor | None = None  # (N, C, S, S) the same crops before anything disturbed them
    after: Tensor | None = None  # (N, C, S, S) the next frame, cut and disturbed alike
    has_after: Tensor | None = None  # (N,) bool: where there is one
    up: Tensor | None = None  # (N, 2) the picture's up in the crop; zeros where it is kept secret
    weight: Tensor | None = None  # (N, K) how much each landmark counts; None: all alike


@dataclass(frozen=True, slots=True, eq=False)
class Hints:
    """What the losses beyond the paper compare the batch's points with; None: off."""

    after: Tensor | None = None  # (M, K, 2) points in the neighbours of the rows that have one
    taught: Tensor | None = None  # (N, K, 2) the teacher's points, crop pixels
    sure: Tensor | None = None  # (N, K) bool: where they count


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a term is made from: a batch, and what the passes over it gave."""

    model: LandmarkNet
    batch: Batch
    out: Prediction
    spec: LossSpec
    warped: Prediction | None = None  # of the ELT's images, those of `elt_rows`
    hints: Hints = field(default_factory=Hints)
    shapes: ShapeSpace | None = None  # what is plausible; None: too few labels tell


@dataclass(frozen=True, slots=True)
class Term:
    """One summand of the cost."""

    name: str
    weight: str  # the LossSpec's field, or its key in `more`; a weight of 0 turns the term off
    # Gives the value without its weight, one for each head where it is said of heads, or None where
    # this batch has nothing for it. It sums over all processes (train/machine/distributed.py).
    value: Callable[[Seen], Tensor | dict[str, Tensor] | None]
    # What must be made for it, of 'warped', 'taught', 'after' and 'shapes' (fields of Seen), or
    # 'yaw_between' (of the batch's attributes).
    needs: tuple[str, ...] = ()
    rise: Callable[[LossSpec, int, int], float] | None = None  # its share of the weight by a step
    always: bool = False  # also with a weight of 0, so that a cost has a graph whatever is off


def point_loss(xy: Tensor, target: Tensor, mask: Tensor, kind: str = "l2") -> Tensor:
    """Mean over masked points of the squared distance ('l2') or the distance ('l1'), pixels.

    xy, target (N, K, 2), mask (N, K) bool, or float: a weight each. Nothing masked in: an exact 0
    that still has a graph.
    """
    delta = torch.where(mask[..., None] > 0, xy - target, torch.zeros_like(xy))
    square = delta.square().sum(-1)
    each = square if kind == "l2" else (square + 1e-4).sqrt() - 1e-2
    return (each * mask).sum() / total(mask.sum()).clamp(min=1)


def heat_loss(heat: Tensor, beta: float, target: Tensor, mask: Tensor, sigma: float) -> Tensor:
    """Cross-entropy of softmax(beta * heat) against a Gaussian around the true point.

    sigma 0: the one pixel that the point is in, which is RCN's and Heatmap-MT's likelihood.
    heat (N, K, h, w), target (N, K, 2) heat pixels, mask (N, K) bool, or float: a weight each.
    Points outside the heat are left out.
    """
    h, w = heat.shape[2:]
    gx = torch.arange(w, dtype=torch.float32, device=heat.device)
    gy = torch.arange(h, dtype=torch.float32, device=heat.device)
    inside = (mask > 0) & (target >= -0.5).all(-1) & (target[..., 0] < w - 0.5)
    inside = inside & (target[..., 1] < h - 0.5)
    safe = torch.where(inside[..., None], target, torch.zeros_like(target))
    if sigma:
        tx = torch.exp(-((gx - safe[..., :1]) ** 2) / (2 * sigma**2))
        ty = torch.exp(-((gy - safe[..., 1:]) ** 2) / (2 * sigma**2))
    else:
        pixel = safe.round()
        tx, ty = (gx == pixel[..., :1]).float(), (gy == pixel[..., 1:]).float()
    tx, ty = tx / tx.sum(-1, keepdim=True), ty / ty.sum(-1, keepdim=True)
    logits = beta * heat.float()
    # -sum(goal * log softmax) where goal is ty times tx, which sum to 1: no map of goals is made
    at_goal = torch.einsum("nkh,nkhw,nkw->nk", ty, logits, tx)
    each, counted = torch.logsumexp(logits.flatten(2), -1) - at_goal, inside * mask
    return (each * counted).sum() / total(counted.sum()).clamp(min=1)


EVENLY = 0.3  # how much cross-entropy counts in the loss of expressions, beside L1


def attribute_loss(head: Head, raw: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy for classes and for shares, L1 for values (in their `unit`), masked where
    unknown; both for expressions.

    Most expressions are 0 most of the time. Cross-entropy alone asks for their mean, so a face at
    rest shows a little of everything; L1 alone for their median, so what is rare never shows.
    """
    if head.attribute.classes:
        known = target >= 0
        count = total(known.sum())
        if not known.any():
            return raw.sum() * 0
        return F.cross_entropy(raw[known], target[known], reduction="sum") / count
    known = torch.isfinite(target)
    if head.attribute.name in SHARES:
        return share_loss(raw, target, known, distance=head.attribute.name == "expressions")
    target = raw_place(target) if head.attribute.name == "place" else target
    goal = torch.where(known, target, torch.zeros_like(target)) / unit(head.attribute.name)
    return _mean((raw - goal).abs(), known)


def share_loss(raw: Tensor, target: Tensor, known: Tensor, distance: bool = False) -> Tensor:
    """Cross-entropy of each share (N, D) against its target from 0 to 1, less the target's own: 0
    where they agree. With `distance` how far they are from each other (L1), and EVENLY of that.
    """
    goal = torch.where(known, target, torch.zeros_like(target))
    own = F.binary_cross_entropy(goal, goal, reduction="none")
    each = F.binary_cross_entropy_with_logits(raw, goal, reduction="none") - own
    if distance:
        each = (raw.sigmoid() - goal).abs() + EVENLY * each
    return _mean(each, known)


def _mean(each: Tensor, known: Tensor) -> Tensor:
    """Over the known values, of all ranks together."""
    return (each * known).sum() / total(known.sum()).clamp(min=1)


def presence_loss(logit: Tensor, present: Tensor) -> Tensor:
    """Binary cross-entropy where it is known whether the object is there."""
    known = torch.isfinite(present)
    count = total(known.sum())
    if not known.any():
        return logit.sum() * 0
    each = F.binary_cross_entropy_with_logits(logit[known], present[known], reduction="sum")
    return each / count


def warp_image(image: Tensor, warp: Tensor) -> Tensor:
    """Move an image (N, C, S, S) by warp (N, 2, 3): pixel p goes to warp(p).

    Pixel coordinates, centres at integers; bilinear; zeros come in from outside.
    (align_corners=True is what makes integer pixel centres exact in `grid_sample`.)
    """
    n, _, h, w = image.shape
    full = torch.cat([warp, warp.new_tensor([[[0.0, 0.0, 1.0]]]).expand(n, 1, 3)], 1)
    back = torch.linalg.inv(full)[:, :2]  # output pixel -> input pixel
    to_unit = warp.new_tensor([[2 / (w - 1), 0, -1], [0, 2 / (h - 1), -1], [0, 0, 1]])
    lifted = torch.cat([back, warp.new_tensor([[[0.0, 0.0, 1.0]]]).expand(n, 1, 3)], 1)
    theta = to_unit @ lifted @ torch.linalg.inv(to_unit)
    grid = F.affine_grid(theta[:, :2], [n, 1, h, w], align_corners=True)
    return F.grid_sample(image, grid, padding_mode="zeros", align_corners=True)


def warp_points(xy: Tensor, warp: Tensor) -> Tensor:
    """Move points (N, K, 2) by warp (N, 2, 3), the same motion as `warp_image`."""
    return xy @ warp[:, :, :2].transpose(1, 2) + warp[:, None, :, 2]


def narrow_loss(spread: Tensor, width: float) -> Tensor:
    """Mean square of what heats lack to `width`; wider ones cost nothing.

    spread (N, K): root of the summed variances along x and y, crop pixels, as `width`. All images
    count, labelled or not. After the variance term of Nibali et al. (Numerical Coordinate
    Regression with Convolutional Neural Networks, 2018), which also costs width.
    """
    lacking = (width - spread).clamp(min=0).square()
    return lacking.sum() / total(torch.full((), lacking.numel(), device=spread.device))


def elt_loss(xy: Tensor, xy_of_warped: Tensor, warp: Tensor, size: int, kind: str) -> Tensor:
    """Equivariance: T(L(x)) against L(T(x)), gradient through both; leaving points are masked.

    xy, xy_of_warped (N, K, 2) crop pixels, warp (N, 2, 3), size: side of the crop.
    """
    moved = warp_points(xy, warp)
    inside = ((moved > 0) & (moved < size - 1)).all(-1).detach()
    return point_loss(xy_of_warped, moved, inside, kind)


def elt_rows(batch: Batch, spec: LossSpec) -> Tensor:
    """Indices of the images of a batch on which the ELT acts."""
    present = ~(batch.present == 0)
    wanted = present if spec.elt_on == "all" else present & ~batch.labelled.any(1)
    return first_rows(wanted, spec.elt_share)


def counted(batch: Batch) -> Tensor:
    """How much each landmark counts (N, K): nothing where it is not labelled."""
    return batch.labelled if batch.weight is None else batch.labelled * batch.weight


def landmark(seen: Seen) -> Tensor:
    """Distance of the points from the labels."""
    batch = seen.batch
    return point_loss(seen.out.xy, batch.xy, counted(batch), seen.spec.point)


def heat(seen: Seen) -> Tensor:
    """Cross-entropy of the heat against a spot at the label."""
    model, batch = seen.model, seen.batch
    mask, losses = counted(batch), []
    for landmarks, part, finer in heat_parts(seen.out.heat, model.spec.fine, seen.out.parts):
        target = (batch.xy[:, landmarks] + 0.5) * finer / model.net.stride - 0.5
        one = heat_loss(part, model.beta, target, mask[:, landmarks], seen.spec.sigma)
        losses.append(len(landmarks) / mask.shape[1] * one)
    return torch.stack(losses).sum()


def attribute(seen: Seen) -> dict[str, Tensor]:
    """A value for each head."""
    out, wanted = seen.out.attributes, seen.batch.attributes
    heads = {h.attribute.name: h for h in seen.model.specs}
    return {n: h.weight * attribute_loss(h, out[n], wanted[n]) for n, h in heads.items()}


def presence(seen: Seen) -> Tensor:
    """Whether the object is there."""
    return presence_loss(seen.out.presence, seen.batch.present)


def elt(seen: Seen) -> Tensor | None:
    """Equivariance on the images of `elt_rows`."""
    batch, out, spec = seen.batch, seen.out, seen.spec
    rows = elt_rows(batch, spec)  # none may be here, but counts are shared between processes
    if seen.warped is not None:
        size = batch.image.shape[-1]
        return elt_loss(out.xy[rows], seen.warped.xy, batch.warp[rows], size, spec.point)
    if processes() > 1:
        nothing = out.xy[:0]
        return point_loss(nothing, nothing, batch.labelled[:0], spec.point)
    return None


def narrow(seen: Seen) -> Tensor:
    """What heats lack to their width."""
    return narrow_loss(seen.out.spread, seen.spec.width)


def decay(seen: Seen) -> Tensor:
    """The squared L2 norm of the weights."""
    weights = [p for p in seen.model.parameters() if p.ndim > 1]
    squares = torch.stack([w.square().sum() for w in weights]).sum()
    return squares / processes()  # each process adds its part


TERMS = (
    Term("landmark", "lam", landmark, always=True),
    Term("heat", "heat", heat),
    Term("attribute", "attribute", attribute),
    Term("presence", "presence", presence),
    Term("elt", "alpha", elt, needs=("warped",)),
    Term("narrow", "narrow", narrow),
    Term("decay", "gamma", decay),
)
