"""Weights to start from when landmarks, gestures or heads are others than those of the base.

Everything of the same name and shape is kept. The rows of the last layers that belong to a
landmark or a class are taken over by its name; what the base does not know starts fresh.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from train.config import FitSpec
from train.data.pictures import Markup
from train.loop.checkpoint import Checkpoint, build_model, save_checkpoint
from train.networks import NetSpec
from train.networks.model import LandmarkNet


@dataclass(frozen=True, slots=True)
class CarriedOver:
    """What became of the base's weights."""

    kept: int  # tensors taken over whole
    landmarks: int  # landmarks that the base knows by name
    fresh: tuple[str, ...]  # tensors that start fresh, at least in part


def place(target: Tensor, source: Tensor, to: Sequence[int], at: Sequence[int]) -> Tensor:
    """A copy of `target` with rows `to` taken from rows `at` of `source` (same other sizes)."""
    out = target.clone()
    if len(to) and source.shape[1:] == target.shape[1:]:
        out[torch.tensor(list(to))] = source[torch.tensor(list(at))].to(target.dtype)
    return out


def matches(ours: Sequence[str], theirs: Sequence[str]) -> tuple[list[int], list[int]]:
    """Indices of equal names: in ours, in theirs."""
    there = {name: i for i, name in enumerate(theirs)}
    both = [(i, there[name]) for i, name in enumerate(ours) if name in there]
    return [i for i, _ in both], [j for _, j in both]


def carry_over(model: LandmarkNet, markup: Markup, base: Checkpoint) -> CarriedOver:
    """Give a network what fits of a base's averaged weights. ValueError when nothing does."""
    own, source = model.state_dict(), base.part("ema")
    points = matches(markup.landmarks, base.markup.landmarks)
    ours, theirs_by_row = heat_rows(markup, model.spec), heat_rows(base.markup, base.spec.net)
    same_markup = markup.landmarks == base.markup.landmarks
    old_classes = {h.attribute.name: h.attribute.classes for h in base.spec.heads}
    new_classes = {h.attribute.name: h.attribute.classes for h in model.specs}
    state: dict[str, Tensor] = {}
    fresh: list[str] = []
    for name, value in own.items():
        theirs = source.get(name)
        parts = name.split(".")
        head = parts[1] if parts[0] == "heads" else ""
        is_last = bool(head) and ("layers" not in parts or parts[3] == "6")  # of an MLP
        is_first = bool(head) and parts[2:] == ["layers", "0", "weight"]
        rows, old_rows = (part_of(name, known) for known in (ours, theirs_by_row))
        is_points = bool(rows) and value.shape[0] == len(rows)
        if theirs is None:
            state[name] = value
        elif is_points and rows != old_rows:
            state[name] = place(value, theirs, *matches(rows, old_rows))
        elif is_last and new_classes[head] != old_classes[head]:
            state[name] = place(value, theirs, *matches(new_classes[head], old_classes[head]))
        elif is_first and not same_markup:
            counts = len(markup.landmarks), len(base.markup.landmarks)
            state[name] = _columns(value, theirs, points, counts)
        elif theirs.shape == value.shape:
            state[name] = theirs
            continue
        else:
            state[name] = value
        fresh.append(name)
    if len(fresh) == len(own):
        raise ValueError("the base shares no layer with this network")
    model.load_state_dict(state)
    return CarriedOver(len(own) - len(fresh), len(points[0]), tuple(fresh))


def heat_rows(markup: Markup, net: NetSpec) -> dict[str, tuple[str, ...]]:
    """For the layers that give the heat, by the start of their names, the landmark of each row."""
    names = markup.landmarks
    return {
        "net.head": tuple(n for i, n in enumerate(names) if i not in net.fine),
        "net.fine.head": tuple(names[i] for i in net.fine if i < len(names)),
    }


def fitting_net(base: Checkpoint, landmarks: Sequence[str]) -> NetSpec:
    """The base's network for these landmarks: those have finer heat that have it there, by name."""
    finer = {base.markup.landmarks[i] for i in base.spec.net.fine}
    return replace(
        base.spec.net, fine=tuple(i for i, name in enumerate(landmarks) if name in finer)
    )


def part_of(name: str, known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The landmarks of a tensor's rows; none where it is of no such layer."""
    return next((rows for start, rows in known.items() if name.startswith(start)), ())


def adapt(spec: FitSpec, markup: Markup, base: Checkpoint, out: Path) -> CarriedOver:
    """Write the starting weights of a run to `out` (averaged weights alone).

    Raises ValueError when the base is another network than the spec's.
    """
    if replace(base.spec.net, fine=()) != replace(spec.net, fine=()):
        raise ValueError(
            f"the base is {base.spec.net.name} of {base.spec.net.size} px, the run wants "
            f"{spec.net.name} of {spec.net.size} px; start from scratch or use the base's network"
        )
    torch.manual_seed(spec.seed)
    model = build_model(spec, markup)
    start = carry_over(model, markup, base)
    save_checkpoint(out, spec, markup, 0, None, model, None, {})
    return start


def _columns(
    target: Tensor, source: Tensor, points: tuple[list[int], list[int]], counts: tuple[int, int]
) -> Tensor:
    """The first layer of a head: its columns are x and y of one landmark after the other.

    `counts`: landmarks of target and source. What a head sees beside them (features, up) follows.
    """
    if source.shape[0] != target.shape[0] or not points[0]:
        return target
    out = target.clone()
    for i, j in zip(*points, strict=True):
        out[:, 2 * i : 2 * i + 2] = source[:, 2 * j : 2 * j + 2]
    more, theirs = target[:, 2 * counts[0] :], source[:, 2 * counts[1] :]
    if more.shape == theirs.shape:
        out[:, 2 * counts[0] :] = theirs
    return out
