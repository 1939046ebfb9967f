"""Base against fine-tuned on the hold-out: by clip, by landmark, by attribute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.evaluate.interval import change_between
from train.evaluate.outputs import nme_of, predict, summarise, torch_runner
from train.finetune.plan import Plan, base_of_run, facts_of
from train.loop.checkpoint import load_checkpoint
from train.loop.checkpoint import load_model as load_network


def compare(plan: Plan, final: Path) -> dict[str, Any]:
    """Hold-out errors of the base (where it knows the markup) and of the tuned model, by part; and
    `change`, the difference with its interval.
    """
    rows = plan.data.measured()
    if not rows:
        return {}
    tuned, tuned_each = _evaluated(final, plan, rows)
    found: dict[str, Any] = {"tuned": tuned}
    try:
        base = base_of_run(plan.project, facts_of(plan.out))
    except ValueError:
        base = None  # a checkpoint of the user's that has moved
    if base is not None and load_checkpoint(base).markup.landmarks == plan.data.markup.landmarks:
        found["base"], base_each = _evaluated(base, plan, rows)
        clips = [plan.data.examples[i].group for i in rows]
        change = change_between(base_each, tuned_each, clips)
        found["change"] = None if change is None else change.as_json()
    return found


def _evaluated(
    checkpoint: Path, plan: Plan, rows: Sequence[int]
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """The summary of a checkpoint, also by clip, and the NME (%) of each row.

    Of its attributes those that are the run's.
    """
    network, found = load_network(checkpoint)
    ours = {h.attribute.name: h.attribute for h in plan.spec.heads}
    heads = tuple(h for h in found.spec.heads if ours.get(h.attribute.name) == h.attribute)
    spec = replace(plan.spec, heads=heads, net=found.spec.net)
    out = predict(torch_runner(network), plan.data, list(rows), spec)
    summary = summarise(out, plan.data, spec)
    each = nme_of(out, spec.data.normaliser)
    groups = np.array([plan.data.examples[i].group for i in rows])
    by_clip = {}
    for clip in sorted(set(groups.tolist())):
        part = each[groups == clip]
        if np.isfinite(part).any():
            by_clip[clip] = float(np.nanmean(part))
    summary["by_clip"] = by_clip
    return summary, each


def is_better(base: Mapping[str, Any], tuned: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    """(landmark, base NME, tuned NME), the largest gain first, the largest loss last."""
    names = base["per_landmark_nme"]
    pairs = [(n, float(names[n]), float(tuned["per_landmark_nme"][n])) for n in names]
    known = [p for p in pairs if np.isfinite(p[1]) and np.isfinite(p[2])]
    return sorted(known, key=lambda p: p[2] - p[1])
