"""Losses beyond the paper, for pictures without landmark labels. All are off by default.

Each is a mean over the whole batch's masked points, so processes agree
(train/machine/distributed.py).
"""

from __future__ import annotations

import torch
from torch import Tensor

from train.losses.paper import Batch, Hints, LossSpec, Seen, Term, point_loss
from train.losses.plausible_shapes import ShapeSpace, distance
from train.machine.distributed import total
from train.networks.model import LandmarkNet


def unlabelled(batch: Batch) -> Tensor:
    """(N,) bool: pictures of an object with no landmark label."""
    return ~(batch.present == 0) & ~batch.labelled.any(1)


def teach(teacher: LandmarkNet, batch: Batch, spec: LossSpec) -> Hints:
    """The averaged model's points on the easy views of unlabelled pictures; no gradient.

    The student sees the hard view of the same crop (occluded, recoloured, blurred), so it is drawn
    to the easier answer, never the other way round, which would collapse.
    """
    n, k = batch.labelled.shape
    xy = torch.zeros_like(batch.xy)
    sure = torch.zeros(n, k, dtype=torch.bool, device=xy.device)
    rows = unlabelled(batch).nonzero()[:, 0]
    if batch.easy is not None and len(rows):
        teacher.eval()
        with torch.no_grad():
            found = teacher(batch.easy[rows])
            xy[rows] = found.xy.to(xy.dtype)
            sure[rows] = teacher.score(found.spread) >= spec.teacher_score
    return Hints(taught=xy, sure=sure)


def temporal_loss(xy: Tensor, after: Tensor, size: int, epsilon: float) -> Tensor:
    """Mean distance beyond `epsilon` of points (M, K, 2) in neighbouring frames, crop sides."""
    apart = ((xy - after).square().sum(-1) + 1e-12).sqrt() / size
    count = total(torch.tensor(apart.numel(), device=xy.device))
    return (apart - epsilon).clamp(min=0).sum() / count.clamp(min=1)


def plausible_loss(xy: Tensor, mask: Tensor, space: ShapeSpace, epsilon: float) -> Tensor:
    """Mean distance beyond `epsilon` from the space of plausible shapes, in RMS radii.

    xy (N, K, 2), mask (N,) bool: pictures that count.
    """
    far = (distance(xy, space) - epsilon).clamp(min=0) * mask[:, None]
    return far.sum() / total(mask.sum() * xy.shape[1]).clamp(min=1)


def ramp(spec: LossSpec, step: int, steps: int) -> float:
    """The teacher's weight rises evenly over the first `teacher_ramp` of a training."""
    return min(1.0, step / max(1.0, spec.teacher_ramp * steps))


def teacher(seen: Seen) -> Tensor | None:
    """Distance from the points that the teacher is sure of."""
    taught, sure = seen.hints.taught, seen.hints.sure
    if taught is None or sure is None:
        return None
    return point_loss(seen.out.xy, taught, sure, seen.spec.point)


def temporal(seen: Seen) -> Tensor | None:
    """Distance of the points from those in the next frame."""
    batch, after = seen.batch, seen.hints.after
    if after is None or batch.has_after is None:
        return None
    size = batch.image.shape[-1]
    return temporal_loss(seen.out.xy[batch.has_after], after, size, seen.spec.temporal_epsilon)


def plausible(seen: Seen) -> Tensor | None:
    """Distance of shapes without a label from those of the labels."""
    if seen.shapes is None:
        return None
    mask, epsilon = unlabelled(seen.batch), seen.spec.plausible_epsilon
    return plausible_loss(seen.out.xy, mask, seen.shapes, epsilon)


TERMS = (
    Term("teacher", "teacher", teacher, needs=("taught",), rise=ramp),
    Term("temporal", "temporal", temporal, needs=("after",)),
    Term("plausible", "plausible", plausible, needs=("shapes",)),
)
