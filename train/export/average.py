"""`train average`: a point on the line between two checkpoints of one network.

Where the second run was fine-tuned from the first, the points between them keep the robustness of
the one and the precision of the other (Wortsman et al., Robust fine-tuning, CVPR 2022).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from train.export.learn_head import head_called
from train.loop.checkpoint import (
    Checkpoint,
    load_checkpoint,
    model_with,
    prepare_output,
    save_checkpoint,
)


def average(first: Path, second: Path, weight: float, out: Path, head: str | None = None) -> None:
    """Write (1 - weight) x first + weight x second, of the averaged (EMA) weights.

    With a `head` its weights alone; all others are the second's. The settings are the second's; how
    the two were trained may differ. Raises ValueError when they are not the same network with the
    same landmarks and heads, or have no such head, and UserError when `out` is one of the two.
    """
    if not 0 <= weight <= 1:
        raise ValueError(f"the weight lies between 0 (first) and 1 (second), found {weight}")
    prepare_output(out, first, second)
    a, b = load_checkpoint(first), load_checkpoint(second)
    if network_of(a) != network_of(b):
        raise ValueError(f"{first} and {second} are not the same network; average two alike")
    ours, theirs = a.part("ema"), b.part("ema")
    mixed = {k for k, v in theirs.items() if v.is_floating_point()}
    if head is not None:
        head_called(b.spec, head)
        mixed = {k for k in mixed if k.startswith(f"heads.{head}.")}
    between = {k: torch.lerp(ours[k], v, weight) if k in mixed else v for k, v in theirs.items()}
    model = model_with(between, b.spec, b.markup)
    # numbers of one parent are not numbers of the child
    extra = {k: v for k, v in b.extra.items() if k in ("licence", "data")}
    save_checkpoint(out, b.spec, b.markup, b.step, model, model, None, extra)


def network_of(found: Checkpoint) -> tuple[Any, ...]:
    """What two checkpoints share whose weights mean the same, without what steers training alone:
    dropout, the weight of a head's loss, and whether its error flows back.
    """
    heads = tuple(replace(h, dropout=0.0, weight=1.0, flow=True) for h in found.spec.heads)
    net = replace(found.spec.net, dropout=0.0)
    return net, heads, found.spec.beta, found.markup.landmarks
