"""`train average`: a point on the line between two checkpoints of one network.

Where the second run was fine-tuned from the first, the points between them keep the robustness of
the one and the precision of the other (Wortsman et al., Robust fine-tuning, CVPR 2022).
"""

from __future__ import annotations

from pathlib import Path

import torch

from train.loop.checkpoint import build_model, load_checkpoint, prepare_output, save_checkpoint


def average(first: Path, second: Path, weight: float, out: Path) -> None:
    """Write (1 - weight) x first + weight x second, of the averaged (EMA) weights.

    Raises ValueError when the two are not the same network with the same landmarks and heads, and
    UserError when `out` is one of the two.
    """
    if not 0 <= weight <= 1:
        raise ValueError(f"the weight lies between 0 (first) and 1 (second), found {weight}")
    prepare_output(out, first, second)
    a, b = load_checkpoint(first), load_checkpoint(second)
    same = (a.spec.net, a.spec.heads, a.spec.beta, a.markup.landmarks)
    if same != (b.spec.net, b.spec.heads, b.spec.beta, b.markup.landmarks):
        raise ValueError(f"{first} and {second} are not the same network; average two alike")
    ours, theirs = a.part("ema"), b.part("ema")
    model = build_model(b.spec, b.markup)
    model.load_state_dict(
        {
            k: torch.lerp(ours[k], v, weight) if v.is_floating_point() else v
            for k, v in theirs.items()
        }
    )
    # numbers of one parent are not numbers of the child
    extra = {k: v for k, v in b.extra.items() if k in ("licence", "data")}
    save_checkpoint(out, b.spec, b.markup, b.step, model, model, None, extra)
