"""A budget of time: what of it training may use, and how a run that goes on keeps to it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracker.plain_data import finite, from_json
from train.loop.deadline import Deadline

EVALUATIONS = 15  # in a run
FEWEST_STEPS = 20  # in which something can be learnt
# Evaluations after the training: of it, of the blends of its best and its last weights with the
# start, two each for the scores and for base against tuned.
AFTER = 16
EXPORT_S, EXPORT_STEPS = 10.0, 50  # an export takes about so long, or so many steps


def too_short(deadline: Deadline) -> str:
    """A sentence on a budget in which nothing could be learnt, and on one in which it could."""
    needed = FEWEST_STEPS * deadline.step_s + (EVALUATIONS + 1) * deadline.evaluation_s
    wanted = 1.1 * (deadline.all_spent_s + deadline.closing_s + needed)
    return (
        f"{deadline.seconds:g} s are too few: a step takes {deadline.step_s:.2f} s here, reading "
        f"the clips took {deadline.all_spent_s:.0f} s, and hold-out and export will take about "
        f"{deadline.closing_s:.0f} s; give --budget {wanted:.0f}s or more"
    )


def export_time(took: Mapping[str, Any] | None, step_s: float) -> float:
    """Seconds that an export is likely to take here: as that of an earlier run, where steps took as
    long; without one, what it usually is.
    """
    try:
        if took is not None:
            return finite(took["export_s"]) * max(1.0, step_s / finite(took["step_s"]))
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        pass
    return max(EXPORT_S, EXPORT_STEPS * step_s)


def budget_facts(deadline: Deadline | None) -> dict[str, Any]:
    """What run.json says of a budget of time, so that a run that goes on keeps to it."""
    if deadline is None:
        return {}
    names = ("seconds", "step_s", "evaluation_s", "export_s", "after")
    return {"budget": {name: getattr(deadline, name) for name in names}}


def deadline_of(facts: Mapping[str, Any], begun: float | None, spent_s: float) -> Deadline | None:
    """The deadline of a run that goes on, by its run.json; None where its budget is steps."""
    told = facts.get("budget")
    if told is None:
        return None
    begun = time.monotonic() if begun is None else begun
    seconds, step_s, evaluation_s, export_s = (
        finite(told[name]) for name in ("seconds", "step_s", "evaluation_s", "export_s")
    )
    after = int(finite(told["after"]))
    return Deadline(seconds, begun, step_s, evaluation_s, export_s, after, spent_s)


def spent_in(out: Path) -> float:
    """Seconds of its budget that a run had used when it was cut off, by its progress.json."""
    try:
        told = from_json((out / "progress.json").read_text(encoding="utf-8"))
        return finite(told["spent_s"])
    except (OSError, KeyError, TypeError, ValueError):
        return 0.0  # it had not done a step
