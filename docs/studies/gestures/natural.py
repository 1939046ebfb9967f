"""False shows of the bundled gestures in an hour of synthetic natural movement.

    python -m docs.studies.gestures.natural PREP/hand21.json --minutes 60

A hand goes from one held-out hand that is named none to another within 0.2 to 0.8 s and stays there
for 0.2 to 1.5 s, at 15 frames a second, as in the study `taught`. What moves are the landmarks that
the bundled network sees in their crops, with where the picture's up is and the mean score; its head
reads them, and what it says is steadied as the tracker does it. Whatever is shown counts as false,
also where a hand between two others comes upon a gesture. Printed for each gesture: how often it
is shown in an hour, and how often for 0.3 s at least, as an action waits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor

from docs.studies.gestures.taught import HELD, RATE, wander
from tracker.find.model_file import bundled_file
from tracker.follow.gesture import NONE, GestureFilter
from tracker.progress import silent
from train.evaluate.report import labels_for
from train.export.learn_head import (
    Counted,
    SeenByHead,
    head_called,
    looks,
    rows_with,
    said_by,
    seen_by,
    together,
)
from train.loop.checkpoint import load_model

NOISE = 0.5  # crop pixels by which landmarks of a still hand stray


def movement(seen: SeenByHead, minutes: float, seed: int = 0) -> Iterator[SeenByHead]:
    """Frame after frame, what the head sees: one hand (1, ...), and no gesture (-1)."""
    rng = np.random.default_rng(seed)
    for _, now, then, share in wander(np.arange(len(seen.target)), minutes, rng):
        xy, *more = (between(each, now, then, share) for each in seen.inputs)
        noise = torch.from_numpy(rng.normal(0, NOISE, tuple(xy.shape))).to(xy)
        score = between(seen.score, now, then, share)
        yield SeenByHead((xy + noise, *more), torch.tensor([-1]), score)


def between(values: Tensor, now: int, then: int, share: float) -> Tensor:
    """(1, ...) of values (N, ...): so much of the way from one row to another."""
    return ((1 - share) * values[now] + share * values[then])[None]


def shows(
    said: np.ndarray, score: np.ndarray, classes: tuple[str, ...], points: dict[str, float]
) -> tuple[Counter[str], Counter[str], int]:
    """How often each gesture is shown, and how often for HELD s; in how many frames any is.

    said (frames, classes), score (frames,).
    """
    steady, before, since = GestureFilter(classes, None, points), NONE, 0
    begun, held, frames = Counter[str](), Counter[str](), 0
    for i, (p, mean) in enumerate(zip(said, score, strict=True)):
        now, _ = steady.update(p, i / RATE, float(mean))
        if now != before:
            since = i
            begun[now] += 1
        frames += now != NONE
        held[now] += i - since == round(HELD * RATE)
        before = now
    for counts in (begun, held):
        del counts[NONE]
    return begun, held, frames


def main(
    labels: Annotated[Path, typer.Argument(help="The labels file of `train prepare hands`.")],
    minutes: Annotated[float, typer.Option(help="Of synthetic movement.")] = 60.0,
) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    checkpoint = bundled_file("hand").with_suffix(".safetensors")
    model, found = load_model(checkpoint)
    spec, head = found.spec, head_called(found.spec, "gesture")
    classes = head.attribute.classes
    data = labels_for(checkpoint, found.markup.landmarks, [labels], spec.data.hold_out, spec.seed)
    _, held = rows_with(data, "gesture")
    still = [i for i in held if data.examples[i].attributes["gesture"] == NONE]
    real = sum(data.examples[i].quality == "teacher" for i in still)
    quiet = Counted(silent, len(still))
    seen = seen_by(model, head, looks(model, data, still, spec), quiet)
    moved = together(list(movement(seen, minutes)))
    said = said_by(head, model.heads["gesture"], moved).numpy()
    points = dict(found.extra["operating_points"])
    begun, long, frames = shows(said, moved.score.numpy(), classes, points)
    hours = len(said) / RATE / 3600
    print(
        f"{len(still)} hands named none, {real} of them real; {60 * hours:.1f} minutes, a gesture"
    )
    print(f"shown in {frames / len(said):.1%} of the frames")
    print(f"| gesture | shown an hour | of them for {HELD} s |\n|---|---|---|")
    for name in sorted(begun, key=lambda n: -begun[n]):
        print(f"| {name} | {begun[name] / hours:.1f} | {long[name] / hours:.1f} |")
    total = begun.total() / hours
    print(f"| all, {total / 60:.2f} a minute | {total:.1f} | {long.total() / hours:.1f} |")


if __name__ == "__main__":
    typer.run(main)
