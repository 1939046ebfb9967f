"""Losses for faces: how far lids and lips are open, and heads of which only a class is known.

Off by default; their weights are `loss.more.openings` and `loss.more.turn`. Each is a mean over the
whole batch, so processes agree (train/machine/distributed.py).
"""

from __future__ import annotations

import torch
from torch import Tensor

from train.losses.paper import Seen, Term, counted
from train.machine.distributed import total
from train.networks.model import unit

# Upper and lower edge of both eyes and of the mouth between the lips, in the 68 landmarks.
OPENINGS = ((37, 41), (38, 40), (43, 47), (44, 46), (61, 67), (62, 66), (63, 65))
LIPS = ((50, 61), (51, 62), (52, 63), (58, 67), (57, 66), (56, 65))  # how thick they are
LEAST = 0.04  # added to an opening's length, sizes of the face, before an error is divided by it
FACE = (68, 70)  # landmarks of a face: iBUG's, and with irises


def openings_loss(xy: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean relative error of what lies between two landmarks across a lid's or lip's opening.

    xy, target (N, K, 2), weight (N, K), 0 where unlabelled. The error is a vector's, the found one
    less the true one, over the true one's length plus LEAST sizes of the face (the longer side of
    its labelled points' box): a lid that is off by a pixel costs more the less an eye is open, and
    the middle of the two, which the landmark term sees to, costs nothing.
    """
    ends = torch.tensor((*OPENINGS, *LIPS), device=xy.device)
    a, b = ends[:, 0], ends[:, 1]
    counts = torch.minimum(weight[:, a].float(), weight[:, b].float())
    true = target[:, b] - target[:, a]
    found = xy[:, b] - xy[:, a]
    apart = torch.where(counts[..., None] > 0, found - true, torch.zeros_like(found))
    error = (apart.square().sum(-1) + 1e-6).sqrt() - 1e-3
    size = face_size(target, weight > 0)
    each = error / (true.norm(dim=-1) + LEAST * size[:, None])
    mean: Tensor = (each * counts).sum() / total(counts.sum()).clamp(min=1)
    return mean


def face_size(target: Tensor, labelled: Tensor) -> Tensor:
    """(N,) the longer side of the labelled points' box; 1 where fewer than two are labelled."""
    far = torch.full_like(target, float("inf"))
    low = torch.where(labelled[..., None], target, far).amin(1)
    high = torch.where(labelled[..., None], target, -far).amax(1)
    side = (high - low).amax(1)
    return torch.where(labelled.sum(1) > 1, side, torch.ones_like(side)).clamp(min=1)


def openings(seen: Seen) -> Tensor:
    """How far lids and lips are open. ValueError for other landmarks than a face's."""
    if seen.out.xy.shape[1] not in FACE:
        raise ValueError(
            f"loss.more.openings is for the 68 landmarks of a face, these are "
            f"{seen.out.xy.shape[1]}; set it to 0"
        )
    return openings_loss(seen.out.xy, seen.batch.xy, counted(seen.batch).float())


def turn_loss(yaw: Tensor, between: Tensor) -> Tensor:
    """Mean of how far a yaw (N,) lies outside a range (N, 2), NaN: none known; in units of 30
    degrees.
    """
    known = torch.isfinite(between).all(1)
    low, high = (torch.where(known, v, torch.zeros_like(v)) for v in between.unbind(1))
    outside = (low - yaw).clamp(min=0) + (yaw - high).clamp(min=0)
    return (outside / 30 * known).sum() / total(known.sum()).clamp(min=1)


def turn(seen: Seen) -> Tensor:
    """Yaw within the class of a head's turn. ValueError where no head gives a pose."""
    if "pose" not in seen.out.attributes:
        raise ValueError("loss.more.turn needs a head named pose; add one, or set it to 0")
    yaw = seen.out.attributes["pose"][:, 0] * unit("pose")
    return turn_loss(yaw, seen.batch.attributes["yaw_between"])


TERMS = (
    Term("openings", "openings", openings),
    Term("turn", "turn", turn, needs=("yaw_between",)),
)
